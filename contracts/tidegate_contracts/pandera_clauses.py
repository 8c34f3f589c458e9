"""What pandera says of a batch, in our words: its errors become broken clauses here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts import pandas_dialect, polars_dialect
from tidegate_contracts.batch import Batch
from tidegate_contracts.check_name import check_name
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import Dialect, dialect_of
from tidegate_contracts.errors import MonitorError
from tidegate_contracts.failure import Failure
from tidegate_contracts.identity import clause
from tidegate_contracts.question import Question, only_warns
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import ANY, DeclaredType

MISSING = "missing column"
_ABSENCE = ("KeyError", "AttributeError", "ColumnNotFoundError")


def dialect(contract: Contract) -> Any:
    """The module that speaks the dialect of a contract's schema."""
    return polars_dialect if dialect_of(contract.pandera_schema) is Dialect.POLARS else pandas_dialect


@dataclass(frozen=True, slots=True)
class Asking:
    """One delivery before pandera.

    Attributes:
        batch: The delivery.
        contract: What was promised.
        blamed: Cells that cannot be handed to pandera and have their reason already, by column.
    """

    batch: Batch
    contract: Contract
    blamed: Mapping[str, Broken]

    @property
    def question(self) -> Question:
        """What is asked at first."""
        unfit = self.contract.later_columns | self.batch.mismatches.keys()
        return Question.of(self.contract, self.batch.table.column_names, unfit)

    def answer(self, question: Question) -> list[Broken]:
        """The clauses that are broken.

        Raises:
            MonitorError: A check or parser of the user's raised: no verdict.
        """
        speak, contract = dialect(self.contract), self.contract
        columns = {name: self.batch.table.column(name) for name in question.columns}
        frame = speak.frame_of(columns, {name: self._declared(name) for name in columns}, self.batch.rows)
        try:
            failures, result = speak.ask(question, frame)
        except Exception as error:
            raise MonitorError(
                f"the schema of contract {contract.name!r} raised", found=type(error).__name__
            ) from error
        found = [self._broken(failure, frame, question) for failure in failures]
        merged = _merged(_spared(item, self.blamed) for item in found if item is not None)
        return [*merged, *self._changed(frame, result, question, failed=bool(failures)), *self._levels(frame, question)]

    def _declared(self, name: str) -> DeclaredType:
        known = self.contract.column(name)
        return known.type if known is not None else ANY

    def _changed(self, frame: Any, result: Any, question: Question, *, failed: bool) -> list[Broken]:
        """What a parser or default of the schema would change: the verdict would be on other values than published."""
        if not question.transforms:
            return []
        if failed:  # pandera keeps the frame to itself then
            failures, result = dialect(self.contract).ask(question.of_parsers(), frame)
            if failures:
                return []
        names = dialect(self.contract).changed(frame, result)
        if names is None:
            return [Broken("schema_mismatch", "a parser of the schema adds, drops or moves rows", None, None)]
        rule = "a parser or default of the schema changes values"
        return [Broken("schema_mismatch", rule, name, None) for name in names]

    def _levels(self, frame: Any, question: Question) -> list[Broken]:
        """Rows that share the levels of an index which must be unique together."""
        unique = getattr(self.contract.pandera_schema.index, "unique", None)
        names = [unique] if isinstance(unique, str) else unique if isinstance(unique, list) else []
        if not names or not question.asks_rows or not set(names) <= set(question.levels):
            return []
        rows = dialect(self.contract).duplicated(frame, names)
        return [Broken("duplicate_rows", f"unique({', '.join(names)})", None, rows)] if rows.size else []

    def _broken(self, failure: Failure, frame: Any, question: Question) -> Broken | None:
        """One failure as one broken clause; None for a check that waits for a column that is not there.

        Raises:
            MonitorError: The check raised.
        """
        from pandera.errors import SchemaErrorReason as Reason

        reason, column, rows = failure.reason, failure.column, failure.rows
        if reason is Reason.CHECK_ERROR:
            self._raised(failure, frame)
            return None
        if reason in _structure():
            name = failure.words if column is None and failure.words is not None else column
            return Broken("schema_mismatch", _structure()[reason].format(failure=failure), name, None)
        if reason is Reason.SERIES_CONTAINS_DUPLICATES and column is not None and column in frame:
            keep = getattr(failure.schema, "report_duplicates", "all")
            return self._doubled("unique", column, frame, [column], keep)
        if reason is Reason.DUPLICATES:
            unique = list(question.schema.unique)
            return self._doubled(f"unique({', '.join(unique)})", None, frame, unique, failure.schema.report_duplicates)
        if reason is Reason.SERIES_CONTAINS_NULLS:
            return Broken("missing_values", "not nullable", column, rows)
        if reason is Reason.DATAFRAME_CHECK:
            soft = only_warns(failure.check)
            name = check_name(failure.check, self.contract, column)
            severity = Severity.WARNING if soft else Severity.CRITICAL
            return Broken(name, clause(failure.check), column, rows, severity, not soft, of_all_rows=rows is None)
        return Broken("schema_mismatch", f"pandera: {reason.name.lower()}", column, rows)

    def _doubled(self, rule: str, column: str | None, frame: Any, names: list[str], keep: str) -> Broken:
        """Rows that share values which should be unique; missing values are equal to each other."""
        found = dialect(self.contract).duplicated(frame, names, keep)
        if not found.size:  # a parser of the schema made them equal: the table is to blame
            return Broken("duplicate_rows", rule, column, None, of_all_rows=True)
        spared = reduce(without, [self.blamed.get(name) for name in names], found)
        return Broken("duplicate_rows", rule, column, spared)

    def _raised(self, failure: Failure, frame: Any) -> None:
        """A check that raised is our failure or the user's, never a violation; unless it waits for an absent column.

        Raises:
            MonitorError: It does not.
        """
        kind, _, words = str(failure.words).partition("(")
        absent = self.contract.columns.keys() - set(frame.columns)
        named = any(f"'{name}'" in words or f'"{name}"' in words for name in absent)
        if failure.column is None and kind in _ABSENCE and named:
            return
        raise MonitorError(
            f"a check of contract {self.contract.name!r} raised",
            found=f"{clause(failure.check)} on {failure.column or 'the table'}: {kind}",
            hint="a check answers True or False for every batch; run it on this one to see what it cannot take",
        )


@cache
def _structure() -> dict[Any, str]:
    """Pandera's structural reasons in our words; a function, because importing pandera costs most of a second."""
    from pandera.errors import SchemaErrorReason as Reason

    return {
        Reason.WRONG_DATATYPE: "found type {failure.words}, expected {failure.schema.dtype}",
        Reason.COLUMN_NOT_IN_DATAFRAME: MISSING,
        Reason.COLUMN_NOT_IN_SCHEMA: "column not declared by the contract",
        Reason.COLUMN_NOT_ORDERED: "column out of the declared order",
        Reason.DUPLICATE_COLUMN_LABELS: "column name appears twice",
    }


def _spared(item: Broken, blamed: Mapping[str, Broken]) -> Broken:
    """A clause without the rows whose cell in its column has its reason already."""
    other = blamed.get(item.column) if item.column is not None else None
    return item if other is None or item.rows is None else replace(item, rows=without(item.rows, other))


def without(rows: npt.NDArray[np.int64], other: Broken | None) -> npt.NDArray[np.int64]:
    """Rows less those that another clause blames."""
    return rows if other is None or other.rows is None else np.setdiff1d(rows, other.rows)


def _merged(broken: Iterable[Broken]) -> list[Broken]:
    """Clauses that pandera reports in several errors (one a column) as one."""
    seen: dict[tuple[str, str, str | None, bool], Broken] = {}
    for item in broken:
        place = (item.check, item.rule, item.column, item.rows is None)
        other = seen.get(place)
        if other is None or other.rows is None or item.rows is None:
            seen[place] = item
        else:
            seen[place] = replace(item, rows=np.union1d(other.rows, item.rows))
    return [item for item in seen.values() if item.rows is None or item.rows.size]
