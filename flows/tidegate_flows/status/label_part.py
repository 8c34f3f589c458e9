"""What labels say of a dataset, in the words and plots of the page of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tidegate_flows.ledger.label_reports import Kept
from tidegate_flows.pages.headline import severity_of
from tidegate_flows.pages.label_view import OutcomeView, outcomes_of
from tidegate_flows.pages.markup import Figures
from tidegate_flows.pages.reliability_plot import reliability_plot
from tidegate_flows.place import Place
from tidegate_flows.status.when import from_seconds
from tidegate_monitors.bias import Bias
from tidegate_monitors.bias_interval import Evidence
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.tally import Sum

FIGURES = Figures(3)


@dataclass(frozen=True, slots=True)
class LabelPart:
    """A part of a page.

    Attributes:
        severity: The worst of the findings; ``sound`` without any, ``unknown`` if nothing was judged.
        judged: When.
        batches: How many batches.
        overall: The outcome that is farthest off, of all rows; None while labels are immature.
        outcome: Its name; empty where there is one only.
        findings: Those that ask for attention.
        plot: The reliability diagram; None without buckets.
        share: The settled share of the batches that labels named last.
        page: Whether the page of labels was written.
    """

    severity: str
    judged: datetime | None
    batches: int
    overall: Bias | None
    outcome: str
    findings: Sequence[Mapping[str, Any]]
    plot: str | None
    share: float
    page: bool


def label_part(place: Place, dataset: str, kept: Kept) -> LabelPart:
    """The latest judgement."""
    document, outcomes = kept.document, outcomes_of(kept.document)
    worst = outcomes[0] if outcomes else None
    return LabelPart(
        severity_of(document),
        from_seconds(kept.at),
        len(document["batches"]),
        worst.overall if worst else None,
        worst.name if worst else "",
        [item for item in document["findings"] if item["severity"] != "info"],
        _plot(worst) if worst is not None and worst.buckets else None,
        kept.share,
        label_file(place, dataset).is_file(),
    )


def label_file(place: Place, dataset: str) -> Path:
    """Where the page of labels is, if it was written."""
    return place.store.place(dataset, "reports") / "labels.html"


def batch_plot(cohort: Cohort | None) -> str | None:
    """The reliability diagram of one batch; None where no label came, or there is no bucket or no single outcome."""
    tally = cohort.tallies.get(WHOLE) if cohort is not None else None
    if cohort is None or tally is None or not cohort.edges:
        return None
    found = []
    for bucket, sums in enumerate(tally.table[0]):
        n = int(sums[Sum.N])
        if n:
            prediction, label = float(sums[Sum.P] / n), float(sums[Sum.Y] / n)
            found.append(_bias(bucket, prediction, label, n))
    title = "Mean label by mean prediction in this batch"
    return reliability_plot("reliable", title, found, FIGURES, bounded=_bounded(found)) if found else None


def _plot(view: OutcomeView) -> str:
    title = "Reliability: mean label by mean prediction"
    return reliability_plot("reliable", title, view.buckets, FIGURES, bounded=_bounded(view.buckets))


def _bounded(found: Sequence[Bias]) -> bool:
    return all(0 <= value <= 1 for bias in found for value in (bias.mean_prediction, bias.mean_label))


def _bias(bucket: int, prediction: float, label: float, n: int) -> Bias:
    off = prediction - label
    return Bias(None, bucket, None, prediction, label, off, off, None, None, n, Evidence.INSUFFICIENT)
