"""How two schemas differ: their columns, and what they say of the table as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import dialect_of, levels_of
from tidegate_contracts.diff import demands, fields
from tidegate_contracts.diff.change import Change, Side, breaking, loosening, semantic, tightening, words
from tidegate_contracts.diff.demands import Demands
from tidegate_contracts.diff.fields import Declared, Place, declared, reworded
from tidegate_contracts.identity import describe_schema, strict_json


def changes(old: Contract, new: Contract, renamed: Mapping[str, str]) -> Iterator[Change]:
    """How the schema of one contract differs from another's.

    Args:
        old: The contract that was.
        new: The contract that is to be.
        renamed: The new names of columns that were only renamed.
    """
    before, after = declared(old), declared(new)
    schemas = old.pandera_schema, new.pandera_schema
    for place, item in before.items():
        if place in after:
            yield from _one(place, item, after[place], schemas)
        elif place[0] in renamed:
            yield breaking("column renamed", place[0], renamed[place[0]], renamed[place[0]])
        else:
            yield from fields.removed(place[0], item, schemas[1].strict)
    for place, item in after.items():
        if place not in before and place[0] not in renamed.values():
            yield from fields.added(place[0], item, schemas[0].strict)
    yield from _order(before, after, renamed, schemas)
    yield from _table(*schemas)


def _one(place: Place, old: Declared, new: Declared, schemas: tuple[Any, Any]) -> Iterator[Change]:
    """A column that both declare; if they say the same in other words, that."""
    found = list(fields.changes(place[0], old, new))
    yield from found
    before, after = (_said(place[0], schema) for schema in schemas)
    if not found and before != after:
        yield words("declaration", list(old.column.clauses), list(new.column.clauses), place[0])


def _said(name: str, schema: Any) -> Any:
    """All that a schema says of a column, as JSON values."""
    described = describe_schema(schema)
    names = [*schema.columns, *levels_of(schema)]
    return dict(zip(names, [*described["columns"], *described["index"]], strict=True)).get(name)


def _order(
    old: Mapping[Place, Declared], new: Mapping[Place, Declared], renamed: Mapping[str, str], schemas: tuple[Any, Any]
) -> Iterator[Change]:
    before = [renamed.get(name, name) for name, _ in old]
    after = [name for name, _ in new if name in set(before)]
    before = [name for name in before if name in set(after)]
    if before == after:
        return
    if schemas[0].ordered and schemas[1].ordered:
        yield breaking("order of columns", before, after)
    else:
        yield words("order of columns", before, after)


_FLAGS = {"ordered": tightening, "coerce": loosening, "unique_column_names": tightening}


def _table(old: Any, new: Any) -> Iterator[Change]:
    yield from _strict("strict", old, new)
    yield from _flags(_FLAGS, "", old, new)
    yield from _unique("unique", old.unique, new.unique)
    yield from demands.changes(Demands.of(old.checks), Demands.of(new.checks), None)
    if levels_of(old) and levels_of(new):
        yield from _strict("index: strict", old.index, new.index)
        yield from _flags({"ordered": tightening, "coerce": loosening}, "index: ", old.index, new.index)
        yield from _unique("index: unique", *(getattr(schema.index, "unique", None) for schema in (old, new)))
    if dialect_of(old) is not dialect_of(new):
        yield semantic("dialect of pandera", dialect_of(old).value, dialect_of(new).value, None, Side.CONSUMER)
    if old.description != new.description:
        yield reworded("description", old.description, new.description)
    if old.title != new.title:
        yield words("title", old.title, new.title)
    for name in ("metadata", "add_missing_columns", "drop_invalid_rows"):
        before, after = (strict_json(getattr(schema, name, None)) for schema in (old, new))
        if before != after:
            yield semantic(name, before, after)
    before, after = (fields.own_code(getattr(schema, "parsers", None)) for schema in (old, new))
    if before != after:
        yield semantic("parsers", before, after)


def _strict(what: str, old: Any, new: Any) -> Iterator[Change]:
    """``True`` refuses other columns; ``"filter"`` takes them and drops them."""
    before, after = getattr(old, "strict", False), getattr(new, "strict", False)
    if before == after:
        return
    if after is True:
        yield tightening(what, before, after)
    elif before is True:
        yield loosening(what, before, after)
    else:
        yield semantic(what, before, after)


def _flags(rising: Mapping[str, Any], where: str, old: Any, new: Any) -> Iterator[Change]:
    for name, becoming in rising.items():
        before, after = bool(getattr(old, name, False)), bool(getattr(new, name, False))
        if before is not after:
            leaving = loosening if becoming is tightening else tightening
            yield (becoming if after else leaving)(where + name, before, after)


def _unique(what: str, old: Any, new: Any) -> Iterator[Change]:
    """Columns that are unique together: the fewer they are, the more they promise."""
    before, after = (frozenset([names] if isinstance(names, str) else names or ()) for names in (old, new))
    if before == after:
        return
    said = (what, sorted(before) or None, sorted(after) or None)
    if not before or not after:
        yield (loosening if before else tightening)(*said)
        return
    if not after > before:
        yield tightening(*said)
    if not before > after:
        yield loosening(*said)
