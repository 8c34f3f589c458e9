"""The exporter: what Prometheus reads of the ledger."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update
from sqlalchemy.dialects import sqlite

import tidegate as tg
from tests.flows.conftest import TIDEGATE, Said
from tests.flows.status_site import browser, words
from tidegate_flows import by_hand, exporter, readmission
from tidegate_flows.exporter import Exporter
from tidegate_flows.ledger import audit, breakers, standings
from tidegate_flows.ledger.schema import contracts, label_reports
from tidegate_flows.ledger_reader import LedgerReader
from tidegate_flows.place import at
from tidegate_flows.schedule import overdue
from tidegate_flows.settings import resolve

Make = Callable[..., pd.DataFrame]
Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def of(long_lived: Exporter) -> Page:
    """What an exporter that lives on says now."""
    return parse(long_lived.page()[0].decode())


def wait_for(happens: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


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


@pytest.fixture(scope="module")
def _gated(
    _approved: Path,
    make_contract: Callable[..., tg.Contract],
    make_orders: Make,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The store of :func:`gated`, made once."""
    store, contract = tmp_path_factory.mktemp("gated") / "store", make_contract()
    shutil.copytree(_approved, store)
    tg.gate(make_orders(30), contract, store=store, batch_id="good")
    tg.gate(make_orders(31).assign(score=0.3), contract, store=store, batch_id="bad")
    tg.gate(make_orders(32), contract, store=store, batch_id="waits")
    return store


@pytest.fixture
def gated(_gated: Path, tmp_path: Path) -> Path:
    """A store in which one batch passed, one broke, and one is held."""
    shutil.copytree(_gated, tmp_path / "store")
    return tmp_path / "store"


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


def _remove(ledger: Path) -> None:
    for path in ledger.parent.glob("ledger.db*"):
        path.unlink()


def _spoil(ledger: Path) -> None:
    _remove(ledger)
    ledger.write_bytes(b"this is no database, it only looks like a long enough file" * 100)


def _age(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("UPDATE ledger_format SET version = 1")
        connection.commit()


@pytest.mark.parametrize("harm", [_remove, _spoil, _age])
def test_a_ledger_that_breaks_between_two_scrapes_is_down_and_up_again_once_it_is_mended(
    gated: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    ledger, kept = gated / "ledger.db", tmp_path / "kept.db"
    shutil.copyfile(ledger, kept)
    long_lived = Exporter(resolve(store=gated))
    before = of(long_lived)
    harm(ledger)
    assert of(long_lived).keys() == {("tidegate_ledger_up", ()), ("tidegate_collect_duration_seconds", ())}
    _remove(ledger)
    shutil.copyfile(kept, ledger)
    assert of(long_lived).keys() == before.keys()


def test_why_a_ledger_cannot_be_told_is_logged_once_for_each_reason_and_without_its_user(
    gated: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger, kept = gated / "ledger.db", tmp_path / "kept.db"
    shutil.copyfile(ledger, kept)
    long_lived = Exporter(resolve(store=gated))
    of(long_lived)
    assert caplog.messages == []
    for harm in (_age, _spoil):
        harm(ledger)
        of(long_lived)
        of(long_lived)
    _remove(ledger)
    shutil.copyfile(kept, ledger)
    of(long_lived)
    of(long_lived)
    older, spoilt, well = caplog.messages
    assert "the ledger cannot be told: the ledger was written by an older tidegate" in older
    assert "file is not a database" in spoilt
    assert well == "the ledger can be told again"
    caplog.clear()
    of(Exporter(resolve(store=tmp_path, ledger="postgresql://ann:s3cret@127.0.0.1:9/ledger")))
    assert "127.0.0.1" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_locked_ledger_is_told_in_time_and_by_every_scrape(gated: Path) -> None:
    long_lived = Exporter(resolve(store=gated), reader=LedgerReader(resolve(store=gated), seconds=0.5))
    with closing(sqlite3.connect(gated / "ledger.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE breakers SET failures = failures")
        for _ in range(2):
            started = time.perf_counter()
            assert value(of(long_lived), "ledger_up") == 0
            assert time.perf_counter() - started < 2
        other.execute("COMMIT")
    wait_for(lambda: value(of(long_lived), "ledger_up") == 1)


def test_a_ledger_that_nobody_answers_for_is_told_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        url = f"postgresql://ann:secret@127.0.0.1:{silent.getsockname()[1]}/db"
        started = time.perf_counter()
        found = of(Exporter(resolve(store=tmp_path, ledger=url)))
        assert time.perf_counter() - started < 5
    assert found.keys() == {("tidegate_ledger_up", ()), ("tidegate_collect_duration_seconds", ())}


def test_a_long_lived_exporter_says_what_others_have_written_since(
    gated: Path, contract: tg.Contract, make_orders: Make
) -> None:
    long_lived = Exporter(resolve(store=gated))
    assert value(of(long_lived), "batch_rows", dataset="orders") == 200
    assert value(of(long_lived), "batch_findings", dataset="orders", severity="critical") == 0
    tg.gate(make_orders(33, rows=150).assign(score=0.3), contract, store=gated, batch_id="next")
    found = of(long_lived)
    assert value(found, "batch_rows", dataset="orders") == 150
    assert value(found, "batch_findings", dataset="orders", severity="critical") == 1
    assert value(found, "quarantined_batches", dataset="orders") == 2
    with at(gated) as place:
        readmission.discard(place, "orders", "next", by="ann", reason="a test")
    assert value(of(long_lived), "quarantined_batches", dataset="orders") == 1


def test_a_run_that_another_version_wrote_costs_its_own_numbers_only(gated: Path) -> None:
    with closing(sqlite3.connect(gated / "ledger.db")) as connection:
        connection.execute("""UPDATE runs SET profile = '{"format": 99}'""")
        connection.commit()
    found = page(gated)
    assert value(found, "ledger_up") == 1
    assert value(found, "batch_rows", dataset="orders") == 200
    assert not any(name == "tidegate_drift_score" for name, _ in found)


def test_a_judgement_of_labels_that_another_version_wrote_costs_its_own_numbers_only(gated: Path) -> None:
    with at(gated) as place, place.ledger.begin() as connection:
        values = {"judged_at": 1.0, "settled_share": 0.5, "document": '{"format": 99}'}
        connection.execute(insert(label_reports).values(dataset="orders", **values))
    long_lived = Exporter(resolve(store=gated))
    for _ in range(2):
        found = of(long_lived)
        assert value(found, "ledger_up") == 1
        assert value(found, "label_maturity_ratio", dataset="orders") == 0.5
        assert not any(name == "tidegate_prediction_bias" for name, _ in found)


def test_whatever_cannot_be_told_is_a_metric_and_not_a_broken_page(
    gated: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with at(gated) as place, place.ledger.begin() as connection:
        connection.execute(update(contracts).values(document="a secret"))
    assert value(of(Exporter(resolve(store=gated))), "ledger_up") == 0
    assert "the ledger cannot be told: JSONDecodeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_probe_whose_time_is_over_is_told_alike_everywhere(gated: Path, tidegate: Callable[..., Said]) -> None:
    until = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with at(gated) as place, place.ledger.begin() as connection:
        asked = breakers.load(connection, "orders").ask_probe("lost", until - timedelta(minutes=1), until, "ann: why")
        breakers.save(connection, "orders", asked)
    found = page(gated)
    assert value(found, "breaker_state", dataset="orders", state="open") == 1
    assert value(found, "breaker_last_transition_timestamp_seconds", dataset="orders") == until.timestamp()
    said = json.loads(tidegate("breaker", "status", "orders", "--store", gated, "--json").out)
    assert (said["state"], said["since"][:16]) == ("open", "2026-05-01T12:00")
    assert said["cause"] == "the probe lost was lost"
    assert "Batches are stopped since 2026-05-01 12:00 UTC" in words(browser(gated).get("/datasets/orders"))


def test_the_contract_is_told_as_it_is_in_force(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    tg.gate(make_orders(1), make_contract(), store=store, batch_id="one")
    assert ("tidegate_expected_interval_seconds", (("dataset", "orders"),)) not in page(store)
    promises = {"cadence": timedelta(days=1), "arrive_within": timedelta(hours=6), "freshness": timedelta(days=30_000)}
    contract = make_contract(version="1.1.0", label_delay=timedelta(days=2), **promises)
    tg.gate(make_orders(2), contract, store=store, batch_id="two")
    found = page(store)
    assert value(found, "expected_interval_seconds", dataset="orders") == 86_400
    assert value(found, "arrive_within_seconds", dataset="orders") == 21_600
    assert value(found, "max_staleness_seconds", dataset="orders") == 30_000 * 86_400
    assert value(found, "label_delay_seconds", dataset="orders") == 2 * 86_400
    assert value(found, "contract_info", dataset="orders", version="1.1.0", owner="shop") == 1
    with at(store) as place:
        missing = overdue(place, contract, datetime(2030, 1, 1, tzinfo=UTC))
    assert missing is not None
    assert value(found, "next_batch_due_timestamp_seconds", dataset="orders") == missing.since.timestamp()


def test_an_override_is_counted_and_told_until_when_it_holds(gated: Path) -> None:
    with at(gated) as place:
        by_hand.override(place, "orders", timedelta(hours=1), by="ann", reason="a feast")
    found = page(gated)
    assert value(found, "overrides_total", dataset="orders") == 1
    assert 3500 < value(found, "override_until_timestamp_seconds", dataset="orders") - time.time() < 3700


def test_no_answer_about_all_datasets_reads_a_run_but_the_last(gated: Path) -> None:
    """Runs are large, and there are many: whoever looks at each of them makes a scrape slow."""
    statement = str(standings._all().compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with closing(sqlite3.connect(gated / "ledger.db")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    looks = [line for line in plan if " runs " in f"{line} " or line.endswith(" runs")]
    assert len(looks) == 11
    assert all("COVERING INDEX" in line for line in looks), looks


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
