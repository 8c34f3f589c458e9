"""The store's folder, and what lies under it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from tidegate_flows.doctor.examined import Examined
from tidegate_flows.settings import Settings
from tidegate_flows.stores.mounts import MOUNTS, NETWORK, file_system


def examine(chosen: Settings, mounts: Path = MOUNTS) -> Iterator[Examined]:
    """Look at the store's folder, or at where it will be made.

    Args:
        chosen: The settings in force.
        mounts: A table of mounts as the kernel writes it.
    """
    where = Path(chosen.store.value)
    yield _fitting(where, mounts, is_file=not chosen.ledger.value)
    there = next(place for place in (where.absolute(), *where.absolute().parents) if place.exists())
    wrong = _written(there, made=there == where.absolute())
    if wrong is not None:
        yield wrong
    elif there == where.absolute():
        yield Examined("store", "ok", str(where))
    else:
        yield Examined("store", "absent", f"nothing at {where} yet", "the first gate or reference build makes it")


def _fitting(where: Path, mounts: Path, *, is_file: bool) -> Examined:
    kind = file_system(where, mounts)
    if kind in NETWORK and is_file:
        return Examined(
            "file system",
            "no",
            f"{kind}: a ledger in a file cannot trust its locks there",
            "a local disk for the store, or a Postgres ledger (TIDEGATE_LEDGER)",
        )
    return Examined("file system", "ok", kind or "unknown to this system")


def _written(where: Path, *, made: bool) -> Examined | None:
    """What is wrong if a file cannot be written, linked and renamed there, as the gate does; None if nothing is."""
    first, second, third = (where / f".doctor-{uuid4().hex}" for _ in range(3))
    name = "name a folder with --store or TIDEGATE_STORE"
    hint = f"give whoever runs the gate the folder {where}, on a disk that is not read-only and knows hard links"
    if not where.is_dir():
        return Examined("store", "no", f"{where} is a file", name)
    try:
        with first.open("xb") as file:
            file.write(b"?")
            file.flush()
            os.fsync(file.fileno())
        os.link(first, second)
        second.rename(third)
    except OSError as error:
        return Examined(
            "store", "no", f"{where} cannot be written: {error.strerror}", hint if made else f"{name}, or {hint}"
        )
    finally:
        for path in (first, second, third):
            with suppress(OSError):  # a disk that is read-only refuses to remove what is not there
                path.unlink()
    return None
