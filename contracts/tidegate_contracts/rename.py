"""A missing column that came under another name: found by what its values are, not only by how it is spelt."""

from __future__ import annotations

from copy import copy
from difflib import SequenceMatcher
from typing import Any

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of
from tidegate_contracts.pandera_clauses import dialect
from tidegate_contracts.question import Question
from tidegate_contracts.types import reconcile

_ROWS = 10_000
_ALIKE = 0.6
_CANDIDATES = 3


def likely(batch: Batch, contract: Contract, missing: str) -> str | None:
    """The undeclared column that a missing one seems to have come under; None where none stands out.

    Its first 10,000 values must be of the declared type and keep the declared checks. Of several such columns the one
    whose name is most alike is meant, and it must be alike: at least .6 of Ratcliff and Obershelp's measure (Dr. Dobb's
    Journal, July 1988), which is 2 M / T for M characters in matching blocks of T in all. A single one is meant
    whatever its name, if there are checks that it could have broken.
    """
    others = [name for name in batch.table.column_names if contract.column(name) is None]
    if len(others) > _CANDIDATES:  # only the likest: each costs a look at its values
        likest = sorted(others, key=lambda name: -_likeness(name, missing))[:_CANDIDATES]
        others = [name for name in likest if _likeness(name, missing) >= _ALIKE]
    fitting = [name for name in others if _fits(batch, contract, missing, name)]
    if not fitting:
        return None
    best: str = max(fitting, key=lambda name: _likeness(name, missing))
    if _likeness(best, missing) >= _ALIKE:
        return best
    return best if len(fitting) == 1 and fields_of(contract.pandera_schema)[missing].checks else None


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def _fits(batch: Batch, contract: Contract, missing: str, name: str) -> bool:
    """Whether the values of a column could be those of the missing one."""
    declared = contract.columns[missing].type
    values: Any = batch.table.column(name).slice(0, _ROWS)
    is_text = "csv" in batch.source.suffix
    found = reconcile(values, declared, text=is_text, time_zone=contract.time_zone)
    if found.mismatch is not None or found.unparsed is not None or found.values.null_count == len(values):
        return False
    whole = Question.of(contract, [missing], contract.columns.keys() - {missing})
    schema = copy(whole.schema)
    schema.columns = {key: item for key, item in schema.columns.items() if key == missing}
    schema.checks, schema.unique, schema.strict, schema.ordered = [], None, False, False
    speak = dialect(contract)
    try:
        frame = speak.frame_of({missing: found.values}, {missing: declared}, len(values))
        failures, _ = speak.ask(Question(schema, (missing,), ()), frame)
    except Exception:  # noqa: BLE001 - a check of the user's that cannot take these values says that they do not fit
        return False
    return not failures
