"""One look at a batch: nothing is stored, no breaker is asked."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.load import load_contract
from tidegate_flows import intake
from tidegate_flows.intake import UnreadableError
from tidegate_flows.passage import observed, unreadable
from tidegate_flows.reference import read
from tidegate_monitors.reference import Reference
from tidegate_monitors.verdict import Verdict, decide


def check(batch: Any, contract: Contract | str | Path, reference: Reference | str | Path | None = None) -> Verdict:
    """Hold a batch against its contract, and against a reference if one is given. Nothing is stored.

    Args:
        batch: A path, or a pandas, polars or pyarrow table.
        contract: A contract, or ``path.py[:name]``.
        reference: A reference, or the path of its file.

    Raises:
        ContractError: The contract is wrong.
        UsageError: There is no such batch or reference.
        MonitorError: A check or statistic raised.
    """
    loaded = load_contract(contract)
    held_against = read(Path(reference)) if isinstance(reference, str | Path) else reference
    with TemporaryDirectory(prefix="tidegate-") as folder:
        staged = intake.stage(batch, Path(folder))
        try:
            observation = observed(intake.decode(staged, loaded), loaded, held_against)
        except UnreadableError as error:
            observation = unreadable(str(error))
    return decide(observation, frozenset(), loaded)
