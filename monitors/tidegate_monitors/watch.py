"""What the stream needs to know of a reference: for each column a map to scores, their scale, and a margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log1p, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from tidegate_contracts.errors import UsageError
from tidegate_monitors.long_run import calendar, long_run_sds
from tidegate_monitors.pit import Pit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EFFECT_FLOOR = 0.02
RUN_LENGTH_MINIMUM = 1000
BLOCKS_MINIMUM = 5
EXCESS_MAXIMUM = 4.0
_STANDARD_ERRORS = 3.0
_BEYOND_MARGIN = 0.1


def average_run_length(one_in: int) -> int:
    """The batches between false alarms of the stream, for a budget that single batches share with it.

    One twentieth of the budget's alarms, and never more than one in a thousand batches.

    >>> average_run_length(20), average_run_length(100)
    (1000, 2000)
    """
    return max(RUN_LENGTH_MINIMUM, 20 * one_in)


@dataclass(frozen=True, slots=True)
class Gauge:
    """How one column's level is read.

    Attributes:
        pit: From level to score.
        sd: The long-run standard deviation of scores, at least 1.
        margin: Scores that a shift may have without being counted.
    """

    pit: Pit
    sd: float
    margin: float

    def excess(self, level: float) -> tuple[float, float]:
        """By how many standard deviations the level lies beyond the margin, above and below; bounded both ways.

        One batch, however odd, cannot say more than ``EXCESS_MAXIMUM``: sudden changes are seen elsewhere.
        """
        score = float(self.pit(np.array([level]))[0])
        up, down = ((side * score - self.margin) / self.sd for side in (1, -1))
        return _bounded(up), _bounded(down)


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, fitted once for a reference.

    Attributes:
        reference: The sha256 of the reference.
        gauges: By the name of the column.
        run_length: The average number of batches between two false alarms, at least.
    """

    reference: str
    gauges: Mapping[str, Gauge]
    run_length: float

    @classmethod
    def fit(
        cls,
        reference: str,
        levels: Mapping[str, Floats],
        days: Sequence[date | None],
        *,
        run_length: float = RUN_LENGTH_MINIMUM,
        effect_floor: float | Mapping[str, float] = EFFECT_FLOOR,
        noise: float | Mapping[str, float] = 0.0,
        spacing: float = 1.0,
    ) -> Watch:
        """Learn from the levels of the reference's own blocks.

        A column with fewer than five levels is not watched.

        Args:
            reference: The sha256 of the reference.
            levels: For each column the levels of the blocks in time order, shape (blocks,); NaN where a block has none.
            days: The local day of each block, so that weeks can be told; without them seven blocks are a week.
            run_length: False alarms come this many batches apart or more on average, as far as the blocks show how
                levels wander (a month of blocks that depend strongly on one another shows too little); at least 1.
            effect_floor: A lasting shift smaller than this does not matter; in units of the level, above 0.
            noise: The sampling noise of one level, in its unit, below which no scale falls (for a level in standard
                deviations of n rows 1/sqrt(n)); it only ever makes alarms rarer.
            spacing: Batches that come between two blocks, and one: batches that lie closer than the blocks may be more
                alike than any two of these, so that the scale grows by its root; at least 1.

        Raises:
            UsageError: A number or a length that cannot be meant.
        """
        _require(spacing >= 1 and np.isfinite(spacing), "spacing", spacing, "a finite number from 1 up")
        _require(run_length >= 1 and np.isfinite(run_length), "run_length", run_length, "a finite number from 1 up")
        floors, noises = _each("effect_floor", effect_floor, levels), _each("noise", noise, levels)
        for column in levels:
            _require(0 < floors[column] < np.inf, f"effect_floor of {column!r}", floors[column], "above 0, finite")
            _require(0 <= noises[column] < np.inf, f"noise of {column!r}", noises[column], "0 or more, finite")
        kept = _kept(levels, days)
        pits = {column: Pit.fit(blocks, floors[column]) for column, (blocks, _) in kept.items()}
        scores = [pits[column](blocks) for column, (blocks, _) in kept.items()]
        sds = long_run_sds(scores, [numbers for _, numbers in kept.values()])
        gauges = {}
        for (column, (blocks, _)), sd in zip(kept.items(), sds, strict=True):
            pit = pits[column]
            scale = max(float(sd), noises[column] * pit.slope) * sqrt(spacing)
            gauges[column] = Gauge(pit, scale, _margin(pit, blocks, scale, floors[column], len(kept)))
        return cls(reference, gauges, float(run_length))

    @property
    def threshold(self) -> float:
        """The log of 1 + evidence above which a column alarms.

        The mean of all columns' evidence alarms above the run length, so one column alone needs it times their number.
        """
        return log1p(self.run_length * max(len(self.gauges), 1))


def _kept(levels: Mapping[str, Floats], days: Sequence[date | None]) -> dict[str, tuple[Floats, Ints]]:
    """The finite levels of each column that has enough of them, and the day numbers of those blocks."""
    numbers = calendar(days)
    kept = {}
    for column, values in levels.items():
        array = np.asarray(values, dtype=np.float64)
        _require(array.shape == (len(days),), f"levels of {column!r}", array.shape, f"{(len(days),)}, one a block")
        finite = np.isfinite(array)
        if finite.sum() >= BLOCKS_MINIMUM:
            kept[column] = array[finite], numbers[finite]
    return kept


def _margin(pit: Pit, blocks: Floats, sd: float, effect_floor: float, columns: int) -> float:
    """What the reference's mean may be wrong by, or the effect that does not matter: the larger.

    In one reference of ten at most it is wrong by more for any of its columns; three standard errors at least.
    """
    errors = max(_STANDARD_ERRORS, float(stdtrit(blocks.size - 1, 1 - _BEYOND_MARGIN / 2 / columns)))
    return max(errors * sd / sqrt(blocks.size), pit.shift(effect_floor, blocks))


def _bounded(excess: float) -> float:
    return min(max(excess, -EXCESS_MAXIMUM), EXCESS_MAXIMUM)


def _each(what: str, value: float | Mapping[str, float], columns: Mapping[str, Floats]) -> dict[str, float]:
    if not isinstance(value, Mapping):
        return dict.fromkeys(columns, float(value))
    _require(set(columns) <= set(value), what, f"none for {sorted(set(columns) - set(value))}", "one for each column")
    return {column: float(value[column]) for column in columns}


def _require(sound: bool | np.bool, what: str, found: object, allowed: object) -> None:
    if not sound:
        raise UsageError(f"stream: {what}", found=found, allowed=allowed)
