"""Suites of Great Expectations: contracts out and in.

Nothing here imports Great Expectations: a suite is a document. What one side cannot say is listed, never dropped in
silence. One thing is meant differently and said nowhere: missing values are equal to each other here, and are
skipped by Great Expectations, where it looks for rows that stand twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from datetime import date
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import Dialect, dialect_of, is_pattern
from tidegate_contracts.expectation import Expectation, Unchecked, compiled
from tidegate_contracts.severity import Severity
from tidegate_contracts.sql_types import TYPE_NAMES
from tidegate_contracts.suite_draft import KEPT, from_suite

__all__ = ["from_suite", "to_suite"]


def to_suite(contract: Contract) -> tuple[dict[str, Any], list[str]]:
    """A contract as a suite's document, and what the suite does not say.

    Columns that are known only later are left out, as they are when a batch is gated.
    """
    names = [name for name in contract.columns if name not in contract.later_columns]
    rows = compiled(contract, names)
    lost = [*_lost_structure(contract), *_lost_arguments(contract), *(_told(item) for item in rows.unchecked)]
    said = [*_structure(contract, names), *(_document(item, contract) for item in rows.expectations)]
    kept = {name: value for name in KEPT if (value := getattr(contract, name))}
    kept = {name: [*value] if isinstance(value, tuple) else value for name, value in kept.items()}
    document = {"name": contract.name, "expectations": said, "meta": {"tidegate": {"format": 1, **kept}}}
    return document, lost


def _document(item: Expectation, contract: Contract) -> dict[str, Any]:
    severity = contract.severity_of(item.check, Severity.WARNING if item.soft else Severity.CRITICAL, item.column)
    meta = {"tidegate": {"check": item.check, "rule": item.rule}}
    arguments = {name: _plain(value) for name, value in item.arguments.items()}
    return {"type": item.kind, "kwargs": arguments, "meta": meta, "severity": severity.value}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _structure(contract: Contract, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is said of columns and of the number of rows."""
    schema, severity = contract.pandera_schema, contract.severity_of("schema_mismatch", Severity.CRITICAL).value

    def said(kind: str, arguments: dict[str, Any], check: str = "schema_mismatch", **more: Any) -> dict[str, Any]:
        word = severity if check == "schema_mismatch" else contract.severity_of(check, Severity.CRITICAL).value
        meta = {"tidegate": {"check": check, **more}}
        return {"type": kind, "kwargs": arguments, "meta": meta, "severity": word}

    if schema.strict is True and not contract.later_columns:
        if schema.ordered:
            yield said("expect_table_columns_to_match_ordered_list", {"column_list": [*names]})
        else:
            yield said("expect_table_columns_to_match_set", {"column_set": [*names], "exact_match": True})
    for name in names:
        if getattr(schema.columns.get(name), "required", True):
            yield said("expect_column_to_exist", {"column": name})
        declared = contract.columns[name].type
        if declared.logical in TYPE_NAMES:
            arguments = {"column": name, "type_list": [*TYPE_NAMES[declared.logical]]}
            yield said("expect_column_values_to_be_in_type_list", arguments, dtype=str(declared))
    least, most = contract.volume if isinstance(contract.volume, tuple) else (0, None)
    bounds = {"min_value": max(least, contract.rows_min), **({} if most is None else {"max_value": most})}
    if most is not None or bounds["min_value"]:
        yield said("expect_table_row_count_to_be_between", bounds, "volume")


def _lost_structure(contract: Contract) -> Iterator[str]:
    schema = contract.pandera_schema
    if dialect_of(schema) is Dialect.POLARS:
        yield "the schema is written for polars; the suite comes back as one for pandas"
    if schema.strict and (contract.later_columns or schema.strict is not True):
        yield "strict: columns that are not declared are let through, because some declared ones come later"
    elif schema.ordered and not schema.strict:
        yield "ordered: an order is said only together with strict"
    for name, item in schema.columns.items():
        if is_pattern(item):
            yield f"column pattern {name!r}"
        elif not item.required:
            yield f"column {name!r}: that it need not be there"
    for name in sorted(contract.later_columns):
        yield f"column {name!r}: it is known only later"


def _lost_arguments(contract: Contract) -> Iterator[str]:
    said = {"name", "schema", "path", "severity", "rows_min", "volume", "scope", "references", "suppression"}
    said |= {"prediction_time", "population", *KEPT} - {"tolerance"}
    for item in fields(contract):
        default = item.default_factory() if item.default_factory is not MISSING else item.default
        if item.name not in said and getattr(contract, item.name) != default:
            kept = ": kept in the suite's meta, but not applied there" if item.name in KEPT else ""
            yield f"{item.name}{kept}"
    if contract.volume == "learnt":
        yield "volume: learnt from references"


def _told(item: Unchecked) -> str:
    return f"{item.check}: {item.rule}{f' (column {item.column!r})' if item.column else ''}"
