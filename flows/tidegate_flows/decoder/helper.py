"""The process that decodes for us: it forks one limited child a delivery, and says how each of them ended.

Requests come over a socket: a message of JSON, with three open files (source, data, status). Each is answered on its
status pipe. When the socket closes, everything ends.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
from contextlib import suppress
from typing import Any, NoReturn

import pyarrow as pa

from tidegate_flows.decoder.child import SETUP_FAILED, work

FILES = 3
LINE = 4096
READY = b"ready\n"


def main(control: int) -> None:
    """Serve until nobody is there any more."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    pa.enable_signal_handlers(False)  # they would open a pipe, and a decoder opens no files
    link = socket.socket(fileno=control)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    children: dict[int, int] = {}
    link.sendall(READY)
    while True:
        ready, _, _ = select.select([link.fileno(), wake], [], [])
        if wake in ready:
            os.read(wake, LINE)
        _reap(children)
        if link.fileno() in ready and not _serve(link, children, (wake, woken)):
            break
    for child in children:
        os.kill(child, signal.SIGKILL)


def _serve(link: socket.socket, children: dict[int, int], own: tuple[int, int]) -> bool:
    """One request: decode, or stop decoding; False when the socket has closed."""
    line, files = _receive(link)
    if not line:
        return False
    request = json.loads(line)
    if "stop" in request:
        if request["stop"] in children:  # else it has ended, and the number may be another's by now
            os.kill(request["stop"], signal.SIGKILL)
        return True
    source, data, status = files
    try:
        child = os.fork()
    except OSError as error:
        _tell(status, {"failed": f"fork: {error.strerror}"})
        child = None
    if child == 0:
        _be_child(request, files, (link.detach(), *own, *children.values()))
    os.close(source)
    os.close(data)
    if child is None:
        os.close(status)
        return True
    _tell(status, {"pid": child})
    children[child] = status
    return True


def _be_child(request: dict[str, Any], files: list[int], others: tuple[int, ...]) -> NoReturn:
    code = SETUP_FAILED
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            os.close(other)
        code = work(request, *files)
    finally:
        os._exit(code)


def _receive(link: socket.socket) -> tuple[bytes, list[int]]:
    """One message, and the files that came with it; empty when the socket has closed."""
    files = array.array("i")
    try:
        line, extra, _, _ = link.recvmsg(LINE, socket.CMSG_LEN(FILES * files.itemsize))
    except OSError:
        return b"", []
    for level, kind, content in extra:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(content[: len(content) - len(content) % files.itemsize])
    return line, list(files)


def _reap(children: dict[int, int]) -> None:
    for child in list(children):
        found, how = os.waitpid(child, os.WNOHANG)
        if found:
            status = children.pop(child)
            _tell(status, {"exit": os.waitstatus_to_exitcode(how)})
            os.close(status)


def _tell(status: int, line: dict[str, Any]) -> None:
    with suppress(OSError):  # who asked may have gone away
        os.write(status, json.dumps(line).encode() + b"\n")
