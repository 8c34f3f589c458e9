"""A mapping of a document that is read with care: types are checked, and what nobody read is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tidegate_contracts.errors import ContractError

_EMPTY: tuple[Any, ...] = (None, False, -1, "", [], {})


class Lost:
    """What a document says and a contract cannot say."""

    def __init__(self) -> None:
        self._told: dict[str, None] = {}
        self._unread: Counter[str] = Counter()

    def tell(self, text: str) -> None:
        """Something particular."""
        self._told[text] = None

    def unread(self, where: str) -> None:
        """A key that means nothing here; many of the same name become one line."""
        self._unread[re.sub(r"\[[^\]]*\]", "[]", where)] += 1

    @property
    def lines(self) -> tuple[str, ...]:
        """One line each."""
        unread = [f"{where}{f' ({count} times)' if count > 1 else ''}" for where, count in self._unread.items()]
        return (*self._told, *unread)


class Node:
    """A mapping of a document.

    Args:
        value: The mapping.
        where: Where it stands, for messages.
        lost: Where unread keys are told.

    Raises:
        ContractError: It is no mapping.
    """

    def __init__(self, value: Any, where: str, lost: Lost) -> None:
        if not isinstance(value, dict):
            raise ContractError(where, found=shown(value), allowed="a mapping of names to values")
        self.where = where
        self.lost = lost
        self._value = value
        self._read: set[str] = set()

    def at(self, key: str) -> str:
        """Where a key stands, for messages."""
        return f"{self.where}.{key}" if self.where else key

    def value(self, key: str) -> Any:
        """Whatever stands there; None where nothing does."""
        self._read.add(key)
        return self._value.get(key)

    def text(self, key: str) -> str | None:
        """A text, or None where there is none."""
        return self._of(key, str, "a text")  # type: ignore[no-any-return] # checked there

    def needed_text(self, key: str) -> str:
        """A text that must be there."""
        found = self.text(key)
        if not found:
            raise ContractError(f"{self.at(key)} is missing", allowed="a text")
        return found

    def flag(self, key: str) -> bool:
        """A truth value; False where there is none."""
        return bool(self._of(key, bool, "true or false"))

    def nodes(self, key: str) -> list[Node]:
        """A list of mappings, each named in messages by its name if it has one."""
        items = self._of(key, list, "a list") or []
        return [Node(item, f"{self.at(key)}[{number}]", self.lost) for number, item in enumerate(items)]

    def node(self, key: str) -> Node | None:
        """A mapping, or None where there is none."""
        found = self.value(key)
        return None if found is None else Node(found, self.at(key), self.lost)

    def items(self) -> Iterator[tuple[str, Any]]:
        """All keys and values, which count as read."""
        self._read.update(self._value)
        return iter(self._value.items())

    def tell_unread(self) -> None:
        """Tell the keys that nobody read and that say something."""
        for key, value in self._value.items():
            if key not in self._read and not any(value is empty or value == empty for empty in _EMPTY):
                self.lost.unread(self.at(shown(key) if re.search(r"\W", key) else key))

    def _of(self, key: str, kind: type, allowed: str) -> Any:
        found = self.value(key)
        if found is not None and not isinstance(found, kind):
            hint = "write it in quotes" if kind is str and isinstance(found, int | float) else None
            raise ContractError(self.at(key), found=shown(found), allowed=allowed, hint=hint)
        return found


def shown(value: object) -> str:
    """A value in a message: short, on one line, in plain characters."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
