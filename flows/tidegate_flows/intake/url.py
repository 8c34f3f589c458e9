"""Deliveries that lie behind a URL: streamed through fsspec, copied and hashed in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from tidegate_contracts.errors import StoreError, TidegateError, UsageError
from tidegate_flows.decoder.limits import in_force
from tidegate_flows.intake.directory import Part, is_part, stage_parts
from tidegate_flows.intake.file import stage_stream
from tidegate_flows.intake.staged import Staged
from tidegate_flows.url import file_system, masked


def stage_url(url: str, folder: Path, name: str | None) -> Staged:
    """Copy what a URL names into a folder of the store.

    Raises:
        UsageError: There is nothing there, or no way to get at such URLs.
        StoreError: It cannot be reached.
    """
    system, place = file_system(url)
    path = PurePosixPath(urlsplit(masked(url)).netloc) / urlsplit(masked(url)).path.strip("/")
    try:
        if system.isdir(place):
            listed = {PurePosixPath(found).name: found for found in sorted(system.ls(place, detail=False))}
            parts = [Part(item, _opener(system, found)) for item, found in listed.items() if is_part(item)]
            return stage_parts(parts, path, folder, name)
        with _opened(system, place) as source:
            return stage_stream(source, path, folder, name)
    except TidegateError:
        raise
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"no batch at {masked(url)!r}", found="nothing is there") from error
    except Exception as error:  # noqa: BLE001 - every file system has its own, and their words may hold a password
        raise StoreError(f"{masked(url)} cannot be read", found=type(error).__name__) from None


def _opener(system: Any, place: str) -> Any:
    return lambda: _opened(system, place)


@contextmanager
def _opened(system: Any, place: str) -> Iterator[BinaryIO]:
    size = system.size(place)
    if size is not None and size > in_force().file_bytes:
        raise UsageError("the file is too large", found=f"{size} bytes", allowed=f"{in_force().file_bytes} bytes")
    with system.open(place, "rb") as file:
        yield file
