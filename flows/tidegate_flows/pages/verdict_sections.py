"""The sections of the page of a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_flows.pages.drawing import box, line
from tidegate_flows.pages.markup import NAME_MAXIMUM, figure, number, said, table
from tidegate_flows.pages.rows_plot import rows_plot
from tidegate_flows.pages.shape_plot import shape_plot
from tidegate_flows.pages.verdict_view import ColumnLine, ReasonLine, VerdictView
from tidegate_flows.pages.verdict_words import share, steps
from tidegate_flows.pages.whole import fitting
from tidegate_monitors.finding import Finding

FINDINGS_MAXIMUM, COLUMNS_MAXIMUM, REASONS_MAXIMUM, CASTS_MAXIMUM = 100, 200, 100, 100
PLOTS_MAXIMUM = 12
_FINDINGS_ROOM, _COLUMNS_ROOM, _REASONS_ROOM, _CASTS_ROOM = 300_000, 200_000, 80_000, 40_000
_EXAMPLES = 5
_ALL = "the ledger has all of them"
_RATIO_MAXIMUM, _WIDE, _TALL = 2.0, 88, 10


def rows_section(view: VerdictView) -> str:
    """Where the rows went: a bar, and numbers that add up."""
    rows = view.run.counts
    drawn = rows_plot("rows", rows) or ""
    if_gated = "" if view.stored else " (as a gate would have it)"
    return (
        f'<div class="rows">{drawn}<p class="sum"><strong>{rows.delivered:,}</strong> in = '
        f'<strong class="k-pub">{rows.published:,}</strong> published + '
        f'<strong class="k-aside">{rows.quarantined:,}</strong> quarantined + '
        f'<strong class="k-held">{rows.held:,}</strong> held{if_gated}</p></div>'
    )


def steps_section(view: VerdictView) -> str:
    """What to do next."""
    items = "".join(
        f"<li>{said(step.what)}{f'<code>{said(step.command)}</code>' if step.command is not None else ''}</li>"
        for step in steps(view)
    )
    return _section("next", "What to do next", f'<ol class="steps">{items}</ol>')


def findings_section(view: VerdictView) -> str:
    """Everything that was found, the worst first, each with its column in the reference and now."""
    many = len(view.run.findings)
    title = f"{many:,} finding{'' if many == 1 else 's'}" if many else "No findings"
    if not many:
        like = " and looks like its reference" if view.run.reference is not None else ""
        return _section("findings", title, f"<p>The batch kept its contract{like}.</p>")
    shown = fitting(_findings(view), FINDINGS_MAXIMUM, _FINDINGS_ROOM)
    more = _left_out(many - len(shown), "finding", "the milder ones")
    why = f'<p class="note">No column is drawn: {said(view.unseen)}.</p>' if view.unseen else ""
    return _section("findings", title, f'{why}<ol class="verdict">{"".join(shown)}</ol>{more}')


def reasons_section(view: VerdictView) -> str:
    """Rows by the clause that they broke."""
    if view.unread:
        return _section("reasons", "Rows that broke the contract", f'<p class="note">{said(view.unread)}</p>')
    if not view.reasons:
        return ""
    rows = [_reason(one) for one in view.reasons]
    shown = fitting(map("".join, rows), REASONS_MAXIMUM, _REASONS_ROOM)
    body = table(
        "Rows by clause; a row that broke several counts for each",
        ("check", "column", "rows", "clause"),
        rows[: len(shown)],
        kind="numbers reasons",
    )
    more = _left_out(len(rows) - len(shown), "clause", "those that fewer rows broke")
    return _section("reasons", "Rows that broke the contract", body + more)


def columns_section(view: VerdictView) -> str:
    """Every column: missing values, and how far it came of its threshold."""
    if not view.columns:
        return ""
    rows = [_column(one) for one in view.columns]
    shown = fitting(map("".join, rows), COLUMNS_MAXIMUM, _COLUMNS_ROOM)
    body = table(
        "By score ÷ threshold",
        ("column", "score ÷ threshold", "statistic", "threshold", "missing before", "missing now"),
        rows[: len(shown)],
        kind="numbers columns",
    )
    more = _left_out(len(rows) - len(shown), "column", "those that are nearest to the reference")
    told = (
        "Of each column the statistic that came nearest to its threshold. Above 1 it is unusual, against the reference "
        "and the latest accepted batches alike."
    )
    return _section("columns", "Columns", f'<p class="note">{told}</p>{body}{more}')


def casts_section(view: VerdictView) -> str:
    """What was done to how values are written, no value being another one after."""
    run = view.run
    lines = [f"<li>{said(name, NAME_MAXIMUM)}: {said(cast, NAME_MAXIMUM)}</li>" for name, cast in run.casts.items()]
    lines += [
        f"<li>{said(name, NAME_MAXIMUM)}: {count:,} values were coerced by the schema</li>"
        for name, count in run.coerced.items()
    ]
    if not lines:
        return ""
    shown = fitting(lines, CASTS_MAXIMUM, _CASTS_ROOM)
    more = _left_out(len(lines) - len(shown), "column", "the others")
    return _section("casts", "Brought to the contract's types", f"<ul>{''.join(shown)}</ul>{more}")


def _findings(view: VerdictView) -> Iterator[str]:
    plots = dict(list(view.shapes.items())[:PLOTS_MAXIMUM])
    for index, one in enumerate(view.findings):
        column = next((name for name in _columns_of(one) if name in plots), None)
        drawn = shape_plot(f"shape{index}", column, plots.pop(column)) if column is not None else None
        yield _finding(one, drawn, column)


def _columns_of(finding: Finding) -> tuple[str, ...]:
    """The columns that a finding is about."""
    more = () if isinstance(finding, Violation) else finding.columns
    return (*((finding.column,) if finding.column is not None else ()), *more)


def _finding(finding: Finding, drawn: str | None, column: str | None) -> str:
    word = finding.severity.value
    where = f' <span class="quiet">{said(finding.column, NAME_MAXIMUM)}</span>' if finding.column is not None else ""
    told = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _facts(finding))
    facts = f'<dl class="facts">{told}</dl>' if told else ""
    caption = f"{said(column or '', NAME_MAXIMUM)}. Filled: the reference. Line: this batch. Shares of present values."
    alone = ' class="alone"'
    return (
        f'<li{"" if drawn else alone}><div><h3><span class="badge {word}">{word}</span> '
        f"{said(finding.check, NAME_MAXIMUM)}{where}</h3><p>{said(finding.message)}</p>{facts}</div>"
        f"{figure(drawn, caption) if drawn else ''}</li>"
    )


def _facts(finding: Finding) -> Iterator[tuple[str, str]]:
    if isinstance(finding, Violation):
        if finding.failed is not None:
            yield "rows", f"{finding.failed:,}"
        yield "clause", f"<code>{said(finding.rule)}</code>"
        if finding.examples:
            keys = " ".join(f"<code>{said(key, NAME_MAXIMUM)}</code>" for key in finding.examples[:_EXAMPLES])
            yield "row keys", keys
        return
    if finding.slice is not None:
        yield "slice", said(finding.slice, NAME_MAXIMUM)
    if finding.score is not None:
        limit = f", threshold {number(finding.threshold)}" if finding.threshold is not None else ""
        yield "score", f"{number(finding.score)}{limit}"
    if finding.folded:
        yield "explains too", said(", ".join(finding.folded))
    if finding.kind == "insufficient_evidence" and finding.severity is Severity.INFO:
        yield "kind", "too little evidence: neither a pass nor an alarm"


def _reason(one: ReasonLine) -> Sequence[str]:
    column = said(one.column, NAME_MAXIMUM) if one.column is not None else "–"
    return said(one.check, NAME_MAXIMUM), column, _count(one.rows), f"<code>{said(one.rule, 200)}</code>"


def _column(one: ColumnLine) -> Sequence[str]:
    name = said(one.name, NAME_MAXIMUM) if one.name is not None else "(the table)"
    before, now = (said(share(value)) for value in one.missing)
    if one.worst is None:
        return name, "–", "–", "–", before, now
    ratio = one.worst.ratio
    where = f" in {said(one.worst.slice, NAME_MAXIMUM)}" if one.worst.slice is not None else ""
    return (
        name,
        f'<span class="figure">{number(ratio, 2)}</span>{_bar(ratio or 0.0)}',
        f"{said(one.worst.statistic, NAME_MAXIMUM)}{where}",
        number(one.worst.threshold),
        before,
        now,
    )


def _bar(ratio: float) -> str:
    """How far a score came, with a mark at its threshold."""
    wide = min(max(ratio, 0.0), _RATIO_MAXIMUM) / _RATIO_MAXIMUM * _WIDE
    half = _WIDE / _RATIO_MAXIMUM
    body = box(0, 2, max(wide, 1.0), _TALL - 4, "over" if ratio > 1 else "bar") + line(half, 0, half, _TALL, "grid")
    return f'<svg class="ratio" aria-hidden="true" viewBox="0 0 {_WIDE} {_TALL}">{body}</svg>'


def _count(value: int | None) -> str:
    return "all" if value is None else f"{value:,}"


def _left_out(many: int, noun: str, which: str) -> str:
    if many <= 0:
        return ""
    more = f"{many:,} more {noun}{'' if many == 1 else 's'}"
    return f'<p class="note">{more}, {which}, are left out here; {_ALL}.</p>'


def _section(name: str, title: str, body: str) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>{body}</section>'
