"""Other bytes under a known id that were let in unsigned, and are signed for later: readers have one version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import tidegate as tg
from tests.flows.invariants import Invariants
from tests.flows.test_supersede import SIGNED, names, speaking, told
from tidegate_flows import by_hand, quarantine, readmission
from tidegate_flows.ledger import batches, cohorts
from tidegate_flows.ledger.batches import Busy, Claim, Revision
from tidegate_flows.place import at

Make = Callable[..., pd.DataFrame]
MakeContract = Callable[..., tg.Contract]
WHO = {"by": "bob", "reason": "a rumour"}
LETS_IN: dict[str, Any] = {"severity": {"rewritten_history": "warning"}}
LETS_IN_FILE = "severity={'rewritten_history': 'warning'},"
SUPERSEDED = ("batch.superseded", "a", "ann", "the source corrected it")


@pytest.fixture
def sound(store: Path) -> Callable[[], None]:
    """Look whether all is as it must be at rest; files are remembered from one look to the next."""
    seen: dict[str, str] = {}

    def look() -> None:
        with at(store) as place:
            Invariants(place, "orders", "order_id", seen=seen).look_at_rest()

    return look


@pytest.mark.parametrize("lets_in", [LETS_IN, {"shadow": True}], ids=["warning", "shadow"])
@pytest.mark.parametrize("shadow_ends", [True, False])
def test_bytes_that_were_published_beside_their_id_become_its_revision_once_somebody_signs(
    store: Path, make_contract: MakeContract, make_orders: Make, sound: Callable[[], None], lets_in: Any,
    shadow_ends: bool,
) -> None:  # fmt: skip
    contract = make_contract(**lets_in)
    first = tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    beside = tg.gate(make_orders(1, 220), contract, store=store, batch_id="a").require_published()
    assert names(store) == {"a.parquet", f"{beside.key}.parquet"}, "as the contract has it"
    assert tg.gate(make_orders(1, 220), contract, store=store, batch_id="a").id == beside.id
    sound()
    signed = tg.gate(
        make_orders(1, 220), make_contract() if shadow_ends else contract, store=store, batch_id="a", **SIGNED
    ).require_published()
    assert (signed.repeated, signed.revision, signed.key, signed.counts.published) == (False, 2, None, 220)
    assert (names(store), names(store, "superseded")) == (
        {"a.v2.parquet"},
        {"a.parquet", f"{beside.key}.parquet"},
    )
    assert [entry for entry in told(store) if entry[0] == "batch.superseded"] == [SUPERSEDED, SUPERSEDED]
    assert (told(store)[-1][0], told(store)[-1][2]) == ("batch.published", "ann")
    assert speaking(store) == {"a": "publish"}
    sound()
    assert first.id not in (beside.id, signed.id)
    for word in ({}, SIGNED):
        assert tg.gate(make_orders(1, 220), contract, store=store, batch_id="a", **word).id == signed.id


def test_a_signature_for_other_bytes_takes_away_all_that_was_published_under_the_id(
    store: Path, make_contract: MakeContract, make_orders: Make, sound: Callable[[], None]
) -> None:
    contract = make_contract(**LETS_IN)
    some = make_orders(1, 210)
    some.loc[[3], "amount"] = -1.0
    for frame in (make_orders(1), some, make_orders(1, 220)):
        tg.gate(frame, contract, store=store, batch_id="a").require_published()
    tg.gate(make_orders(2), contract, store=store, batch_id="another").require_published()
    assert (len(names(store)), len(names(store, "quarantine"))) == (4, 1)
    tg.gate(make_orders(1, 230), contract, store=store, batch_id="a", **SIGNED).require_published()
    assert (names(store), len(names(store, "superseded"))) == ({"a.v2.parquet", "another.parquet"}, 4)
    assert names(store, "quarantine") == set(), "what was set aside goes with the version that it is of"
    assert told(store).count(SUPERSEDED) == 3
    assert speaking(store) == {"a": "publish", "another": "publish"}
    sound()


def test_rows_that_were_set_aside_of_what_was_published_beside_are_not_kept_twice(
    store: Path, make_contract: MakeContract, make_orders: Make, sound: Callable[[], None]
) -> None:
    contract = make_contract(**LETS_IN)
    some = make_orders(1, 210)
    some.loc[[3], "amount"] = -1.0
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    tg.gate(some, contract, store=store, batch_id="a")
    tg.gate(some, contract, store=store, batch_id="a", **SIGNED).require_published()
    assert names(store, "quarantine") == {"a"}
    with at(store) as place:
        assert [(item["batch"], item["rows"]) for item in quarantine.kept(place)] == [("a", 1)]
    sound()
    assert pq.read_table(store / "orders" / "published" / "a.v2.parquet").num_rows == 209


def test_what_was_published_beside_stays_until_the_revision_passes(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, sound: Callable[[], None]
) -> None:
    path = contract_file(LETS_IN_FILE)
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    beside = tg.gate(make_orders(1, 220), path, store=store, batch_id="a").require_published()
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
    held = tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED)
    assert (held.decision, held.revision, names(store, "quarantine")) == (tg.Decision.HOLD, 2, {held.key})
    assert held.key != beside.key
    assert names(store) == {"a.parquet", f"{beside.key}.parquet"}
    sound()
    assert tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED).id == held.id
    with at(store) as place:
        _, released = by_hand.close(place, "orders", by="bob", reason="it was none")
    assert [(run.batch, run.revision) for run in released] == [("a", 2)]
    assert (names(store), names(store, "quarantine"), speaking(store)) == ({"a.v2.parquet"}, set(), {"a": "publish"})
    assert told(store).count(SUPERSEDED) == 2
    sound()


def test_what_the_shadow_let_in_and_is_refused_after_it_stays_though_somebody_signs(
    store: Path, make_contract: MakeContract, make_orders: Make, sound: Callable[[], None]
) -> None:
    bad = make_orders(1).assign(amount=-1.0)
    tg.gate(make_orders(1), make_contract(), store=store, batch_id="a")
    beside = tg.gate(bad, make_contract(shadow=True), store=store, batch_id="a").require_published()
    refused = tg.gate(bad, make_contract(), store=store, batch_id="a", **SIGNED)
    assert refused.decision is tg.Decision.QUARANTINE
    assert [item.check for item in refused.findings if item.severity.value == "critical"] == ["impossible_values"]
    assert names(store) == {"a.parquet", f"{beside.key}.parquet"}
    assert names(store, "quarantine") == {refused.key}
    sound()


def test_bytes_that_are_held_unsigned_become_the_revision_once_somebody_signs(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, sound: Callable[[], None]
) -> None:
    path = contract_file(LETS_IN_FILE)
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
    unsigned = tg.gate(make_orders(1, 220), path, store=store, batch_id="a")
    signed = tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED)
    assert (unsigned.decision, unsigned.revision, unsigned.id != signed.id) == (tg.Decision.HOLD, 1, True)
    assert (signed.decision, signed.revision, signed.repeated) == (tg.Decision.HOLD, 2, False)
    with at(store) as place:
        _, released = by_hand.close(place, "orders", by="bob", reason="it was none")
    assert [(run.batch, run.revision) for run in released] == [("a", 2)]
    assert (names(store), names(store, "superseded"), names(store, "quarantine")) == (
        {"a.v2.parquet"},
        {"a.parquet"},
        set(),
    )
    assert told(store).count(SUPERSEDED) == 1
    sound()


def test_bytes_that_are_held_and_that_nobody_signs_for_are_published_beside_as_before(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, sound: Callable[[], None]
) -> None:
    path = contract_file(LETS_IN_FILE)
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
    held = tg.gate(make_orders(1, 220), path, store=store, batch_id="a")
    with at(store) as place:
        by_hand.close(place, "orders", by="bob", reason="it was none")
    assert names(store) == {"a.parquet", f"{held.key}.parquet"}
    assert "batch.superseded" not in {event for event, *_ in told(store)}
    sound()


def test_what_was_superseded_and_comes_again_unsigned_has_a_file_of_its_own_and_may_be_signed_for_again(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    contract = make_contract(**LETS_IN)
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    for number in (2, 4):
        beside = tg.gate(make_orders(1, 220), contract, store=store, batch_id="a").require_published()
        signed = tg.gate(make_orders(1, 220), contract, store=store, batch_id="a", **SIGNED).require_published()
        assert (signed.revision, names(store)) == (number, {f"a.v{number}.parquet"})
        assert beside.published is not None
        assert not beside.published.exists()
        back = tg.gate(make_orders(1), contract, store=store, batch_id="a", **SIGNED).require_published()
        assert (back.revision, names(store)) == (number + 1, {f"a.v{number + 1}.parquet"})
    assert {name for name in names(store, "superseded") if "~" in name} == {
        f"{beside.key}.parquet",
        f"{beside.key}~.parquet",
    }


def test_nobody_decides_on_what_was_published_beside_while_a_revision_is_judged(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    contract, revision = make_contract(**LETS_IN), Revision("ann", "why")
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    key = str(tg.gate(make_orders(2), contract, store=store, batch_id="a").key)
    with at(store) as place, place.ledger.begin() as connection:
        now = place.seconds

        def signed(sha256: str) -> Any:
            return batches.claim(connection, "orders", "a", sha256, now=now, lease=60, revision=revision)

        claim = signed("f" * 64)
        assert isinstance(batches.reclaim(connection, "orders", key, now=now, lease=60), Busy)
        batches.give_up(connection, claim)
        assert isinstance(batches.reclaim(connection, "orders", key, now=now, lease=60), Claim)
        assert isinstance(signed("f" * 64), Busy), "its rows are about to come back"


def test_a_worker_that_fails_leaves_bytes_unsigned_so_that_the_same_command_signs_for_them(
    store: Path, make_contract: MakeContract, make_orders: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = make_contract()
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    refused = tg.gate(make_orders(2), contract, store=store, batch_id="a")
    with at(store) as place:
        by_hand.close(place, "orders", by="ann", reason="known")
    with monkeypatch.context() as patch:
        patch.setattr("tidegate_flows.gate.look", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            tg.gate(make_orders(2), contract, store=store, batch_id="a", **SIGNED)
    run = tg.gate(make_orders(2), contract, store=store, batch_id="a", **SIGNED).require_published()
    assert (run.revision, run.id != refused.id, names(store)) == (2, True, {"a.v2.parquet"})


def _interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_what_labels_said_of_a_version_that_is_gone_is_not_counted_beside_the_other(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    contract, frame = make_contract(**LETS_IN), make_orders(1)
    labels = frame[["order_id"]].assign(returned=0.0)
    tg.gate(frame, contract, store=store, batch_id="a")
    tg.gate(frame.assign(score=1 - frame["score"]), contract, store=store, batch_id="a")
    tg.join_labels(labels, contract, store=store)
    tg.gate(frame.assign(score=1 - frame["score"]), contract, store=store, batch_id="a", **SIGNED).require_published()
    tg.join_labels(labels, contract, store=store)
    with at(store) as place, place.ledger.read() as connection:
        assert [(item.batch, item.rows) for item in cohorts.load(connection, "orders")] == [("a", 200)]


def test_a_signature_takes_what_lies_beside_an_id_whose_own_batch_was_discarded(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, sound: Callable[[], None]
) -> None:
    path = contract_file(LETS_IN_FILE)
    tg.gate(make_orders(9), path, store=store, batch_id="z").require_published()
    with at(store) as place:
        by_hand.trip(place, "orders", **WHO)
    assert tg.gate(make_orders(1), path, store=store, batch_id="a").decision is tg.Decision.HOLD
    assert tg.gate(make_orders(1, 220), path, store=store, batch_id="a").decision is tg.Decision.HOLD
    with at(store) as place:
        readmission.discard(place, "orders", "a", **WHO)
        by_hand.close(place, "orders", **WHO)
    assert len(names(store)) == 2, "z, and what lies beside a"
    signed = tg.gate(make_orders(1, 230), path, store=store, batch_id="a", **SIGNED).require_published()
    assert (signed.key, signed.counts.published) == (None, 230)
    assert len(names(store) - {"z.parquet"}) == 1, "readers have one version"
    sound()
