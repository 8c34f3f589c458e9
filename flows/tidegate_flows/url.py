"""URLs of the places where data lies: told apart from paths, shown without secrets, opened through fsspec."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tidegate_contracts.errors import StoreError, UsageError

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
    except Exception as error:  # noqa: BLE001 - every file system has its own, and their words may hold a password
        raise StoreError(f"{masked(url)} cannot be reached", found=type(error).__name__) from None
    return system, place
