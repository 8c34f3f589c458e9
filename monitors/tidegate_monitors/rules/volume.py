"""Too few or too many rows, by what the reference's batches had."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tidegate_contracts.batch import Window
from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.rules import Evidence, rule

_LEVEL = 0.999
_BLOCKS_MINIMUM = 5
_CRITICAL_FACTOR = 2.0


@rule
def volume(evidence: Evidence) -> Iterator[Alarm]:
    """Where the contract says ``volume="learnt"``: rows outside what a batch of the same season would have.

    The interval is that of :func:`interval` at the level .999. Where days of the week differ it is that of the
    weekday on which the batch begins; a batch without event times has to lie outside those of all weekdays. The alarm
    is critical if there are also more than twice or less than half as many rows as the nearest such day has. The score
    is the distance from the middle over half the interval, on the logarithmic scale; the threshold is 1.
    """
    if evidence.contract.volume != "learnt":
        return
    seasons, own = _seasons(evidence), _weekday(evidence.window, evidence.contract)
    wanted = seasons.keys() if own is None else {own}
    groups = [rows for day, rows in seasons.items() if day in wanted and len(rows) >= _BLOCKS_MINIMUM]
    if not groups:
        yield _insufficient()
        return
    spans = [(middle, max(half, 1e-9)) for middle, half in map(interval, groups)]
    place = math.log(evidence.current.rows + 1)
    middle, half = min(spans, key=lambda span: abs(place - span[0]) / span[1])
    score = abs(place - middle) / half
    if score <= 1:
        return
    far = min(abs(place - centre) for centre, _ in spans) > math.log(_CRITICAL_FACTOR)
    least, most = (max(0, round(math.exp(middle + side * half) - 1)) for side in (-1, 1))
    yield Alarm(
        "volume",
        evidence.contract.severity_of("volume", Severity.CRITICAL if far else Severity.WARNING),
        f"the table: {evidence.current.rows} rows; by the reference's batches of its season {least} to {most}",
        score=score,
        threshold=1.0,
    )


def interval(rows: Sequence[int], level: float = _LEVEL) -> tuple[float, float]:
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


def _seasons(evidence: Evidence) -> Mapping[int | None, list[int]]:
    """Rows of the reference's blocks by weekday; in one group where the contract has no season."""
    found: dict[int | None, list[int]] = {}
    for block in evidence.reference.blocks:
        if evidence.contract.season is None or block.window is not None:
            found.setdefault(_weekday(block.window, evidence.contract), []).append(block.profile.rows)
    return found


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
