"""A directory of part files is one batch: staged as one container, with one hash over names and contents."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from tidegate_contracts.batch import Source, batch_id
from tidegate_contracts.errors import UsageError
from tidegate_flows.decoder.limits import in_force
from tidegate_flows.decoder.parts import END, SUFFIX, entry, padding
from tidegate_flows.intake.names import SUFFIXES, natural_id, recorded, suffix_of
from tidegate_flows.intake.regular import opened
from tidegate_flows.intake.staged import Staged
from tidegate_flows.stores.local import copy_hashed, writing


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a directory.

    Attributes:
        name: Its name in the directory.
        open: Opens it for reading.
    """

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


def stage_directory(path: Path, folder: Path, name: str | None) -> Staged:
    """Copy the part files of a directory into a folder of the store.

    Hidden files and those that begin with an underscore (``_SUCCESS``) are the writer's own and are left out.

    Raises:
        UsageError: It holds no parts, parts of two formats, or something else than parts.
        StoreError: They cannot be read or copied.
    """
    path = path.absolute() if path.name in ("", "..") else path
    try:
        names = [item.name for item in path.iterdir()]
    except OSError as error:
        raise UsageError(f"no batch at {str(path)!r}", found=error.strerror) from error

    def part(item: str) -> Part:
        return Part(item, lambda: opened(path / item, path))

    return stage_parts([part(item) for item in sorted(names) if is_part(item)], path, folder, name)


def is_part(name: str) -> bool:
    """Whether a file of a directory is part of the batch, by its name."""
    return not name.startswith((".", "_"))


def stage_parts(parts: Iterable[Part], path: PurePath, folder: Path, name: str | None) -> Staged:
    """Copy parts into one container in a folder of the store, in their order."""
    parts = list(parts)
    suffix = _form(parts, path) + SUFFIX
    target = folder / f"batch{suffix}"
    with writing(folder):
        digest, size = copy_hashed(io.BufferedReader(_Container(parts), 1 << 20), target)
    identity = batch_id(name if name is not None else natural_id(path))
    return Staged(target, Source(recorded(path.name), suffix, digest, size), identity)


def _form(parts: list[Part], path: PurePath) -> str:
    """The one format that all parts have, as a suffix."""
    found = {suffix_of(PurePath(part.name)): part.name for part in parts}
    where = f"the folder {str(path)!r}"
    if not parts:
        raise UsageError(f"{where} holds no part files", allowed=f"one or more of {', '.join(SUFFIXES)}")
    if len(parts) > in_force().parts:
        raise UsageError(f"{where} holds too many files", found=len(parts), allowed=in_force().parts)
    if len(found) > 1 or not found.keys() <= set(SUFFIXES):
        raise UsageError(
            f"{where} is no batch",
            found=", ".join(sorted(recorded(name) for name in found.values())),
            allowed=f"part files of one format: {', '.join(SUFFIXES)}",
            hint="hidden files and files that begin with an underscore are left out",
        )
    return next(iter(found))


class _Container(io.RawIOBase):
    """The container as a stream, so that it is copied and hashed in one pass."""

    def __init__(self, parts: list[Part]) -> None:
        self._chunks = self._all(parts)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    @staticmethod
    def _all(parts: list[Part]) -> Iterator[bytes]:
        left = in_force().file_bytes
        for part in parts:
            with part.open() as source:
                size = source.seek(0, io.SEEK_END)
                source.seek(0)
                left -= size
                if left < 0:
                    raise UsageError("the parts are too large", allowed=f"{in_force().file_bytes} bytes in all")
                yield entry(part.name, size)
                yield from _exactly(source, size, part.name)
                yield padding(size)
        yield END


def _exactly(source: BinaryIO, size: int, name: str) -> Iterator[bytes]:
    """As many bytes as were announced: a part that grows meanwhile is cut there, one that shrinks is refused."""
    while size:
        chunk = source.read(min(size, 1 << 20))
        if not chunk:
            raise UsageError(f"the part {name!r} became shorter while it was copied", hint="wait until it is written")
        size -= len(chunk)
        yield chunk
