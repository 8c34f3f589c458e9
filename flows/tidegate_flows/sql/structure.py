"""What is wrong with a table's columns, in the words that a batch in memory would get."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import pyarrow as pa

from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.circumstances import NOTHING_KNOWN
from tidegate_contracts.clauses import Subject
from tidegate_contracts.clauses.volume import volume
from tidegate_contracts.contract import Contract
from tidegate_contracts.pandera_clauses import Asking
from tidegate_contracts.reasons import Broken
from tidegate_flows.sql.fit import Fit

_NOWHERE = Source("table", ".sql", "", 0)


def structure(fit: Fit, contract: Contract) -> list[Broken]:
    """What a batch with the table's columns and no rows breaks, held against the schema without its checks."""
    arrays, mismatches = {}, {}
    for name, column in fit.table.columns.items():
        declared = contract.column(name)
        target = declared.type.arrow if declared is not None else None
        fine = name not in fit.mismatches or contract.coerces(name)
        if not fine:
            mismatches[name] = fit.mismatches[name]
        kind = target if fine and target is not None else column.arrow
        arrays[name] = pa.array([], type=pa.null() if kind is None else kind)
    table = pa.table(arrays)
    batch = Batch(contract.name, "table", _NOWHERE, table, table, mismatches=mismatches)
    asking = Asking(batch, _without_rows(contract), {})
    unfit = [Broken("schema_mismatch", why, name, None) for name, why in mismatches.items()]
    return [*unfit, *(item for item in asking.answer(asking.question) if item.check == "schema_mismatch")]


def broken_volume(rows: int, contract: Contract) -> list[Broken]:
    """What is wrong with a number of rows."""
    table = pa.table({"row": pa.nulls(rows)})
    return [*volume(Subject(Batch(contract.name, "table", _NOWHERE, table, table), contract, NOTHING_KNOWN))]


def _without_rows(contract: Contract) -> Contract:
    """A contract of which only what it says of columns is left."""
    schema: Any = copy(contract.pandera_schema)
    schema.columns = {name: _bare(column) for name, column in schema.columns.items()}
    schema.checks, schema.coerce = [], False
    if hasattr(schema, "parsers"):
        schema.parsers = []
    return replace(contract, schema=schema)


def _bare(column: Any) -> Any:
    bare = copy(column)
    bare.checks, bare.coerce = [], False
    if hasattr(bare, "parsers"):
        bare.parsers = []
    return bare
