"""Rows about events too long ago."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from tidegate_contracts.batch import utc
from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.instants import instant, instants
from tidegate_contracts.reasons import Broken
from tidegate_contracts.span import in_words


@clause
def expired_rows(subject: Subject) -> Iterator[Broken]:
    """Rows whose event is older than ``max_age``."""
    contract, now = subject.contract, subject.circumstances.now
    times = instants(subject.values(contract.event_time), contract.zone)
    if contract.max_age is None or now is None or times is None:
        return
    old = pc.fill_null(pc.less(times, instant(utc(now) - contract.max_age)), fill_value=False)
    rows = np.flatnonzero(old.to_numpy())
    if rows.size:
        yield Broken("expired_rows", f"event at most {in_words(contract.max_age)} ago", contract.event_time, rows)
