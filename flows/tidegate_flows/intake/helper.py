"""The helper that decodes for this process: started when first needed, ended with us, started again if it died.

It is started with ``subprocess`` and never with ``multiprocessing``, so that it works without a ``__main__`` guard, in
threads, in daemonic workers and under any scheduler. A process that was forked from ours gets a helper of its own.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

import tidegate_flows
from tidegate_contracts.errors import MonitorError

_LINE = 4096
_READY = b"ready\n"
_PATIENCE = 60.0  # seconds, on a machine that is very busy
_KIND = socket.SOCK_DGRAM if sys.platform == "darwin" else socket.SOCK_SEQPACKET
_BOOT = """
import os, sys
sys.path += sys.argv[2:]
sys.modules["numpy"] = None
try:
    from tidegate_flows.decoder.helper import main
except BaseException as error:
    os.write(int(sys.argv[1]), f"{type(error).__name__}: {error}".encode()[:1000])
    raise
main(int(sys.argv[1]))
"""  # without numpy, which it has no need of and whose threads would be in the way of fork


class Helper:
    """A running helper.

    Raises:
        MonitorError: It cannot be started.
    """

    def __init__(self) -> None:
        try:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, _KIND)
        except OSError as error:
            raise _not_started(error.strerror) from error
        with theirs:
            try:
                self._process = _start(theirs)
            except MonitorError:
                self._socket.close()
                raise
        self._socket.settimeout(_PATIENCE)
        try:
            said = self._socket.recv(_LINE)
        except OSError as error:
            said = str(error).encode()
        self._socket.settimeout(None)
        if said != _READY:
            self.end()
            raise _not_started(said.decode(errors="replace") or f"it ended with {self._process.returncode}")

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def send(self, message: dict[str, Any], files: Sequence[int] = ()) -> None:
        """Ask for something, with open files.

        Raises:
            OSError: It has died.
        """
        socket.send_fds(self._socket, [json.dumps(message).encode()], list(files))

    def end(self) -> None:
        """Let it end; at once if it does not by itself."""
        self._socket.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Leave it to the process that started it, of which this one is a fork."""
        self._socket.close()
        self._process.returncode = 0  # it is no child of ours to wait for


def _start(theirs: socket.socket) -> subprocess.Popen[bytes]:
    folders = {str(Path(package.__file__ or "").parents[1]) for package in (pa, tidegate_flows)}
    command = [sys.executable, "-I", "-S", "-c", _BOOT, str(theirs.fileno()), *sorted(folders)]
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            cwd="/",
            env=_environment(),
            start_new_session=True,  # an interruption at the terminal is ours to handle
        )
    except OSError as error:
        raise _not_started(error.strerror) from error


def _environment() -> dict[str, str]:
    """What the helper needs of our environment: no passwords are in it."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "LC_ALL": "C.UTF-8",
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve address space, which is what is bounded
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }


def _not_started(why: object) -> MonitorError:
    return MonitorError(
        "the process that decodes cannot be started",
        found=why,
        hint="nothing was decided; run the same command again",
    )


class _Keeper:
    """The one helper of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.helper: Helper | None = None

    def reset(self) -> None:
        """After a fork: the lock may be held by a thread that is not here, and the helper is somebody else's."""
        if self.helper is not None:
            self.helper.forget()
        self.__init__()  # type: ignore[misc] # a new lock and no helper, as at the start

    def end(self) -> None:
        """At the end of the process."""
        with self.lock:
            if self.helper is not None:
                self.helper.end()
            self.helper = None


_keeper = _Keeper()
os.register_at_fork(after_in_child=_keeper.reset)
atexit.register(_keeper.end)


def ask(message: dict[str, Any], files: Sequence[int]) -> Helper:
    """Send a request to this process's helper; one that has died is replaced.

    Raises:
        MonitorError: None can be started.
    """
    with _keeper.lock:
        for _ in range(2):
            if _keeper.helper is not None and not _keeper.helper.alive:
                _keeper.helper.end()
                _keeper.helper = None
            helper = _keeper.helper = _keeper.helper or Helper()
            with suppress(OSError):
                helper.send(message, files)
                return helper
            helper.end()
    raise _not_started("it ends as soon as it is asked")


def retire(helper: Helper) -> None:
    """Let go of a helper that has died or is about to; whoever asks next gets another."""
    with _keeper.lock:
        helper.end()
        if _keeper.helper is helper:
            _keeper.helper = None
