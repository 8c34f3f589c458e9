"""When a monitor fails: no verdict and nothing published, or published with the word that nobody looked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tidegate_flows import by_hand, readmission
from tidegate_flows.cli.app import app
from tidegate_flows.cli.exits import run as main
from tidegate_flows.ledger import audit, breakers, counters, memory, runs, streams
from tidegate_flows.place import at

Make = Callable[..., pd.DataFrame]
WriteContract = Callable[..., Path]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """While this file is there, a check of the contract raises."""
    flag = tmp_path / "broken"
    flag.touch()
    return flag


@pytest.fixture
def write_contract(contract_file: WriteContract, broken: Path) -> WriteContract:
    """Write a contract with such a check."""

    def write(extra: str = 'on_monitor_error="publish",') -> Path:
        path = contract_file(extra)
        check = f"""    @pa.check("amount")
    def boom(cls, s):
        import pathlib
        if pathlib.Path({str(broken)!r}).exists():
            raise KeyError("secret 4711")
        return s >= 0
    class Config:"""
        path.write_text(path.read_text().replace("    class Config:", check))
        return path

    return write


def totals(store: Path) -> Mapping[str, float]:
    with at(store) as place, place.ledger.read() as connection:
        return {name: value for name, _, _, value in counters.totals(connection)}


def test_halt_is_the_default_and_gives_no_verdict(
    store: Path, write_contract: WriteContract, make_orders: Make
) -> None:
    with pytest.raises(tg.MonitorError, match="boom"):
        tg.gate(make_orders(1), write_contract(""), store=store, batch_id="a")
    assert totals(store) == {"monitor_errors_total": 1}
    assert not (store / "orders").exists()


def test_publish_publishes_the_bytes_that_came_and_says_that_nobody_looked(
    tmp_path: Path, with_reference: Path, write_contract: WriteContract, make_orders: Make
) -> None:
    path = tmp_path / "day.parquet"
    make_orders(31).assign(items=0).to_parquet(path, index=False)
    run = tg.gate(path, write_contract(), store=with_reference).require_published()
    assert (run.decision, run.verified, run.state) == (tg.Decision.PUBLISH, False, tg.State.CLOSED)
    assert run.published is not None
    assert run.published.read_bytes() == path.read_bytes()
    (finding,) = run.findings
    assert (finding.check, finding.severity.value) == ("silent_monitor", "warning")
    assert "boom" in finding.message
    assert "4711" not in json.dumps(run.to_dict())
    with at(with_reference) as place, place.ledger.read() as connection:
        entry = list(audit.entries(connection, "orders"))[-1]
        row = runs.get(connection, run.id)
        assert memory.previous_places(connection, "orders", "other") == {}
        assert run.reference is not None
        assert streams.load(connection, "orders", run.reference)[0].steps == 0, "it never steps the stream"
    assert (entry["event"], entry["batch"]) == ("batch.published", "day")
    assert entry["reason"].startswith("unverified: the batch was not judged: ")
    assert (row.accepted, row.verified, row.profile) == (False, False, None), "no block to hold others against"
    counted = totals(with_reference)
    assert (counted["unverified_batches_total"], counted["monitor_errors_total"]) == (1, 1)


def test_a_failing_statistic_is_a_monitor_too_and_so_is_what_memory_says(
    with_reference: Path,
    make_contract: Callable[..., tg.Contract],
    make_orders: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = make_contract(on_monitor_error="publish")

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("tidegate_monitors.verdict.judge", fails)
        first = tg.gate(make_orders(31), contract, store=with_reference, batch_id="a")
    with monkeypatch.context() as patch:
        patch.setattr("tidegate_flows.remembered.overlap", fails)
        second = tg.gate(make_orders(32), contract, store=with_reference, batch_id="b")
        with pytest.raises(tg.MonitorError, match="earlier batches"):
            tg.gate(make_orders(33), make_contract(), store=with_reference, batch_id="c")
    clean = tg.gate(make_orders(34), contract, store=with_reference, batch_id="d")
    assert [(run.decision.value, run.verified) for run in (first, second, clean)] == [
        ("publish", False),
        ("publish", False),
        ("publish", True),
    ]


def test_an_open_breaker_holds_an_unverified_batch_and_its_release_judges_it_again(
    store: Path, write_contract: WriteContract, make_orders: Make, broken: Path
) -> None:
    path = write_contract()
    broken.unlink()
    tg.gate(make_orders(1).assign(items=0), path, store=store, batch_id="bad")
    broken.touch()
    held = tg.gate(make_orders(2).assign(items=0), path, store=store, batch_id="bad too")
    good = tg.gate(make_orders(3), path, store=store, batch_id="good")
    assert (held.decision, held.verified) == (tg.Decision.HOLD, False)
    manifest = json.loads((store / "orders" / "quarantine" / held.batch / "manifest.json").read_text())
    assert (manifest["state"], manifest["verified"]) == ("held", False)
    assert good.decision is tg.Decision.HOLD
    broken.unlink()
    with at(store) as place:
        _, released = by_hand.close(place, "orders", by="ann", reason="mended")
    assert [(run.decision.value, run.verified) for run in released] == [("quarantine", True)]


def test_a_probe_stays_what_it_is_and_an_unverified_batch_is_none(
    store: Path, write_contract: WriteContract, make_orders: Make, broken: Path
) -> None:
    path = write_contract('on_monitor_error="publish", cool_down=timedelta(hours=1), failure_threshold=2,')
    broken.unlink()
    for number in (1, 2):
        bad = make_orders(number).assign(items=0)
        tg.gate(bad, path, store=store, batch_id=f"bad{number}", as_of="2024-04-01")
    broken.touch()
    later = {"as_of": "2024-04-02", "store": store}
    assert tg.gate(make_orders(3), path, batch_id="a", **later).state is tg.State.OPEN, "no probe was taken"
    with at(store) as place:
        breaker, released = by_hand.probe(place, "orders", by="ann", reason="try it")
    assert [(run.decision.value, run.verified) for run in released] == [("hold", False)]
    assert (breaker.state, breaker.probe) == (tg.State.HALF_OPEN, "a")
    broken.unlink()
    tg.gate(make_orders(4), path, batch_id="b", **later)
    with at(store) as place, place.ledger.read() as connection:
        assert breakers.load(connection, "orders").state is tg.State.CLOSED, "judged at last, the probe passed"


def test_an_unverified_batch_does_not_end_a_row_of_failures(
    store: Path, write_contract: WriteContract, make_orders: Make, broken: Path
) -> None:
    path = write_contract('on_monitor_error="publish", failure_threshold=2,')
    broken.unlink()
    tg.gate(make_orders(1).assign(items=0), path, store=store, batch_id="bad1")
    broken.touch()
    tg.gate(make_orders(2), path, store=store, batch_id="between").require_published()
    broken.unlink()
    assert tg.gate(make_orders(3).assign(items=0), path, store=store, batch_id="bad2").state is tg.State.OPEN


def test_other_bytes_under_a_known_id_stop_a_batch_that_nobody_could_look_into(
    store: Path, write_contract: WriteContract, make_orders: Make
) -> None:
    path = write_contract()
    tg.gate(make_orders(1), path, store=store, batch_id="a").require_published()
    other = tg.gate(make_orders(2), path, store=store, batch_id="a")
    assert (other.decision, other.verified) == (tg.Decision.QUARANTINE, False)
    assert [item.check for item in other.findings] == ["rewritten_history", "silent_monitor"]
    twin = tg.gate(make_orders(1), path, store=store, batch_id="b")
    assert [item.check for item in twin.findings] == ["redelivered_batch", "silent_monitor"]


def test_what_was_refused_is_not_replayed_and_what_was_judged_not_superseded_by_a_broken_monitor(
    store: Path, write_contract: WriteContract, make_orders: Make, broken: Path
) -> None:
    path = write_contract('on_monitor_error="publish", failure_threshold=9,')
    broken.unlink()
    tg.gate(make_orders(1).assign(items=0), path, store=store, batch_id="bad")
    good = tg.gate(make_orders(2), path, store=store, batch_id="good").require_published()
    broken.touch()
    with at(store) as place, pytest.raises(tg.MonitorError, match="boom"):
        readmission.replay(place, "orders", "bad", by="ann", reason="again", contract=path)
    with pytest.raises(tg.MonitorError, match="boom"):
        tg.gate(make_orders(3), path, store=store, batch_id="good", supersede=True, by="ann", reason="late rows")
    assert good.published is not None
    assert good.published.exists()


def test_what_cannot_be_read_is_no_failure_of_a_monitor(
    tmp_path: Path, store: Path, write_contract: WriteContract
) -> None:
    path = tmp_path / "torn.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    run = tg.gate(path, write_contract(), store=store)
    assert (run.decision, run.verified) == (tg.Decision.QUARANTINE, True)


def test_shadow_stands_in_nobodys_way_and_says_that_there_would_have_been_no_verdict(
    store: Path, write_contract: WriteContract, make_orders: Make
) -> None:
    run = tg.gate(make_orders(1), write_contract("shadow=True,"), store=store, batch_id="a").require_published()
    assert (run.would, run.verified) == ("halt", False)
    assert run.caution is not None
    assert run.caution.startswith("shadow: would have been stopped without a verdict: the batch was not judged: ")
    lenient = write_contract('shadow=True, on_monitor_error="publish",')
    assert tg.gate(make_orders(2), lenient, store=store, batch_id="b").would == "publish"


def test_the_command_says_on_stderr_that_nobody_looked(
    tmp_path: Path, store: Path, write_contract: WriteContract, make_orders: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = tmp_path / "day.parquet"
    make_orders(1).to_parquet(batch, index=False)
    assert main(app, ["gate", str(write_contract()), str(batch), "--store", str(store)]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: orders/day: unverified: the batch was not judged: a check of contract")
    assert "orders/day: publish unverified, breaker closed; rows in 200, published 200" in said.out


def test_an_override_lets_an_unverified_batch_pass_and_is_named(
    store: Path, write_contract: WriteContract, make_orders: Make, broken: Path
) -> None:
    path = write_contract()
    broken.unlink()
    tg.gate(make_orders(1).assign(items=0), path, store=store, batch_id="bad")
    broken.touch()
    with at(store) as place:
        by_hand.override(place, "orders", timedelta(hours=1), by="ann", reason="we know")
    run = tg.gate(make_orders(2), path, store=store, batch_id="a").require_published()
    assert (run.verified, run.state) == (False, tg.State.OPEN)
    with at(store) as place, place.ledger.read() as connection:
        entry = list(audit.entries(connection, "orders"))[-1]
    assert entry["by"] == "ann"
    assert entry["reason"].endswith("; we know")
