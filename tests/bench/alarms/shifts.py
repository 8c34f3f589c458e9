"""Shifts of known size in real batches, beside the minimum detectable shift that is printed for a column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import ndtr, ndtri

from tests.bench.alarms.history import History, finite
from tests.bench.alarms.judging import Profiled, exceeding, generator, spread_over
from tests.bench.alarms.plan import Plan
from tidegate_monitors.cells import Kind
from tidegate_monitors.compare import detectable_shifts
from tidegate_monitors.profile import Profile

FACTORS = (0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.1, 3.0, 4.5)
_BLOCKS = 60
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shift:
    """One column of one dataset.

    Attributes:
        dataset: The dataset.
        column: The column.
        how: ``added`` (standard deviations added to each value) or ``scores`` (each value moved along the reference's
            own ranks by so many normal scores).
        printed: The minimum detectable shift that is printed.
        found: The size at which half of the batches were found; None beyond the largest that was tried.
        batches: Batches into which it was put.
    """

    dataset: str
    column: str
    how: str
    printed: float
    found: float | None
    batches: int

    @property
    def ratio(self) -> float | None:
        """Found over printed: 1 where the promise holds."""
        return self.found / self.printed if self.found is not None else None


def shifts(history: History, plan: Plan) -> Iterator[Shift]:
    """The sizes for some numeric columns, against a reference that spans the season."""
    picked = spread_over(len(history.batches), _BLOCKS)
    made = Profiled.of(history, picked)
    reference, rng = made.reference(picked), generator("shifts", history.name)
    printed = detectable_shifts(reference, history.contract, rng)
    others = sorted(set(range(len(history.batches))) - set(picked))
    tests = sorted(rng.choice(others, min(plan.shift_tests, len(others)), replace=False).tolist())
    for column in _columns(made, printed)[: plan.shift_columns]:
        size = printed[column] or 0.0
        pooled = np.sort(np.concatenate([finite(history.batches[i].table.column(column)) for i in picked]))
        quiet = [i for i in tests if column not in _exceeding_columns(made, i, made.history.batches[i].table, picked)]
        for how, move in (("added", _added(pooled)), ("scores", _along_ranks(pooled, rng))):
            factor = _half(made, picked, column, quiet, size, move)
            found = factor * size if factor is not None else None
            yield Shift(history.name, column, how, size, found, len(quiet))


def _columns(made: Profiled, printed: dict[str, float | None]) -> list[str]:
    """Numeric columns with a printed shift, at equal distances over the contract."""
    watched = [
        name
        for name in made.history.watched()
        if made.layout.cells[name].kind is Kind.NUMERIC and (printed.get(name) or 0) > 0
    ]
    step = max(1, len(watched) // 4)
    return [*watched[::step], *[name for index, name in enumerate(watched) if index % step]]


def _exceeding_columns(made: Profiled, number: int, table: Any, picked: Sequence[int]) -> set[str | None]:
    rng = generator("held", made.history.name, number)
    profile = Profile.of(table, made.layout)
    return {item.column for item in exceeding(profile, made.reference(picked), made.history.contract, rng)}


def _half(
    made: Profiled,
    picked: Sequence[int],
    column: str,
    tests: Sequence[int],
    size: float,
    shift: Callable[[float], Callable[[Floats], Floats]],
) -> float | None:
    """The factor of a size at which half of the batches are found, by a line in logarithms between two of the grid."""
    shares: list[tuple[float, float]] = []
    for factor in FACTORS:
        hits = [
            column
            in _exceeding_columns(made, i, moved(made.history.batches[i].table, column, shift(factor * size)), picked)
            for i in tests
        ]
        shares.append((factor, float(np.mean(hits)) if hits else 0.0))
        if shares[-1][1] >= 0.5:
            break
    if not shares or shares[-1][1] < 0.5:
        return None
    if len(shares) == 1:
        return shares[0][0]
    (low, below), (high, above) = shares[-2:]
    weight = (0.5 - below) / (above - below)
    return float(np.exp(np.log(low) * (1 - weight) + np.log(high) * weight))


def moved(table: Any, column: str, move: Callable[[Floats], Floats]) -> Any:
    """The table with the finite values of a column moved; whole numbers become floats, as their cells allow."""
    values = table.column(column).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
    known = np.isfinite(values)
    values[known] = move(values[known])
    place = table.column_names.index(column)
    return table.set_column(place, column, pa.array(values, from_pandas=True))


def _added(pooled: Floats) -> Callable[[float], Callable[[Floats], Floats]]:
    deviation = float(pooled.std())
    return lambda size: lambda values: values + size * deviation


def _along_ranks(pooled: Floats, rng: np.random.Generator) -> Callable[[float], Callable[[Floats], Floats]]:
    """Moves each value to the quantile whose normal score is higher by the size; ties are ranked at random."""

    def by(size: float) -> Callable[[Floats], Floats]:
        def move(values: Floats) -> Floats:
            low, high = (np.searchsorted(pooled, values, side=side) for side in ("left", "right"))
            ranks = (low + rng.random(len(values)) * np.maximum(high - low, 1)) / len(pooled)
            scores = ndtri(np.clip(ranks, 1e-9, 1 - 1e-9)) + size
            found: Floats = pooled[np.minimum((ndtr(scores) * len(pooled)).astype(int), len(pooled) - 1)]
            return found

        return move

    return by
