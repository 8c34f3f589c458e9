"""Columns that audits need and cannot read."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.dialect import fields_of
from tidegate_contracts.severity import Severity
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audit, share


@audit
def schema_mismatch(split: Split) -> Iterator[Finding]:
    """Features that a side lacks, columns that are not of their type, cells whose text is not."""
    contract = split.contract
    for word, side in (("TRAIN", split.train), ("TEST", split.test)):
        for name in split.wanted:
            required = getattr(fields_of(contract.pandera_schema)[name], "required", True)
            if name not in side.table.column_names and required:
                words = f"column {name!r} is missing from {word}"
                yield split.violation("schema_mismatch", "every feature is there", Severity.CRITICAL, words, name)
        for name, why in side.mismatches.items():
            words = f"column {name!r} of {word}: {why}"
            yield split.violation("schema_mismatch", "columns are of their types", Severity.CRITICAL, words, name)
        for name, rows in side.unparsed.items():
            beyond = rows.size > contract.tolerance * side.rows
            default = Severity.CRITICAL if beyond else Severity.WARNING
            column = contract.column(name)
            words = f"column {name!r}: {share(rows.size, side.rows, word)} are no {column.type if column else 'value'}"
            yield split.violation("schema_mismatch", "cells are of their types", default, words, name, rows, side=side)
