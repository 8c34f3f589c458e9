"""One delivery of labels: read, held against the label's own clauses, each key once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate_contracts.batch import Batch, Source, iso
from tidegate_contracts.check import Checked
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.label_check import CONFLICT, check_labels, key_of
from tidegate_contracts.outcome import Outcome, classes_of, outcome_of
from tidegate_contracts.types import LogicalType, plain_values
from tidegate_contracts.violation import Violation
from tidegate_flows import intake, labels_aside
from tidegate_flows.intake import UnreadableError
from tidegate_flows.place import Place
from tidegate_flows.stores.local import sync, write_durably, writing

FORMAT = 1
_NUMBERS = (LogicalType.BOOLEAN, LogicalType.INTEGER, LogicalType.NUMBER)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Labels that may be joined, each key once.

    Attributes:
        name: What it was called where it came from.
        sha256: Of its bytes as they came.
        rows: Rows delivered.
        keys: The key of each row that is left, as one column.
        labels: Their labels; null for a row that is named and has none yet.
        time: The column with the prediction's time (else the event's) if the delivery has it: when a label was known.
        times: Its values for the rows that are left.
        duplicates: Rows that said again what another row of the same key said.
        conflicting: Rows set aside because their key has several labels.
        set_aside: Rows set aside because their label breaks a clause of the contract.
        violations: What the contract says of the labels.
        refused: Whether so many rows fail that none is joined.
    """

    name: str
    sha256: str
    rows: int
    keys: Any
    labels: Any
    time: str | None
    times: Any
    duplicates: int
    conflicting: int
    set_aside: int
    violations: tuple[Violation, ...]
    refused: bool


def require_joinable(contract: Contract) -> None:
    """Refuse a contract whose labels cannot be joined.

    Raises:
        UsageError: It names no key, prediction or label, or nobody can know the label's classes.
    """
    named = {"key": contract.key, "prediction": contract.prediction, "label": contract.label}
    absent = [name for name, value in named.items() if not value]
    if absent:
        raise UsageError(
            f"contract {contract.name!r} names no {' and no '.join(absent)}",
            allowed="key, prediction and label",
            hint="labels are joined by key to the predictions that were published",
        )
    outcome, label = outcome_of(contract), contract.columns[contract.label or ""]
    _require_numbers(contract, outcome)
    numbers = label.type.logical in _NUMBERS
    if outcome is not Outcome.NUMBER and not classes_of(contract) and not (outcome is Outcome.BINARY and numbers):
        raise UsageError(
            f"contract {contract.name!r} does not say which classes its label {contract.label!r} has",
            hint='name them: tg.Contract(classes=("no", "yes"), …), the greater one last; or isin=[…] in the schema',
        )


def _require_numbers(contract: Contract, outcome: Outcome) -> None:
    names = [*contract.score_columns]
    if outcome is Outcome.NUMBER:
        names += [name for name in (contract.prediction, contract.label, contract.baseline) if name is not None]
    wrong = [name for name in names if contract.columns[name].type.logical not in (*_NUMBERS, LogicalType.ANY)]
    if wrong:
        raise UsageError(
            f"contract {contract.name!r} has columns that no number can be made of",
            found=", ".join(f"{name} ({contract.columns[name].type})" for name in wrong),
            allowed="predictions, scores and labels that are numbers, or a label with classes",
        )


def read(place: Place, delivery: Any, contract: Contract, at: Any) -> Delivery:
    """Read a delivery of labels; rows that break a clause are kept in the store with their reasons.

    Args:
        place: Where.
        delivery: A path, a URL, a query, or a data frame.
        contract: What was promised.
        at: When it came, a datetime.

    Raises:
        UsageError: There are no labels in it.
        StoreError: What is set aside cannot be written.
    """
    _refuse_folder(delivery)
    with place.store.workspace() as folder:
        try:
            staged = intake.stage(delivery, folder, keep_index=contract.has_index)
            batch = intake.decode(staged, contract)
        except UnreadableError as error:
            raise UsageError("the labels are unreadable", found=str(error)) from error
        batch, time = _columns_of(batch, contract)
        checked, kept = check_labels(batch, contract)
        if checked.failed.any():
            _set_aside(place, folder, batch, checked, at)
    return _delivery(batch, contract, checked, kept, time)


def _delivery(batch: Batch, contract: Contract, checked: Checked, kept: Any, time: str | None) -> Delivery:
    mine = pa.array(kept)
    table = batch.table if kept.all() else batch.table.filter(mine)
    conflicting = sum(item.failed or 0 for item in checked.violations if item.rule == CONFLICT)
    failed = int(checked.failed.sum())
    return Delivery(
        name=batch.source.name,
        sha256=batch.source.sha256,
        rows=batch.rows,
        keys=key_of(table, contract),
        labels=plain_values(table.column(contract.label)),
        time=time,
        times=None if time is None else table.column(time),
        duplicates=batch.rows - failed - int(kept.sum()),
        conflicting=conflicting,
        set_aside=failed - conflicting,
        violations=checked.violations,
        refused=checked.critical,
    )


def _refuse_folder(delivery: Any) -> None:
    if isinstance(delivery, str | Path) and "://" not in str(delivery):
        try:
            is_folder = Path(delivery).is_dir()
        except (OSError, ValueError):
            return  # told when it is opened
        if is_folder:
            raise UsageError(
                "labels come in files, and this is a folder", found=str(delivery), hint="name its files: FOLDER/*"
            )


def _columns_of(batch: Batch, contract: Contract) -> tuple[Batch, str | None]:
    """The key, the label, and the time of the prediction if there is one; other columns are left out.

    Raises:
        UsageError: A column is missing or of another type, or there are no rows.
    """
    assert contract.label is not None  # noqa: S101 - require_joinable has seen to it
    batch = _numbered(batch, contract, contract.label)
    wanted, there = [*contract.key, contract.label], batch.table.column_names
    wrong = {name: "missing" for name in wanted if name not in there}
    wrong |= {name: why for name, why in batch.mismatches.items() if name in wanted}
    if wrong:
        found = ", ".join(f"{name!r}: {why}" for name, why in wrong.items())
        kinds = ", ".join(f"{name} ({contract.columns[name].type})" for name in wanted)
        raise UsageError("the labels lack columns, or have other types", found=found, allowed=kinds)
    if not batch.rows:
        raise UsageError("the labels have no rows", found=batch.source.name)
    times = [name for name in (contract.prediction_time, contract.event_time) if name in there]
    time = next((name for name in times if name not in wanted and name not in batch.mismatches), None)
    chosen = wanted if time is None else [*wanted, time]
    table, delivered = batch.table.select(chosen), batch.delivered.select(chosen)
    place = table.column_names.index(contract.label)
    label = table.column(place)
    if pa.types.is_floating(label.type):  # NaN is no label
        table = table.set_column(place, contract.label, _without_nan(label))
    unparsed = {name: rows for name, rows in batch.unparsed.items() if name in wanted}
    return Batch(batch.dataset, batch.id, batch.source, table, delivered, unparsed=unparsed), time


def _numbered(batch: Batch, contract: Contract, label: str) -> Batch:
    """False and true as the numbers that a contract of two classes calls them."""
    numbers = contract.columns[label].type.logical in (LogicalType.INTEGER, LogicalType.NUMBER)
    two = outcome_of(contract) is Outcome.BINARY and not contract.classes
    if label not in batch.mismatches or not (numbers and two):
        return batch
    values = batch.delivered.column(label)
    if not pa.types.is_boolean(values.type):
        return batch
    wanted = pa.float64() if contract.columns[label].type.logical is LogicalType.NUMBER else pa.int64()
    table = batch.table.set_column(batch.table.column_names.index(label), label, values.cast(pa.int8()).cast(wanted))
    others = {name: why for name, why in batch.mismatches.items() if name != label}
    return replace(batch, table=table, mismatches=others)


def _without_nan(values: Any) -> Any:
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _set_aside(place: Place, folder: Path, batch: Batch, checked: Checked, at: Any) -> None:
    """Keep the rows that fail, with every reason, by one rename; the same delivery again finds them there."""
    target = place.store.place(batch.dataset, "labels") / "quarantine" / f"{batch.id}-{batch.source.sha256[:12]}"
    prepared = folder / "labels"
    with writing(target):
        if target.exists():
            return
        prepared.mkdir()
        rows = batch.delivered.filter(pa.array(checked.failed))
        pq.write_table(rows, prepared / "rows.parquet", write_page_checksum=True)
        pq.write_table(checked.reasons, prepared / "reasons.parquet", write_page_checksum=True)
        write_durably(prepared / "manifest.json", json.dumps(_manifest(batch.source, batch, checked, at)).encode())
        for path in prepared.iterdir():
            sync(path)
        sync(prepared)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            prepared.rename(target)
        except OSError:
            if not target.exists():  # else another process kept the same rows just now
                raise
        sync(target.parent)


def _manifest(source: Source, batch: Batch, checked: Checked, at: Any) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "dataset": batch.dataset,
        "source": source.name,
        "sha256": source.sha256,
        "bytes": source.bytes,
        "rows": batch.rows,
        "set_aside": int(np.count_nonzero(checked.failed)),
        "refused": checked.critical,
        "received_at": iso(at),
        "reasons": labels_aside.counted(checked.reasons),
    }
