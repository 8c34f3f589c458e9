"""What people do to a breaker, and the audit that remembers it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tidegate_flows import by_hand
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import audit, breakers, counters, runs
from tidegate_flows.place import Place, at
from tidegate_monitors.breaker import Breaker, Override, State

Make = Callable[..., pd.DataFrame]
SIGNED = {"by": "ann", "reason": "looked at it"}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2024, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gated(
    with_reference: Path, contract_file: Callable[..., Path], clock: Clock
) -> Callable[[pd.DataFrame, str], tg.Run]:
    """Gate a frame at the clock's time."""
    path = contract_file()

    def gate(frame: pd.DataFrame, batch: str) -> tg.Run:
        with at(with_reference, clock=clock) as place:
            return gate_at(place, frame, tg.load_contract(path), batch_id=batch)

    return gate


def events(store: Path) -> list[str]:
    with at(store) as place, place.ledger.begin() as connection:
        assert audit.verify(connection, "orders").first_break is None
        return [entry["event"] for entry in audit.entries(connection, "orders")]


def at_clock(store: Path, clock: Clock, act: Callable[[Place], Any]) -> Any:
    with at(store, clock=clock) as place:
        return act(place)


def test_a_tripped_breaker_holds_good_batches(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33), "first").require_published()
    breaker = at_clock(with_reference, clock, lambda place: by_hand.trip(place, "orders", **SIGNED))
    assert breaker.state is State.OPEN
    assert gated(make_orders(34), "second").decision is tg.Decision.HOLD
    assert "breaker.tripped" in events(with_reference)
    with pytest.raises(tg.Halted, match="ann: looked at it"):
        tg.require_closed("orders", store=with_reference)


def test_a_probe_that_is_asked_for_lets_the_oldest_held_batch_try_and_the_others_follow(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33).assign(amount=-1.0), "bad")
    gated(make_orders(35), "newer"), gated(make_orders(34), "older")
    breaker, released = at_clock(with_reference, clock, lambda place: by_hand.probe(place, "orders", **SIGNED))
    assert breaker.state is State.CLOSED
    assert [run.batch for run in released] == ["older", "newer"]
    assert [event for event in events(with_reference) if event.startswith("breaker.")] == [
        "breaker.opened",
        "breaker.half_open",
        "breaker.closed",
    ]


def test_where_nothing_is_held_the_next_batch_is_the_probe(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33).assign(amount=-1.0), "bad")
    breaker, released = at_clock(with_reference, clock, lambda place: by_hand.probe(place, "orders", **SIGNED))
    assert (breaker.state, breaker.probe, released) == (State.HALF_OPEN, None, [])
    assert gated(make_orders(34).assign(amount=-1.0), "bad-again").state is State.OPEN
    assert gated(make_orders(35), "waits").decision is tg.Decision.HOLD
    at_clock(with_reference, clock, lambda place: by_hand.probe(place, "orders", **SIGNED))
    assert "waits.parquet" in {path.name for path in (with_reference / "orders" / "published").iterdir()}


def test_a_probe_that_has_no_verdict_within_its_lease_has_failed(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33).assign(amount=-1.0), "bad")
    with at(with_reference, clock=clock) as place, place.ledger.begin() as connection:
        asked = breakers.load(connection, "orders").ask_probe("lost", clock.now, clock.now + timedelta(minutes=1), "x")
        breakers.save(connection, "orders", asked)
    clock.now += timedelta(seconds=59)
    assert gated(make_orders(34), "a").state is State.HALF_OPEN
    clock.now += timedelta(seconds=1)
    run = gated(make_orders(35), "b")
    assert (run.state, run.decision) == (State.OPEN, tg.Decision.HOLD)
    with at(with_reference) as place, place.ledger.begin() as connection:
        last = [entry for entry in audit.entries(connection, "orders") if entry["event"] == "breaker.opened"][-1]
    assert last["reason"] == "the probe lost was lost"


def test_an_override_lets_good_batches_pass_and_ends_by_itself(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33).assign(amount=-1.0), "bad")
    gated(make_orders(34), "waits")
    allow = lambda place: by_hand.override(place, "orders", timedelta(hours=4), **SIGNED)  # noqa: E731 - said once
    breaker, released = at_clock(with_reference, clock, allow)
    assert breaker.state is State.OPEN, "an override changes no state"
    assert [(run.batch, run.decision) for run in released] == [("waits", tg.Decision.PUBLISH)]
    clock.now += timedelta(hours=4) - timedelta(microseconds=1)
    assert gated(make_orders(35), "in-time").decision is tg.Decision.PUBLISH
    assert gated(make_orders(36).assign(amount=-1.0), "bad-too").decision is tg.Decision.QUARANTINE
    clock.now += timedelta(microseconds=1)
    assert gated(make_orders(37), "too-late").decision is tg.Decision.HOLD
    with at(with_reference, clock=clock) as place, place.ledger.begin() as connection:
        accepted = {batch: runs.speaking_for(connection, "orders", batch).accepted for batch in ("waits", "in-time")}
        by = {e["batch"]: (e["by"], e["reason"]) for e in audit.entries(connection, "orders") if e["batch"]}
    assert accepted == {"waits": False, "in-time": False}, "no later batch is held against them"
    assert by["in-time"] == ("ann", "looked at it")
    assert "breaker.overridden" in events(with_reference)


def test_a_breaker_that_is_tripped_stops_what_an_override_allowed(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33).assign(amount=-1.0), "bad")
    at_clock(with_reference, clock, lambda place: by_hand.override(place, "orders", timedelta(days=30), **SIGNED))
    gated(make_orders(34), "allowed").require_published()
    breaker = at_clock(with_reference, clock, lambda place: by_hand.trip(place, "orders", by="bob", reason="poisoned"))
    assert (breaker.state, breaker.override, breaker.tripped) == (State.OPEN, None, True)
    assert gated(make_orders(35), "poisoned").decision is tg.Decision.HOLD
    with pytest.raises(tg.Halted, match="bob: poisoned"):
        tg.require_closed("orders", store=with_reference)


def test_nothing_is_overridden_where_the_breaker_is_closed(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    allow = lambda place: by_hand.override(place, "orders", timedelta(days=30), **SIGNED)  # noqa: E731 - said twice
    gated(make_orders(33), "good")
    with pytest.raises(tg.UsageError, match="is closed, nothing to override"):
        at_clock(with_reference, clock, allow)
    gated(make_orders(34).assign(amount=-1.0), "bad")
    at_clock(with_reference, clock, allow)
    at_clock(with_reference, clock, lambda place: by_hand.probe(place, "orders", **SIGNED))
    assert gated(make_orders(35), "probe").state is State.CLOSED
    with at(with_reference) as place, place.ledger.read() as connection:
        assert breakers.load(connection, "orders").override is None


def test_every_signed_act_is_in_the_audit_whether_it_changes_the_state_or_not(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33), "good")
    signed = [{"by": name, "reason": "said so"} for name in ("ann", "bob", "cid", "dan")]
    with at(with_reference, clock=clock) as place:
        first = by_hand.trip(place, "orders", **signed[0])
        clock.now += timedelta(hours=1)
        second = by_hand.trip(place, "orders", **signed[1])
        by_hand.probe(place, "orders", **signed[2])
        by_hand.probe(place, "orders", **signed[3])
        with place.ledger.begin() as connection:  # as an earlier version could leave it
            standing = Override(clock.now + timedelta(days=1), "eve", "x")
            breakers.save(connection, "orders", Breaker(override=standing))
        by_hand.close(place, "orders", **signed[0])
        with place.ledger.read() as connection:
            found = [(e["event"], e["by"]) for e in audit.entries(connection, "orders") if e["event"][:7] == "breaker"]
            totals = {labels["to"]: n for name, _, labels, n in counters.totals(connection) if "to" in labels}
    assert (first.cause, second.cause, second.changed_at) == ("ann: said so", "bob: said so", clock.now)
    assert found == [
        ("breaker.tripped", "ann"),
        ("breaker.tripped", "bob"),
        ("breaker.half_open", "cid"),
        ("breaker.half_open", "dan"),
        ("breaker.closed", "ann"),
    ]
    assert totals == {"open": 1, "half_open": 1}, "only what changed the state is a transition"


def test_no_cool_down_ends_what_somebody_tripped(
    with_reference: Path, contract_file: Callable[..., Path], make_orders: Make, clock: Clock
) -> None:
    contract = tg.load_contract(contract_file("cool_down=timedelta(hours=1),"))
    with at(with_reference, clock=clock) as place:
        gate_at(place, make_orders(33), contract, batch_id="good").require_published()
        by_hand.trip(place, "orders", **SIGNED)
        clock.now += timedelta(days=30)
        assert gate_at(place, make_orders(34), contract, batch_id="waits").decision is tg.Decision.HOLD
        breaker, released = by_hand.probe(place, "orders", **SIGNED)
    assert breaker.state is State.CLOSED
    assert [run.batch for run in released] == ["waits"]


def test_an_override_lets_what_is_held_pass_before_what_comes_where_the_contract_is_an_object(
    with_reference: Path, contract: tg.Contract, make_orders: Make, clock: Clock
) -> None:
    with at(with_reference, clock=clock) as place:
        gate_at(place, make_orders(33).assign(amount=-1.0), contract, batch_id="bad")
        gate_at(place, make_orders(35), contract, batch_id="second")
        gate_at(place, make_orders(34), contract, batch_id="first")
        _, released = by_hand.override(place, "orders", timedelta(hours=4), **SIGNED)
        assert released == []
        gate_at(place, make_orders(36), contract, batch_id="third").require_published()
        with place.ledger.read() as connection:
            found = [
                (e["event"], e["batch"], e["by"])
                for e in audit.entries(connection, "orders")
                if e["event"] in ("batch.published", "batch.released")
            ]
    assert found == [
        ("batch.released", "first", "ann"),
        ("batch.released", "second", "ann"),
        ("batch.published", "third", "ann"),
    ]


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1), timedelta(days=31, seconds=1)])
def test_an_override_without_an_end_in_sight_is_refused(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock, length: timedelta
) -> None:
    gated(make_orders(33).assign(amount=-1.0), "bad")
    with pytest.raises(tg.UsageError, match="at most 31 days"):
        at_clock(with_reference, clock, lambda place: by_hand.override(place, "orders", length, **SIGNED))


def test_nobody_does_anything_to_a_dataset_that_is_unknown_or_without_signing(with_reference: Path) -> None:
    with at(with_reference) as place:
        for act in (by_hand.trip, by_hand.probe, by_hand.close):
            with pytest.raises(tg.UsageError, match="no such dataset"):
                act(place, "ordres", **SIGNED)
            with pytest.raises(tg.UsageError, match="reason"):
                act(place, "orders", by="ann", reason=" ")
            with pytest.raises(tg.UsageError, match="reason is no text"):
                act(place, "orders", by="ann", reason="looked at \udcff")
            with pytest.raises(tg.UsageError, match="a person"):
                act(place, "orders", by=" Tidegate", reason="what it depends on is ready")


def test_whoever_closes_a_closed_breaker_is_in_the_audit_and_there_is_nothing_to_try(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, clock: Clock
) -> None:
    gated(make_orders(33), "first")
    assert at_clock(with_reference, clock, lambda place: by_hand.close(place, "orders", **SIGNED))[0].changed_at is None
    with pytest.raises(tg.UsageError, match="is closed, nothing to try"):
        at_clock(with_reference, clock, lambda place: by_hand.probe(place, "orders", **SIGNED))
    with at(with_reference) as place, place.ledger.read() as connection:
        (told,) = (item for item in audit.entries(connection, "orders") if item["event"] == "breaker.closed")
        changes = [labels for _, _, labels, _ in counters.totals(connection) if "to" in labels]
    assert (told["by"], told["reason"], changes) == ("ann", "looked at it", [])


@pytest.mark.more
def test_the_commands_say_what_they_did(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, tidegate: Callable[..., Any]
) -> None:
    gated(make_orders(33), "good")
    signed = ("--by", "ann", "--reason", "looked at it", "--store", str(with_reference))
    assert tidegate("breaker", "trip", "orders", *signed).out == "orders: open\n"
    assert tidegate("breaker", "require", "orders", "--store", str(with_reference)).code == 1
    told = tidegate("breaker", "override", "orders", "--for", "4h", "--json", *signed)
    assert json.loads(told.out)["override_until"] is not None
    assert tidegate("breaker", "require", "orders", "--store", str(with_reference)).code == 0
    wrong = tidegate("breaker", "override", "orders", "--for", "tomorrow", *signed)
    assert wrong.code == 2
    assert "such as 4h" in wrong.err
    assert tidegate("breaker", "close", "orders", *signed).code == 0


@pytest.mark.parametrize(
    "column", ["at", "event", "batch", "run", "by", "reason", "sha256", "previous", "seq", "dataset"]
)
def test_an_entry_that_was_edited_is_found(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, column: str
) -> None:
    gated(make_orders(33), "one"), gated(make_orders(34), "two")
    change = "seq + 100" if column == "seq" else "'other'"
    with sqlite3.connect(with_reference / "ledger.db") as connection:
        connection.execute(f"UPDATE audit SET {column} = {change} WHERE seq = 2")  # noqa: S608 - our own column names
    with at(with_reference) as place, place.ledger.begin() as connection:
        assert audit.verify(connection, "orders").first_break == 2


@pytest.mark.more
def test_an_entry_removed_in_the_middle_is_found_and_one_at_the_end_by_the_head_noted_outside(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, tidegate: Callable[..., Any]
) -> None:
    for number in range(3):
        gated(make_orders(33 + number), f"b{number}")
    told = tidegate("audit", "verify", "orders", "--json", "--store", str(with_reference))
    head = json.loads(told.out)["head"]
    assert told.code == 0
    trip = ("breaker", "trip", "orders", "--by", "ann", "--reason", "looked at it", "--store", str(with_reference))
    assert tidegate(*trip).code == 0
    told = tidegate("audit", "verify", "orders", "--json", "--store", str(with_reference))
    head = json.loads(told.out)["head"]
    with sqlite3.connect(with_reference / "ledger.db") as connection:
        connection.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
    assert tidegate("audit", "verify", "orders", "--store", str(with_reference)).code == 0
    short = tidegate("audit", "verify", "orders", "--head", head, "--store", str(with_reference))
    assert short.code == 1
    assert "removed at the end" in short.out
    with sqlite3.connect(with_reference / "ledger.db") as connection:
        connection.execute("DELETE FROM audit WHERE seq = 2")
    broken = tidegate("audit", "verify", "orders", "--store", str(with_reference))
    assert broken.code == 1
    assert "entry 2" in broken.out


@pytest.mark.more
def test_an_audit_that_was_emptied_or_lacks_the_entry_of_a_verdict_is_found(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, tidegate: Callable[..., Any]
) -> None:
    gated(make_orders(33), "one"), gated(make_orders(34), "two")
    verify = ("audit", "verify", "--store", str(with_reference))
    whole = tidegate(*verify, "--json")
    assert (whole.code, json.loads(whole.out)["unaudited"]) == (0, [])
    with sqlite3.connect(with_reference / "ledger.db") as connection:
        connection.execute("DELETE FROM audit WHERE batch = 'two'")
    short = tidegate(*verify)
    assert (short.code, "1 batch (two) without one for the verdict" in short.out) == (1, True)
    with sqlite3.connect(with_reference / "ledger.db") as connection:
        connection.execute("DELETE FROM audit")
    for command in (verify, (*verify, "orders")):
        emptied = tidegate(*command)
        assert (emptied.code, "2 batches (one, two)" in emptied.out) == (1, True)


@pytest.mark.more
def test_a_probe_says_what_came_of_it(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, tidegate: Callable[..., Any]
) -> None:
    signed = ("--by", "ann", "--reason", "looked at it", "--store", str(with_reference))
    gated(make_orders(33).assign(amount=-1.0), "bad")
    waits = tidegate("breaker", "probe", "orders", *signed)
    assert (waits.code, waits.out) == (0, "orders: half_open: the next batch that comes is the probe\n")
    gated(make_orders(34).assign(amount=-1.0), "bad-too")
    gated(make_orders(35), "waits")
    kept = with_reference / "orders" / "quarantine" / "waits" / "batch.parquet"
    aside = kept.rename(kept.with_name("gone"))
    pending = tidegate("breaker", "probe", "orders", *signed)
    assert (pending.code, "half_open: the probe waits has no verdict yet" in pending.out) == (1, True)
    aside.rename(kept)
    closed = tidegate("breaker", "probe", "orders", "--json", *signed)
    assert (closed.code, json.loads(closed.out)["outcome"]) == (0, "closed: batches pass")


@pytest.mark.more
def test_the_audit_is_shown_line_by_line(
    with_reference: Path, gated: Callable[..., tg.Run], make_orders: Make, tidegate: Callable[..., Any]
) -> None:
    gated(make_orders(33), "one"), gated(make_orders(34), "two")
    lines = tidegate("audit", "show", "orders", "--batch", "two", "--json", "--store", str(with_reference)).out
    found = [json.loads(line) for line in lines.splitlines()]
    assert [(entry["event"], entry["batch"], entry["format"]) for entry in found] == [("batch.published", "two", 1)]
    assert set(found[0]) == {
        "format", "seq", "at", "dataset", "event", "batch", "run", "by", "reason", "sha256", "previous"
    }  # fmt: skip
    assert "batch.published" in tidegate("audit", "show", "--store", str(with_reference)).out
    assert tidegate("audit", "show", "ordres", "--store", str(with_reference)).code == 2


def test_the_breaker_forgets_nothing_in_the_ledger(with_reference: Path, gated: Any, make_orders: Make) -> None:
    gated(make_orders(33), "one")
    with at(with_reference) as place, place.ledger.begin() as connection:
        before = breakers.load(connection, "orders").ask_probe("p", place.clock(), place.clock(), "c")
        tripped = replace(before.trip(place.clock(), "by hand"), probe="q", probe_until=place.clock())
        breakers.save(connection, "orders", tripped)
        assert breakers.load(connection, "orders") == tripped
