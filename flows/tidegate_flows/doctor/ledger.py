"""The ledger: whether it is whole, and what in it waits for somebody. Each question has an end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, func, select

from tidegate_contracts.errors import StoreError, TidegateError
from tidegate_flows.doctor.examined import Examined, told
from tidegate_flows.ledger import audit, runs
from tidegate_flows.ledger.ledger import missing
from tidegate_flows.ledger.schema import FORMAT, batches
from tidegate_flows.ledger.schema import runs as runs_table
from tidegate_flows.ledger_reader import LedgerReader
from tidegate_flows.settings import Settings

SECONDS = 10.0
"""For each of the two questions that read the whole ledger."""
_APART = 60.0
_MEND = "mend it, then ask again"
_STEPS = 10_000


def unopened(chosen: Settings) -> Examined | None:
    """Why the ledger does not open, whatever the state of the store's folder; None if it does."""
    try:
        LedgerReader(chosen).ask(_nothing)
    except TidegateError as error:
        if error.what != missing("").what:
            return Examined("ledger", "no", told(error), error.hint or _MEND)
        return _not_begun(Path(chosen.store.value), str(error.found), elsewhere=bool(chosen.ledger.value))
    return None


def _not_begun(store: Path, where: str, *, elsewhere: bool) -> Examined:
    """A database or a folder without a ledger, that answers."""
    if elsewhere and store.is_dir() and any(not path.name.startswith(".") for path in store.iterdir()):
        hint = "name the ledger that it was begun with, or an empty folder with --store"
        return Examined("ledger", "no", f"none at {where} yet, and the store {store} has another one", hint)
    return Examined("ledger", "absent", f"none at {where} yet", "the first gate or reference build makes it")


def _nothing(connection: Connection) -> object:
    return connection.exec_driver_sql("SELECT 1").scalar()


def examine(chosen: Settings, seconds: float = SECONDS) -> Iterator[Examined]:
    """Look at a ledger that opens.

    Args:
        chosen: The settings in force.
        seconds: For each of the two questions that read all of it.
    """
    questions: dict[str, Callable[[Connection], Examined]] = {
        "ledger": _known,
        "audit": _audit,
        "unfinished decisions": _unfinished,
        "stale claims": _claims,
        "ledger clock": _clock,
    }
    yield _integrity(chosen, seconds)
    reader = LedgerReader(chosen, seconds)
    for what, question in questions.items():
        try:
            yield reader.ask(question)
        except StoreError as error:
            late = "does not answer" in error.what
            if late:
                yield Examined(what, "warning", f"not known within {seconds:g} s", _by_hand(what))
                return
            yield Examined(what, "no", told(error), error.hint or _MEND)
        except TidegateError as error:
            yield Examined(what, "no", told(error), error.hint or _MEND)


def _by_hand(what: str) -> str:
    return "tidegate audit verify looks without a limit of time" if what == "audit" else "run doctor again later"


def _known(connection: Connection) -> Examined:
    names = audit.names(connection)
    few = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return Examined("ledger", "ok", f"format {FORMAT}; {len(names)} datasets{f' ({few})' if few else ''}")


def _integrity(chosen: Settings, seconds: float) -> Examined:
    what = "ledger integrity"
    if chosen.ledger.value:
        return Examined(what, "ok", "left to the database's server")
    hint = "restore a back-up, then tidegate recover and tidegate audit verify"
    try:
        found = _quick_check(Path(chosen.store.value) / "ledger.db", seconds)
    except sqlite3.DatabaseError as error:
        return Examined(what, "no", str(error), hint)
    if found is None:
        return Examined(what, "warning", f"not known within {seconds:g} s", "sqlite3 ledger.db 'PRAGMA quick_check'")
    return Examined(what, "ok" if found == "ok" else "no", found, None if found == "ok" else hint)


def _quick_check(path: Path, seconds: float) -> str | None:
    """What SQLite says of its file; None if it says nothing in time."""
    end = monotonic() + seconds
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=1)
    try:
        connection.set_progress_handler(lambda: monotonic() > end, _STEPS)
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0]).splitlines()[0]
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return None
        raise
    finally:
        connection.close()


def _audit(connection: Connection) -> Examined:
    chains = [audit.verify(connection, name) for name in audit.names(connection)]
    broken = [chain.dataset for chain in chains if not chain.holds]
    if broken:
        return Examined("audit", "no", f"does not hold: {', '.join(broken)}", "tidegate audit verify")
    return Examined("audit", "ok", f"{sum(chain.entries for chain in chains)} entries hold")


def _unfinished(connection: Connection) -> Examined:
    number = len(runs.unmoved(connection))
    hint = None if not number else "tidegate recover, or the next gate of the dataset, puts their files in place"
    return Examined("unfinished decisions", "warning" if number else "ok", str(number), hint)


def _claims(connection: Connection) -> Examined:
    now = _now(connection)
    waits = batches.c.run.is_(None) & (batches.c.lease_until > 0) & (batches.c.lease_until < now)
    number = connection.scalar(select(func.count()).select_from(batches).where(waits)) or 0
    hint = None if not number else "a worker died: gate these batches again, or leave it to watch"
    return Examined("stale claims", "warning" if number else "ok", str(number), hint)


def _clock(connection: Connection) -> Examined:
    """The database's clock against the machine's; of a file, its newest entry."""
    machine, hint = datetime.now(UTC).timestamp(), "synchronise both clocks (timedatectl set-ntp true)"
    if connection.dialect.name == "sqlite":
        newest: Any = connection.scalar(select(func.max(runs_table.c.completed_at)))
        ahead = (newest or 0.0) - machine
        if ahead > _APART:
            return Examined("ledger clock", "warning", f"its newest run is {ahead:.0f} s in the future", hint)
        return Examined("ledger clock", "ok", "the machine's")
    apart = _now(connection) - machine
    if abs(apart) > _APART:
        return Examined("ledger clock", "warning", f"the server's is {apart:+.0f} s from this machine's", hint)
    return Examined("ledger clock", "ok", f"the server's, {apart:+.1f} s from this machine's")


def _now(connection: Connection) -> float:
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC).timestamp()
    return float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())
