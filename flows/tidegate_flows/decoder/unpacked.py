"""Text as a stream: plain or gzip, bounded while it is unpacked."""

from __future__ import annotations

import gzip
import io
from typing import Any, BinaryIO, cast

HEAD = 65_536


def unpacked(source: BinaryIO, *, gz: bool, maximum: int) -> tuple[bytes, BinaryIO]:
    """The first bytes, and a stream that begins with them.

    Args:
        source: The bytes as delivered.
        gz: Whether they are packed; several members make one text.
        maximum: How many unpacked bytes are allowed.

    Raises:
        ValueError: It is no gzip.
    """
    if gz and source.read(2) != b"\x1f\x8b":
        raise ValueError("this is no gzip file")
    source.seek(0)
    stream: Any = gzip.GzipFile(fileobj=source, mode="rb") if gz else source
    reader = io.BufferedReader(_Bounded(stream, maximum), HEAD)
    return reader.peek(HEAD)[:HEAD], cast(BinaryIO, reader)


class _Bounded(io.RawIOBase):
    """A stream that ends in an error where it goes beyond its bound."""

    def __init__(self, stream: Any, maximum: int) -> None:
        self._stream = stream
        self._left = maximum
        self._maximum = maximum

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self._stream.readinto(buffer))
        self._left -= count
        if self._left < 0:
            raise ValueError(f"more than {self._maximum} bytes of text")
        return count
