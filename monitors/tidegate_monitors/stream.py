"""Layer 3: slow drift, which no single batch shows, by adding up what each batch says.

For each column, both directions and a few sizes of drift, the evidence is R ← (1 + R)·L with L = exp(λu − λ²/2), where
u is by how many long-run standard deviations the batch's score lies beyond the margin. While nothing drifts L is at
most 1 on average, so R grows by one a batch at most, and the mean of all R reaches A after A batches or later on
average: the average run length. A drift that stays lets R grow exponentially.

Sources: A. N. Shiryaev (1963), Theory of Probability and its Applications 8(1), 22-46; S. W. Roberts (1966),
Technometrics 8(3), 411-430; as a mixture of e-processes J. Shin, A. Ramdas and A. Rinaldo (2023), "E-detectors: a
nonparametric framework for sequential change detection", New England Journal of Statistics in Data Science 2(2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite, log
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.errors import UsageError
from tidegate_monitors.watch import Watch

Floats = npt.NDArray[np.float64]

FORMAT = 1
RATES = (0.5, 1.0)
_SLOWEST = RATES[0]
_HEADROOM = 3.0


@dataclass(frozen=True, slots=True)
class Side:
    """The evidence of one column in one direction.

    Attributes:
        evidence: log(1 + R) for each of ``RATES``; 0 = none.
        rise: A cumulative sum that falls back to 0 while nothing rises.
        since: The batch at which it last left 0; None while it is 0.
        batches: How many batches of this column that is ago, the first and the last counted.
    """

    evidence: tuple[float, ...] = (0.0,) * len(RATES)
    rise: float = 0.0
    since: str | None = None
    batches: int = 0

    def after(self, evidence: Floats, excess: float, cap: float, batch: str) -> Side:
        """The side after one more batch, given its new evidence and its excess over the margin."""
        rise = min(max(0.0, self.rise + _SLOWEST * excess - _SLOWEST**2 / 2), cap)
        if rise <= 0:
            return Side(tuple(evidence.tolist()))
        return Side(tuple(evidence.tolist()), rise, self.since if self.since is not None else batch, self.batches + 1)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"evidence": list(self.evidence), "rise": self.rise, "since": self.since, "batches": self.batches}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Side:
        """Read what :meth:`to_dict` wrote."""
        evidence, rise = tuple(float(number) for number in data["evidence"]), float(data["rise"])
        if len(evidence) != len(RATES) or not all(isfinite(number) and number >= 0 for number in (*evidence, rise)):
            raise ValueError(f"evidence must be {len(RATES)} finite numbers from 0 up")
        return cls(evidence, rise, None if data["since"] is None else str(data["since"]), int(data["batches"]))


@dataclass(frozen=True, slots=True)
class Track:
    """What one column has shown so far.

    Attributes:
        up: Towards more than the reference.
        down: Towards less.
        level: Of the latest batch that had one.
    """

    up: Side = field(default_factory=Side)
    down: Side = field(default_factory=Side)
    level: float | None = None

    @property
    def evidence(self) -> Floats:
        """log(1 + R), shape (2, rates): up, then down."""
        return np.array([self.up.evidence, self.down.evidence])


@dataclass(frozen=True, slots=True)
class Stream:
    """The memory of one dataset's slow drift; it belongs to one reference.

    Attributes:
        reference: The sha256 of the reference.
        tracks: By the name of the column.
        steps: How many batches it has seen.
    """

    reference: str
    tracks: Mapping[str, Track] = field(default_factory=lambda: MappingProxyType({}))
    steps: int = 0

    @classmethod
    def fresh(cls, reference: str) -> Stream:
        """Nothing seen yet."""
        return cls(reference)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": FORMAT,
            "reference": self.reference,
            "steps": self.steps,
            "columns": {
                column: {"up": track.up.to_dict(), "down": track.down.to_dict(), "level": track.level}
                for column, track in self.tracks.items()
            },
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Stream:
        """Read what :meth:`to_dict` wrote.

        Raises:
            UsageError: It is no stream, or of a newer format.
        """
        try:
            if data["format"] > FORMAT:
                raise UsageError("stream of a newer format", found=data["format"], allowed=FORMAT)
            tracks = {
                column: Track(Side.from_dict(item["up"]), Side.from_dict(item["down"]), item["level"])
                for column, item in data["columns"].items()
            }
            return cls(data["reference"], tracks, int(data["steps"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UsageError("this is no stream", found=f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class SlowDrift:
    """A column that has drifted away.

    Attributes:
        column: Its name.
        ratio: Evidence over threshold, both as log(1 + R); above 1.
        direction: 1 for more than the reference, -1 for less.
        since: About when it began: the batch from which on the evidence has risen; None should it have ended.
        batches: How many batches of this column that is ago, the first and the last counted.
        level: Of the latest batch that had one, in the level's own unit.
    """

    column: str
    ratio: float
    direction: int
    since: str | None
    batches: int
    level: float | None


def step(stream: Stream, watch: Watch, levels: Mapping[str, float | None], batch: str) -> Stream:
    """The stream after one more batch; batches come in the order of their windows, each once.

    A stream of another reference is replaced by a fresh one. A column without a level (None or not finite) keeps what
    it has, and so does the whole stream if no column has one.

    Args:
        stream: What was seen before.
        watch: Of the current reference.
        levels: For each column the batch's level, in the unit that the watch was fitted in.
        batch: The batch's id.
    """
    before = stream if stream.reference == watch.reference else Stream.fresh(watch.reference)
    told: dict[str, float] = {}
    for column in watch.gauges:
        level = levels.get(column)
        if level is not None and isfinite(level):
            told[column] = float(level)
    if not told:
        return before
    tracks = {column: before.tracks.get(column, Track()) for column in watch.gauges}
    excess = np.array([watch.gauges[column].excess(level) for column, level in told.items()])
    cap = evidence_cap(watch)
    evidence = advance(np.array([tracks[column].evidence for column in told]), excess, cap)
    for (column, level), sides, (up, down) in zip(told.items(), evidence, excess.tolist(), strict=True):
        track = tracks[column]
        tracks[column] = Track(
            track.up.after(sides[0], up, cap, batch), track.down.after(sides[1], down, cap, batch), level
        )
    return Stream(watch.reference, tracks, before.steps + 1)


def advance(evidence: Floats, excess: Floats, cap: float) -> Floats:
    """One step of all detectors: log(1 + R) becomes log(1 + (1 + R)·L), at most ``cap``.

    Args:
        evidence: Shape (..., 2, rates), 0 or more.
        excess: Standard deviations beyond the margin, shape (..., 2).
        cap: Evidence is kept below it, so that an alarm ends soon after the drift has.
    """
    rates = np.array(RATES)
    grown: Floats = np.minimum(np.logaddexp(0.0, evidence + rates * excess[..., None] - rates**2 / 2), cap)
    return grown


def evidence_cap(watch: Watch) -> float:
    """So high that one detector of a column can alarm alone, and little higher."""
    return watch.threshold + log(2 * len(RATES)) + _HEADROOM


def ratios(stream: Stream, watch: Watch) -> dict[str, float]:
    """For each watched column its evidence over its threshold, from 0 up; above 1 exactly where it alarms."""
    if stream.reference != watch.reference:
        return dict.fromkeys(watch.gauges, 0.0)
    return {column: _log_mean(stream.tracks.get(column, Track()).evidence) / watch.threshold for column in watch.gauges}


def slow_drifts(stream: Stream, watch: Watch) -> Iterator[SlowDrift]:
    """The columns that alarm, in the watch's order."""
    for column, ratio in ratios(stream, watch).items():
        if ratio > 1:
            track = stream.tracks[column]
            up, down = (_log_mean(side) for side in track.evidence)
            direction = 1 if up >= down else -1
            side = track.up if up >= down else track.down
            yield SlowDrift(column, ratio, direction, side.since, side.batches, track.level)


def _log_mean(evidence: Floats) -> float:
    """The log of 1 + the mean of R; never below 0."""
    largest = float(evidence.max())
    return max(0.0, largest + float(np.log(np.exp(evidence - largest).mean())))
