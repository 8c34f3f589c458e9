"""One cause, one finding: what one alarm has explained is listed under it and not reported again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tidegate_monitors.alarm import Alarm

_LATE = ("slow_poisoning", "reference_contamination", "joint_drift")
_DISTRIBUTIONAL = frozenset({"drift", "prediction_drift", *_LATE, "insufficient_evidence"})
"""What says only that a distribution is another one: any more exact word for the same column explains it."""

_EXPLAINS: Mapping[str, frozenset[str]] = {
    "missingness_jump": frozenset({"missingness_by_slice"}),
    **dict.fromkeys(
        ("zero_variance", "unit_change", "category_change"),
        frozenset({"garbage_values", "outlier_burst"}),
    ),
    "swapped_columns": frozenset({"garbage_values", "outlier_burst", "unit_change", "category_change"}),
    "class_collapse": frozenset({"garbage_values", "outlier_burst", "zero_variance", "threshold_unreached"}),
    "lost_predictions": frozenset({"missingness_jump", "missingness_by_slice"}),
    "threshold_unreached": frozenset({"garbage_values", "outlier_burst", "unit_change"}),
    "lost_segment": frozenset({"volume", "missingness_by_slice", "category_change"}),
    "non_finite": frozenset({"outlier_burst"}),
}
"""Rules that explain what other rules find in the same column."""


def fold(rules: Iterable[Alarm], drifts: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """The rules' alarms, then the drift that no rule explains, each with what it explains folded into it.

    A rule explains the drift of its columns. Of drift that is left, the worst of a column explains the rest of it,
    and a change of the relation of two columns is explained by drift of either.
    """
    hosts: list[tuple[Alarm, list[Alarm]]] = []
    for alarm in rules:
        _place(hosts, alarm)
    exact = tuple(host for host, _ in hosts)
    for alarm in sorted(drifts, key=_order):
        _place(hosts, alarm, exact)
    return tuple(_absorb(alarm, folded) for alarm, folded in hosts)


def _order(drift: Alarm) -> int:
    """Whole columns first, then their slices, then what comes slowly, then how columns hang together."""
    return 2 + _LATE.index(drift.check) if drift.check in _LATE else int(drift.slice is not None)


def _place(hosts: list[tuple[Alarm, list[Alarm]]], alarm: Alarm, exact: tuple[Alarm, ...] | None = None) -> None:
    """Put an alarm under the first that explains it, or make it one of its own that takes what it explains.

    ``exact`` are the rules' alarms, once it is the turn of drift.
    """
    for host, folded in hosts:
        if _explains(host, alarm, exact is None or any(host is rule for rule in exact)):
            folded.append(alarm)
            return
    mine = [item for item in hosts if exact is None and _explains(alarm, item[0], True)]
    for item in mine:
        hosts.remove(item)
    hosts.append((alarm, [inner for host, folded in mine for inner in (host, *folded)]))


def _explains(host: Alarm, other: Alarm, exact: bool) -> bool:
    """Whether an alarm, of a rule (``exact``) or of drift, says all that another one says."""
    if host.kind == "insufficient_evidence":
        return False
    ours, theirs = _columns(host), _columns(other)
    if other.check in _EXPLAINS.get(host.check, ()):
        return other.check == "volume" or bool(ours & theirs)
    if other.check in _DISTRIBUTIONAL and ours & theirs:
        return exact or (host.check in _DISTRIBUTIONAL and _order(host) < _order(other))
    return host.check == other.check and ours == theirs and host.slice == other.slice


def _columns(alarm: Alarm) -> frozenset[str]:
    """The columns that an alarm is about; of a lost slice also the one that makes the slices."""
    by = alarm.slice.partition("=")[0] if alarm.slice and alarm.check == "lost_segment" else None
    return frozenset(name for name in (alarm.column, by, *alarm.columns) if name)


def _absorb(alarm: Alarm, folded: list[Alarm]) -> Alarm:
    """An alarm with what it explains; never milder than what it hides."""
    checks = {item.check for item in folded} | {check for item in folded for check in item.folded}
    severity = max([alarm, *folded], key=lambda item: item.severity.rank).severity
    return replace(alarm, folded=tuple(sorted(checks - {alarm.check})), severity=severity)
