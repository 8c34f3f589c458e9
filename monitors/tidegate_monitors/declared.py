"""Metrics that somebody measured elsewhere and wrote into the metadata of the prediction's column."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tidegate_contracts.contract import Contract
from tidegate_contracts.metric import METRICS, Metric


def declared(contract: Contract, where: str) -> dict[str, float]:
    """The declared metrics that are known and are numbers.

    Args:
        contract: Its prediction's column has the metadata, ``{"offline": {"roc_auc": 0.78}}``.
        where: ``offline`` or ``training``.
    """
    said = contract.columns[contract.prediction].metadata.get(where) if contract.prediction else None
    if not isinstance(said, Mapping):
        return {}
    known = {str(name): _finite(value) for name, value in said.items() if str(name).partition("[")[0] in METRICS}
    return {name: value for name, value in known.items() if value is not None}


def _finite(value: object) -> float | None:
    """A number as float64; None for what is none, or is too large for one."""
    if not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def margin(metric: Metric, value: float, share: float) -> float:
    """What is worse than a value by a share of the way to the worst there is, else of the value itself."""
    width = abs(value - metric.worst) if math.isfinite(metric.worst) else abs(value)
    return value - share * width * (1 if metric.more_is_better else -1)
