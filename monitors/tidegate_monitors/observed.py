"""What the last batch of a dataset looked like, as metrics tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tidegate_monitors.column_profile import missing_share
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.profile import Profile

Statistic = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Observed:
    """A batch in numbers, each by the labels that it has as a metric, the dataset first: they are made once a batch.

    Attributes:
        scores: By dataset, column, slice and statistic; the table as a whole and all rows are empty names.
        ratios: Scores over thresholds, of the statistics that have one.
        thin: 1 by dataset and column where there was too little data; an empty column for the table.
        missing: The share of missing values by dataset and column.
        findings: How many there were, by severity.
    """

    scores: Mapping[Statistic, float] = field(default_factory=lambda: MappingProxyType({}))
    ratios: Mapping[Statistic, float] = field(default_factory=lambda: MappingProxyType({}))
    thin: Mapping[tuple[str, str], float] = field(default_factory=lambda: MappingProxyType({}))
    missing: Mapping[tuple[str, str], float] = field(default_factory=lambda: MappingProxyType({}))
    findings: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(
        cls,
        dataset: str,
        comparisons: Iterable[Comparison],
        profile: Profile | None = None,
        severities: Iterable[str] = (),
    ) -> Observed:
        """From what the ledger keeps of a run.

        Args:
            dataset: Whose batch it is.
            comparisons: All statistics.
            profile: What was kept of the rows; None for an unreadable batch.
            severities: Of each finding.
        """
        every = list(comparisons)
        columns = profile.columns if profile is not None else {}
        counts: dict[str, int] = {}
        for severity in severities:
            counts[severity] = counts.get(severity, 0) + 1
        return cls(
            {_labels(dataset, item): item.score for item in every if item.score is not None},
            {_labels(dataset, item): item.ratio for item in every if item.ratio is not None},
            {(dataset, item.column or ""): 1.0 for item in every if item.score is None},
            {(dataset, name): missing_share(item) for name, item in columns.items()},
            counts,
        )


def _labels(dataset: str, item: Comparison) -> Statistic:
    return dataset, item.column or "", item.slice or "", item.statistic
