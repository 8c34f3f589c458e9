"""What the stream's slow drifts are called and how much they matter."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.long_run import WEEK, WEEKS_MINIMUM
from tidegate_monitors.reference import Reference
from tidegate_monitors.stream import SlowDrift, Stream, slow_drifts
from tidegate_monitors.watch import Watch


def slow_alarms(stream: Stream, watch: Watch, reference: Reference, contract: Contract) -> Iterator[Alarm]:
    """An alarm for each column that has drifted away in small steps.

    A warning; only information while the reference does not span the season, since nobody can tell poisoning from a
    season never seen, while it is shorter than eight weeks, in which batches that resemble their neighbours cannot be
    told from a drift, and for columns whose drift is only information.
    """
    covered, long = reference.season_covered(contract), reference.days >= WEEKS_MINIMUM * WEEK
    drifts = list(slow_drifts(stream, watch))
    for drift in drifts:
        usual = contract.severity_of("slow_poisoning", Severity.WARNING, drift.column)
        severity = usual if covered and long and contract.columns[drift.column].drift != "info" else Severity.INFO
        short = "" if long else f"; the reference spans {reference.days} days, and under {WEEKS_MINIMUM} weeks"
        short += "" if long else " a drift cannot be told from days that resemble their neighbours"
        yield Alarm(
            "slow_poisoning", severity, _sentence(drift) + short, drift.column, score=drift.ratio, threshold=1.0
        )
    if drifts and not covered:
        message = (
            f"season_not_covered: the reference does not span the season that the contract declares "
            f"({contract.season}), so that a slow drift may be a season never seen"
        )
        yield Alarm("season_mistaken", Severity.INFO, message)


def _sentence(drift: SlowDrift) -> str:
    side = "above" if drift.direction > 0 else "below"
    level = "" if drift.level is None else f", now {abs(drift.level):.2g} sd {_side(drift.level)} it"
    since = "" if drift.since is None else f" since batch {drift.since!r}, for {drift.batches} batches"
    return f"column {drift.column!r}: drifting {side} the reference in small steps{since}{level}"


def _side(level: float) -> str:
    return "above" if level > 0 else "below"
