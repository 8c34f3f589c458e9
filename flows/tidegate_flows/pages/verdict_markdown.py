"""A verdict in Markdown: for a mail, a Prefect artifact, a pull request or the log of a job.

It is read as it stands too, so it is short; what is too long for it is counted, and the page or the ledger has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tidegate_contracts.violation import Violation
from tidegate_flows.pages.markup import NAME_MAXIMUM, number, short
from tidegate_flows.pages.verdict_view import VerdictView
from tidegate_flows.pages.verdict_words import breaker_now, headline, share, signature, steps
from tidegate_flows.pages.whole import fitting
from tidegate_flows.plain import plain
from tidegate_monitors.finding import Finding

BYTES_MAXIMUM = 60_000
"""A comment on GitHub holds 65,536 characters."""
_FINDINGS, _REASONS, _COLUMNS = 50, 20, 20
_FINDINGS_ROOM, _REASONS_ROOM, _COLUMNS_ROOM = 30_000, 8_000, 8_000
_MESSAGE, _RULE = 400, 120
_REFERRING = str.maketrans({"@": "＠", "#": "＃"})
"""What calls people and refers to issues, even where it is escaped, each with a letter that looks like it."""
_ISSUE = re.compile(r"(?i)(?<![0-9a-z])(gh)-(?=[0-9])")
_MARKS = re.compile(r"[\\`*~\[\]<>&|$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|(?<=:)//|(?<=www)\.")


def verdict_markdown(view: VerdictView, target: str | None = None) -> str:
    """The verdict.

    Args:
        view: What is told.
        target: Where the page or the batch's files are, as a URL; None where nobody knows.
    """
    run = view.run
    parts = [
        f"### {cell(run.dataset)} / {cell(view.batch or run.batch)}",
        "",
        f"**{cell(headline(view), _MESSAGE)}**",
        "",
        *_table(("", ""), list(_facts(view, target))),
        "",
        *_next(view),
        *_findings(view),
        *_reasons(view),
        *_columns(view),
    ]
    return "\n".join(parts).rstrip() + "\n"


def cell(value: object, limit: int = NAME_MAXIMUM) -> str:
    r"""Text from anywhere that ends no cell, begins no markup or formula, links to nowhere and calls nobody.

    >>> cell("a|b\n@team www.example.com")
    'a\\|b\\\\n＠team www\\.example.com'
    >>> cell("a#12 GH-12 $x$")
    'a＃12 GH‑12 \\$x\\$'
    """
    if value is None:
        return "–"
    text = " ".join(short(plain(value), limit).split())
    text = _MARKS.sub(lambda match: "".join(f"\\{mark}" for mark in match[0]), text)
    return _ISSUE.sub("\\1\u2011", text).translate(_REFERRING)


def _facts(view: VerdictView, target: str | None) -> Iterator[tuple[str, str]]:
    run, rows = view.run, view.run.counts
    yield "decision", f"**{run.decision.value}**" if view.stored else f"{run.decision.value}, if it were gated"
    if run.caution is not None:
        yield "caution", f"**{cell(run.caution, _MESSAGE)}**"
    yield (
        "rows",
        f"{rows.delivered} in = {rows.published} published + {rows.quarantined} quarantined + {rows.held} held",
    )
    if view.stored:
        yield "breaker", run.state.value
    now = breaker_now(view)
    if now is not None:
        yield "breaker now", cell(now, _MESSAGE)
    revised, signed = signature(view.revised), signature(view.signed)
    if run.revision > 1 or revised is not None:
        yield "revision", f"{run.revision}{f', signed by {cell(revised, _MESSAGE)}' if revised is not None else ''}"
    if view.signed is not None and signed is not None:
        yield view.signed.event, f"{'rows of it, ' if view.signed.part else ''}by {cell(signed, _MESSAGE)}"
    yield "contract", f"{cell(run.contract_version)} ({run.contract_sha256[:12]})"
    yield "reference", run.reference[:12] if run.reference else "none"
    if run.window is not None:
        yield "window", f"{run.window.start:%Y-%m-%d %H:%M} to {run.window.end:%Y-%m-%d %H:%M} UTC"
    if view.stored:
        yield "run", cell(run.id)
    if target is not None:
        yield "file", f"<{target}>" if re.fullmatch(r"[!#-;=?-~]+", target) else cell(target, _MESSAGE)


def _next(view: VerdictView) -> list[str]:
    found = steps(view)
    lines = ["**What to do next**", ""]
    for place, step in enumerate(found, start=1):
        lines += [f"{place}. {cell(step.what, _MESSAGE)}"]
        if step.command is not None:
            lines += ["", f"       {_line(step.command)}", ""]
    return [*lines, ""]


def _findings(view: VerdictView) -> list[str]:
    if not view.run.findings:
        return ["Nothing was found.", ""]
    rows = [_row((*_named(one), _said(one))) for one in view.findings[: _FINDINGS + 1]]
    shown = fitting(rows, _FINDINGS, _FINDINGS_ROOM)
    more = _more(len(view.run.findings) - len(shown), "findings")
    return [*_head(("severity", "check", "column", "slice", "what")), *shown, *more, ""]


def _named(one: Finding) -> Sequence[str]:
    part = None if isinstance(one, Violation) else one.slice
    return one.severity.value, cell(one.check), cell(one.column), cell(part)


def _said(one: Finding) -> str:
    """The message, what it explains too, and keys of rows."""
    text = cell(one.message, _MESSAGE)
    if isinstance(one, Violation):
        keys = ", ".join(cell(key) for key in one.examples[:3])
        return f"{text}; such as {keys}" if keys else text
    return f"{text} (also: {cell(', '.join(one.folded), _MESSAGE)})" if one.folded else text


def _reasons(view: VerdictView) -> list[str]:
    if not view.reasons:
        return []
    rows = [
        _row((cell(one.check), cell(one.column), "all" if one.rows is None else f"{one.rows}", cell(one.rule, _RULE)))
        for one in view.reasons[: _REASONS + 1]
    ]
    shown = fitting(rows, _REASONS, _REASONS_ROOM)
    more = _more(len(view.reasons) - len(shown), "clauses")
    return [*_head(("check", "column", "rows", "clause")), *shown, *more, ""]


def _columns(view: VerdictView) -> list[str]:
    """The columns that came nearest to their thresholds, or above."""
    judged = [one for one in view.columns if one.worst is not None]
    if not judged:
        return []
    rows = []
    for one in judged[: _COLUMNS + 1]:
        worst = one.worst
        name = cell(one.name) if one.name is not None else "(the table)"
        ratio = number(worst.ratio if worst is not None else None, 2)
        before, now = (cell(share(value)) for value in one.missing)
        statistic = cell(worst.statistic if worst is not None else None)
        rows.append(_row((name, ratio, statistic, before, now)))
    shown = fitting(rows, _COLUMNS, _COLUMNS_ROOM)
    head = ("column", "score ÷ threshold", "statistic", "missing before", "missing now")
    return [*_head(head), *shown, *_more(len(judged) - len(shown), "columns"), ""]


def _more(many: int, noun: str) -> list[str]:
    return ["", f"{many} more {noun} are left out here."] if many > 0 else []


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    return [*_head(head), *map(_row, lines)]


def _head(names: Sequence[str]) -> list[str]:
    return [_row(names), "|" + "---|" * len(names)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _line(command: str) -> str:
    """A command in a block of code: visible characters on one line, and no more."""
    return short(plain(command), 1000)
