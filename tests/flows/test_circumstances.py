"""What is known besides the rows: times, tables, lists and signals, end to end."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest

import tidegate as tg
from tests.flows.loopback import OK, Answer, loopback
from tidegate_flows import by_hand, readmission, reference
from tidegate_flows.circumstances import gather
from tidegate_flows.gate import _awaited
from tidegate_flows.ledger import batches, runs
from tidegate_flows.place import at
from tidegate_flows.signals import ask_upstream, waiting

Make = Callable[..., pd.DataFrame]
Write = Callable[..., Path]
Say = Callable[..., Any]

COUNTRIES = 'references=(tg.ForeignKey("country", "countries.csv"),), '
LIST = 'suppression=tg.Suppression("order_id", "gone.txt"), '
MANIFEST = 'upstream=(tg.Upstream("shop", marker="{batch}.done", manifest="{batch}.json"),), '
AGES = "freshness=timedelta(hours=30), arrive_within=timedelta(hours=6), "
END = datetime(2024, 3, 2, tzinfo=UTC)  # of day 0


def checks(run: tg.Run) -> set[str]:
    return {item.check for item in run.findings if item.kind == "violation"}


@pytest.fixture
def day(tmp_path: Path, make_orders: Make) -> Path:
    """Day 0 as a file."""
    path = tmp_path / "in" / "2024-03-01.parquet"
    path.parent.mkdir()
    make_orders(0).to_parquet(path, index=False)
    return path


def ready(day: Path, rows: int = 200) -> None:
    """Put the signals beside a delivery."""
    day.with_suffix(".done").touch()
    day.with_suffix(".json").write_text(json.dumps({"rows": rows}))


def test_rows_that_point_nowhere_are_set_aside(day: Path, store: Path, contract_file: Write) -> None:
    path = contract_file(COUNTRIES)
    (path.parent / "countries.csv").write_text("country,name\nDE,Germany\nFR,France\nIT,Italy\n")
    good = tg.gate(day, path, store=store, as_of="window")
    assert checks(good) == set()
    (path.parent / "countries.csv").write_text("country,name\nDE,Germany\nFR,France\n")
    verdict = tg.check(day, path, as_of="window")
    assert not verdict.passed
    assert {(item.check, item.column) for item in verdict.findings if item.kind == "violation"} == {
        ("broken_reference", "country")
    }


def test_a_table_that_cannot_be_read_is_no_verdict(day: Path, store: Path, contract_file: Write) -> None:
    path = contract_file(COUNTRIES)
    table = path.parent / "countries.csv"
    with pytest.raises(tg.StoreError, match=r"countries\.csv"):
        tg.gate(day, path, store=store)
    table.write_text("code,name\nDE,Germany\n")
    with pytest.raises(tg.StoreError, match="no column country"):
        tg.gate(day, path, store=store)
    table.write_bytes(b"country\n\xff\xfe\n")
    with pytest.raises(tg.StoreError, match=r"countries\.csv"):
        tg.gate(day, path, store=store)
    table.write_text("country\nDE\nFR\nIT\n")
    assert tg.gate(day, path, store=store, as_of="window").decision is tg.Decision.PUBLISH


def test_people_on_the_list_are_set_aside_and_named_by_nothing_but_their_key(
    day: Path, store: Path, contract_file: Write
) -> None:
    path = contract_file(LIST)
    gone = [hashlib.sha256(f"o0-{number}".encode()).hexdigest() for number in (3, 5)]
    (path.parent / "gone.txt").write_text("\n".join([gone[0], "", gone[1].upper()]))
    run = tg.gate(day, path, store=store, as_of="window")
    assert (run.counts.published, run.counts.quarantined) == (198, 2)
    assert checks(run) == {"suppressed_people"}
    with at(store) as place:  # the list is asked again: whoever stands on it does not come back by a replay
        again = readmission.replay(place, "orders", "2024-03-01", by="me", reason="why not")
    assert again.counts.published == 198


def test_a_list_that_is_not_there_or_holds_no_hashes_is_no_pass(day: Path, store: Path, contract_file: Write) -> None:
    path = contract_file(LIST)
    with pytest.raises(tg.StoreError, match=r"gone\.txt"):
        tg.gate(day, path, store=store)
    (path.parent / "gone.txt").write_text("o0-3\n")
    with pytest.raises(tg.ContractError, match="line 1 is none") as caught:
        tg.gate(day, path, store=store)
    assert "o0-3" not in str(caught.value)


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (None, "its manifest 2024-03-01.json is not there"),
        ("{", "is no JSON"),
        ('{"rows": "200"}', "states no number of rows under 'rows'"),
        ('{"rows": true}', "states no number of rows"),
        ("[200]", "states no number of rows"),
        ('{"rows": 210}', "shop states 210 rows; 200 came"),
    ],
)
def test_a_source_that_is_not_finished_stops_the_batch(
    day: Path, store: Path, contract_file: Write, manifest: str | None, why: str
) -> None:
    path = contract_file(MANIFEST)
    day.with_suffix(".done").touch()
    if manifest is not None:
        day.with_suffix(".json").write_text(manifest)
    run = tg.gate(day, path, store=store, as_of="window")
    assert run.decision is tg.Decision.QUARANTINE
    assert checks(run) == {"incomplete_upstream"}
    assert why in next(item.message for item in run.findings if item.check == "incomplete_upstream")


def test_a_finished_source_lets_the_batch_through_though_rows_are_set_aside(
    tmp_path: Path, store: Path, contract_file: Write, make_orders: Make
) -> None:
    path, orders, file = contract_file(MANIFEST), make_orders(0), tmp_path / "a.parquet"
    orders.loc[0, "amount"] = -1.0
    orders.to_parquet(file, index=False)
    ready(file)
    run = tg.gate(file, path, store=store, as_of="window")
    assert (run.decision, run.counts.published, checks(run)) == (tg.Decision.PUBLISH, 199, {"impossible_values"})


def test_a_frame_has_no_folder_and_must_not_pass_as_ready(store: Path, contract_file: Write, make_orders: Make) -> None:
    path = contract_file(MANIFEST)
    with pytest.raises(tg.UsageError, match="a delivery without a folder"):
        tg.gate(make_orders(0), path, store=store)
    with pytest.raises(tg.UsageError, match="a delivery without a folder"):
        tg.check(make_orders(0), path)


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({}, "its marker a.done is not there"),
        ({"a.done": b""}, "its manifest a.json is not there"),
        ({"a.done": b"", "a.json": b"{"}, "its manifest a.json is no JSON"),
        ({"a.done": b"", "a.json": b'{"rows": 199}'}, "200"),
        ({"a.done": b"", "a.json": b'{"rows": 200}'}, None),
    ],
)
def test_signals_lie_beside_a_delivery_in_a_bucket_too(
    beside: dict[str, bytes], said: str | None, store: Path, contract_file: Write, make_orders: Make
) -> None:
    path, system = contract_file(MANIFEST), fsspec.filesystem("memory")
    try:
        for name, content in {"a.parquet": make_orders(0).to_parquet(index=False), **beside}.items():
            system.pipe_file(f"/signals/{name}", content)
        run = tg.gate("memory://signals/a.parquet", path, store=store, as_of="window")
        assert checks(run) == ({"incomplete_upstream"} if said else set())
        assert said is None or said in run.findings[0].message
    finally:
        system.rm("/signals", recursive=True)


def test_what_was_not_ready_when_it_came_is_not_ready_by_waiting(day: Path, store: Path, contract_file: Write) -> None:
    path = contract_file(MANIFEST)
    tg.gate(day, path, store=store, as_of="window")
    ready(day)
    with at(store) as place:
        again = readmission.replay(place, "orders", "2024-03-01", by="me", reason="the marker is there now")
        assert again.decision is tg.Decision.QUARANTINE
        assert "gate the delivery again" in next(i.message for i in again.findings if i.check == "incomplete_upstream")
    assert tg.gate(day, path, store=store, as_of="window").decision is tg.Decision.HOLD  # good, and the breaker is open
    with at(store) as place:
        by_hand.close(place, "orders", by="me", reason="the marker is there now")
    again = tg.gate(day, path, store=store, as_of="window")
    assert (again.decision, again.repeated, again.counts.published) == (tg.Decision.PUBLISH, True, 200)


def test_a_delivery_that_was_not_ready_is_judged_anew_once_it_is(day: Path, store: Path, contract_file: Write) -> None:
    path = contract_file(MANIFEST + 'severity={"incomplete_upstream": "critical"}, failure_threshold=2,')
    assert tg.gate(day, path, store=store, as_of="window").decision is tg.Decision.QUARANTINE
    assert tg.gate(day, path, store=store, as_of="window").repeated
    ready(day)
    run = tg.gate(day, path, store=store, as_of="window")
    assert (run.decision, run.counts.published) == (tg.Decision.PUBLISH, 200)
    assert tg.gate(day, path, store=store, as_of="window").repeated


def test_age_and_lateness_are_counted_when_the_batch_comes(day: Path, store: Path, contract_file: Write) -> None:
    path = contract_file(AGES)
    assert checks(tg.gate(day, path, store=store, batch_id="a", as_of=END + timedelta(hours=5))) == set()
    late = tg.check(day, path, as_of=END + timedelta(hours=29))
    assert late.passed  # nothing arrived here
    assert "late_batch" not in {item.check for item in late.findings}
    old = tg.check(day, path)
    assert {item.check for item in old.findings if item.kind == "violation"} == {"stale_data"}


def test_a_late_batch_is_told_of_and_published(day: Path, store: Path, contract_file: Write) -> None:
    run = tg.gate(day, contract_file(AGES), store=store, as_of=END + timedelta(hours=7))
    assert (run.decision, checks(run)) == (tg.Decision.PUBLISH, {"late_batch"})


def test_a_held_batch_does_not_grow_stale_or_late_by_waiting(
    tmp_path: Path, store: Path, contract_file: Write, make_orders: Make
) -> None:
    path = contract_file(AGES)
    broken = make_orders(0).assign(amount=-1.0)
    assert tg.gate(broken, path, store=store, batch_id="bad", as_of=END).decision is tg.Decision.QUARANTINE
    then = END + timedelta(days=1, hours=1)
    assert tg.gate(make_orders(1), path, store=store, batch_id="good", as_of=then).decision is tg.Decision.HOLD
    with at(store, clock=lambda: END + timedelta(days=30)) as place:
        by_hand.close(place, "orders", by="me", reason="mended")
    with at(store) as place, place.ledger.begin() as connection:
        row = runs.speaking_for(connection, "orders", "good")
    document = json.loads(row.document)  # type: ignore[union-attr] # it was gated
    assert document["decision"] == "publish"
    assert not {"stale_data", "late_batch"} & {item["check"] for item in document["findings"]}


def test_history_has_no_age(tmp_path: Path, store: Path, contract_file: Write, make_orders: Make) -> None:
    contract = tg.load_contract(contract_file(AGES + MANIFEST))
    paths = []
    for number in range(5):
        paths.append(tmp_path / f"day-{number}.parquet")
        make_orders(number).to_parquet(paths[-1], index=False)
    with at(store) as place:
        assert len(reference.build(place, contract, paths).blocks) == 5


def test_paths_are_relative_to_the_contract_or_else_to_the_working_folder(
    tmp_path: Path, contract_file: Write, monkeypatch: pytest.MonkeyPatch, make_contract: Callable[..., tg.Contract]
) -> None:
    (tmp_path / "countries.csv").write_text("country\nDE\n")
    monkeypatch.chdir(tmp_path)
    loose = make_contract(references=(tg.ForeignKey("country", "countries.csv"),))
    assert [table.num_rows for table in gather(loose).tables.values()] == [1]
    with pytest.raises(tg.StoreError):
        gather(tg.load_contract(contract_file(COUNTRIES)))


def test_the_signals_of_a_folder_of_parts_lie_within(tmp_path: Path, make_contract: Callable[..., tg.Contract]) -> None:
    waits = make_contract(upstream=(tg.Upstream("job", marker="_SUCCESS"),))
    assert ask_upstream(waits, tmp_path, "a") == {"job": "its marker _SUCCESS is not there"}
    (tmp_path / "_SUCCESS").touch()
    assert ask_upstream(waits, tmp_path, "a") == {"job": None}


@pytest.mark.more
def test_the_command_line_says_the_same(day: Path, store: Path, contract_file: Write, tidegate: Say) -> None:
    path = contract_file(AGES + MANIFEST)
    said = tidegate("check", path, day, "--as-of", "window")
    assert said.code == 1
    assert "incomplete_upstream" in said.out
    ready(day)
    assert tidegate("check", path, day, "--as-of", "window").code == 0
    assert "stale_data" in tidegate("check", path, day).out
    assert tidegate("check", path, day, "--as-of", "yesterday").code == 2
    assert tidegate("gate", path, day, "--as-of", "window", "--store", store).code == 0


def test_a_list_may_begin_with_a_mark_and_its_names_may_hold_what_some_take_for_a_line_end(
    tmp_path: Path, make_contract: Callable[..., tg.Contract], make_orders: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone.txt").write_bytes("\ufeffo0-3\r\no0\u20285\r\n\r\no0\x856".encode())
    contract = make_contract(suppression=tg.Suppression("order_id", "gone.txt", hashed=False))
    orders = make_orders()
    assert gather(contract).suppressed == {"o0-3", "o0\u20285", "o0\x856"}
    orders.loc[[5, 6], "order_id"] = ["o0\u20285", "o0\x856"]
    found = [item for item in tg.check(orders, contract, as_of="window").findings if item.kind == "violation"]
    assert [(item.check, item.failed) for item in found] == [("suppressed_people", 3)]


def test_a_source_whose_name_begins_like_another_ones_waits_for_itself(
    day: Path, make_contract: Callable[..., tg.Contract]
) -> None:
    names = ("orders", "orders eu", "orders eu north")
    signals = (tg.Upstream(name, marker=f"{name}.done", manifest=f"{name}.json") for name in names)
    contract = make_contract(upstream=tuple(signals))
    for name in names:
        (day.parent / f"{name}.done").touch()
        (day.parent / f"{name}.json").write_text(json.dumps({"rows": 200}))
    (day.parent / "orders eu.done").unlink()
    assert waiting(contract, tg.check(day, contract).findings).keys() == {"orders eu"}
    (day.parent / "orders eu north.json").write_text(json.dumps({"rows": 7}))
    assert waiting(contract, tg.check(day, contract).findings).keys() == {"orders eu", "orders eu north"}


def test_two_workers_with_one_waiting_delivery_do_not_refuse_each_other(
    day: Path, store: Path, contract_file: Write
) -> None:
    path = contract_file(MANIFEST + "failure_threshold=2,")
    waiting_run, contract = tg.gate(day, path, store=store, as_of="window"), tg.load_contract(path)
    ready(day)
    with at(store) as place, ThreadPoolExecutor(1) as pool:
        with place.ledger.begin() as connection:
            other = batches.reclaim(connection, "orders", "2024-03-01", now=place.seconds, lease=60)
        assert isinstance(other, batches.Claim)
        asked = pool.submit(_awaited, place, contract, waiting_run, day, "window")
        assert not wait([asked], timeout=0.5).done
        with place.ledger.begin() as connection:
            batches.give_up(connection, other)
        told = asked.result(60)
    assert told is not None
    assert told.decision is tg.Decision.PUBLISH


def test_of_two_workers_with_one_waiting_delivery_the_second_gives_the_firsts_verdict(
    day: Path, store: Path, contract_file: Write
) -> None:
    path = contract_file(MANIFEST + "failure_threshold=2,")
    tg.gate(day, path, store=store, as_of="window")
    ready(day)
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(tg.gate, day, path, store=store, as_of="window") for _ in range(4)]
        told = [item.result(60) for item in found]
    assert {run.decision for run in told} == {tg.Decision.PUBLISH}
    assert len({run.id for run in told}) == 1


@pytest.mark.parametrize("query", ["", "?sig=ab", "?sig=a/b"])
def test_what_lies_beside_a_delivery_of_http_is_asked_for_without_its_query(
    make_contract: Callable[..., tg.Contract], query: str
) -> None:
    waits = make_contract(upstream=(tg.Upstream("job", marker="_SUCCESS"),))
    there = "/day/orders.parquet"
    with loopback(lambda asked: OK if asked.path.startswith(there) else Answer(404)) as (url, _):
        assert ask_upstream(waits, f"{url}{there}{query}", "orders") == {"job": "its marker _SUCCESS is not there"}


def test_a_file_url_is_the_file_it_names(make_contract: Callable[..., tg.Contract], tmp_path: Path) -> None:
    waits = make_contract(upstream=(tg.Upstream("job", marker="_SUCCESS", manifest="rows.json"),))
    folder = tmp_path / "a day"
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    (folder / "rows.json").write_text('{"rows": 7}')
    assert ask_upstream(waits, (folder / "o.parquet").as_uri(), "o") == {"job": 7}
    (folder / "rows.json").unlink()
    os.mkfifo(folder / "rows.json")
    with pytest.raises(tg.StoreError, match=r"rows\.json cannot be read"):
        ask_upstream(waits, (folder / "o.parquet").as_uri(), "o")
