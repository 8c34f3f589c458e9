"""The error budget: many small violations, each too small to stop a batch."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm

BATCHES = 14
_BURN = 0.5


def burn(rows: Sequence[tuple[int, int]], contract: Contract) -> Alarm | None:
    """Told where rows failed in at least half of the last 14 batches, and took half of what the contract tolerates.

    The burn rate is the share of rows set aside over the contract's ``tolerance``. Source: B. Beyer and others (2018),
    "The Site Reliability Workbook", chapter 5, for alerting on it.

    Args:
        rows: Of each batch the rows delivered and set aside, the current one included; none while there are fewer.
        contract: Gives the tolerance.
    """
    delivered, aside = sum(batch[0] for batch in rows), sum(batch[1] for batch in rows)
    if len(rows) < BATCHES or not contract.tolerance or not delivered:
        return None
    failing = sum(batch[1] > 0 for batch in rows)
    rate = aside / delivered / contract.tolerance
    if rate < _BURN or failing * 2 < len(rows):
        return None
    message = (
        f"rows were set aside in {failing} of the last {len(rows)} batches, {aside} of {delivered} rows: {rate:.0%} of "
        f"the contract's tolerance, batch after batch"
    )
    severity = contract.severity_of("error_budget_burn", Severity.WARNING)
    return Alarm("error_budget_burn", severity, message, score=rate, threshold=_BURN)
