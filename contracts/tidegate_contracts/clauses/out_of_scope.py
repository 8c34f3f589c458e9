"""Rows that the model was not made for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.errors import MonitorError
from tidegate_contracts.identity import clause as words
from tidegate_contracts.pandera_clauses import dialect
from tidegate_contracts.reasons import Broken
from tidegate_contracts.types import ANY
from tidegate_contracts.whereabouts import whereabouts


@clause
def out_of_scope(subject: Subject) -> Iterator[Broken]:
    """Rows of which ``scope`` does not say True. It is asked about a frame of the schema's own kind.

    Raises:
        MonitorError: ``scope`` raised, or gave no truth value for each row.
    """
    scope, contract = subject.contract.scope, subject.contract
    if scope is None or not subject.batch.rows:
        return
    columns = _columns(subject)
    try:
        answer = _answer(scope, _frame(subject, columns))
    except Exception as error:  # whatever the user's function does, it is no verdict about the rows
        if contract.columns.keys() - contract.later_columns - columns.keys():
            return  # a column that it may want is not there or cannot be read, which is told under its own name
        found = type(error).__name__ + whereabouts(error, contract.path)
        raise MonitorError(f"the scope of contract {contract.name!r} raised", found=found) from error
    rows = np.flatnonzero(~_truth(answer, subject))
    if rows.size:
        yield Broken("out_of_scope", f"scope {_name(scope)}", None, rows)


def _columns(subject: Subject) -> dict[str, Any]:
    """The delivered columns, without what cannot be known yet."""
    found = {name: subject.values(name) for name in subject.batch.table.column_names}
    later = subject.contract.later_columns
    return {name: values for name, values in found.items() if values is not None and name not in later}


def _frame(subject: Subject, columns: dict[str, Any]) -> Any:
    """The rows as pandera is handed them."""
    known = {name: subject.contract.column(name) for name in columns}
    declared = {name: column.type if column is not None else ANY for name, column in known.items()}
    return dialect(subject.contract).frame_of(columns, declared, subject.batch.rows)


def _answer(scope: Any, frame: Any) -> Any:
    if not hasattr(scope, "statistics"):
        return scope(frame)
    answer = scope(frame.lazy() if hasattr(frame, "lazy") else frame).check_output  # a pandera check
    return answer.collect()["check_output"] if hasattr(answer, "collect") else answer


def _truth(answer: Any, subject: Subject) -> npt.NDArray[np.bool_]:
    """One truth value a row; what is missing is False."""
    if hasattr(answer, "to_pandas"):  # polars, arrow
        answer = answer.to_pandas()
    values = answer if isinstance(answer, pd.Series) else pd.Series(answer) if _is_list(answer) else None
    right = values is not None and len(values) == subject.batch.rows
    if values is not None and right and pd.api.types.infer_dtype(values, skipna=True) in ("boolean", "empty"):
        return np.asarray(values.astype("boolean").fillna(value=False).to_numpy(dtype=bool))
    raise MonitorError(
        f"the scope of contract {subject.contract.name!r} gave no truth value for each row",
        found=type(answer).__name__ if values is None else f"{len(values)} values of type {values.dtype}",
        allowed=f"True, False or missing, {subject.batch.rows} times",
    )


def _is_list(answer: Any) -> bool:
    return isinstance(answer, list | pa.Array) or (isinstance(answer, np.ndarray) and answer.ndim == 1)


def _name(scope: Any) -> str:
    """A pandera check in its own words, a function by its name."""
    return words(scope) if hasattr(scope, "statistics") else str(getattr(scope, "__name__", type(scope).__name__))
