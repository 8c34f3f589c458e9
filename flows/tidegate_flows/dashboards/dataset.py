"""One dataset: what became of its batches, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidegate_flows.dashboards.colours import BAD, GOOD, NOTICE
from tidegate_flows.dashboards.dataset_gate import gate, quarantine
from tidegate_flows.dashboards.dataset_labels import labels
from tidegate_flows.dashboards.dataset_operation import operation
from tidegate_flows.dashboards.dataset_statistics import drift
from tidegate_flows.dashboards.document import Document, Part
from tidegate_flows.dashboards.expression import DATASET as ONE
from tidegate_flows.dashboards.face import NONE_IS_BEST, STATE, STATE_WORDS, Face, Panel
from tidegate_flows.dashboards.panels import number
from tidegate_flows.dashboards.table import Column, table

_SMALL = Face("", "", "Never", width=4, height=4, unit="s", decimals=1)


def dataset() -> Document:
    """The dashboard."""
    text = "One dataset: its breaker, verdicts, quarantine, drift, predictions against labels, and how long it takes."
    parts = (
        Part("Now", [*_numbers(), _promises()]),
        Part("Breaker and verdicts", gate()),
        Part("Quarantine", quarantine()),
        Part("Drift and volume", drift()),
        Part("Predictions and labels", labels()),
        Part("Speed and audit", operation()),
    )
    return Document("tidegate-dataset", "tidegate / Dataset", text, ONE, parts)


def _numbers() -> Sequence[Panel]:
    breaker = replace(
        _SMALL,
        title="Breaker",
        text="Open: nothing is published, unless an override lets good batches pass. Half open: the next batches are a "
        "trial. See the findings, mend the source, then `tidegate breaker probe`.",
        none="Not in this ledger",
        unit="none",
        decimals=0,
        steps=STATE,
        words=STATE_WORDS,
    )
    return [number(breaker, ONE.state()), *_ages(), *_waiting()]


def _ages() -> Sequence[Panel]:
    """How long ago what was."""
    texts = {
        ("Breaker changed", "breaker_last_transition"): "How long ago the breaker last changed its state.",
        ("Last verdict", "batch_last_completed"): "How long ago a batch was last judged, whatever became of it.",
        (
            "Last published",
            "batch_last_published",
        ): "How long ago a batch was last published. Readers have seen nothing newer.",
        ("Newest event", "event_time_max"): "How old the end of the latest published window is.",
        ("Last labels", "label_last"): "How long ago labels last said something new.",
        (
            "The oldest waits for",
            "quarantine_oldest",
        ): "How long the oldest batch in quarantine or held has waited. Decide before the retention ends.",
    }
    return [
        number(replace(_SMALL, title=title, text=text), ONE.age(f"{metric}_timestamp_seconds"))
        for (title, metric), text in texts.items()
    ]


def _waiting() -> Sequence[Panel]:
    due = replace(
        _SMALL,
        title="Next batch",
        text="Until the next batch must be there; below 0 it is overdue: ask the source.",
        none="No cadence is declared",
        steps=((None, BAD), (0, GOOD)),
    )
    over = replace(
        _SMALL,
        title="Override ends in",
        text="Somebody lets batches pass an open breaker until then; who and why is in `tidegate audit show`.",
        none="No override",
        steps=((None, NOTICE),),
    )
    set_aside = replace(
        _SMALL,
        title="In quarantine or held",
        text="Batches that want a decision, and good ones behind them. `tidegate quarantine list` names them.",
        none="Not in this ledger",
        unit="none",
        decimals=0,
        steps=NONE_IS_BEST,
    )
    return [
        number(due, f"{ONE.once('next_batch_due_timestamp_seconds')} - time()"),
        number(set_aside, f"{ONE.once('quarantined_batches')} + {ONE.once('held_batches')}"),
        number(over, f"{ONE.once('override_until_timestamp_seconds')} - time() > 0"),
    ]


def _promises() -> Panel:
    face = Face(
        "What the contract promises",
        "The contract in force. An empty field: not declared, and nothing watches it.",
        "No contract in the ledger",
        width=8,
        height=4,
    )
    return table(
        face,
        Column("Contract", "version"),
        Column("Owner", "owner"),
        Column("Every", ONE.once("expected_interval_seconds"), "s"),
        Column("Arrives within", ONE.once("arrive_within_seconds"), "s"),
        Column("Newest event at most", ONE.once("max_staleness_seconds"), "s"),
        Column("Labels after", ONE.once("label_delay_seconds"), "s"),
        Column("", ONE.once("contract_info", "job, dataset, version, owner"), "none"),
        Column("", "dataset"),
        Column("", "job"),
    )
