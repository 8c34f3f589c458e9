"""Alerts for declared datasets that have never been seen, which no metric of theirs can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from tidegate_contracts.contract import Contract
from tidegate_flows.alert_rules.alert import Alert, Group
from tidegate_flows.alert_rules.arrivals import NEVER_SEEN
from tidegate_flows.alert_rules.case import Case, Values, here, of
from tidegate_flows.exposition import safe

_DAY = timedelta(days=1)
_MEMORY = "7d"
"""How long the last word of a ledger counts: its exporter restarts, moves, or is down for a weekend."""
_ELSE = ("tidegate_batch_last_completed", 'tidegate_ledger_up{job="tidegate-test"')
_OTHER = 'tidegate_ledger_up{job="tidegate-other",instance="two"}'


def declared(contracts: Sequence[Contract]) -> Group:
    """One alert for each contract: under no ledger is there a verdict of its dataset."""
    return Group("tidegate-declared", alerts=tuple(_never_seen(contract) for contract in contracts))


def _never_seen(contract: Contract) -> Alert:
    name, patience = (
        contract.name,
        (contract.cadence + (contract.arrive_within or timedelta(0))) if contract.cadence else _DAY,
    )
    minutes = max(1, -int(-patience.total_seconds() // 60))
    labels = {"dataset": name, "owner": safe(contract.owner)}
    return Alert(
        name=NEVER_SEEN.name,
        urgency=NEVER_SEEN.urgency,
        expr=(
            f"max(max_over_time(tidegate_ledger_up[{_MEMORY}])) == 1\n"
            "unless on ()\n"
            f'last_over_time(tidegate_batch_last_completed_timestamp_seconds{{dataset="{name}"}}[{_MEMORY}])'
        ),
        wait=f"{minutes}m",
        labels=tuple(labels.items()),
        summary=f"{name}: not one batch has ever come",
        description=(
            f"The contract of {name} is declared, and no ledger that could be read in the last seven days has a "
            "verdict of it. What never came is missed by nothing that compares it with what came before."
        ),
        cases=_cases(name, minutes, labels),
    )


def _cases(name: str, minutes: int, labels: Mapping[str, str]) -> tuple[Case, ...]:
    step = 60 if minutes > 600 else 5 if minutes > 60 else 1
    due = -(-minutes // step) * step
    seen, up = of("batch_last_completed_timestamp_seconds", name), here("ledger_up")
    half = due // 2 // step * step

    def case(what: str, series: Mapping[str, Values], at: int, *fires: Mapping[str, str]) -> Case:
        return Case(what, series, at, fires, step=step, lacks=_ELSE)

    gone: Values = [(0, 1), (step, None)]
    return (
        case(f"{name} never came", {}, due, labels),
        case(f"{name} has not come yet", {}, due - step),
        case(f"{name} came", {seen: 0}, due + step),
        case(f"whether {name} came cannot be read", {up: 0}, due + step),
        case(
            f"{name} never came, and the exporter was restarted",
            {up: [(0, 1), (half, None), (half + step, 1)]},
            due,
            labels,
        ),
        case(
            f"{name} came, and of two ledgers the one that knows it is down",
            {seen: gone, up: gone, _OTHER: 1},
            2 * due + step,
        ),
        case(f"{name} never came, by two ledgers", {_OTHER: 1}, due, labels),
    )
