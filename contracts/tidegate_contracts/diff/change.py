"""One difference between two contracts: what it is, and whom it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import partial
from typing import Any

from tidegate_contracts.identity import strict_json


class Kind(StrEnum):
    """What a change does.

    ``breaking``: the shape is another one, so that whole deliveries are refused or a reader finds something else.
    ``semantic``: the same data pass and are to be read in another way. ``tightening``: some data that passed may be
    refused. ``loosening``: some data that were refused may pass.
    """

    BREAKING = "breaking"
    SEMANTIC = "semantic"
    TIGHTENING = "tightening"
    LOOSENING = "loosening"


class Side(StrEnum):
    """Whom a change can break: those who deliver the data, those who read them, both, or nobody."""

    PRODUCER = "producer"
    CONSUMER = "consumer"
    BOTH = "both"
    NONE = "none"


class Bump(IntEnum):
    """Which number of the version a change asks to raise."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Of sets, ``old`` and ``new`` hold only the members that the other has not.

    Attributes:
        kind: What it does.
        what: What is different: a property of a column, or an argument of the contract.
        old: What the old contract says of it, as a JSON value; None where it says nothing.
        new: What the new contract says of it, as a JSON value; None where it says nothing.
        column: The column concerned, by its new name where it has one; None for the contract as a whole.
        breaks: Whom it can break.
        bump: Which number of the version it asks to raise.
    """

    kind: Kind
    what: str
    old: Any = None
    new: Any = None
    column: str | None = None
    breaks: Side = Side.BOTH
    bump: Bump = Bump.MINOR

    @property
    def check(self) -> str | None:
        """The catalogue's name of the failure that this change is, if the version does not tell of it."""
        return {Kind.BREAKING: "breaking_schema_change", Kind.SEMANTIC: "semantic_change"}.get(self.kind)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "class": self.kind.value,
            "column": self.column,
            "what": self.what,
            "old": self.old,
            "new": self.new,
            "breaks": self.breaks.value,
            "bump": self.bump.name.lower(),
            "check": self.check,
        }


def _change(
    kind: Kind,
    side: Side,
    bump: Bump,
    what: str,
    old: Any = None,
    new: Any = None,
    column: str | None = None,
    breaks: Side | None = None,
) -> Change:
    return Change(kind, what, strict_json(old), strict_json(new), column, side if breaks is None else breaks, bump)


breaking = partial(_change, Kind.BREAKING, Side.BOTH, Bump.MAJOR)
semantic = partial(_change, Kind.SEMANTIC, Side.BOTH, Bump.MINOR)
words = partial(_change, Kind.SEMANTIC, Side.NONE, Bump.PATCH)
tightening = partial(_change, Kind.TIGHTENING, Side.PRODUCER, Bump.MINOR)
loosening = partial(_change, Kind.LOOSENING, Side.CONSUMER, Bump.MINOR)
