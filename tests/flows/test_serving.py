"""The server: what it answers, whom it does not wait for, and how it ends."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import tidegate as tg
from tests.flows.conftest import TIDEGATE, Said
from tests.flows.status_site import Browser
from tests.flows.test_exporter import parse, value
from tidegate_contracts.errors import UsageError
from tidegate_flows import serving
from tidegate_flows.action_token import action_token
from tidegate_flows.answer_headers import HEADERS
from tidegate_flows.asked_host import hosts_of
from tidegate_flows.resting_clients import YieldingProtocol
from tidegate_flows.settings import resolve

Make = Callable[..., pd.DataFrame]
Answer = tuple[int, http.client.HTTPMessage, bytes]


class Hasty(YieldingProtocol):
    request_seconds = 0.4
    sending_seconds = 0.4


class Crowded(Hasty):
    crowded = 4


@contextmanager
def served(
    app: Starlette, stop: threading.Event | None = None, protocol: type[YieldingProtocol] = Hasty
) -> Iterator[int]:
    """A server in a thread, at a port."""
    end, listening = stop or threading.Event(), serving.listen("127.0.0.1", 0)
    port = int(listening.getsockname()[1])
    thread = threading.Thread(target=serving.serve, args=(app, listening, end, protocol))
    thread.start()
    try:
        yield port
    finally:
        end.set()
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        yield client


def get(port: int, path: str, accept: str = "") -> Answer:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        client.request("GET", path, headers={"Accept": accept})
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.fixture(scope="module")
def _one_batch(
    tmp_path_factory: pytest.TempPathFactory, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> Path:
    store = tmp_path_factory.mktemp("served") / "store"
    tg.gate(make_orders(1), make_contract(), store=store)
    return store


@pytest.fixture
def one_batch(_one_batch: Path, tmp_path: Path) -> Path:
    """A store in which one batch was published."""
    shutil.copytree(_one_batch, tmp_path / "store")
    return tmp_path / "store"


def test_metrics_are_served_in_the_format_that_is_liked_best(one_batch: Path) -> None:
    with served(serving.application(resolve(store=one_batch))) as port:
        status, headers, content = get(port, "/metrics")
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert headers["Server"] is None
        assert value(parse(content.decode()), "batches_total", dataset="orders", decision="publish") == 1
        status, headers, content = get(port, "/metrics", "application/openmetrics-text;version=1.0.0")
        assert (status, headers["Content-Type"]) == (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        assert content.endswith(b"# EOF\n")
        assert get(port, "/")[0] == 200


def test_a_server_whose_ledger_is_gone_is_alive_and_not_ready_and_says_why(one_batch: Path) -> None:
    with served(serving.application(resolve(store=one_batch))) as port:
        assert json.loads(get(port, "/readyz")[2]) == {"format": 1, "ready": True}
        shutil.rmtree(one_batch)
        assert (get(port, "/healthz")[0], json.loads(get(port, "/healthz")[2])) == (200, {"format": 1, "alive": True})
        status, _, content = get(port, "/readyz")
        assert status == 503
        assert "there is no ledger here" in json.loads(content)["reason"]
        status, _, content = get(port, "/metrics")
        assert (status, value(parse(content.decode()), "ledger_up")) == (200, 0)


def test_every_answer_has_the_same_strict_headers_whatever_gave_it(one_batch: Path) -> None:
    pages = Browser(serving.application(resolve(store=one_batch)))
    for method, path, status in (
        ("GET", "/metrics", 200),
        ("GET", "/healthz", 200),
        ("POST", "/metrics", 405),
        ("DELETE", "/", 405),
        ("GET", "/datasets/orders", 200),
        ("GET", "/nope", 404),
    ):
        answer = pages.ask(method, path)
        assert answer.status_code == status, path
        assert {name.lower(): answer.headers[name] for name in HEADERS} == {k.lower(): v for k, v in HEADERS.items()}


@pytest.mark.parametrize(
    ("bound", "more", "asked", "status"),
    [
        ("127.0.0.1", (), "127.0.0.1:9464", 200),
        ("127.0.0.1", (), "LOCALHOST:9464", 200),
        ("::1", (), "[::1]:9464", 200),
        ("127.0.0.2", (), "127.0.0.2", 200),
        ("127.0.0.1", (), "evil.example:9464", 421),
        ("127.0.0.1", (), "127.0.0.1.evil.example", 421),
        ("127.0.0.1", ("gate.example",), "gate.example", 200),
        ("127.0.0.1", ("gate.example",), "evil.example", 421),
        ("0.0.0.0", (), "anything.example", 200),  # noqa: S104 - who can reach it is for somebody else to say
        ("0.0.0.0", ("gate.example",), "evil.example", 421),  # noqa: S104
    ],
)
def test_a_server_for_this_machine_answers_under_no_name_of_somebody_else(
    one_batch: Path, bound: str, more: tuple[str, ...], asked: str, status: int
) -> None:
    pages = Browser(serving.application(resolve(store=one_batch), hosts=hosts_of(bound, bound, more)))
    for path in ("/healthz", "/metrics", "/"):
        assert pages.get(path, host=asked).status_code == status


@pytest.mark.more
def test_pages_of_a_locked_ledger_keep_no_scrape_and_no_look_waiting(one_batch: Path) -> None:
    with (
        served(serving.application(resolve(store=one_batch))) as port,
        closing(sqlite3.connect(one_batch / "ledger.db", isolation_level=None)) as other,
    ):
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE breakers SET failures = failures")
        with ThreadPoolExecutor(60) as clients:
            waiting = [clients.submit(get, port, "/") for _ in range(60)]
            time.sleep(0.5)
            for path, seconds in (("/healthz", 1.0), ("/metrics", 5.0)):
                started = time.monotonic()
                assert get(port, path)[0] == 200
                assert time.monotonic() - started < seconds, path
            assert {each.result()[0] for each in waiting} == {503}
        other.execute("COMMIT")


def test_one_connection_serves_scrape_after_scrape(one_batch: Path) -> None:
    with (
        served(serving.application(resolve(store=one_batch))) as port,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client,
    ):
        for _ in range(3):
            client.request("GET", "/healthz")
            answer = client.getresponse()
            assert (answer.status, answer.version) == (200, 11)
            answer.read()
            ours = client.sock.getsockname() if client.sock else None
            time.sleep(0.5)  # longer than a request may take: a connection at rest asks for nothing
            assert client.sock is not None
            assert client.sock.getsockname() == ours


def took(client: socket.socket, end: bytes) -> bool:
    """Whether an answer comes that ends so."""
    answer = b""
    while not answer.endswith(end) and (part := client.recv(4096)):
        answer += part
    return answer.endswith(end)


def is_open(client: socket.socket) -> bool:
    client.settimeout(0.2)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return True


def test_where_it_is_crowded_who_asks_for_nothing_gives_way_the_longest_at_rest_first() -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(_request: Request) -> Response:
        begun.set()
        go.wait(10)
        return PlainTextResponse("all of it")

    app = Starlette(routes=[Route("/slow", slow), Route("/small", lambda _request: PlainTextResponse("here"))])
    with served(app, protocol=Crowded) as port, ExitStack() as stack:
        at_work = stack.enter_context(connected(port))
        at_work.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert begun.wait(10)
        resting = []
        for _ in range(6):
            resting.append(stack.enter_context(connected(port)))
            resting[-1].sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
            assert took(resting[-1], b"here")
        assert get(port, "/small")[2] == b"here"
        assert [is_open(client) for client in resting] == [False] * 4 + [True] * 2
        go.set()
        assert took(at_work, b"all of it")


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab",
    ],
)
def test_a_client_that_does_not_say_what_it_wants_is_cut_off(half: bytes) -> None:
    async def patient(request: Request) -> Response:
        await request.body()
        return PlainTextResponse("never")

    with served(Starlette(routes=[Route("/", patient, methods=["POST"])])) as port, connected(port) as client:
        client.sendall(half)
        started = time.monotonic()
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""
        assert time.monotonic() - started < 5


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off_and_others_are_served() -> None:
    size = 64 << 20  # more than the kernel holds back

    def large(_request: Request) -> Response:
        return Response(b"x" * size)

    app = Starlette(routes=[Route("/large", large), Route("/small", lambda _request: PlainTextResponse("here"))])
    with served(app) as port, connected(port) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert get(port, "/small")[2] == b"here"
        time.sleep(1.5)
        taken = 0
        try:
            while part := client.recv(1 << 20):
                taken += len(part)
        except ConnectionResetError:
            pass
        assert taken < size


def test_an_answer_on_its_way_is_given_before_the_server_ends() -> None:
    begun, go, stop = threading.Event(), threading.Event(), threading.Event()

    def slow(_request: Request) -> Response:
        begun.set()
        go.wait(10)
        return PlainTextResponse("all of it")

    answers: list[Answer] = []
    with served(Starlette(routes=[Route("/slow", slow)]), stop) as port:
        client = threading.Thread(target=lambda: answers.append(get(port, "/slow")))
        client.start()
        assert begun.wait(10)
        stop.set()
        time.sleep(0.3)
        go.set()
        client.join(10)
    assert [answer[2] for answer in answers] == [b"all of it"]


def test_a_bug_is_told_without_its_words(one_batch: Path, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_request: Request) -> Response:
        raise ValueError("a secret value")

    app = serving.application(resolve(store=one_batch))
    app.router.routes.insert(0, Route("/broken", broken))
    with served(app) as port:
        status, _, content = get(port, "/broken")
    assert (status, content) == (500, b"this is a bug in tidegate\n")
    assert "GET /broken failed: ValueError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match=f"{host}:1 cannot be used"):
        serving.listen(host, 1)


def test_a_token_is_made_for_its_owner_alone_and_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "token"
    first = action_token(file, {"TIDEGATE_TOKEN": "x" * 20})
    assert (first.made, file.stat().st_mode & 0o777) == (True, 0o600)
    again = action_token(file, {})
    assert (again.value, again.made) == (first.value, False)
    assert first.value not in repr(first)


def test_a_token_of_the_environment_is_taken_and_else_each_start_has_its_own() -> None:
    assert action_token(None, {"TIDEGATE_TOKEN": "t" * 16}).value == "t" * 16
    assert action_token(None, {}).value != action_token(None, {}).value


@pytest.mark.parametrize(
    ("content", "mode"), [(b"short\n", 0o600), (b"", 0o600), (b"\xff" * 20, 0o600), (b"t" * 20, 0o644)]
)
def test_a_token_that_protects_nothing_is_refused(tmp_path: Path, content: bytes, mode: int) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(UsageError):
        action_token(file, {})
    with pytest.raises(UsageError):
        action_token(tmp_path / "no" / "folder", {})
    with pytest.raises(UsageError):
        action_token(None, {"TIDEGATE_TOKEN": "short"})


def test_what_cannot_be_read_is_told_at_the_start(one_batch: Path, tmp_path: Path) -> None:
    assert serving.not_ready(resolve(store=one_batch)) is None
    nowhere = tmp_path / "nowhere"
    assert serving.not_ready(resolve(store=nowhere)) == f"there is no store here: {nowhere} (option)"
    assert not nowhere.exists()
    with pytest.raises(UsageError, match="the ledger cannot be kept there"):
        serving.not_ready(resolve(store=one_batch, ledger="mysql://ann:s3cret@x/y"))


@contextmanager
def process(store: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], int, list[str]]]:
    """``tidegate serve`` in a process of its own, its port, and what it has said on stderr."""
    command = [str(TIDEGATE), "serve", "--port", "0", "--store", str(store), *more]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    try:
        assert running.stderr is not None
        while not (said and said[-1].startswith("metrics on")):
            line = running.stderr.readline()
            assert line, said
            said.append(line.strip())
        yield running, int(said[-1].split("/metrics")[0].rpartition(":")[2]), said
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate(timeout=20)


@pytest.mark.more
def test_the_command_ends_well_by_a_signal_and_says_little(one_batch: Path, tidegate: Callable[..., Said]) -> None:
    with process(one_batch, "--allow-actions") as (running, port, said):
        assert get(port, "/metrics")[0] == get(port, "/")[0] == 200
        other = tidegate("serve", "--port", port, "--store", one_batch)
        assert (other.code, other.out) == (2, "")
        assert f"127.0.0.1:{port} cannot be used" in other.err
        assert "Address already in use" in other.err
        running.send_signal(signal.SIGTERM)
        _, rest = running.communicate(timeout=20)
        assert (running.returncode, rest) == (0, "stopped\n")
        assert [line.partition(":")[0] for line in said] == [
            "the token for acting on the status page, until this server stops",
            "metrics on http",
        ]
    refused = tidegate("serve", "--token-file", "token", "--store", one_batch)
    assert (refused.code, refused.out) == (2, "")


@pytest.mark.more
def test_counters_only_grow_over_everything_that_dies(
    one_batch: Path, contract: tg.Contract, make_orders: Make
) -> None:
    pages = []
    for day in range(2, 5):
        with process(one_batch) as (running, port, _):
            pages.append(parse(get(port, "/metrics")[2].decode()))
            running.kill()
            assert running.wait(20) == -signal.SIGKILL
        tg.gate(make_orders(day), contract, store=one_batch, batch_id=str(day))
    with process(one_batch) as (running, port, _):
        pages.append(parse(get(port, "/metrics")[2].decode()))
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
    assert [value(page, "rows_total", dataset="orders") for page in pages] == [200, 400, 600, 800]
    for before, after in pairwise(pages):
        counters = [key for key in before if key[0].endswith(("_total", "_bucket", "_count", "_sum"))]
        assert counters
        assert all(after[key] >= before[key] for key in counters)
