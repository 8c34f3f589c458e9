"""One batch is scored by one model."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity

_NAMED_MAXIMUM = 5
_LENGTH_MAXIMUM = 40


@clause
def mixed_model_versions(subject: Subject) -> Iterator[Broken]:
    """More than one value of ``model_version``; told of, because both may be right: nobody can say which row to blame.

    Rows without a version are counted as one more where the schema lets them be.
    """
    name = subject.contract.model_version
    values = subject.values(name)
    if name is None or values is None:
        return
    column = subject.contract.columns[name]
    counts = {
        None if item["values"] is None else str(item["values"]): int(item["counts"])
        for item in pc.value_counts(values).to_pylist()
    }
    if not column.nullable:
        counts.pop(None, None)
    if len(counts) > 1:
        ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
        said = f"{len(counts)} are here" if column.personal else _listed(ordered)
        yield Broken("mixed_model_versions", f"one model version a batch; {said}", name, None, Severity.WARNING)


def _listed(counts: list[tuple[str | None, int]]) -> str:
    """The commonest versions with their rows."""
    parts = [f"{_short(version)} in {rows} rows" for version, rows in counts[:_NAMED_MAXIMUM]]
    rest = len(counts) - _NAMED_MAXIMUM
    return ", ".join(parts) + (f" and {rest} more" if rest > 0 else "")


def _short(version: str | None) -> str:
    if version is None:
        return "none"
    return repr(version if len(version) <= _LENGTH_MAXIMUM else f"{version[:_LENGTH_MAXIMUM]}…")
