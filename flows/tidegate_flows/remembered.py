"""What only the ledger can say of a batch: what was here before, and what goes wrong again and again."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from tidegate_contracts.check import Checked
from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_flows.intake import Staged
from tidegate_flows.ledger import cohorts, memory
from tidegate_flows.ledger.batches import Claim
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.base_rate_gap import BATCHES as RATE_BATCHES
from tidegate_monitors.base_rate_gap import base_rate_gap
from tidegate_monitors.burn import BATCHES, burn
from tidegate_monitors.maturity import USUAL_SHARE
from tidegate_monitors.overlap import BATCHES as OVERLAP_BATCHES
from tidegate_monitors.overlap import overlap
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.row_sketch import RowSketch


def remembered(
    connection: Connection,
    contract: Contract,
    claim: Claim,
    staged: Staged,
    checked: Checked,
    profile: Profile | None,
    reference: Reference | None,
) -> tuple[Alarm, ...]:
    """The alarms that memory gives.

    Args:
        connection: The transaction that decides.
        contract: What was promised.
        claim: The batch.
        staged: The delivery.
        checked: What the contract says of it.
        profile: What is kept of it; None if it was unreadable, or a monitor failed.
        reference: What it is held against.
    """
    if claim.rewritten:
        severity = contract.severity_of("rewritten_history", Severity.CRITICAL)
        message = (
            f"batch {claim.id!r} was delivered before with other bytes; what was decided then stands, and these "
            f"are kept as {claim.batch!r}; if they are right, gate them with --supersede --by WHO --reason WHY, and "
            "close the breaker if these opened it"
        )
        return (Alarm("rewritten_history", severity, message),)
    if profile is not None and profile.rows == 0:
        return ()  # every empty batch is like every other
    fingerprint = str(profile.fingerprint) if profile is not None else None
    twin = memory.same_rows(connection, contract.name, claim.id, staged.source.sha256, fingerprint)
    if twin is not None:
        severity = contract.severity_of("redelivered_batch", Severity.CRITICAL)
        return (Alarm("redelivered_batch", severity, f"the same rows were delivered before as batch {twin!r}"),)
    return tuple(_of_many(connection, contract, claim, checked, profile, reference)) if profile is not None else ()


def _of_many(
    connection: Connection,
    contract: Contract,
    claim: Claim,
    checked: Checked,
    profile: Profile,
    reference: Reference | None,
) -> Iterator[Alarm]:
    """What the last batches tell of this one: rows that come again, and rows that fail batch after batch."""
    samples = memory.samples(connection, contract.name, claim.id, OVERLAP_BATCHES)
    again = overlap(profile, [(batch, RowSketch.parse(text)) for batch, text in samples], reference, contract)
    if again is not None:
        yield again
    before = memory.set_aside(connection, contract.name, claim.id, BATCHES - 1)
    burnt = burn([(checked.rows, int(checked.failed.sum())), *before], contract)
    if burnt is not None:
        yield burnt
    if contract.prediction is not None and contract.label is not None:
        rates = cohorts.positive_shares(connection, contract.name, settled=USUAL_SHARE, limit=RATE_BATCHES)
        gap = base_rate_gap(profile, rates, contract)
        if gap is not None:
            yield gap
