"""One simulated world: workers that are overtaken, killed and refused, people, and a clock that jumps.

Hypothesis decides what happens next; after each step everything that must be true is looked at.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import tidegate as tg
from tests.flows.invariants import Invariants
from tests.flows.simulation import LEASE, Clock, Killed, Worker, stepping
from tidegate_flows import by_hand, readmission
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import Ledger, audit, breakers, runs
from tidegate_flows.ledger.batches import Revision
from tidegate_flows.place import Place
from tidegate_flows.quarantine import kept
from tidegate_flows.recover import recover, sweep
from tidegate_flows.stores.local import LocalStore, sha256_of

CONTRACT = """
from datetime import timedelta
import pandera.pandas as pa
import tidegate as tg

class Rows(pa.DataFrameModel):
    key: str = pa.Field(unique=True)
    n: int = pa.Field(ge=LEAST)

contract = tg.Contract(
    name="world", version="1.0.0", owner="tests", schema=Rows, key=("key",), tolerance=0.5,
    failure_threshold=THRESHOLD, cool_down=COOL_DOWN,
)
"""
WHO = {"by": "ann", "reason": "looked at it"}
ALLOWS = {"by": "bob", "reason": "knows it"}  # what passes because he overrode the breaker bears his name
IDS = ("first", "a", "b", "c")
WORKERS = 3
WHICH = st.integers(0, WORKERS - 1)
STEPS = st.integers(0, 40)
LENGTHS = (timedelta(seconds=30), timedelta(hours=2), timedelta(days=1, seconds=1))


ACTS: dict[str, Callable[[Any, Place, int], Any]] = {
    "trip": lambda _, place, __: by_hand.trip(place, "world", **WHO),
    "probe": lambda _, place, __: by_hand.probe(place, "world", **WHO),
    "close": lambda _, place, __: by_hand.close(place, "world", **WHO),
    "override": lambda _, place, number: by_hand.override(place, "world", LENGTHS[number % 3], **ALLOWS),
    "release": lambda world, place, number: readmission.release(place, "world", world.kept_back(number), **WHO),
    "discard": lambda world, place, number: readmission.discard(place, "world", world.kept_back(number), **WHO),
    "replay": lambda world, place, number: world.replay(place, number),
    "recover": lambda _, place, __: recover(place),
    "sweep": lambda _, place, __: sweep(place),
}


def deliver(folder: Path) -> dict[Path, list[str]]:
    """A few files, and the keys of their rows: good ones, some with a row to set aside, bad ones, and one of junk."""
    files: dict[Path, list[str]] = {}
    for name, values in {
        "good-1": [1, 2], "good-2": [3, 4], "good-3": [5, 6], "good-4": [7, 8], "text": [9, 10],
        "part-1": [1, -1, 2], "part-2": [3, 4, -1], "bad-1": [-1, -1], "bad-2": [-1, -1, -1],
    }.items():  # fmt: skip
        keys = [f"{name}-{number}" for number in range(len(values))]
        table = pa.table({"key": keys, "n": values})
        path = folder / f"{name}.{'csv' if name == 'text' else 'parquet'}"
        (pc.write_csv if name == "text" else pq.write_table)(table, path)
        files[path] = keys
    (folder / "junk.parquet").write_bytes(b"PAR1 and then nothing")
    files[folder / "junk.parquet"] = []
    return files


class World(RuleBasedStateMachine):
    """The real gate, and everything that may happen to it."""

    steps: ClassVar[int] = 0
    durable: ClassVar[int] = 0
    happened: ClassVar[dict[str, int]] = {}
    since = 0  # steps since everybody was at rest

    @initialize(threshold=st.sampled_from([1, 2]), cool_down=st.sampled_from([None, "timedelta(hours=1)"]))
    def begin(self, threshold: int, cool_down: str | None) -> None:
        fast = Path("/dev/shm")  # noqa: S108 - nothing here must survive the machine's own power cut
        self.folder = Path(tempfile.mkdtemp(prefix="world", dir=fast if os.access(fast, os.W_OK) else None))
        text = CONTRACT.replace("THRESHOLD", str(threshold)).replace("COOL_DOWN", str(cool_down))
        self.strict, self.lenient = self.folder / "strict.py", self.folder / "lenient.py"
        self.strict.write_text(text.replace("LEAST", "0"))
        self.lenient.write_text(text.replace("LEAST", "-5"))
        self.contract = tg.load_contract(self.strict)
        delivered = deliver(self.folder)
        self.files = list(delivered)
        self.clock, root = Clock(), self.folder / "store"
        self.outside = Place(LocalStore.open(str(root)), Ledger.open("", root), LEASE, self.clock)
        self.workers = [Worker(root, self.clock) for _ in range(WORKERS)]
        hashes = {sha256_of(path): keys for path, keys in delivered.items()}
        self.true = Invariants(self.outside, "world", "key", hashes)
        gate_at(self.outside, self.files[0], self.contract, batch_id="first")  # people know the dataset
        self.patched = stepping()
        self.patched.__enter__()

    @property
    def idle(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.stands is None]

    @property
    def busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.stands is not None]

    def start(self, job: Callable[[Place], Any], what: str, steps: int) -> None:
        World.happened[what] = World.happened.get(what, 0) + 1
        worker = self.idle[0]
        worker.start(job)
        self.go_on(worker, steps)

    def go_on(self, worker: Worker, steps: int) -> None:
        """Let a worker take so many steps, or fewer if it ends or waits for others."""
        for _ in range(steps):
            if worker.stands in (None, "busy", "wait"):
                break
            worker.go_on()
        self.ended(worker)

    def ended(self, worker: Worker) -> None:
        """How a job may end: well, or because it must."""
        if worker.stands is not None or worker.error is None:
            return
        error, worker.error = worker.error, None
        if isinstance(error, Killed | tg.UsageError) or (isinstance(error, tg.StoreError) and worker.refused):
            return
        expected = ("was taken over by another worker", "another worker is deciding")
        if not (isinstance(error, tg.StoreError) and any(words in str(error) for words in expected)):
            raise error

    @precondition(lambda self: self.idle)
    @rule(
        job=st.sampled_from(["comes"] * 6 + ["revises"] * 2 + list(ACTS)),
        batch=st.integers(0, 19),
        file=st.integers(0, 19),
        steps=STEPS,
    )
    def something_begins(self, job: str, batch: int, file: int, steps: int) -> None:
        if job in ACTS:
            return self.start(lambda place: ACTS[job](self, place, batch), job, steps)
        path, name = self.files[file % len(self.files)], IDS[batch % len(IDS)]
        as_table = file >= len(self.files) and path.suffix == ".parquet" and path.name != "junk.parquet"
        delivery: Any = pq.read_table(path) if as_table else path
        signed = {"revision": Revision(**WHO)} if job == "revises" else {}
        return self.start(lambda place: gate_at(place, delivery, self.contract, batch_id=name, **signed), job, steps)

    def kept_back(self, batch: int) -> str:
        """One of the batches that are kept back, if there is any."""
        names = [item["batch"] for item in kept(self.outside, "world")] or IDS
        return names[batch % len(names)]

    def replay(self, place: Place, batch: int) -> Any:
        contract = self.lenient if batch % 3 else self.strict
        return readmission.replay(place, "world", self.kept_back(batch), contract=contract, **WHO)

    @precondition(lambda self: self.busy)
    @rule(which=WHICH, steps=st.one_of(STEPS, st.just(1000)))
    def a_worker_goes_on(self, which: int, steps: int) -> None:
        worker = self.busy[which % len(self.busy)]
        worker.go_on()
        self.go_on(worker, steps)

    @precondition(lambda self: self.busy)
    @rule(which=WHICH, steps=st.integers(0, 12))
    def a_worker_is_killed(self, which: int, steps: int) -> None:
        worker = self.busy[which % len(self.busy)]
        self.go_on(worker, steps)
        if worker.stands is None:
            return
        key = f"killed before {worker.stands}"
        World.happened[key] = World.happened.get(key, 0) + 1
        worker.kill()
        self.ended(worker)

    @precondition(lambda self: self.busy)
    @rule(which=WHICH, steps=st.integers(0, 12))
    def a_disk_or_a_ledger_refuses(self, which: int, steps: int) -> None:
        worker = self.busy[which % len(self.busy)]
        self.go_on(worker, steps)
        if worker.stands is None:
            return
        World.happened["refused"] = World.happened.get("refused", 0) + 1
        worker.refuse()
        self.ended(worker)

    @rule(seconds=st.sampled_from([1, 59, 61, 3601, 86_400, -3600, -86_400]))
    def time_passes_or_jumps(self, seconds: int) -> None:
        self.clock.wait(seconds)

    @precondition(lambda self: self.since > 12)
    @rule()
    def everybody_comes_to_rest(self) -> None:
        self.since = 0
        self.settle()
        self.true.look_at_rest()

    def settle(self) -> None:
        """All go on in turn; where they only wait for the dead, time passes until the leases of the dead end."""
        for turn in range(1, 2000):
            for worker in self.busy:
                worker.go_on()
                self.ended(worker)
            if not self.busy:
                break
            if turn % 100 == 0:  # the clock may have gone back since
                self.clock.wait(LEASE * 2 ** (turn // 100))
        assert not self.busy, "they wait for each other for ever"
        recover(self.outside)

    @invariant()
    def what_must_be_true_is_true(self) -> None:
        World.steps += 1
        self.since += 1
        if hasattr(self, "true"):
            self.true.look()

    def teardown(self) -> None:
        if not hasattr(self, "true"):
            return
        try:
            self.settle()
            self.true.look_at_rest()
        finally:
            for worker in self.workers:
                World.durable += worker.steps
                worker.close()
            self.patched.__exit__(None, None, None)
            self.outside.ledger.close()
            shutil.rmtree(self.folder)


def let_it_happen(worlds: int, steps: int, **how: Any) -> None:
    """Let so many worlds take so many steps each, and count them."""
    World.steps, World.durable, World.happened = 0, 0, {}
    run_state_machine_as_test(
        World,
        settings=settings(
            max_examples=worlds,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            **how,
        ),
    )


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which one decides oneself what happens; at its end what must be true is."""
    made = World()
    made.begin(threshold=1, cool_down=None)
    yield made
    made.teardown()


def go_to(worker: Worker, where: str) -> None:
    """Let a worker go on to where it stops before something of this kind."""
    while worker.stands != where:
        assert worker.stands is not None, worker.error
        worker.go_on()


def delivery(world: World, name: str, batch: str) -> Callable[[Place], tg.Run]:
    path = next(path for path in world.files if path.stem == name)
    return lambda place: gate_at(place, path, world.contract, batch_id=batch)


@pytest.mark.parametrize("second", ["bad-2", "good-2"])
def test_other_bytes_wait_until_what_was_decided_under_their_id_is_in_its_place(world: World, second: str) -> None:
    first, other = world.workers[:2]
    first.start(delivery(world, "bad-1", "x"))
    other.start(delivery(world, second, "x"))
    go_to(other, "write")  # it has looked at what is left to recover, and is about to claim
    go_to(first, "lock")  # decided on, and no file moved
    first.kill()
    world.settle()
    world.true.look_at_rest()
    with world.outside.ledger.read() as connection:
        row = runs.speaking_for(connection, "world", "x")
    assert row is not None
    kept_bytes = world.outside.store.place("world", "quarantine") / "x" / "batch.parquet"
    assert sha256_of(kept_bytes) == row.sha256 == sha256_of(world.folder / f"{second}.parquet")


def test_a_replay_is_no_probe(world: World) -> None:
    world.workers[0].start(delivery(world, "bad-1", "x"))
    world.settle()
    world.workers[0].start(delivery(world, "good-2", "y"))
    world.settle()
    asked = world.workers[0]
    asked.start(lambda place: by_hand.probe(place, "world", **WHO))
    go_to(asked, "commit")
    go_to(asked, "read")  # the breaker waits for y as its probe
    asked.kill()
    replayed = world.workers[1]
    replayed.start(lambda place: readmission.replay(place, "world", "y", **WHO))
    world.settle()
    assert replayed.result.decision is tg.Decision.HOLD, "it moves no breaker, so it passes none"


def to_its_end(world: World, worker: Worker) -> None:
    """Let one worker do all that it has begun."""
    world.go_on(worker, 10_000)
    assert worker.stands is None, worker.stands


def past(worker: Worker, where: str) -> None:
    """Let a worker go to a step of this kind, and take it."""
    go_to(worker, where)
    worker.go_on()


def happened(world: World) -> list[tuple[str, str | None]]:
    """The audit, without who and why."""
    with world.outside.ledger.read() as connection:
        return [(entry["event"], entry["batch"]) for entry in audit.entries(connection, "world")]


@pytest.mark.parametrize("opens", [True, False])
def test_a_replay_publishes_nothing_once_somebody_has_opened_the_breaker(world: World, opens: bool) -> None:
    one, other = world.workers[:2]
    one.start(delivery(world, "part-1", "x"))
    to_its_end(world, one)
    one.start(lambda place: readmission.replay(place, "world", "x", contract=world.lenient, **WHO))
    past(one, "commit")  # it has seen a closed breaker, and claimed the batch
    other.start(delivery(world, "bad-1" if opens else "good-2", "y"))
    to_its_end(world, other)
    to_its_end(world, one)
    world.true.look_at_rest()
    assert (("batch.replayed", "x") in happened(world)) is not opens


@pytest.mark.parametrize("first", ["bad-2", "good-3"])
def test_nobody_passes_over_a_held_batch_that_another_worker_is_at(world: World, first: str) -> None:
    one, other = world.workers[:2]
    lenient, bad = tg.load_contract(world.lenient), world.files
    one.start(delivery(world, "bad-1", "x"))
    to_its_end(world, one)
    path = next(path for path in bad if path.stem == first)
    one.start(lambda place: gate_at(place, path, lenient, batch_id="h1"))
    to_its_end(world, one)
    for name, batch in (("good-2", "h2"), ("good-4", "h3")):
        one.start(delivery(world, name, batch))
        to_its_end(world, one)
    one.start(lambda place: by_hand.close(place, "world", **WHO))
    past(one, "commit")  # it is closed
    past(one, "commit")  # and the first of them is claimed
    other.start(delivery(world, "text", "new"))
    to_its_end(world, other)
    to_its_end(world, one)
    world.true.look_at_rest()
    told = [item for item in happened(world) if item[1] in ("h1", "h2", "h3")][3:]
    if first == "bad-2":
        assert told[0] == ("batch.quarantined", "h1")
        assert not [item for item in told if item[0] == "batch.released"], "what comes behind it waits"
        return
    assert [item for item in told if item[0] == "batch.released"] == [("batch.released", f"h{n}") for n in (1, 2, 3)]
    with world.outside.ledger.read() as connection:
        assert runs.first_held(connection, "world") is None, "nothing is left behind a breaker that is closed"


def test_a_probe_that_another_worker_is_at_is_waited_for_without_another_verdict(world: World) -> None:
    one, other = world.workers[:2]
    for name, batch in (("bad-1", "x"), ("good-2", "h1"), ("good-3", "h2")):
        one.start(delivery(world, name, batch))
        to_its_end(world, one)
    one.start(lambda place: by_hand.probe(place, "world", **WHO))
    past(one, "commit")
    past(one, "commit")  # the probe is claimed
    other.start(delivery(world, "good-4", "new"))
    to_its_end(world, other)
    to_its_end(world, one)
    world.true.look_at_rest()
    assert happened(world).count(("batch.held", "h2")) == 1
    with world.outside.ledger.read() as connection:
        assert runs.first_held(connection, "world") is None


@pytest.mark.parametrize("act", ["release", "replay", "discard", "revision"])
def test_whoever_is_at_the_first_held_batch_goes_on_when_somebody_closes_meanwhile(world: World, act: str) -> None:
    one, other = world.workers[:2]
    for name, batch in (("bad-1", "x"), ("good-2", "h1"), ("good-3", "h2")):
        one.start(delivery(world, name, batch))
        to_its_end(world, one)
    path = next(path for path in world.files if path.stem == "good-4")
    acts: dict[str, Callable[[Place], Any]] = {
        "release": lambda place: readmission.release(place, "world", "h1", **WHO),
        "replay": lambda place: readmission.replay(place, "world", "h1", **WHO),
        "discard": lambda place: readmission.discard(place, "world", "h1", **WHO),
        "revision": lambda place: gate_at(place, path, world.contract, batch_id="h1", revision=Revision(**WHO)),
    }
    one.start(acts[act])
    past(one, "commit")  # it is claimed
    other.start(lambda place: by_hand.close(place, "world", **WHO))
    to_its_end(world, other)
    to_its_end(world, one)
    world.true.look_at_rest()
    with world.outside.ledger.read() as connection:
        assert runs.first_held(connection, "world") is None, "nothing is left behind a breaker that is closed"


def test_a_probe_that_was_asked_for_is_waited_for_also_by_an_older_batch(world: World) -> None:
    one, other = world.workers[:2]
    for name, batch in (("bad-1", "x"), ("good-2", "h1"), ("good-3", "h2")):
        one.start(delivery(world, name, batch))
        to_its_end(world, one)
    with world.outside.ledger.begin() as connection:
        now = world.clock()
        asked = breakers.load(connection, "world").ask_probe("h2", now, now + timedelta(seconds=LEASE), "eve: x")
        breakers.save(connection, "world", asked)
        audit.append(connection, "world", "breaker.half_open", at=now, by="eve", reason="x")
    other.start(delivery(world, "good-4", "new"))
    to_its_end(world, other)
    assert happened(world).count(("batch.held", "h1")) == 1, "it is not its turn"


def test_a_batch_that_is_held_while_somebody_closes_is_not_left_behind(world: World) -> None:
    one, other = world.workers[:2]
    one.start(delivery(world, "bad-1", "x"))
    to_its_end(world, one)
    one.start(delivery(world, "good-2", "late"))
    past(one, "commit")  # claimed
    other.start(lambda place: by_hand.close(place, "world", **WHO))
    go_to(other, "write")  # it has recovered what there was
    past(one, "commit")  # held, and its file is not in place
    to_its_end(world, other)
    to_its_end(world, one)
    world.true.look_at_rest()
    with world.outside.ledger.read() as connection:
        assert runs.first_held(connection, "world") is None


def test_a_clock_set_forward_sweeps_nothing_that_somebody_is_about_to_commit(world: World) -> None:
    one, other = world.workers[:2]
    one.start(delivery(world, "good-2", "x"))
    past(one, "commit")  # claimed
    go_to(one, "commit")  # decided, and its file is prepared
    world.clock.wait(86_400)
    other.start(sweep)
    world.go_on(other, 100)  # until it is done, or waits for the one that writes
    world.settle()
    world.true.look_at_rest()
    assert ("batch.published", "x") in happened(world)


def test_what_passes_under_an_override_is_written_down_with_the_time_it_was_decided_at(world: World) -> None:
    one = world.workers[0]
    one.start(delivery(world, "bad-1", "x"))
    to_its_end(world, one)
    one.start(lambda place: by_hand.override(place, "world", timedelta(hours=2), **ALLOWS))
    to_its_end(world, one)
    one.start(delivery(world, "good-2", "y"))
    past(one, "commit")  # claimed
    past(one, "write")
    world.clock.wait(86_400)  # the override ends between the decision and its commit
    to_its_end(world, one)
    world.true.look_at_rest()
    assert ("batch.published", "y") in happened(world)


@pytest.mark.slow
def test_whatever_happens_in_whatever_order_what_must_be_true_is_true() -> None:
    let_it_happen(worlds=16, steps=40, derandomize=True)
    assert World.steps >= 300
