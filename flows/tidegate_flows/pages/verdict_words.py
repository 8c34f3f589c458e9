"""A verdict in a sentence, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tidegate_contracts.severity import Severity
from tidegate_flows.pages.verdict_view import VerdictView
from tidegate_monitors.breaker import Decision, State
from tidegate_monitors.verdict import Finding

_SIGNED = "--by WHO --reason WHY"
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
    if run.would is not None:
        return f"All {_rows(rows.delivered)} are published because the contract is in shadow: {_after(run.caution)}."
    if view.kind == "discarded":
        return f"Quarantined{_because(view)}, and what was kept back has been discarded: {_none(rows.delivered)}."
    if view.kind == "quarantined":
        return f"Quarantined{_because(view)}: {_none(rows.delivered)}."
    if view.kind == "held":
        return f"Held: it passes, and its {_rows(rows.held)} wait until the breaker closes."
    return _published(view)


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
            _said("check", view.contract, "FILE"),
        )
    if view.kind == "discarded":
        yield Step("If the batch is still wanted, have it delivered again", _gate(view, "FILE"))
    elif view.kind == "held":
        yield Step("See what the breaker waits for", _said("breaker", "status", run.dataset, store=view.store))
        yield from _of_breaker(view)
    elif run.counts.quarantined:
        yield from _of_quarantine(view)
        if run.decision is Decision.QUARANTINE:
            yield from _of_breaker(view)


def _of_quarantine(view: VerdictView) -> Iterator[Step]:
    """The ways out of the quarantine."""
    partial = view.kind == "partial"
    yield Step("See which rows, and why", _aside(view, "show"))
    if not partial:
        checks = {finding.check for finding in view.run.findings}
        if "rewritten_history" in checks:
            right = "If these bytes are right: let them take the place of the others, and sign for it"
            yield Step(right, _gate(view, "FILE", revise=True))
        else:
            yield Step(
                "If the data are wrong: mend them where they come from and deliver them under the same name; they are "
                "judged anew",
                _gate(view, "FILE"),
            )
    what, who = ("rows", "the rows") if partial else ("batch", "the data")
    again = f"If the contract was wrong: mend it, and have the {what} checked again"
    yield Step(again, _aside(view, "replay", _SIGNED))
    right = f"If {who} are right all the same: publish them as they are, and sign for it"
    yield Step(right, _aside(view, "release", _SIGNED))
    yield Step("If nobody needs what was kept back: delete it", _aside(view, "discard", _SIGNED))


def _of_breaker(view: VerdictView) -> Iterator[Step]:
    """The ways to a closed breaker, while it is not."""
    if view.breaker is None or view.breaker.state is State.CLOSED:
        return
    name, store = view.run.dataset, view.store
    yield Step(
        "Until the breaker closes, good batches are held. To let one batch try whether all is well",
        _said("breaker", "probe", name, signed=_SIGNED, store=store),
    )
    yield Step(
        "When the cause is mended: close the breaker; what it held is judged again and released",
        _said("breaker", "close", name, signed=_SIGNED, store=store),
    )


def _of_look(view: VerdictView) -> Iterator[Step]:
    if view.run.decision is Decision.PUBLISH:
        yield Step("Take it through the gate, which publishes it", _gate(view, view.batch))
    else:
        yield Step("Mend it where it comes from, and look again", _said("report", view.contract, view.batch))


def _of_reference(view: VerdictView) -> Iterator[Step]:
    """What a reference could do for the verdict."""
    if view.run.reference is None and view.kind != "discarded":
        yield Step(
            "It was held against no reference, so drift is not seen: build one of batches that are known to be good",
            _said("reference", "build", view.contract, "BATCH…", signed=f"--approve {_SIGNED}", store=view.store),
        )
    elif view.run.decision is Decision.PUBLISH and view.loud and any(one.kind == "alarm" for one in view.loud):
        yield Step(
            "Look at the warnings below. Where the change is meant to stay, build a reference of batches since",
            _said("reference", "build", view.contract, "BATCH…", signed=f"--approve {_SIGNED}", store=view.store),
        )


def _published(view: VerdictView) -> str:
    rows, caution = view.run.counts, view.run.caution
    if caution is not None:
        return f"Published without a verdict: a monitor failed, and nobody vouches for its {_rows(rows.published)}."
    if view.kind == "partial" and not rows.published:
        return f"Published, but none of its {_rows(rows.delivered)} passed."
    if view.kind == "partial":
        gone = " and is discarded" if rows.quarantined == 1 else " and are discarded"
        broke = "which broke the contract" + (gone if view.discarded else "")
        found = f"; {_asking(view)}" if any(one.kind == "alarm" for one in view.loud) else ""
        return f"Published without {rows.quarantined:,} of its {_rows(rows.delivered)}, {broke}{found}."
    all_of = f"all {_rows(rows.published)}" if rows.published != 1 else "its one row"
    return f"Published: {all_of}; {_asking(view)}."


def _asking(view: VerdictView) -> str:
    if view.loud:
        return f"{_counted(view.loud)} to look at"
    return "nothing was found" if not view.run.findings else "nothing asks for attention"


def _looked(view: VerdictView) -> str:
    rows = view.run.counts
    if view.run.decision is Decision.QUARANTINE:
        return f"It would be quarantined{_because(view)}: {_none(rows.delivered, 'would be')}."
    if rows.quarantined:
        return f"It would be published without {rows.quarantined:,} of its {_rows(rows.delivered)}; {_asking(view)}."
    return f"It would be published, with all {_rows(rows.delivered)}; {_asking(view)}."


def _because(view: VerdictView) -> str:
    worst = [one for one in view.findings if one.severity is Severity.CRITICAL]
    if not worst:
        return ""
    where = f" on {worst[0].column}" if worst[0].column is not None else ""
    more = f" and {len(worst) - 1:,} more" if len(worst) > 1 else ""
    return f" because of {worst[0].check}{where}{more}"


def _after(caution: str | None) -> str:
    return f"it {(caution or '').partition(': ')[2]}"


def _none(rows: int, verb: str = "is") -> str:
    return f"none of its {_rows(rows)} {verb} published" if rows else f"nothing of it {verb} published"


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _counted(found: list[Finding]) -> str:
    return f"{len(found):,} finding{'' if len(found) == 1 else 's'}"


def _aside(view: VerdictView, verb: str, signed: str = "") -> str:
    return _said("quarantine", verb, view.run.dataset, view.batch, signed=signed, store=view.store)


def _gate(view: VerdictView, batch: str, *, revise: bool = False) -> str:
    signed = f"--supersede {_SIGNED}" if revise else ""
    return _said("gate", view.contract, batch, signed=signed, store=view.store)


def _said(*words: str, signed: str = "", store: str | None = None) -> str:
    """A command that can be pasted."""
    placeholders = {"FILE", "BATCH…", "CONTRACT"}
    told = [word if word in placeholders else shlex.quote(word) for word in words]
    where = ["--store", shlex.quote(store)] if store is not None else []
    return " ".join(["tidegate", *told, *([signed] if signed else []), *where])
