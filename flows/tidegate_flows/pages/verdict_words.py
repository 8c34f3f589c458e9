"""A verdict in a sentence, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tidegate_flows.pages.markup import short
from tidegate_flows.pages.verdict_view import Signed, VerdictView
from tidegate_flows.pasted import SIGNED, pasted
from tidegate_monitors.breaker import Decision, State
from tidegate_monitors.finding import Finding

_REASON = 120
_STATES = {State.CLOSED: "closed", State.OPEN: "open", State.HALF_OPEN: "half open"}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do.

    Attributes:
        what: When, and what comes of it.
        command: How; None where there is no command for it.
    """

    what: str
    command: str | None = None


def headline(view: VerdictView) -> str:
    """The decision and its reason in one sentence; plain text, in which names from outside may stand."""
    run, rows = view.run, view.run.counts
    if not view.stored:
        return _looked(view)
    if run.would is not None and run.decision is Decision.PUBLISH:
        return f"All {_rows(rows.delivered)} are published because the contract is in shadow: {_after(run.caution)}."
    if view.kind == "discarded" and run.decision is Decision.HOLD:
        return f"Held, and discarded before the breaker closed, though it passes: {_none(rows.delivered)}."
    if view.kind == "discarded":
        return f"Quarantined{_because(view)}, and what was kept back has been discarded: {_none(rows.delivered)}."
    if view.kind == "quarantined":
        return f"Quarantined{_as(view)}{_because(view)}: {_none(rows.delivered)}."
    if view.kind == "held":
        return f"Held{_as(view)}: it passes, and its {_rows(rows.held)} wait until the breaker closes."
    return _released(view) or _published(view)


def signature(signed: Signed | None) -> str | None:
    """Who stands for something, when and why, in words; plain text, in which anything may stand."""
    if signed is None:
        return None
    on = f" on {signed.at[:10]}" if signed.at is not None else ""
    return f"{short(signed.by, _REASON)}{on}{f': {signed.reason}' if signed.reason else ''}"


def breaker_now(view: VerdictView) -> str | None:
    """The breaker as it is now, in words; None where nobody asked it."""
    found = view.breaker
    if found is None:
        return None
    since = f" since {found.changed_at:%Y-%m-%d %H:%M} UTC" if found.changed_at is not None else ""
    cause = f", because of {found.cause}" if found.cause and found.state is not State.CLOSED else ""
    return f"{_STATES[found.state]}{since}{cause}"


def steps(view: VerdictView) -> list[Step]:
    """What to do, in the order in which it is tried."""
    return [*(_of_batch(view) if view.stored else _of_look(view)), *_of_reference(view)] or [Step("Nothing.")]


def share(value: float | None) -> str:
    """A share of rows, never so short that some reads as none; a dash for None.

    >>> share(0.0), share(0.0004), share(0.25)
    ('0', '< 0.1%', '25.0%')
    """
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.1%}" if value >= 0.001 else "< 0.1%"


def _of_batch(view: VerdictView) -> Iterator[Step]:
    run = view.run
    if run.caution is not None and run.would is None:
        yield Step(
            "A monitor failed, so the batch was let through unseen: read the gate's log, and look at the file again",
            pasted("check", view.contract, "FILE"),
        )
    if view.kind == "discarded":
        yield Step("If the batch is still wanted, have it delivered again", _gate(view, "FILE"))
    elif view.kind == "held":
        yield Step("See what the breaker waits for", pasted("breaker", "status", run.dataset, store=view.store))
        yield from _of_breaker(view)
    elif run.counts.quarantined and not view.discarded:
        yield from _of_quarantine(view)
    if run.decision is not Decision.HOLD:
        yield from _of_breaker(view)


def _of_quarantine(view: VerdictView) -> Iterator[Step]:
    """The ways out of the quarantine."""
    partial = view.kind == "partial"
    yield Step("See which rows, and why", _aside(view, "show"))
    if any(finding.check == "rewritten_history" for finding in view.run.findings):
        waits = "; they wait until the breaker is closed as well" if _is_shut(view) else ""
        right = f"If these bytes are right: let them take the place of the others, and sign for it{waits}"
        yield Step(right, _gate(view, "FILE", revise=True))
        yield Step("If nobody needs what was kept back: delete it", _aside(view, "discard", SIGNED))
        return
    if not partial:
        anew = "sign for them again" if view.revised is not None else "they are judged anew"
        yield Step(
            f"If the data are wrong: mend them where they come from and deliver them under the same name; {anew}",
            _gate(view, "FILE", revise=view.revised is not None),
        )
    what, who = ("rows", "the rows") if partial else ("batch", "the data")
    again = f"If the contract was wrong: mend it, and have the {what} checked again"
    yield Step(again, _aside(view, "replay", SIGNED))
    right = f"If {who} are right all the same: publish them as they are, and sign for it"
    yield Step(right, _aside(view, "release", SIGNED))
    yield Step("If nobody needs what was kept back: delete it", _aside(view, "discard", SIGNED))


def _of_breaker(view: VerdictView) -> Iterator[Step]:
    """The ways to a closed breaker, while it is not."""
    breaker, name, store = view.breaker, view.run.dataset, view.store
    if breaker is None or breaker.state is State.CLOSED:
        return
    if view.kind not in ("held", "quarantined"):
        cause = f", because of {breaker.cause}" if breaker.cause else ""
        look = f"The breaker is {_STATES[breaker.state]} now{cause}: see what is kept back"
        yield Step(look, pasted("quarantine", "list", name, store=store))
    if view.run.would is None:
        yield Step(
            "Until the breaker closes, good batches are held. To let one batch try whether all is well",
            pasted("breaker", "probe", name, signed=SIGNED, store=store),
        )
    yield Step(
        "When the cause is mended: close the breaker; what it held is judged again and released",
        pasted("breaker", "close", name, signed=SIGNED, store=store),
    )


def _is_shut(view: VerdictView) -> bool:
    return view.breaker is not None and view.breaker.state is not State.CLOSED


def _of_look(view: VerdictView) -> Iterator[Step]:
    if view.run.decision is Decision.PUBLISH:
        yield Step("Take it through the gate, which publishes it", _gate(view, view.batch))
        if view.run.would not in (None, Decision.PUBLISH.value):
            yield Step("Before the shadow ends: mend the data, or the contract where that is wrong")
    else:
        yield Step("Mend it where it comes from, and look again", pasted("report", view.contract, view.batch))


def _of_reference(view: VerdictView) -> Iterator[Step]:
    """What a reference could do for the verdict."""
    if view.run.reference is None and view.kind != "discarded":
        yield Step(
            "It was held against no reference, so drift is not seen: build one of batches that are known to be good",
            pasted("reference", "build", view.contract, "BATCH…", signed=f"--approve {SIGNED}", store=view.store),
        )
    elif view.run.decision is Decision.PUBLISH and not view.run.verified:
        if view.stored:
            again = "If it was bad: trip the breaker while readers are told, and let a mended file take its place"
            yield Step(again, _gate(view, "FILE", revise=view.run.would is None))
    elif view.run.decision is Decision.PUBLISH and view.critical:
        yield Step("Look at the critical findings below, and mend their cause. Build no reference of this batch")
        if view.stored:
            again = "When the data come mended: let them take the place of these, and sign for it"
            yield Step(again, _gate(view, "FILE", revise=view.run.would is None))
    elif view.run.decision is Decision.PUBLISH and any(one.kind == "alarm" for one in view.loud):
        yield Step(
            "Look at the warnings below. Where the change is meant to stay, build a reference of batches since",
            pasted("reference", "build", view.contract, "BATCH…", signed=f"--approve {SIGNED}", store=view.store),
        )


def _published(view: VerdictView) -> str:
    rows, caution = view.run.counts, view.run.caution
    if caution is not None:
        return f"Published without a verdict: a monitor failed, and nobody vouches for its {_rows(rows.published)}."
    if view.kind == "partial" and not rows.published:
        return f"Published{_as(view)}, but none of its {_rows(rows.delivered)} passed."
    if view.kind == "partial":
        gone = " and is discarded" if rows.quarantined == 1 else " and are discarded"
        broke = "which broke the contract" + (gone if view.discarded else "")
        found = f"; {_asking(view)}" if any(one.kind == "alarm" for one in view.loud) else ""
        return f"Published{_as(view)} without {rows.quarantined:,} of its {_rows(rows.delivered)}, {broke}{found}."
    all_of = f"all {_rows(rows.published)}" if rows.published != 1 else "its one row"
    return f"Published{_as(view)}: {all_of}; {_asking(view)}."


def _released(view: VerdictView) -> str | None:
    """What is published whole because somebody signed for it; None of all others."""
    signed = view.signed
    if signed is None or signed.event != "released" or signed.part or not (signed.reason or view.critical):
        return None
    all_of = f"all {_rows(view.run.counts.published)} are" if view.run.counts.published != 1 else "its one row is"
    why = f" ({short(signed.reason, _REASON)})" if signed.reason else ""
    on = f" on {signed.at[:10]}" if signed.at is not None else ""
    although = f", although {_worst(view)} {'was' if len(view.critical) == 1 else 'were'} critical"
    asking = "" if view.critical else f"; {_asking(view)}"
    by = f"Released{_as(view)} by {short(signed.by, _REASON)}{on}{why}"
    return f"{by}{although if view.critical else ''}: {all_of} published{asking}."


def _as(view: VerdictView) -> str:
    return f" as revision {view.run.revision}" if view.run.revision > 1 else ""


def _asking(view: VerdictView) -> str:
    if view.loud:
        return f"{_counted(view.loud)} to look at"
    return "nothing was found" if not view.run.findings else "nothing asks for attention"


def _looked(view: VerdictView) -> str:
    rows = view.run.counts
    if view.run.decision is Decision.QUARANTINE:
        return f"It would be quarantined{_because(view)}: {_none(rows.delivered, 'would be')}."
    if view.run.would is not None:
        return f"All {_rows(rows.delivered)} would be published because the contract is in shadow; {_unshadowed(view)}."
    if rows.quarantined:
        return f"It would be published without {rows.quarantined:,} of its {_rows(rows.delivered)}; {_asking(view)}."
    return f"It would be published, with all {_rows(rows.delivered)}; {_asking(view)}."


def _unshadowed(view: VerdictView) -> str:
    """What would become of a file if its contract were not in shadow."""
    if view.run.would == Decision.PUBLISH.value and not view.reasons:
        return f"without that they would be, too; {_asking(view)}"
    if view.run.would == Decision.PUBLISH.value:
        return f"without that those that broke the contract would be set aside; {_asking(view)}"
    return f"without that it would be quarantined{_because(view)}"


def _because(view: VerdictView) -> str:
    return f" because of {_worst(view)}" if view.critical else ""


def _worst(view: VerdictView) -> str:
    """The first critical finding, and how many more there are."""
    worst = view.critical
    where = f" on {worst[0].column}" if worst[0].column is not None else ""
    more = f" and {len(worst) - 1:,} more" if len(worst) > 1 else ""
    return f"{worst[0].check}{where}{more}"


def _after(caution: str | None) -> str:
    return f"it {(caution or '').partition(': ')[2]}"


def _none(rows: int, verb: str = "is") -> str:
    return f"none of its {_rows(rows)} {verb} published" if rows else f"nothing of it {verb} published"


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _counted(found: list[Finding]) -> str:
    return f"{len(found):,} finding{'' if len(found) == 1 else 's'}"


def _aside(view: VerdictView, verb: str, signed: str = "") -> str:
    return pasted("quarantine", verb, view.run.dataset, view.batch, signed=signed, store=view.store)


def _gate(view: VerdictView, batch: str, *, revise: bool = False) -> str:
    signed = f"--supersede {SIGNED}" if revise else ""
    return pasted("gate", view.contract, batch, signed=signed, store=view.store)
