"""Where a decided batch belongs, and what makes way for it: a revision supersedes what was published under its id."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row

from tidegate_flows.ledger import audit, batches, runs
from tidegate_flows.ledger.batches import Claim, Revision
from tidegate_monitors.breaker import Decision
from tidegate_monitors.run import Run

_LIKE_ANOTHER = re.compile(r".\.[rv][0-9]+")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a batch belongs once it is decided on.

    Attributes:
        key: The ledger's key of it from now on; it names the folder in quarantine.
        stem: Of the published file.
        revision: 1, or more where others were published under the id before.
        stood: Another key under which these bytes were kept until now; None for none.
        superseded: The run that spoke for what it supersedes; None where it supersedes nothing.
        files: The published files that make way, relative to the store.
        passed_over: What else makes way, key and run of each: other revisions of the id that were held, and other bytes
            that were published beside it.
    """

    key: str
    stem: str
    revision: int = 1
    stood: str | None = None
    superseded: str | None = None
    files: tuple[str, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()


def target_of(connection: Connection, claim: Claim, decision: Decision) -> Target:
    """Where a claimed batch belongs.

    A revision that passes takes the place of what was published under its id; one that is held takes that of another
    held one. Until then what stands goes on to stand, and the revision is kept beside it. Of the revisions of an id at
    most one is held, the one that was decided on last. Bytes that were published beside the id, because the contract
    let them, make way for the revision that passes: readers have one version.
    """
    if claim.revises is None:
        return Target(claim.batch, _free(connection, claim))
    target = _target_of_revision(connection, claim, decision)
    if decision is Decision.QUARANTINE:
        return target
    waiting = tuple(batches.waiting_beside(connection, claim))
    if decision is Decision.HOLD:
        return replace(target, passed_over=waiting)
    beside = _claimed_beside(connection, claim.dataset, claim.revises)
    files = (path for row in beside for path in json.loads(row.files))
    gone = ((row.batch, row.run) for row in beside)
    return replace(target, files=(*target.files, *files), passed_over=(*waiting, *gone))


def _claimed_beside(connection: Connection, dataset: str, revision: Revision) -> list[Row[Any]]:
    """The runs that speak for what was published beside the id of a revision, and was claimed with it."""
    found = (runs.speaking_for(connection, dataset, key) for key, _ in revision.beside)
    return [row for row in found if row is not None]


def _target_of_revision(connection: Connection, claim: Claim, decision: Decision) -> Target:
    standing = runs.speaking_for(connection, claim.dataset, claim.id)
    if standing is None or standing.decision != Decision.PUBLISH.value:
        waits = standing is not None and standing.decision == Decision.HOLD.value and not standing.discarded
        if decision is Decision.PUBLISH or (decision is Decision.HOLD and waits):
            run = standing.run if standing is not None and waits else None
            return Target(claim.id, claim.id, stood=claim.batch, superseded=run)
        return Target(claim.batch, claim.id)
    number, stem = _next(connection, claim, standing)
    if decision is not Decision.PUBLISH:
        return Target(claim.batch, stem, number)
    return Target(claim.id, stem, number, claim.batch, standing.run, tuple(json.loads(standing.files)))


def supersede(connection: Connection, claim: Claim, target: Target, run: Run) -> None:
    """Put into the audit what a run supersedes, by whom and why, and let go of what else makes way."""
    if claim.revises is None:
        return
    for key, other in target.passed_over:
        runs.supersede(connection, other)
        batches.free(connection, claim.dataset, key)
    for other in (*([target.superseded] if target.superseded else []), *(other for _, other in target.passed_over)):
        audit.append(
            connection,
            run.dataset,
            "batch.superseded",
            at=run.at,
            batch=run.batch,
            run=other,
            by=claim.revises.by,
            reason=claim.revises.reason,
        )


def _next(connection: Connection, claim: Claim, standing: Row[Any]) -> tuple[int, str]:
    """The next revision whose file is named like no other batch's."""
    number = int(standing.revision) + 1
    while batches.is_known(connection, claim.dataset, f"{claim.id}.v{number}"):
        number += 1
    return number, f"{claim.id}.v{number}"


def _free(connection: Connection, claim: Claim) -> str:
    """The name of a batch's file: its key, unless a revision or a return of another batch is or was called so."""
    stem = claim.batch
    if claim.rewritten or _LIKE_ANOTHER.search(stem):  # what was published beside an id may have been superseded since
        while runs.names_file(connection, claim.dataset, f"{claim.dataset}/published/{stem}.parquet"):
            stem += "~"
    return stem
