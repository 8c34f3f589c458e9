"""What nobody could have known yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import utc
from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.contract import Contract
from tidegate_contracts.instants import instant, instants
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.span import in_words


@clause
def look_ahead(subject: Subject) -> Iterator[Broken]:
    """A feature's time lies after the row's prediction, or a value is there before it can be known.

    Rows of the first kind are set aside. The second kind is only told of: such a column is no part of what is judged
    at the gate, but somebody upstream fills it with something that is not the truth.
    """
    yield from _features(subject)
    yield from _too_early(subject)


def _features(subject: Subject) -> Iterator[Broken]:
    contract = subject.contract
    times = subject.values(contract.prediction_time)
    if times is not None and pa.types.is_date(times.type):
        return  # of a prediction only the day is known, and a feature of the same day may be earlier
    predicted = instants(times, contract.zone)
    if predicted is None:
        return
    for name in contract.feature_columns:
        known = instants(subject.values(name), contract.zone) if name != contract.prediction_time else None
        if known is None:
            continue
        rows = np.flatnonzero(pc.fill_null(pc.greater(known, predicted), fill_value=False).to_numpy())
        if rows.size:
            yield Broken("look_ahead", f"not after {contract.prediction_time}", name, rows)


def _too_early(subject: Subject) -> Iterator[Broken]:
    contract, now = subject.contract, subject.circumstances.now
    events = instants(subject.values(contract.event_time), contract.zone)
    if now is None or events is None:
        return
    for name in sorted(contract.later_columns):
        values, (delay, severity) = subject.values(name), _delay(name, contract)
        if values is None or delay == timedelta(0):
            continue
        young = pc.greater(events, instant(utc(now) - delay))
        there = pc.invert(pc.is_null(values, nan_is_null=True))
        count = pc.sum(pc.fill_null(pc.and_(young, there), fill_value=False)).as_py() or 0
        if count:
            rule = f"not known before {in_words(delay)} after the event; {count} of {len(values)} rows have it already"
            yield Broken("look_ahead", rule, name, None, severity)


def _delay(name: str, contract: Contract) -> tuple[timedelta, Severity]:
    """How long a value stays unknown, and how sure that is.

    ``available`` speaks of every value; ``label_delay`` says when labels are complete, so some may come earlier.
    """
    column = contract.columns[name]
    if column.available > timedelta(0):
        return column.available, Severity.WARNING
    return contract.label_delay or timedelta(0), Severity.INFO
