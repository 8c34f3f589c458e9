"""What became of a dataset's batches: breaker, verdicts, findings, quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate_flows.dashboards.colours import BAD, DECISIONS, NEUTRAL, SEVERITIES, STATES
from tidegate_flows.dashboards.expression import DATASET as ONE
from tidegate_flows.dashboards.face import STATE, STATE_WORDS, Face, Panel
from tidegate_flows.dashboards.panels import bars, lines, timeline
from tidegate_flows.dashboards.question import Question

_MIDNIGHT = "Today's bar comes at midnight."


def gate() -> Sequence[Panel]:
    """Breaker and verdicts."""
    breaker = Face(
        "Breaker",
        "The breaker over time, the worst of each stretch. Open: nothing is published, unless an override lets good "
        "batches pass (the orange lines). Half open: a trial of the next batches decides.",
        "Not in this ledger",
        unit="none",
        steps=STATE,
        words=STATE_WORDS,
        width=24,
        height=4,
    )
    return [timeline(breaker, Question(ONE.state("$__interval"), "{{dataset}}")), *_verdicts(), *_others()]


def _verdicts() -> Sequence[Panel]:
    decisions = Face(
        "Batches by decision and day",
        f"What became of the batches of each day. {_MIDNIGHT} Quarantine: see which checks found something beside it.",
        "No batch in this time",
        colours=DECISIONS,
        decimals=0,
        low=0,
    )
    findings = Face(
        "Findings by check and day",
        "Which checks found something, and how severe it was. Critical ones stop a batch; a warning day after day is a "
        f"source that changes. {_MIDNIGHT}",
        "Nothing was found in this time",
        decimals=0,
        low=0,
    )
    last = Face(
        "Findings in the last batch",
        "How many findings the latest batch had, by severity. The batch's report tells each.",
        "No batch yet",
        decimals=0,
        low=0,
        colours=SEVERITIES,
    )
    return [
        bars(decisions, Question(ONE.growth("batches_total", "decision"), "{{decision}}")),
        bars(findings, Question(f"{ONE.growth('findings_total', 'check, severity')} > 0", "{{check}} ({{severity}})")),
        lines(last, Question(ONE.highest("batch_findings", "severity"), "{{severity}}")),
    ]


def _others() -> Sequence[Panel]:
    changes = Face(
        "Changes of the breaker and overrides by day",
        "Back and forth: the trial is too short, or the source mended by half. Overrides are for exceptions.",
        "No batch in this time",
        decimals=0,
        low=0,
        height=6,
        colours={**STATES, "override": "#CC79A7"},
    )
    shadow = Face(
        "What would have become of batches in shadow",
        "While the contract says `shadow`, batches are only watched. When this shows what you expect, take shadow "
        "away.",
        "No batch in shadow in this time",
        decimals=0,
        low=0,
        height=6,
        colours=DECISIONS,
    )
    ours = Face(
        "Our own failures by day",
        "Monitors that raised, and batches published unverified because of it. Not the data's fault: see the logs.",
        "No batch in this time",
        decimals=0,
        low=0,
        height=6,
        colours={"unverified": BAD},
    )
    return [
        bars(
            changes,
            Question(ONE.growth("breaker_transitions_total", "to"), "{{to}}"),
            Question(ONE.growth("overrides_total", "dataset"), "override", name="B"),
        ),
        bars(shadow, Question(ONE.growth("shadow_batches_total", "would"), "{{would}}")),
        bars(
            ours,
            Question(ONE.growth("monitor_errors_total", "monitor"), "{{monitor}}"),
            Question(ONE.growth("unverified_batches_total", "dataset"), "unverified", name="B"),
        ),
    ]


def quarantine() -> Sequence[Panel]:
    """What waits for somebody."""
    batches = Face(
        "Batches in quarantine and held",
        "Steps down are releases, replays and discards. Only up: nobody looks. `tidegate quarantine list` names them.",
        "Not in this ledger",
        decimals=0,
        low=0,
        colours={"in quarantine": DECISIONS["quarantine"], "held": DECISIONS["hold"]},
    )
    age = Face(
        "The oldest that waits",
        "How long the oldest batch has waited for a decision. It climbs until somebody decides.",
        "Nothing waits",
        "s",
        low=0,
    )
    rows = Face(
        "Rows by day",
        "Rows delivered, and how many of them were set aside or refused. A few each day: a source that is not quite "
        "right.",
        "No batch in this time",
        decimals=0,
        low=0,
        colours={"kept": NEUTRAL, "set aside or refused": BAD},
    )
    aside = ONE.growth("rows_quarantined_total", "dataset")
    return [
        lines(
            batches,
            Question(ONE.highest("quarantined_batches"), "in quarantine"),
            Question(ONE.highest("held_batches"), "held", name="B"),
        ),
        lines(age, Question(ONE.age("quarantine_oldest_timestamp_seconds"), "oldest")),
        bars(
            rows,
            Question(f"{ONE.growth('rows_total', 'dataset')} - {aside}", "kept"),
            Question(aside, "set aside or refused", name="B"),
        ),
    ]
