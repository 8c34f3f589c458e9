"""Draft a contract from data: types, ranges with head-room, categories, shapes, keys, and what columns may be for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.compute as pc

from tidegate_contracts.draft import Argument, Draft, DraftColumn, Rule
from tidegate_contracts.errors import UsageError
from tidegate_contracts.guesses import roles
from tidegate_contracts.guesses.bounds import bounds
from tidegate_contracts.guesses.categories import categories, words_for_missing
from tidegate_contracts.guesses.dtype import OPEN, Form, Part, narrowest
from tidegate_contracts.guesses.evidence import Evidence
from tidegate_contracts.guesses.key import pair_key, single_keys
from tidegate_contracts.guesses.personal import suspicion
from tidegate_contracts.guesses.sentinel import split
from tidegate_contracts.guesses.shape import shape
from tidegate_contracts.types import LogicalType

_DISTINCT_OUTSIDE = 5
_TEXTS = 100_000
_DAYS = 7
_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class File:
    """One file of the dataset.

    Attributes:
        table: A ``pyarrow.Table``, as it was decoded.
        form: What its text may stand for.
        mixed: Columns with values of several kinds, whose type must be left open.
    """

    table: Any
    form: Form = Form.TYPED
    mixed: frozenset[str] = frozenset()


def infer(files: Sequence[File]) -> Draft:
    """What some files suggest that every batch of their dataset promises.

    The draft keeps what it was made from, but for values that look like faults, which it counts as ``outside``.

    Args:
        files: What was delivered; all are looked at, and each is taken for a batch of its own.

    Raises:
        UsageError: There are no rows or no columns.
    """
    rows = sum(file.table.num_rows for file in files)
    if not rows or not any(file.table.column_names for file in files):
        raise UsageError("nothing to draft from", found=f"{rows} rows in {len(files)} files", allowed="rows of data")
    evidence = [_evidence(name, files) for name in _names(files)]
    spans = _spans(roles.event_times(evidence))
    columns = [_column(item, spans) for item in evidence]
    known = [item for item, column in zip(evidence, columns, strict=True) if not column.outside]
    key, columns = _with_key(known, columns)
    arguments = (*key, *_times(evidence), *_purposes(columns))
    return Draft(len(files), rows, tuple(columns), arguments)


def _names(files: Sequence[File]) -> list[str]:
    return list(dict.fromkeys(name for file in files for name in file.table.column_names))


def _evidence(name: str, files: Sequence[File]) -> Evidence:
    having = [file for file in files if name in file.table.column_names]
    values = tuple(file.table.column(name) for file in having)
    if any(name in file.mixed for file in having):
        return Evidence(name, OPEN, values, len(files))
    dtype, values = narrowest([Part(part, file.form) for part, file in zip(values, having, strict=True)])
    return Evidence(name, dtype, values, len(files))


def _spans(times: Sequence[Evidence]) -> int:
    """How much head-room ranges need: what was seen on a few days tells little of the year."""
    return 1 if not times or roles.days(times[0]) >= _DAYS else 3


def _column(evidence: Evidence, spans: int) -> DraftColumn:
    why = suspicion(evidence)
    if why is not None:
        drafted = _bare(evidence, personal=True, notes=(f"personal data, because of {why}",))
    elif evidence.logical is LogicalType.TEXT:
        drafted = _text(evidence)
    elif evidence.logical in (LogicalType.INTEGER, LogicalType.NUMBER):
        drafted = _number(evidence, spans)
    elif evidence.dtype is OPEN:
        found = "nothing is there" if evidence.missing == evidence.rows else "its values are of no one simple type"
        drafted = _bare(evidence, notes=(f"the type is left open: {found}",))
    else:
        drafted = _bare(evidence)
    return replace(drafted, notes=(*drafted.notes, *_gaps(evidence)))


def _bare(evidence: Evidence, **more: Any) -> DraftColumn:
    return DraftColumn(
        evidence.name, evidence.dtype.source, nullable=evidence.missing > 0, required=evidence.everywhere, **more
    )


def _gaps(evidence: Evidence) -> tuple[str, ...]:
    notes = []
    if evidence.missing:
        share = evidence.missing / evidence.rows
        notes.append(f"may be missing: {evidence.missing} of {evidence.rows} rows ({share:.2g} of all)")
    if not evidence.everywhere:
        notes.append(f"need not be there: only {len(evidence.parts)} of {evidence.files} files have it")
    return tuple(notes)


def _text(evidence: Evidence) -> DraftColumn:
    words = words_for_missing(evidence)
    said = (f"{', '.join(map(repr, words))} may be a word for missing values",) if words else ()
    found = categories(evidence)
    if found is not None:
        return _bare(evidence, rules=(Rule("isin", (list(found),)),), notes=(f"these {len(found)} categories", *said))
    if evidence.distinct == 1:
        same = f"the same text in all {len(evidence.present)} rows that have one"
        return _bare(evidence, notes=(same, *said))
    pattern = shape(evidence.counts[0].slice(0, _TEXTS).to_pylist(), len(evidence.present))
    if pattern is None or not _holds(pattern, evidence):
        return _bare(evidence, notes=said)
    return _bare(evidence, rules=(Rule("str_matches", (pattern,)),), notes=("the shape of its text", *said))


def _holds(pattern: str, evidence: Evidence) -> bool:
    """Whether all texts have the shape that the first ones have."""
    return bool(pc.all(pc.match_substring_regex(evidence.counts[0], pattern)).as_py())


def _number(evidence: Evidence, spans: int) -> DraftColumn:
    found = split(evidence.numbers, seldom=_DISTINCT_OUTSIDE)
    rules, notes = bounds(evidence, found.numbers, spans)
    infinite = (f"infinite in {evidence.infinite} rows, which are left out",) if evidence.infinite and rules else ()
    outside = found.outside + (evidence.infinite if rules else 0)
    return _bare(evidence, rules=rules, outside=outside, notes=(*notes, *found.notes, *infinite))


def _with_key(
    evidence: Sequence[Evidence], columns: Sequence[DraftColumn]
) -> tuple[tuple[Argument, ...], list[DraftColumn]]:
    """The key, and the columns with the one that is unique."""
    alone = single_keys(evidence)
    if alone:
        others = ", ".join(repr(item.name) for item in alone[1:])
        note = "no value comes twice" + (f"; nor in {others}" if others else "")
        own = alone[0].name
        drafted = [replace(column, unique=True) if column.name == own else column for column in columns]
        return (Argument("key", (own,), note),), drafted
    pair = pair_key(evidence)
    if pair is not None:
        names = tuple(item.name for item in pair)
        return (Argument("key", names, "no pair of values comes twice"),), list(columns)
    return (), list(columns)


def _times(evidence: Sequence[Evidence]) -> tuple[Argument, ...]:
    times = roles.event_times(evidence)
    if not times:
        return ()
    first = times[0]
    others = ", ".join(repr(item.name) for item in times[1:])
    note = f"the likeliest of several times; others: {others}" if others else "the only time"
    found = [Argument("event_time", first.name, note, proposed=bool(first.missing) or not first.everywhere)]
    if getattr(first.dtype.declared.arrow, "tz", None) is None:
        found.append(Argument("time_zone", "UTC", "its times have no zone; say which one they are in", proposed=True))
    every = roles.cadence(first)
    if every is not None:
        found.append(Argument("cadence", every, f"the distance between the {first.files} files"))
    return tuple(found)


def _purposes(columns: Sequence[DraftColumn]) -> tuple[Argument, ...]:
    found = [
        Argument(name, candidate, "perhaps; nothing tells for certain", proposed=True)
        for name, candidates in (("prediction", roles.predictions(columns)), ("label", roles.labels(columns)))
        for candidate in candidates[:_CANDIDATES]
    ]
    few = roles.slices(columns)
    if few:
        found.append(Argument("slices", tuple(few), "few categories, worth watching one by one"))
    return tuple(found)
