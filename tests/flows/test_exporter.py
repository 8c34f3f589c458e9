"""The exporter: what Prometheus reads of the ledger."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

import tidegate as tg
from tests.flows.conftest import TIDEGATE, Said
from tidegate_flows import exporter
from tidegate_flows.ledger import audit
from tidegate_flows.place import at
from tidegate_flows.settings import resolve

Make = Callable[..., pd.DataFrame]
Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def page(store: Path) -> Page:
    return parse(generate_latest(exporter.registry(resolve(store=store))).decode())


def parse(text: str) -> Page:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Page, name: str, **labels: str) -> float:
    return found[f"tidegate_{name}", tuple(sorted(labels.items()))]


@pytest.fixture
def gated(with_reference: Path, contract: tg.Contract, make_orders: Make) -> Path:
    """A store in which one batch passed, one broke, and one is held."""
    tg.gate(make_orders(30), contract, store=with_reference, batch_id="good")
    tg.gate(make_orders(31).assign(score=0.3), contract, store=with_reference, batch_id="bad")
    tg.gate(make_orders(32), contract, store=with_reference, batch_id="waits")
    return with_reference


def test_the_page_says_what_the_ledger_says(gated: Path) -> None:
    found = page(gated)
    for decision in ("publish", "quarantine", "hold"):
        assert value(found, "batches_total", dataset="orders", decision=decision) == 1
    assert value(found, "rows_total", dataset="orders") == 600
    assert value(found, "rows_quarantined_total", dataset="orders") == 200
    assert value(found, "findings_total", dataset="orders", check="class_collapse", severity="critical") == 1
    states = {state: value(found, "breaker_state", dataset="orders", state=state) for state in ("open", "closed")}
    assert states == {"open": 1, "closed": 0}
    assert value(found, "breaker_transitions_total", dataset="orders", to="open") == 1
    assert value(found, "held_batches", dataset="orders") == 1
    assert value(found, "quarantined_batches", dataset="orders") == 1
    assert value(found, "batch_duration_seconds_count", dataset="orders") == 3
    assert value(found, "contract_info", dataset="orders", version="1.0.0", owner="shop") == 1
    assert value(found, "ledger_up") == 1
    with at(gated) as place, place.ledger.read() as connection:
        head = audit.verify(connection, "orders").head
    assert value(found, "audit_head_info", dataset="orders", sha256=head) == 1
    labels = {"dataset": "orders", "column": "amount", "slice": "", "statistic": "location"}
    assert 0 <= value(found, "drift_score_ratio", **labels) < 5


def test_no_value_is_nan_and_counters_only_grow(gated: Path, contract: tg.Contract, make_orders: Make) -> None:
    before = page(gated)
    tg.gate(make_orders(33).assign(amount=float("inf")), contract, store=gated, batch_id="odd")
    after = page(gated)
    assert not any(math.isnan(number) for number in [*before.values(), *after.values()])
    for key, number in before.items():
        if key[0].endswith(("_total", "_bucket", "_count", "_sum")):
            assert after[key] >= number


def test_a_broken_ledger_is_a_metric_and_not_a_broken_page(gated: Path) -> None:
    (gated / "ledger.db").write_bytes(b"this is no database, it only looks like a long enough file" * 100)
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (gated / name).unlink(missing_ok=True)
    assert value(page(gated), "ledger_up") == 0


def test_hostile_names_do_no_harm(store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make) -> None:
    contract = make_contract(owner='new\nline "quote" \\ \u2028 {}' + "x" * 500)
    tg.gate(make_orders(1), contract, store=store)
    owners = [dict(labels)["owner"] for name, labels in page(store) if name == "tidegate_contract_info"]
    assert len(owners) == 1
    assert len(owners[0]) <= 120


def test_the_textfile_appears_by_one_rename_and_promtool_accepts_it(
    gated: Path, tmp_path: Path, tidegate: Callable[..., Said]
) -> None:
    path = tmp_path / "collector" / "tidegate.prom"
    path.parent.mkdir()
    assert tidegate("metrics", "--textfile", path, "--store", gated).code == 0
    assert [item.name for item in path.parent.iterdir()] == ["tidegate.prom"]
    promtool = require("promtool")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=path.read_text(), capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_real_prometheus_scrapes_the_numbers(gated: Path, tmp_path: Path) -> None:
    prometheus = require("prometheus")
    ours, theirs = free_port(), free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: tidegate, static_configs: [{{targets: ['127.0.0.1:{ours}']}}]}}]\n"
    )
    command = [
        prometheus, f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{theirs}", "--log.level=error",
    ]  # fmt: skip
    query = f"http://127.0.0.1:{theirs}/api/v1/query?query=tidegate_batches_total"
    with running([str(TIDEGATE), "serve", "--port", str(ours), "--store", str(gated)]), running(command):
        result: list[dict[str, object]] = []
        for _ in range(100):
            try:
                with urllib.request.urlopen(query, timeout=5) as answer:
                    result = json.load(answer)["data"]["result"]
            except OSError:
                pass
            if result:
                break
            time.sleep(0.2)
    assert sorted((item["metric"]["decision"], item["value"][1]) for item in result) == [  # type: ignore[index]
        ("hold", "1"),
        ("publish", "1"),
        ("quarantine", "1"),
    ]


def require(program: str) -> str:
    """The path of a real component; skips with its reason where it is not there, unless CI requires it."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("TIDEGATE_REQUIRE_ALL"):
            pytest.fail(f"{program} is required here and not installed")
        pytest.skip(f"{program} is not installed (Debian: apt-get install prometheus)")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str]) -> Iterator[None]:
    """A process for as long as the block lasts."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
