"""Where batches land: a folder, or a place behind a URL, and what lies there now."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from tidegate_contracts.errors import StoreError, TidegateError, UsageError
from tidegate_flows.intake import SUFFIXES, masked, natural_id, suffix_of
from tidegate_flows.url import file_system, is_url

DONE = "_SUCCESS"
"""A folder of part files is one batch once a file of this name lies in it."""
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory", "http", "https")
"""Where an object appears whole, once its writer is done; in all other places a file is seen while it grows."""
_ARCHIVES = frozenset(
    {
        "archive", "archived", "archives", "backup", "backups", "bad", "done", "error", "errors", "failed",
        "lost+found", "old", "processed", "quarantine", "rejected", "temp", "tmp", "trash",
    }
)  # fmt: skip
"""Folders that hold what others have put away; they count only where their writer says that they are a batch."""
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".inprogress")


@dataclass(frozen=True, slots=True)
class Landed:
    """Something that lies there and may be a batch.

    Attributes:
        name: Its name there.
        place: Its path or URL.
        size: In bytes; of a folder, of all its files.
        changed: When it was last written, seconds since 1970; None where the place does not say.
        finished: Whether its writer says that it is whole; None where writers say nothing.
        trouble: Why it cannot be looked at; None where it can.
    """

    name: str
    place: str
    size: int
    changed: float | None
    finished: bool | None = None
    trouble: str | None = None


def landed(place: str) -> list[Landed]:
    """What lies in a folder or behind a URL and may be a batch, in the order of the names that batches get.

    Files of other formats, hidden files, those that begin with an underscore and those whose names say that they are
    still being written are left out. A folder in it is one batch, of part files: left out are folders without any, and
    those with the name of an archive that no ``_SUCCESS`` says are whole.

    Raises:
        UsageError: There is no such folder.
        StoreError: It cannot be read.
    """
    found = _remote(place) if is_url(place) else _local(Path(place))
    return sorted(found, key=lambda item: natural_id(PurePosixPath(item.name)))


def deliveries(folder: Path) -> list[Path]:
    """What may be a batch in a folder, by name, for whoever takes all of it as it is.

    Raises:
        UsageError: It is no folder.
    """
    if not folder.is_dir():
        raise UsageError("no folder of batches", found=str(folder))
    return sorted((path for path in folder.iterdir() if is_candidate(path.name)), key=natural_id)


def is_candidate(name: str) -> bool:
    """Whether a file may be a batch, by its name."""
    return not name.startswith((".", "_")) and not name.endswith(_UNFINISHED) and suffix_of(Path(name)) in SUFFIXES


def _local(folder: Path) -> list[Landed]:
    try:
        items = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError("no folder to watch", found=str(folder)) from error
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be read", found=error.strerror) from error
    found = []
    for item in items:
        try:
            found += _at(item)
        except FileNotFoundError:
            continue  # it went away between two looks
        except OSError as error:
            found.append(Landed(item.name, str(item), 0, None, trouble=error.strerror or type(error).__name__))
    return found


def _at(item: Path) -> list[Landed]:
    """The batch that a file or folder may be; none where it is neither."""
    if item.name.startswith((".", "_")):
        return []
    facts = item.stat()
    if stat.S_ISDIR(facts.st_mode):
        return _folder(item)
    if stat.S_ISREG(facts.st_mode) and is_candidate(item.name):
        return [Landed(item.name, str(item), facts.st_size, facts.st_mtime)]
    return []


def _folder(item: Path) -> list[Landed]:
    archive = item.name.lower() in _ARCHIVES
    if archive and not (os.access(item, os.X_OK) and (item / DONE).exists()):
        return []
    parts = [(part.name, part.stat()) for part in item.iterdir()]
    data = [facts for name, facts in parts if is_candidate(name)]
    if not data:
        return []
    changed = max(facts.st_mtime for _, facts in parts)
    finished = any(name == DONE for name, _ in parts)
    return [Landed(item.name, str(item), sum(facts.st_size for facts in data), changed, finished)]


def _remote(url: str) -> list[Landed]:
    system, place = file_system(url)
    root = url.rstrip("/")
    try:
        system.invalidate_cache()
        listed = system.ls(place, detail=True)
    except TidegateError:
        raise
    except FileNotFoundError as error:
        raise UsageError("no folder to watch", found=masked(url)) from error
    except Exception as error:  # noqa: BLE001 - every file system has its own, and their words may hold a password
        raise StoreError(f"{masked(url)} cannot be read", found=type(error).__name__) from None
    files = [item for item in listed if item.get("type") == "file" and is_candidate(_name(item))]
    whole = True if url.partition("://")[0].lower() in _OBJECT_STORES else None
    return [
        Landed(_name(item), f"{root}/{_name(item)}", int(item.get("size") or 0), _changed(item), whole)
        for item in files
    ]


def _name(item: dict[str, Any]) -> str:
    return PurePosixPath(str(item["name"])).name


def _changed(item: dict[str, Any]) -> float | None:
    moment = item.get("LastModified") or item.get("mtime") or item.get("created")
    if isinstance(moment, datetime):
        return moment.timestamp()
    return float(moment) if isinstance(moment, int | float) else None
