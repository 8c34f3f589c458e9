r"""Patterns that mean the same to pandas, Python and Postgres, translated; all others are refused.

The dialects differ in what ``.``, ``$`` and ``\d`` match, in look-arounds and in flags. Only what can be written so
that all of them agree is let through: literals, classes of ASCII characters, groups, alternatives, anchors and greedy
counts. ``.`` becomes ``[^\n]``, ``\d`` becomes ``[0-9]`` and ``$`` the very end, as pandas reads them.
"""

from __future__ import annotations

import re

_COUNT_MAXIMUM = 255  # of Postgres
_ATOM = re.compile(
    r"""
      (?P<any>\.)
    | (?P<start>\^|\\A)
    | (?P<end>\$|\\Z)
    | \\(?P<letter>[dnrt])
    | \\(?P<escaped>[^A-Za-z0-9_])
    | (?P<literal>[^\\\[\](){}*+?.|^$])
    """,
    re.VERBOSE | re.DOTALL,
)
_COUNT = re.compile(r"[*+?]|\{(\d{1,3})(,(\d{1,3})?)?\}")
_CLASS = re.compile(r"\[(\^?)((?:\\.|[^\\\[\]])+)\]", re.DOTALL)
_MEMBER = re.compile(
    r"(?P<low>[A-Za-z0-9])-(?P<high>[A-Za-z0-9])|\\(?P<letter>[dnrt])|\\(?P<escaped>[^A-Za-z0-9_\s])"
    r"|(?P<literal>[A-Za-z0-9_ ,.:;/@#%+*?!=<>(){}|$'\"~&`-])"
)
_LETTERS = {"d": "[0-9]", "n": r"\n", "r": r"\r", "t": r"\t"}


def portable(pattern: str, *, anchored: bool) -> str | None:
    r"""A pattern to search with that every dialect reads alike; None where there is none.

    Args:
        pattern: A regular expression as Python knows it.
        anchored: Whether a match must begin where the text begins.

    >>> portable(r"[A-Z]{3}$", anchored=True)
    '\\A(?:[A-Z]{3}\\Z)'
    >>> portable(r"(?i)ab", anchored=False) is None
    True
    """
    try:
        inner, end = _alternatives(pattern, 0)
    except _NotPortable:
        return None
    if end != len(pattern):
        return None
    return rf"\A(?:{inner})" if anchored else f"(?:{inner})"


class _NotPortable(Exception):  # noqa: N818 - it never leaves this file
    """The dialects do not agree on something."""


def _alternatives(pattern: str, at: int) -> tuple[str, int]:
    """Alternatives up to the end or to a closing bracket, and where they end."""
    parts: list[str] = []
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            parts.append("|")
            at += 1
            continue
        part, at = _counted(pattern, at)
        parts.append(part)
    return "".join(parts), at


def _counted(pattern: str, at: int) -> tuple[str, int]:
    """One atom with its count."""
    atom, at, countable = _atom(pattern, at)
    count = _COUNT.match(pattern, at)
    if count is None:
        return atom, at
    numbers = [int(number) for number in (count[1], count[3]) if number]
    if not countable or max(numbers, default=0) > _COUNT_MAXIMUM or numbers != sorted(numbers):
        raise _NotPortable
    at = count.end()
    if pattern[at : at + 1] in ("?", "+", "*", "{"):
        raise _NotPortable
    return atom + count[0], at


def _atom(pattern: str, at: int) -> tuple[str, int, bool]:
    """One atom, where it ends, and whether it may be counted."""
    if pattern[at] == "(":
        begin = at + 3 if pattern.startswith("(?:", at) else at + 1
        if pattern[begin : begin + 1] == "?":
            raise _NotPortable
        inner, end = _alternatives(pattern, begin)
        if pattern[end : end + 1] != ")":
            raise _NotPortable
        return f"(?:{inner})", end + 1, True
    if pattern[at] == "[":
        return *_class(pattern, at), True
    found = _ATOM.match(pattern, at)
    if found is None:
        raise _NotPortable
    kind, text = found.lastgroup, found[found.lastgroup or 0]
    if kind in ("start", "end"):
        return (r"\A" if kind == "start" else r"\Z"), found.end(), False
    atom = {"any": r"[^\n]", "letter": _LETTERS.get(text, "")}.get(kind or "") or re.escape(text)
    return atom, found.end(), True


def _class(pattern: str, at: int) -> tuple[str, int]:
    """A class of characters."""
    found = _CLASS.match(pattern, at)
    if found is None:
        raise _NotPortable
    members, text, inside = "", found[2], 0
    while inside < len(text):
        member = _MEMBER.match(text, inside)
        if member is None or (member["low"] and not _is_range(member["low"], member["high"])):
            raise _NotPortable
        inside = member.end()
        if member["low"]:
            members += member[0]
        elif member["letter"]:
            members += _LETTERS[member["letter"]].strip("[]")
        else:
            literal = member["escaped"] or member["literal"]
            if literal == "-" and member.start() > 0 and inside < len(text) and not member["escaped"]:
                raise _NotPortable  # a range between other characters
            members += literal if literal.isalnum() else f"\\{literal}"
    return f"[{found[1]}{members}]", found.end()


def _is_range(low: str, high: str) -> bool:
    kinds = (str.isdigit, str.islower, str.isupper)
    return low <= high and any(kind(low) and kind(high) for kind in kinds)


def regex_of(how: str, text: str) -> str:
    """What pandera's check of a text's shape matches, as a pattern to search with."""
    if how == "str_startswith":
        return "^" + re.escape(text)
    if how == "str_endswith":
        return re.escape(text) + r"\Z"
    if how == "str_matches" and not (text.startswith("^") and "|" not in text):
        return f"^(?:{text})"
    return text


def check_of(regex: str) -> tuple[str, str]:
    """The pandera check that matches what a pattern finds, and its argument; what :func:`regex_of` undoes."""
    inner = regex[len("^(?:") : -1] if regex.startswith("^(?:") and regex.endswith(")") else None
    if inner is not None and compiles(inner) and regex_of("str_matches", inner) == regex:
        return "str_matches", inner
    return ("str_matches" if regex.startswith("^") and "|" not in regex else "str_contains"), regex


def compiles(pattern: str) -> bool:
    """Whether Python knows a pattern."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
