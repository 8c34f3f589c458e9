"""What can be done by hand from a page, each act signed and in the audit as on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from tidegate_contracts.errors import UsageError
from tidegate_flows import by_hand, readmission
from tidegate_flows.place import Place
from tidegate_flows.status.glance import Glance
from tidegate_monitors.breaker import Breaker, Decision, State
from tidegate_monitors.run import Run

_WORDS = {State.CLOSED: "closed", State.OPEN: "open", State.HALF_OPEN: "half open"}


@dataclass(frozen=True, slots=True)
class Form:
    """One thing that can be done.

    Attributes:
        verb: What the form sends.
        title: What it is called.
        meaning: What will happen.
        hours: Whether it takes a time in hours.
        sure: Whether it cannot be undone, so that a box must be ticked.
    """

    verb: str
    title: str
    meaning: str
    hours: bool = False
    sure: bool = False


TRIP = Form("trip", "Trip the breaker", "Good batches are held from now on, until somebody closes it or has it probed.")
PROBE = Form("probe", "Probe", "One batch tries whether all is well: the oldest held one at once, else the next.")
OVERRIDE = Form("override", "Override", "Good batches pass for a time although the breaker is not closed.", hours=True)
CLOSE = Form("close", "Close the breaker", "Batches pass again, and what was held is judged again and released.")
RELEASE = Form("release", "Release", "Publish what was kept back as it is, because you stand for it.")
DISCARD = Form("discard", "Discard", "Delete what was kept back. This cannot be undone.", sure=True)


def forms(found: Glance) -> list[Form]:
    """What can be done to a breaker as it is now."""
    if found.breaker.state is State.CLOSED:
        return [TRIP]
    return [PROBE, CLOSE, OVERRIDE, TRIP]


def breaker_act(place: Place, dataset: str, sent: Mapping[str, str]) -> str:
    """Do to a breaker what a form says; gives what came of it, in a sentence.

    Raises:
        TidegateError: It cannot be done, and why.
    """
    verb, by, reason = sent.get("act", ""), sent.get("by", ""), sent.get("reason", "")
    if verb == TRIP.verb:
        return _told(dataset, by_hand.trip(place, dataset, by=by, reason=reason), [])
    if verb == PROBE.verb:
        return _told(dataset, *by_hand.probe(place, dataset, by=by, reason=reason))
    if verb == CLOSE.verb:
        return _told(dataset, *by_hand.close(place, dataset, by=by, reason=reason))
    if verb == OVERRIDE.verb:
        return _told(dataset, *by_hand.override(place, dataset, _length(sent), by=by, reason=reason))
    raise UsageError("no such act", found=repr(verb), allowed="trip, probe, close or override")


def quarantine_act(place: Place, dataset: str, batch: str, sent: Mapping[str, str]) -> str:
    """Do to a batch that is kept back what a form says; gives what came of it, in a sentence.

    Raises:
        TidegateError: It cannot be done, and why.
    """
    verb, by, reason = sent.get("act", ""), sent.get("by", ""), sent.get("reason", "")
    if verb == RELEASE.verb:
        run = readmission.release(place, dataset, batch, by=by, reason=reason)
        return f"Batch {batch}: {run.counts.published:,} of {run.counts.delivered:,} rows are published now."
    if verb == DISCARD.verb:
        if sent.get("sure") != "yes":
            raise UsageError("discarding cannot be undone", hint="tick the box that says so")
        readmission.discard(place, dataset, batch, by=by, reason=reason)
        return f"Batch {batch}: what was kept back is deleted; the ledger remembers who let it go."
    raise UsageError("no such act", found=repr(verb), allowed="release or discard")


def _length(sent: Mapping[str, str]) -> timedelta:
    try:
        hours = float(sent.get("hours", ""))
    except ValueError:
        hours = 0.0
    if not 0 < hours <= by_hand.LONGEST_OVERRIDE / timedelta(hours=1):  # NaN and infinity are neither
        raise UsageError("hours", found=repr(sent.get("hours", "")), allowed="more than 0, at most 744")
    return timedelta(hours=hours)


def _told(dataset: str, breaker: Breaker, released: list[Run]) -> str:
    passed = sum(run.decision is Decision.PUBLISH for run in released)
    more = f"; {len(released)} held batches were judged again, {passed} are published" if released else ""
    over = f", overridden until {breaker.override.until:%Y-%m-%d %H:%M} UTC" if breaker.override is not None else ""
    return f"The breaker of {dataset} is {_WORDS[breaker.state]}{over}{more}."
