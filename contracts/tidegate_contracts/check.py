"""Hold a batch against its contract: pandera lazily, with every reason of every failing row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate_contracts.batch import Batch
from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.circumstances import NOTHING_KNOWN, Circumstances
from tidegate_contracts.clauses import Subject, broken_clauses
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError
from tidegate_contracts.identity import clause
from tidegate_contracts.reasons import Broken, Keys, reasons_table
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import ANY, dtype_for, strange_categories, to_series
from tidegate_contracts.violation import Violation


@dataclass(frozen=True, slots=True)
class Checked:
    """What the contract says of a batch.

    Attributes:
        rows: How many rows were delivered.
        violations: One for each broken clause.
        failed: For each row, whether it broke any clause; shape (rows,).
        reasons: A ``pyarrow.Table`` of row, key, check, rule, column.
    """

    rows: int
    violations: tuple[Violation, ...]
    failed: npt.NDArray[np.bool_]
    reasons: Any

    @property
    def critical(self) -> bool:
        """Whether the batch as a whole broke its contract."""
        return any(violation.severity is Severity.CRITICAL for violation in self.violations)


def check(batch: Batch, contract: Contract, circumstances: Circumstances = NOTHING_KNOWN) -> Checked:
    """Hold a batch against its contract.

    Rows that fail are set aside up to the contract's tolerance; above it every row clause is critical. Structural
    breakage is always critical. What is left after setting rows aside is checked again, so that what is published
    has no finding of its own.

    Raises:
        MonitorError: A check of the contract raised; that is no violation.
    """
    checked, broken = _check_once(batch, contract, circumstances)
    if checked.critical or not checked.failed.any():
        return checked
    kept = batch.table.filter(~checked.failed)
    rest = replace(batch, table=kept, delivered=kept, unparsed={})
    again, broken_again = _check_once(rest, contract, circumstances)
    known = {(item.check, item.column) for item in broken if item.rows is None}
    fresh = [
        violation
        for violation, item in zip(again.violations, broken_again, strict=True)
        if (_sets_aside(item, contract) if item.rows is not None else (item.check, item.column) not in known)
    ]
    if not fresh:
        return checked
    # setting rows aside broke another clause (a frame check, the least number of rows): nothing can be published
    return Checked(checked.rows, (*checked.violations, *map(_critical, fresh)), checked.failed, checked.reasons)


def _check_once(batch: Batch, contract: Contract, circumstances: Circumstances) -> tuple[Checked, list[Broken]]:
    keys = Keys(batch.table, contract.key, personal=any(contract.columns[name].personal for name in contract.key))
    blamed = _blamed_cells(batch, contract)
    broken = [
        *_own_clauses(batch, contract, blamed),
        *_pandera_clauses(batch, contract, blamed),
        *broken_clauses(Subject(batch, contract, circumstances)),
    ]
    failed = np.zeros(batch.rows, dtype=bool)
    heavy = np.zeros(batch.rows, dtype=bool)
    blaming = [item for item in broken if item.rows is None or _sets_aside(item, contract)]
    for item in blaming:
        if item.rows is not None:
            failed[item.rows] = True
            if _severity(item, contract) is Severity.CRITICAL:
                heavy[item.rows] = True
    beyond = bool(heavy.sum() > math.floor(contract.tolerance * batch.rows + 1e-9))
    violations = tuple(_violation(item, batch, contract, keys, beyond=beyond) for item in broken)
    return Checked(batch.rows, violations, failed, reasons_table(blaming, keys)), broken


def _severity(item: Broken, contract: Contract) -> Severity:
    return contract.severity_of(item.check, item.default, item.column)


def _sets_aside(item: Broken, contract: Contract) -> bool:
    return item.promised or _severity(item, contract) is Severity.CRITICAL


def _violation(item: Broken, batch: Batch, contract: Contract, keys: Keys, *, beyond: bool) -> Violation:
    where = f"column {item.column!r}" if item.column else "the table"
    severity = _severity(item, contract)
    if item.rows is None:
        return Violation(item.check, item.rule, severity, f"{where}: {item.rule}", item.column)
    if severity is Severity.CRITICAL and not beyond:
        severity = Severity.WARNING
    count = len(item.rows)
    message = f"{where}: {count} of {batch.rows} rows ({count / batch.rows:.2%}) break {item.rule}"
    examples = tuple(key for key in keys.of(item.rows[:5]) if key is not None)
    return Violation(item.check, item.rule, severity, message, item.column, count, examples)


def _critical(violation: Violation) -> Violation:
    message = f"after setting rows aside, {violation.message}"
    return Violation(
        violation.check,
        violation.rule,
        Severity.CRITICAL,
        message,
        violation.column,
        violation.failed,
        violation.examples,
    )


def _blamed_cells(batch: Batch, contract: Contract) -> dict[str, Broken]:
    """Cells whose value cannot be handed to pandera, by column: they get this reason, and no other for that column."""
    found: dict[str, Broken] = {}
    for name in batch.table.column_names:
        column = contract.column(name)
        if column is None:
            continue
        if name in batch.unparsed:
            found[name] = Broken("schema_mismatch", f"text that is no {column.type}", name, batch.unparsed[name])
        elif name not in batch.mismatches:
            strange = strange_categories(batch.table.column(name), column.type)
            if strange.size:
                found[name] = Broken("category_change", "one of the declared categories", name, strange)
    return found


def _own_clauses(batch: Batch, contract: Contract, blamed: Mapping[str, Broken]) -> Iterator[Broken]:
    """What pandera cannot be asked: types that do not fit, cells it cannot be handed, the key."""
    for column, why in batch.mismatches.items():
        yield Broken("schema_mismatch", why, column, None)
    yield from (item for name, item in blamed.items() if name not in contract.later_columns)
    if contract.key and all(name in batch.table.column_names for name in contract.key):
        yield from _duplicate_keys(batch, contract, blamed)


def _duplicate_keys(batch: Batch, contract: Contract, blamed: Mapping[str, Broken]) -> Iterator[Broken]:
    schema = contract.pandera_schema
    alone = contract.key[0] if len(contract.key) == 1 else None
    if (alone is not None and schema.columns[alone].unique) or (
        schema.unique and set(schema.unique) == set(contract.key)
    ):
        return  # pandera says it already
    frame = batch.table.select(list(contract.key)).to_pandas()
    rows = np.flatnonzero(frame.duplicated(keep=False).to_numpy())
    for name in contract.key:
        rows = _without(rows, blamed.get(name))
    if rows.size:
        yield Broken("duplicate_rows", f"key ({', '.join(contract.key)}) identifies one row", alone, rows)


def _pandera_clauses(batch: Batch, contract: Contract, blamed: Mapping[str, Broken]) -> list[Broken]:
    import pandera.errors

    schema, frame = _prepared(batch, contract)
    try:
        result = schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        found = [_broken(error, frame, contract, blamed) for error in errors.schema_errors]
    except Exception as error:  # a parser or check of the user's raised: no verdict
        raise MonitorError(f"the schema of contract {contract.name!r} raised", found=type(error).__name__) from error
    else:
        return _changed(frame, result, contract)
    return _merged(_spared(item, blamed) for item in found if item is not None)


def _changed(frame: pd.DataFrame, result: pd.DataFrame, contract: Contract) -> list[Broken]:
    """What a parser or default of the schema would have changed: the verdict would be on other values than published.

    A schema's own ``coerce`` may change types; values must be the same.
    """
    if len(result) != len(frame) or not result.index.equals(frame.index):
        return [Broken("schema_mismatch", "a parser of the schema adds, drops or moves rows", None, None)]
    lenient = contract.pandera_schema.coerce
    return [
        Broken("schema_mismatch", "a parser or default of the schema changes values", str(name), None)
        for name in frame.columns.intersection(result.columns)
        if not (lenient or contract.coerces(str(name))) and not frame[name].equals(result[name])
    ]


def _spared(item: Broken, blamed: Mapping[str, Broken]) -> Broken:
    """A clause without the rows whose cell in its column has its reason already."""
    other = blamed.get(item.column) if item.column is not None else None
    return item if other is None or item.rows is None else replace(item, rows=_without(item.rows, other))


def _without(rows: npt.NDArray[np.int64], other: Broken | None) -> npt.NDArray[np.int64]:
    return rows if other is None or other.rows is None else np.setdiff1d(rows, other.rows)


def _prepared(batch: Batch, contract: Contract) -> tuple[Any, pd.DataFrame]:
    """The schema without what cannot be known yet, and the frame with the dtypes that it asks for."""
    schema = _expanded(contract.pandera_schema, batch.table.column_names)
    for part in (schema, *schema.columns.values()):
        part.drop_invalid_rows = False  # rows are set aside here, with their reasons, or not at all
    unfit = contract.later_columns | batch.mismatches.keys()
    absent = [name for name in schema.columns if name in unfit]
    if absent:
        schema = schema.remove_columns(absent)
    series = {}
    follow: dict[str, Any] = {}
    for name in batch.table.column_names:
        if name in unfit:
            continue
        known = contract.column(name)
        declared = known.type if known is not None else ANY
        values = batch.table.column(name)
        series[name] = to_series(values, declared)
        if name in schema.columns and dtype_for(values, declared) is not declared.native:
            follow[name] = {"dtype": dtype_for(values, declared)}
    if follow:
        schema = schema.update_columns(follow)
    if schema.unique and not set(schema.unique) <= series.keys():
        schema.unique = None  # rows are told apart by a column that is not there yet, or whose absence is told anyway
    return schema, pd.DataFrame(series, index=pd.RangeIndex(batch.rows))


def _expanded(schema: Any, names: list[str]) -> Any:
    """A copy of the schema in which a pattern stands as the delivered columns that it matches."""
    own, columns = copy(schema), {}
    for name, column in schema.columns.items():
        matched = [found for found in names if column.regex and re.match(name, found) and found not in schema.columns]
        for found in matched or [name]:
            columns[found] = copy(column)
            if matched:
                columns[found].set_name(found)
                columns[found].regex = False
    own.columns = columns
    return own


def _broken(error: Any, frame: pd.DataFrame, contract: Contract, blamed: Mapping[str, Broken]) -> Broken | None:
    """One of pandera's errors as one broken clause; None for a check that waits for a column that is not there.

    Raises:
        MonitorError: The check raised.
    """
    from pandera.errors import SchemaErrorReason

    reason = error.reason_code
    is_frame = type(error.schema).__name__ == "DataFrameSchema"
    column = None if is_frame else error.column_name
    if reason is SchemaErrorReason.CHECK_ERROR:
        if is_frame and _wants_absent_column(error, frame, contract):
            return None
        raise MonitorError(
            f"a check of contract {contract.name!r} raised",
            found=f"{clause(error.check)} on {column or 'the table'}: {str(error.failure_cases).partition('(')[0]}",
            hint="a check answers True or False for every batch; run it on this one to see what it cannot take",
        )
    if reason in _structure():
        name = error.failure_cases if column is None and isinstance(error.failure_cases, str) else column
        if isinstance(error.failure_cases, pd.DataFrame):  # never the values themselves
            return Broken("schema_mismatch", f"values that are no {error.schema.dtype}", name, None)
        return Broken("schema_mismatch", _structure()[reason].format(error=error), name, None)
    if reason is SchemaErrorReason.SERIES_CONTAINS_DUPLICATES and column in frame:
        return Broken("duplicate_rows", "unique", column, _duplicated(frame[[column]], error.schema))
    if reason is SchemaErrorReason.DUPLICATES:
        unique = list(contract.pandera_schema.unique)
        twice = _duplicated(frame[unique], error.schema)
        if twice is not None:
            twice = reduce(_without, [blamed.get(name) for name in unique], twice)
        return Broken("duplicate_rows", f"unique({', '.join(unique)})", None, twice)
    rows = _rows(error)
    if reason is SchemaErrorReason.SERIES_CONTAINS_NULLS:
        return Broken("missing_values", "not nullable", column, rows)
    if reason is SchemaErrorReason.DATAFRAME_CHECK:
        return Broken(_check_name(error.check, contract, column), clause(error.check), column, rows)
    return Broken("schema_mismatch", str(error).splitlines()[0], column, rows)


@cache
def _structure() -> dict[Any, str]:
    """Pandera's structural reasons in our words; a function, because importing pandera costs most of a second."""
    from pandera.errors import SchemaErrorReason as Reason

    return {
        Reason.WRONG_DATATYPE: "found type {error.failure_cases}, expected {error.schema.dtype}",
        Reason.COLUMN_NOT_IN_DATAFRAME: "missing column",
        Reason.COLUMN_NOT_IN_SCHEMA: "column not declared by the contract",
        Reason.COLUMN_NOT_ORDERED: "column out of the declared order",
        Reason.DUPLICATE_COLUMN_LABELS: "column name appears twice",
    }


def _wants_absent_column(error: Any, frame: pd.DataFrame, contract: Contract) -> bool:
    """Whether a table check failed for want of a declared column: a later one, or one whose absence is told anyway."""
    kind, _, words = str(error.failure_cases).partition("(")
    absent = contract.columns.keys() - set(frame.columns)
    return kind in ("KeyError", "AttributeError") and any(
        f"'{name}'" in words or f'"{name}"' in words for name in absent
    )


def _duplicated(frame: pd.DataFrame, schema: Any) -> npt.NDArray[np.int64] | None:
    """Duplicated rows, as the schema's ``report_duplicates`` counts them; missing values are equal to each other."""
    keep: Any = {"exclude_first": "first", "exclude_last": "last"}.get(schema.report_duplicates, False)
    rows = np.flatnonzero(frame.duplicated(keep=keep).to_numpy())
    return rows if rows.size else None  # a parser of the schema made them equal: the table is to blame


def _check_name(check: Any, contract: Contract, column: str | None) -> str:
    """The catalogue's name of a pandera check: its own where it has one, else by its kind."""
    if check.name in CATALOGUE:
        return str(check.name)
    if column is None:
        return "broken_invariant"
    if check.name == "isin":
        return "unknown_labels" if column == contract.label else "category_change"
    return "impossible_values"


def _rows(error: Any) -> npt.NDArray[np.int64] | None:
    """The positions of the rows that an error blames; None where it blames the table."""
    output = error.check_output
    if isinstance(output, pd.Series) and output.dtype == bool:
        return output.index[~output.to_numpy()].to_numpy(dtype=np.int64)
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame) or "index" not in cases or cases["index"].isna().all():
        return None
    return np.unique(cases["index"].dropna().to_numpy(dtype=np.int64))


def _merged(broken: Iterable[Broken]) -> list[Broken]:
    """Clauses that pandera reports in several errors (one a column) as one."""
    seen: dict[tuple[str, str, str | None, bool], Broken] = {}
    for item in broken:
        place = (item.check, item.rule, item.column, item.rows is None)
        other = seen.get(place)
        if other is None or other.rows is None or item.rows is None:
            seen[place] = item
        else:
            seen[place] = Broken(*place[:3], np.union1d(other.rows, item.rows))
    return [item for item in seen.values() if item.rows is None or item.rows.size]
