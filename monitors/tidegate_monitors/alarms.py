"""From comparisons to alarms: one exceedance is information, the same one twice in a row is a warning."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.compare import Comparison

Place = tuple[str | None, str, int]


def alarms(comparisons: Iterable[Comparison], previous: Collection[Place], contract: Contract) -> Iterator[Alarm]:
    """One alarm a column, spoken by the statistic that stands out most.

    Args:
        comparisons: Of the current batch.
        previous: The places that exceeded in the batch before; see :attr:`Comparison.place`.
        contract: Gives severities.
    """
    by_column: dict[tuple[str | None, str], list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.exceeds:
            by_column.setdefault((comparison.column, comparison.check), []).append(comparison)
        elif comparison.check == "insufficient_evidence":
            yield _insufficient(comparison)
    for found in by_column.values():
        confirmed = [item for item in found if item.place in previous]
        yield _alarm(max(confirmed or found, key=lambda item: item.ratio or 0), contract, confirmed=bool(confirmed))


def _alarm(comparison: Comparison, contract: Contract, *, confirmed: bool) -> Alarm:
    severity = Severity.INFO
    if confirmed:
        told_only = comparison.column is not None and contract.columns[comparison.column].drift == "info"
        usual = contract.severity_of(comparison.check, Severity.WARNING, comparison.column)
        severity = Severity.INFO if told_only else usual
    where = f"column {comparison.column!r}" if comparison.column else "the table"
    side = {1: ", above the reference", -1: ", below the reference", 0: ""}[comparison.direction]
    message = (
        f"{where}: {comparison.statistic} {comparison.score:.3g} is {comparison.ratio:.2f} times its threshold "
        f"{comparison.threshold:.3g}{side}{', for the second batch in a row' if confirmed else ''}"
    )
    return Alarm(
        comparison.check, severity, message, comparison.column, score=comparison.score, threshold=comparison.threshold
    )


def _insufficient(comparison: Comparison) -> Alarm:
    return Alarm(
        "insufficient_evidence",
        Severity.INFO,
        f"column {comparison.column!r}: no value in this batch that could be compared",
        comparison.column,
        kind="insufficient_evidence",
    )
