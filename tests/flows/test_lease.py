"""The lease: how long a claimed batch is left to its worker; and how long the stages of a run took."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter, sleep
from uuid import uuid4

import pandas as pd
import pytest

import tidegate as tg
from tidegate_contracts.batch import Source
from tidegate_flows import by_hand
from tidegate_flows.doctor import examine
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import batches, counters, runs
from tidegate_flows.ledger.batches import Busy, Claim, Decided, Revision
from tidegate_flows.ledger.runs import Recorded
from tidegate_flows.place import LONGEST_LEASE, RECENT_RUNS, Place, at
from tidegate_flows.recover import sweep
from tidegate_flows.rejudge import claimed
from tidegate_flows.settings import resolve
from tidegate_flows.stores.local import sha256_of
from tidegate_monitors.metrics import STAGES

Make = Callable[..., pd.DataFrame]


@pytest.fixture
def place(store: Path, contract: tg.Contract, make_orders: Make) -> Iterator[Place]:
    """A place where one batch of orders was gated, in no time."""
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    with at(store) as here:
        yield here


def ran(place: Place, seconds: float, dataset: str = "orders", times: int = 1) -> None:
    """Write down runs that took so long."""
    with place.ledger.begin() as connection:
        row = runs.current(connection, "orders")[0]
        run = tg.Run.from_dict(json.loads(row.document))
        for _ in range(times):
            other = replace(run, id=str(uuid4()), dataset=dataset, batch=str(uuid4()), seconds=seconds)
            source = Source("a", ".parquet", "0" * 64, 1)
            runs.add(connection, Recorded(other, other.batch, source, None, (), (), (), place.seconds))


def lease(place: Place, dataset: str | None = "orders") -> float:
    with place.ledger.read() as connection:
        return place.lease_for(connection, dataset)


def test_it_is_a_minute_at_least_and_twice_the_longest_of_the_last_runs(place: Place) -> None:
    assert lease(place) == 60
    ran(place, 45.0)
    ran(place, 20.0)
    assert lease(place) == 90
    assert lease(place, "other") == 60, "each dataset has its own"
    ran(place, 700.0, "other")
    assert (lease(place), lease(place, None)) == (90, 1400)
    ran(place, 31.0, times=RECENT_RUNS)
    assert lease(place) == 62, "what took long long ago is forgotten"


def test_it_is_an_hour_at_most_unless_somebody_sets_more(place: Place) -> None:
    ran(place, 5_000.0)
    assert lease(place) == LONGEST_LEASE == 3600
    assert lease(replace(place, lease=7_200.0, learns_lease=False)) == 7_200


def test_waiting_for_a_worker_that_died_and_releasing_other_batches_is_no_work_on_this_one(
    place: Place, contract: tg.Contract, make_orders: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.parquet"
    make_orders(2).to_parquet(path, index=False)
    with place.ledger.begin() as connection:  # a worker claims it and is killed
        dead = batches.claim(connection, "orders", "b", sha256_of(path), now=place.seconds, lease=1.5)
    assert isinstance(dead, Claim)
    monkeypatch.setattr("tidegate_flows.gate.release_due", lambda *_: sleep(1.5))
    began = perf_counter()
    run = gate_at(place, path, contract)
    assert perf_counter() - began > 3
    assert run.seconds < 1.5
    with place.ledger.read() as connection:
        totals = list(counters.totals(connection))
    stages = [value for name, _, _, value in totals if name == "stage_duration_seconds_sum"]
    assert max(stages) < 1.5


def test_what_somebody_set_holds_and_the_doctor_says_whose_word_it_is(
    place: Place, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(place, 500.0)
    said = {item.what: item.found for item in examine(resolve(store=store))}
    assert said["setting lease"] == "twice the longest recent run, at least 60, at most 3600 (default)"
    monkeypatch.setenv("TIDEGATE_LEASE", "7")
    with at(store) as fixed:
        assert lease(fixed) == 7
    said = {item.what: item.found for item in examine(resolve(store=store))}
    assert said["setting lease"] == "7 (TIDEGATE_LEASE)"
    monkeypatch.setenv("TIDEGATE_LEASE", "soon")
    with pytest.raises(tg.UsageError, match="1 to 86400 seconds"), at(store):
        pass


def test_claims_are_left_to_their_worker_for_as_long_as_runs_take(
    place: Place, contract: tg.Contract, make_orders: Make
) -> None:
    ran(place, 100.0)
    with place.ledger.read() as connection:
        row = runs.speaking_for(connection, "orders", "a")
    with claimed(place, row), place.ledger.begin() as connection:
        for seconds, kind in ((190, Busy), (201, Claim)):
            later = place.seconds + seconds
            assert isinstance(batches.reclaim(connection, "orders", "a", now=later, lease=200), kind)


@pytest.mark.parametrize("asks", [60.0, 1.0], ids=["the learnt lease shrank", "another TIDEGATE_LEASE"])
def test_a_claim_lasts_as_long_as_it_was_made_for_whatever_the_lease_of_whoever_asks(
    place: Place, make_orders: Make, contract: tg.Contract, asks: float
) -> None:
    ran(place, 900.0)
    with place.ledger.begin() as connection:
        now, made = place.seconds, place.lease_for(connection, "orders")
        first = batches.claim(connection, "orders", "slow", "0" * 64, now=now, lease=made)
    assert (isinstance(first, Claim), made) == (True, 1800)
    ran(place, 1.0, times=RECENT_RUNS)
    assert lease(place) == 60
    for seconds, kind in ((60, Busy), (1799, Busy), (1801, Claim)):
        with place.ledger.begin() as connection:
            asked = batches.claim(connection, "orders", "slow", "0" * 64, now=now + seconds, lease=asks)
        assert isinstance(asked, kind), seconds
    with place.ledger.begin() as connection:  # a claim that was taken over lasts as long as the one who took it says
        later = batches.claim(connection, "orders", "slow", "0" * 64, now=now + 1801 + asks + 1, lease=asks)
    assert isinstance(later, Claim)


@pytest.mark.parametrize("revised", [False, True])
def test_what_is_judged_again_or_revised_is_left_to_its_worker_for_that_worker_s_lease(
    place: Place, revised: bool
) -> None:
    with place.ledger.begin() as connection:
        now, revision = place.seconds, Revision("ann", "why") if revised else None
        if revised:
            first = batches.claim(connection, "orders", "a", "f" * 64, now=now, lease=900, revision=revision)
        else:
            first = batches.reclaim(connection, "orders", "a", now=now, lease=900)
        assert isinstance(first, Claim)
        for seconds, kind in ((100, Busy), (899, Busy), (901, Claim)):
            assert isinstance(batches.reclaim(connection, "orders", "a", now=now + seconds, lease=60), kind)


def test_a_probe_that_waits_has_the_lease_for_its_verdict(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    with at(store) as place:
        by_hand.trip(place, "orders", by="ann", reason="a rumour")
        tg.gate(make_orders(2), path, store=store, batch_id="waits")
        ran(place, 100.0)
        with place.ledger.begin() as connection:  # another worker is at it
            assert isinstance(batches.reclaim(connection, "orders", "waits", now=place.seconds, lease=60), Claim)
        breaker, released = by_hand.probe(place, "orders", by="ann", reason="try it")
        assert (breaker.probe, released, breaker.probe_until is None) == ("waits", [], False)
        assert breaker.probe_until is not None
        assert 190 < breaker.probe_until.timestamp() - place.seconds <= 200


def test_a_workspace_outlives_ten_leases_of_the_slowest_dataset(place: Place) -> None:
    left = place.store.staging / "left"
    left.mkdir()
    ran(place, 500.0, "other")
    for age, swept in ((9_000, 0), (11_000, 1)):
        os.utime(left, (place.seconds - age,) * 2)
        assert sweep(place) == swept


def test_a_workspace_that_goes_while_it_is_looked_at_is_nobody_s_fault(place: Place) -> None:
    old = place.store.staging / "old"
    old.mkdir()
    os.utime(old, (place.seconds - 11_000,) * 2)
    (place.store.staging / "gone").symlink_to("nowhere")  # in the listing, and not there when it is asked for its age
    assert sweep(place) == 1
    assert not old.exists()


def test_the_stages_of_a_run_are_counted_and_add_up_to_no_more_than_the_run(
    with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    first = tg.gate(make_orders(30), contract, store=with_reference, batch_id="a")
    tg.gate(make_orders(30), contract, store=with_reference, batch_id="a")
    second = tg.gate(make_orders(31), contract, store=with_reference, batch_id="b")
    with at(with_reference) as place, place.ledger.read() as connection:
        found = {(name, labels.get("stage")): value for name, _, labels, value in counters.totals(connection)}
    sums = [found["stage_duration_seconds_sum", stage] for stage in STAGES]
    assert all(seconds > 0 for seconds in sums)
    assert 0.5 * (first.seconds + second.seconds) < sum(sums) <= first.seconds + second.seconds
    assert {found["stage_duration_seconds_count", stage] for stage in STAGES} == {2}, "a repeated batch has no stages"


def test_an_unreadable_batch_has_the_stages_that_it_came_through(
    tmp_path: Path, store: Path, contract: tg.Contract
) -> None:
    path = tmp_path / "torn.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    tg.gate(path, contract, store=store)
    with at(store) as place, place.ledger.read() as connection:
        counted = {
            labels["stage"] for name, _, labels, _ in counters.totals(connection) if name.endswith("sum") and labels
        }
    assert counted == {"stage", "decode", "commit"}


def test_overrides_are_counted_when_somebody_signs_one(place: Place) -> None:
    by_hand.trip(place, "orders", by="ann", reason="a rumour")
    by_hand.override(place, "orders", timedelta(hours=1), by="ann", reason="we need it")
    with place.ledger.read() as connection:
        found = {name: value for name, _, _, value in counters.totals(connection)}
    assert found["overrides_total"] == 1


def test_a_claim_from_before_the_clock_was_set_back_is_taken_over_and_the_late_one_is_refused(store: Path) -> None:
    day = 86_400.0
    with at(store) as place:

        def asked(now: float) -> Claim | Decided | Busy:
            with place.ledger.begin() as connection:
                return batches.claim(connection, "orders", "a", "0" * 64, now=now, lease=60)

        first, again, put_right, later = (asked(moment) for moment in (2 * day, 2 * day + 30, 2 * day - 2, day))
        assert isinstance(first, Claim)
        assert isinstance(again, Busy), "within the lease"
        assert isinstance(put_right, Busy), "a clock that goes back by seconds costs nobody a claim"
        assert isinstance(later, Claim), "a day earlier by the clock"
        with pytest.raises(tg.StoreError), place.ledger.begin() as connection:
            batches.settle(connection, first, "0" * 36)
