"""Models that are compared must be judged by the same data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.codes import Codes, row_hashes
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audit


def fingerprint(test: Batch, contract: Contract) -> str:
    """The identity of TEST: the sha256 of its sorted row hashes over all declared columns but what a model says.

    The order of rows and columns, the file format, columns that are not declared and a model's predictions make no
    difference; any other value, or a row more or less, does.
    """
    table = test.table
    told = {contract.prediction, contract.model_version, *contract.score_columns}
    names = sorted(name for name in table.column_names if contract.column(name) is not None)
    columns = [
        (name, Codes.of(table.column(name).slice(0, 0), table.column(name))) for name in names if name not in told
    ]
    digest = hashlib.sha256("\0".join(name for name, _ in columns).encode("utf-8", "surrogatepass"))
    if columns:
        digest.update(np.sort(row_hashes(columns)[1]).astype("<u8").tobytes())
    return digest.hexdigest()


@audit
def different_test_data(split: Split) -> Iterator[Finding]:
    """TEST is not the one that was expected."""
    if split.expected_test is None:
        return
    found = fingerprint(split.test, split.contract)
    if not found.startswith(split.expected_test):
        words = f"TEST is {found[:12]}, expected was {split.expected_test[:12]}: results cannot be compared"
        rule = f"TEST is {split.expected_test}"
        yield split.violation("different_test_data", rule, Severity.CRITICAL, words)
