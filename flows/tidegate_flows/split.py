"""Hold TRAIN and TEST against each other before a model is judged by them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.load import load_contract
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_flows import intake
from tidegate_flows.holdout import looked, reused
from tidegate_flows.intake import UnreadableError
from tidegate_flows.place import at
from tidegate_flows.settings import Settings
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, findings
from tidegate_monitors.split.different_test_data import fingerprint

_SHA = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class SideFacts:
    """What was read of one side.

    Attributes:
        rows: Rows delivered.
        labelled: Those with a label.
        sha256: The identity of TEST's rows; None for TRAIN, and where the file is unreadable.
    """

    rows: int = 0
    labelled: int = 0
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SplitReport:
    """What is said of a split.

    Attributes:
        contract: What it was held against.
        train: What was read of TRAIN.
        test: What was read of TEST, with the fingerprint of its rows.
        findings: The worst first.
        looks: With how many TRAINs TEST was looked at so far; None where nobody counts.
    """

    contract: Contract
    train: SideFacts
    test: SideFacts
    findings: tuple[Finding, ...]
    looks: int | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing critical was found."""
        return not any(finding.severity is Severity.CRITICAL for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": 1,
            "dataset": self.contract.name,
            "contract": {"version": self.contract.version, "sha256": self.contract.sha256},
            "train": {"rows": self.train.rows, "labelled": self.train.labelled},
            "test": {"rows": self.test.rows, "labelled": self.test.labelled, "sha256": self.test.sha256},
            "looks": self.looks,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def check_split(
    train: Any,
    test: Any,
    contract: Contract | str | Path,
    *,
    expect_test: str | None = None,
    seed: int = 0,
    looks: int | None = None,
    store: str | Path | Settings | None = None,
) -> SplitReport:
    """Hold TRAIN and TEST, both with labels, against each other and against what their contract says of columns.

    Args:
        train: A path, or a pandas, polars or pyarrow table: the rows that a model learns from.
        test: The same for the rows that it is judged by.
        contract: A contract, or ``path.py[:name]``.
        expect_test: The fingerprint that TEST must have, or its first 8 digits or more.
        seed: Of the random folds in which categories are read.
        looks: With how many different TRAINs this TEST may be looked at; they are counted in the store's ledger. None
            counts nothing and stores nothing.
        store: The folder whose ledger counts; None for the settings in force.

    Raises:
        ContractError: The contract is wrong.
        UsageError: There is no such file, ``expect_test`` is no fingerprint, or ``looks`` is less than 1.
        StoreError: The ledger cannot be used.
        MonitorError: An audit raised.
    """
    expected = _fingerprint(expect_test)
    if looks is not None and looks < 1:
        raise UsageError("looks", found=str(looks), allowed="1 or more")
    loaded = load_contract(contract)
    try:
        with _read(train, loaded, "TRAIN") as ours, _read(test, loaded, "TEST") as theirs:
            split = Split(ours, theirs, loaded, expected, seed)
            facts = SideFacts(ours.rows, _labelled(ours, loaded))
            judged = SideFacts(theirs.rows, _labelled(theirs, loaded), fingerprint(theirs, loaded))
            report = SplitReport(loaded, facts, judged, findings(split))
    except UnreadableError as error:
        violation = Violation("unreadable", "a readable file of its format", Severity.CRITICAL, str(error))
        return SplitReport(loaded, SideFacts(), SideFacts(), (violation,))
    return report if looks is None else _counted(report, ours.source.sha256, looks, store)


def _counted(report: SplitReport, train: str, allowed: int, store: str | Path | Settings | None) -> SplitReport:
    """The report with how often TEST was looked at."""
    assert report.test.sha256 is not None  # noqa: S101 - both sides were read
    with at(store) as place:
        looks = looked(place, report.contract, train=train, test=report.test.sha256)
    alarm = reused(report.contract, looks, allowed)
    told = report.findings if alarm is None else (*report.findings, alarm)
    return replace(report, looks=looks, findings=tuple(sorted(told, key=lambda item: -item.severity.rank)))


@contextmanager
def _read(delivery: Any, contract: Contract, side: str) -> Iterator[Batch]:
    with TemporaryDirectory(prefix="tidegate-") as folder:
        staged = intake.stage(delivery, Path(folder), keep_index=contract.has_index)
        try:
            batch = intake.decode(staged, contract)
        except UnreadableError as error:
            raise UnreadableError(f"{side}: {error}") from error
        if not batch.rows:
            raise UsageError(f"{side} has no rows", hint="a split needs rows on both sides")
        yield batch


def _labelled(batch: Batch, contract: Contract) -> int:
    if contract.label is None or contract.label not in batch.table.column_names:
        return 0
    return batch.rows - int(batch.table.column(contract.label).null_count)


def _fingerprint(text: str | None) -> str | None:
    if text is not None and not _SHA.fullmatch(text.lower()):
        raise UsageError("the fingerprint expected of TEST", found=repr(text), allowed="8 to 64 hexadecimal digits")
    return text.lower() if text is not None else None
