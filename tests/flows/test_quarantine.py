"""Quarantine is a place with a way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tidegate as tg
from tests.flows.conftest import CONTRACT_FILE, Said
from tidegate_flows import by_hand, readmission
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import audit, runs, standings
from tidegate_flows.place import at
from tidegate_flows.quarantine import details, kept, kept_row
from tidegate_flows.recover import recover
from tidegate_flows.rejudge import BusyError, claimed

Make = Callable[..., pd.DataFrame]
WHO = {"by": "ann", "reason": "looked at"}


def stored_rows(store: Path) -> list[str]:
    files = sorted((store / "orders" / "published").glob("*.parquet"))
    return [key for path in files for key in pq.read_table(path, columns=["order_id"]).column(0).to_pylist()]


def spoiled(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[[5, 9, 11], "amount"] = [20_000.0, 30_000.0, -1.0]
    return frame


@pytest.fixture
def partial(store: Path, contract_file: Callable[..., Path], make_orders: Make) -> Path:
    """A contract file under which three rows of a batch were set aside, two of them for being dear."""
    path = contract_file()
    tg.gate(spoiled(make_orders(1)), path, store=store, batch_id="a").require_published()
    return path


def relax(path: Path) -> None:
    path.write_text(path.read_text().replace("ge=0, le=10_000", "ge=0, le=25_000"))


def test_a_batch_under_a_wrong_name_is_discarded_and_the_other_replayed(
    with_reference: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path, day = contract_file(), make_orders(34)
    tg.gate(make_orders(33).assign(amount=-1.0), path, store=with_reference, batch_id="bad")
    assert tg.gate(day, path, store=with_reference, batch_id="wrong").decision is tg.Decision.HOLD
    again = tg.gate(day, path, store=with_reference, batch_id="right")
    assert "redelivered_batch" in {item.check for item in again.findings}
    with at(with_reference) as place:
        readmission.discard(place, "orders", "wrong", **WHO)
        assert readmission.replay(place, "orders", "right", **WHO).decision is tg.Decision.HOLD, "it passes, and waits"


def test_rows_come_again_though_what_was_set_aside_of_them_is_discarded(
    store: Path, partial: Path, make_orders: Make
) -> None:
    with at(store) as place:
        readmission.discard(place, "orders", "a", **WHO)
    again = tg.gate(spoiled(make_orders(1)), partial, store=store, batch_id="b")
    said = next(item.message for item in again.findings if item.check == "redelivered_batch")
    assert said == "the same rows were delivered before as batch 'a'"


def test_a_replay_that_changes_nothing_makes_what_is_kept_back_no_younger(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path, now = contract_file(), datetime(2024, 6, 1, tzinfo=UTC)
    for day, days in (("bad", 0), ("worse", 1)):
        with at(store, clock=lambda days=days: now + timedelta(days=days)) as place:  # type: ignore[misc] # it is
            gate_at(place, make_orders(days).assign(amount=-1.0), tg.load_contract(path), batch_id=day)
    with at(store, clock=lambda: now + timedelta(days=7)) as place:
        assert readmission.replay(place, "orders", "bad", **WHO).decision is tg.Decision.QUARANTINE
        with place.ledger.read() as connection:
            assert standings.of_all(connection)["orders"].oldest == now.timestamp()
        assert [(item["batch"], item["kept_since"][:10]) for item in kept(place)] == [
            ("bad", "2024-06-01"),
            ("worse", "2024-06-02"),
        ]


def test_an_empty_batch_that_is_held_is_released_by_whoever_signs(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file("rows_min=0,")
    tg.gate(make_orders(1).assign(amount=-1.0), path, store=store, batch_id="bad")
    assert tg.gate(make_orders(2).head(0), path, store=store, batch_id="empty").decision is tg.Decision.HOLD
    with at(store) as place:
        run = readmission.release(place, "orders", "empty", **WHO)
    assert (run.decision, run.counts.delivered, [path.name for path in run.files]) == (
        tg.Decision.PUBLISH,
        0,
        ["empty.parquet"],
    )


def test_rows_that_pass_the_contract_as_it_is_now_join_what_is_published(store: Path, partial: Path) -> None:
    relax(partial)
    with at(store) as place:
        run = readmission.replay(place, "orders", "a", **WHO)
        left = details(place, "orders", "a")
    assert run.counts.to_dict() == {"in": 200, "published": 198, "quarantined": 2, "held": 0}
    assert [path.name for path in run.files] == ["a.parquet", "a.r1.parquet"]
    assert pq.read_table(run.files[1]).column("order_id").to_pylist() == ["o1-5"]
    assert [(item["check"], item["rows"]) for item in left["reasons"]] == [("impossible_values", 1)] * 2
    reasons = pq.read_table(Path(left["folder"]) / "reasons.parquet").to_pydict()
    assert sorted(zip(reasons["row"], reasons["key"], strict=True)) == [(9, '["o1-9"]'), (11, '["o1-11"]')]
    assert sorted(stored_rows(store)) == sorted(run.rows().column("order_id").to_pylist())


def test_replaying_under_the_same_contract_changes_nothing(store: Path, partial: Path) -> None:
    before = stored_rows(store)
    with at(store) as place:
        run = readmission.replay(place, "orders", "a", **WHO)
        assert run.counts.quarantined == 3
        assert len(runs_of(store)) == 1
    assert stored_rows(store) == before


def runs_of(store: Path) -> list[dict[str, object]]:
    with at(store) as place, place.ledger.begin() as connection:
        return [json.loads(row.document) for row in runs.history(connection, "orders")]


def test_released_rows_are_published_as_they_are_because_somebody_signed(store: Path, partial: Path) -> None:
    with at(store) as place:
        run = readmission.release(place, "orders", "a", **WHO)
        assert kept(place) == []
        with place.ledger.begin() as connection:
            entries = list(audit.entries(connection, "orders"))
            assert audit.verify(connection, "orders").first_break is None
    assert run.counts.to_dict() == {"in": 200, "published": 200, "quarantined": 0, "held": 0}
    assert sorted(stored_rows(store)) == sorted(f"o1-{number}" for number in range(200))
    assert (entries[-1]["event"], entries[-1]["by"], entries[-1]["reason"]) == ("batch.released", "ann", "looked at")
    assert list((store / ".staging").iterdir()) == []
    assert list((store / "orders" / "quarantine").iterdir()) == []


def test_a_batch_that_was_refused_is_replayed_whole_and_moves_no_breaker(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    refused = make_orders(1).assign(amount=20_000.0)
    tg.gate(refused, path, store=store, batch_id="a")
    with at(store) as place:
        again = readmission.replay(place, "orders", "a", **WHO)
        assert (again.decision, again.state) == (tg.Decision.QUARANTINE, tg.State.OPEN)
        relax(path)
        waiting = readmission.replay(place, "orders", "a", **WHO)
        assert (waiting.decision, waiting.state) == (tg.Decision.HOLD, tg.State.OPEN)
        freed = readmission.release(place, "orders", "a", **WHO)
    assert freed.decision is tg.Decision.PUBLISH
    assert freed.counts.published == 200
    assert len(stored_rows(store)) == 200


def test_a_refused_parquet_batch_is_released_as_the_bytes_that_came(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    path = tmp_path / "day.parquet"
    make_orders(1).assign(amount=20_000.0).to_parquet(path, index=False)
    tg.gate(path, contract_file(), store=store)
    with at(store) as place:
        run = readmission.release(place, "orders", "day", **WHO)
    assert run.published is not None
    assert run.published.read_bytes() == path.read_bytes()


def test_rows_set_aside_from_text_come_back_with_the_contracts_types(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    path = tmp_path / "day.csv"
    frame = spoiled(make_orders(1)).astype({"items": object})
    frame.loc[20, "items"] = "many"
    frame.to_csv(path, index=False)
    contract = contract_file()
    run = tg.gate(path, contract, store=store).require_published()
    assert run.counts.quarantined == 4
    relax(contract)
    with at(store) as place:
        assert readmission.replay(place, "orders", "day", **WHO).counts.quarantined == 3
        with pytest.raises(tg.UsageError, match="text of no declared type"):
            readmission.release(place, "orders", "day", **WHO)
    back = store / "orders" / "published" / "day.r1.parquet"
    assert pq.read_schema(back).types == pq.read_schema(run.published).types


def test_what_is_discarded_is_gone_but_remembered(store: Path, partial: Path) -> None:
    with at(store) as place:
        readmission.discard(place, "orders", "a", **WHO)
        assert kept(place) == []
        assert recover(place) == 0
        with pytest.raises(tg.UsageError, match="neither quarantined nor held"):
            readmission.release(place, "orders", "a", **WHO)
        with place.ledger.begin() as connection:
            assert [e["event"] for e in audit.entries(connection, "orders")][-1] == "batch.discarded"
    assert len(stored_rows(store)) == 197
    assert list((store / "orders" / "quarantine").iterdir()) == []


def test_other_bytes_under_a_known_id_cannot_be_released_under_it(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    tg.gate(make_orders(2), path, store=store, batch_id="a")
    with at(store) as place:
        key = kept(place)[0]["batch"]
        with pytest.raises(tg.UsageError, match="other bytes"):
            readmission.release(place, "orders", key, **WHO)
    assert len(stored_rows(store)) == 200


@given(bad=st.sets(st.integers(0, 29), min_size=1, max_size=10), mended=st.sets(st.integers(0, 29)))
@settings(max_examples=25)
def test_no_row_is_lost_or_doubled_on_the_way_back(
    tmp_path_factory: pytest.TempPathFactory, make_orders: Make, bad: set[int], mended: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("back")
    path, store = folder / "orders.py", folder / "store"
    path.write_text(CONTRACT_FILE.replace("EXTRA", "").replace("tolerance=0.02", "tolerance=0.5"))
    frame = make_orders(1, 30)
    frame.loc[sorted(bad & mended), "amount"] = 20_000.0
    frame.loc[sorted(bad - mended), "amount"] = -1.0
    tg.gate(frame, path, store=store, batch_id="a").require_published()
    relax(path)
    with at(store) as place:
        run = readmission.replay(place, "orders", "a", **WHO)
        assert run.counts.quarantined == len(bad - mended)
        aside = store / "orders" / "quarantine" / "a" / "rows.parquet"
        left = pq.read_table(aside).column("order_id").to_pylist() if bad - mended else []
        assert sorted(stored_rows(store) + left) == sorted(frame["order_id"])
        assert tg.check(run.rows(), path).set_aside == 0
        if left:
            assert readmission.release(place, "orders", "a", **WHO).counts.quarantined == 0
    assert sorted(stored_rows(store)) == sorted(frame["order_id"])


@pytest.mark.more
def test_the_commands_say_what_came_back(store: Path, partial: Path, tidegate: Callable[..., Said]) -> None:
    relax(partial)
    who = ("--by", "ann", "--reason", "limit raised", "--store", store)
    assert tidegate("quarantine", "replay", "orders", "a", "--by", "ann", "--store", store).code == 2
    said = tidegate("quarantine", "replay", "orders", "a", *who, "--json")
    assert (said.code, json.loads(said.out)["rows"]["published"]) == (1, 198)
    released = tidegate("quarantine", "release", "orders", "a", *who)
    assert (released.code, "published 200" in released.out) == (0, True)
    assert tidegate("quarantine", "discard", "orders", "a", *who).code == 2


def test_a_crash_after_files_were_moved_but_before_it_was_written_down_loses_nothing(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1).assign(amount=-1.0), path, store=store, batch_id="bad")
    tg.gate(make_orders(2), path, store=store, batch_id="waits")
    with at(store) as place:
        again = readmission.replay(place, "orders", "waits", **WHO)
        assert again.decision is tg.Decision.HOLD
        with place.ledger.begin() as connection:
            connection.exec_driver_sql("UPDATE runs SET moved = 0")  # as a kill between rename and commit leaves it
        for _ in range(2):
            recover(place)
        assert details(place, "orders", "waits")["state"] == "held"
        assert (store / "orders" / "quarantine" / "waits" / "batch.parquet").exists()
        assert readmission.release(place, "orders", "waits", **WHO).decision is tg.Decision.PUBLISH
    assert len(stored_rows(store)) == 200


def test_a_discarded_held_batch_is_held_no_longer_and_may_come_again(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1).assign(amount=-1.0), path, store=store, batch_id="bad")
    tg.gate(make_orders(2), path, store=store, batch_id="waits")
    with at(store) as place:
        readmission.discard(place, "orders", "waits", **WHO)
        with place.ledger.begin() as connection:
            assert runs.summary(connection, "orders").held == 0
        by_hand.close(place, "orders", by="ann", reason="mended")
    tg.gate(make_orders(3), path, store=store, batch_id="next").require_published()
    tg.gate(make_orders(2), path, store=store, batch_id="waits").require_published()


def test_a_decision_made_meanwhile_is_not_made_twice(store: Path, partial: Path) -> None:
    with at(store) as place:
        stale = kept_row(place, "orders", "a")
        readmission.release(place, "orders", "a", **WHO)
        with pytest.raises(BusyError), claimed(place, stale):
            pytest.fail("a stale row was claimed")
    assert len(stored_rows(store)) == 200


def test_rows_are_not_replayed_into_a_dataset_whose_breaker_is_open(
    store: Path, partial: Path, make_orders: Make
) -> None:
    tg.gate(make_orders(5).assign(items=0), partial, store=store, batch_id="bad")
    relax(partial)
    with at(store) as place, pytest.raises(tg.UsageError, match="breaker"):
        readmission.replay(place, "orders", "a", **WHO)
    assert len(stored_rows(store)) == 197


@pytest.mark.more
def test_a_replay_that_publishes_nothing_exits_1_even_for_a_batch_without_a_row(
    tidegate: Callable[..., Said], contract_file: Callable[..., Path], store: Path, tmp_path: Path
) -> None:
    path, batch = contract_file(), tmp_path / "pick.parquet"
    batch.write_bytes(b"\x80\x04N.")
    assert tidegate("gate", path, batch, "--store", store).code == 1
    said = tidegate("quarantine", "replay", "orders", "pick", "--by", "me", "--reason", "again", "--store", store)
    assert (said.code, "orders/pick: quarantine" in said.out) == (1, True)
    manifest = json.loads((store / "orders" / "quarantine" / "pick" / "manifest.json").read_text())
    assert [finding["check"] for finding in manifest["findings"]] == ["unreadable"]
