"""Prediction bias over time: a table of biases for each calendar month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from types import MappingProxyType

from tidegate_monitors.bias import Bias, biases
from tidegate_monitors.bias_cells import Family, Key
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.tally import Sum, Tally


@dataclass(frozen=True, slots=True)
class MonthBias:
    """The biases of the cohorts that began in one calendar month.

    Attributes:
        month: Its first day.
        batches: How many cohorts with labels there are, one or more.
        biases: Of all rows first, then of each bucket and each slice; no bucket where the cohorts' edges differ.
    """

    month: date
    batches: int
    biases: tuple[Bias, ...]

    @property
    def overall(self) -> Bias:
        """Of all rows."""
        return self.biases[0]


def bias_by_month(cohorts: Sequence[Cohort], outcome: str, zone: tzinfo, *, binary: bool) -> tuple[MonthBias, ...]:
    """The biases by calendar month, in order; months without labels are left out.

    The batch is the unit of replication: each month's intervals rest on its own batches alone.

    Args:
        cohorts: In any order; those without a window or without a label are left out.
        outcome: Which tally of theirs; ``""`` for a number and for two classes.
        zone: Where a month begins.
        binary: Whether labels are 0 and 1.
    """
    months: dict[date, list[Cohort]] = {}
    for cohort in cohorts:
        if cohort.window is not None and outcome in cohort.tallies and cohort.tallies[outcome].overall[Sum.N] > 0:
            began = cohort.window.start.astimezone(zone)
            months.setdefault(date(began.year, began.month, 1), []).append(cohort)
    found = []
    for month, mine in sorted(months.items()):
        table = biases(_alike(mine, outcome), outcome, binary=binary)
        margins = tuple(bias for bias in table if Key(bias.slice, bias.bucket).family is not Family.CROSSED)
        found.append(MonthBias(month, len(mine), margins))
    return tuple(found)


def _alike(cohorts: Sequence[Cohort], outcome: str) -> Sequence[Cohort]:
    """Cohorts whose tallies can be added: without buckets where these are not the same ones."""
    if len({cohort.edges for cohort in cohorts}) == 1:
        return cohorts
    return [replace(item, edges=(), tallies=_unbucketed(item.tallies[outcome], outcome)) for item in cohorts]


def _unbucketed(tally: Tally, outcome: str) -> MappingProxyType[str, Tally]:
    return MappingProxyType({outcome: Tally(tally.names, tally.table.sum(axis=1, keepdims=True))})
