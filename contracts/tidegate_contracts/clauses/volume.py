"""Too few or too many rows."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.clauses import Subject, clause_of_all_rows
from tidegate_contracts.reasons import Broken


@clause_of_all_rows
def volume(subject: Subject) -> Iterator[Broken]:
    """The number of rows lies outside ``rows_min`` or the bounds of ``volume``."""
    rows, contract = subject.batch.rows, subject.contract
    if rows < contract.rows_min:
        yield Broken("volume", f"{rows} rows, at least {contract.rows_min} expected", None, None)
    if isinstance(contract.volume, tuple):
        least, most = contract.volume
        if not least <= rows <= most:
            yield Broken("volume", f"{rows} rows, {least} to {most} expected", None, None)
