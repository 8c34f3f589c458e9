"""From comparisons to alarms: one exceedance is information, the same one twice in a row is a warning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.compare import ROWS_MINIMUM
from tidegate_monitors.comparison import Comparison, Place
from tidegate_monitors.effect import effect

Carriers = Mapping[str, tuple[str, float]]


def alarms(
    comparisons: Iterable[Comparison],
    previous: Mapping[Place, str | None],
    contract: Contract,
    carriers: Carriers | None = None,
) -> Iterator[Alarm]:
    """One alarm a column and slice, spoken by the statistic that stands out most.

    Args:
        comparisons: Of the current batch.
        previous: The places that exceeded in the batch before and since when; see :attr:`Comparison.place`.
        contract: Gives severities and the least effect that matters.
        carriers: By column the slice that carries most of a shift, and the share that it carries.
    """
    by_column: dict[tuple[str | None, str | None, str], list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.exceeds:
            by_column.setdefault((comparison.column, comparison.slice, comparison.check), []).append(comparison)
        elif comparison.check == "insufficient_evidence":
            yield _insufficient(comparison)
    for found in by_column.values():
        confirmed = [item for item in found if item.place in previous]
        loudest = max(confirmed or found, key=lambda item: item.ratio or 0)
        carrier = (carriers or {}).get(loudest.column or "")
        matters = any(effect(item) >= contract.effect_floor_of(item.column) for item in confirmed or found)
        yield _alarm(loudest, contract, previous.get(loudest.place), carrier, bool(confirmed), matters)


def _alarm(
    comparison: Comparison,
    contract: Contract,
    since: str | None,
    carrier: tuple[str, float] | None,
    confirmed: bool,
    matters: bool,
) -> Alarm:
    severity = Severity.INFO
    if confirmed and matters:
        told_only = comparison.column is not None and contract.columns[comparison.column].drift == "info"
        usual = contract.severity_of(comparison.check, Severity.WARNING, comparison.column)
        severity = Severity.INFO if told_only else usual
    return Alarm(
        comparison.check,
        severity,
        _sentence(comparison, since, carrier, confirmed=confirmed, matters=matters),
        comparison.column,
        comparison.slice,
        score=comparison.score,
        threshold=comparison.threshold,
        columns=comparison.columns,
    )


def _sentence(
    comparison: Comparison,
    since: str | None,
    carrier: tuple[str, float] | None,
    *,
    confirmed: bool,
    matters: bool,
) -> str:
    where = f"column {comparison.column!r}" if comparison.column else "the table"
    where += f" in {comparison.slice}" if comparison.slice else ""
    about = f" of {' and '.join(map(repr, comparison.columns))}" if comparison.columns else ""
    sign = "-" if comparison.direction < 0 else ""
    side = {1: ", above the reference", -1: ", below the reference", 0: ""}[comparison.direction]
    parts = [
        f"{where}: {comparison.statistic}{about} {sign}{comparison.score:.3g} is {comparison.pinned:.2f} times its "
        f"threshold {comparison.threshold:.3g}{side}"
    ]
    if comparison.latest is not None:
        parts.append(f"{comparison.latest:.2f} times that of the latest batches")
    if carrier is not None and comparison.slice is None:
        parts.append(f"{carrier[1]:.0%} of it in {carrier[0]}")
    if confirmed:
        parts.append("for the second batch in a row" if since is None else f"in every batch since {since!r}")
    if not matters:
        parts.append("less than the contract's effect_floor")
    return ", ".join(parts)


def _insufficient(comparison: Comparison) -> Alarm:
    where = "the table" if comparison.column is None else f"column {comparison.column!r}"
    return Alarm(
        "insufficient_evidence",
        Severity.INFO,
        f"{where}: fewer than {ROWS_MINIMUM} values in this batch, too few to be compared",
        comparison.column,
        kind="insufficient_evidence",
    )
