"""A store in a local folder. Every file becomes visible by one rename, after it is on disk."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from tidegate_contracts.errors import StoreError, UsageError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A folder with a staging area, and for each dataset what was published, quarantined and referred to.

    Attributes:
        root: The folder.
    """

    root: Path

    @classmethod
    def open(cls, where: str, *, read_only: bool = False) -> LocalStore:
        """The store in a folder, made if it is not there.

        Args:
            where: The folder.
            read_only: For those who only read: nothing is made there, and it need not be one that can be written.

        Raises:
            UsageError: It is a URL.
            StoreError: It is a file, or cannot be made or written by those who do not only read.
        """
        if "://" in where:
            raise UsageError("the store is a URL", found=where.split("://")[0] + "://…", allowed="a folder")
        root = Path(where).absolute()
        if root.exists() and not root.is_dir():
            raise StoreError("the store is not a folder", found=where)
        store = cls(root)
        if read_only:
            return store
        with writing(root):
            store.staging.mkdir(parents=True, exist_ok=True)
            if not os.access(store.staging, os.W_OK):
                mounted = os.statvfs(store.staging).f_flag & os.ST_RDONLY
                raise OSError(0, "a read-only file system" if mounted else "permission denied", str(store.staging))
        return store

    @property
    def staging(self) -> Path:
        """Where files are prepared; on the same file system, so that a rename is atomic."""
        return self.root / ".staging"

    def place(self, dataset: str, kind: str) -> Path:
        """The folder of one kind of file of one dataset: such as ``published`` or ``labels``."""
        return self.root / dataset / kind

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder of one's own to prepare files in, removed at the end if nobody needs it any more."""
        folder = self.staging / uuid4().hex
        with writing(folder):
            folder.mkdir()
            sync(self.staging)
        keep = False
        try:
            yield folder
        except BaseException:
            keep = (folder / KEEP).exists()
            raise
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Alone among all processes of this host, until the block ends or the process dies."""
        with writing(self.root), (self.root / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def relative(self, path: Path) -> str:
        """A path as it is written in the ledger."""
        return path.relative_to(self.root).as_posix()


KEEP = "committed"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one clear error.

    Raises:
        StoreError: Nothing could be written, and why.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the store cannot be written at {error.filename or path}",
            found=error.strerror or str(error),
            hint="name a folder that can be written, free space or mend permissions, then run the same command again",
        ) from error


def copy_hashed(source: BinaryIO, target: Path) -> tuple[str, int]:
    """Copy a stream to a new file in one pass; its sha256 (hex) and size in bytes."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def sha256_of(path: Path) -> str:
    """The sha256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_durably(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a new file and have it on disk before returning.

    Args:
        path: The file.
        content: What is in it.
        mode: Its permissions, whatever the umask; None for what the umask leaves.
    """
    with path.open("xb") as out:
        if mode is not None:
            os.fchmod(out.fileno(), mode)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def create_durably(path: Path, content: bytes) -> None:
    """Write a new file that appears whole or not at all, on disk before returning.

    Where the file system knows no links it is written in its place: then a crash may leave it torn.

    Raises:
        FileExistsError: It is there already.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        write_durably(temporary, content)
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            raise
        except OSError:
            write_durably(path, content)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have a file or folder on disk before returning."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_durably(path: Path, content: bytes, mode: int | None = None) -> None:
    """Put a file in place of another by one rename, on disk before returning.

    Args:
        path: The file.
        content: What is in it from then on.
        mode: Its permissions, whatever the umask; None for what the umask leaves.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        write_durably(temporary, content, mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)
