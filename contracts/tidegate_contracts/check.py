"""Hold a batch against its contract: pandera lazily, with every reason of every failing row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tidegate_contracts.batch import Batch
from tidegate_contracts.circumstances import NOTHING_KNOWN, Circumstances
from tidegate_contracts.clauses import Subject, broken_clauses
from tidegate_contracts.coercion import coerced
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError
from tidegate_contracts.pandera_clauses import MISSING, Asking, dialect, without
from tidegate_contracts.question import Question
from tidegate_contracts.reasons import Broken, Keys, reasons_table
from tidegate_contracts.rename import likely
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation, failing_rows

_MISSING_MAXIMUM = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """What the contract says of a batch.

    Attributes:
        rows: How many rows were delivered.
        violations: One for each broken clause.
        failed: For each row, whether it broke any clause; shape (rows,).
        reasons: A ``pyarrow.Table`` of row, key, check, rule, column.
        table: The rows as they were checked: as delivered, but for casts that lose nothing and for what the schema
            coerces itself; None for a batch that could not be read.
        inseparable: Whether the rows that broke no clause break one without the others, so that none can be published.
        dropped: Columns that the schema leaves out of what it gives (``strict="filter"``).
        casts: What was done to the representation of which column, no value being another one after.
        coerced: How many present values the schema's own ``coerce`` gave another type, by column.
    """

    rows: int
    violations: tuple[Violation, ...]
    failed: npt.NDArray[np.bool_]
    reasons: Any
    table: Any = field(default=None, repr=False)
    inseparable: bool = False
    dropped: tuple[str, ...] = ()
    casts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    coerced: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def critical(self) -> bool:
        """Whether the batch as a whole broke its contract."""
        return any(violation.severity is Severity.CRITICAL for violation in self.violations)

    @property
    def as_delivered(self) -> bool:
        """Whether every row and every value is published as it came."""
        return not (self.failed.any() or self.coerced or self.dropped)

    @property
    def publishable(self) -> Any:
        """The rows that broke no clause, as they were checked."""
        kept = self.table.drop_columns(list(self.dropped)) if self.dropped else self.table
        return kept.filter(pa.array(~self.failed)) if self.failed.any() else kept


def check(batch: Batch, contract: Contract, circumstances: Circumstances = NOTHING_KNOWN) -> Checked:
    """Hold a batch against its contract.

    Rows that fail are set aside up to the contract's tolerance; above it every row clause is critical. Structural
    breakage is always critical. What is left after setting rows aside is checked again for all that it could break
    anew, so that what is published has no finding of its own.

    Raises:
        MonitorError: A check of the contract raised; that is no violation.
    """
    batch, conversions = coerced(batch, contract)
    blamed = {**_strange_cells(batch, contract), **conversions.refused}
    asking = Asking(batch, contract, blamed)
    question = asking.question
    broken = [
        *_own_clauses(batch, contract, blamed),
        *conversions.told,
        *_with_hints(asking.answer(question), batch, contract),
        *broken_clauses(Subject(batch, contract, circumstances)),
    ]
    judged = held_against(batch, contract, broken)
    checked = replace(
        judged,
        table=batch.table,
        dropped=_filtered(batch, contract),
        casts=batch.casts,
        coerced=conversions.counts,
    )
    if checked.critical or not checked.failed.any():
        return checked
    kept = batch.table.filter(pa.array(~checked.failed))
    rest = replace(batch, table=kept, delivered=kept, unparsed={})
    whole = question.of_the_whole()
    again = [*broken_clauses(Subject(rest, contract, circumstances), of_all_rows=True)]
    if whole is not None:
        again += _asked_again(Asking(rest, contract, {}), whole)
    fresh = [item for item in again if _stops(item, contract)]
    if not fresh:
        return checked
    # setting rows aside broke another clause (a frame check, the least number of rows): nothing can be published
    more = map(_critical, held_against(rest, contract, fresh).violations)
    return replace(checked, violations=(*checked.violations, *more), inseparable=True)


def _filtered(batch: Batch, contract: Contract) -> tuple[str, ...]:
    """The columns that a schema with ``strict="filter"`` leaves out."""
    if contract.pandera_schema.strict != "filter":
        return ()
    return tuple(name for name in batch.table.column_names if contract.column(name) is None)


def _with_hints(broken: list[Broken], batch: Batch, contract: Contract) -> Iterator[Broken]:
    """Missing columns with the names that they may have come under; not where most are missing: it is another file."""
    missing = [item for item in broken if item.rule == MISSING and item.column in contract.columns]
    for item in broken:
        if item in missing and _is_one_cell(batch):
            yield replace(item, hint="the header is a single column; commas are expected between cells")
            continue
        name = None
        if item in missing and item.column is not None and len(missing) <= _MISSING_MAXIMUM:
            name = likely(batch, contract, item.column)
        yield item if name is None else replace(item, hint=f"column {name!r} looks like it, under another name")


def _is_one_cell(batch: Batch) -> bool:
    """Whether a text file was cut at another sign than a comma."""
    names = batch.table.column_names
    return "csv" in batch.source.suffix and len(names) == 1 and any(sign in names[0] for sign in ";\t|")


def _asked_again(asking: Asking, question: Question) -> list[Broken]:
    """What the rows that are left break; a check that raises without the others cannot vouch for them."""
    try:
        return asking.answer(question)
    except MonitorError as error:
        return [Broken("broken_invariant", f"{error.what} ({error.found})", None, None)]


def _stops(item: Broken, contract: Contract) -> bool:
    """Whether what is left, where the whole broke nothing critical, may not be published for a clause."""
    return _sets_aside(item, contract) if item.rows is not None else _severity(item, contract) is Severity.CRITICAL


def held_against(batch: Batch, contract: Contract, broken: list[Broken]) -> Checked:
    """Broken clauses as violations and reasons, with the severity that the tolerance gives them."""
    keys = Keys(batch.table, contract.key, personal=contract.has_personal_key)
    failed = np.zeros(batch.rows, dtype=bool)
    heavy = np.zeros(batch.rows, dtype=bool)
    blaming = [item for item in broken if _sets_aside(item, contract)]
    for item in blaming:
        if item.rows is not None:
            failed[item.rows] = True
            if _severity(item, contract) is Severity.CRITICAL:
                heavy[item.rows] = True
    beyond = bool(heavy.sum() > math.floor(contract.tolerance * batch.rows + 1e-9))
    violations = tuple(_violation(item, batch, contract, keys, beyond=beyond) for item in broken)
    return Checked(batch.rows, violations, failed, reasons_table(blaming, keys))


def _severity(item: Broken, contract: Contract) -> Severity:
    return contract.severity_of(item.check, item.default, item.column)


def _sets_aside(item: Broken, contract: Contract) -> bool:
    return item.promised or _severity(item, contract) is Severity.CRITICAL


def _violation(item: Broken, batch: Batch, contract: Contract, keys: Keys, *, beyond: bool) -> Violation:
    where = f"column {item.column!r}" if item.column else "the table"
    severity = _severity(item, contract)
    if item.rows is None:
        whole = "; it speaks of all rows together, and no row can be blamed" if item.of_all_rows else ""
        hint = f"; {item.hint}" if item.hint is not None else ""
        return Violation(item.check, item.rule, severity, f"{where}: {item.rule}{whole}{hint}", item.column)
    if severity is Severity.CRITICAL and not beyond:
        severity = Severity.WARNING
    count = len(item.rows)
    message = failing_rows(item.column, count, batch.rows, item.rule)
    examples = tuple(key for key in keys.of(item.rows[:5]) if key is not None)
    return Violation(item.check, item.rule, severity, message, item.column, count, examples)


def _critical(violation: Violation) -> Violation:
    message = f"after setting rows aside, {violation.message}"
    return replace(violation, severity=Severity.CRITICAL, message=message)


def _strange_cells(batch: Batch, contract: Contract) -> dict[str, Broken]:
    """Cells whose value cannot be handed to pandera, by column: they get this reason, and no other for that column."""
    found: dict[str, Broken] = {}
    for name in batch.table.column_names:
        column = contract.column(name)
        if column is None:
            continue
        if name in batch.unparsed:
            found[name] = Broken("schema_mismatch", f"text that is no {column.type}", name, batch.unparsed[name])
        elif name not in batch.mismatches:
            strange = dialect(contract).strange_categories(batch.table.column(name), column.type)
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
    if (alone is not None and contract.is_unique(alone)) or (schema.unique and set(schema.unique) == set(contract.key)):
        return  # pandera says it already
    rows = _repeated(batch.table, contract.key)
    for name in contract.key:
        rows = without(rows, blamed.get(name))
    if rows.size:
        yield Broken("duplicate_rows", f"key ({', '.join(contract.key)}) identifies one row", alone, rows)


def _repeated(table: Any, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Positions of all rows whose values in some columns stand in another row too; missing values are equal."""
    frame = table.select(list(names)).to_pandas(integer_object_nulls=True)  # floats would make large ones equal
    return np.flatnonzero(frame.duplicated(keep=False).to_numpy())
