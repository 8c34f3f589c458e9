"""The ledger at one moment, as far as metrics tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tidegate_monitors.breaker import Breaker
from tidegate_monitors.metric_family import Histogram, Labels
from tidegate_monitors.observed import Observed


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the ledger says of one dataset; times are seconds since 1970.

    Attributes:
        breaker: Its breaker.
        version: Of the contract in force.
        owner: Of the contract in force.
        cadence: Seconds between batches, if declared.
        arrive_within: Seconds a batch may take to arrive, if declared.
        freshness: The greatest age, in seconds, of a batch's newest event, if declared.
        label_delay: Seconds after the event until labels are complete, if declared.
        last_completed: When the last verdict was committed; None before any.
        last_published: When a batch was last published.
        event_time_max: The end of the latest published window.
        next_due: By when the next batch must be there; None without a cadence, or before any batch.
        label_last: When labels were last joined.
        rows: Rows of the last batch.
        observed: What the last batch looked like; None before any.
        stream: By column the evidence of slow drift over its threshold.
        quarantined: Batches in quarantine, partly or wholly.
        held: Batches held.
        quarantine_oldest: Since when the oldest of these is kept back.
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
    freshness: float | None = None
    label_delay: float | None = None
    last_completed: float | None = None
    last_published: float | None = None
    event_time_max: float | None = None
    next_due: float | None = None
    label_last: float | None = None
    rows: int | None = None
    observed: Observed | None = None
    stream: Mapping[str, float] = field(default_factory=dict)
    quarantined: int = 0
    held: int = 0
    quarantine_oldest: float | None = None
    biases: Mapping[tuple[str, str], tuple[float, float | None]] = field(default_factory=dict)
    calibration: float | None = None
    maturity: float | None = None
    audit_entries: int = 0
    audit_head: str | None = None

    @property
    def breaker_changed(self) -> float | None:
        """When the breaker last changed its state; None if never."""
        return self.breaker.changed_at.timestamp() if self.breaker.changed_at is not None else None

    @property
    def override_until(self) -> float | None:
        """When the breaker's override ends, or ended; None where there is none."""
        return self.breaker.override.until.timestamp() if self.breaker.override is not None else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger at one moment.

    Attributes:
        version: Of tidegate.
        datasets: By name.
        counters: By metric name and the values of its labels.
        durations: Histograms of batch seconds, by dataset.
        stages: Summaries of seconds, by dataset and stage.
    """

    version: str
    datasets: Mapping[str, Dataset]
    counters: Mapping[str, Mapping[Labels, float]] = field(default_factory=lambda: MappingProxyType({}))
    durations: Mapping[str, Histogram] = field(default_factory=lambda: MappingProxyType({}))
    stages: Mapping[tuple[str, str], Histogram] = field(default_factory=lambda: MappingProxyType({}))
