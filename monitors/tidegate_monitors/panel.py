"""A panel: the tallies of several cohorts under one another, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_monitors.clustered import Estimate, Measure, clustered, enough
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_rules import LabelEvidence
from tidegate_monitors.tally import OTHERS, Sum, Tally, stack

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """What several batches' tallies of one outcome say.

    Attributes:
        names: The slices, ``column=value``.
        table: Shape (batches, slices + 1, buckets, 17), in the order of time; see :class:`Sum`.
    """

    names: tuple[str, ...]
    table: Floats

    @classmethod
    def of(cls, cohorts: Sequence[Cohort], outcome: str, edges: Sequence[float]) -> Panel:
        """Of the cohorts that have this outcome and these buckets; others cannot be added to them."""
        alike = [item for item in cohorts if outcome in item.tallies and item.edges == tuple(edges)]
        tallies = [item.tallies[outcome] for item in alike] or [Tally.empty(len(edges) + 1)]
        return cls(*stack(tallies))

    @property
    def whole(self) -> Floats:
        """The sums of all rows, shape (batches, 17)."""
        found: Floats = self.table[:, 0].sum(axis=1)
        return found

    @property
    def buckets(self) -> Floats:
        """The sums by bucket, shape (batches, buckets, 17)."""
        found: Floats = self.table[:, 0]
        return found

    @property
    def total(self) -> Floats:
        """The sums of all rows of all batches, shape (17,)."""
        found: Floats = self.whole.sum(axis=0)
        return found

    def slice(self, name: str) -> Floats:
        """The sums of a slice, shape (batches, 17); zeros for one that is unknown here."""
        if name not in self.names:
            return np.zeros_like(self.whole)
        found: Floats = self.table[:, self.names.index(name) + 1].sum(axis=1)
        return found

    @property
    def own(self) -> tuple[str, ...]:
        """The slices of one value."""
        return tuple(name for name in self.names if not name.endswith(f"={OTHERS}"))

    def estimate(self, measure: Measure) -> Estimate | None:
        """A measure of all labelled rows; None where batches are too few or it is not defined."""
        return clustered(self.whole, measure, self.whole[:, Sum.N])

    def of_bucket(self, bucket: int, measure: Measure) -> Estimate | None:
        """A measure of one bucket's labelled rows."""
        return clustered(self.buckets[:, bucket], measure, self.buckets[:, bucket, Sum.N])

    @property
    def sound(self) -> bool:
        """Whether there are labels from 5 batches or more, unequal ones counted for less."""
        return enough(self.whole[:, Sum.N])


def contrast(part: Floats, rest: Floats, measure: Callable[[Floats, Floats], float | None]) -> Estimate | None:
    """A measure of two parts of the same batches; a batch counts for the rows of the smaller part.

    Args:
        part: Its sums, shape (batches, 17).
        rest: The sums of the others, same shape.
        measure: Takes the sums of both over all batches, each of shape (17,).
    """
    both = np.stack([part, rest], axis=1)
    return clustered(both, lambda sums: measure(sums[0], sums[1]), np.minimum(part[:, Sum.N], rest[:, Sum.N]))


def judged(evidence: LabelEvidence) -> dict[str, Panel]:
    """The judged cohorts by outcome: ``""``, or each of several classes."""
    if not evidence.cohorts:
        return {}
    latest = evidence.cohorts[-1]
    return {name: Panel.of(evidence.cohorts, name, latest.edges) for name in latest.tallies}


def held_against(evidence: LabelEvidence, outcome: str) -> Panel | None:
    """The reference's cohorts of an outcome; None where they are too few, or of other buckets."""
    if not evidence.cohorts:
        return None
    panel = Panel.of(evidence.reference, outcome, evidence.cohorts[-1].edges)
    return panel if panel.sound else None
