"""One batch's passage: decoded, held against its contract and what it should look like; nothing is decided yet."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from tidegate_contracts.batch import Batch
from tidegate_contracts.check import Checked, check
from tidegate_contracts.circumstances import NOTHING_KNOWN, Circumstances
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, TidegateError, UsageError
from tidegate_contracts.reasons import SCHEMA
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_flows import intake
from tidegate_flows.circumstances import gather
from tidegate_flows.feedback import feedback
from tidegate_flows.intake import Staged, UnreadableError
from tidegate_flows.latest import latest
from tidegate_flows.ledger import runs
from tidegate_flows.place import Place
from tidegate_flows.reference import approved
from tidegate_flows.signals import NOBODY, Answers
from tidegate_flows.stopwatch import Stopwatch
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.run import Run
from tidegate_monitors.verdict import Observation, observe


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery that was looked into.

    Attributes:
        staged: The delivery.
        batch: Its rows; None if it was unreadable.
        observation: What was seen.
        reference: What it was held against.
        received: When it arrived, for the breaker.
        watch: Since the work on it began.
        echoes: Features that are the model's own earlier predictions.
        failure: Why a monitor could not answer; None where all did.
    """

    staged: Staged
    batch: Batch | None
    observation: Observation
    reference: Reference | None
    received: datetime
    watch: Stopwatch
    echoes: tuple[Alarm, ...] = ()
    failure: MonitorError | None = None

    @property
    def profile(self) -> Profile | None:
        """What is kept of it; None if it was unreadable, or a monitor failed."""
        return self.observation.profile if self.batch is not None and self.failure is None else None

    def unanswered(self, failure: MonitorError) -> Seen:
        """As seen by a gate of which a monitor failed: nothing is known but how many rows came."""
        assert self.batch is not None  # noqa: S101 - nothing is asked about what cannot be read
        rows = self.batch.rows
        checked = Checked(rows, (), np.zeros(rows, dtype=bool), SCHEMA.empty_table(), self.batch.table)
        nothing = Observation(checked, Profile.empty(Layout({})), (), ())
        return replace(self, observation=nothing, echoes=(), failure=failure)


def look(
    place: Place,
    staged: Staged,
    contract: Contract,
    *,
    as_of: datetime | str | None,
    watch: Stopwatch | None = None,
    upstream: Answers = NOBODY,
    came: datetime | None = None,
) -> Seen:
    """Decode, check, profile and compare a staged delivery.

    Args:
        place: Where it is judged.
        staged: The delivery.
        contract: What was promised.
        as_of: The batch's time for the breaker.
        watch: Since the work on it began; None for since now.
        upstream: What the delivery depends on, as it was when it came.
        came: When it came, if it is judged again: nothing grows stale or late by waiting here.

    Raises:
        StoreError: What the contract refers to cannot be read.
        UsageError: The contract promises a false-alarm rate and no reference is approved.
        MonitorError: A check or statistic raised, and the contract lets no batch pass then.
    """
    watch = watch or Stopwatch()
    arrived = place.clock()
    reference = approved(place, contract)
    if reference is None and contract.alarm_budget is not None:
        raise UsageError(
            f"no approved reference of {contract.name!r}, and its contract states an alarm budget",
            found=f"store {place.store.root}",
            allowed="a reference that somebody approved",
            hint="tidegate reference build CONTRACT BATCH… --approve --by WHO --reason WHY",
        )
    try:
        batch = intake.decode(staged, contract)
    except UnreadableError as error:
        watch.over("decode")
        observation = unreadable(str(error))
        if as_of == "window":  # it has none: the breaker's time stands still
            with place.ledger.read() as connection:
                last = runs.latest(connection, contract.name)
            as_of = last.received_at if last is not None else None
        return Seen(staged, None, observation, reference, intake.breaker_time(as_of, None, arrived), watch)
    watch.over("decode")
    received = intake.breaker_time(as_of, batch, arrived)
    then = came or intake.as_of(as_of, batch, arrived)
    seen = Seen(staged, batch, unreadable("not looked into yet"), reference, received, watch)
    try:
        known = gather(contract, now=then, arrived=then, upstream=upstream, delivered=batch.rows)
        return _looked_into(place, seen, batch, contract, known)
    except MonitorError as error:
        if not lets_pass(contract):
            raise
        return seen.unanswered(error)


def _looked_into(place: Place, seen: Seen, batch: Batch, contract: Contract, known: Circumstances) -> Seen:
    end = batch.window.end if batch.window else seen.received
    try:
        newer = latest(place, contract, seen.reference, end) if seen.reference is not None else None
        observation = observed(batch, contract, seen.reference, known, newer, seen.watch)
        echoes = feedback(place, batch, contract)
    except TidegateError:
        raise
    except Exception as error:  # its words may hold values
        raise MonitorError("a monitor raised", found=type(error).__name__) from error
    seen.watch.over("compare")
    return replace(seen, observation=observation, echoes=echoes)


def lets_pass(contract: Contract) -> bool:
    """Whether a batch may be published of which a monitor could say nothing."""
    return contract.on_monitor_error == "publish" or contract.shadow


def observed(
    batch: Batch,
    contract: Contract,
    reference: Reference | None,
    circumstances: Circumstances = NOTHING_KNOWN,
    newer: Reference | None = None,
    watch: Stopwatch | None = None,
) -> Observation:
    """What the contract, the reference and the blocks accepted last (``newer``) say of a batch.

    Raises:
        MonitorError: A check or statistic raised.
    """
    watch = watch or Stopwatch()
    try:
        checked = check(batch, contract, circumstances)
        watch.over("check")
        profile = Profile.of(checked.table, reference.layout if reference else Layout.plain(contract))
    except TidegateError:
        raise
    except Exception as error:  # whatever a check does, it is our failure and never a pass; its words may hold values
        raise MonitorError("a check raised", found=type(error).__name__) from error
    watch.over("profile")
    return observe(checked, profile, reference, contract, seeded(batch, reference), batch.window, newer)


def seeded(batch: Batch, reference: Reference | None) -> np.random.Generator:
    """The generator for one batch against one reference: the same two always draw the same."""
    text = batch.source.sha256 + (reference.sha256 if reference else "")
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def unreadable(why: str) -> Observation:
    """The observation of bytes that are not what their name says."""
    violation = Violation("unreadable", "a readable file of its declared format", Severity.CRITICAL, why)
    checked = Checked(0, (violation,), np.zeros(0, dtype=bool), SCHEMA.empty_table())
    return Observation(checked, Profile.empty(Layout({})), (), ())


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who has a batch judged again.

    Attributes:
        by: Who.
        reason: Why; None where the breaker itself asks.
        event: What it is called in the audit if the batch passes: ``released`` or ``replayed``.
        steps: Whether the verdict moves the breaker; a replay is no arrival and moves nothing.
    """

    by: str
    reason: str | None = None
    event: str = "released"
    steps: bool = True


def stored(place: Place, run: str, *, frame: str = "arrow") -> Run:
    """A run as the ledger has it."""
    with place.ledger.read() as connection:
        row = runs.get(connection, run)
    files = tuple(place.store.root / path for path in json.loads(row.files))
    return Run.from_dict(json.loads(row.document), files=files, frame=frame)
