"""One look at a table: the verdict that a batch with its rows would get in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError
from tidegate_contracts.expectation import SUSPICIONS, Unchecked, compiled
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation, failing_rows
from tidegate_flows.sql.address import Address, reading
from tidegate_flows.sql.ages import fresh, young
from tidegate_flows.sql.asking import ask, counts, row_bounds_kept
from tidegate_flows.sql.clause import Clause, clause_of
from tidegate_flows.sql.counting import Counted, Counting
from tidegate_flows.sql.finite import finite
from tidegate_flows.sql.fit import fit
from tidegate_flows.sql.structure import broken_volume, structure
from tidegate_flows.sql.table import find
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.finding import Finding
from tidegate_monitors.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a table.

    Attributes:
        table: Its name.
        verdict: The verdict.
        unchecked: Clauses that the database was not asked about, but for those that could only have warned.
        result: What Great Expectations said.
    """

    table: str
    verdict: Verdict
    unchecked: tuple[Unchecked, ...]
    result: Any

    def passed(self, *, allow_unchecked: bool) -> bool:
        """Whether nothing critical was found, and everything was asked or need not be."""
        return self.verdict.passed and (allow_unchecked or not self.unchecked)


def check_table(where: Address, table: str, contract: Contract, now: datetime | None = None) -> Looked:
    """Hold a table against a contract, in its database and in one read-only transaction.

    Args:
        where: The database.
        table: ``table`` or ``schema.table``.
        contract: What was promised.
        now: The time at which ages are counted, in UTC; None where nobody asks how old the rows are.

    Raises:
        UsageError: There is no such table, or something is not installed.
        StoreError: The database cannot be reached or read.
        MonitorError: A query failed, or two ways of counting disagree.
    """
    with reading(where) as connection:
        seen = fit(connection, find(connection, table), contract)
        unfit = [name for name in seen.mismatches if not contract.coerces(name)]
        said = compiled(contract, [*seen.table.columns], unfit)
        expectations = [*said.expectations, *finite(seen, contract), *young(seen, contract, now)]
        asked = [(item, clause_of(item, seen, contract)) for item in expectations]
        clauses = [clause for _, clause in asked if clause is not None]
        counting = Counting(seen, contract, clauses)
        counted = counting.count(connection)
        result = ask(connection, seen.table, counting.view, clauses, _row_bounds(contract), contract)
        _require_agreement(clauses, counted, result, contract)
        found = _row_violations(clauses, counted, contract, counting, connection)
        stale, blind = fresh(connection, seen, contract, now)
    unchecked = [*seen.unchecked, *said.unchecked, *blind]
    unchecked += [Unchecked(item.check, item.rule, item.column, item.soft) for item, clause in asked if clause is None]
    mild = [item for item in unchecked if _only_warns(item, contract)]
    found += (_of_the_table(item, contract) for item in (*structure(seen, contract), *stale))
    verdict = _verdict(found, counted, contract, mild)
    return Looked(str(seen.table), verdict, tuple(item for item in unchecked if item not in mild), result)


def _only_warns(item: Unchecked, contract: Contract) -> bool:
    """Whether a clause could fail nothing: the schema only warns of it, and the contract makes no more of it."""
    severity = contract.severity_of(item.check, Severity.WARNING, item.column)
    return item.soft and severity is not Severity.CRITICAL


def _row_bounds(contract: Contract) -> dict[str, int]:
    least, most = contract.volume if isinstance(contract.volume, tuple) else (0, None)
    return {"min_value": max(least, contract.rows_min), **({} if most is None else {"max_value": most})}


def _require_agreement(clauses: Sequence[Clause], counted: Counted, result: Any, contract: Contract) -> None:
    """Two queries, Great Expectations' and ours, count the same rows; if they do not, nobody knows which is right.

    Raises:
        MonitorError: They do not.
    """
    for clause, ours, theirs in zip(clauses, counted.counted, counts(result, clauses), strict=True):
        if ours != theirs:
            raise MonitorError(
                "Great Expectations and tidegate count differently",
                found=f"{theirs} and {ours} rows break {clause.expectation.rule} of {clause.expectation.column}",
                hint="this is no verdict on the data",
            )
    if row_bounds_kept(result) is bool(broken_volume(counted.rows, contract)):
        raise MonitorError("Great Expectations and tidegate count differently", found=f"{counted.rows} rows")


def _row_violations(
    clauses: Sequence[Clause], counted: Counted, contract: Contract, counting: Counting, connection: Connection
) -> list[Violation]:
    """One violation for each clause that rows break, with the severity that the tolerance gives it."""
    beyond = counted.heavy > math.floor(contract.tolerance * counted.rows + 1e-9)
    found = []
    for number, (clause, count) in enumerate(zip(clauses, counted.broken, strict=True)):
        if not count:
            continue
        item, severity = clause.expectation, clause.severity
        if severity is Severity.CRITICAL and not beyond:
            severity = Severity.WARNING
        message = failing_rows(item.column, count, counted.rows, item.rule)
        examples = counting.examples(connection, number)
        found.append(Violation(item.check, item.rule, severity, message, item.column, count, examples))
    return found


def _verdict(found: list[Violation], counted: Counted, contract: Contract, mild: Sequence[Unchecked]) -> Verdict:
    """The verdict; the number of rows is judged again for what is left when rows are set aside."""
    found += (_of_the_table(item, contract) for item in broken_volume(counted.rows, contract))
    if counted.failed and not any(item.severity is Severity.CRITICAL for item in found):
        for item in broken_volume(counted.rows - counted.failed, contract):
            left = _of_the_table(item, contract)
            found.append(replace(left, severity=Severity.CRITICAL, message=f"after setting rows aside, {left.message}"))
    findings: list[Finding] = [*found, *_not_asked(contract, mild)]
    findings.sort(key=lambda finding: (-finding.severity.rank, finding.kind != "violation"))
    return Verdict(counted.rows, counted.failed, tuple(findings))


def _of_the_table(item: Broken, contract: Contract) -> Violation:
    severity = contract.severity_of(item.check, item.default, item.column)
    where = f"column {item.column!r}" if item.column else "the table"
    return Violation(item.check, item.rule, severity, f"{where}: {item.rule}", item.column)


def _not_asked(contract: Contract, mild: Sequence[Unchecked]) -> Iterator[Alarm]:
    """What nobody looked for: what a contract does not state, and what could only have warned."""
    for message in (
        f"no approved reference of {contract.name!r}: only the contract was checked, not drift",
        f"looked for only where rows are in memory: {', '.join(SUSPICIONS)}",
    ):
        yield Alarm("insufficient_evidence", Severity.INFO, message, kind="insufficient_evidence")
    for item in mild:
        where = f"column {item.column!r}" if item.column else "the table"
        message = f"{where}: {item.rule} would only warn, and cannot be asked in this database"
        yield Alarm("insufficient_evidence", Severity.INFO, message, item.column, kind="insufficient_evidence")
