"""A server of HTTP on loopback: it remembers what it was asked, answers as it is told, and may hang."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

HANGS_SECONDS = 20.0


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: bytes


class Answer(NamedTuple):
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    kind: str = "text/plain"


OK = Answer()


@contextmanager
def loopback(
    answer: Callable[[Asked], Answer] = lambda _: OK, *, hangs: bool = False
) -> Iterator[tuple[str, list[Asked]]]:
    """The server's address and what it was asked, in order.

    Args:
        answer: What it says to a request.
        hangs: Whether it reads a request, and says nothing for 20 seconds or until the block ends.
    """
    asked: list[Asked] = []
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked.append(Asked(self.command, self.path, body))
            if hangs:
                released.wait(HANGS_SECONDS)
                return
            said = answer(asked[-1])
            self.send_response(said.status)
            self.send_header("content-type", said.kind)
            self.send_header("content-length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = _take  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()
