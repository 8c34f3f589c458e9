"""The metrics as pure families: what is exported, computed from a snapshot of the ledger."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tidegate_monitors.breaker import Breaker, Decision, State
from tidegate_monitors.column_profile import missing_share
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.profile import Profile

SERIES_MAXIMUM = 2000
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric.

    Attributes:
        name: Without its suffix; counters get ``_total``.
        kind: Prometheus' type.
        help: One sentence.
        labels: The names of its labels.
        samples: Values by the tuple of label values; never NaN.
    """

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: Labels
    samples: Mapping[Any, float]


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram of one dataset.

    Attributes:
        buckets: Upper bounds and cumulative counts, ending with ``+Inf``.
        sum: The sum of all values.
    """

    buckets: Sequence[tuple[str, float]]
    sum: float


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the ledger says of one dataset.

    Attributes:
        breaker: Its breaker.
        version: Of the contract in force.
        owner: Of the contract in force.
        cadence: Seconds between batches, if declared.
        arrive_within: Seconds a batch may take to arrive, if declared.
        last_completed: When the last verdict was committed, seconds since 1970; None before any.
        last_published: When a batch was last published.
        event_time_max: The end of the latest published window.
        label_last: When labels were last joined.
        rows: Rows of the last batch.
        comparisons: Of the last batch.
        profile: Of the last batch.
        stream: By column the evidence of slow drift over its threshold.
        quarantined: Batches in quarantine, partly or wholly.
        held: Batches held.
        quarantine_oldest: When the oldest of these was decided.
        biases: By slice and bucket the bias of the batches judged last, and its score over what alarms or None.
        calibration: Their calibration error; None before any could be judged.
        maturity: The settled share of the batches that labels named last; None before any labels.
        audit_entries: Entries in its audit.
        audit_head: The hash of the last of them; None without any.
    """

    breaker: Breaker = field(default_factory=Breaker)
    version: str = ""
    owner: str = ""
    cadence: float | None = None
    arrive_within: float | None = None
    last_completed: float | None = None
    last_published: float | None = None
    event_time_max: float | None = None
    label_last: float | None = None
    rows: int | None = None
    comparisons: Sequence[Comparison] = ()
    profile: Profile | None = None
    stream: Mapping[str, float] = field(default_factory=dict)
    quarantined: int = 0
    held: int = 0
    quarantine_oldest: float | None = None
    biases: Mapping[tuple[str, str], tuple[float, float | None]] = field(default_factory=dict)
    calibration: float | None = None
    maturity: float | None = None
    audit_entries: int = 0
    audit_head: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger at one moment.

    Attributes:
        version: Of tidegate.
        datasets: By name.
        counters: By metric name: label names, and values by label values.
        durations: Histograms of batch seconds, by dataset.
    """

    version: str
    datasets: Mapping[str, Dataset]
    counters: Mapping[str, Mapping[Labels, float]]
    durations: Mapping[str, Histogram]


_COUNTERS: Mapping[str, tuple[str, Labels]] = {
    "batches": ("Decisions on batches.", ("dataset", "decision")),
    "rows": ("Rows delivered.", ("dataset",)),
    "rows_quarantined": ("Rows set aside or refused.", ("dataset",)),
    "findings": ("Findings in verdicts.", ("dataset", "check", "severity")),
    "breaker_transitions": ("Changes of the breaker's state.", ("dataset", "to")),
    "monitor_errors": ("Checks and statistics that raised: our failures, not the data's.", ("dataset", "monitor")),
}

_ZEROS: Mapping[str, Sequence[Labels]] = {
    "batches": [(decision.value,) for decision in Decision],
    "rows": [()],
    "rows_quarantined": [()],
    "breaker_transitions": [(state.value,) for state in State],
    "monitor_errors": [("gate",), ("feedback_loop",)],
}

_GAUGES: Mapping[str, tuple[str, str]] = {
    "batch_last_completed_timestamp_seconds": ("last_completed", "When the last verdict was committed."),
    "batch_last_published_timestamp_seconds": ("last_published", "When a batch was last published."),
    "event_time_max_timestamp_seconds": ("event_time_max", "The end of the latest published window."),
    "label_last_timestamp_seconds": ("label_last", "When labels were last joined."),
    "expected_interval_seconds": ("cadence", "How often a batch is expected."),
    "arrive_within_seconds": ("arrive_within", "How long after its window a batch may arrive."),
    "batch_rows": ("rows", "Rows of the last batch."),
    "quarantined_batches": ("quarantined", "Batches in quarantine, partly or wholly."),
    "held_batches": ("held", "Good batches that wait for the breaker."),
    "quarantine_oldest_timestamp_seconds": ("quarantine_oldest", "When the oldest batch in quarantine was decided."),
    "label_maturity_ratio": ("maturity", "Share of rows that are settled in the batches that labels named last."),
    "audit_entries": ("audit_entries", "Entries in the audit."),
}


def families(snapshot: Snapshot) -> Iterator[Family]:
    """All families but the histogram, bounded in series; what was dropped is a metric itself."""
    kept, dropped = _bounded([*_all(snapshot)])
    yield from kept
    yield Family("series_dropped", "gauge", "Series left out to keep this page bounded.", (), {(): float(dropped)})


def _all(snapshot: Snapshot) -> Iterator[Family]:
    names = sorted(snapshot.datasets)
    for name, (text, labels) in _COUNTERS.items():
        zeros = {(dataset, *rest): 0.0 for dataset in names for rest in _ZEROS.get(name, ())}
        yield Family(name, "counter", text, labels, zeros | dict(snapshot.counters.get(name, {})))
    yield Family("build_info", "gauge", "The running version.", ("version",), {(snapshot.version,): 1.0})
    info = {(n, d.version, d.owner): 1.0 for n, d in snapshot.datasets.items() if d.version}
    yield Family("contract_info", "gauge", "The contract in force.", ("dataset", "version", "owner"), info)
    heads = {(n, d.audit_head): 1.0 for n, d in snapshot.datasets.items() if d.audit_head is not None}
    yield Family("audit_head_info", "gauge", "The hash of the last entry in the audit.", ("dataset", "sha256"), heads)
    states = {
        (n, state.value): float(d.breaker.state is state) for n, d in snapshot.datasets.items() for state in State
    }
    yield Family("breaker_state", "gauge", "1 for the state the breaker is in.", ("dataset", "state"), states)
    changed = {(n,): d.breaker.changed_at.timestamp() for n, d in snapshot.datasets.items() if d.breaker.changed_at}
    yield Family(
        "breaker_last_transition_timestamp_seconds", "gauge", "When the breaker last changed.", ("dataset",), changed
    )
    for name, (attribute, text) in _GAUGES.items():
        values = {(n,): getattr(d, attribute) for n, d in snapshot.datasets.items()}
        known = {labels: float(value) for labels, value in values.items() if value is not None}
        yield Family(name, "gauge", text, ("dataset",), known)
    yield from _observed(snapshot.datasets)


def _observed(datasets: Mapping[str, Dataset]) -> Iterator[Family]:
    """What the last batch of each dataset looked like."""
    labels = ("dataset", "column", "slice", "statistic")
    every = [(name, item) for name, dataset in datasets.items() for item in dataset.comparisons]
    scores = {(n, c.column or "", c.slice or "", c.statistic): c.score for n, c in every if c.score is not None}
    yield Family("drift_score", "gauge", "0 = as the reference, larger = further from it.", labels, scores)
    ratios = {(n, c.column or "", c.slice or "", c.statistic): c.ratio for n, c in every if c.ratio is not None}
    yield Family("drift_score_ratio", "gauge", "Score over threshold; above 1 alarms.", labels, ratios)
    slow = {(name, column): ratio for name, dataset in datasets.items() for column, ratio in dataset.stream.items()}
    text = "Evidence of slow drift over its threshold; above 1 alarms."
    yield Family("stream_score_ratio", "gauge", text, ("dataset", "column"), slow)
    thin = {(n, c.column or ""): 1.0 for n, c in every if c.score is None}
    yield Family("insufficient_evidence", "gauge", "1 where there was too little data.", ("dataset", "column"), thin)
    missing = {
        (name, column): missing_share(item)
        for name, dataset in datasets.items()
        if dataset.profile is not None
        for column, item in dataset.profile.columns.items()
    }
    yield Family("missing_ratio", "gauge", "Share of missing values in the last batch.", ("dataset", "column"), missing)
    yield from _labelled(datasets)


def _labelled(datasets: Mapping[str, Dataset]) -> Iterator[Family]:
    """What labels said of the batches judged last."""
    labels = ("dataset", "slice", "bucket")
    every = [(name, key, values) for name, dataset in datasets.items() for key, values in dataset.biases.items()]
    text = "Mean prediction less mean label of the batches judged last."
    yield Family("prediction_bias", "gauge", text, labels, {(n, *key): bias for n, key, (bias, _) in every})
    ratios = {(n, *key): ratio for n, key, (_, ratio) in every if ratio is not None}
    text = "Score of the bias over what alarms; above 1 alarms."
    yield Family("prediction_bias_score_ratio", "gauge", text, labels, ratios)
    errors = {(n,): d.calibration for n, d in datasets.items() if d.calibration is not None}
    yield Family("calibration_error", "gauge", "Calibration error of the batches judged last.", ("dataset",), errors)


def _bounded(found: Iterable[Family]) -> tuple[list[Family], int]:
    kept, dropped = [], 0
    for family in found:
        finite = {labels: value for labels, value in family.samples.items() if math.isfinite(value)}
        samples = dict(list(finite.items())[:SERIES_MAXIMUM])
        dropped += len(family.samples) - len(samples)
        kept.append(Family(family.name, family.kind, family.help, family.labels, samples))
    return kept, dropped
