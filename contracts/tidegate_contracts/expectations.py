"""Suites of Great Expectations: contracts out and in.

Nothing here imports Great Expectations: a suite is a document. What one side cannot say is listed, never dropped in
silence. One thing is meant differently and said nowhere: missing values are equal to each other here, and are
skipped by Great Expectations, where it looks for rows that stand twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import Dialect, dialect_of, is_pattern, levels_of
from tidegate_contracts.expectation import CATEGORIES, Expectation, Unchecked, compiled, key_rule
from tidegate_contracts.not_returned import not_returned
from tidegate_contracts.severity import Severity
from tidegate_contracts.sql_types import TYPE_NAMES
from tidegate_contracts.suite_draft import from_suite
from tidegate_contracts.suite_kept import Kept, default_of, type_name

__all__ = ["from_suite", "to_suite"]


def to_suite(contract: Contract) -> tuple[dict[str, Any], list[str]]:
    """A contract as a suite's document, and what the suite does not say.

    Columns that are known only later are left out, as they are when a batch is gated.
    """
    names = [name for name in contract.columns if name not in contract.later_columns]
    rows = compiled(contract, names)
    kept = Kept.of(contract, names)
    lost = [*_lost_structure(contract), *_lost_arguments(contract, kept), *(_told(item) for item in rows.unchecked)]
    lost += kept.lost
    said = [*_structure(contract, names), *(_document(item, contract) for item in rows.expectations)]
    document = {"name": contract.name, "expectations": said, "meta": {"tidegate": {"format": 1, **kept.meta}}}
    return document, [*lost, *not_returned(contract, lambda: from_suite(document), lost)]


def _document(item: Expectation, contract: Contract) -> dict[str, Any]:
    severity = contract.severity_of(item.check, Severity.WARNING if item.soft else Severity.CRITICAL, item.column)
    marks = {"soft": item.soft, "categories": item.rule == CATEGORIES, "key": item.rule == key_rule(contract)}
    meta = {"tidegate": {"check": item.check, "rule": item.rule, **{mark: True for mark in marks if marks[mark]}}}
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
            yield said("expect_column_values_to_be_in_type_list", arguments, dtype=type_name(contract, name))
    least, most = contract.volume if isinstance(contract.volume, tuple) else (0, None)
    bounds = {"min_value": max(least, contract.rows_min), **({} if most is None else {"max_value": most})}
    if most is not None or bounds["min_value"]:
        yield said("expect_table_row_count_to_be_between", bounds, "volume")


def _lost_structure(contract: Contract) -> Iterator[str]:
    schema = contract.pandera_schema
    if dialect_of(schema) is Dialect.POLARS:
        yield "dialect of pandera: the schema is for polars; it comes back as one for pandas, with the nearest types"
    if levels := levels_of(schema):
        yield f"schema.index: {', '.join(map(repr, levels))}: written as columns, not that they are an index"
    if schema.dtype is not None:
        yield "schema.dtype: written as the type of each column"
    if schema.strict and (contract.later_columns or schema.strict is not True):
        yield "strict: columns that are not declared are let through, because some declared ones come later"
    elif schema.ordered and not schema.strict:
        yield "ordered: an order is said only together with strict"
    for name, item in schema.columns.items():
        if is_pattern(item):
            yield f"column pattern {name!r}"
        elif not item.required:
            yield f"column {name!r}: not required: that it need not be there"
    for name in sorted(contract.later_columns):
        yield f"column {name!r}: it is known only later"


def _lost_arguments(contract: Contract, kept: Kept) -> Iterator[str]:
    """What is not applied by the suite; what says who, when and which is not either, but nobody would expect it."""
    said = {"name", "schema", "path", "severity", "rows_min", "volume", "scope", "references", "suppression"}
    said |= {"prediction_time", "population", "version", "owner", "contact", "reviewed_on", "waived"}
    said |= {"key", "event_time", "time_zone", "prediction", "slices"}
    for item in fields(contract):
        if item.name not in said and getattr(contract, item.name) != default_of(item) and item.name in kept.meta:
            yield f"{item.name}: kept in the suite's meta, but not applied there"
    if contract.volume == "learnt":
        yield "volume: learnt from references"


def _told(item: Unchecked) -> str:
    return f"{item.check}: {item.rule}{f' (column {item.column!r})' if item.column else ''}"
