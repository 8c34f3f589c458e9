"""The view of a batch that the ledger knows: the run that speaks for it, and all that it rests on."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Row, select

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import TidegateError
from tidegate_flows import reference as kept_references
from tidegate_flows.breaker_now import breaker_now
from tidegate_flows.ledger import breakers, references, runs
from tidegate_flows.ledger.schema import runs as runs_table
from tidegate_flows.pages.verdict_view import Approval, ReasonLine, VerdictView
from tidegate_flows.place import Place
from tidegate_flows.report import signed
from tidegate_flows.report.facets import column_lines, reason_lines, shapes
from tidegate_monitors.column_profile import ColumnProfile
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.profile import FORMAT
from tidegate_monitors.reference import Reference
from tidegate_monitors.run import Run

_REASONS_BYTES = 64 << 20


def speaking(place: Place, dataset: str, batch: str) -> Row[Any] | None:
    """The run that speaks for a batch; of a revision that was published since, that run; None where there is none."""
    with place.ledger.read() as connection:
        found = runs.speaking_for(connection, dataset, batch)
        if found is not None or "~" not in batch:
            return found
        last = _last_under(connection, dataset, batch)
        return runs.speaking_for_bytes_of(connection, last.run) if last is not None else None


def became(place: Place, dataset: str, batch: str) -> str | None:
    """What became of other bytes under a known id for which no run speaks any more; None where none ever did."""
    with place.ledger.read() as connection:
        last = _last_under(connection, dataset, batch) if "~" in batch else None
        standing = runs.speaking_for(connection, dataset, batch.partition("~")[0]) if last is not None else None
    if last is None:
        return None
    was = {"publish": "published", "quarantine": "quarantined", "hold": "held"}[last.decision]
    which = f"revision {standing.revision}" if standing is not None else "another revision"
    return f"its bytes were {was}, and superseded since: {which} of {batch.partition('~')[0]!r} stands"


def _last_under(connection: Connection, dataset: str, batch: str) -> Row[Any] | None:
    """The last run that spoke for a key."""
    query = select(runs_table).where(runs_table.c.dataset == dataset, runs_table.c.batch == batch)
    return connection.execute(query.order_by(runs_table.c.seq.desc()).limit(1)).one_or_none()


def remembered(place: Place, contract: Contract, row: Row[Any], *, store: str | None = None) -> VerdictView:
    """What is known of a decided batch.

    Args:
        place: Where it was decided on.
        contract: What is promised now; columns that are personal now are not shown.
        row: The run that speaks for it.
        store: The store as the reader may name it.

    Raises:
        StoreError: The ledger cannot be read.
    """
    run = Run.from_dict(json.loads(row.document))
    comparisons = [Comparison.from_dict(item) for item in json.loads(row.comparisons)]
    reference, approval, unseen = _reference(place, run)
    current = _columns(row.profile)
    if reference is not None and row.layout != reference.layout.sha256:
        reference = None
    reasons, unread = _reasons(place, row)
    with place.ledger.read() as connection:
        breaker = breaker_now(breakers.load(connection, run.dataset), place.clock())
        let_back, revised = signed.let_back(connection, row), signed.revised(connection, row)
    return VerdictView(
        run=run,
        written=place.clock(),
        batch=row.batch,
        store=store,
        changed=contract.sha256 != run.contract_sha256,
        discarded=bool(row.discarded),
        breaker=breaker,
        signed=let_back,
        revised=revised,
        source=runs.source_of(row),
        approval=approval,
        columns=column_lines(current, reference, comparisons),
        shapes=shapes(run.findings, current, reference, contract) if reference is not None else {},
        unseen=unseen,
        reasons=reasons,
        unread=unread,
    )


def _reference(place: Place, run: Run) -> tuple[Reference | None, Approval | None, str]:
    """What it was held against, who approved that, and why it cannot be shown."""
    if run.reference is None:
        return None, None, ""
    try:
        with place.ledger.read() as connection:
            found = references.find(connection, run.dataset, run.reference)
        approval = Approval(found["blocks"], found["approved_by"], found["approved_at"])
        return kept_references.load(place, run.dataset, run.reference), approval, ""
    except TidegateError as error:
        return None, None, error.what


def _columns(profile: str | None) -> dict[str, ColumnProfile]:
    """By column what was kept of it; none where nothing was, or by another version."""
    data = json.loads(profile) if profile is not None else {}
    if data.get("format") != FORMAT:
        return {}
    return {name: ColumnProfile.from_dict(item) for name, item in data["columns"].items()}


def _reasons(place: Place, row: Row[Any]) -> tuple[list[ReasonLine], str]:
    """The rows that are kept back by clause, and why they cannot be told."""
    if not row.rows_quarantined or row.discarded:
        return [], ""
    path = place.store.place(row.dataset, "quarantine") / row.batch / "reasons.parquet"
    try:
        if path.stat().st_size > _REASONS_BYTES:
            return [], "There are too many reasons to count here; tidegate quarantine show does."
        return reason_lines(pq.read_table(path, columns=["row", "check", "rule", "column"])), ""
    except FileNotFoundError:
        return [], "The reasons are not in their place yet, or were taken away."
    except (OSError, pa.ArrowException):
        return [], "The reasons cannot be read."
