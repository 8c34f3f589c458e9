"""A contract that hardly any wrong value would break."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tidegate_contracts.column import Column
from tidegate_contracts.contract import Contract
from tidegate_contracts.identity import describe_schema, json_value
from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import LogicalType
from tidegate_contracts.violation import Violation


@asks("a check beyond the type on every column")
def vacuous_contract(subject: Subject) -> Iterator[Violation]:
    """A column has no check, which warns; critical where more than half of all columns have none.

    That a column may not be missing is what pandera assumes of every column, and so counts for nothing.
    """
    columns = subject.columns
    checked = _checked_elsewhere(subject.contract)
    bare = [
        name
        for name, column in columns.items()
        if name not in checked and not _has_check(column, subject.pandera(name))
    ]
    if 2 * len(bare) > len(columns):
        message = f"{len(bare)} of {len(columns)} columns have no check beyond their type; wrong values would pass"
        yield subject.violation("vacuous_contract", message)
    for name in bare:
        message = "no check beyond its type; declare a range, a pattern, a length or the allowed values"
        yield subject.violation("vacuous_contract", message, name, default=Severity.WARNING)


def _has_check(column: Column, declared: Any) -> bool:
    """Whether a column has a check of its own; a boolean's type says all that can be said of its values."""
    categories = getattr(column.type.native, "categories", None)
    return (
        bool(declared.checks)
        or bool(declared.unique)
        or column.type.logical is LogicalType.BOOLEAN
        or (categories is not None and len(categories) > 0)
    )


def _checked_elsewhere(contract: Contract) -> frozenset[str]:
    """Columns that are checked by an argument of the contract, or named by a check of the table or by the scope."""
    names = {*contract.key, *(contract.pandera_schema.unique or ()), *contract.population, *contract.standardised}
    names.update(name for reference in contract.references for name in reference.columns)
    roles = {contract.prediction_time, contract.suppression.column if contract.suppression else None}
    roles |= {contract.model_version, *(contract.score_columns if isinstance(contract.score, tuple) else ())}
    roles.add(contract.event_time)  # its age is asked for by no_freshness_promise and no_season_policy
    if contract.classes:
        roles |= {contract.label, contract.prediction}
    source = _source(contract)
    named = {name for name in contract.columns if re.search(rf"\b{re.escape(name)}\b", source)}
    return frozenset(names | named | {name for name in roles if name is not None})


def _source(contract: Contract) -> str:
    """What checks of the table and the scope say, with the source of their code."""
    told = describe_schema(contract.pandera_schema)["checks"], json_value(contract.scope)
    return json.dumps(told, ensure_ascii=False, default=str)
