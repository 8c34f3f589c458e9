"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from tidegate_contracts.errors import TidegateError

State: TypeAlias = Literal["ok", "warning", "no", "absent"]


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at.

    Attributes:
        what: Its name.
        state: ``ok``; ``warning`` where it works, and somebody should look; ``no`` where a gate cannot work so, or
            what was named does not do what it is there for; ``absent`` where something optional is not there.
        found: What was found.
        hint: How to mend it.
    """

    what: str
    state: State
    found: str
    hint: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def told(error: TidegateError) -> str:
    """What an error found, without its hint, which has a place of its own.

    >>> told(TidegateError("no answer", found="HTTP 404", allowed="200", hint="start it"))
    'no answer: HTTP 404 (allowed: 200)'
    """
    allowed = f" (allowed: {error.allowed})" if error.allowed is not None else ""
    return f"{error.what}{f': {error.found}' if error.found is not None else ''}{allowed}"
