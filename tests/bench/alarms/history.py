"""A history: the batches of one real dataset in their order, with the contract that they are held against."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from inspect import getmodule, getsource
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import tidegate as tg
from tests.bench.alarms.home import cache
from tidegate_contracts.batch import Batch, Source, Window

Tables = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Origin:
    """One dataset: what it is, and how to come by it.

    Attributes:
        name: Its short name.
        what: What its rows are and what a batch is.
        package: The package that it comes in, with its version.
        licence: Under which terms the data may be used.
        read: Reads the package: a frame in real order, with the batch's id in column ``batch``.
        contract: Makes the contract.
    """

    name: str
    what: str
    package: str
    licence: str
    read: Callable[[], pd.DataFrame]
    contract: Callable[[], tg.Contract]


@dataclass(frozen=True, slots=True)
class History:
    """The batches of a dataset.

    Attributes:
        origin: Where they came from.
        contract: What they are held against, without a budget of its own.
        batches: In real order.
    """

    origin: Origin
    contract: tg.Contract
    batches: tuple[Batch, ...]

    @property
    def name(self) -> str:
        """The dataset's short name."""
        return self.origin.name

    def watched(self) -> tuple[str, ...]:
        """The columns whose drift can be more than information."""
        later, columns = self.contract.later_columns, self.contract.columns
        return tuple(name for name in columns if name not in later and columns[name].drift not in ("info", "off"))

    def changed(self, change: Callable[[Any, int], Any]) -> History:
        """The same history with every table changed; ``change`` gets the table and its number."""
        batches = tuple(
            replace(batch, table=table, delivered=table)
            for batch, table in ((b, change(b.table, number)) for number, b in enumerate(self.batches))
        )
        return replace(self, batches=batches)


def load(origin: Origin) -> History:
    """The history of a dataset, from the bench's cache or made from its package."""
    contract = replace(origin.contract(), alarm_budget=None)
    digest = hashlib.sha256(getsource(getmodule(origin.read) or origin.read).encode()).hexdigest()[:8]
    place = cache("data", f"{origin.name}-{digest}.parquet")  # another reading is another file
    if not place.exists():
        frame = origin.read()
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        partial = place.with_suffix(".partial")
        pq.write_table(table, partial, compression="zstd")
        partial.rename(place)
    tables = _split(pq.read_table(place))
    return History(origin, contract, tuple(_batch(contract, name, table) for name, table in tables))


def _split(table: Any) -> Tables:
    """The rows of each batch, in the order of the file, in which every batch stands in one piece."""
    names = table.column("batch").combine_chunks()
    starts = np.flatnonzero(np.append(True, pc.not_equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)))
    ends = np.append(starts[1:], table.num_rows)
    rows = table.drop_columns(["batch"])
    return [(names[int(a)].as_py(), rows.slice(int(a), int(b - a))) for a, b in zip(starts, ends, strict=True)]


def _batch(contract: tg.Contract, name: str, table: Any) -> Batch:
    return Batch(
        contract.name, name, Source(f"{name}.parquet", ".parquet", "", 0), table, table, window_of(table, contract)
    )


def window_of(table: Any, contract: tg.Contract) -> Window | None:
    """The span of event times in a table."""
    if contract.event_time is None or not table.num_rows:
        return None
    span = pc.min_max(table.column(contract.event_time)).as_py()
    if span["min"] is None:
        return None
    low, high = (moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) for moment in (span["min"], span["max"]))
    return Window(low, high + timedelta(microseconds=1))


def numbered(frame: pd.DataFrame, rows: int) -> Iterable[str]:
    """Ids for batches of so many rows each, in the frame's order."""
    return [f"{number // rows:04d}" for number in range(len(frame))]


def finite(values: Any) -> npt.NDArray[np.float64]:
    """The finite numbers of an Arrow column."""
    numbers = values.drop_null().cast(pa.float64(), safe=False).to_numpy()
    found: npt.NDArray[np.float64] = numbers[np.isfinite(numbers)]
    return found
