"""What is known of a delivery besides its rows: gathered outside, because clauses look at no clock and open no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from tidegate_contracts.foreign_key import ForeignKey


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What clauses may ask besides the rows. A clause whose question is not answered here is not asked.

    Attributes:
        now: The time at which ages are counted, in UTC; None where nobody asks how old the rows are.
        arrived: When the batch came, in UTC; None where nothing arrived (one look at a file).
        tables: For each reference the ``pyarrow.Table`` with its key columns.
        suppressed: The lines of the suppression list.
        upstream: For each upstream what it promises: the number of rows its manifest states, None where it states
            none, or a text that says why it is not ready.
        delivered: How many rows were delivered, of which clauses may see only those that are left; None where nobody
            says so, and then the rows at hand are all of them.
    """

    now: datetime | None = None
    arrived: datetime | None = None
    tables: Mapping[ForeignKey, Any] = field(default_factory=lambda: MappingProxyType({}))
    suppressed: frozenset[str] | None = None
    upstream: Mapping[str, int | str | None] = field(default_factory=lambda: MappingProxyType({}))
    delivered: int | None = None


NOTHING_KNOWN = Circumstances()
