"""Deliveries that lie behind a URL: streamed through fsspec, copied and hashed in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from tidegate_contracts.errors import StoreError, TidegateError, UsageError
from tidegate_flows.decoder.limits import in_force
from tidegate_flows.intake.directory import Part, is_part, stage_parts
from tidegate_flows.intake.file import stage_stream
from tidegate_flows.intake.staged import Staged

_SIGNED = re.compile(r"\A[^/:?#]*:(?!\d+[/?#]).*@", re.DOTALL)
"""A user with a password, up to the last @: any character may be in it; a host with a port is none."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PROTOCOLS = ("file", "memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "hdfs", "sftp", "http", "https")


def is_url(text: str) -> bool:
    """Whether a batch's place is a URL and no path."""
    return _URL.match(text) is not None


def masked(text: str) -> str:
    """A URL without its user, password, query and fragment; other text as it is."""
    if not is_url(text):
        return text
    protocol, _, rest = text.partition("://")
    rest = re.split(r"[?#]", _SIGNED.sub("@", rest), maxsplit=1)[0]
    place, slash, path = rest.partition("/")
    host = "…@" + place.rpartition("@")[2] if "@" in place else place
    return f"{protocol}://{host}{slash}{path}"


def unsigned(url: str) -> str:
    """A URL without its user and password, if it has both."""
    protocol, separator, rest = url.partition("://")
    return f"{protocol}{separator}{_SIGNED.sub('', rest)}"


def path_of(url: str) -> Path:
    """The path of a ``file://`` URL."""
    return Path(unquote(urlsplit(url).path))


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


def file_system(url: str) -> tuple[Any, str]:
    """The file system that a URL names, and the place in it.

    Raises:
        UsageError: There is no way to get at such URLs.
        StoreError: It cannot be reached.
    """
    import fsspec.core  # type: ignore[import-untyped] # it ships no types

    protocol = url.partition("://")[0].lower()
    if protocol not in _PROTOCOLS or "::" in url:
        raise UsageError(
            "a batch's URL", found=f"{protocol}://…", allowed=", ".join(f"{item}://" for item in _PROTOCOLS)
        )
    try:
        system, place = fsspec.core.url_to_fs(url)
        system.invalidate_cache()  # it is shared by the whole process, and a listing of an hour ago lacks parts
    except ImportError as error:
        raise UsageError(f"no package here can read {protocol}:// URLs", found=str(error).partition("\n")[0]) from None
    except Exception as error:  # noqa: BLE001 - as above
        raise StoreError(f"{masked(url)} cannot be reached", found=type(error).__name__) from None
    return system, place


def _opener(system: Any, place: str) -> Any:
    return lambda: _opened(system, place)


@contextmanager
def _opened(system: Any, place: str) -> Iterator[BinaryIO]:
    size = system.size(place)
    if size is not None and size > in_force().file_bytes:
        raise UsageError("the file is too large", found=f"{size} bytes", allowed=f"{in_force().file_bytes} bytes")
    with system.open(place, "rb") as file:
        yield file
