"""By how much a counter grew, for rules and dashboards alike.

Counters live in the ledger: they neither start at zero nor reset when an exporter restarts or moves, and a batch a day
is too few for ``rate`` and ``increase``. So a counter now is compared with what it was when the window began, whichever
exporter said so. Where nobody said anything then, it counts

* from zero, if its ledger could be read before the series was there: the series is new;
* else from the least of the window: Prometheus or the exporter is new, and the ledger is not.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate_flows.alert_rules.promql import BY, MEMORY, indented

LABELS: Mapping[str, tuple[str, ...]] = {
    "batches_total": ("decision",),
    "findings_total": ("check", "severity"),
    "breaker_transitions_total": ("to",),
    "shadow_batches_total": ("would",),
    "label_rows_total": ("outcome",),
    "monitor_errors_total": ("monitor",),
    "batch_duration_seconds_bucket": ("le",),
    "stage_duration_seconds_sum": ("stage",),
    "stage_duration_seconds_count": ("stage",),
}
"""By counter its labels beside the dataset."""


def growth(counter: str, window: str, step: str, *, where: str = "", ledgers: str = "") -> str:
    """By how much a counter grew in a window, by job, dataset and its own labels; 0 where it shrank.

    Args:
        counter: Its name, without ``tidegate_``.
        window: How long, such as ``1d``.
        step: How far apart moments of the window are looked at, such as ``5m``; no more than ``MEMORY``.
        where: Matchers of the counter.
        ledgers: Matchers of ``tidegate_ledger_up``.
    """
    series, up = _selector(counter, where), _selector("ledger_up", ledgers)
    keys = ", ".join(("job", "dataset", *LABELS.get(counter, ())))
    now = f"max by ({keys}) (last_over_time({series}[{MEMORY}]))"
    readable = f"min_over_time(timestamp(max by (job) ({up}) == 1)[{window}:{step}] offset {step})"
    return (
        f"clamp_min(\n  {now}\n  - (\n"
        f"    max by ({keys}) (last_over_time({series}[{MEMORY}] offset {window}))\n"
        f"  or\n    0 * {now}\n"
        f"    and on (job) {readable}\n"
        f"    unless min_over_time(timestamp(max by ({keys}) ({series}))[{window}:{step}])\n"
        f"      <= on (job) group_left () {readable}\n"
        f"  or\n    min by ({keys}) (min_over_time({series}[{window}:{step}]))\n"
        "  ), 0\n)"
    )


def grown(counter: str, window: str, step: str = "5m", *, where: str = "", by: str = BY) -> str:
    """Where a counter grew in a window, and by how much."""
    return f"max by ({by}) (\n{indented(growth(counter, window, step, where=where))}\n) > 0"


def _selector(name: str, matchers: str) -> str:
    return f"tidegate_{name}{{{matchers}}}" if matchers else f"tidegate_{name}"
