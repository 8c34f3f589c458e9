"""How many rows break each clause, and how many break any: one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tidegate_contracts.contract import Contract
from tidegate_contracts.reasons import Keys
from tidegate_contracts.severity import Severity
from tidegate_flows.sql.clause import Clause
from tidegate_flows.sql.fit import Fit

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers of rows.

    Attributes:
        rows: All.
        failed: Those that are set aside for any clause.
        heavy: Those that break a critical clause.
        broken: For each clause, those that break it.
        counted: For each clause, those of them that Great Expectations counts.
    """

    rows: int
    failed: int
    heavy: int
    broken: tuple[int, ...]
    counted: tuple[int, ...]


class Counting:
    """The table's rows, each with its clauses.

    Args:
        seen: The table.
        contract: What was promised.
        clauses: What is asked.
    """

    def __init__(self, seen: Fit, contract: Contract, clauses: Sequence[Clause]) -> None:
        self.view = seen.table.view(contract, seen.mismatches)
        self._seen, self._contract, self._clauses = seen, contract, clauses
        inner = self.view.subquery("seen")
        labels: dict[tuple[str, ...], str] = {}
        copies = []
        for clause in clauses:
            names = clause.together
            if names and names not in labels:  # a window takes missing values for equal, as frames do
                labels[names] = _label(len(labels), inner.c)
                copies.append(sa.func.count().over(partition_by=[inner.c[name] for name in names]).label(labels[names]))
        self._rows = sa.select(*inner.c, *copies).subquery("counted")
        self._copies = [self._rows.c[labels[clause.together]] if clause.together else None for clause in clauses]

    def _broken(self, number: int) -> Any:
        return self._clauses[number].broken(self._rows.c, self._copies[number])

    def count(self, connection: Connection) -> Counted:
        """Ask."""
        numbers = range(len(self._clauses))
        aside = [self._broken(number) for number in numbers if self._clauses[number].sets_aside]
        heavy = [
            self._broken(number)
            for number in numbers
            if self._clauses[number].sets_aside and self._clauses[number].severity is Severity.CRITICAL
        ]
        conditions = [
            sa.or_(sa.false(), *aside),
            sa.or_(sa.false(), *heavy),
            *map(self._broken, numbers),
            *(self._clauses[number].counted(self._rows.c, self._copies[number]) for number in numbers),
        ]
        sums = [sa.func.coalesce(sa.func.sum(sa.case((bad, 1), else_=0)), 0) for bad in conditions]
        rows, failed, bad, *rest = map(
            int, connection.execute(sa.select(sa.func.count(), *sums).select_from(self._rows)).one()
        )
        half = len(self._clauses)
        return Counted(rows, failed, bad, tuple(rest[:half]), tuple(rest[half:]))

    def examples(self, connection: Connection, number: int) -> tuple[str, ...]:
        """The keys of some rows that break a clause, the least first; none where there is no key that has a form."""
        key = [name for name in self._contract.key if name in self._seen.table.columns]
        kinds = [self._seen.table.columns[name].arrow for name in key]
        if not key or any(kind is None for kind in kinds):
            return ()
        columns = [self._rows.c[name] for name in key]
        query = sa.select(*columns).where(self._broken(number)).order_by(*columns).limit(EXAMPLES)
        values = [*zip(*connection.execute(query).all(), strict=True)]
        try:
            table = pa.table([self._keys(name, column) for name, column in zip(key, values, strict=True)], names=key)
        except (pa.ArrowException, OverflowError):
            return ()
        personal = any(self._contract.columns[name].personal for name in self._contract.key)
        found = Keys(table, self._contract.key, personal=personal).of(np.arange(table.num_rows))
        return tuple(item for item in found if item is not None)

    def _keys(self, name: str, values: Sequence[Any]) -> Any:
        """Values of a key column as a batch in memory would have them."""
        declared = self._contract.column(name)
        target = declared.type.arrow if declared is not None and name not in self._seen.mismatches else None
        array = pa.array(values)
        return (
            array
            if target is None or pa.types.is_timestamp(target) != pa.types.is_timestamp(array.type)
            else array.cast(target)
        )


def _label(number: int, taken: Any) -> str:
    label = f"copies_{number}"
    while label in taken:
        label = f"_{label}"
    return label
