"""A batch: the rows of one dataset for one window, as they were delivered."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,127}")


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span of event times in a batch, ``start <= t < end``.

    Attributes:
        start: The earliest event, in UTC.
        end: One microsecond after the latest event, in UTC.
    """

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes of a batch came from.

    Attributes:
        name: What it was called where it came from; never a path with a password in it.
        suffix: Its format, such as ``.parquet``.
        sha256: Hex digest of the bytes as staged.
        bytes: How many there are.
    """

    name: str
    suffix: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as delivered, brought to the contract's types where that loses nothing.

    Attributes:
        dataset: The contract's name.
        id: The batch's identity within its dataset.
        source: Where its bytes came from.
        table: A ``pyarrow.Table`` with the delivered columns in delivered order.
        delivered: The table as it was decoded, before any cast; text stays text.
        window: The span of its event times; None without an event time or rows.
        casts: What was done to the representation of which column.
        mismatches: Columns that cannot be of their declared type, and why.
        unparsed: Positions of cells whose text is not of the declared type, by column.
    """

    dataset: str
    id: str
    source: Source
    table: Any
    delivered: Any
    window: Window | None = None
    casts: dict[str, str] = field(default_factory=dict)
    mismatches: dict[str, str] = field(default_factory=dict)
    unparsed: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows were delivered."""
        return int(self.table.num_rows)


def batch_id(name: str) -> str:
    """A name as a batch id: itself where it is safe, else its safe characters and 12 hex digits of its hash.

    >>> batch_id("2013-04-01")
    '2013-04-01'
    >>> batch_id("../etc passwd")
    'etc-passwd-a14878e58d4b'
    """
    if _SAFE.fullmatch(name):
        return name
    safe = re.sub(r"[^A-Za-z0-9._=-]+", "-", name).strip("-._=")[:100]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{safe}-{digest}" if safe else f"batch-{digest}"


def utc(moment: datetime) -> datetime:
    """A moment in UTC; a naive one is taken to be in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def iso(moment: datetime | None) -> str | None:
    """A moment as ISO 8601 in UTC with microseconds and a Z."""
    return None if moment is None else utc(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_iso(text: str | None) -> datetime | None:
    """Read what :func:`iso` wrote."""
    return None if text is None else utc(datetime.fromisoformat(text))
