"""When the next batch is due, by what the contract promised when a batch was last gated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Expected:
    """The next batch.

    Attributes:
        due: By when it must be there, in UTC.
        missing: How many batches are due by now and have not come; 0 while none is.
    """

    due: datetime
    missing: int


def expected(facts: Mapping[str, Any], last: datetime | None, now: datetime) -> Expected | None:
    """By the rule of :func:`tidegate_flows.schedule.overdue`, without running the contract's file.

    Args:
        facts: What the ledger keeps of the contract.
        last: The end of the last window that came; None before any did.
        now: The time.

    Returns:
        None where nothing was promised, nothing ever came, or what came ends so late that no calendar has the next.
    """
    if not facts.get("cadence") or last is None:
        return None
    cadence = timedelta(seconds=facts["cadence"])
    try:
        due = last + cadence + timedelta(seconds=facts.get("arrive_within") or 0)
    except OverflowError:
        return None
    return Expected(due, 0 if now <= due else (now - due) // cadence + 1)
