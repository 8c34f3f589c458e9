"""How much one delivery may cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one delivery; beyond them it is unreadable, or refused before it is copied.

    Attributes:
        memory: Address space of the decoding process, in bytes (not on macOS, which knows no such limit).
        cpu_seconds: Processor time of the decoding process.
        wall_seconds: Time from the request to the last row.
        file_bytes: Size of a delivery, as it comes.
        text_bytes: Size of CSV or JSON lines, unpacked.
        row_bytes: Size of one row of CSV or one line of JSON.
        columns: How many columns.
        cells: Rows times columns.
        decoded_bytes: Size of the decoded table.
        parts: How many files a directory may hold.
    """

    memory: int = 4 << 30
    cpu_seconds: int = 300
    wall_seconds: float = 600.0
    file_bytes: int = 64 << 30
    text_bytes: int = 8 << 30
    row_bytes: int = 8 << 20
    columns: int = 5_000
    cells: int = 2_000_000_000
    decoded_bytes: int = 16 << 30
    parts: int = 10_000

    def check_shape(self, rows: int, columns: int) -> None:
        """Refuse a table that is too large.

        Raises:
            ValueError: It has too many columns or cells, or a negative number of rows.
        """
        if columns > self.columns:
            raise ValueError(f"{columns} columns; allowed: {self.columns}")
        if rows < 0 or rows * max(columns, 1) > self.cells:
            raise ValueError(f"{rows} rows of {columns} columns; allowed: {self.cells} cells")


_IN_FORCE: ContextVar[Limits] = ContextVar("limits", default=Limits())  # noqa: B039 - frozen


def in_force() -> Limits:
    """The limits of the calling context."""
    return _IN_FORCE.get()


@contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """Other limits for what is decoded inside the block."""
    token = _IN_FORCE.set(limits)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)
