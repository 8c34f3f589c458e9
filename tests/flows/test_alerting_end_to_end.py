"""From a batch to whoever is called: the exporter, Prometheus, Alertmanager and a webhook, as they are."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import TIDEGATE, Said
from tests.flows.loopback import OK, Answer, Asked, loopback
from tests.flows.promtool import require
from tidegate_flows import render
from tidegate_flows.alert_rules.addresses import Addresses

pytestmark = [pytest.mark.more, pytest.mark.slow]
INTERVAL = 5
SHORTER = (
    ("scrape_interval: 15s", f"scrape_interval: {INTERVAL}s"),
    ("evaluation_interval: 15s", f"evaluation_interval: {INTERVAL}s"),
    ("for: 5m", f"for: {INTERVAL}s"),
    ("for: 1m", f"for: {INTERVAL}s"),
    ("group_wait: 1m", "group_wait: 1s"),
    ("group_interval: 1m", "group_interval: 1s"),
    ("group_interval: 15m", "group_interval: 1s"),
)
"""What is waited for in life and not in a test; a breaker that opens waits for nothing but two intervals of 5 s."""

Make = Callable[..., pd.DataFrame]


@dataclass
class Called:
    """A webhook, and the alerts that reached it, each as it came.

    Attributes:
        url: Where it listens.
        alerts: Name, status and labels, in order.
    """

    url: str
    alerts: list[tuple[str, str, dict[str, str]]]

    def hears(self, name: str, status: str, within: float) -> float:
        """The seconds until an alert is heard of; fails when it is not in time."""
        started = time.monotonic()
        while time.monotonic() - started < within:
            if any(heard[:2] == (name, status) for heard in self.alerts):
                return time.monotonic() - started
            time.sleep(0.1)
        pytest.fail(f"{name} was not {status} within {within} s; heard: {[heard[:2] for heard in self.alerts]}")


@contextmanager
def webhook() -> Iterator[Called]:
    """A receiver of alerts on this machine."""
    alerts: list[tuple[str, str, dict[str, str]]] = []

    def hear(asked: Asked) -> Answer:
        told = json.loads(asked.body)["alerts"]
        alerts.extend((alert["labels"]["alertname"], alert["status"], alert["labels"]) for alert in told)
        return OK

    with loopback(hear) as (url, _):
        yield Called(f"{url}/", alerts)


@contextmanager
def running(*command: object, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block lasts; ended by its own id."""
    with log.open("wb") as said:
        process = subprocess.Popen([*map(str, command)], stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class Watched:
    """Everything that runs.

    Attributes:
        exporter: The process of ``tidegate serve``.
        alertmanager: Where Alertmanager listens.
        called: The webhook.
    """

    exporter: subprocess.Popen[bytes]
    alertmanager: str
    called: Called

    def silenced(self, name: str) -> bool:
        """Whether Alertmanager holds an alert and sends nothing of it, because another one says why."""
        with urllib.request.urlopen(f"http://{self.alertmanager}/api/v2/alerts?inhibited=true", timeout=5) as answer:
            held = [alert for alert in json.load(answer) if alert["labels"]["alertname"] == name]
        return bool(held) and all(alert["status"]["inhibitedBy"] for alert in held)


@contextmanager
def watched(contract: Path, store: Path, folder: Path) -> Iterator[Watched]:
    """Exporter, Prometheus, Alertmanager and webhook, told what is rendered for a contract."""
    prometheus, alertmanager = require("prometheus"), require("prometheus-alertmanager")
    ours, theirs, manager = (f"127.0.0.1:{_free_port()}" for _ in range(3))
    with ExitStack() as stack:
        called = stack.enter_context(webhook())
        addresses = Addresses(webhook=called.url, heartbeat=called.url, exporter=ours, alertmanager=manager)
        rendered = render.render([tg.load_contract(contract)], addresses)
        for old, new in SHORTER:
            assert any(old in text for text in rendered.values()), old
            rendered = {name: text.replace(old, new) for name, text in rendered.items()}
        render.write(rendered, folder, force=False)
        serve = [TIDEGATE, "serve", "--port", ours.rpartition(":")[2], "--store", store]
        exporter = stack.enter_context(running(*serve, log=folder / "exporter.log"))
        _until(lambda: _listens(ours), within=60)
        stack.enter_context(
            running(
                alertmanager,
                f"--config.file={folder / 'alertmanager' / 'alertmanager.yaml'}",
                f"--storage.path={folder / 'alertmanager' / 'data'}",
                f"--web.listen-address={manager}",
                "--cluster.listen-address=",
                log=folder / "alertmanager.log",
            )
        )
        stack.enter_context(
            running(
                prometheus,
                f"--config.file={folder / 'prometheus' / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'prometheus' / 'data'}",
                f"--web.listen-address={theirs}",
                "--rules.alert.resend-delay=5s",  # what fires in the first seconds finds no Alertmanager yet
                log=folder / "prometheus.log",
            )
        )
        yield Watched(exporter, manager, called)


def test_a_breaker_a_missing_batch_and_a_dead_exporter_reach_whoever_is_called(
    store: Path,
    contract_file: Callable[..., Path],
    make_orders: Make,
    tmp_path: Path,
    tidegate: Callable[..., Said],
) -> None:
    contract = contract_file("cadence=timedelta(days=1), arrive_within=timedelta(seconds=1)")
    last = _ending(make_orders(1), timedelta(days=1) - timedelta(seconds=90))  # the next is due in 90 s
    tg.gate(last, contract, store=store, batch_id="last before the feed stops").require_published()
    with watched(contract, store, tmp_path / "watching") as all_:
        called = all_.called
        called.hears("TidegateWatchdog", "firing", within=60)
        assert {name for name, *_ in called.alerts} == {"TidegateWatchdog"}

        bad = _ending(make_orders(2), timedelta(days=2)).assign(country="XX")
        assert tg.gate(bad, contract, store=store, batch_id="bad").decision == "quarantine"
        called.hears("TidegateBreakerOpen", "firing", within=60)
        labels = next(labels for name, _, labels in called.alerts if name == "TidegateBreakerOpen")
        assert labels["owner"] == "shop"
        assert labels["dataset"] == "orders"

        closed = tidegate("breaker", "close", "orders", "--by", "test", "--reason", "mended", "--store", store)
        assert closed.code == 0, closed.err
        called.hears("TidegateBreakerOpen", "resolved", within=60)

        assert not any(name == "TidegateBatchMissing" for name, *_ in called.alerts)
        called.hears("TidegateBatchMissing", "firing", within=150)

        os.kill(all_.exporter.pid, signal.SIGKILL)
        called.hears("TidegateExporterDown", "firing", within=60)
        _until(lambda: all_.silenced("TidegateBatchMissing"), within=30)
        heard = len(called.alerts)
        time.sleep(3 * INTERVAL)
        assert {name for name, *_ in called.alerts[heard:]} <= {"TidegateWatchdog", "TidegateExporterDown"}
        assert ("TidegateBatchMissing", "resolved") not in [alert[:2] for alert in called.alerts]


def _ending(frame: pd.DataFrame, ago: timedelta) -> pd.DataFrame:
    """The same orders, the last of them placed so long ago."""
    end = pd.Timestamp(datetime.now(UTC) - ago).floor("s").as_unit("us")
    return frame.assign(placed=(end - (frame["placed"].max() - frame["placed"])).astype("datetime64[us, UTC]"))


def _until(holds: Callable[[], bool], *, within: float) -> None:
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < within
        time.sleep(0.2)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
