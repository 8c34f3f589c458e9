"""Open what is a regular file, and nothing else: no FIFO that never ends, no device, no link to elsewhere."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.decoder.limits import in_force

ALLOWED = "a regular file, or a folder of part files"


@contextmanager
def opened(path: Path, root: Path | None = None) -> Iterator[BinaryIO]:
    """A regular file, open for reading.

    Args:
        path: Where it is; a link is followed as long as it stays in the root.
        root: The folder that it must be in; by default the one that its path names.

    Raises:
        UsageError: It is not there, no regular file, a link to elsewhere, or too large.
        StoreError: It cannot be read.
    """
    real = resolved(path, root)
    try:
        # O_NONBLOCK: between the look and the opening somebody may have put a FIFO there
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be read", found=error.strerror) from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{str(path)!r} is not a regular file", allowed=ALLOWED)
        if found.st_size > in_force().file_bytes:
            raise UsageError(
                f"{str(path)!r} is too large", found=f"{found.st_size} bytes", allowed=f"{in_force().file_bytes} bytes"
            )
        yield file


def opened_anywhere(path: Path) -> BinaryIO:
    """A regular file that a contract names, wherever links lead: a FIFO or a device may never end.

    Raises:
        OSError: It is not there, or no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    file = os.fdopen(descriptor, "rb")
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is no regular file", str(path))


def resolved(path: Path, root: Path | None = None) -> Path:
    """Where a path leads, if that is a regular file under the root.

    Raises:
        UsageError: It is not.
    """
    try:
        folder = (root if root is not None else path.parent).resolve(strict=True)
        real = path.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, ValueError, RuntimeError) as error:  # a NUL byte is a ValueError, links in a circle a RuntimeError
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"no batch at {str(path)!r}", found=why, allowed=ALLOWED) from error
    if not real.is_relative_to(folder):
        raise UsageError(
            f"{str(path)!r} is a link that leaves its folder", allowed=ALLOWED, hint="name the file that it points to"
        )
    if not stat.S_ISREG(mode):
        raise UsageError(f"{str(path)!r} is not a regular file", allowed=ALLOWED)
    return real
