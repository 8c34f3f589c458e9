"""Prefect for real: a server, a worker and the deployments of ``deploy/prefect.yaml``; schedules, retries, cancelling.

That a *scheduled* run comes is part of it: with the newest SQLAlchemy Prefect schedules nothing and says nothing.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import CONTRACT_FILE, ROOT, TIDEGATE
from tidegate_flows.by_hand import close
from tidegate_flows.ledger import audit
from tidegate_flows.place import at

pytestmark = [pytest.mark.more, pytest.mark.xdist_group("prefect")]
PREFECT = TIDEGATE.with_name("prefect")
FLOWS = {"gate-batch", "gate-backlog", "join-labels", "build-reference", "watch-arrivals"}
PATIENCE = 120.0  # seconds for one step, on a busy machine
Make = Callable[..., pd.DataFrame]

WAITS = """
    @pa.check("items")
    def waits(cls, values):
        from pathlib import Path
        from time import sleep

        if Path({folder!r}, "slow").exists():
            Path({folder!r}, "begun").touch()
            sleep(600)
        return values >= 0

    class Config:"""


@dataclass
class Server:
    """A Prefect server of our own, and what is asked of it.

    Attributes:
        folder: Everything of this story.
        environment: For all that talks to the server.
        api: Its HTTP interface.
    """

    folder: Path
    environment: dict[str, str]
    api: httpx.Client
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        for _ in range(50):
            answer = self.api.request(method, path, json=body)
            if answer.status_code != 503:  # its SQLite was busy; Prefect's own clients ask again, too
                break
            time.sleep(0.2)
        assert answer.is_success, (path, answer.text)
        return answer.json() if answer.content else None

    def until(self, what: str, look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """What a look gives as soon as it gives something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(0.2)
        raise AssertionError(f"{what} did not come within {seconds:g} s; {self.logs()}")

    def logs(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in self.folder.glob("*.log"))

    def command(self, *words: str) -> None:
        environment = self.environment | {"PWD": str(ROOT)}
        done = subprocess.run(
            [str(word) for word in words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    def runs(self, deployment: str) -> list[dict[str, Any]]:
        body = {"deployments": {"name": {"any_": [deployment]}}, "sort": "START_TIME_ASC"}
        found: list[dict[str, Any]] = self.ask("POST", "/flow_runs/filter", body)
        return found

    def start(self, deployment: str, **parameters: Any) -> str:
        path = f"/deployments/{self.ids[deployment]}/create_flow_run"
        return str(self.ask("POST", path, {"parameters": parameters, "state": {"type": "SCHEDULED"}})["id"])

    def run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/flow_runs/{run}")
        return found

    def ended(self, run: str, tries: int = 1) -> dict[str, Any]:
        """The run once it has ended for the nth time."""

        def look() -> dict[str, Any] | None:
            found = self.run(run)
            over = found["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
            return found if over and found["run_count"] >= tries else None

        found: dict[str, Any] = self.until(f"the end of {run}", look)
        return found

    def events(self, prefix: str = "tidegate.") -> list[dict[str, Any]]:
        body = {"filter": {"event": {"prefix": [prefix]}, "order": "ASC"}, "limit": 50}
        found: list[dict[str, Any]] = self.ask("POST", "/events/filter", body)["events"]
        return found

    def event(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.until(
            f"the event {name}", lambda: next((item for item in self.events() if item["event"] == name), None)
        )
        return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server, a pool, our deployments and a worker; stopped at the end by their ids."""
    folder = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = os.environ | {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_KEY": "",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "TIDEGATE_LEASE": "2",
    }
    del environment["PREFECT_API_KEY"]
    with ExitStack() as stack:
        api = stack.enter_context(httpx.Client(base_url=environment["PREFECT_API_URL"], timeout=90))
        made = Server(folder, environment, api)
        started = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", port]
        stack.enter_context(running(started, folder / "server.log", environment))
        if not healthy(api, 120):
            pytest.skip(f"Prefect's server did not start within 120 s: {made.logs()}")
        made.ask("POST", "/work_pools/", {"name": "tidegate", "type": "process"})
        started = [PREFECT, "worker", "start", "--pool", "tidegate", "--type", "process"]
        stack.enter_context(running(started, folder / "worker.log", environment))
        made.command(PREFECT, "deploy", "--prefect-file", "deploy/prefect.yaml", "--all")
        made.ids = {item["name"]: item["id"] for item in made.ask("POST", "/deployments/filter", {})}
        yield made


@contextmanager
def running(words: list[Any], log: Path, environment: dict[str, str]) -> Iterator[None]:
    """A process and its children, until the end of the block."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(word) for word in words], env=environment, stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield
        finally:
            for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                if process.poll() is None:
                    os.killpg(process.pid, sent)
                    try:
                        process.wait(15)
                    except subprocess.TimeoutExpired:
                        continue


def healthy(api: httpx.Client, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if api.get("/health").is_success:
                return True
        except httpx.TransportError:
            time.sleep(0.2)
    return False


@dataclass
class Shop:
    """A dataset as a user would have it: a contract, a folder where batches land, a store."""

    folder: Path
    make: Make

    @property
    def contract(self) -> str:
        return str(self.folder / "orders.py")

    @property
    def store(self) -> str:
        return str(self.folder / "store")

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    def sends(self, name: str, day: int, folder: str = "sent", **changed: Any) -> str:
        (self.folder / folder).mkdir(exist_ok=True)
        path = self.folder / folder / f"{name}.parquet"
        self.make(day).assign(**changed).to_parquet(path, index=False)
        return str(path)

    def audit(self, dataset: str = "orders") -> list[str]:
        with at(self.store) as place, place.ledger.read() as connection:
            return [str(entry["event"]) for entry in audit.entries(connection, dataset)]


def run_of(event: dict[str, Any]) -> str:
    """The flow run that emitted it."""
    by = {item["prefect.resource.role"]: str(item["prefect.resource.id"]) for item in event["related"]}
    return by["flow-run"].removeprefix("prefect.flow-run.")


def test_the_file_deploys_every_flow_and_waits_for_somebody_to_switch_schedules_on(server: Server) -> None:
    assert server.ids.keys() == FLOWS
    found = server.ask("POST", "/deployments/filter", {})
    assert {
        item["pull_steps"][0]["prefect.deployments.steps.set_working_directory"]["directory"] for item in found
    } == {str(ROOT)}
    assert not any(schedule["active"] for item in found for schedule in item["schedules"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, make_orders: Make) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "orders.py").write_text(CONTRACT_FILE.replace("EXTRA", ""))
    return Shop(folder, make_orders)


def test_a_scheduled_run_gates_what_landed_and_holds_the_slot_of_its_dataset(server: Server, shop: Shop) -> None:
    server.ask("POST", "/v2/concurrency_limits/", {"name": "tidegate-orders", "limit": 1})
    shop.sends("2024-03-02", 1, "landing")
    look = f"/deployments/{server.ids['watch-arrivals']}"
    parameters = {"contract": shop.contract, "place": str(shop.landing), "store": shop.store, "settle": 0}
    server.ask("PATCH", look, {"parameters": parameters})
    soon = datetime.now(UTC) + timedelta(seconds=4)  # the next one would only keep the machine busy
    schedule = {"interval": 40, "anchor_date": soon.isoformat()}
    made = server.ask("POST", f"{look}/schedules", [{"schedule": schedule, "active": True}])
    published = server.event("tidegate.batch.published")
    server.ask("DELETE", f"{look}/schedules/{made[0]['id']}")
    assert published["resource"]["prefect.resource.id"] == "tidegate.dataset.orders"
    assert published["payload"]["batch"] == "2024-03-02"
    run = server.ended(run_of(published))
    assert (run["auto_scheduled"], run["state"]["name"]) == (True, "Completed")
    assert (Path(shop.store) / "orders" / "published" / "2024-03-02.parquet").is_file()
    assert server.events("prefect.concurrency-limit.acquired"), "the slot was held"


def test_a_bad_batch_halts_its_run_and_a_retry_decides_nothing_twice(server: Server, shop: Shop) -> None:
    server.command(sys.executable, "deploy/automation.py", "orders", "join-labels/join-labels")
    batch = shop.sends("2024-03-03", 2, amount=-1.0)
    run = server.start("gate-batch", contract=shop.contract, batch=batch, store=shop.store)
    assert server.ended(run)["state"]["name"] == "Halted"
    assert server.event("tidegate.batch.quarantined")["payload"]["batch"] == "2024-03-03"
    opened = server.event("tidegate.breaker.opened")
    assert run_of(opened) == run
    assert "impossible_values" in opened["payload"]["reason"]

    third = shop.sends("2024-03-04", 3)
    assert tg.gate(third, shop.contract, store=shop.store).decision is tg.Decision.HOLD
    again = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
    server.ask("POST", f"/flow_runs/{run}/set_state", again)
    ended = server.ended(run, tries=2)
    assert (ended["state"]["type"], ended["state"]["name"]) == ("FAILED", "Halted")
    assert shop.audit() == ["batch.published", "batch.quarantined", "breaker.opened", "batch.held"]
    held = server.event("tidegate.batch.held")
    assert held["payload"]["batch"] == "2024-03-04", "what was gated without Prefect is told by the next flow"

    kept = server.ask("POST", "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
    tables = [item["data"] for item in kept if item["key"] == "tidegate-orders"]
    assert len(tables) == 2
    assert all("| critical | impossible_values | amount |" in text for text in tables)
    links = [item["data"] for item in kept if item["key"] == "tidegate-orders-file"]
    assert f"file://{shop.store}/orders/reports/2024-03-03.html" in links[0], "the page of the verdict"


def test_an_automation_rests_a_consumer_until_somebody_closes_the_breaker(server: Server, shop: Shop) -> None:
    consumer = f"/deployments/{server.ids['join-labels']}"
    server.until("the consumer's pause", lambda: server.ask("GET", consumer)["paused"])
    with at(shop.store) as place:
        close(place, "orders", by="ana", reason="mended")
    look = server.start("watch-arrivals", contract=shop.contract, place=str(shop.landing), store=shop.store, settle=0)
    assert server.event("tidegate.breaker.closed")["payload"]["by"] == "ana", "what was done by hand is told, too"
    server.until("the consumer's return", lambda: not server.ask("GET", consumer)["paused"])
    assert server.ended(look)["state"]["type"] == "COMPLETED"
    told = sorted(server.events(), key=lambda item: item["payload"]["seq"])
    assert [item["event"] for item in told] == [f"tidegate.{event}" for event in shop.audit()], "each once, in order"


def test_a_cancelled_run_leaves_nothing_behind_that_the_next_gate_trips_over(server: Server, shop: Shop) -> None:
    contract, flag = shop.folder / "slow.py", shop.folder / "slow"
    text = CONTRACT_FILE.replace("EXTRA", "").replace('name="orders"', 'name="slow_orders"')
    contract.write_text(text.replace("    class Config:", WAITS.format(folder=str(shop.folder))))
    flag.touch()
    batch = shop.sends("2024-03-05", 4)
    run = server.start("gate-batch", contract=str(contract), batch=batch, store=shop.store)
    server.until("the check's beginning", (shop.folder / "begun").exists)
    server.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    assert server.ended(run)["state"]["type"] == "CANCELLED"
    flag.unlink()
    assert tg.gate(batch, contract, store=shop.store).require_published().published
    assert shop.audit("slow_orders") == ["batch.published"]
