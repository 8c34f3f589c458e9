"""Too few or too many rows, in all or in a slice, by what the reference's batches had."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.batch import Window
from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.rules import Evidence, rule

Rows = npt.NDArray[np.int64]

_LEVEL = 0.999
_BLOCKS_MINIMUM = 5
_CRITICAL_FACTOR = 2.0
_SLICE_ROWS_MINIMUM = 20
_LOGARITHM_MAXIMUM = 43.0


@rule
def volume(evidence: Evidence) -> Iterator[Alarm]:
    """Where the contract says ``volume="learnt"``: rows outside what a batch of the same season would have.

    The interval is that of :func:`interval` at the level .999. Where days of the week differ it is that of the
    weekday on which the batch begins; a batch without event times has to lie outside those of all weekdays. The alarm
    is critical if there are also more than twice or less than half as many rows as the nearest such day has. The score
    is the distance from the middle over half the interval, on the logarithmic scale; the threshold is 1.

    If the table lies inside, each slice is held against its own interval, at a level that all slices together keep, and
    the worst is told. Half of it is never less than what independent rows would do, the normal quantile over the root
    of the usual rows. A slice that would have fewer than 20 rows is not judged.
    """
    if evidence.contract.volume != "learnt":
        return
    groups = _seasons(evidence)
    if not groups:
        yield _insufficient()
        return
    rows = evidence.reference.rows()
    place = _place(evidence.current.rows, [rows[group] for group in groups], _LEVEL)
    if place.score > 1:
        yield _alarm(evidence, "the table", evidence.current.rows, place)
    else:
        yield from _slices(evidence, groups)


def _slices(evidence: Evidence, groups: Sequence[Rows]) -> Iterator[Alarm]:
    """The slice that lies outside its interval by most."""
    judged: list[tuple[str, int, list[Rows]]] = []
    for by, values in evidence.reference.layout.slices.items():
        known = evidence.reference.slice_rows(by)
        now = evidence.current.slices[by].rows
        for index, value in enumerate(values):
            seasons = [known[group, index] for group in groups]
            if min(float(np.median(rows)) for rows in seasons) >= _SLICE_ROWS_MINIMUM:
                judged.append((f"{by}={value}", now[index], seasons))
    level = 1 - (1 - _LEVEL) / max(len(judged), 1)
    places = [_place(rows, seasons, level, independent=True) for _, rows, seasons in judged]
    outside = sorted((index for index in range(len(places)) if places[index].score > 1), key=lambda i: -places[i].score)
    if outside:
        name, rows, _ = judged[outside[0]]
        others = f", and {len(outside) - 1} more of {len(judged)} slices are outside theirs" if outside[1:] else ""
        yield _alarm(evidence, f"slice {name}", rows, places[outside[0]], name, others)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number of rows lies.

    Attributes:
        score: Its distance from the nearest interval's middle over half that interval, of logarithms.
        least: The least number of rows inside.
        most: The greatest.
        far: Whether it is more than twice or less than half of what every season has.
    """

    score: float
    least: int
    most: int
    far: bool


def _place(rows: int, seasons: Sequence[Rows], level: float, *, independent: bool = False) -> _Place:
    place = math.log(rows + 1)
    spans = [_span(season, level, independent=independent) for season in seasons]
    middle, half = min(spans, key=lambda span: abs(place - span[0]) / span[1])
    least, most = (max(0, round(math.exp(min(middle + side * half, _LOGARITHM_MAXIMUM)) - 1)) for side in (-1, 1))
    far = min(abs(place - centre) for centre, _ in spans) > math.log(_CRITICAL_FACTOR)
    return _Place(abs(place - middle) / half, least, most, far)


def _span(rows: Rows, level: float, *, independent: bool) -> tuple[float, float]:
    """The middle of the interval and half its width, above zero."""
    from scipy.special import ndtri

    middle, half = interval(rows, level)
    least = float(ndtri((1 + level) / 2)) * math.exp(-middle / 2) if independent else 0.0
    return middle, max(half, least, 1e-9)


def _alarm(evidence: Evidence, what: str, rows: int, place: _Place, name: str | None = None, others: str = "") -> Alarm:
    return Alarm(
        "volume",
        evidence.contract.severity_of("volume", Severity.CRITICAL if place.far else Severity.WARNING),
        f"{what}: {rows} rows; by the reference's batches of its season {place.least} to {place.most}{others}",
        slice=name,
        score=place.score,
        threshold=1.0,
    )


def interval(rows: Sequence[int] | Rows, level: float = _LEVEL) -> tuple[float, float]:
    """The prediction interval of ln(rows + 1) of one more batch: its middle and half its width.

    mean ± t(n − 1, (1 + level) / 2) · s · √(1 + 1/n), for batches whose logarithms are normal. Source: W. Q. Meeker,
    G. J. Hahn and L. A. Escobar (2017), "Statistical Intervals", section 4.8.

    Args:
        rows: Rows of at least two batches.
        level: The probability that the next batch lies inside, in (0, 1).

    >>> middle, half = interval([90, 95, 100, 105, 110], 0.95)
    >>> round(float(np.exp(middle - half) - 1)), round(float(np.exp(middle + half) - 1))
    (78, 127)
    """
    from scipy.special import stdtrit

    logs = np.log(np.asarray(rows, dtype=np.float64) + 1)
    spread = float(logs.std(ddof=1)) * math.sqrt(1 + 1 / len(logs))
    return float(logs.mean()), float(stdtrit(len(logs) - 1, (1 + level) / 2)) * spread


def _seasons(evidence: Evidence) -> list[Rows]:
    """The places of the reference's blocks that a batch of its weekday is held against, a group a weekday.

    All weekdays for a batch without event times, and all blocks in one group where the contract has no season.
    """
    found: dict[int | None, list[int]] = {}
    for index, block in enumerate(evidence.reference.blocks):
        if evidence.contract.season is None or block.window is not None:
            found.setdefault(_weekday(block.window, evidence.contract), []).append(index)
    own = _weekday(evidence.window, evidence.contract)
    wanted = found.keys() if own is None else {own}
    return [np.array(group) for day, group in found.items() if day in wanted and len(group) >= _BLOCKS_MINIMUM]


def _weekday(window: Window | None, contract: Contract) -> int | None:
    """The weekday on which a window begins; None where there is none, or where days of the week do not differ."""
    if window is None or contract.season is None:
        return None
    return window.start.astimezone(contract.zone).weekday()


def _insufficient() -> Alarm:
    return Alarm(
        "insufficient_evidence",
        Severity.INFO,
        f"volume='learnt': the reference has fewer than {_BLOCKS_MINIMUM} batches of any season to learn from",
        kind="insufficient_evidence",
    )
