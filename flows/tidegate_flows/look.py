"""One look at a batch: nothing is stored, no breaker is asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.load import load_contract
from tidegate_flows import intake
from tidegate_flows.circumstances import gather
from tidegate_flows.intake import UnreadableError
from tidegate_flows.passage import observed, unreadable
from tidegate_flows.place import now_utc
from tidegate_flows.reference import read
from tidegate_flows.signals import ask_upstream
from tidegate_monitors.reference import Reference
from tidegate_monitors.verdict import Verdict, decide


def check(
    batch: Any,
    contract: Contract | str | Path,
    reference: Reference | str | Path | None = None,
    *,
    as_of: datetime | str | None = None,
) -> Verdict:
    """Hold a batch against its contract, and against a reference if one is given. Nothing is stored.

    Args:
        batch: A path, or a pandas, polars or pyarrow table.
        contract: A contract, or ``path.py[:name]``.
        reference: A reference, or the path of its file.
        as_of: The time at which the batch's age is counted: a time, ``"window"`` for the end of its own window, None
            for now. Nothing arrives here, so no batch is late.

    Raises:
        ContractError: The contract is wrong.
        UsageError: There is no such batch or reference, or a frame has no folder to look for upstream signals in.
        StoreError: A table or list that the contract refers to cannot be read.
        MonitorError: A check or statistic raised.
    """
    loaded = load_contract(contract)
    held_against = read(Path(reference)) if isinstance(reference, str | Path) else reference
    with TemporaryDirectory(prefix="tidegate-") as folder:
        staged = intake.stage(batch, Path(folder), keep_index=loaded.has_index)
        try:
            decoded = intake.decode(staged, loaded)
            answers = ask_upstream(loaded, batch, staged.id)
            now = intake.as_of(as_of, decoded, now_utc())
            known = gather(loaded, now=now, upstream=answers, delivered=decoded.rows)
            observation = observed(decoded, loaded, held_against, known)
        except UnreadableError as error:
            observation = unreadable(str(error))
    return decide(observation, {}, loaded)
