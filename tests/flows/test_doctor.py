"""The doctor: each thing that a deployment needs, with the fault put in and without; and what it keeps to itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

import tidegate as tg
from tests.flows.conftest import Said
from tests.flows.ledger_suite.server import running
from tests.flows.loopback import Answer, Asked, loopback
from tidegate_flows import by_hand, gate, readmission, serving, textfile
from tidegate_flows.alert_rules.groups import alerts
from tidegate_flows.cli.app import app
from tidegate_flows.cli.exits import run as main
from tidegate_flows.doctor import Examined, bucket, contracts, examine, ledger, machine, monitoring, packages, prefect
from tidegate_flows.doctor import settings as found_settings
from tidegate_flows.doctor import store as found_store
from tidegate_flows.ledger.schema import runs
from tidegate_flows.place import at
from tidegate_flows.settings import Setting, Settings, resolve

Make = Callable[..., pd.DataFrame]


def one(found: Iterator[Examined], what: str) -> Examined:
    (item,) = (item for item in found if item.what == what)
    assert item.hint or item.state in ("ok", "absent"), "what is not well says how to mend it"
    return item


def of(what: str, store: Path, address: str | None = None) -> Examined:
    chosen = resolve(store=store, ledger=address)
    everything = [*found_settings.examine(chosen), *found_store.examine(chosen), ledger.unopened(chosen)]
    return one((item for item in everything if item is not None), what)


@contextmanager
def answering(answers: dict[str, Any], *, hangs: bool = False) -> Iterator[str]:
    """A server that answers with JSON or a page of metrics by path, with its query or without; else 404."""

    def answer(asked: Asked) -> Answer:
        path = asked.path if asked.path in answers else asked.path.partition("?")[0]
        if path not in answers:
            return Answer(404)
        if path == "/metrics":
            return Answer(body=answers[path].encode())
        return Answer(body=json.dumps(answers[path]).encode(), kind="application/json")

    with loopback(answer, hangs=hangs) as (url, _):
        yield url


@pytest.fixture
def gated(store: Path, contract: tg.Contract, make_orders: Make) -> Settings:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    return resolve(store=store)


def test_a_password_in_the_ledgers_address_is_not_shown(store: Path) -> None:
    found = of("setting ledger", store, "postgresql://tidegate:hunter2@127.0.0.1:1/tidegate?connect_timeout=1")
    assert found.state == "ok"
    assert "hunter2" not in found.found
    assert "127.0.0.1:1/tidegate" in found.found


@pytest.mark.parametrize("address", ["mysql://tidegate:hunter2@db/tidegate", "hunter2"])
def test_an_address_that_names_no_ledger_is_told_and_not_shown(store: Path, address: str) -> None:
    found = of("setting ledger", store, address)
    assert found.state == "no"
    assert "hunter2" not in f"{found.found} {found.hint}"


def test_a_ledger_that_is_a_database_is_asked_whether_the_stores_folder_is_there_or_not(
    store: Path, contract: tg.Contract, make_orders: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql://tidegate:hunter2@127.0.0.1:1/tidegate?connect_timeout=1"
    assert (of("store", store, address).state, of("ledger", store, address).state) == ("absent", "no")
    assert (of("store", store).state, of("ledger", store).state) == ("absent", "absent")
    assert "hunter2" not in str(of("ledger", store, address))
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    assert of("store", store).state == "ok"
    assert ledger.unopened(resolve(store=store)) is None
    assert of("setting ledger", store).found == "ledger.db in the store (default)"
    assert of("ledger", store, address).state == "no"
    for name in [name for name in sys.modules if name.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where it is not installed
    assert "tidegate[postgres]" in (of("ledger", store.parent / "new", address).hint or "")


@pytest.mark.more
def test_a_database_without_a_ledger_is_fine_for_a_new_store_alone(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    other = store.parent / "other"
    with running() as server:
        address = server.new_ledger()
        assert of("ledger", store, address).state == "absent"
        store.mkdir()
        assert (of("store", store, address).state, of("ledger", store, address).state) == ("ok", "absent")
        tg.gate(make_orders(1), contract, store=other, batch_id="a")
        assert of("ledger", other, address).state == "no", "that store has a ledger of its own"
        with at(resolve(store=store, ledger=address)) as place:
            gate.gate_at(place, make_orders(1), contract, batch_id="a")
        assert ledger.unopened(resolve(store=store, ledger=address)) is None
        assert of("ledger", store.parent / "new", address).state == "no", "that database is another store's"
        assert of("ledger", store).state == "no", "where the ledger is was not named"


def test_where_a_store_cannot_be_made_is_told_before_it_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    assert of("store", tmp_path / "file").state == "no"
    assert of("store", tmp_path / "file" / "store").state == "no"
    assert of("store", tmp_path / "not" / "yet").state == "absent"
    assert of("store", Path("/proc/store")).state == "no", "nothing can be made there, nor removed"
    monkeypatch.setattr("os.link", refused)
    assert of("store", tmp_path / "not" / "yet").state == "no"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_bucket_and_a_wrong_lease_are_told_without_what_is_secret(gated: Settings) -> None:
    wrong = Settings(
        gated.store,
        gated.ledger,
        Setting("soon", "TIDEGATE_LEASE"),
        Setting("s3://ann:hunter2@lake/gated?key=hunter2", "TIDEGATE_PUBLISH"),
    )
    found = list(found_settings.examine(wrong))
    assert one(iter(found), "setting lease").state == "no"
    assert one(iter(found), "setting publish").found == "s3://…@lake/gated (TIDEGATE_PUBLISH)"
    assert one(found_settings.examine(gated), "setting lease").state == "ok"


def test_a_sqlalchemy_that_prefect_cannot_schedule_with_is_told() -> None:
    found = one(packages.examine(lambda name: "2.1.0" if name == "sqlalchemy" else version(name)), "sqlalchemy")
    assert found.state == "no"
    assert "never schedules" in (found.hint or "")
    assert one(packages.examine(), "sqlalchemy").state == "ok"

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    extra = one(packages.examine(lambda name: "1" if name == "psycopg" else version(name)), "psycopg (extra postgres)")
    assert extra.state == "warning", "gates work without it"
    assert one(packages.examine(missing), "numpy").state == "no"
    assert one(packages.examine(missing), "psycopg (extra postgres)").state == "absent"
    assert one(packages.examine(python=(3, 10, 1)), "python").state == "no"


UTF8 = (("files", "utf-8"), ("stdout", "UTF8"))


def facts(**faults: Any) -> machine.Facts:
    disk = {"f_blocks": 1 << 21, "f_bavail": 1 << 20, "f_frsize": 4096, "f_files": 1 << 20, "f_favail": 1 << 19}
    disk |= faults.pop("disk", {})
    usual: dict[str, Any] = {"files": 4096, "now": datetime(2026, 5, 1, tzinfo=UTC), "zone": None, "encodings": UTF8}
    return machine.Facts(SimpleNamespace(**disk), **(usual | faults))


@pytest.mark.parametrize(
    ("what", "fault", "state"),
    [
        ("disk space", {"disk": {"f_bavail": 1000}}, "no"),
        ("disk space", {"disk": {"f_bavail": 100_000}}, "warning"),
        ("disk inodes", {"disk": {"f_favail": 3}}, "no"),
        ("disk inodes", {"disk": {"f_favail": 3000}}, "warning"),
        ("open files", {"files": 64}, "no"),
        ("open files", {"files": 256}, "warning"),
        ("clock", {"now": datetime(1970, 1, 1, tzinfo=UTC)}, "no"),
        ("time zone", {"zone": "Europe/Atlantis"}, "warning"),
        ("encoding", {"encodings": (("stdout", "ANSI_X3.4-1968"),)}, "warning"),
    ],
)
def test_a_fault_of_the_machine_is_told_and_a_sound_one_is_not(
    what: str, fault: dict[str, Any], state: str, tmp_path: Path
) -> None:
    assert one(machine.examine(tmp_path, facts(**fault)), what).state == state
    assert one(machine.examine(tmp_path, facts()), what).state == "ok"


def test_a_file_system_without_inodes_is_no_fault_and_this_machine_can_be_asked(tmp_path: Path) -> None:
    unlimited = facts(disk={"f_files": 0, "f_favail": 0})
    assert one(machine.examine(tmp_path, unlimited), "disk inodes").state == "ok"
    assert len(list(machine.examine(tmp_path / "not" / "there" / "yet"))) == 6


def test_a_ledger_in_a_file_on_a_network_file_system_is_told(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path.resolve()} nfs4 rw 0 0\n")
    assert one(found_store.examine(resolve(store=tmp_path / "s"), mounts), "file system").state == "no"
    in_postgres = resolve(store=tmp_path / "s", ledger="postgresql://h/d")
    assert one(found_store.examine(in_postgres, mounts), "file system").state == "ok"


def refused(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_store_that_cannot_be_written_is_told(gated: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of("store", Path(gated.store.value)).state == "ok"
    monkeypatch.setattr("os.link", refused)  # as a file system without hard links does
    found = of("store", Path(gated.store.value))
    assert (found.state, "cannot be written" in found.found) == ("no", True)
    assert not [path for path in Path(gated.store.value).iterdir() if path.name.startswith(".doctor")]
    monkeypatch.setattr(prefect.Api, "in_force", classmethod(lambda cls: cls("")))
    states = {item.what: item.state for item in examine(gated)}
    assert (states["store"], states["audit"]) == ("no", "ok"), "its ledger is looked at all the same"


def test_a_sound_ledger_has_nothing_to_tell(gated: Settings) -> None:
    assert {item.what: item.state for item in ledger.examine(gated)} == dict.fromkeys(
        ["ledger integrity", "ledger", "audit", "unfinished decisions", "stale claims", "ledger clock"], "ok"
    )


@pytest.mark.parametrize(
    ("what", "statement", "state"),
    [
        ("audit", "UPDATE audit SET reason = 'all well'", "no"),
        ("unfinished decisions", "UPDATE runs SET moved = 0", "warning"),
        (
            "stale claims",
            "INSERT INTO batches (dataset, batch, sha256, token, lease_until, lease) "
            "VALUES ('orders', 'b', 'x', 1, 1000, 60)",
            "warning",
        ),
        ("ledger clock", "UPDATE runs SET completed_at = completed_at + 86400", "warning"),
    ],
)
def test_what_is_wrong_in_the_ledger_is_told_under_its_name(
    what: str, statement: str, state: str, gated: Settings
) -> None:
    with sqlite3.connect(Path(gated.store.value) / "ledger.db") as connection:
        connection.execute(statement)
    connection.close()
    assert one(ledger.examine(gated), what).state == state
    assert [item.what for item in ledger.examine(gated) if item.state != "ok"] == [what]


def test_a_ledger_of_another_format_and_a_damaged_one_are_told(gated: Settings) -> None:
    path = Path(gated.store.value) / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("UPDATE ledger_format SET version = 99")
    connection.close()
    found = of("ledger", path.parent)
    assert (found.state, "newer tidegate" in found.found) == ("no", True)
    raw = bytearray(path.read_bytes())
    raw[8192 : len(raw) - 4096] = b"\x5a" * (len(raw) - 12288)
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    path.write_bytes(raw)
    assert next(ledger.examine(gated)).state == "no"


def test_a_question_that_takes_too_long_is_given_up(gated: Settings) -> None:
    began = monotonic()
    found = list(ledger.examine(gated, seconds=0.0))
    assert monotonic() - began < 5
    assert "warning" in {item.state for item in found}


def test_the_bucket_is_asked_and_another_one_than_the_stores_is_told(gated: Settings, store: Path) -> None:
    assert one(bucket.examine(gated), "bucket").state == "absent"

    def publishing(url: str) -> Settings:
        return Settings(gated.store, gated.ledger, gated.lease, Setting(url, "TIDEGATE_PUBLISH"))

    assert one(bucket.examine(publishing("memory://lake/gated")), "bucket").state == "ok"
    assert not (store / ".publish").exists(), "the doctor changes nothing"
    assert one(bucket.examine(publishing("nosuch://ann:hunter2@lake")), "bucket").state == "no"
    for folder in ("file:///tmp/x", "/tmp/x"):  # noqa: S108 - it is refused
        told = one(bucket.examine(publishing(folder)), "bucket")
        assert (told.state, "only an object store" in str(told.hint)) == ("no", True), "as the gate says"
    (store / ".publish").write_text('{"format": 1, "url": "memory://lake/gated"}')
    assert one(bucket.examine(publishing("memory://elsewhere")), "bucket").state == "no"
    assert one(bucket.examine(gated), "bucket").state == "ok"


HEALTHY: dict[str, Any] = {
    "/api/health": True,
    "/api/admin/version": version("prefect"),
    "/api/deployments/filter": [
        {"name": "gate-batch", "entrypoint": "tidegate_flows.prefect_flows.gate_batch", "work_pool_name": "tidegate"}
    ],
    "/api/work_pools/filter": [{"name": "tidegate", "is_paused": False}],
    "/api/work_pools/tidegate/workers/filter": [{"status": "ONLINE"}],
}


def of_prefect(answers: dict[str, Any]) -> dict[str, str]:
    with answering(answers) as url:
        return {item.what: item.state for item in prefect.examine(prefect.Api(f"{url}/api"))}


@pytest.mark.parametrize(
    ("what", "fault", "state"),
    [
        ("prefect server", {"/api/admin/version": "2.20.1"}, "warning"),
        ("prefect deployments", {"/api/deployments/filter": []}, "absent"),
        (
            "prefect deployments",
            {"/api/deployments/filter": [HEALTHY["/api/deployments/filter"][0] | {"paused": True}]},
            "warning",
        ),
        ("prefect work pool tidegate", {"/api/work_pools/filter": []}, "no"),
        (
            "prefect work pool tidegate",
            {"/api/work_pools/filter": [{"name": "tidegate", "is_paused": True}]},
            "warning",
        ),
        ("prefect work pool tidegate", {"/api/work_pools/tidegate/workers/filter": [{"status": "OFFLINE"}]}, "warning"),
    ],
)
def test_a_fault_on_prefects_side_is_told_and_a_sound_one_is_not(what: str, fault: Any, state: str) -> None:
    assert of_prefect(HEALTHY | fault)[what] == state
    assert of_prefect(HEALTHY) == dict.fromkeys(
        ["prefect server", "prefect deployments", "prefect work pool tidegate"], "ok"
    )


def test_a_prefect_that_is_away_or_hangs_or_is_named_nowhere_is_told_soon() -> None:
    assert one(prefect.examine(prefect.Api("")), "prefect server").state == "absent"
    away = one(prefect.examine(prefect.Api("http://ann:hunter2@127.0.0.1:9/api")), "prefect server")
    assert (away.state, "hunter2" in f"{away}") == ("warning", False), "gates go on without"
    with answering({}, hangs=True) as url:
        began = monotonic()
        assert one(prefect.examine(prefect.Api(url)), "prefect server").state == "warning"
        assert monotonic() - began < 8


def test_the_exporter_must_tell_of_the_same_ledger(
    gated: Settings, tmp_path: Path, contract: tg.Contract, make_orders: Make
) -> None:
    other, twin = tmp_path / "other", tmp_path / "twin"
    shutil.copytree(gated.store.value, other)
    with sqlite3.connect(other / "ledger.db") as connection:
        connection.execute("UPDATE runs SET completed_at = completed_at + 4000")
    connection.close()
    stop, listening = threading.Event(), serving.listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=serving.serve, args=(serving.application(gated), listening, stop))
    thread.start()
    try:
        assert one(monitoring.exporter(url, gated), "exporter").state == "ok"
        assert one(monitoring.exporter(f"{url}/metrics", None), "exporter").state == "ok"
        assert one(monitoring.exporter(url, resolve(store=other)), "exporter").state == "no", "newer batches"
        tg.gate(make_orders(1), contract, store=twin, batch_id="a")
        assert one(monitoring.exporter(url, resolve(store=twin)), "exporter").state == "no", "another audit"
        with at(gated) as place:
            by_hand.trip(place, "orders", by="ann", reason="looked at")
        assert one(monitoring.exporter(url, gated), "exporter").state == "ok", "what was done since"
        shutil.move(gated.store.value, tmp_path / "gone")
        assert one(monitoring.exporter(url, None), "exporter").state == "no"
    finally:
        stop.set()
        thread.join(20)
    assert one(monitoring.exporter(url, None), "exporter").state == "no"
    with answering({"/metrics": "up 1"}) as url:
        assert one(monitoring.exporter(url, None), "exporter").state == "no"


def test_what_was_judged_again_is_nothing_that_the_exporter_does_not_know(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    gated, later = resolve(store=store), datetime.now(UTC) + timedelta(hours=2)
    tg.gate(make_orders(2).assign(country="Atlantis"), contract_file(), store=store, batch_id="wrong")
    with at(gated, clock=lambda: later) as place:
        readmission.release(place, "orders", "wrong", by="ann", reason="they are right")
        with place.ledger.read() as connection:
            told = [(row.arrival, row.completed_at) for row in connection.execute(select(runs).order_by(runs.c.seq))]
    assert [arrival for arrival, _ in told] == [True, False]
    assert told[1][1] > told[0][1] + 3600
    with answering({"/metrics": textfile.once(gated).decode()}) as url:
        assert one(monitoring.exporter(url, gated), "exporter").state == "ok"


def test_prometheus_must_have_our_rules_scrape_our_exporter_and_call_somebody() -> None:
    rules = [{"name": alert.name, "health": "ok"} for alert in alerts()]

    def states(
        rules: list[dict[str, str]], targets: list[dict[str, Any]], called: tuple[str, ...] = ("http://h:9093/api",)
    ) -> list[str]:
        answers = {
            "/api/v1/rules": {"data": {"groups": [{"rules": rules}]}},
            "/api/v1/query?query=tidegate_ledger_up": {"data": {"result": targets}},
            "/api/v1/query": {"data": {"result": []}},  # the exporter's ledger is down: it says little else
            "/api/v1/alertmanagers": {"data": {"activeAlertmanagers": [{"url": each} for each in called]}},
        }
        with answering(answers) as url:
            found = list(monitoring.prometheus(url))
        assert [item.what for item in found] == ["prometheus rules", "prometheus target", "prometheus alertmanager"]
        assert all(item.hint for item in found if item.state != "ok")
        return [item.state for item in found]

    target = {"metric": {"instance": "127.0.0.1:9464", "job": "tidegate-eu"}}
    pod = {"metric": {"instance": "10.0.0.7:9464", "job": "kubernetes-pods"}}
    assert states(rules, [target]) == ["ok", "ok", "ok"]
    assert states(rules[1:], [target]) == ["no", "ok", "ok"]
    assert states([{**rules[0], "health": "err"}, *rules[1:]], [target]) == ["no", "ok", "ok"]
    assert states(rules, []) == ["ok", "no", "ok"]
    assert states(rules, [target, pod]) == ["ok", "warning", "ok"]
    assert states(rules, [{"metric": {"instance": "127.0.0.1:9464"}}]) == ["ok", "warning", "ok"]
    assert states(rules, [target], ()) == ["ok", "ok", "no"]
    assert [item.state for item in monitoring.prometheus("http://127.0.0.1:9")] == ["no"]
    with answering({"/api/v1/rules": [], "/api/v1/query": []}) as url:
        assert [item.state for item in monitoring.prometheus(url)] == ["no"]


def test_contracts_that_are_named_are_loaded_and_held_against_the_ledger(
    contract_file: Callable[..., Path], with_reference: Path, tmp_path: Path, make_orders: Make
) -> None:
    path, broken = str(contract_file()), tmp_path / "broken.py"
    broken.write_text("contract = None")
    chosen = resolve(store=with_reference)
    found = list(contracts.examine([path, str(broken)], chosen))
    assert one(iter(found), f"contract {broken}").state == "no"
    assert "owner shop" in one(iter(found), "contract orders").found
    assert one(iter(found), "reference of orders").state == "ok"
    assert one(iter(found), "breaker of orders").state == "ok"
    tg.gate(make_orders(30).assign(country="Atlantis"), path, store=with_reference, batch_id="wrong")
    assert one(contracts.examine([path], chosen), "breaker of orders").state == "warning"
    assert one(contracts.examine([path], None), "reference of orders").state == "warning"
    budget = str(contract_file("alarm_budget=tg.AlarmBudget(one_in=50)", "budget.py"))
    assert one(contracts.examine([budget], None), "reference of orders").state == "no"


@pytest.mark.more
def test_the_command_says_all_of_it_without_a_password_and_counts_what_is_wrong(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], gated: Settings, tmp_path: Path
) -> None:
    environment = {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": "http://ann:hunter2@127.0.0.1:9/api",
        "TIDEGATE_PUBLISH": "s3://ann:hunter2@lake/x",
    }
    said = tidegate("doctor", contract_file(), "--store", gated.store.value, "--json", env=environment)
    items = {item["what"]: item for item in map(json.loads, said.out.splitlines())}
    assert said.code == 3
    assert "hunter2" not in said.out + said.err
    assert items["prefect server"]["state"] == "warning"
    assert items["bucket"]["state"] == "no"
    assert items["ledger"]["state"] == "ok"
    assert all(item["format"] == 1 for item in items.values())
    assert {"contract orders", "reference of orders", "breaker of orders"} <= items.keys()


def test_the_whole_examination_goes_on_where_there_is_no_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect.Api, "in_force", classmethod(lambda cls: cls("")))
    found = {item.what: item.state for item in examine(resolve(store=store))}
    assert (found["store"], found["ledger"]) == ("absent", "absent")
    assert "audit" not in found
    assert not store.exists()


def test_a_store_that_is_a_file_and_one_that_cannot_be_made_are_one_fault_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefect.Api, "in_force", classmethod(lambda cls: cls("")))
    (tmp_path / "file").touch()
    for where, said in {tmp_path / "file": "is a file", Path("/proc/x"): "/proc cannot be written"}.items():
        wrong = [item for item in examine(resolve(store=where)) if item.state == "no"]
        assert [item.what for item in wrong] == ["store"]
        assert said in wrong[0].found
        assert "--store" in (wrong[0].hint or "")


def test_an_error_stands_once_and_a_hint_can_be_followed(gated: Settings, tmp_path: Path) -> None:
    nowhere = one(contracts.examine([str(tmp_path / "nope.py")], gated), f"contract {tmp_path / 'nope.py'}")
    assert "lint" not in (nowhere.hint or "")
    (tmp_path / "broken.py").write_text("1 / 0")
    broken = one(contracts.examine([str(tmp_path / "broken.py")], gated), f"contract {tmp_path / 'broken.py'}")
    assert broken.hint == f"tidegate lint {tmp_path / 'broken.py'}"
    for item in (nowhere, broken, *monitoring.exporter("http://127.0.0.1:9", None)):
        assert item.hint
        assert item.hint not in item.found


def test_faults_come_first_and_are_counted_at_the_end_and_an_address_is_one(
    gated: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prefect.Api, "in_force", classmethod(lambda cls: cls("")))
    words = ["doctor", "--store", gated.store.value]
    assert main(app, [*words, "--exporter", "http://127.0.0.1:9"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("exporter")
    assert lines[-1].startswith("1 thing is wrong: exporter")
    assert main(app, words) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("nothing is wrong")
    assert main(app, [*words, "--prometheus", "foo"]) == 2
    assert "http://HOST:PORT" in capsys.readouterr().err
