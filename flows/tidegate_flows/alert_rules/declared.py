"""Alerts for declared datasets that have never been seen, which no metric of theirs can tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tidegate_contracts.contract import Contract
from tidegate_flows.alert_rules.alert import Alert, Group
from tidegate_flows.alert_rules.arrivals import NEVER_SEEN
from tidegate_flows.alert_rules.case import Case, here, of

_DAY = timedelta(days=1)
_ELSE = ("tidegate_batch_last_completed", 'tidegate_ledger_up{job="tidegate-test"')


def declared(contracts: Sequence[Contract]) -> Group:
    """One alert for each contract: under any ledger that can be read there is no verdict of its dataset."""
    return Group("tidegate-declared", alerts=tuple(_never_seen(contract) for contract in contracts))


def _never_seen(contract: Contract) -> Alert:
    name, patience = (
        contract.name,
        (contract.cadence + (contract.arrive_within or timedelta(0))) if contract.cadence else _DAY,
    )
    minutes = max(1, -int(-patience.total_seconds() // 60))
    step = 60 if minutes > 600 else 5 if minutes > 60 else 1
    due = -(-minutes // step) * step
    seen = of("batch_last_completed_timestamp_seconds", name)
    labels = {"dataset": name, "owner": contract.owner}
    return Alert(
        name=NEVER_SEEN.name,
        urgency=NEVER_SEEN.urgency,
        expr=(
            "max by (job) (tidegate_ledger_up) == 1\n"
            f'unless on () tidegate_batch_last_completed_timestamp_seconds{{dataset="{name}"}}'
        ),
        wait=f"{minutes}m",
        labels=tuple(labels.items()),
        summary=f"{name}: not one batch has ever come",
        description=(
            f"The contract of {name} is declared, and no ledger that can be read has a verdict of it. "
            "What never came is missed by nothing that compares it with what came before."
        ),
        cases=(
            Case(f"{name} never came", {}, due, (labels,), step=step, lacks=_ELSE),
            Case(f"{name} has not come yet", {}, due - step, step=step, lacks=_ELSE),
            Case(f"{name} came", {seen: 0}, due + step, step=step, lacks=_ELSE),
            Case(f"whether {name} came cannot be read", {here("ledger_up"): 0}, due + step, step=step, lacks=_ELSE),
        ),
    )
