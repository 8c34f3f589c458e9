"""The profile: what one pass over a batch keeps of it. Rows stop here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tidegate_monitors import hashing
from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.column_profile import ColumnProfile, missing_share
from tidegate_monitors.fingerprint import Fingerprint, salted
from tidegate_monitors.hashing import Hashes
from tidegate_monitors.joint import Joint
from tidegate_monitors.layout import Layout
from tidegate_monitors.reading import Halves, Reading
from tidegate_monitors.row_sketch import RowSketch
from tidegate_monitors.slices import Slices, crossed

__all__ = ["ColumnProfile", "Profile", "missing_share"]

FORMAT = 2
_PART_ROWS = 1 << 17
_THREADS = 2
_ROOM = 1 << 24

Order = tuple[int, int, int]
_UNKNOWN = Cells(Kind.NONE)


@dataclass(frozen=True, slots=True)
class Profile:
    """A batch in kilobytes: mergeable, serialisable, without a row in it.

    Profiles of the same layout form a commutative monoid under ``+``, with :meth:`empty` as identity: the profile of
    a batch is the sum of the profiles of its parts (counts exactly, moments to rounding).

    Attributes:
        layout: The sha256 of the layout that was counted into.
        rows: Rows delivered.
        columns: By column.
        fingerprint: The identity of the rows as a multiset.
        sample: Which keys there are, in a sample.
        slices: By slicing column.
        orders: For each pair of columns of the layout the rows in which the first is less, equal and greater; shape
            (pairs, 3). Rows with a gap are in none.
        joint: How columns hang together.
    """

    layout: str
    rows: int
    columns: Mapping[str, ColumnProfile]
    fingerprint: Fingerprint
    sample: RowSketch = field(default_factory=RowSketch)
    slices: Mapping[str, Slices] = field(default_factory=lambda: MappingProxyType({}))
    orders: tuple[Order, ...] = ()
    joint: Joint = field(default_factory=Joint)

    @classmethod
    def of(cls, table: Any, layout: Layout) -> Profile:
        """Profile a ``pyarrow.Table`` in one pass; a column it lacks is profiled as missing.

        A large one is profiled in parts that the processor's cache can hold, two at a time, and their sum is taken.
        """
        rows = table.num_rows
        if rows <= 2 * _PART_ROWS:
            return _Pass(table, layout).profile()
        np.empty(_ROOM, dtype=np.uint8)  # once freed, glibc keeps that much memory instead of returning each array's
        parts = (table.slice(start, _PART_ROWS) for start in range(0, rows, _PART_ROWS))
        with ThreadPoolExecutor(_THREADS) as pool:
            return reduce(cls.__add__, pool.map(lambda part: _Pass(part, layout).profile(), parts))

    @classmethod
    def empty(cls, layout: Layout) -> Profile:
        """The identity: no rows."""
        columns = {name: ColumnProfile.empty(cells) for name, cells in layout.cells.items()}
        slices = {name: Slices.empty(len(values), _crossing(layout, name)) for name, values in layout.slices.items()}
        return cls(
            layout.sha256,
            0,
            MappingProxyType(columns),
            Fingerprint(),
            slices=MappingProxyType(slices),
            orders=((0, 0, 0),) * len(layout.orders),
            joint=Joint.empty(len(layout.joint)),
        )

    def __add__(self, other: Profile) -> Profile:
        if self.layout != other.layout:
            raise ValueError(f"profiles of different layouts cannot be added: {self.layout[:12]}, {other.layout[:12]}")
        return Profile(
            self.layout,
            self.rows + other.rows,
            MappingProxyType({name: column + other.columns[name] for name, column in self.columns.items()}),
            self.fingerprint + other.fingerprint,
            self.sample + other.sample,
            MappingProxyType({name: item + other.slices[name] for name, item in self.slices.items()}),
            tuple((a + d, b + e, c + f) for (a, b, c), (d, e, f) in zip(self.orders, other.orders, strict=True)),
            self.joint + other.joint if self.joint.leaves else self.joint,
        )

    @property
    def sha256(self) -> str:
        """The hash of the canonical JSON."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": FORMAT,
            "layout": self.layout,
            "rows": self.rows,
            "columns": {name: column.to_dict() for name, column in self.columns.items()},
            "fingerprint": str(self.fingerprint),
            "sample": str(self.sample),
            "slices": {name: item.to_dict() for name, item in self.slices.items()},
            "orders": [list(order) for order in self.orders],
            "joint": self.joint.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Profile:
        """Read what :meth:`to_dict` wrote.

        Raises:
            ValueError: It is of another format.
        """
        if data["format"] != FORMAT:
            word = "newer" if data["format"] > FORMAT else "older"
            raise ValueError(f"profile format {data['format']} is {word} than {FORMAT}")
        columns = {name: ColumnProfile.from_dict(item) for name, item in data["columns"].items()}
        return cls(
            data["layout"],
            data["rows"],
            MappingProxyType(columns),
            Fingerprint.parse(data["fingerprint"]),
            RowSketch.parse(data["sample"]),
            MappingProxyType({name: Slices.from_dict(item) for name, item in data["slices"].items()}),
            tuple((a, b, c) for a, b, c in data["orders"]),
            Joint.from_dict(data["joint"]),
        )


def _crossing(layout: Layout, name: str) -> list[str]:
    """The columns that are counted within the slices of one: all that have cells, but itself."""
    return [column for column, cells in layout.cells.items() if cells.size and column != name]


class _Pass:
    """One pass over a table: each column is read once, and what the others need of it is kept until they came by."""

    def __init__(self, table: Any, layout: Layout) -> None:
        self.table, self.layout, self.names = table, layout, frozenset(table.column_names)
        self.total: Hashes = np.zeros(table.num_rows, dtype=np.uint64)
        self.keys: Hashes = np.zeros(table.num_rows if layout.key else 0, dtype=np.uint64)
        self.room: Hashes = np.empty(table.num_rows, dtype=np.uint64)
        self.columns: dict[str, ColumnProfile] = {}
        self.cells: dict[str, dict[str, Any]] = {name: {} for name in layout.slices}
        self.encoded: dict[str, Any] = {}
        self.compared = {name for pair in layout.orders for name in pair}
        self.numbers: dict[str, npt.NDArray[Any]] = {}
        self.halves: dict[str, Halves] = {}

    def profile(self) -> Profile:
        layout, rows = self.layout, self.table.num_rows
        self.codes = {name: self._slice_codes(name, values) for name, values in layout.slices.items()}
        for name, reading in self._readings():
            self._take(name, reading)
        hashing.mixed(self.total)
        slices = {
            name: Slices(
                tuple(np.bincount(self.codes[name], minlength=len(values) + 2).tolist()),
                MappingProxyType({column: self.cells[name][column] for column in _crossing(layout, name)}),
            )
            for name, values in layout.slices.items()
        }
        return Profile(
            layout.sha256,
            rows,
            MappingProxyType({name: self.columns[name] for name in layout.cells}),
            Fingerprint.of_rows(self.total) if self.table.num_columns else Fingerprint(rows=rows),
            RowSketch.of(self.keys if layout.key else self.total),
            MappingProxyType(slices),
            tuple(self._order(one, other) for one, other in layout.orders),
            Joint.of([self.halves[name] for name in layout.joint]),
        )

    def _slice_codes(self, name: str, values: tuple[str, ...]) -> npt.NDArray[np.uint8]:
        """The slice of each row: a named value, another one, or missing."""
        missing = len(values) + 1
        column = self.table.column(name) if name in self.table.column_names else pa.chunked_array([], pa.null())
        if pa.types.is_nested(column.type) or pa.types.is_null(column.type) or not len(column):
            return np.full(self.table.num_rows, missing, dtype=np.uint8)
        encoded = pa.concat_arrays(column.dictionary_encode().unify_dictionaries().chunks)
        self.encoded[name] = pa.chunked_array([encoded])
        place = {value: index for index, value in enumerate(values)}
        lookup = [place.get(str(item), len(values)) for item in encoded.dictionary.to_pylist()]
        codes = encoded.indices.cast(pa.int64()).fill_null(len(lookup)).to_numpy()
        return np.asarray(np.array([*lookup, missing], dtype=np.uint8)[codes])

    def _readings(self) -> Iterator[tuple[str, Reading]]:
        names = [*self.layout.cells, *(name for name in self.table.column_names if name not in self.layout.cells)]
        yield from ((name, self._read(name)) for name in names)

    def _read(self, name: str) -> Reading:
        layout = self.layout
        if name in self.encoded:
            values = self.encoded[name]
        elif name in self.names:
            values = self.table.column(name)
        else:
            values = pa.chunked_array([pa.nulls(self.table.num_rows)])
        cells = layout.cells.get(name, _UNKNOWN)
        return Reading.of(
            values,
            cells,
            coded=bool(cells.size and layout.slices),
            halved=name in layout.joint,
            compared=name in self.compared,
            named=name not in layout.personal,
        )

    def _take(self, name: str, reading: Reading) -> None:
        if name in self.names:
            hashes = salted(name, reading.hashes, self.room)
            self.total += hashes
            if name in self.layout.key:
                self.keys += hashes
        if name not in self.layout.cells:
            return
        self.columns[name] = reading.profile
        if reading.halves is not None:
            self.halves[name] = reading.halves
        if name in self.compared:
            gaps = np.full(self.table.num_rows, np.nan)
            self.numbers[name] = gaps if reading.numbers is None else reading.numbers
        if reading.broad is not None and self.layout.cells[name].size:
            for by, codes in self.codes.items():
                if by != name:
                    self.cells[by][name] = crossed(codes, len(self.layout.slices[by]), reading.broad)

    def _order(self, one: str, other: str) -> Order:
        """In how many rows the first is less, equal and greater."""
        first, second = self.numbers[one], self.numbers[other]
        less, equal = int(np.count_nonzero(first < second)), int(np.count_nonzero(first == second))
        if self.columns[one].missing or self.columns[other].missing:
            return less, equal, int(np.count_nonzero(first > second))
        return less, equal, self.table.num_rows - less - equal
