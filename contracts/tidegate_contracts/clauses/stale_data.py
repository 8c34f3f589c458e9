"""A delivery in which even the newest event is old."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from tidegate_contracts.batch import utc
from tidegate_contracts.clauses import Subject, clause_of_all_rows
from tidegate_contracts.instants import instants
from tidegate_contracts.reasons import Broken
from tidegate_contracts.span import in_words


@clause_of_all_rows
def stale_data(subject: Subject) -> Iterator[Broken]:
    """The newest event is older than ``freshness``, however lately the file itself was written."""
    contract, now = subject.contract, subject.circumstances.now
    times = instants(subject.values(contract.event_time), contract.zone)
    if contract.freshness is None or now is None or times is None:
        return
    newest = pc.max(times)
    if newest.is_valid and utc(now) - newest.as_py() > contract.freshness:
        age = in_words(utc(now) - newest.as_py())
        rule = f"newest event at most {in_words(contract.freshness)} old; it is {age} old"
        yield Broken("stale_data", rule, contract.event_time, None)
