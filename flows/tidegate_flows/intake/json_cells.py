"""JSON lines, brought to the contract's types: numbers, booleans and strings keep their kinds, so "2" is not 2."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.types import DeclaredType, LogicalType, Reconciled, reconcile
from tidegate_flows.decoder.json_lines import KIND

_LITERAL = r"^(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false)$"
_WHOLE = r"^-?\d+$"
_TIMES = (LogicalType.TIME, LogicalType.DATE, LogicalType.DURATION)
_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER, LogicalType.BOOLEAN)


def kind_of(field: Any) -> str | None:
    """What a column of JSON text holds: ``text``, ``number`` or ``mixed``; None for a column with a type."""
    found = (field.metadata or {}).get(KIND)
    return found.decode() if found is not None else None


def undeclared(values: Any, kind: str | None) -> Any:
    """A column that the contract does not know: numbers as numbers where all survive, else as they came."""
    if kind != "number":
        return values
    numbers = values.cast(pa.float64())
    whole = pc.match_substring_regex(values, _WHOLE)  # beyond 2**53 floats leave integers out
    lost = pc.or_(pc.invert(pc.is_finite(numbers)), pc.and_(whole, pc.greater(pc.abs(numbers), 2.0**53 - 1)))
    return values if pc.any(lost).as_py() else numbers


def reconcile_json(values: Any, kind: str | None, declared: DeclaredType, time_zone: str | None) -> Reconciled:
    """Bring one column of JSON to its declared type; cells of another kind are the fault of their rows."""
    if kind is None:
        return reconcile(values, declared, time_zone=time_zone)
    if kind == "text":
        if declared.logical in _TIMES:
            return _parsed(values, values, declared, time_zone)
        return reconcile(values, declared, time_zone=time_zone)
    if declared.logical in _NUMBERS:
        cells = _only(values, pc.match_substring_regex(values, _LITERAL))
    elif declared.logical in (*_TIMES, LogicalType.TEXT):
        cells = _strings(values)
    else:
        return reconcile(undeclared(values, kind), declared, time_zone=time_zone)
    return _parsed(values, cells, declared, time_zone)


def _parsed(values: Any, cells: Any, declared: DeclaredType, time_zone: str | None) -> Reconciled:
    """Cells parsed as text; whatever was there and is missing now did not parse, words like NA too."""
    found = reconcile(cells, declared, text=True, time_zone=time_zone)
    lost = pc.and_(pc.is_valid(values), pc.is_null(found.values))
    positions = np.flatnonzero(np.asarray(lost))
    return replace(found, unparsed=positions if positions.size else None) if found.mismatch is None else found


def _only(values: Any, wanted: Any) -> Any:
    return pc.if_else(pc.fill_null(wanted, fill_value=False), values, pa.scalar(None, pa.string()))


def _strings(values: Any) -> Any:
    """The strings among cells of JSON, without their quotes and escapes."""
    import json

    def one(cell: str | None) -> str | None:
        found = json.loads(cell) if cell is not None and cell.startswith('"') else None
        return found if isinstance(found, str) else None

    return pa.chunked_array([pa.array([one(cell) for cell in values.to_pylist()], pa.string())])
