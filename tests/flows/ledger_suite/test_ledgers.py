"""What every ledger promises, whatever database it is kept in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from tidegate_contracts.batch import Source, Window
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.ledger import (
    Ledger,
    audit,
    batches,
    breakers,
    cohorts,
    counters,
    label_reports,
    references,
    runs,
    schema,
    streams,
)
from tidegate_flows.ledger.batches import Busy, Claim, Decided
from tidegate_flows.ledger.runs import Move, Recorded
from tidegate_monitors.breaker import Breaker, Decision, Override, State
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.run import Rows, Run
from tidegate_monitors.stream import Stream
from tidegate_monitors.tally import Tally

NOW = datetime(2024, 4, 1, 12, tzinfo=UTC)
Open = Callable[[], Ledger]


def a_run(batch: str = "a", decision: Decision = Decision.PUBLISH, rows: int = 10) -> Run:
    where = {Decision.PUBLISH: "published", Decision.QUARANTINE: "quarantined", Decision.HOLD: "held"}[decision]
    return Run(
        id=str(uuid4()),
        dataset="orders",
        batch=batch,
        contract_version="1.0.0",
        contract_sha256="c" * 64,
        decision=decision,
        state=State.CLOSED,
        verified=True,
        counts=Rows(rows, **{where: rows}),
        findings=(),
        reference=None,
        at=NOW,
        window=Window(NOW - timedelta(hours=1), NOW),
        seconds=0.5,
    )


def recorded(run: Run, *moves: Move) -> Recorded:
    source = Source("böse '; --.parquet", ".parquet", "5" * 64, 3_000_000_000)
    return Recorded(run, run.batch, source, None, (), moves, ("orders/published/a.parquet",), NOW.timestamp())


def test_a_batch_is_claimed_by_one_until_the_lease_ends(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        first = batches.claim(connection, "orders", "a", "00", now=100.0, lease=60.0)
    with ledger.begin() as connection:
        second = batches.claim(connection, "orders", "a", "00", now=130.5, lease=60.0)
    with ledger.begin() as connection:
        third = batches.claim(connection, "orders", "a", "00", now=160.0, lease=60.0)
    assert first == Claim("orders", "a", "00", 1)
    assert second == Busy(29.5)
    assert third == Claim("orders", "a", "00", 2)


def test_of_two_claims_only_the_later_one_settles(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        zombie = batches.claim(connection, "orders", "a", "00", now=0.0, lease=1.0)
    with ledger.begin() as connection:
        owner = batches.claim(connection, "orders", "a", "00", now=5.0, lease=1.0)
    assert isinstance(zombie, Claim)
    assert isinstance(owner, Claim)

    def settle_late(late: Claim) -> None:
        with ledger.begin() as connection:
            audit.append(connection, "orders", "batch.published", at=NOW, batch="a")
            batches.settle(connection, late, "late")

    with pytest.raises(StoreError, match="taken over"):
        settle_late(zombie)
    run = a_run()
    with ledger.begin() as connection:
        batches.give_up(connection, zombie)  # changes nothing either
        batches.settle(connection, owner, run.id)
        runs.add(connection, recorded(run))
        assert batches.claim(connection, "orders", "a", "00", now=6.0, lease=1.0) == Decided(run.id)
        assert audit.lengths(connection) == {}, "what is refused leaves nothing"


def test_a_run_is_given_back_as_it_was_written_and_the_last_one_speaks(ledger: Ledger) -> None:
    first, second = a_run(), a_run(decision=Decision.QUARANTINE, rows=3)
    with ledger.begin() as connection:
        runs.add(connection, recorded(first, Move("s", "t", "0" * 64)))
        runs.add(connection, recorded(second, Move("u", "v", until="u")))
    with ledger.read() as connection:
        assert [row.run for row in runs.history(connection, "orders")] == [first.id, second.id]
        speaking = runs.speaking_for(connection, "orders", "a")
        assert speaking is not None
        assert (speaking.run, speaking.rows, speaking.event_end) == (second.id, 3, NOW.timestamp())
        assert runs.source_of(speaking) == Source("böse '; --.parquet", ".parquet", "5" * 64, 3_000_000_000)
        assert [(run, moves) for run, _, moves in runs.unmoved(connection, "orders")] == [
            (first.id, [Move("s", "t", "0" * 64)]),
            (second.id, [Move("u", "v", until="u")]),
        ]
        assert runs.summary(connection, "orders").quarantined == 1
        assert runs.summary(connection, "none").oldest is None
    with ledger.begin() as connection:
        runs.mark_moved(connection, first.id)
        assert [run for run, *_ in runs.unmoved(connection)] == [second.id]


def test_two_runs_never_speak_for_one_batch(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        for _ in range(2):
            runs.add(connection, recorded(a_run()))
    with pytest.raises(StoreError) as caught, ledger.begin() as connection:
        connection.execute(update(schema.runs).values(superseded=False))
    assert isinstance(caught.value.__cause__, IntegrityError)


def test_breakers_keep_every_field(ledger: Ledger) -> None:
    breaker = Breaker(
        State.HALF_OPEN,
        3,
        NOW,
        "batch ü",
        "b",
        NOW + timedelta(microseconds=1),
        Override(NOW + timedelta(days=1), "ana", "we know"),
    )
    with ledger.begin() as connection:
        assert breakers.load(connection, "orders") == Breaker()
        breakers.save(connection, "orders", breaker)
        breakers.save(connection, "other", replace(breaker, override=None, probe=None, probe_until=None))
        breakers.save(connection, "orders", breaker)
    with ledger.read() as connection:
        found = breakers.all_of(connection)
    assert found["orders"] == breaker
    assert found["other"].override is None
    assert list(found) == ["orders", "other"]


def test_counters_add_up_by_name_and_labels(ledger: Ledger) -> None:
    for amount in (1.0, 2.5):
        with ledger.begin() as connection:
            counters.bump(connection, "rows_total", "orders", amount)
            counters.bump(connection, "findings_total", "orders", check="drift", severity="warning")
    with ledger.read() as connection:
        assert list(counters.totals(connection)) == [
            ("findings_total", "orders", {"check": "drift", "severity": "warning"}, 2.0),
            ("rows_total", "orders", {}, 3.5),
        ]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (update(schema.audit).where(schema.audit.c.seq == 3).values(reason="another"), 3),
        (update(schema.audit).where(schema.audit.c.seq == 2).values(by=None), 2),
        (delete(schema.audit).where(schema.audit.c.seq == 2), 2),
    ],
)
def test_the_chain_of_the_audit_shows_what_was_changed_or_removed(ledger: Ledger, change: object, broken: int) -> None:
    with ledger.begin() as connection:
        for number in range(4):
            at = NOW + timedelta(seconds=number, microseconds=number)
            audit.append(connection, "orders", "batch.published", at=at, batch=f"b{number}", by="ü\u2028", reason="…")
        audit.append(connection, "other", "breaker.opened", at=NOW)
    with ledger.read() as connection:
        chain = audit.verify(connection, "orders")
        assert (chain.entries, chain.first_break) == (4, None)
        assert audit.heads(connection)["orders"] == chain.head
        assert audit.lengths(connection) == {"orders": 4, "other": 1}
    with ledger.begin() as connection:
        connection.execute(change)  # type: ignore[call-overload] # one of several statements
    with ledger.read() as connection:
        assert audit.verify(connection, "orders").first_break == broken
        assert audit.verify(connection, "other").first_break is None


def test_cohorts_are_kept_in_the_order_of_their_windows(ledger: Ledger) -> None:
    def cohort(batch: str, settled: int = 10) -> Cohort:
        tally = Tally((), np.ones((1, 2, Tally.empty(2).table.shape[-1])))
        window = Window(NOW, NOW + timedelta(days=1))
        return Cohort(batch, window, 10, settled, 5, 1, (0.5,), MappingProxyType({WHOLE: tally}))

    with ledger.begin() as connection:
        assert cohorts.labelled_last(connection, "orders") is None
        for number, batch in enumerate(["b", "c", "a"]):
            cohorts.save(connection, "orders", cohort(batch), ended=100.0 + number, joined_at=7.25)
        cohorts.save(connection, "orders", cohort("c", 2), ended=101.0, joined_at=8.5)
    with ledger.read() as connection:
        assert [item.batch for item in cohorts.load(connection, "orders")] == ["b", "c", "a"]
        assert [item.batch for item in cohorts.load(connection, "orders", limit=1)] == ["a"]
        found = cohorts.find(connection, "orders", "c")
        assert found is not None
        assert found.to_dict() == cohort("c", 2).to_dict()
        assert cohorts.labelled_last(connection, "orders") == 8.5
        assert len(cohorts.positive_shares(connection, "orders", settled=0.5, limit=9)) == 2


def test_label_reports_and_streams_are_replaced_whole(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        assert label_reports.load(connection, "orders") is None
        for at in (1.5, 2.5):
            document = {"biases": [{"bias": 0.1 + at}], "maturity": {"share": 0.5}, "batches": ["d1"]}
            assert label_reports.save(connection, "orders", document, at=at)
            assert not label_reports.save(connection, "orders", document, at=at + 1)
        early = {"biases": [], "maturity": {"share": 0.25}, "batches": []}
        assert not label_reports.save(connection, "orders", early, at=9.0)
        streams.save(connection, "orders", Stream.fresh("r1"), 12.5, {"amount": 1e-300})
        streams.save(connection, "orders", Stream.fresh("r2"), None, {"amount": 0.1 + 0.2})
    with ledger.read() as connection:
        kept = label_reports.load(connection, "orders")
        assert kept is not None
        assert (kept.document, kept.at, kept.share) == (document, 2.5, 0.25), "what judges nothing leaves it standing"
        assert streams.load(connection, "orders", "r2") == (Stream.fresh("r2"), None)
        assert streams.load(connection, "orders", "r1")[1] is None
        assert streams.ratios(connection, "orders") == {"amount": 0.1 + 0.2}


def test_the_reference_approved_last_is_in_force(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        for sha in ("aa", "bb"):
            references.add(connection, "orders", sha, 20, NOW)
            references.approve(connection, "orders", sha, by="ana", reason="good", at=NOW)
        references.approve(connection, "orders", "a", by="ana", reason="after all", at=NOW)
    with ledger.read() as connection:
        assert references.in_force(connection, "orders") == "aa"
        assert audit.lengths(connection) == {"orders": 3}


def test_what_only_reads_cannot_write(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        counters.bump(connection, "tries", "orders")
    with pytest.raises(StoreError), ledger.read() as connection:
        counters.bump(connection, "tries", "orders")
    with ledger.begin() as connection:  # the same connection, and it may again
        counters.bump(connection, "tries", "orders")
    with ledger.read() as connection:
        assert [value for *_, value in counters.totals(connection)] == [2.0]


def test_reading_waits_for_no_writer_and_sees_one_state(open_ledger: Open) -> None:
    one, other = open_ledger(), open_ledger()
    with one.begin() as connection:
        counters.bump(connection, "tries", "orders")
        with other.read() as reading:
            assert list(counters.totals(reading)) == []
    with other.read() as reading:
        before = list(counters.totals(reading))
        with one.begin() as connection:
            counters.bump(connection, "tries", "orders")
        assert list(counters.totals(reading)) == before
        assert len(before) == 1
        open_ledger()  # opening waits for nobody either


def test_nothing_of_a_transaction_that_failed_is_kept(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.begin() as connection:
            counters.bump(connection, "tries", "orders")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with ledger.read() as connection:
        assert list(counters.totals(connection)) == []


def test_no_update_is_lost_between_four_processes(open_ledger: Open, ledger_url: str, tmp_path: Path) -> None:
    open_ledger()
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tidegate_flows.ledger import Ledger, counters\n"
        "ledger = Ledger.open(sys.argv[1], Path(sys.argv[2]))\n"
        "for _ in range(60):\n"
        "    with ledger.begin() as connection:\n"
        "        value = sum(value for *_, value in counters.totals(connection))\n"  # read, then written whole
        "        connection.exec_driver_sql('DELETE FROM counters')\n"
        "        counters.bump(connection, 'tries', 'orders', value + 1)\n"
    )
    command = [sys.executable, "-c", program, ledger_url, str(tmp_path)]
    workers = [subprocess.Popen(command) for _ in range(4)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0, 0, 0]
    with open_ledger().read() as connection:
        assert [value for *_, value in counters.totals(connection)] == [240.0]


def test_two_first_starts_at_once_make_one_ledger(open_ledger: Open) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_ledger(), range(4)))
    for item in opened:
        with item.read() as connection:
            assert connection.execute(text("SELECT version FROM ledger_format")).all() == [(schema.FORMAT,)]


@pytest.mark.parametrize(("version", "word"), [(99, "a newer tidegate"), (0, "an older tidegate")])
def test_a_ledger_of_another_format_is_refused(open_ledger: Open, version: int, word: str) -> None:
    with open_ledger().begin() as connection:
        connection.execute(update(schema.ledger_format).values(version=version))
        connection.execute(text("DROP TABLE streams"))
    for _ in range(2):
        with pytest.raises(StoreError, match=word):
            open_ledger()


def test_what_must_exist_is_not_made(ledger_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match="no ledger here"):
            Ledger.open(ledger_url, tmp_path, must_exist=True)
    Ledger.open(ledger_url, tmp_path).close()
    Ledger.open(ledger_url, tmp_path, must_exist=True).close()


def test_files_are_moved_by_one_worker_at_a_time(open_ledger: Open, ledger_url: str) -> None:
    if not ledger_url:
        pytest.skip("a ledger in a file has one host, whose store has a lock of its own")
    one, other, order = open_ledger(), open_ledger(), []
    with ThreadPoolExecutor(1) as pool:

        def wait() -> None:
            with other.alone_with_files():
                order.append("second")

        with one.alone_with_files(), one.begin() as connection:  # writing is another matter
            counters.bump(connection, "tries", "orders")
            later = pool.submit(wait)
            with pytest.raises(TimeoutError):
                later.result(timeout=0.3)
            order.append("first")
        later.result(timeout=10)
    assert order == ["first", "second"]
