"""What a contract does not say any more once it was written down for another tool and read again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.diff import diff
from tidegate_contracts.diff.change import Bump, Change
from tidegate_contracts.errors import ContractError
from tidegate_contracts.imported import Draft

_OF_CHECKS = (
    *("lower bound", "upper bound", "least length", "greatest length", "allowed values", "forbidden values"),
    *("check", "code of a check", "checks that only warn", "names of findings"),
    "missing values are held against checks",
)
_LONGEST = 60
_WHOLE = ("column removed", "pattern of columns removed", "column added")


def not_returned(contract: Contract, read: Callable[[], Draft], told: Iterable[str]) -> Iterator[str]:
    """What comes back otherwise and nobody has told of, one line each.

    Args:
        contract: What was written.
        read: Reads what was written.
        told: The lines that tell of losses already.
    """
    lines = list(told)
    try:
        back = read().contract()
    except ContractError as error:
        yield f"what is written makes no contract again: {error.what}"
        return
    if back.name != contract.name:
        yield f"name: {contract.name!r} comes back as {back.name!r}"
        return
    changes = (change for change in diff(contract, back).changes if change.what != "declaration")  # the same in words
    yield from dict.fromkeys(_line(change) for change in changes if not is_told(change, lines))


def is_told(change: Change, lines: Iterable[str]) -> bool:
    """Whether a line tells of a change: by its column and by what is different."""
    if change.column is None:
        subject = change.what.partition("[")[0].partition(":")[0]
        words = "check" if subject in _OF_CHECKS else subject
        return any(words in line for line in lines)
    mine = [
        line for line in lines if f"column {change.column!r}" in line or f"column pattern {change.column!r}" in line
    ]
    if change.what in _WHOLE:
        return bool(mine)
    if change.what in _OF_CHECKS:
        return any(change.what in line or "check" in line or "_" in line.partition(":")[0] for line in mine)
    if change.what == "type" and change.bump is Bump.PATCH:  # the same values in another container
        mine += [line for line in lines if line.startswith("dialect of pandera")]
    return any(change.what in line for line in mine)


def _line(change: Change) -> str:
    where = f"column {change.column!r}: " if change.column is not None else ""
    return f"{where}{change.what}: {_value(change.old)} comes back as {_value(change.new)}"


def _value(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
