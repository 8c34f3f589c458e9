"""A bucket that published files are put into: each complete under its final key, or absent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tidegate_contracts.errors import StoreError, TidegateError, UsageError
from tidegate_flows.stores.local import create_durably, sha256_of, writing
from tidegate_flows.url import file_system, masked

FORMAT = 1
NAME = ".publish"
OWN_NAME = ".store"
"""The file in the store with the id by which its bucket knows it."""
MARK = ".tidegate-store"
"""The object in the bucket with the id of the one store that publishes there."""
_CHUNK = 1 << 20
PROTOCOLS = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory")
"""Where an object appears whole, and only once its writer is done."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place behind a URL, of one store. Readers see the keys ``DATASET/published/…`` below it.

    Attributes:
        url: Where.
        root: The store's folder; None for whoever only looks.
    """

    url: str
    root: Path | None = None

    @classmethod
    def of(cls, root: Path, named: str) -> Bucket | None:
        """The bucket of a store: the one named, which the store remembers, or the one that it remembers.

        Args:
            root: The store's folder.
            named: The URL in the settings; empty for none.

        Raises:
            UsageError: It is no URL of an object store, or another one than the store publishes to, or another store
                publishes there.
            StoreError: What the store remembers cannot be read or written, or a bucket that is new cannot be reached.
        """
        if named:
            require_objects(named)
        known = _remembered(root)
        if known is None and named:
            cls(named.rstrip("/"), root).make_own()
            with writing(root):
                _remember(root, named)
            known = _remembered(root)
        if known is not None and named and named.rstrip("/") != known:
            raise UsageError(
                "this store publishes to another place",
                found=masked(named),
                allowed=masked(known),
                hint="name that one or none; for another one begin a new store",
            )
        return cls(known, root) if known is not None else None

    @property
    def shown(self) -> str:
        """The URL without what is secret in it."""
        return masked(self.url)

    def make_own(self) -> None:
        """Put the id of the store into the bucket, unless one is there.

        Of two stores that are the first at once one is, where the file system puts an object only if there is none;
        elsewhere the later one, and the other is refused as soon as it publishes.

        Raises:
            UsageError: It is that of another store.
            StoreError: The bucket cannot be reached, or the store not be written.
        """
        if self.root is None:
            return
        own = _own_id(self.root)
        with self._asked(MARK) as (system, place):
            content = _read(system, place)
            if content is None:
                _put_first(system, place, json.dumps({"format": FORMAT, "store": own}).encode())
                content = system.cat_file(place)
        if _id_in(content) != own:
            raise self._of_another(content)

    def require_own(self) -> None:
        """Refuse a bucket that is another store's; nothing is written.

        Raises:
            UsageError: It is.
            StoreError: The bucket cannot be reached, or the store not be read.
        """
        with self._asked(MARK) as (system, place):
            content = _read(system, place)
        if content is None:
            return
        found = _id_in(content)
        if found is None or self.root is None or found != _id_of(self.root):
            raise self._of_another(content)

    def _of_another(self, content: bytes) -> UsageError:
        found = _id_in(content)
        return UsageError(
            "another store publishes to this place",
            found=f"{self.shown}/{MARK} {f'of the store {found[:8]}…' if found is not None else 'that cannot be read'}",
            allowed="a place that no other store publishes to",
            hint=f"name a place of this store's own; if the other store is gone for good, empty this one, {MARK} too",
        )

    def put(self, path: Path, key: str, sha256: str) -> None:
        """Put a file under its final key, in one request; the same again does nothing.

        Raises:
            UsageError: The bucket is another store's.
            StoreError: Something else lies there, or the bucket cannot be reached.
        """
        self.make_own()
        with self._asked(key) as (system, place):
            if system.exists(place):
                if _hash_of(system, place) != sha256:
                    raise StoreError(
                        f"{self.shown}/{key} is not the file that was checked",
                        hint="nothing but tidegate writes there: find out who did, and remove the object",
                    )
                return
            if sha256_of(path) != sha256:
                raise StoreError(f"{path} is not the file that was checked", found=sha256_of(path), allowed=sha256)
            system.put_file(str(path), place)
            system.invalidate_cache()
            if system.size(place) != path.stat().st_size:
                raise StoreError(f"{self.shown}/{key} did not arrive whole", hint="tidegate recover")

    def remove(self, key: str) -> None:
        """Take an object away; one that is not there stays away.

        Raises:
            UsageError: The bucket is another store's.
            StoreError: The bucket cannot be reached.
        """
        self.make_own()
        with self._asked(key) as (system, place):
            if system.exists(place):
                system.rm_file(place)
                system.invalidate_cache()

    def keys(self, dataset: str) -> list[str]:
        """The keys of a dataset's published files, in order.

        Raises:
            StoreError: The bucket cannot be reached.
        """
        prefix = f"{dataset}/published"
        with self._asked(prefix) as (system, place):
            found = system.find(place) if system.exists(place) else []
            return sorted(f"{prefix}/{name.rpartition('/')[2]}" for name in found)

    @contextmanager
    def _asked(self, key: str) -> Iterator[tuple[Any, str]]:
        """The file system and the place of a key; whatever it answers becomes one clear error."""
        try:
            system, root = file_system(self.url)
            system.invalidate_cache()  # another host may have put something there
            yield system, f"{root.rstrip('/')}/{key}"
        except TidegateError:
            raise
        except Exception as error:  # noqa: BLE001 - every file system has its own, and their words may hold a password
            raise StoreError(
                f"{self.shown} cannot be written",
                found=type(error).__name__,
                hint="what was decided stays decided: mend it, then run the same command again, or tidegate recover",
            ) from None


def require_objects(url: str) -> None:
    """Refuse what is no URL of an object store.

    Raises:
        UsageError: It is none.
    """
    protocol = url.partition("://")[0].lower()
    if "://" not in url or protocol not in PROTOCOLS:
        raise UsageError(
            "the place to publish to",
            found=masked(url),
            allowed=", ".join(f"{item}://" for item in PROTOCOLS),
            hint="only an object store shows a file whole or not at all; a folder that is mounted can be the store",
        )


def _remember(root: Path, url: str) -> None:
    content = json.dumps({"format": FORMAT, "url": url.rstrip("/")}).encode()
    with suppress(FileExistsError):  # another process was the first
        create_durably(root / NAME, content)


def _remembered(root: Path) -> str | None:
    path = root / NAME
    try:
        document = json.loads(path.read_bytes())
        if document["format"] > FORMAT:
            raise StoreError(f"{path} was written by a newer tidegate", hint="upgrade tidegate")
        return str(document["url"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} cannot be read",
            found=type(error).__name__,
            hint="it says where this store publishes to: mend it, or remove it and name that place once more",
        ) from error


def _own_id(root: Path) -> str:
    """The id by which a store's bucket knows it; made if there is none."""
    known = _id_of(root)
    if known is None:
        content = json.dumps({"format": FORMAT, "store": uuid4().hex}).encode()
        with writing(root), suppress(FileExistsError):  # another process was the first
            create_durably(root / OWN_NAME, content)
        known = _id_of(root)
    assert known is not None  # noqa: S101 - it was just made
    return known


def _id_of(root: Path) -> str | None:
    path = root / OWN_NAME
    try:
        found = _id_in(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read", found=type(error).__name__) from error
    if found is None:
        raise StoreError(f"{path} cannot be read", hint=f"it says what {MARK} in the bucket says: copy that")
    return found


def _id_in(content: bytes) -> str | None:
    try:
        document = json.loads(content)
        return str(document["store"]) if document["format"] <= FORMAT else None
    except (ValueError, KeyError, TypeError):
        return None


def _read(system: Any, place: str) -> bytes | None:
    """A small object; None if there is none."""
    try:
        content: bytes = system.cat_file(place)
    except FileNotFoundError:
        return None
    return content


def _put_first(system: Any, place: str, content: bytes) -> None:
    """Put an object only if there is none; where the file system cannot tell, put it: whoever reads it back knows."""
    try:
        system.pipe_file(place, content, mode="create")
    except Exception:  # noqa: BLE001 - it was there, or the file system or its server knows no such request
        system.invalidate_cache()
        if not system.exists(place):
            system.pipe_file(place, content)


def _hash_of(system: Any, place: str) -> str:
    digest = hashlib.sha256()
    with system.open(place, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
