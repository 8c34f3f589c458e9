"""How long a dataset's batches take, and its audit."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate_flows.dashboards.colours import QUANTILES, STAGES
from tidegate_flows.dashboards.expression import DATASET as ONE
from tidegate_flows.dashboards.face import Face, Panel
from tidegate_flows.dashboards.panels import lines
from tidegate_flows.dashboards.question import Question
from tidegate_flows.dashboards.table import Column, table

_WEEK = "7d"


def operation() -> Sequence[Panel]:
    """Speed and audit."""
    return [_durations(), _stages(), *_audit()]


def _durations() -> Panel:
    face = Face(
        "Seconds from arrival to verdict",
        "Of the batches of the seven days before each point, from the buckets of a histogram, so about. Climbing with "
        "the rows is usual; climbing without: see the stages.",
        "No batch in the last seven days",
        "s",
        low=0,
        interval="6h",
        colours=QUANTILES,
    )
    buckets = ONE.growth("batch_duration_seconds_bucket", "le", _WEEK)
    return lines(
        face,
        Question(f"histogram_quantile(0.5, {buckets})", "median"),
        Question(f"histogram_quantile(0.95, {buckets})", "95 %", name="B"),
    )


def _stages() -> Panel:
    face = Face(
        "Seconds a batch by stage",
        "The mean of the seven days before each point. The stage that grows is where to look: decode is the file, "
        "check the contract, compare the reference, commit the store.",
        "No batch in the last seven days",
        "s",
        low=0,
        interval="6h",
        colours=STAGES,
    )
    spent = ONE.growth("stage_duration_seconds_sum", "stage", _WEEK)
    times = ONE.growth("stage_duration_seconds_count", "stage", _WEEK)
    return lines(face, Question(f"{spent} / ({times} > 0)", "{{stage}}"))


def _audit() -> Sequence[Panel]:
    entries = Face(
        "Entries in the audit",
        "It only ever grows. A step down: the ledger was restored, replaced or cut; run `tidegate audit verify`.",
        "Not in this ledger",
        decimals=0,
        height=8,
        width=4,
        colours={"entries": "#0072B2"},
    )
    head = Face(
        "The audit's last hash",
        "Keep it elsewhere: `tidegate audit verify` tells whether the audit still ends in it.",
        "The audit is empty",
        width=4,
    )
    return [
        lines(entries, Question(ONE.last("audit_entries"), "entries")),
        table(
            head,
            Column("SHA-256", "sha256"),
            Column("", ONE.once("audit_head_info", "sha256"), "none"),
        ),
    ]
