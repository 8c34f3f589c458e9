"""Part files in one container: what a directory is staged as, so that a batch is always one file with one hash.

The container is a plain tar archive of our own making (GNU tar unpacks it): parts in the order of their names, no
owners, no times, so that the same parts give the same bytes.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO

SUFFIX = ".parts"


def entry(name: str, size: int) -> bytes:
    """What stands in a container before a part's bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o444
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """What stands after a part's bytes."""
    return bytes(-size % tarfile.BLOCKSIZE)


END = bytes(2 * tarfile.BLOCKSIZE)


def parts_of(source: BinaryIO, maximum: int) -> Iterator[BinaryIO]:
    """The parts of a container, in their order.

    Raises:
        ValueError: It is no such container, or holds more than so many.
    """
    try:
        with tarfile.open(fileobj=source, mode="r:") as archive:
            for count, info in enumerate(archive):
                if count >= maximum:
                    raise ValueError(f"more than {maximum} parts")
                if not info.isreg() or info.sparse:
                    raise ValueError("a part that is no plain file")
                yield io.BufferedReader(_Slice(source, info.offset_data, info.size))
    except tarfile.TarError as error:
        raise ValueError(f"no container of parts: {error}") from None


class _Slice(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, source: BinaryIO, start: int, size: int) -> None:
        self._source, self._start, self._size, self._at = source, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: max(0, self._size - self._at)]
        self._source.seek(self._start + self._at)
        count = self._source.readinto(view)  # type: ignore[attr-defined] # every file opened for bytes has it
        self._at += count
        return int(count)
