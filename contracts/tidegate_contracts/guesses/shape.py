"""The one simple shape that all texts of a column share, as a regular expression."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

_CLASSES = (("0-9", re.compile(r"[0-9]")), ("A-Z", re.compile(r"[A-Z]")), ("a-z", re.compile(r"[a-z]")))
_SEPARATOR = re.compile(r"([-_/:.#+|])")
_CODE = re.compile(r"[0-9A-Za-z\-_/:.#+|]{1,64}")
_LEAST = 20
_DISTINCT = 4
_PREFIX = 2


def shape(texts: Sequence[str], rows: int) -> str | None:
    """The pattern of codes such as ``^[A-Z]{3}$``, or None where the texts are words or have nothing in common.

    >>> shape([f"order-{number}" for number in range(1, 200)], 199)
    '^order-[0-9]+$'
    >>> shape(["EWR", "JFK", "LGA", "BOS"], 300)
    '^[A-Z]{3}$'

    Args:
        texts: The distinct texts.
        rows: In how many rows they stand.
    """
    if rows < _LEAST or len(texts) < _DISTINCT or not all(_CODE.fullmatch(text) for text in texts):
        return None
    split = [_SEPARATOR.split(text) for text in texts]
    first = split[0]
    if any(len(fields) != len(first) or fields[1::2] != first[1::2] for fields in split):
        return _of_one_field(texts)
    parts = []
    for position, fields in enumerate(zip(*split, strict=True)):
        parts.append(_escaped(fields[0]) if position % 2 else _field(fields, leading=position == 0))
    pattern = "".join(parts)
    return f"^{pattern}$" if _says_something(pattern) else None


def _escaped(separator: str) -> str:
    return f"[{separator}]" if separator in ".+|" else separator


def _of_one_field(texts: Sequence[str]) -> str | None:
    """Texts whose separators differ have a shape only if they have one length and no small letters."""
    lengths = {len(text) for text in texts}
    return (
        None
        if len(lengths) > 1 or any(_SEPARATOR.search(text) for text in texts)
        else f"^{_field(texts, leading=True)}$"
    )


def _field(fields: Sequence[str], *, leading: bool) -> str:
    runs = [_runs(text) for text in fields]
    kinds = {tuple(kind for kind, _ in run) for run in runs}
    if len(kinds) > 1 or not runs[0]:
        return _counted(_classes_of(fields), {len(text) for text in fields})
    parts = []
    for position, column in enumerate(zip(*runs, strict=True)):
        texts = {text for _, text in column}
        kind = column[0][0]
        fixed = leading and position == 0 and len(texts) == 1 and kind != "0-9" and len(column[0][1]) >= _PREFIX
        parts.append(column[0][1] if fixed else _counted(kind, {len(text) for text in texts}))
    return "".join(parts)


def _runs(text: str) -> list[tuple[str, str]]:
    return [(kind, "".join(group)) for kind, group in groupby(text, key=_class)]


def _class(letter: str) -> str:
    return next(name for name, pattern in _CLASSES if pattern.match(letter))


def _classes_of(fields: Sequence[str]) -> str:
    found = {_class(letter) for text in fields for letter in set(text)}
    return "".join(name for name, _ in _CLASSES if name in found)


def _counted(kind: str, lengths: set[int]) -> str:
    """A class of letters: of one length where all have it, else of any, because the next number may be longer."""
    if len(lengths) > 1:
        return f"[{kind}]{'*' if 0 in lengths else '+'}"
    (length,) = lengths
    return f"[{kind}]" if length == 1 else f"[{kind}]{{{length}}}" if kind else ""


def _says_something(pattern: str) -> bool:
    """Whether a pattern is more than "some word", and a new code would likely have it too."""
    if re.search(r"\[(0-9|0-9A-Z|A-Z)a-z\][+*]", pattern):
        return False  # mixed letters of any length
    varies = "]+" in pattern or "]*" in pattern
    return "0-9" in pattern or not varies or re.match(r"[A-Za-z]", pattern) is not None
