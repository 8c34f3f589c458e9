"""Shadow: the gate watches, says what it would have done, and stands in nobody's way."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tidegate_flows import by_hand, quarantine
from tidegate_flows.cli.app import app
from tidegate_flows.cli.exits import run as main
from tidegate_flows.ledger import audit, breakers, counters, memory, runs, streams
from tidegate_flows.place import at

Make = Callable[..., pd.DataFrame]
MakeContract = Callable[..., tg.Contract]


def told(store: Path) -> list[tuple[str, str | None, str | None]]:
    with at(store) as place, place.ledger.read() as connection:
        assert audit.verify(connection, "orders").holds
        return [(entry["event"], entry["batch"], entry["reason"]) for entry in audit.entries(connection, "orders")]


def shadowed(store: Path) -> dict[str, float]:
    with at(store) as place, place.ledger.read() as connection:
        found = counters.totals(connection)
        return {labels["would"]: value for name, _, labels, value in found if name == "shadow_batches_total"}


def state(store: Path) -> tg.State:
    with at(store) as place, place.ledger.read() as connection:
        return breakers.load(connection, "orders").state


def test_what_would_be_quarantined_is_published_as_it_came_and_the_breaker_stays_closed(
    tmp_path: Path, with_reference: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    contract, path = make_contract(shadow=True), tmp_path / "cents.parquet"
    make_orders(31).assign(amount=make_orders(31)["amount"] * 10).to_parquet(path, index=False)
    run = tg.gate(path, contract, store=with_reference).require_published()
    assert (run.decision, run.would, run.verified, run.state) == (
        tg.Decision.PUBLISH,
        "quarantine",
        True,
        tg.State.CLOSED,
    )
    assert {item.check for item in run.findings if item.severity.value == "critical"} == {"unit_change"}
    assert run.published is not None
    assert run.published.read_bytes() == path.read_bytes()
    assert run.counts.to_dict() == {"in": 200, "published": 200, "quarantined": 0, "held": 0}
    assert told(with_reference)[-1] == ("batch.published", "cents", "shadow: would have been quarantined: unit_change")
    assert shadowed(with_reference) == {"quarantine": 1}
    tg.require_closed("orders", store=with_reference)
    with at(with_reference) as place:
        assert quarantine.kept(place) == []
    after = tg.gate(make_orders(32), make_contract(), store=with_reference, batch_id="after")
    assert (after.decision, after.would) == (tg.Decision.PUBLISH, None), "with shadow off the breaker is closed"


def test_a_clean_batch_in_shadow_would_be_published_and_counts_as_one_that_was(
    with_reference: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    run = tg.gate(make_orders(31), make_contract(shadow=True), store=with_reference, batch_id="a")
    assert (run.decision, run.would, run.to_dict()["would"]) == (tg.Decision.PUBLISH, "publish", "publish")
    assert told(with_reference)[-1] == ("batch.published", "a", "shadow: would have been published")
    with at(with_reference) as place, place.ledger.read() as connection:
        assert runs.get(connection, run.id).accepted
        reference = run.reference
        assert reference is not None
        stream, _ = streams.load(connection, "orders", reference)
    assert stream.steps == 1


def test_rows_that_would_be_set_aside_are_published_too(
    with_reference: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    frame = make_orders(31)
    frame.loc[5, "amount"] = -1.0
    run = tg.gate(frame, make_contract(shadow=True), store=with_reference, batch_id="a").require_published()
    assert (run.would, run.counts.published, len(run.rows())) == ("publish", 200, 200)
    assert [item.check for item in run.findings if item.kind == "violation"] == ["impossible_values"]
    with at(with_reference) as place:
        assert quarantine.kept(place) == []
        with place.ledger.read() as connection:
            assert memory.set_aside(connection, "orders", "other", 5) == [(200, 1)], "they failed all the same"


def test_text_that_is_not_parquet_is_published_with_every_cell_that_came(
    tmp_path: Path, store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    frame = make_orders(1).astype({"amount": object})
    frame.loc[7, "amount"] = "a lot"
    path = tmp_path / "day.csv"
    frame.to_csv(path, index=False)
    run = tg.gate(path, make_contract(shadow=True), store=store).require_published()
    table = run.rows()
    assert table.num_rows == 200
    assert table.column("amount").to_pylist()[7] == "a lot"
    assert table.column("items").to_pylist() == frame["items"].tolist()


def test_a_breaker_that_somebody_tripped_holds_nothing_in_shadow_and_is_said_to(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), make_contract(), store=store, batch_id="a")
    with at(store) as place:
        by_hand.trip(place, "orders", by="ann", reason="a rumour")
    run = tg.gate(make_orders(2), make_contract(shadow=True), store=store, batch_id="b")
    assert (run.decision, run.would, run.state) == (tg.Decision.PUBLISH, "hold", tg.State.OPEN)
    assert shadowed(store) == {"hold": 1}
    assert told(store)[-1] == ("batch.published", "b", "shadow: would have been held")
    assert state(store) is tg.State.OPEN, "what a person opened, a person closes"


def test_what_cannot_be_read_has_no_rows_to_publish_and_still_opens_nothing(
    tmp_path: Path, store: Path, make_contract: MakeContract
) -> None:
    path = tmp_path / "torn.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    run = tg.gate(path, make_contract(shadow=True), store=store)
    assert (run.decision, run.would, run.state) == (tg.Decision.QUARANTINE, "quarantine", tg.State.CLOSED)
    assert (store / "orders" / "quarantine" / "torn" / "batch.parquet").read_bytes() == path.read_bytes()
    with pytest.raises(tg.Halted):
        run.require_published()


def test_a_mended_batch_takes_the_place_of_one_that_only_the_shadow_published(
    with_reference: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    contract = make_contract(shadow=True)
    bad = tg.gate(make_orders(31).assign(amount=-1.0), contract, store=with_reference, batch_id="a")
    mended = tg.gate(make_orders(31), contract, store=with_reference, batch_id="a").require_published()
    assert (bad.would, mended.would, mended.revision) == ("quarantine", "publish", 2)
    assert {path.name for path in (with_reference / "orders" / "published").iterdir()} == {"a.v2.parquet"}
    assert told(with_reference)[-2:] == [
        ("batch.superseded", "a", "what was published in shadow would not have been"),
        ("batch.published", "a", "shadow: would have been published; what was published in shadow would not have been"),
    ]
    with at(with_reference) as place, place.ledger.read() as connection:
        assert streams.load(connection, "orders", str(mended.reference))[0].steps == 1, "it saw the mended batch"
    other = tg.gate(make_orders(32), contract, store=with_reference, batch_id="a")
    assert other.would == "quarantine", "what would have been published stands"
    assert [item.check for item in other.findings if item.severity.value == "critical"] == ["rewritten_history"]


def test_what_the_shadow_published_stays_until_a_mended_batch_passes(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    tg.gate(make_orders(1).assign(amount=-1.0), make_contract(shadow=True), store=store, batch_id="a")
    refused = tg.gate(make_orders(1).assign(amount=-2.0), make_contract(), store=store, batch_id="a")
    assert (refused.decision, refused.key is None) == (tg.Decision.QUARANTINE, False)
    assert [path.name for path in (store / "orders" / "published").iterdir()] == ["a.parquet"]
    with at(store) as place:
        by_hand.close(place, "orders", by="ann", reason="known")
    tg.gate(make_orders(1), make_contract(), store=store, batch_id="a").require_published()
    assert [path.name for path in (store / "orders" / "published").iterdir()] == ["a.v2.parquet"]


def test_rows_that_fail_batch_after_batch_are_told_in_shadow_as_they_are_after_it(
    tmp_path: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    said = []
    for shadow in (False, True):
        contract = make_contract(tolerance=0.1, shadow=shadow)
        for day in range(14):
            frame = make_orders(day, 30)
            frame.loc[:1, "amount"] = -1.0
            run = tg.gate(frame, contract, store=tmp_path / str(shadow), batch_id=f"d{day}")
        said.append({item.check for item in run.findings})
    assert said[0] == said[1]
    assert "error_budget_burn" in said[1]


def test_what_would_have_been_refused_is_no_batch_that_others_are_held_against(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    contract = make_contract(shadow=True)
    tg.gate(make_orders(1).assign(amount=-1.0), contract, store=store, batch_id="a")
    with at(store) as place, place.ledger.read() as connection:
        assert memory.set_aside(connection, "orders", "other", 5) == []
        assert memory.samples(connection, "orders", "other", 5) == []
        assert memory.previous_places(connection, "orders", "other") == {}


def test_a_monitor_that_fails_in_memory_stops_nothing_in_shadow(
    store: Path, make_contract: MakeContract, make_orders: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boom(*arguments: Any, **options: Any) -> Any:
        raise ValueError("secret 4711")

    monkeypatch.setattr("tidegate_flows.deciding.stepped", boom)
    run = tg.gate(make_orders(1), make_contract(shadow=True), store=store, batch_id="a").require_published()
    assert (run.verified, run.would, run.counts.published) == (False, "halt", 200)
    assert "silent_monitor" in {item.check for item in run.findings}


def test_a_probe_that_was_lost_is_told_as_that_and_not_as_the_work_of_a_batch_in_shadow(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    tg.gate(make_orders(1), make_contract(), store=store, batch_id="a")
    with at(store) as place:
        now = place.clock()
        by_hand.trip(place, "orders", by="ann", reason="a rumour")
        with place.ledger.begin() as connection:
            asked = breakers.load(connection, "orders").ask_probe("b", now, now - timedelta(seconds=1), "ann: try it")
            breakers.save(connection, "orders", asked)
    tg.gate(make_orders(3).assign(amount=-1.0), make_contract(shadow=True), store=store, batch_id="c")
    assert told(store)[-2:] == [
        ("batch.published", "c", "shadow: would have been quarantined: impossible_values"),
        ("breaker.opened", "b", "the probe b was lost"),
    ]


def test_a_replay_is_no_arrival_and_no_shadow_lets_it_pass(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    from tidegate_flows import readmission

    tg.gate(make_orders(1).assign(amount=-1.0), contract_file(), store=store, batch_id="bad")
    path = contract_file("shadow=True,")
    with at(store) as place:
        run = readmission.replay(place, "orders", "bad", by="ann", reason="again", contract=path)
    assert (run.decision, run.would) == (tg.Decision.QUARANTINE, None)


def test_the_command_ends_with_0_and_says_on_stderr_what_it_would_have_done(
    tmp_path: Path,
    store: Path,
    contract_file: Callable[..., Path],
    make_orders: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, batch = contract_file("shadow=True,"), tmp_path / "bad.parquet"
    make_orders(1).assign(amount=-1.0).to_parquet(batch, index=False)
    command = ["gate", str(path), str(batch), "--store", str(store)]
    code = main(app, [*command, "--json"])
    said = capsys.readouterr()
    document: dict[str, Any] = json.loads(said.out)
    assert (code, document["decision"], document["would"]) == (0, "publish", "quarantine")
    assert said.err.strip() == "warning: orders/bad: shadow: would have been quarantined: impossible_values"
    assert main(app, command) == 0
    assert "orders/bad: publish in shadow (would: quarantine), decided before" in capsys.readouterr().out


def test_a_prefect_artifact_shows_what_the_gate_does_not_vouch_for(
    store: Path, make_contract: MakeContract, make_orders: Make
) -> None:
    from tidegate_flows.prefect_artifacts import batches_table, run_table

    bad = make_orders(1).assign(amount=-1.0)
    run = tg.gate(bad, make_contract(shadow=True), store=store, batch_id="a")
    assert "| caution | **shadow: would have been quarantined: impossible_values** |" in run_table(run)
    clean = tg.gate(make_orders(2), make_contract(), store=store, batch_id="b")
    assert "caution" not in run_table(clean)
    table = batches_table("orders", [run.to_dict(), clean.to_dict()])
    assert "| a | publish, in shadow (would: quarantine) | closed |" in table
    assert "| b | publish | closed |" in table
