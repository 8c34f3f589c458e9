"""The server: ``/metrics`` for Prometheus, ``/healthz`` and ``/readyz`` for whoever runs it, and the status page."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tidegate_contracts.errors import TidegateError, UsageError
from tidegate_flows.answer_headers import HEADERS, AnswerHeaders
from tidegate_flows.asked_host import AskedHost
from tidegate_flows.exporter import Exporter
from tidegate_flows.ledger.ledger import address_of
from tidegate_flows.ledger_reader import PATIENCE, LedgerReader
from tidegate_flows.place import at
from tidegate_flows.plain import plain
from tidegate_flows.resting_clients import CONNECTIONS_MAXIMUM, YieldingProtocol
from tidegate_flows.settings import Settings
from tidegate_monitors.metrics import SERIES_MAXIMUM

logger = logging.getLogger("tidegate.serve")

FORMAT = 1
_BACKLOG = 64
_KEEP_ALIVE = 75  # seconds; longer than the usual time between two scrapes
_ENDING = 10  # seconds that answers on their way may take when the server is told to stop


def application(
    settings: Settings,
    *,
    token: str | None = None,
    series: int = SERIES_MAXIMUM,
    hosts: Collection[str] | None = None,
    tls: bool = False,
) -> Starlette:
    """The application of ``tidegate serve``.

    Args:
        settings: Where the store and the ledger are.
        token: What whoever wants to act on the status page must know; None for a page that only reads.
        series: The most series that a metric may have of one dataset.
        hosts: The names under which it answers; None for any.
        tls: Whether browsers reach it by HTTPS, through a proxy.
    """
    from tidegate_flows.status import routes  # templates are for whoever serves pages

    reader = LedgerReader(settings)
    exporter = Exporter(settings, series=series, reader=reader)

    def metrics(request: Request) -> Response:
        content, kind = exporter.page(",".join(request.headers.getlist("accept")))
        return Response(content, headers={"content-type": kind})

    def readyz(_request: Request) -> Response:
        try:
            reader.ask(_nothing)
        except TidegateError as error:
            return JSONResponse({"format": FORMAT, "ready": False, "reason": plain(error)}, status_code=503)
        return JSONResponse({"format": FORMAT, "ready": True})

    own = [Route("/metrics", metrics), Route("/healthz", _healthz), Route("/readyz", readyz)]
    around = [Middleware(AnswerHeaders), *([Middleware(AskedHost, hosts=hosts)] if hosts is not None else [])]
    all_routes = [*own, *routes(settings, token=token, tls=tls)]
    return Starlette(routes=all_routes, middleware=around, exception_handlers={Exception: _failed})


def not_ready(settings: Settings) -> str | None:
    """Why nothing but refusals could be served now; None where pages can be.

    Raises:
        UsageError: The settings name a ledger that there cannot be.
    """
    if settings.ledger.value:
        address_of(settings.ledger.value)
    try:
        with at(settings, read_only=True, patience=PATIENCE):
            return None
    except TidegateError as error:
        return plain(error if error.found is None else f"{error.what}: {error.found}")


def listen(host: str, port: int) -> socket.socket:
    """A socket on which to serve, so that whoever cannot have it knows before anything is started.

    Raises:
        UsageError: The address cannot be used.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"{host}:{port} cannot be used", found=reason, hint="another --port or --host") from error


def serve(
    app: Starlette,
    listening: socket.socket,
    stop: threading.Event,
    protocol: type[YieldingProtocol] = YieldingProtocol,
) -> None:
    """Serve until told to stop; answers on their way are given first.

    Args:
        app: What is served.
        listening: Where; closed at the end.
        stop: Set to stop.
        protocol: How patient it is with clients that are slow, or ask for nothing.
    """
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAXIMUM,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_ENDING,
    )
    with listening:
        _Server(config, stop).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends by an event and not by signals: those are of the program, which has its own exit code."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to end."""
        return await super().on_tick(counter) or self._stop.is_set()


async def _healthz(_request: Request) -> Response:
    """Needs no thread, so that it is told whatever keeps the threads busy."""
    return JSONResponse({"format": FORMAT, "alive": True})


def _failed(request: Request, error: Exception) -> Response:
    """A bug of ours is told in the log, without its words: they may hold values."""
    logger.error("%s %s failed: %s", request.method, plain(request.url.path), type(error).__name__)
    return PlainTextResponse("this is a bug in tidegate\n", status_code=500, headers=HEADERS)


def _nothing(connection: Connection) -> Any:
    return connection.exec_driver_sql("SELECT 1").scalar()
