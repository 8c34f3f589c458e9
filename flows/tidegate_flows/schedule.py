"""The schedule: which batch should have come by now, told by what is missing and not by its own run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from tidegate_contracts.batch import iso, utc
from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_flows.ledger import counters, standings
from tidegate_flows.ledger.schema import counters as counted
from tidegate_flows.place import Place
from tidegate_monitors.alarm import Alarm

_COUNTED = "late_batch_counted"  # no metric: the time of what was counted last


@dataclass(frozen=True, slots=True)
class Overdue:
    """Batches that should have come and have not.

    Attributes:
        since: When the first of them was due, in UTC.
        batches: How many are due by now.
        last: The end of the last window that came, in UTC; of one that ends long after its batch came, at most an
            interval after that.
    """

    since: datetime
    batches: int
    last: datetime

    def alarm(self, contract: Contract) -> Alarm:
        """As a finding."""
        return Alarm(
            "late_batch",
            contract.severity_of("late_batch", Severity.WARNING),
            f"{self.batches} {'batch is' if self.batches == 1 else 'batches are'} missing: the last window ended "
            f"{iso(self.last)}, and the next batch was due {iso(self.since)}",
        )


def overdue(place: Place, contract: Contract, now: datetime) -> Overdue | None:
    """What is missing by ``cadence`` and ``arrive_within``; None where nothing is, was promised, or ever came."""
    if contract.cadence is None:
        return None
    with place.ledger.read() as connection:
        seconds = standings.window_believed(connection, contract.name, contract.cadence.total_seconds())
    if seconds is None:
        return None
    try:
        last = datetime.fromtimestamp(seconds, utc(now).tzinfo)
        due = last + contract.cadence + (contract.arrive_within or timedelta(0))
    except (OverflowError, ValueError, OSError):  # the interval is so long that no calendar has the next
        return None
    if now <= due:
        return None
    return Overdue(due, (now - due) // contract.cadence + 1, last)


def count_once(place: Place, contract: Contract, missing: Overdue) -> bool:
    """Count an alarm of what is missing, unless some look before has counted it; gives whether it did.

    What was counted last stands in the ledger, as the time since which something was missing: looks that are far
    apart, each in a process of its own, count one gap once.
    """
    alarm, since = missing.alarm(contract), missing.since.timestamp()
    with place.ledger.begin() as connection:
        query = select(counted.c.value).where(counted.c.name == _COUNTED, counted.c.dataset == contract.name)
        before = connection.scalar(query) or 0.0
        if since <= before:
            return False
        counters.bump(connection, _COUNTED, contract.name, since - before)
        counters.bump(connection, "findings_total", contract.name, check=alarm.check, severity=alarm.severity.value)
    return True
