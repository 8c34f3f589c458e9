"""The metrics as pure families: what is exported, computed from a snapshot of the ledger."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from tidegate_contracts.severity import Severity
from tidegate_monitors.breaker import Decision, State
from tidegate_monitors.metric_family import Distribution, Family, Histogram, Labels
from tidegate_monitors.metrics_snapshot import Dataset, Snapshot

SERIES_MAXIMUM = 2000
LABEL_OUTCOMES = (
    "matched",
    "unknown",
    "duplicates",
    "conflicting_labels",
    "set_aside",
    "reversed",
    "early",
    "refused",
)
"""What becomes of the rows of a delivery of labels; reversed and early ones are matched too."""
STAGES = ("stage", "decode", "check", "profile", "compare", "commit")
"""The stages of a batch's way, in their order: the delivery is copied and hashed; decoded to the contract's types; held
against the contract; profiled; compared with what it is held against and with what came before; decided on and written
down. What is moved after the commit is in none of them."""
DURATION_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""The buckets of a batch's seconds."""

COUNTERS: Mapping[str, tuple[str, Labels]] = {
    "batches": ("Decisions on batches.", ("dataset", "decision")),
    "rows": ("Rows delivered.", ("dataset",)),
    "rows_quarantined": ("Rows set aside or refused.", ("dataset",)),
    "findings": ("Findings in verdicts.", ("dataset", "check", "severity")),
    "breaker_transitions": ("Changes of the breaker's state.", ("dataset", "to")),
    "overrides": ("Overrides of the breaker by somebody.", ("dataset",)),
    "unverified_batches": ("Batches published although a monitor failed.", ("dataset",)),
    "shadow_batches": ("What would have become of batches that were only watched.", ("dataset", "would")),
    "label_rows": ("Rows in deliveries of labels, by what became of them.", ("dataset", "outcome")),
    "monitor_errors": ("Checks and statistics that raised: our failures, not the data's.", ("dataset", "monitor")),
}
"""By name what is counted, and the labels."""

_ZEROS: Mapping[str, Sequence[Labels]] = {
    "batches": [(decision.value,) for decision in Decision],
    "rows": [()],
    "rows_quarantined": [()],
    "breaker_transitions": [(state.value,) for state in State],
    "overrides": [()],
    "unverified_batches": [()],
    "shadow_batches": [*((decision.value,) for decision in Decision), ("halt",)],
    "label_rows": [(outcome,) for outcome in LABEL_OUTCOMES],
    "monitor_errors": [("gate",), ("feedback_loop",)],
}

_GAUGES: Mapping[str, tuple[str, str]] = {
    "breaker_last_transition_timestamp_seconds": ("breaker_changed", "When the breaker last changed its state."),
    "override_until_timestamp_seconds": ("override_until", "When the breaker's override ends or ended."),
    "batch_last_completed_timestamp_seconds": ("last_completed", "When the last verdict was committed."),
    "batch_last_published_timestamp_seconds": ("last_published", "When a batch was last published."),
    "event_time_max_timestamp_seconds": ("event_time_max", "The end of the latest published window."),
    "next_batch_due_timestamp_seconds": ("next_due", "By when the next batch must be there."),
    "label_last_timestamp_seconds": ("label_last", "When labels last said something new."),
    "expected_interval_seconds": ("cadence", "How often a batch is expected."),
    "arrive_within_seconds": ("arrive_within", "How long after its window a batch may arrive."),
    "max_staleness_seconds": ("freshness", "How old the newest event of a batch may be when it arrives."),
    "label_delay_seconds": ("label_delay", "How long after the event labels are complete."),
    "batch_rows": ("rows", "Rows of the last batch."),
    "quarantined_batches": ("quarantined", "Batches in quarantine, partly or wholly."),
    "held_batches": ("held", "Good batches that wait for the breaker."),
    "quarantine_oldest_timestamp_seconds": (
        "quarantine_oldest",
        "Since when the oldest batch in quarantine or held is kept back; a replay changes nothing of that.",
    ),
    "calibration_error": ("calibration", "Calibration error of the batches judged last."),
    "label_maturity_ratio": ("maturity", "Share of rows that are settled in the batches that labels named last."),
    "audit_entries": ("audit_entries", "Entries in the audit."),
}


def families(snapshot: Snapshot, series: int = SERIES_MAXIMUM) -> Iterator[Family]:
    """All counters and gauges of the ledger, bounded in series; what was dropped is a metric itself.

    Args:
        snapshot: The ledger at one moment.
        series: The most series that a family may have of one dataset.
    """
    dropped = 0
    for family in _all(snapshot):
        kept = _bounded(family, series)
        dropped += len(family.samples) - len(kept.samples)
        yield kept
    yield Family("series_dropped", "gauge", "Series left out to keep this page bounded.", (), {(): float(dropped)})


def distributions(snapshot: Snapshot) -> Iterator[Distribution]:
    """The histogram and the summary."""
    bounds = [*(str(bound) for bound in DURATION_BOUNDS), "+Inf"]
    none = Histogram([(bound, 0.0) for bound in bounds], 0.0)
    durations = {(name,): snapshot.durations.get(name, none) for name in sorted(snapshot.datasets)}
    text = "Seconds from a batch's arrival to its verdict."
    yield Distribution("batch_duration_seconds", "histogram", text, ("dataset",), durations)
    text = "Seconds spent on batches, by stage of their way."
    nothing = {(name, stage): Histogram([("+Inf", 0.0)], 0.0) for name in sorted(snapshot.datasets) for stage in STAGES}
    stages = nothing | dict(snapshot.stages)
    yield Distribution("stage_duration_seconds", "summary", text, ("dataset", "stage"), stages)


def health(*, up: bool, seconds: float) -> Iterator[Family]:
    """How the reading itself went; told even where the ledger tells nothing."""
    yield Family("ledger_up", "gauge", "1 while the ledger can be read.", (), {(): float(up)})
    yield Family("collect_duration_seconds", "gauge", "How long reading the ledger took.", (), {(): seconds})


def _all(snapshot: Snapshot) -> Iterator[Family]:
    datasets = {name: snapshot.datasets[name] for name in sorted(snapshot.datasets)}
    for name, (text, labels) in COUNTERS.items():
        zeros = {(dataset, *rest): 0.0 for dataset in datasets for rest in _ZEROS.get(name, ())}
        yield Family(name, "counter", text, labels, zeros | dict(snapshot.counters.get(name, {})))
    yield Family("build_info", "gauge", "The running version.", ("version",), {(snapshot.version,): 1.0})
    info = {(n, d.version, d.owner): 1.0 for n, d in datasets.items() if d.version}
    yield Family("contract_info", "gauge", "The contract in force.", ("dataset", "version", "owner"), info)
    heads = {(n, d.audit_head): 1.0 for n, d in datasets.items() if d.audit_head is not None}
    yield Family("audit_head_info", "gauge", "The hash of the last entry in the audit.", ("dataset", "sha256"), heads)
    states = {(n, state.value): float(d.breaker.state is state) for n, d in datasets.items() for state in State}
    yield Family("breaker_state", "gauge", "1 for the state the breaker is in.", ("dataset", "state"), states)
    for name, (attribute, text) in _GAUGES.items():
        values = {(n,): getattr(d, attribute) for n, d in datasets.items()}
        known = {labels: float(value) for labels, value in values.items() if value is not None}
        yield Family(name, "gauge", text, ("dataset",), known)
    yield from _observed(datasets)
    yield from _labelled(datasets)


def _observed(datasets: Mapping[str, Dataset]) -> Iterator[Family]:
    """What the last batch of each dataset looked like."""
    seen = {name: dataset.observed for name, dataset in datasets.items() if dataset.observed is not None}
    labels = ("dataset", "column", "slice", "statistic")
    scores = _joined(batch.scores for batch in seen.values())
    yield Family("drift_score", "gauge", "0 = as the reference, larger = further from it.", labels, scores)
    ratios = _joined(batch.ratios for batch in seen.values())
    yield Family("drift_score_ratio", "gauge", "Score over threshold; above 1 alarms.", labels, ratios)
    slow = {(name, column): ratio for name, dataset in datasets.items() for column, ratio in dataset.stream.items()}
    text = "Evidence of slow drift over its threshold; above 1 alarms."
    yield Family("stream_score_ratio", "gauge", text, ("dataset", "column"), slow)
    thin = _joined(batch.thin for batch in seen.values())
    yield Family("insufficient_evidence", "gauge", "1 where there was too little data.", ("dataset", "column"), thin)
    missing = _joined(batch.missing for batch in seen.values())
    yield Family("missing_ratio", "gauge", "Share of missing values in the last batch.", ("dataset", "column"), missing)
    findings = {
        (n, severity.value): float(batch.findings.get(severity.value, 0))
        for n, batch in seen.items()
        for severity in Severity
    }
    yield Family("batch_findings", "gauge", "Findings in the last batch.", ("dataset", "severity"), findings)


def _joined(parts: Iterable[Mapping[Any, float]]) -> dict[Any, float]:
    found: dict[Any, float] = {}
    for part in parts:
        found.update(part)
    return found


def _labelled(datasets: Mapping[str, Dataset]) -> Iterator[Family]:
    """What labels said of the batches judged last."""
    labels = ("dataset", "slice", "bucket")
    text = "Mean prediction less mean label of the batches judged last."
    biases = {(n, *key): bias for n, d in datasets.items() for key, (bias, _) in d.biases.items()}
    yield Family("prediction_bias", "gauge", text, labels, biases)
    ratios = {
        (n, *key): ratio for n, d in datasets.items() for key, (_, ratio) in d.biases.items() if ratio is not None
    }
    text = "Score of the bias over what alarms; above 1 alarms."
    yield Family("prediction_bias_score_ratio", "gauge", text, labels, ratios)


def _bounded(family: Family, series: int) -> Family:
    """Without what is no number, and without what is too much of one dataset."""
    samples = family.samples
    if not all(map(math.isfinite, samples.values())):
        samples = {labels: value for labels, value in samples.items() if math.isfinite(value)}
    if len(samples) > series and max(Counter(map(itemgetter(0), samples)).values()) > series:
        samples = dict(_first(samples.items(), series))
    return family if samples is family.samples else replace(family, samples=samples)


def _first(samples: Iterable[tuple[Labels, float]], series: int) -> Iterator[tuple[Labels, float]]:
    """The first samples of each dataset, which is the first label of all families that may have many.

    One that is new before them takes the place of the last.
    """
    counts: Counter[str] = Counter()
    for labels, value in samples:
        counts[labels[0]] += 1
        if counts[labels[0]] <= series:
            yield labels, value
