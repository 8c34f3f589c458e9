"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["ok", "warning", "no", "absent"]


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at.

    Attributes:
        what: Its name.
        state: ``ok``; ``warning`` where it works, and somebody should look; ``no`` where a gate cannot work so;
            ``absent`` where something optional is not there.
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
