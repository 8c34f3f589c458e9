"""What the labels say of the demo's model: how its bias moves from month to month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate_contracts.contract import Contract
from tidegate_flows.ledger import cohorts
from tidegate_flows.place import Place
from tidegate_flows.reference import approved
from tidegate_monitors.bias import Bias, biases
from tidegate_monitors.bias_by_month import MonthBias, bias_by_month
from tidegate_monitors.bias_cells import Family, Key
from tidegate_monitors.cohort import WHOLE


@dataclass(frozen=True, slots=True)
class Decay:
    """The biases of the days that were gated, and by month those of the reference too.

    Attributes:
        whole: Of each cell over all gated days, all rows first.
        months: In order.
        edges: The inner edges of the buckets.
        reference: How many of the months are the reference's.
    """

    whole: tuple[Bias, ...]
    months: tuple[MonthBias, ...]
    edges: tuple[float, ...]
    reference: int

    @property
    def heads(self) -> tuple[str, ...]:
        """The months' names; those of the reference in brackets."""
        names = [f"{item.month:%b}" for item in self.months]
        return tuple(f"({name})" if index < self.reference else name for index, name in enumerate(names))

    def rows(self) -> list[tuple[str, ...]]:
        """A row for each cell: its rows, its bias by month and over all gated days, with the interval of this."""
        by_month = [{Key(bias.slice, bias.bucket): bias for bias in item.biases} for item in self.months]
        found = []
        for bias in self.whole:
            key = Key(bias.slice, bias.bucket)
            name = key.slice or _bucket(key.bucket, self.edges)
            months = [_cell(item.get(key)) for item in by_month]
            reach = "–" if bias.low is None or bias.high is None else f"{bias.low:+.3f} … {bias.high:+.3f}"
            found.append((name, f"{bias.n:,}", *months, f"{bias.bias:+.3f}", reach))
        return found


def decay_of(place: Place, contract: Contract) -> Decay | None:
    """What the ledger and the reference know; None before any labels came."""
    reference = approved(place, contract)
    with place.ledger.read() as connection:
        gated = cohorts.load(connection, contract.name)
    if not gated or not gated[-1].tallies[WHOLE].overall.any():
        return None
    before = bias_by_month(reference.cohorts if reference else (), WHOLE, contract.zone, binary=True)
    months = bias_by_month(gated, WHOLE, contract.zone, binary=True)
    whole = biases(gated, WHOLE, binary=True)
    margins = tuple(bias for bias in whole if Key(bias.slice, bias.bucket).family is not Family.CROSSED)
    return Decay(margins, (*before, *months), gated[-1].edges, len(before))


def _bucket(bucket: int | None, edges: Sequence[float]) -> str:
    if bucket is None:
        return "all rows"
    if bucket == 0:
        return f"prediction ≤ {edges[0]:.3f}"
    low = edges[bucket - 1]
    return f"prediction {low:.3f} – {edges[bucket]:.3f}" if bucket < len(edges) else f"prediction > {low:.3f}"


def _cell(bias: Bias | None) -> str:
    """A bias, with a star where 0 is not in its interval."""
    if bias is None:
        return "–"
    sure = bias.low is not None and bias.high is not None and not bias.low <= 0 <= bias.high
    return f"{bias.bias:+.3f}{'*' if sure else ''}"
