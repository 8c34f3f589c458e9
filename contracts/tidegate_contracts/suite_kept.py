"""What a suite of Great Expectations has no place for, and keeps in its ``meta`` for the way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from tidegate_contracts.arguments import COLUMNS
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of
from tidegate_contracts.odcs.plain import NoForm, clean, plain
from tidegate_contracts.odcs.types import dtype_of_pandera
from tidegate_contracts.sql_types import TYPE_NAMES
from tidegate_contracts.suite_draft import KEPT, SCHEMA_FLAGS, SCHEMA_TEXTS


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept.

    Attributes:
        meta: It, as JSON values: arguments of the contract, and what is said of the schema and its columns.
        lost: What has no form there, one line each.
    """

    meta: dict[str, Any]
    lost: tuple[str, ...]

    @classmethod
    def of(cls, contract: Contract, names: Sequence[str]) -> Kept:
        """What a contract says besides expectations about some columns."""
        lost: list[str] = []
        meta = dict(_arguments(contract, names, lost))
        schema = contract.pandera_schema
        whole = _texts(schema) | {name: True for name in SCHEMA_FLAGS if getattr(schema, name, False) is True}
        whole |= _metadata("schema", schema.metadata, lost)
        columns = {name: _column(name, contract, lost) for name in names}
        meta |= {"schema": whole} if whole else {}
        meta |= {"columns": said} if (said := {name: item for name, item in columns.items() if item}) else {}
        lost += [f"schema.{name}" for name in ("drop_invalid_rows",) if getattr(schema, name, False)]
        return cls(meta, tuple(lost))


def default_of(item: Field[Any]) -> Any:
    """What an argument is where nobody says it."""
    return item.default_factory() if item.default_factory is not MISSING else item.default


def type_name(contract: Contract, name: str) -> str | None:
    """The name of a column's type in a contract file; None where it has none."""
    schema = contract.pandera_schema
    try:
        return dtype_of_pandera(fields_of(schema)[name].dtype if schema.dtype is None else schema.dtype).text
    except NoForm:
        return None


def _arguments(contract: Contract, names: Sequence[str], lost: list[str]) -> Iterator[tuple[str, Any]]:
    for item in fields(contract):
        value = getattr(contract, item.name)
        if item.name not in KEPT or value == default_of(item):
            continue
        named = [name for name in COLUMNS[item.name](value) if name not in names] if item.name in COLUMNS else []
        if named:
            lost.append(f"{item.name}: it names columns that are not in the suite: {', '.join(map(repr, named))}")
            continue
        try:
            yield item.name, plain(value)
        except NoForm as reason:
            lost.append(f"{item.name}: {reason} has no form in a document")


def _texts(said: Any) -> dict[str, Any]:
    return {name: clean(text) for name in SCHEMA_TEXTS if (text := getattr(said, name, None)) is not None}


def _metadata(where: str, metadata: Any, lost: list[str]) -> dict[str, Any]:
    found = {}
    for name, value in (metadata or {}).items():
        if not isinstance(name, str):
            lost.append(f"{where}: metadata {name!r}: this name has no form in a document")
            continue
        try:
            found[clean(name)] = plain(value)
        except NoForm as reason:
            lost.append(f"{where}: metadata {name!r}: {reason} has no form in a document")
    return {"metadata": found} if found else {}


def _column(name: str, contract: Contract, lost: list[str]) -> dict[str, Any]:
    field, where = fields_of(contract.pandera_schema)[name], f"column {name!r}"
    found = _texts(field) | ({"coerce": True} if field.coerce else {}) | _metadata(where, field.metadata, lost)
    declared = contract.columns[name].type
    text = type_name(contract, name)
    if text is None and contract.pandera_schema.dtype is None and field.dtype is not None:
        lost.append(f"{where}: the type {field.dtype} has no name in a suite")
    elif text is not None and declared.logical not in TYPE_NAMES:
        found |= {"dtype": text} | ({"ordered": True} if getattr(declared.native, "ordered", False) else {})
    return found
