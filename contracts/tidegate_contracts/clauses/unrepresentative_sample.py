"""Rows that are no fair sample of the population they speak for."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.clauses import Subject, clause_of_all_rows
from tidegate_contracts.population import misfit
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity

_LEVEL = 0.001
_DISTANCE_MINIMUM = 0.1


@clause_of_all_rows
def unrepresentative_sample(subject: Subject) -> Iterator[Broken]:
    """A column's categories have other shares than ``population`` states.

    Both must hold: the total variation distance (half the sum of the differences of shares) is at least .1, and
    p < .001 in Pearson's chi-squared test of goodness of fit. Rows of a batch are not independent of each other, so p
    is smaller than it should be and only rules out the accidents of a small batch; the distance decides. Missing
    values are not counted.
    """
    for name, shares in subject.contract.population.items():
        values = subject.values(name)
        found = misfit(values, shares) if values is not None else None
        if found is not None and found.distance >= _DISTANCE_MINIMUM and found.p < _LEVEL:
            rule = f"shares of the population; {found.distance:.1%} of rows would have to be of another category"
            yield Broken("unrepresentative_sample", f"{rule} ({found.worst})", name, None, Severity.WARNING)
