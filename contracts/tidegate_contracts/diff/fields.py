"""What is declared of one column, and how it differs from what was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidegate_contracts.column import DRIFT_WORDS, Column
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of, is_pattern
from tidegate_contracts.diff import demands, types
from tidegate_contracts.diff.change import Change, Side, breaking, loosening, semantic, tightening, words
from tidegate_contracts.diff.demands import Demands
from tidegate_contracts.identity import code_of, json_value, strict_json
from tidegate_contracts.types import ANY

Place = tuple[str, bool]
"""A column's name, and whether it is a pattern."""

FLAGS = {"nullable": loosening, "unique": tightening, "required": tightening, "coerce": loosening}
"""What it is that a column's flag becomes true."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A column as its contract declares it.

    Attributes:
        field: The pandera column or level of the index.
        column: What it means.
        dtype: pandera's own name of its type; None where it declares none.
        expected: Whether a delivery without it is refused at the gate.
        drift: How much its drift matters.
    """

    field: Any
    column: Column
    dtype: str | None
    expected: bool
    drift: str

    def flag(self, name: str) -> bool:
        """One of :data:`FLAGS`; a level of an index is always required."""
        return bool(getattr(self.field, name, name == "required"))

    def likeness(self) -> tuple[Any, ...]:
        """What a column keeps when it is only renamed."""
        described = [json_value(check) for check in self.field.checks]
        return (
            (str(self.column.type), self.dtype),
            tuple(self.flag(name) for name in FLAGS),
            self.column.description,
            repr(sorted(self.column.metadata.items(), key=repr)),
            repr(described),
        )


def declared(contract: Contract) -> dict[Place, Declared]:
    """All that a contract declares like a column, in declared order."""
    schema, found = contract.pandera_schema, {}
    usual = contract.severity.get("drift", "warning")
    for name, field in fields_of(schema).items():
        column = contract.columns.get(name) or Column.of_pandera(name, field, schema.dtype)
        expected = bool(getattr(field, "required", True)) and name not in contract.later_columns
        dtype = schema.dtype if schema.dtype is not None else field.dtype
        text = None if dtype is None else str(dtype)
        found[name, is_pattern(field)] = Declared(field, column, text, expected, column.drift or usual)
    return found


def renames(old: dict[Place, Declared], new: dict[Place, Declared]) -> dict[str, str]:
    """Columns that are gone, and those that came instead: alike in all but the name, and like no other."""
    gone = {place: old[place].likeness() for place in old.keys() - new.keys() if not place[1]}
    came = {place: new[place].likeness() for place in new.keys() - old.keys() if not place[1]}
    return {
        place[0]: next(other[0] for other in came if came[other] == likeness)
        for place, likeness in gone.items()
        if list(gone.values()).count(likeness) == 1 == list(came.values()).count(likeness)
    }


def added(name: str, item: Declared, old_strict: Any) -> Iterator[Change]:
    """A column that was not declared."""
    said = (f"{_noun(item)} added", None, _said(item), name)
    if item.expected:
        yield breaking(*said, Side.PRODUCER)
        return
    if old_strict is True:  # a delivery with it was refused
        yield loosening(*said)
    if old_strict is not True or is_pattern(item.field):  # a delivery with it was not looked at so closely
        yield tightening(*said)


def removed(name: str, item: Declared, new_strict: Any) -> Iterator[Change]:
    """A column that is declared no more: readers lose it, and a strict contract refuses who still sends it."""
    yield breaking(
        f"{_noun(item)} removed", _said(item), None, name, Side.BOTH if new_strict is True else Side.CONSUMER
    )


def changes(name: str, old: Declared, new: Declared) -> Iterator[Change]:
    """How a column that both contracts declare differs."""
    if ANY in (old.column.type, new.column.type) and old.dtype != new.dtype:  # none, or one we know but by its name
        change = tightening if old.dtype is None else loosening if new.dtype is None else breaking
        yield change("type", old.dtype, new.dtype, name)
    else:
        yield from types.changes(old.column.type, new.column.type, name)
    for flag, rising in FLAGS.items():
        before, after = old.flag(flag), new.flag(flag)
        if before is not after:
            falling = loosening if rising is tightening else tightening
            yield (rising if after else falling)(flag, before, after, name)
    if old.flag("unique") and new.flag("unique"):
        yield from _duplicates(name, old.field, new.field)
    yield from demands.changes(Demands.of(old.field.checks), Demands.of(new.field.checks), name)
    yield from _meaning(name, old, new)


def _duplicates(name: str, old: Any, new: Any) -> Iterator[Change]:
    before, after = (str(getattr(field, "report_duplicates", "all")) for field in (old, new))
    if before == after:
        return
    if after == "all":
        yield tightening("report_duplicates", before, after, name)
    elif before == "all":
        yield loosening("report_duplicates", before, after, name)
    else:
        yield semantic("report_duplicates", before, after, name)


def _meaning(name: str, old: Declared, new: Declared) -> Iterator[Change]:
    """What a column means, and what may be done with it."""
    if old.column.description != new.column.description:
        yield reworded("description", old.column.description, new.column.description, name)
    if old.field.title != new.field.title:
        yield words("title", old.field.title, new.field.title, name)
    before, after = old.column.metadata, new.column.metadata
    for key in sorted({*before, *after}, key=str):
        if strict_json(before.get(key)) == strict_json(after.get(key)) and (key in before) is (key in after):
            continue
        said = (str(key), before.get(key), after.get(key), name)
        if key == "available":
            yield _available(said, old.column.available, new.column.available)
        elif key == "drift":
            yield _drift(said, old.drift, new.drift)
        else:
            yield semantic(*said, _SIDES.get(str(key), Side.BOTH))
    for part in ("parsers", "default"):
        said = (part, own_code(getattr(old.field, part, None)), own_code(getattr(new.field, part, None)), name)
        if said[1] != said[2]:
            yield semantic(*said)


_SIDES = {"personal": Side.CONSUMER, "purpose": Side.CONSUMER}
"""Whom other metadata break: who reads a column must know whether it is personal, and for what it may be read."""


def _available(said: tuple[str, Any, Any, str], old: timedelta, new: timedelta) -> Change:
    if old == new:
        return words(*said)
    return loosening(*said) if new > old else tightening(*said)


def _drift(said: tuple[str, Any, Any, str], old: str, new: str) -> Change:
    if old == new:
        return words(*said)
    return loosening(*said) if DRIFT_WORDS.index(new) > DRIFT_WORDS.index(old) else tightening(*said)


def reworded(what: str, old: str | None, new: str | None, column: str | None = None) -> Change:
    """A text that describes something: words alone, if it was missing or only case and punctuation differ."""
    if not old or _letters(old) == _letters(new or ""):
        return words(what, old, new, column)
    return semantic(what, old, new, column)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def own_code(value: Any) -> Any:
    """A default, or parsers by their code, as JSON."""
    if isinstance(value, list):
        return [[parser.name, *code_of(getattr(parser, "_parser_fn", parser), set())] for parser in value]
    return strict_json(value)


def _noun(item: Declared) -> str:
    return "pattern of columns" if is_pattern(item.field) else "column"


def _said(item: Declared) -> str:
    required = "" if item.flag("required") else ", optional"
    return f"{item.column.type}{', nullable' if item.flag('nullable') else ''}{required}"
