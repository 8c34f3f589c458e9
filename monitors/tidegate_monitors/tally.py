"""A tally: what is summed of predictions and labels, by slice and bucket. Everything said of labels is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SLICES_MAXIMUM = 32
OTHERS = "(others)"


class Sum(IntEnum):
    """What is summed; those from ``N`` on over the rows that have a prediction and a label."""

    ROWS = 0
    """Rows with a prediction."""
    SETTLED = 1
    """Those of which it is known what came true, or that nothing will."""
    SCORED = 2
    """Their predictions, with or without a label."""
    N = 3
    """Rows with a label too."""
    P = 4
    """Predictions."""
    Y = 5
    """Labels."""
    PP = 6
    """Squared predictions."""
    YY = 7
    """Squared labels."""
    PY = 8
    """Products of the two."""
    ERROR = 9
    """Absolute differences of the two."""
    CALLS = 10
    """Rows whose prediction reaches the decision threshold."""
    HITS = 11
    """The labels of those."""
    RAW = 12
    """Scores before the calibrator; predictions where there is none."""
    SIMPLE = 13
    """What the simpler rule predicts; 0 where there is none."""
    SIMPLE_SQUARED = 14
    """Squared differences of the simpler rule and the label."""
    DIFFERENCE = 15
    """Predictions less labels, row by row: sums of large numbers would lose what they differ by."""
    SQUARED = 16
    """Squared differences of the two."""


WIDTH = len(Sum)
HUGE = 1e60
"""Numbers beyond are as good as missing: the squares of their sums, and the squares of those, would be infinite."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums over some rows, mergeable by addition.

    Attributes:
        names: The slices, ``column=value``, in order; rows of the table after the first.
        table: Sums of all rows, then of each slice; shape (slices + 1, buckets, 17), see :class:`Sum`.
    """

    names: tuple[str, ...]
    table: Floats

    @classmethod
    def empty(cls, buckets: int) -> Tally:
        """No rows."""
        return cls((), np.zeros((1, buckets, WIDTH)))

    @classmethod
    def of(cls, rows: Rows, edges: Sequence[float], known: Mapping[str, Sequence[str]] | None = None) -> Tally:
        """Of some rows.

        Args:
            rows: What is known of each.
            edges: The inner edges of the buckets, ascending; bucket ``i`` is ``edges[i-1] < p <= edges[i]``.
            known: By slicing column the values that have a slice of their own; None lets the commonest 32 have one.
        """
        kept = np.flatnonzero(summable(rows.prediction))
        bucket = np.searchsorted(np.asarray(edges, dtype=np.float64), rows.prediction[kept], side="left")
        weights = rows.weights()[kept]
        size = len(edges) + 1
        tables: list[Floats] = [_summed(bucket, weights, size)]
        names: list[str] = []
        for column, values in rows.slices.items():
            chosen = values[kept]
            for value, mine in _split(chosen, known.get(column) if known is not None else None):
                names.append(f"{column}={value}")
                tables.append(_summed(bucket[mine], weights[mine], size))
        order = sorted(range(len(names)), key=lambda index: names[index])
        table = np.stack([tables[0], *(tables[index + 1] for index in order)])
        return cls(tuple(names[index] for index in order), table)

    def __add__(self, other: Tally) -> Tally:
        names, tables = stack([self, other])
        return Tally(names, tables.sum(axis=0))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and self.names == other.names and np.array_equal(self.table, other.table)

    @property
    def buckets(self) -> int:
        """How many there are."""
        return int(self.table.shape[1])

    @property
    def overall(self) -> Floats:
        """The sums of all rows, shape (17,)."""
        found: Floats = self.table[0].sum(axis=0)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; floats survive as their shortest repr."""
        return {"slices": list(self.names), "table": self.table.tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Tally:
        """Read what :meth:`to_dict` wrote."""
        return cls(tuple(data["slices"]), np.asarray(data["table"], dtype=np.float64).reshape(-1, *_shape(data)))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Scored rows with what is known of their labels; every array has shape (rows,). Numbers beyond 1e60 are missing.

    Attributes:
        prediction: NaN where there is none.
        label: NaN where there is none, or none yet.
        settled: Whether it is known what came true, or that nothing will.
        slices: By slicing column the value of each row, as text.
        calls: Whether the prediction reaches the decision threshold.
        raw: The score before the calibrator; None where there is no calibrator.
        simple: What a simpler rule predicts; None where there is none.
    """

    prediction: Floats
    label: Floats
    settled: npt.NDArray[np.bool_]
    slices: Mapping[str, npt.NDArray[Any]]
    calls: npt.NDArray[np.bool_]
    raw: Floats | None = None
    simple: Floats | None = None

    def weights(self) -> Floats:
        """What each row adds to each sum, shape (rows, 17)."""
        p = np.where(summable(self.prediction), self.prediction, 0.0)
        has = summable(self.label) & summable(self.prediction)
        y = np.where(has, self.label, 0.0)
        on = has.astype(np.float64)
        q = p * on
        raw = q if self.raw is None else np.where(summable(self.raw), self.raw, 0.0) * on
        simple = np.zeros_like(q) if self.simple is None else np.where(summable(self.simple), self.simple, 0.0) * on
        columns = (
            np.ones_like(p), self.settled.astype(np.float64), p, on, q, y, q * q, y * y, q * y, np.abs(q - y),
            self.calls * on, self.calls * y, raw, simple, (simple - y) ** 2, q - y, (q - y) ** 2,
        )  # fmt: skip
        return np.stack(columns, axis=1)


def summable(values: Floats) -> npt.NDArray[np.bool_]:
    """Where there is a number that can be summed."""
    found: npt.NDArray[np.bool_] = np.abs(values) <= HUGE
    return found


def stack(tallies: Iterable[Tally]) -> tuple[tuple[str, ...], Floats]:
    """Tallies under one another: all their slices, and their tables of shape (tallies, slices + 1, buckets, 17)."""
    found = list(tallies)
    names = tuple(sorted({name for item in found for name in item.names}))
    place = {name: index + 1 for index, name in enumerate(names)}
    table = np.zeros((len(found), len(names) + 1, found[0].buckets if found else 1, WIDTH))
    for index, item in enumerate(found):
        table[index, [0, *(place[name] for name in item.names)]] = item.table
    return names, table


def _summed(bucket: npt.NDArray[np.intp], weights: Floats, buckets: int) -> Floats:
    sums = [np.bincount(bucket, weights[:, index], minlength=buckets) for index in range(WIDTH)]
    return np.stack(sums, axis=1)


def _split(values: npt.NDArray[Any], known: Sequence[str] | None) -> list[tuple[str, npt.NDArray[np.intp]]]:
    """The positions of each value's rows; values without a slice of their own share one."""
    found, codes = np.unique(values.astype(str), return_inverse=True)
    counts = np.bincount(codes, minlength=found.size)
    own = set(found[np.lexsort((found, -counts))][:SLICES_MAXIMUM].tolist()) if known is None else set(known)
    own.discard(OTHERS)  # a value of that name is one of them
    parts = [(str(value), np.flatnonzero(codes == index)) for index, value in enumerate(found) if value in own]
    rest = np.flatnonzero(~np.isin(found, list(own))[codes]) if found.size else np.zeros(0, dtype=np.intp)
    return [*parts, (OTHERS, rest)] if rest.size else parts


def _shape(data: dict[str, Any]) -> tuple[int, int]:
    return len(data["table"][0]), WIDTH
