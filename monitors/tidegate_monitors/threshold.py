"""From which probability on a case counts as positive."""

from __future__ import annotations

from tidegate_contracts.contract import Contract

USUAL = 0.5


def threshold_of(contract: Contract) -> float:
    """The contract's decision threshold; .5, where wrong calls of both kinds cost alike, if it states none."""
    return USUAL if contract.decision_threshold is None else contract.decision_threshold
