"""Commands that people are told, so that they can be pasted as they stand."""

from __future__ import annotations

import shlex

from tidegate_flows.settings import DEFAULTS, Settings

SIGNED = "--by WHO --reason WHY"
_PLACEHOLDERS = frozenset({"FILE", "BATCH…", "CONTRACT"})


def pasted(*words: str, signed: str = "", store: str | None = None) -> str:
    """A command that can be pasted.

    Args:
        words: What stands after ``tidegate``; names from anywhere are quoted.
        signed: What the reader fills in, as it is.
        store: The store as the reader may name it; None where commands find it by themselves.

    >>> pasted("breaker", "close", "my orders", signed=SIGNED, store="a b")
    "tidegate breaker close 'my orders' --by WHO --reason WHY --store 'a b'"
    """
    told = [word if word in _PLACEHOLDERS else shlex.quote(word) for word in words]
    where = ["--store", shlex.quote(store)] if store is not None else []
    return " ".join(["tidegate", *told, *([signed] if signed else []), *where])


def named(chosen: Settings) -> str | None:
    """The store as a command must name it; None for the usual one."""
    return other_than_usual(chosen.store.value)


def other_than_usual(store: object) -> str | None:
    """A store as a command must name it; None for the usual one, and where none was named."""
    if isinstance(store, Settings):
        return named(store)
    return str(store) if store is not None and str(store) != DEFAULTS["store"] else None


def way_out(dataset: str, store: str | None) -> str:
    """How to look at what an open breaker keeps back, and how to close it."""
    look = pasted("quarantine", "list", dataset, store=store)
    return f"{look}; then {pasted('breaker', 'close', dataset, signed=SIGNED, store=store)}"
