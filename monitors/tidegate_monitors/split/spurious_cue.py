"""Something that is no feature, and tells the label all the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.severity import Severity
from tidegate_monitors.association import association
from tidegate_monitors.codes import Codes
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import DEVIATE_MINIMUM, NO_TIME, Split, audit

AUC_MAXIMUM = 0.75
CORRELATION_MAXIMUM = 0.5
_PARTS_MAXIMUM = 8
_PARTS_SHARE = 0.99


@audit
def spurious_cue(split: Split) -> Iterator[Finding]:
    """Columns that are no features, parts of keys, hour and weekday that tell TRAIN's label: AUC from .75.

    Such a cue (the file, the device, the clinic) is one that a model may learn through its features. Columns that are
    known only after the event are left out: they may tell the label. The order of rows is told as ``sorted_rows``.
    """
    target = split.target
    if target is None:
        return
    measure, bound = ("AUC", AUC_MAXIMUM) if target.classes else ("correlation", CORRELATION_MAXIMUM)
    for column, what, codes in _cues(split):
        found = association(codes, target, split.fold)
        if found is not None and found.score >= bound and found.deviate >= DEVIATE_MINIMUM:
            words = (
                f"{what} is no feature, yet it tells {target.name!r} {found.how}: {measure} {found.score:.3f} on TRAIN"
            )
            yield split.alarm("spurious_cue", Severity.WARNING, words, column, score=found.score, threshold=bound)


def _cues(split: Split) -> Iterator[tuple[str, str, Codes]]:
    contract = split.contract
    roles = {contract.event_time, contract.prediction_time, contract.prediction, contract.label, contract.annotator}
    roles |= {contract.baseline, *contract.score_columns}
    known = roles | set(split.wanted) | contract.later_columns
    for name in split.train.table.column_names:
        if name not in known and split.has(name):
            codes = split.codes(name)
            yield name, f"column {name!r}", codes
            if name in contract.key and not codes.numeric:
                yield from _parts(name, codes)
    if contract.event_time is not None:
        yield from _clock(split, contract.event_time)


def _parts(name: str, codes: Codes) -> Iterator[tuple[str, str, Codes]]:
    """The parts of a key such as ``UA1545-EWR-2013-01-01``, where nearly all keys have equally many."""
    seen = np.unique(codes.train[codes.train >= 0])
    levels = pa.array(codes.levels[seen], pa.string())
    marks = sorted({mark for mark in str(levels[0]) if not mark.isalnum()}) if len(levels) else []
    if not marks:
        return
    for mark in marks[1:]:
        levels = pc.replace_substring(levels, mark, marks[0])
    parts = pc.split_pattern(levels, marks[0])
    counts = np.asarray(pc.list_value_length(parts))
    usual = int(np.bincount(counts).argmax()) if counts.size else 0
    if not 2 <= usual <= _PARTS_MAXIMUM or (counts == usual).mean() < _PARTS_SHARE:
        return
    whole = counts == usual
    regular = parts.filter(pa.array(whole))
    for place in range(usual):
        part = pc.list_element(regular, place).dictionary_encode()
        again = np.full(len(codes.levels) + 1, -1, dtype=np.int64)
        again[seen[whole]] = part.indices.to_numpy()
        texts = np.array(part.dictionary.to_pylist(), dtype=object)
        yield name, f"part {place + 1} of {name!r}", Codes(texts, again[codes.train], again[codes.test])


def _clock(split: Split, name: str) -> Iterator[tuple[str, str, Codes]]:
    both = split.times(name)
    if both is None:
        return
    moments = [split.local(np.where(times == NO_TIME, 0, times)) for times in both]
    for what, size in (("hour", 24), ("dayofweek", 7)):
        train, test = (
            np.where(times == NO_TIME, -1, getattr(index, what).to_numpy()).astype(np.int64)
            for times, index in zip(both, moments, strict=True)
        )
        yield name, f"the {'weekday' if size == 7 else 'hour'} of {name!r}", Codes(np.arange(size), train, test)
