"""Features that were not known when the prediction was made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_contracts.span import in_words
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import NO_TIME, Split, audit, share

_MICROSECOND = timedelta(microseconds=1)

Times = npt.NDArray[np.int64]


@audit
def look_ahead(split: Split) -> Iterator[Finding]:
    """Features that are available only after the prediction, and times among the features that lie after it.

    A feature is available its ``available`` after the event. A prediction is made at ``prediction_time``; where the
    contract names none, at the event, and times are not compared, because a plan may lie after it.
    """
    contract = split.contract
    made, events = split.times(contract.prediction_time), split.times(contract.event_time)
    for name in split.wanted:
        lag = contract.columns[name].available
        if lag > timedelta(0) and (made is None or events is None):
            words = f"column {name!r} is a feature, but its value is known only {in_words(lag)} after the event"
            rule = "every feature is available when the prediction is made"
            yield split.violation("look_ahead", rule, Severity.CRITICAL, words, name)
        elif lag > timedelta(0):
            yield from _later(split, name, events, made, lag)
        elif made is not None and name != contract.prediction_time:
            yield from _later(split, name, split.times(name), made, lag)


def _later(
    split: Split, name: str, known: tuple[Times, Times] | None, made: tuple[Times, Times] | None, lag: timedelta
) -> Iterator[Finding]:
    """Rows that were predicted before a feature's time, or before its value was known."""
    if known is None or made is None:
        return
    sides = (("TRAIN", split.train), ("TEST", split.test))
    for (word, side), times, moments in zip(sides, known, made, strict=True):
        rows = np.flatnonzero((times != NO_TIME) & (moments != NO_TIME) & (times + lag // _MICROSECOND > moments))
        if rows.size:
            what = f"its value was known ({in_words(lag)} after the event)" if lag else "the time that it holds"
            words = f"column {name!r}: {share(rows.size, times.size, word)} were predicted before {what}"
            rule = f"no feature is later than {split.contract.prediction_time}"
            yield split.violation("look_ahead", rule, Severity.CRITICAL, words, name, rows, side=side)
