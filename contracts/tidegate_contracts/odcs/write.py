"""A contract as a document of the standard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from datetime import timedelta
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import Dialect, dialect_of, fields_of, levels_of
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.identity import clause
from tidegate_contracts.not_returned import not_returned
from tidegate_contracts.odcs.checks import Rules
from tidegate_contracts.odcs.plain import PREFIX, NoForm, clean, plain
from tidegate_contracts.odcs.read import from_odcs
from tidegate_contracts.odcs.types import LOGICAL, UNTYPED, dtype_of_pandera
from tidegate_contracts.odcs.words import SCHEMA_FLAGS, SLA, WORDS, is_address
from tidegate_contracts.types import LogicalType, declared_type

API_VERSION = "v3.1.0"
"""What we write is valid by the JSON schemas of 3.1.0 and of 3.2.0."""

_HOMES = {"name", "version", "owner", "contact", "schema", "path", "key", "rows_min", "volume", "references", *SLA}
_REFERABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Written:
    """A contract as the standard says it.

    Attributes:
        document: The document.
        lost: What the contract says and the document cannot say, one line each.
    """

    document: dict[str, Any]
    lost: tuple[str, ...]


def to_odcs(contract: Contract) -> Written:
    """A contract as a document of the Open Data Contract Standard 3."""
    lost: list[str] = []
    description = _words(contract.pandera_schema.description)
    document = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": contract.name,
        "name": contract.name,
        "version": contract.version,
        "status": "active",
        "description": {"purpose": description} if description else None,
        "team": {"name": clean(contract.owner)},
        "support": [{"channel": clean(contract.contact)}] if contract.contact else [],
        "schema": [_table(contract, lost)],
        "slaProperties": list(_agreements(contract)),
        "customProperties": list(_customs(contract, lost)),
    }
    document = {key: value for key, value in document.items() if value not in ([], None)}
    lost += not_returned(contract, lambda: from_odcs(document), lost)
    return Written(document, tuple(lost))


def _agreements(contract: Contract) -> Iterator[dict[str, Any]]:
    for argument, word in SLA.items():
        duration = getattr(contract, argument)
        if duration is not None:
            value, unit = _measured(duration)
            element = {"element": f"{contract.name}.{clean(contract.event_time)}"} if contract.event_time else {}
            yield {"property": word, "value": value, "unit": unit, **element}


def _measured(duration: timedelta) -> tuple[int, str]:
    """A duration as a whole number of the largest unit that it is a multiple of."""
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if duration and duration % unit == timedelta(0):
            return duration // unit, name
    whole = duration % timedelta(seconds=1) == timedelta(0)
    return (duration // timedelta(seconds=1), "s") if whole else (duration // timedelta(microseconds=1), "us")


def _customs(contract: Contract, lost: list[str]) -> Iterator[dict[str, Any]]:
    """Arguments that the standard has no place for, where they differ from their defaults."""
    homes = _HOMES - ({"volume"} if contract.volume == "learnt" else set())
    homes -= set() if _are_referable(contract) else {"references"}
    for item in fields(contract):
        value = getattr(contract, item.name)
        if item.name in homes or value == _default(item):
            continue
        try:
            yield _property(PREFIX + item.name, value)
        except NoForm as reason:
            lost.append(f"{item.name}: {reason} has no form in a document")


def _default(item: Field[Any]) -> Any:
    return item.default_factory() if item.default_factory is not MISSING else item.default


def _property(name: str, value: Any) -> dict[str, Any]:
    return {"property": name, "value": plain(value)}


def _table(contract: Contract, lost: list[str]) -> dict[str, Any]:
    schema = contract.pandera_schema
    rules = [*_row_counts(contract), *_unique_together(schema)]
    for check in schema.checks:
        rules.append({"type": "text", "description": clean(clause(check))})
        lost.append(f"frame check {clean(clause(check))!r} has no form in a document")
    lost += _lost_of_table(schema)
    flags = [_property(PREFIX + name, value) for name in SCHEMA_FLAGS if (value := getattr(schema, name))]
    table = {
        "name": contract.name,
        "businessName": _words(schema.title),
        "logicalType": "object",
        "physicalType": "table",
        "description": _words(schema.description),
        "properties": [_column(name, contract, lost) for name in fields_of(schema)],
        "relationships": [_relationship(contract.name, key) for key in contract.references]
        if _are_referable(contract)
        else [],
        "quality": rules,
        "customProperties": [*flags, *_metadata("schema", schema.metadata, lost, words=())],
    }
    return {key: value for key, value in table.items() if value not in (None, [])}


def _lost_of_table(schema: Any) -> Iterator[str]:
    """What a schema says of a table as a whole, and a document has no place for."""
    if levels := levels_of(schema):
        yield f"schema.index: {', '.join(map(repr, levels))}: written as columns, not that they are an index"
    if dialect_of(schema) is Dialect.POLARS:
        yield "dialect of pandera: the schema is for polars; it comes back as one for pandas, with the nearest types"
    if schema.dtype is not None:
        yield "schema.dtype: written as the type of each column"
    for name in ("parsers", "drop_invalid_rows"):
        if getattr(schema, name, None):
            yield f"schema.{name}: the standard has no place for it"


def _words(text: object) -> str | None:
    return None if text is None else clean(str(text))


def _row_counts(contract: Contract) -> Iterator[dict[str, Any]]:
    rule = {"type": "library", "metric": "rowCount"}
    yield {**rule, "mustBeGreaterOrEqualTo": contract.rows_min}
    if isinstance(contract.volume, tuple):
        low, high = contract.volume
        yield {**rule, **({"mustBe": low} if low == high else {"mustBeBetween": [low, high]})}


def _unique_together(schema: Any) -> Iterator[dict[str, Any]]:
    together = schema.unique or []
    if together:
        names = [together] if isinstance(together, str) else list(together)
        arguments = {"properties": plain(names)}
        yield {"type": "library", "metric": "duplicateValues", "arguments": arguments, "mustBe": 0}


def _are_referable(contract: Contract) -> bool:
    """Whether the names in all references are such that the standard can write them."""
    names = [name for key in contract.references for name in (*key.columns, *key.key)]
    return all(_REFERABLE.fullmatch(name) for name in names)


def _relationship(table: str, key: ForeignKey) -> dict[str, Any]:
    other = re.sub(r"\W|^(?=\d)", "_", key.table.rsplit("/", 1)[-1].split(".")[0], flags=re.ASCII) or "_"
    origin = [f"{table}.{name}" for name in key.columns]
    target = [f"{other}.{name}" for name in key.key]
    one = len(origin) == 1
    return {
        "type": "foreignKey",
        "from": origin[0] if one else origin,
        "to": target[0] if one else target,
        "customProperties": [_property(PREFIX + "table", key.table)],
    }


def _column(name: str, contract: Contract, lost: list[str]) -> dict[str, Any]:
    schema = contract.pandera_schema
    column, where = fields_of(schema)[name], f"column {name!r}"
    dtype = column.dtype if schema.dtype is None else schema.dtype
    logical = declared_type(dtype).logical
    rules = Rules(logical, options=_options(dtype, logical))
    for check in column.checks:
        rules.add(check)
    lost += [f"{where}: the check {text!r} has no form in a document" for text in rules.lost]
    customs = [
        *_flags(where, column, lost),
        *_categories(where, dtype, lost),
        *_metadata(where, column.metadata, lost),
    ]
    metadata = column.metadata or {}
    written = {
        "name": clean(name),
        "businessName": _words(column.title),
        "description": _words(column.description),
        "logicalType": LOGICAL[logical],
        "logicalTypeOptions": rules.ordered_options or None,
        "physicalType": _physical(dtype),
        "required": not column.nullable,
        "unique": True if column.unique else None,
        "primaryKey": True if name in contract.key else None,
        "primaryKeyPosition": contract.key.index(name) + 1 if name in contract.key else None,
        "classification": "personal" if metadata.get("personal") is True else None,
        "authoritativeDefinitions": _definitions(metadata),
        "quality": rules.quality,
        "customProperties": customs,
    }
    return {key: value for key, value in written.items() if value not in (None, [])}


def _physical(dtype: Any) -> str | None:
    try:
        return dtype_of_pandera(dtype).text or UNTYPED
    except NoForm:
        return None


def _options(dtype: Any, logical: LogicalType) -> dict[str, Any]:
    """What the standard says of a time's zone, and that a duration is one."""
    if logical is LogicalType.DURATION:
        return {"format": "duration"}
    if logical is not LogicalType.TIME:
        return {}
    zone = getattr(declared_type(dtype).arrow, "tz", None)
    return {"timezone": True, "defaultTimezone": str(zone)} if zone else {"timezone": False}


def _flags(where: str, column: Any, lost: list[str]) -> Iterator[dict[str, Any]]:
    """What pandera says of a column and the standard does not."""
    for name, usual in (("required", True), ("coerce", False), ("regex", False), ("default", None)):
        value = getattr(column, name, usual)
        if value is usual:
            continue
        try:
            yield _property(PREFIX + name, value)
        except NoForm as reason:
            lost.append(f"{where}: {name}: {reason} has no form in a document")
    if getattr(column, "parsers", None):
        lost.append(f"{where}: parsers have no form in a document")
    if getattr(column, "report_duplicates", "all") != "all":
        lost.append(f"{where}: report_duplicates has no form in a document")


def _categories(where: str, declared: Any, lost: list[str]) -> Iterator[dict[str, Any]]:
    try:
        dtype = dtype_of_pandera(declared)
    except NoForm as reason:
        lost.append(f"{where}: {reason} has no name in a document")
        return
    if dtype.categories is not None:
        yield _property(PREFIX + "categories", dtype.categories)
    if dtype.ordered:
        yield _property(PREFIX + "ordered", True)


def _definitions(metadata: Any) -> list[dict[str, Any]]:
    """A term that is an address is a definition of the standard's own."""
    term = metadata.get("term")
    return [{"url": clean(term), "type": "businessDefinition"}] if is_address(term) else []


def _metadata(
    where: str, metadata: Any, lost: list[str], *, words: tuple[str, ...] = WORDS
) -> Iterator[dict[str, Any]]:
    """Words that mean something here under our prefix, the others as they are."""
    ranks = {word: rank for rank, word in enumerate(words)}
    for name, value in sorted((metadata or {}).items(), key=lambda item: ranks.get(item[0], len(ranks))):
        if name == "personal" and value is True:
            continue
        if name == "term" and is_address(value):
            continue
        if not isinstance(name, str) or name.startswith(PREFIX):
            lost.append(f"{where}: metadata {name!r}: this name has no form in a document")
            continue
        try:
            yield _property(PREFIX + name if name in words else clean(name), value)
        except NoForm as reason:
            lost.append(f"{where}: metadata {name!r}: {reason} has no form in a document")
