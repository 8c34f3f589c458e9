"""A draft as a Python file that makes the contract, with what was guessed in comments.

Names and values of the data reach the file only through :mod:`~tidegate_contracts.source`, so none of them can be read
as code.
"""

from __future__ import annotations

import textwrap

from tidegate_contracts.draft import Argument, Draft, DraftColumn, Rule
from tidegate_contracts.source import (
    INDENT,
    WIDTH,
    Group,
    Named,
    Part,
    call,
    imports,
    laid_out,
    listed,
    literal,
    part_of,
    pattern,
)


def source_of(draft: Draft, name: str, *, owner: str | None = None) -> str:
    """The draft as the text of a Python file; the same draft gives the same text.

    Args:
        draft: What was drafted.
        name: The dataset.
        owner: Who answers for it, if that is known.
    """
    body = [*_schema(draft), "", *_contract(draft, name, owner), ""]
    return "\n".join([*_head(draft, name), "", *imports("\n".join(body)), "", *body])


def _comment(text: str, depth: int) -> list[str]:
    """A guess as comment lines; what stands in it of the data is already a literal."""
    indent = INDENT * depth
    return textwrap.wrap(
        f"guessed: {text}",
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _head(draft: Draft, name: str) -> list[str]:
    files = "a file" if draft.files == 1 else f"{draft.files:,} files"
    return [
        f'"""The contract of {name}, drafted from {draft.rows:,} rows in {files}.',
        "",
        "Look at each guess: keep it, change it, or strike it out. Say what the columns mean",
        'with description=, and in which unit they are with metadata={"unit": …}.',
        '"""',
    ]


def _schema(draft: Draft) -> list[str]:
    lines = ["schema = pa.DataFrameSchema(", f"{INDENT}{{"]
    for column in draft.columns:
        for note in column.notes:
            lines += _comment(note, 2)
        entry = Named(f"{literal(column.name)}: ", _column(column))
        lines.append(f"{INDENT * 2}{laid_out(entry, 2, len(INDENT * 2))},")
    return [*lines, f"{INDENT}}},", f"{INDENT}strict=True,  # no column that is not declared", ")"]


def _column(column: DraftColumn) -> Group:
    checks = [_check(rule) for rule in column.rules]
    parts: list[Part] = [column.dtype] if column.dtype else []
    if len(checks) == 1 and column.dtype:
        parts.append(checks[0])
    elif checks:
        parts.append(Named("checks=", listed(checks)))
    for name, value, usual in (
        ("nullable", column.nullable, False),
        ("unique", column.unique, False),
        ("required", column.required, True),
    ):
        if value != usual:
            parts.append(f"{name}={value!r}")
    if column.personal:
        parts.append('metadata={"personal": True}')
    return call("pa.Column", parts)


def _check(rule: Rule) -> Group:
    made = pattern if rule.check == "str_matches" else part_of
    return call(f"pa.Check.{rule.check}", map(made, rule.arguments))


def _contract(draft: Draft, name: str, owner: str | None) -> list[str]:
    who = literal(owner) if owner is not None else '"nobody yet"'
    lines = ["contract = tg.Contract(", f"{INDENT}name={literal(name)},", f'{INDENT}version="0.1.0",']
    lines.append(f"{INDENT}owner={who}," + ("" if owner is not None else "  # write who answers for it"))
    lines.append(f"{INDENT}schema=schema,")
    for argument in draft.arguments:
        lines += _argument(argument)
    return [*lines, ")"]


def _argument(argument: Argument) -> list[str]:
    entry = laid_out(Named(f"{argument.name}=", part_of(argument.value)), 1, len(INDENT))
    if argument.proposed:
        return [*_comment(argument.note, 1), f"{INDENT}# {argument.name}={literal(argument.value)},"]
    return [*_comment(argument.note, 1), f"{INDENT}{entry},"]
