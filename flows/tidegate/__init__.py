"""tidegate: data-validation contracts with continuous drift monitoring, and a breaker that halts on violation.

>>> import tidegate as tg
>>> tg.AlarmBudget(one_in=50)
AlarmBudget(one_in=50)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidegate_contracts.alarm_budget import AlarmBudget as AlarmBudget
    from tidegate_contracts.contract import Contract as Contract
    from tidegate_contracts.errors import ContractError as ContractError
    from tidegate_contracts.errors import Halted as Halted
    from tidegate_contracts.errors import MonitorError as MonitorError
    from tidegate_contracts.errors import StoreError as StoreError
    from tidegate_contracts.errors import TidegateError as TidegateError
    from tidegate_contracts.errors import UsageError as UsageError
    from tidegate_contracts.foreign_key import ForeignKey as ForeignKey
    from tidegate_contracts.load import load_contract as load_contract
    from tidegate_contracts.sample import Sample as Sample
    from tidegate_contracts.severity import Severity as Severity
    from tidegate_contracts.suppression import Suppression as Suppression
    from tidegate_contracts.upstream import Upstream as Upstream
    from tidegate_flows.downstream import require_closed as require_closed
    from tidegate_flows.gate import gate as gate
    from tidegate_flows.intake.sql import Query as Query
    from tidegate_flows.labelling import Labelled as Labelled
    from tidegate_flows.labelling import join_labels as join_labels
    from tidegate_flows.look import check as check
    from tidegate_flows.split import SplitReport as SplitReport
    from tidegate_flows.split import check_split as check_split
    from tidegate_monitors.breaker import Decision as Decision
    from tidegate_monitors.breaker import State as State
    from tidegate_monitors.run import Run as Run
    from tidegate_monitors.verdict import Verdict as Verdict

_HOMES = {
    "AlarmBudget": "tidegate_contracts.alarm_budget",
    "Contract": "tidegate_contracts.contract",
    "ContractError": "tidegate_contracts.errors",
    "Decision": "tidegate_monitors.breaker",
    "ForeignKey": "tidegate_contracts.foreign_key",
    "Halted": "tidegate_contracts.errors",
    "Labelled": "tidegate_flows.labelling",
    "MonitorError": "tidegate_contracts.errors",
    "Query": "tidegate_flows.intake.sql",
    "Run": "tidegate_monitors.run",
    "Sample": "tidegate_contracts.sample",
    "Severity": "tidegate_contracts.severity",
    "SplitReport": "tidegate_flows.split",
    "State": "tidegate_monitors.breaker",
    "StoreError": "tidegate_contracts.errors",
    "Suppression": "tidegate_contracts.suppression",
    "TidegateError": "tidegate_contracts.errors",
    "Upstream": "tidegate_contracts.upstream",
    "UsageError": "tidegate_contracts.errors",
    "Verdict": "tidegate_monitors.verdict",
    "check": "tidegate_flows.look",
    "check_split": "tidegate_flows.split",
    "gate": "tidegate_flows.gate",
    "join_labels": "tidegate_flows.labelling",
    "load_contract": "tidegate_contracts.load",
    "require_closed": "tidegate_flows.downstream",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for (PEP 562), so that ``import tidegate`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tidegate' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
