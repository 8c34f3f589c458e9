"""Reading a ledger for people and programs that wait: an answer in time, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

from sqlalchemy import Connection, select

from tidegate_contracts.errors import StoreError
from tidegate_flows.ledger import Ledger, pairing
from tidegate_flows.ledger.postgres import Patience
from tidegate_flows.ledger.schema import FORMAT, ledger_format
from tidegate_flows.place import now_utc
from tidegate_flows.settings import Settings

SECONDS = 4.0
PATIENCE = Patience(connect=2, lock=2.0, more=0.5)
"""How long whoever only reads waits for a ledger."""

T = TypeVar("T")


class LedgerReader:
    """Asks the ledger of a store, with a connection of its own for each question.

    A ledger that is gone, or another one than before, is noticed. A database that hangs is left to a thread of its own,
    one at most, so that whoever asks next has an answer too.

    Args:
        settings: Where the ledger is.
        seconds: How long an answer is waited for.
    """

    def __init__(self, settings: Settings, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._busy, self._door = Lock(), _Door(settings)

    def ask(self, question: Callable[[Connection], T]) -> T:
        """What the ledger says, in one transaction that only reads.

        Raises:
            UsageError: There is no ledger, or not that of the store.
            StoreError: It cannot be read, or does not answer in time.
        """
        end = monotonic() + self._seconds
        if not self._busy.acquire(timeout=self._seconds):
            raise self._silent()
        asked = _Asked(self._door, question, self._busy)
        try:
            Thread(target=asked.run, name="tidegate-ledger", daemon=True).start()
        except BaseException:
            self._busy.release()
            raise
        if not asked.done.wait(end - monotonic()):
            raise self._silent()
        return asked.answer()

    def clock(self) -> datetime:
        """The time by the clock of the ledger that was asked last: its own, where it has one."""
        return self._door.clock()

    def _silent(self) -> StoreError:
        return StoreError("the ledger does not answer", found=f"nothing within {self._seconds:g} s")


class _Asked(Generic[T]):
    """A question on its way; its thread gives the lock back."""

    def __init__(self, door: _Door, question: Callable[[Connection], T], busy: Lock) -> None:
        self.done = Event()
        self._door, self._question, self._busy = door, question, busy
        self._answer: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Ask, and remember what was said."""
        try:
            with self._door.opened() as connection:
                self._answer.append(self._question(connection))
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked
            self._error = error
        finally:
            self._busy.release()
            self.done.set()

    def answer(self) -> T:
        """What was said, or the error."""
        if self._error is not None:
            raise self._error
        return self._answer[0]


class _Door:
    """The way to the ledger alone: the store's files need not be there to be written.

    What was found out about the ledger is kept while it is the same file, in the same format.
    """

    def __init__(self, settings: Settings) -> None:
        self._root, self._url = Path(settings.store.value), settings.ledger.value
        self._known: tuple[Ledger, tuple[int, int] | None] | None = None

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        ledger = self._ledger()
        try:
            with ledger.read() as connection:
                yield connection
        except BaseException:
            self._known = None
            raise
        finally:
            ledger.close()

    def clock(self) -> datetime:
        """The time by the ledger's clock, or the machine's."""
        known = self._known
        return known[0].clock() if known is not None and known[0].clock is not None else now_utc()

    def _ledger(self) -> Ledger:
        file = self._file()
        if self._known is not None and self._known[1] == file and self._is_format(self._known[0]):
            return self._known[0]
        self._known = None
        if not self._url:
            pairing.require_file(self._root)
        ledger = Ledger.open(self._url, self._root, must_exist=True, patience=PATIENCE)
        try:
            if self._url:
                pairing.pair(ledger, self._root, read_only=True)
        except BaseException:
            ledger.close()
            raise
        self._known = ledger, self._file()
        return ledger

    def _file(self) -> tuple[int, int] | None:
        """Which file it is; None where it is none, or gone."""
        if self._url:
            return None
        try:
            found = (self._root / "ledger.db").stat()
        except OSError:
            return 0, 0
        return found.st_dev, found.st_ino

    def _is_format(self, ledger: Ledger) -> bool:
        with ledger.read() as connection:
            return connection.scalar(select(ledger_format.c.version)) == FORMAT
