"""Workers of one simulated world: the real gate, store and ledger, moved from durable step to durable step.

Each worker is a thread, and only one of them ever runs: it stops before each step that leaves a trace (a transaction,
a commit, a rename, a file made or synced, a lock), and goes on when the world says so. There it may be killed, then
nothing of it runs any more, no clean-up either; or its disk or its ledger refuses. Time is the world's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from tidegate_flows.ledger import Ledger
from tidegate_flows.place import Place
from tidegate_flows.stores.local import LocalStore

LEASE = 60.0
_here = threading.local()


class Killed(BaseException):
    """The worker's process is gone."""


class Clock:
    """The world's time; a little of it passes at each step. It begins now, as the file system's own clock does."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Worker:
    """One process at work, in a thread that runs only when it is told to.

    Attributes:
        stands: Before what it stopped; None while it has nothing to do.
        error: How its last job ended, if not well.
        steps: How many steps it took.
    """

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root, self.clock = root, clock
        self.stands: str | None = None
        self.error: BaseException | None = None
        self.result: Any = None
        self.steps = 0
        self.refused = False
        self._dead = self._refuse = False
        self._turn, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """Its own connections and its own view of the store; new after it was killed."""
        if self._place is None:
            opened = Ledger.open("", self.root)
            event.listen(opened.engine, "commit", self._before_commit)
            ledger = _Stepped(opened.engine, opened.where, worker=self)
            self._place = Place(LocalStore.open(str(self.root)), ledger, LEASE, self.clock, lambda _: self.step("wait"))
        return self._place

    def start(self, job: Callable[[Place], Any]) -> None:
        """Begin a job, up to its first step."""
        assert self.stands is None
        place, self.error, self.result, self.refused = self.place, None, None, False
        self._dead = self._refuse = False

        def run() -> None:
            _here.worker = self
            self._turn.acquire()
            try:
                self.result = job(place)
            except BaseException as error:  # noqa: BLE001 - the world looks at it
                self.error = error
            self.stands = None
            self._back.release()

        self.stands = "start"
        threading.Thread(target=run, daemon=True).start()
        self.go_on()

    def go_on(self) -> None:
        """Let it run to its next step, or to its end."""
        self.clock.wait(0.01)
        self.steps += 1
        self._turn.release()
        assert self._back.acquire(timeout=60), f"stuck for good after {self.stands}"

    def kill(self) -> None:
        """It stops where it stands, and nothing of it runs any more."""
        self._dead = True
        self.go_on()
        assert self.stands is None
        self.place.ledger.close()
        self._place = None

    def refuse(self) -> None:
        """The next thing that it does to a file or the ledger fails."""
        self._refuse = self.refused = True
        self.go_on()

    def step(self, what: str) -> None:
        """Called by the worker's own thread before each durable step."""
        if not self._dead:
            self.stands = what
            self._back.release()
            self._turn.acquire()
        if self._dead:
            raise Killed
        if self._refuse and what in ("sync", "rename", "link", "folder"):
            self._refuse = False
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._refuse and what == "commit":
            self._refuse = False
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("database or disk is full"))

    def close(self) -> None:
        """End it."""
        if self.stands is not None:
            self.kill()
        elif self._place is not None:
            self._place.ledger.close()

    def enter(self) -> None:
        """Wait, step by step, until nobody is in the middle of a transaction that writes."""
        self.step("write")
        while not self._free():
            self.step("busy")

    def _before_commit(self, connection: Connection) -> None:
        if not connection.get_execution_options().get("reads", False):
            self.step("commit")

    def _free(self) -> bool:
        with closing(sqlite3.connect(self.root / "ledger.db", timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
        return True


@dataclass(frozen=True, slots=True)
class _Stepped(Ledger):
    """A ledger before whose transactions a worker stops."""

    worker: Worker | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        if self.worker is not None:
            self.worker.enter()
        with Ledger.begin(self) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        if self.worker is not None:
            self.worker.step("read")
        with Ledger.read(self) as connection:
            yield connection


@contextmanager
def stepping() -> Iterator[None]:
    """What leaves a trace in the store is a step of whichever worker does it; others do it as ever."""

    def stopping(what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any, **options: Any) -> Any:
            worker = getattr(_here, "worker", None)
            if worker is not None:
                worker.step(what)
            return real(*arguments, **options)

        return act

    lock = fcntl.flock

    def flock(file: Any, how: int) -> None:
        worker = getattr(_here, "worker", None)
        if worker is None:
            return lock(file, how)
        worker.step("lock")
        while True:
            try:
                return lock(file, how | fcntl.LOCK_NB)
            except BlockingIOError:
                worker.step("busy")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", _sync)
        patch.setattr(os, "rename", stopping("rename", os.rename))
        patch.setattr(os, "link", stopping("link", os.link))
        patch.setattr(os, "mkdir", stopping("folder", os.mkdir))
        patch.setattr(shutil, "rmtree", stopping("remove", shutil.rmtree))
        patch.setattr(fcntl, "flock", flock)
        yield


def _sync(file: int) -> None:
    """What was not yet synced when the power went is there in part; what was synced needs no disk here."""
    worker = getattr(_here, "worker", None)
    try:
        if worker is not None:
            worker.step("sync")
    except Killed:
        path = Path(f"/proc/self/fd/{file}")
        if path.is_file():
            os.truncate(path, path.stat().st_size // 2)
        raise
