"""Revisions: other bytes under a known id, signed for, take the place of what was published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import tidegate as tg
from tidegate_flows import by_hand, quarantine, readmission
from tidegate_flows.cli.app import app
from tidegate_flows.cli.exits import run as main
from tidegate_flows.ledger import audit, batches, runs, streams
from tidegate_flows.ledger.batches import Busy, Claim, Revision
from tidegate_flows.place import at
from tidegate_flows.recover import recover

Make = Callable[..., pd.DataFrame]
SIGNED: dict[str, Any] = {"supersede": True, "by": "ann", "reason": "the source corrected it"}


def names(store: Path, kind: str = "published") -> set[str]:
    return {path.name for path in (store / "orders" / kind).glob("*")}


def told(store: Path) -> list[tuple[str, str | None, str | None, str | None]]:
    with at(store) as place, place.ledger.read() as connection:
        assert audit.verify(connection, "orders").holds
        found = audit.entries(connection, "orders")
        return [(entry["event"], entry["batch"], entry["by"], entry["reason"]) for entry in found]


def speaking(store: Path) -> dict[str, str]:
    """Which decision speaks for which key, in ledger and claims alike."""
    with at(store) as place, place.ledger.read() as connection:
        current = runs.current(connection, "orders")
        for row in current:
            claimed = batches._row(connection, "orders", row.batch)
            assert claimed is not None
            assert (claimed.run, claimed.sha256, claimed.lease_until) == (row.run, row.sha256, 0.0)
        return {row.batch: row.decision for row in current}


def test_a_revision_that_passes_takes_the_place_of_what_was_published(
    tmp_path: Path, with_reference: Path, contract: tg.Contract, make_orders: Make
) -> None:
    store, path = with_reference, tmp_path / "a.parquet"
    first = tg.gate(make_orders(30), contract, store=store, batch_id="a").require_published()
    make_orders(30, 220).to_parquet(path, index=False)
    second = tg.gate(path, contract, store=store, **SIGNED).require_published()
    assert (second.batch, second.revision, second.to_dict()["revision"]) == ("a", 2, 2)
    assert second.published == store / "orders" / "published" / "a.v2.parquet"
    assert second.published.read_bytes() == path.read_bytes()
    assert (names(store), names(store, "superseded")) == ({"a.v2.parquet"}, {"a.parquet"})
    assert [item.check for item in second.findings if item.severity.value == "critical"] == []
    assert told(store)[-2:] == [
        ("batch.superseded", "a", "ann", "the source corrected it"),
        ("batch.published", "a", "ann", "the source corrected it"),
    ]
    assert speaking(store) == {"a": "publish"}
    with at(store) as place, place.ledger.read() as connection:
        superseded = next(e for e in audit.entries(connection, "orders") if e["event"] == "batch.superseded")
        assert superseded["run"] == first.id
        assert second.reference is not None
        assert streams.load(connection, "orders", second.reference)[0].steps == 1, "the window was seen once"


def test_the_same_revision_again_does_nothing_and_the_old_bytes_are_rewritten_history(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    second = tg.gate(make_orders(2), contract, store=store, batch_id="a", **SIGNED)
    for signed in ({}, SIGNED):
        again = tg.gate(make_orders(2), contract, store=store, batch_id="a", **signed)
        assert (again.id, again.repeated) == (second.id, True)
    old = tg.gate(make_orders(1), contract, store=store, batch_id="a")
    assert [item.check for item in old.findings if item.severity.value == "critical"] == ["rewritten_history"]
    assert names(store) == {"a.v2.parquet"}


def test_a_third_revision_may_be_the_first_again(store: Path, contract: tg.Contract, make_orders: Make) -> None:
    for day in (1, 2, 1):
        signed = SIGNED if (store / "orders").exists() else {}
        run = tg.gate(make_orders(day), contract, store=store, batch_id="a", **signed).require_published()
    assert run.revision == 3
    assert (names(store), names(store, "superseded")) == ({"a.v3.parquet"}, {"a.parquet", "a.v2.parquet"})
    assert speaking(store) == {"a": "publish"}


def test_a_revision_that_is_refused_leaves_what_was_published_in_force(
    store: Path, contract: tg.Contract, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    first = tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    bad = make_orders(2).assign(amount=-1.0)
    refused = tg.gate(bad, contract, store=store, batch_id="a", **SIGNED)
    assert (refused.decision, refused.state, refused.revision) == (tg.Decision.QUARANTINE, tg.State.OPEN, 2)
    assert [item.check for item in refused.findings if item.severity.value == "critical"] == ["impossible_values"]
    assert names(store) == {"a.parquet"}
    (key,) = names(store, "quarantine")
    assert speaking(store) == {"a": "publish", key: "quarantine"}
    assert tg.gate(bad, contract, store=store, batch_id="a", **SIGNED).repeated
    with at(store) as place:
        released = readmission.release(
            place, "orders", key, by="eve", reason="they are right", contract=contract_file()
        )
    assert (released.revision, released.published) == (2, store / "orders" / "published" / "a.v2.parquet")
    assert (names(store), names(store, "superseded"), names(store, "quarantine")) == (
        {"a.v2.parquet"},
        {"a.parquet"},
        set(),
    )
    assert told(store)[-2:] == [
        ("batch.superseded", "a", "ann", "the source corrected it"),
        ("batch.released", "a", "eve", "they are right"),
    ]
    assert speaking(store) == {"a": "publish"}
    assert first.published is not None


def test_a_revision_that_is_held_is_published_when_the_breaker_closes(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
    held = tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED)
    assert held.decision is tg.Decision.HOLD
    assert names(store) == {"a.parquet"}
    assert tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED).repeated
    with at(store) as place:
        _, released = by_hand.close(place, "orders", by="bob", reason="it was none")
    assert [(run.batch, run.revision, run.decision) for run in released] == [("a", 2, tg.Decision.PUBLISH)]
    assert (names(store), names(store, "superseded"), names(store, "quarantine")) == (
        {"a.v2.parquet"},
        {"a.parquet"},
        set(),
    )
    assert told(store)[-2:] == [
        ("batch.superseded", "a", "ann", "the source corrected it"),
        ("batch.released", "a", "bob", None),
    ]
    assert speaking(store) == {"a": "publish"}


def test_a_revision_of_a_held_batch_takes_its_place_and_is_the_first_to_be_published(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(0), path, store=store, batch_id="before")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    held = tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED)
    assert (held.decision, held.revision, names(store, "quarantine")) == (tg.Decision.HOLD, 1, {"a"})
    assert len(names(store, "superseded")) == 1, "the bytes that waited are kept"
    with at(store) as place:
        _, released = by_hand.close(place, "orders", by="bob", reason="it was none")
    assert [(run.batch, run.counts.published) for run in released] == [("a", 220)]
    assert names(store) == {"before.parquet", "a.parquet"}


def test_rows_that_were_set_aside_or_came_back_go_with_the_revision_that_they_are_of(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    first = make_orders(1)
    first.loc[[3, 4], "amount"] = -1.0
    tg.gate(first, path, store=store, batch_id="a").require_published()
    with at(store) as place:
        readmission.release(place, "orders", "a", by="ann", reason="refunds")
    second = make_orders(1, 220)
    second.loc[[5], "amount"] = -2.0
    tg.gate(second, path, store=store, batch_id="a", **SIGNED).require_published()
    assert (names(store), names(store, "superseded")) == ({"a.v2.parquet"}, {"a.parquet", "a.r1.parquet"})
    with at(store) as place:
        assert [(item["batch"], item["rows"]) for item in quarantine.kept(place)] == [("a", 1)]
        run = readmission.release(place, "orders", "a", by="ann", reason="a refund")
    assert names(store) == {"a.v2.parquet", "a.v2.r1.parquet"}
    assert (run.revision, len(run.rows())) == (2, 220)
    third = tg.gate(make_orders(2), path, store=store, batch_id="a", **SIGNED).require_published()
    assert (third.revision, names(store)) == (3, {"a.v3.parquet"})


def test_what_an_old_revision_had_in_quarantine_is_settled_and_kept_aside(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    first = make_orders(1)
    first.loc[[3], "amount"] = -1.0
    tg.gate(first, contract, store=store, batch_id="a").require_published()
    tg.gate(make_orders(1, 220), contract, store=store, batch_id="a", **SIGNED).require_published()
    with at(store) as place:
        assert quarantine.kept(place) == []
    (kept,) = names(store, "superseded") - {"a.parquet"}
    assert pq.read_table(store / "orders" / "superseded" / kept / "rows.parquet").num_rows == 1


def test_bytes_that_were_refused_because_nobody_signed_may_be_signed_for(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    refused = tg.gate(make_orders(2), contract, store=store, batch_id="a")
    (finding,) = [item for item in refused.findings if item.check == "rewritten_history"]
    assert "--supersede --by WHO --reason WHY" in finding.message
    with at(store) as place:
        by_hand.close(place, "orders", by="ann", reason="known")
    run = tg.gate(make_orders(2), contract, store=store, batch_id="a", **SIGNED).require_published()
    assert (run.revision, names(store), names(store, "quarantine")) == (2, {"a.v2.parquet"}, set())


def test_a_batch_of_which_nothing_was_published_has_no_revisions(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1).assign(amount=-1.0), contract, store=store, batch_id="a")
    with at(store) as place:
        by_hand.close(place, "orders", by="ann", reason="known")
    run = tg.gate(make_orders(1), contract, store=store, batch_id="a", **SIGNED).require_published()
    assert (run.revision, names(store)) == (1, {"a.parquet"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"supersede": True}, "--by says nothing"),
        ({"supersede": True, "by": "ann"}, "--reason says nothing"),
        ({"by": "ann", "reason": "x"}, "without --supersede"),
        ({**SIGNED, "batch_id": "b"}, "no batch 'b' of 'orders' to supersede"),
    ],
)
def test_who_supersedes_signs_and_names_a_batch_that_is_known(
    store: Path, contract: tg.Contract, make_orders: Make, arguments: dict[str, Any], said: str
) -> None:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    with pytest.raises(tg.UsageError, match=said):
        tg.gate(make_orders(2), contract, store=store, **({"batch_id": "a"} | arguments))
    with at(store) as place, place.ledger.read() as connection:
        assert batches.is_known(connection, "orders", "b") is False
    assert names(store) == {"a.parquet"}


def test_the_command_supersedes_with_a_signature_and_ends_with_2_without(
    tmp_path: Path,
    store: Path,
    contract_file: Callable[..., Path],
    make_orders: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    batch, signed = tmp_path / "a.parquet", ["--supersede", "--by", "ann", "--reason", "late rows"]
    command = ["gate", str(contract_file()), str(batch), "--store", str(store)]
    make_orders(1).to_parquet(batch, index=False)
    assert main(app, [*command, *signed]) == 2
    assert "no batch 'a' of 'orders' to supersede" in capsys.readouterr().err
    assert main(app, command) == 0
    make_orders(2).to_parquet(batch, index=False)
    assert main(app, [*command, "--supersede"]) == 2
    assert main(app, [*command, *signed[1:]]) == 2
    assert "hint" in capsys.readouterr().err
    assert main(app, [*command, *signed]) == 0
    assert "orders/a: publish (revision 2), breaker closed" in capsys.readouterr().out


def test_a_batch_whose_own_name_is_that_of_a_revision_is_never_taken_for_one(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    tg.gate(make_orders(2), contract, store=store, batch_id="a.v2")
    third = tg.gate(make_orders(3), contract, store=store, batch_id="a", **SIGNED).require_published()
    assert (third.revision, names(store)) == (3, {"a.v2.parquet", "a.v3.parquet"})
    other = tg.gate(make_orders(4), contract, store=store, batch_id="a.v3").require_published()
    assert other.batch == "a.v3"
    assert names(store) == {"a.v2.parquet", "a.v3.parquet", "a.v3~.parquet"}
    with at(store) as place:
        assert recover(place) == 0


def test_nobody_decides_on_what_is_being_superseded(store: Path, contract: tg.Contract, make_orders: Make) -> None:
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    with at(store) as place, place.ledger.begin() as connection:
        now, revision = place.seconds, Revision("ann", "why")
        claim = batches.claim(connection, "orders", "a", "f" * 64, now=now, lease=60, revision=revision)
        assert isinstance(claim, Claim)
        assert claim.revises is not None
        assert isinstance(batches.reclaim(connection, "orders", "a", now=now, lease=60), Busy)
        other = batches.claim(connection, "orders", "a", "e" * 64, now=now, lease=60, revision=revision)
        assert isinstance(other, Busy)
        batches.give_up(connection, claim)
        assert isinstance(batches.reclaim(connection, "orders", "a", now=now, lease=60), Claim)
        with pytest.raises(tg.StoreError, match="taken over"):
            batches.settle(connection, claim, "late", "a")


def test_labels_speak_of_the_revision_that_stands(store: Path, contract: tg.Contract, make_orders: Make) -> None:
    def labels(rows: int) -> pd.DataFrame:
        ids = make_orders(1, rows)["order_id"]
        return pd.DataFrame({"order_id": ids, "returned": [float(number % 2) for number in range(rows)]})

    from tidegate_flows.ledger import cohorts

    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    tg.join_labels(labels(200), contract, store=store)
    tg.gate(make_orders(1, 220), contract, store=store, batch_id="a", **SIGNED).require_published()
    tg.join_labels(labels(220), contract, store=store)
    with at(store) as place, place.ledger.read() as connection:
        (cohort,) = cohorts.load(connection, "orders")
    assert (cohort.batch, cohort.rows, cohort.labelled) == ("a", 220, 220)


def test_the_predictions_that_are_kept_are_those_of_the_revision_though_labels_say_nothing_new(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    frame = make_orders(1)
    labels = frame[["order_id"]].assign(returned=0.0)
    tg.gate(frame, contract, store=store, batch_id="a").require_published()
    tg.join_labels(labels, contract, store=store)
    mended = frame.assign(score=1 - frame["score"])
    tg.gate(mended, contract, store=store, batch_id="a", supersede=True, by="ann", reason="the model was mended")
    tg.join_labels(labels, contract, store=store)
    kept = pd.read_parquet(store / "orders" / "labels" / "a.parquet").set_index("order_id")["prediction"]
    assert kept.sort_index().tolist() == mended.set_index("order_id")["score"].sort_index().tolist()


PROGRAM = """
import json, os, shutil, sys
import pandas, pandera.pandas, tidegate as tg, tidegate_flows.gate  # once: each death is a fork
contract, first, second, store = sys.argv[1:]
signed = {"supersede": True, "by": "ann", "reason": "late rows"}

def die(real):
    def step(*a, **k):
        global left
        left -= 1
        if not left: os._exit(9)
        return real(*a, **k)
    return step

tg.gate(first, contract, store=f"{store}/0", batch_id="a")
codes = []
for left in range(1, 60):
    place = f"{store}/{left}"
    shutil.copytree(f"{store}/0", place)
    child = os.fork()
    if not child:
        os.fsync, os.rename, code = die(os.fsync), die(os.rename), 1
        try:
            code = int(tg.gate(second, contract, store=place, batch_id="a", **signed).revision != 2)
        finally:
            os._exit(code)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    if codes[-1] != 9: break
print(json.dumps(codes))
"""


@pytest.mark.more
def test_a_worker_killed_at_any_moment_leaves_exactly_one_revision(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    path, first, second = contract_file(), tmp_path / "first.parquet", tmp_path / "second.parquet"
    frame = make_orders(1, 30)
    make_orders(1, 40).to_parquet(second, index=False)
    frame.to_parquet(first, index=False)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, (path, first, second, store))],
        capture_output=True,
        text=True,
        env=os.environ | {"TIDEGATE_LEASE": "1"},
        check=False,
    )
    codes = json.loads(done.stdout)
    assert len(codes) > 6, "a revision has several durable steps"
    assert codes == [9] * (len(codes) - 1) + [0], done.stderr
    for step in range(1, len(codes) + 1):
        place = store / str(step)
        with at(place) as here:
            recover(here)
        with at(place) as here, here.ledger.read() as connection:
            row = runs.speaking_for(connection, "orders", "a")
        assert row is not None
        stands = json.loads(row.files)
        assert [f"orders/published/{name}" for name in names(place)] == stands, f"step {step}"
        run = tg.gate(second, path, store=place, batch_id="a", **SIGNED).require_published()
        assert (run.revision, names(place), names(place, "superseded")) == (2, {"a.v2.parquet"}, {"a.parquet"})
        assert run.published is not None
        assert run.published.read_bytes() == second.read_bytes()
        assert [event for event, *_ in told(place)].count("batch.superseded") == 1


def test_the_command_says_what_a_signature_needs_and_what_a_held_revision_waits_for(
    store: Path,
    contract_file: Callable[..., Path],
    make_orders: Make,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, file = contract_file(), tmp_path / "a.parquet"
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    make_orders(1).iloc[1:].to_parquet(file, index=False)
    tg.gate(file, path, store=store)
    capsys.readouterr()
    words = ["gate", str(path), str(file), "--store", str(store), "--supersede"]
    assert main(app, words) == 2
    said = capsys.readouterr().err
    assert "--supersede needs --by WHO and --reason WHY" in said
    assert "no --by and --reason" in said
    assert main(app, [*words, "--by", "ann", "--reason", "resent"]) == 1
    found = capsys.readouterr()
    close = f"tidegate breaker close orders --by WHO --reason WHY --store {store}"
    assert "hold (revision 2), breaker open" in found.out
    assert close in found.err
    with pytest.raises(tg.Halted) as halted:
        tg.require_closed("orders", store=store)
    assert (halted.value.hint or "").endswith(close)
    assert main(app, ["breaker", "close", "orders", "--by", "ann", "--reason", "x", "--store", str(store)]) == 0
    make_orders(2).to_parquet(tmp_path / "b.parquet", index=False)
    capsys.readouterr()
    assert main(app, ["gate", str(path), str(tmp_path / "b.parquet"), "--store", str(store)]) == 0
    assert "waits" not in capsys.readouterr().err
