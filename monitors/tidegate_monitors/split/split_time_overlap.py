"""TRAIN must lie before TEST."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate_contracts.severity import Severity
from tidegate_contracts.span import in_words
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import CRITICAL_SHARE, NO_TIME, Split, audit, share, worst_above

_YEAR = timedelta(days=365)
_LABELS_CRITICAL = 0.1

Times = npt.NDArray[np.int64]


@audit
def split_time_overlap(split: Split) -> Iterator[Finding]:
    """Event times that are interleaved, labels that were not known yet, weekdays and months that TRAIN never saw."""
    name = split.contract.event_time
    both = split.times(name)
    if name is None or both is None:
        return
    train, test = (times[times != NO_TIME] for times in both)
    if not train.size or not test.size:
        return
    cut, wrong = best_cut(train, test)
    if wrong:
        yield _interleaved(split, name, both, cut, wrong)
    else:
        yield from _labels_unknown(split, name, both[0], train, test)
    yield from _seasons(split, name, train, test)


def best_cut(train: Times, test: Times) -> tuple[int, int]:
    """The time that parts TRAIN from TEST best, and how many rows stand on its wrong side.

    On the wrong side are rows of TRAIN after it and rows of TEST before it, so one stray row counts as one. Equal
    times are on the right side.
    """
    before, after = np.sort(train), np.sort(test)
    cuts = np.concatenate([before, after])
    wrong = before.size - np.searchsorted(before, cuts, "right") + np.searchsorted(after, cuts, "left")
    best = int(np.argmin(wrong))
    return int(cuts[best]), int(wrong[best])


def _interleaved(split: Split, name: str, both: tuple[Times, Times], cut: int, wrong: int) -> Finding:
    train, test = both
    late, early = np.flatnonzero(train > cut), np.flatnonzero((test != NO_TIME) & (test < cut))
    if test.max() < train[train != NO_TIME].min():
        words, early = "TEST lies before TRAIN", np.flatnonzero(test != NO_TIME)
    else:
        words = (
            f"TRAIN and TEST overlap: at the best cut ({_text(cut)}) {share(late.size, train.size, 'TRAIN')} are later "
            f"and {share(early.size, test.size)} are earlier"
        )
    rows, side = (early, split.test) if early.size else (late, split.train)
    part = wrong / min(train.size, test.size)
    rule = "TRAIN lies before TEST"
    return split.violation("split_time_overlap", rule, worst_above(part), words, name, rows, side=side)


def _labels_unknown(split: Split, name: str, raw: Times, train: Times, test: Times) -> Iterator[Finding]:
    """Rows of TRAIN whose labels were not complete when TEST was first predicted; critical from 10 % of TRAIN.

    Source: M. López de Prado (2018), "Advances in Financial Machine Learning", chapter 7 (purging and embargo).
    """
    delay = split.contract.label_delay
    if not delay or split.contract.label is None:
        return
    predicted = split.times(split.contract.prediction_time)
    made = predicted[1][predicted[1] != NO_TIME] if predicted is not None else test
    first = int((made if made.size else test).min())
    rows = np.flatnonzero((raw != NO_TIME) & (raw + delay // timedelta(microseconds=1) > first))
    if not rows.size:
        return
    part = rows.size / train.size
    default = worst_above(part, _LABELS_CRITICAL) if part >= CRITICAL_SHARE else Severity.INFO
    yield split.violation(
        "split_time_overlap",
        f"the labels of TRAIN were known ({in_words(delay)} after the event) when TEST was first predicted",
        default,
        f"{share(rows.size, raw.size, 'TRAIN')} had no complete label yet at {_text(first)}, when TEST begins",
        name,
        rows,
        side=split.train,
    )


def _seasons(split: Split, name: str, train: Times, test: Times) -> Iterator[Finding]:
    ours, theirs = split.local(train), split.local(test)
    if split.contract.season is not None:
        missing = sorted(set(theirs.dayofweek) - set(ours.dayofweek))
        if missing:
            days = ", ".join(pd.Timestamp(2024, 1, 1 + int(day)).day_name() for day in missing)
            words = f"TEST has weekdays that TRAIN never saw: {days}"
            rule = "TRAIN covers the weekdays of TEST"
            yield split.violation("split_time_overlap", rule, Severity.WARNING, words, name)
    span = timedelta(microseconds=int(train.max() - train.min()))
    unseen = sorted(set(theirs.month) - set(ours.month))
    if unseen and span < _YEAR:
        months = ", ".join(pd.Timestamp(2024, int(month), 1).month_name() for month in unseen)
        words = f"TRAIN covers {span.days + 1} days; months of TEST that it never saw: {months}"
        yield split.violation("split_time_overlap", "TRAIN covers the seasons of TEST", Severity.INFO, words, name)


def _text(moment: int) -> str:
    return str(pd.Timestamp(moment, unit="us").isoformat(timespec="seconds")) + "Z"
