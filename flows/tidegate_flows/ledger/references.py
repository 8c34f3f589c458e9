"""Which references were built, and who approved which."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from tidegate_contracts.batch import iso
from tidegate_contracts.errors import UsageError
from tidegate_flows.ledger import audit
from tidegate_flows.ledger.schema import references, streams


def add(connection: Connection, dataset: str, sha256: str, blocks: int, at: datetime) -> None:
    """Write a reference down; building the same one again changes nothing."""
    here = (references.c.dataset == dataset) & (references.c.sha256 == sha256)
    if connection.execute(select(references.c.seq).where(here)).one_or_none() is None:
        connection.execute(insert(references).values(dataset=dataset, sha256=sha256, blocks=blocks, built_at=iso(at)))


def approve(connection: Connection, dataset: str, sha256: str, *, by: str, reason: str, at: datetime) -> str:
    """Put a reference in force; gives its whole hash.

    Raises:
        UsageError: No reference of the dataset, or more than one, has a hash that begins so.
    """
    found = find(connection, dataset, sha256)
    latest = connection.scalar(select(func.max(references.c.approval)).where(references.c.dataset == dataset)) or 0
    if found["approval"] == latest and latest:
        return str(found["sha256"])  # already in force
    connection.execute(
        update(references)
        .where(references.c.dataset == dataset, references.c.sha256 == found["sha256"])
        .values(approved_at=iso(at), approved_by=by, reason=reason, approval=latest + 1)
    )
    connection.execute(delete(streams).where(streams.c.dataset == dataset))  # its memory was of the one before
    audit.append(connection, dataset, "reference.approved", at=at, by=by, reason=f"{found['sha256']}: {reason}")
    return str(found["sha256"])


def find(connection: Connection, dataset: str, sha256: str) -> dict[str, Any]:
    """The one reference whose hash begins so.

    Raises:
        UsageError: There is none, or more than one.
    """
    matches = [item for item in listed(connection, dataset) if item["sha256"].startswith(sha256)]
    if len(matches) != 1 or not sha256:
        known = ", ".join(item["sha256"][:12] for item in listed(connection, dataset)) or "none"
        raise UsageError(f"reference of {dataset!r}", found=f"{len(matches)} that begin with {sha256!r}", allowed=known)
    return matches[0]


def listed(connection: Connection, dataset: str) -> list[dict[str, Any]]:
    """All references of a dataset, oldest first; ``in_force`` marks the one approved last."""
    query = select(references).where(references.c.dataset == dataset).order_by(references.c.seq)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    latest = max((row["approval"] or 0 for row in rows), default=0)
    return [{**row, "in_force": bool(latest) and row["approval"] == latest} for row in rows]


def in_force(connection: Connection, dataset: str) -> str | None:
    """The hash of the reference approved last, or None."""
    return next((item["sha256"] for item in listed(connection, dataset) if item["in_force"]), None)
