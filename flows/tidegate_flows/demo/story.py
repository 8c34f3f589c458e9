"""The demo's story: a reference from February and March, then day by day through the gate."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tidegate_contracts.errors import MonitorError
from tidegate_contracts.load import load_contract
from tidegate_flows import reference
from tidegate_flows.demo import data
from tidegate_flows.ledger import audit, cohorts, references, runs
from tidegate_flows.place import Place
from tidegate_monitors.scored import bias_of

_PREFECT = {
    # Prefect reads these when it is imported: the demo must not touch the server or the profile of whoever runs it
    "PREFECT_API_URL": "",
    "PREFECT_API_KEY": "",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One delivery's line in the table.

    Attributes:
        batch: Its id.
        rows: Rows delivered.
        decisions: All decisions on it, in order: a held batch is released later.
        state: The breaker after the first of them.
        findings: Warnings and criticals by check and column, and the number of informations.
        bias: The bias of its predictions; None before its labels came.
        planted: What was planted in it, or None.
    """

    batch: str
    rows: int
    decisions: tuple[str, ...]
    state: str
    findings: str
    bias: float | None
    planted: str | None


def prepare(folder: Path, days: int) -> tuple[Path, dict[str, Path]]:
    """Write the contract and the data into a folder; gives the contract's path and the data's folders.

    What is there already stays: somebody may have edited the contract to try something.
    """
    contract = folder / "contracts" / "flights.py"
    contract.parent.mkdir(parents=True, exist_ok=True)
    if not contract.exists():
        shutil.copyfile(Path(__file__).with_name("flights.py"), contract)
    last = data.FIRST + timedelta(days=days - 1)
    if (folder / "deliveries" / f"{last}.parquet").exists():
        return contract, {name: folder / name for name in data.FOLDERS}
    return contract, dict(data.write_days(data.flights(), folder, days))


def build_reference(place: Place, contract: Path, folder: Path, labels: Path) -> str:
    """Build and approve the reference, unless one is in force."""
    loaded = load_contract(contract)
    with place.ledger.read() as connection:
        known = references.in_force(connection, loaded.name)
    if known is not None:
        return known
    built = reference.build(place, loaded, sorted(folder.glob("*.parquet")), sorted(labels.glob("*.parquet")))
    reason = "February and March 2013, after the training month"
    return reference.approve(place, loaded.name, built.sha256, by="demo", reason=reason)


def gate_days(contract: Path, store: Path, places: dict[str, Path], days: int, advance: Any) -> str:
    """Run the Prefect flows on Prefect's own embedded server; gives the name of the backlog's last state."""
    os.environ.update(_PREFECT, PREFECT_HOME=str(store.parent / ".prefect"))
    from prefect.settings import PREFECT_API_KEY, PREFECT_API_URL, temporary_settings

    # an empty address keeps Prefect from reading one elsewhere, but its events then look for a server at "": so none
    with _progress(advance), temporary_settings(restore_defaults={PREFECT_API_URL, PREFECT_API_KEY}):
        from tidegate_flows.prefect_flows import gate_backlog, join_labels

        until = str(data.FIRST + timedelta(days=days - 1)) + "~"
        chosen = [path for path in sorted(places["deliveries"].glob("*.parquet")) if path.stem <= until]
        state: Any = gate_backlog(
            str(contract), str(places["deliveries"]), store=str(store), limit=len(chosen), return_state=True
        )
        if state.is_crashed() or (state.is_failed() and state.name != "Halted"):
            raise MonitorError("the Prefect flow failed", found=state.message)
        noon = f"{data.FIRST + timedelta(days=days)}T12:00:00Z"  # the last day's labels are still to come
        join_labels(str(contract), str(places["labels"]), store=str(store), as_of=noon)
    return str(state.name)


@contextmanager
def _progress(advance: Any) -> Iterator[None]:
    """Call ``advance`` for each decision that the gate logs."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            advance(record.getMessage())

    logger, handler = logging.getLogger("tidegate.gate"), Handler()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def days_of(place: Place, dataset: str) -> list[Day]:
    """The table, a line a delivery, as the ledger has it."""
    planted = {str(item.day): item for item in data.INCIDENTS}
    with place.ledger.read() as connection:
        labels = {cohort.batch: cohort for cohort in cohorts.load(connection, dataset)}
        history = [json.loads(row.document) for row in runs.history(connection, dataset)]
    found: dict[str, list[dict[str, Any]]] = {}
    for document in history:
        found.setdefault(document["batch"], []).append(document)
    lines = []
    for batch, documents in sorted(found.items()):
        incident = planted.get(batch.removesuffix("-again"))
        here = incident is not None and (batch.endswith("-again") == (incident.check == "redelivered_batch"))
        lines.append(
            Day(
                batch,
                documents[0]["rows"]["in"],
                tuple(document["decision"] for document in documents),
                documents[0]["state"],
                _findings(documents[-1]["findings"]),
                bias_of(labels[batch]) if batch in labels else None,
                incident.text if here and incident else None,
            )
        )
    return lines


def transitions(place: Place, dataset: str) -> list[dict[str, Any]]:
    """What the breaker did, from the audit."""
    with place.ledger.read() as connection:
        return [entry for entry in audit.entries(connection, dataset) if entry["event"].startswith("breaker.")]


def _findings(findings: list[dict[str, Any]]) -> str:
    loud = [item for item in findings if item["severity"] != "info"]
    words = [f"{item['check']}{'(' + item['column'] + ')' if item['column'] else ''}" for item in loud]
    quiet = len(findings) - len(loud)
    return ", ".join(words + ([f"{quiet} info"] if quiet else []))
