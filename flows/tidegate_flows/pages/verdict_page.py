"""The page of a verdict: what was decided of a batch, why, and what to do; for people, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from tidegate_flows.pages.markup import NAME_MAXIMUM, said
from tidegate_flows.pages.style import STYLE
from tidegate_flows.pages.verdict_sections import (
    casts_section,
    columns_section,
    findings_section,
    reasons_section,
    rows_section,
    steps_section,
)
from tidegate_flows.pages.verdict_style import VERDICT_STYLE
from tidegate_flows.pages.verdict_view import VerdictView
from tidegate_flows.pages.verdict_words import breaker_now, headline, signature
from tidegate_flows.pages.whole import whole

BYTES_MAXIMUM = 1_000_000
_SENTENCE = 400


def verdict_page(view: VerdictView) -> str:
    """The page, in one piece and under a megabyte whatever was found: no script, and nothing that is fetched."""
    run = view.run
    body = "".join(
        [
            f'<header class="{view.look}" data-look="{view.look}">',
            f"<h1>{said(run.dataset)} / {said(view.batch or run.batch, 2 * NAME_MAXIMUM)}</h1>",
            f'<p class="judgement" data-kind="{view.kind}">{said(headline(view), _SENTENCE)}</p>',
            f'<dl class="facts">{_listed(_top(view))}</dl></header>',
            rows_section(view),
            steps_section(view),
            findings_section(view),
            reasons_section(view),
            columns_section(view),
            casts_section(view),
            f'<section aria-labelledby="came"><h2 id="came">What it rests on</h2><dl class="facts list">'
            f"{_listed(_facts(view))}</dl></section>",
            _evidently(view),
            f"<footer>Written {view.written:%Y-%m-%d %H:%M} UTC by tidegate. "
            "No value of a row is on this page: shares of columns, and keys of rows only.</footer>",
        ]
    )
    return whole(f"{run.dataset} / {view.batch or run.batch}: {view.kind}", body, STYLE + VERDICT_STYLE)


def _top(view: VerdictView) -> Iterator[tuple[str, str]]:
    """What is wanted at a glance."""
    run = view.run
    if run.window is not None:
        yield "window", f"{run.window.start:%Y-%m-%d %H:%M} to {run.window.end:%Y-%m-%d %H:%M} UTC"
    if not view.stored:
        yield "looked at", f"{view.written:%Y-%m-%d %H:%M} UTC; nothing is stored"
    else:
        yield "came", f"{run.at:%Y-%m-%d %H:%M} UTC"
    breaker = breaker_now(view)
    if breaker is not None:
        yield "breaker now", said(breaker, 2 * NAME_MAXIMUM)
    revised, signed = signature(view.revised), signature(view.signed)
    if run.revision > 1 or revised is not None:
        yield "revision", f"{run.revision}{f', signed by {said(revised, _SENTENCE)}' if revised is not None else ''}"
    if view.signed is not None and signed is not None:
        yield view.signed.event, f"{'rows of it, ' if view.signed.part else ''}by {said(signed, _SENTENCE)}"


def _facts(view: VerdictView) -> Iterator[tuple[str, str]]:
    """Contract, reference, source and times, with their hashes."""
    run = view.run
    named = f"{run.dataset} {run.contract_version}{', which has changed since' if view.changed else ''}"
    yield "contract", f"{said(named, 2 * NAME_MAXIMUM)} <code>{said(run.contract_sha256)}</code>"
    yield "reference", _reference(view)
    if view.source is not None:
        source = view.source
        yield "source", f"{said(source.name, NAME_MAXIMUM)}, {source.bytes:,} bytes <code>{said(source.sha256)}</code>"
    stages = ", ".join(f"{said(name, NAME_MAXIMUM)} {seconds:.2f}" for name, seconds in view.stages.items())
    yield "took", f"{run.seconds:.2f} s{f' ({stages})' if stages else ''}"
    if view.stored:
        yield "breaker after it", run.state.value.replace("_", " ")
        yield "verified", "yes" if run.verified else "no: a monitor failed"
        yield "run", f"<code>{said(run.id)}</code>"


def _reference(view: VerdictView) -> str:
    if view.run.reference is None:
        return "none: only the contract was checked"
    found = view.approval
    told = ""
    if found is not None:
        who = f", approved by {said(found.by, NAME_MAXIMUM)} on {said((found.at or '')[:10])}" if found.by else ""
        told = f"{found.blocks:,} batches{who} "
    return f"{told}<code>{said(view.run.reference)}</code>"


def _evidently(view: VerdictView) -> str:
    if view.evidently is None:
        return ""
    note = f" It tells of the batch alone: {said(view.alone)}." if view.alone else ""
    where = said(quote(view.evidently, errors="surrogateescape"))
    return (
        '<section aria-labelledby="evidently"><h2 id="evidently">Further</h2><p>'
        f'<a href="{where}">Evidently’s report</a> on a sample of the batch, beside this file. '
        f"It shows values of columns that are not personal, and needs scripts.{note}</p></section>"
    )


def _listed(facts: Iterator[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
