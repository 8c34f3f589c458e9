"""Who stands for a batch as it is: what the audit and the claims say of the run that speaks for it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from tidegate_flows.ledger.schema import audit, batches, runs
from tidegate_flows.pages.verdict_view import Signed
from tidegate_monitors.breaker import Decision

_BY_HAND = ("batch.released", "batch.replayed")


def let_back(connection: Connection, row: Row[Any]) -> Signed | None:
    """Who had a batch, or rows that were set aside of it, come back from quarantine; None where nobody had."""
    of_run = (audit.c.dataset == row.dataset) & (audit.c.run == row.run) & audit.c.event.in_(_BY_HAND)
    found = connection.execute(select(audit).where(of_run).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    if found is None or found.by is None:
        return None
    return Signed(found.event.partition(".")[2], found.by, found.reason, found.at, part=len(json.loads(row.files)) > 1)


def revised(connection: Connection, row: Row[Any]) -> Signed | None:
    """Who has a revision supersede what was delivered before under its id; None of a first delivery."""
    batch, beside, _ = row.batch.partition("~")
    if beside:
        of_key = (batches.c.dataset == row.dataset) & (batches.c.batch == row.batch)
        claim = connection.execute(select(batches).where(of_key)).one_or_none()
        signs = claim is not None and claim.revised_by is not None
        return Signed("superseded", claim.revised_by, claim.revised_why) if claim is not None and signs else None
    if row.revision == 1:
        return None
    before = select(runs.c.run).where(
        runs.c.dataset == row.dataset,
        runs.c.batch == batch,
        runs.c.revision == _before(connection, row),
        runs.c.decision == Decision.PUBLISH.value,
    )
    of_runs = (audit.c.dataset == row.dataset) & (audit.c.event == "batch.superseded") & audit.c.run.in_(before)
    found = connection.execute(select(audit).where(of_runs).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    return Signed("superseded", found.by, found.reason, found.at) if found is not None and found.by else None


def _before(connection: Connection, row: Row[Any]) -> int | None:
    """The number of the revision that was published before; numbers that name another batch's file are left out."""
    of_id = (runs.c.dataset == row.dataset) & (runs.c.batch == row.batch) & (runs.c.revision < row.revision)
    published = of_id & (runs.c.decision == Decision.PUBLISH.value)
    query = select(runs.c.revision).where(published).order_by(runs.c.revision.desc()).limit(1)
    found: int | None = connection.scalar(query)
    return found
