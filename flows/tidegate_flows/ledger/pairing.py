"""One store, one ledger: a ledger that is not a file in its store knows the store, and the store knows it.

Otherwise a host with a folder of its own, or one that was not told of the ledger, would begin anew beside the others:
with a closed breaker, and without the files that the ledger names.
"""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Column, Connection, String, Table, insert, select

from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger.ledger import Ledger
from tidegate_flows.ledger.schema import metadata
from tidegate_flows.stores.local import create_durably, writing

FORMAT = 1
NAME = ".ledger"

pairing = Table("pairing", metadata, Column("store", String(32), primary_key=True))


def require_file(root: Path) -> None:
    """Refuse to keep the ledger in a store's folder when it is elsewhere.

    Raises:
        UsageError: It is.
    """
    if _of_store(root) is not None:
        raise UsageError(
            "the ledger of this store is not in its folder, and was not named",
            found=str(root),
            hint="name it as before, with --ledger or TIDEGATE_LEDGER",
        )


def pair(ledger: Ledger, root: Path, *, read_only: bool = False) -> None:
    """Join a ledger and a store that are new, or make sure that they belong together.

    Raises:
        UsageError: They do not.
        StoreError: One of them cannot be read or written.
    """
    with ledger.read() as connection:
        here, there = _of_store(root), _of_ledger(connection)
    if there is not None and here == there:
        return
    if there is None and not read_only:
        with ledger.begin() as connection:  # alone: of two hosts that are the first, one is
            here, there = _of_store(root), _of_ledger(connection)
            if there is None:
                _join(connection, here, root)
                return
    if here != there:
        raise UsageError(
            "the store and the ledger do not belong together",
            found=f"the store {root}, the ledger {ledger.where}",
            allowed="on every host the one folder that this ledger was begun with",
            hint="name that folder with --store, or another ledger with --ledger",
        )


def _join(connection: Connection, here: str | None, root: Path) -> None:
    if any(not path.name.startswith(".") for path in root.iterdir()):
        raise UsageError(
            "a new ledger for a store that has one already",
            found=str(root),
            hint="name the ledger that it was begun with, or begin a new store",
        )
    if here is None:
        here = uuid4().hex
        with writing(root):
            create_durably(root / NAME, json.dumps({"format": FORMAT, "store": here}).encode())
    connection.execute(insert(pairing).values(store=here))


def _of_ledger(connection: Connection) -> str | None:
    return connection.scalar(select(pairing.c.store))


def _of_store(root: Path) -> str | None:
    """What a store's folder says; a crash at the very first start leaves a word that no ledger knows."""
    path = root / NAME
    try:
        document = json.loads(path.read_bytes())
        if document["format"] > FORMAT:
            raise StoreError(f"{path} was written by a newer tidegate", hint="upgrade tidegate")
        return str(document["store"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} cannot be read",
            found=type(error).__name__,
            hint="it says which ledger this store belongs to: restore it; remove it only if nothing was gated yet",
        ) from error
