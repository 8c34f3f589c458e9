"""The quarantine: what was not published, and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import Row

from tidegate_contracts.batch import iso
from tidegate_contracts.errors import UsageError
from tidegate_flows.ledger import runs
from tidegate_flows.place import Place
from tidegate_monitors.breaker import Decision

FORMAT = 1


def kept(place: Place, dataset: str | None = None) -> list[dict[str, Any]]:
    """Batches held, quarantined or published in part, as JSON values, those first that are kept back for longest."""
    with place.ledger.read() as connection:
        rows = [row for row in runs.current(connection, dataset) if _state(row) is not None]
    return [_item(row) for row in sorted(rows, key=lambda row: (row.kept_since, row.seq))]


def kept_row(place: Place, dataset: str, batch: str) -> Row[Any]:
    """The run that speaks for a batch that is kept back, wholly or in part.

    Raises:
        UsageError: It is not there.
    """
    with place.ledger.read() as connection:
        row = runs.speaking_for(connection, dataset, batch)
        others = [item.batch for item in runs.current(connection, dataset) if _state(item) is not None]
    if row is None or _state(row) is None:
        raise UsageError(
            f"{batch!r} of {dataset!r} is neither quarantined nor held", allowed=", ".join(others[:20]) or "nothing is"
        )
    return row


def details(place: Place, dataset: str, batch: str) -> dict[str, Any]:
    """One of them, with its findings, its folder, and rows by clause.

    Raises:
        UsageError: It is not there.
    """
    row = kept_row(place, dataset, batch)
    folder = place.store.place(dataset, "quarantine") / batch
    reasons = pq.read_table(folder / "reasons.parquet")
    counted = reasons.group_by(["check", "rule", "column"]).aggregate([("row", "count")]).to_pylist()
    return {
        **_item(row),
        "folder": str(folder),
        "findings": json.loads(row.document)["findings"],
        "reasons": [
            {"check": item["check"], "rule": item["rule"], "column": item["column"], "rows": item["row_count"]}
            for item in sorted(counted, key=lambda item: -item["row_count"])
        ],
    }


def _state(row: Row[Any]) -> str | None:
    if row.discarded:
        return None
    if row.decision == Decision.HOLD.value:
        return "held"
    if row.decision == Decision.QUARANTINE.value:
        return "quarantined"
    return "partial" if row.rows_quarantined else None


def _item(row: Row[Any]) -> dict[str, Any]:
    document = json.loads(row.document)
    wanted = ("critical",) if row.decision == Decision.QUARANTINE.value else ("critical", "warning")
    findings = [item for item in document["findings"] if item["severity"] in wanted]
    if row.decision == Decision.PUBLISH.value:
        findings = [item for item in findings if item["kind"] == "violation"]
    checks = [] if row.decision == Decision.HOLD.value else sorted({item["check"] for item in findings})
    return {
        "format": FORMAT,
        "dataset": row.dataset,
        "batch": row.batch,
        "state": _state(row),
        "rows": row.rows if row.decision != Decision.PUBLISH.value else row.rows_quarantined,
        "checks": checks,
        "run": row.run,
        "received_at": row.received_at,
        "kept_since": iso(datetime.fromtimestamp(row.kept_since, UTC)),
    }
