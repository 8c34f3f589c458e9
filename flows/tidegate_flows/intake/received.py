"""What a decoding process hands back: tables over a pipe, and how it ended."""

from __future__ import annotations

import io
import json
import os
import select
import signal
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

import pyarrow as pa

from tidegate_contracts.errors import MonitorError, StoreError
from tidegate_flows.decoder.limits import Limits, in_force
from tidegate_flows.intake.helper import Helper, ask, retire
from tidegate_flows.intake.staged import UnreadableError

_TABLE, _END = b"T", b"E"
_SETUP_FAILED = 70
_PIPE = 1 << 20
_OVERHEAD = 256 << 20  # bytes of a stream beyond its values: validity, offsets, schemas


class _LateError(Exception):
    """It took too long."""


class _UnbegunError(MonitorError):
    """The helper died before it began."""


def tables_in(path: Path, suffix: str) -> list[Any]:
    """The tables of a staged file, decoded in a process of their own, not yet validated.

    Raises:
        UnreadableError: The decoder refused, died, or took too long.
        MonitorError: There is no such process, or it is our own failure that it ended.
        StoreError: The staged file is gone.
    """
    for last in (False, True):
        status, rows = _asked(path, suffix)
        with rows:
            try:
                return rows.tables()
            except _UnbegunError:  # it may have been killed since the batch before: another one is asked, once
                if last:
                    raise
        retire(status.helper)
    raise AssertionError  # the second time returns or raises


def _asked(path: Path, suffix: str) -> tuple[_Status, _Rows]:
    """What a process that was asked to decode a file says and hands back."""
    limits = in_force()
    with ExitStack() as ours, ExitStack() as theirs:

        def kept(stack: ExitStack, file: int) -> int:
            stack.callback(os.close, file)
            return file

        try:
            source = kept(theirs, os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise StoreError(f"{path} cannot be read", found=error.strerror) from error
        try:
            data, sink = map(kept, (ours, theirs), _pipe())
            status, said = map(kept, (ours, theirs), os.pipe())
        except OSError as error:
            raise MonitorError("no pipe to a process that decodes", found=error.strerror) from error
        helper = ask({"suffix": suffix, "limits": asdict(limits)}, (source, sink, said))
        spoken = _Status(status, helper)
        rows = _Rows(data, spoken, limits)
        ours.pop_all()  # from here on they are closed with the rows
    return spoken, rows


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    with suppress(ImportError, AttributeError, OSError):  # a larger pipe is only faster
        import fcntl

        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _PIPE)
    return ends


class _Status:
    """What is said of one decoding process, by itself and by the helper."""

    def __init__(self, file: int, helper: Helper) -> None:
        self.file = file
        self.helper = helper
        self.said: dict[str, Any] = {}
        self._rest = b""
        self.closed = False

    @property
    def ended(self) -> bool:
        """Whether the process is gone, or nobody is left to say so."""
        return self.closed or "exit" in self.said or "failed" in self.said

    def read(self) -> None:
        """Take in what was said since."""
        found = os.read(self.file, 8192)
        self.closed = not found
        *lines, self._rest = (self._rest + found).split(b"\n")
        for line in lines:
            with suppress(ValueError):
                self.said |= json.loads(line)

    def stop(self) -> None:
        """Have the process killed, if it still runs."""
        if "pid" in self.said and not self.ended:
            with suppress(OSError):
                self.helper.send({"stop": self.said["pid"]})


class _Rows(io.RawIOBase):
    """The rows as a stream, which ends with the process and never lasts longer than is allowed."""

    def __init__(self, data: int, status: _Status, limits: Limits) -> None:
        self._data, self._status, self._limits = data, status, limits
        self._deadline = monotonic() + limits.wall_seconds
        self._left = limits.decoded_bytes + _OVERHEAD
        self._poll = select.poll()
        self._poll.register(data, select.POLLIN)
        self._poll.register(status.file, select.POLLIN)
        os.set_blocking(data, False)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            ended = self._status.ended
            with suppress(BlockingIOError):
                count = os.readv(self._data, [buffer])
                self._left -= count
                if self._left < 0:
                    raise _LateError(f"more than {self._limits.decoded_bytes} bytes when decoded")
                return count
            if ended:  # before the last look at the pipe: another process of ours may hold its end open
                return 0
            self._wait()

    def _wait(self) -> None:
        left = self._deadline - monotonic()
        if left <= 0:
            raise _LateError(f"it took more than {self._limits.wall_seconds:g} s to decode")
        for file, _ in self._poll.poll(min(left, 1.0) * 1000):
            if file == self._status.file:
                self._status.read()
                if self._status.closed:
                    self._poll.unregister(file)
        if not self._status.helper.alive:
            self._status.closed = True

    def tables(self) -> list[Any]:
        """All tables, and only if the process ended well.

        Raises:
            UnreadableError: It did not.
            MonitorError: That was not because of the bytes.
        """
        found, broken = [], "what it handed back is cut off"
        try:
            reader = io.BufferedReader(self, _PIPE)
            while (mark := reader.read(1)) == _TABLE:
                with pa.ipc.open_stream(reader) as stream:
                    found.append(stream.read_all())
            if mark == _END:
                broken = ""
            self._hang_up()
            while not self._status.ended:
                self._wait()
        except _LateError as error:
            raise UnreadableError(str(error)) from None
        except MemoryError:  # ours: what the decoder may need has a bound of its own
            self._drain()
            raise MonitorError("no memory is left for the rows", hint="try again with smaller batches") from None
        except (pa.ArrowException, OSError, ValueError) as error:
            broken = f"{broken}: {type(error).__name__}"
            self._drain()
        self._judge(broken)
        return found

    def _drain(self) -> None:
        """Wait for the process's end; it ends by itself, because nobody reads from it any more."""
        self._hang_up()
        with suppress(_LateError):
            while not self._status.ended:
                self._wait()

    def _hang_up(self) -> None:
        """Take no more rows; a pipe whose other end is closed would be ready at every look."""
        if self._data >= 0:
            self._poll.unregister(self._data)
            os.close(self._data)
            self._data = -1

    def _judge(self, broken: str) -> None:
        said = self._status.said
        code = said.get("exit")
        if self._status.ended and not said:
            raise _UnbegunError("the process that decodes failed", found="it ended as soon as it was asked")
        if "failed" in said or code == _SETUP_FAILED or not self._status.ended or code is None:
            raise MonitorError(
                "the process that decodes failed", found=said.get("failed", "it ended unasked"), hint="try again"
            )
        if code == -signal.SIGXCPU:
            raise UnreadableError(f"it took more than {self._limits.cpu_seconds} s of processor time to decode")
        if code < 0:
            raise UnreadableError(f"its decoder died of {signal.Signals(-code).name}")
        if "error" in said:
            raise UnreadableError(str(said["error"]))
        if broken or not said.get("ok"):
            raise UnreadableError(broken or "its decoder did not finish")

    def close(self) -> None:
        if not self.closed:
            self._status.stop()
            for file in (self._data, self._status.file):
                if file >= 0:
                    os.close(file)
        super().close()
