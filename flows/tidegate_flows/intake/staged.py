"""A delivery that was copied into the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tidegate_contracts.batch import Source


class UnreadableError(Exception):
    """The bytes are not what their name says; a verdict about the batch, never a reason to retry."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A delivery, copied into the store and not yet looked into.

    Attributes:
        path: The staged copy.
        source: Its name, format, hash and size.
        id: The batch id.
        frame: ``pandas``, ``polars`` or ``arrow`` as the caller brought it.
        own: Whether this process wrote the bytes itself, as parquet, so that nobody else's decoder trap is in them.
    """

    path: Path
    source: Source
    id: str
    frame: str = "arrow"
    own: bool = False
