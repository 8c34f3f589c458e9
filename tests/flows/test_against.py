"""Two contracts held against one batch: which rows fare otherwise, and for what."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest

import tidegate as tg
from tests.conftest import Orders
from tidegate_flows.against import Held, compare

Make = Callable[..., Any]


class Small(Orders):
    """Orders of which none may be of five items."""

    items: int = pa.Field(ge=1, lt=5)


class Private(Small):
    """The same, where the order's number tells who ordered."""

    order_id: str = pa.Field(unique=True, metadata={"personal": True})


def test_a_batch_that_both_contracts_take_fares_as_before(make_contract: Make, make_orders: Make) -> None:
    told = compare(make_orders(), make_contract(), make_contract(tolerance=0.5))
    assert (told.old, told.new) == (Held("publish", 0), Held("publish", 0))
    assert (told.newly_refused, told.newly_passed, told.by) == (0, 0, ())


def test_rows_that_only_the_new_contract_sets_aside_are_named_by_their_keys(
    make_contract: Make, make_orders: Make
) -> None:
    orders = make_orders()
    broken = orders["items"] == 5
    told = compare(orders, make_contract(), make_contract(schema=Small, tolerance=0.5))
    assert told.new == Held("publish", int(broken.sum()))
    assert told.newly_refused == broken.sum()
    (refusal,) = told.by
    assert (refusal.check, refusal.column, refusal.rows) == ("impossible_values", "items", broken.sum())
    assert [json.loads(key)[0] for key in told.examples] == list(orders.loc[broken, "order_id"][:5])
    back = compare(orders, make_contract(schema=Small, tolerance=0.5), make_contract())
    assert (back.newly_refused, back.newly_passed, back.by) == (0, broken.sum(), ())


def test_a_lower_tolerance_refuses_a_batch_for_the_rows_that_were_set_aside(
    make_contract: Make, make_orders: Make
) -> None:
    orders = make_orders()
    orders.loc[[3, 7], "amount"] = -1.0
    told = compare(orders, make_contract(), make_contract(tolerance=0.0))
    assert (told.old, told.new) == (Held("publish", 2), Held("quarantine", 200))
    assert told.newly_refused == 198
    assert [(refusal.column, refusal.rows) for refusal in told.by] == [("amount", 2)]
    assert told.examples == ['["o0-3"]', '["o0-7"]']


def test_what_both_contracts_refuse_is_not_told_again(make_contract: Make, make_orders: Make) -> None:
    told = compare(make_orders().assign(amount=-1.0), make_contract(), make_contract(schema=Small))
    assert (told.old.decision, told.new.decision, told.newly_refused, told.by) == ("quarantine", "quarantine", 0, ())


def test_without_a_key_rows_are_named_by_their_position(make_contract: Make, make_orders: Make) -> None:
    orders = make_orders()
    told = compare(orders, make_contract(key=()), make_contract(schema=Small, key=(), tolerance=0.5))
    assert told.examples[0] == f"row {int(orders['items'].eq(5).idxmax())}"


def test_a_personal_key_is_shown_by_its_hash(make_contract: Make, make_orders: Make) -> None:
    told = compare(make_orders(), make_contract(), make_contract(schema=Private, tolerance=0.5))
    assert told.examples
    assert all(len(key) == 64 and "o0-" not in key for key in told.examples)


def test_an_empty_batch_is_refused_as_a_whole(make_contract: Make, make_orders: Make) -> None:
    told = compare(make_orders()[:0], make_contract(rows_min=0), make_contract())
    assert (told.old.decision, told.new.decision) == ("publish", "quarantine")
    assert [(refusal.check, refusal.rows) for refusal in told.by] == [("volume", None)]


def test_ages_are_counted_at_the_end_of_the_batchs_own_day(make_contract: Make, make_orders: Make) -> None:
    told = compare(make_orders(), make_contract(), make_contract(max_age=timedelta(hours=12), tolerance=0.9))
    assert [refusal.check for refusal in told.by] == ["expired_rows"]
    assert 0 < told.newly_refused < 200


def test_a_table_that_a_contract_refers_to_must_be_there(
    make_contract: Make, make_orders: Make, tmp_path: Path
) -> None:
    table = tmp_path / "countries.csv"
    new = make_contract(references=(tg.ForeignKey("country", str(table)),), tolerance=0.5)
    with pytest.raises(tg.StoreError):
        compare(make_orders(), make_contract(), new)
    table.write_text("country\nDE\nFR\n")
    (refusal,) = compare(make_orders(), make_contract(), new).by
    assert (refusal.check, refusal.column) == ("broken_reference", "country")


def test_a_check_that_raises_gives_no_answer(make_contract: Make, make_orders: Make) -> None:
    def raises(series: pd.Series[Any]) -> Any:
        raise ZeroDivisionError

    schema = Orders.to_schema().update_column("items", checks=[pa.Check(raises)])
    with pytest.raises(tg.MonitorError):
        compare(make_orders(), make_contract(), make_contract(schema=schema))


def test_a_frame_is_seen_with_its_index_by_the_contract_that_declares_one(
    make_contract: Make, make_orders: Make
) -> None:
    schema = Orders.to_schema()
    plain, keyed = make_contract(schema=schema), make_contract(schema=schema.set_index(["order_id"]))
    rows = make_orders().set_index("order_id")
    assert compare(rows, keyed, keyed).new == Held("publish", 0)
    told = compare(rows, plain, keyed)
    assert (told.old.decision, told.new.decision) == ("quarantine", "publish")


def test_rows_that_only_the_new_contract_blames_are_counted_where_the_old_one_refused_the_batch(
    make_contract: Make, make_orders: Make
) -> None:
    orders = make_orders()
    orders.loc[orders.index[:20], "amount"] = -1.0
    new_only = orders["items"].eq(5) & orders["amount"].ge(0)
    told = compare(orders, make_contract(), make_contract(schema=Small))
    assert (told.old.decision, told.new.decision) == ("quarantine", "quarantine")
    assert (told.newly_refused, told.newly_broken) == (0, new_only.sum())
    assert told.newly_broken > 0
    (refusal,) = told.by
    assert (refusal.check, refusal.column, refusal.rows) == ("impossible_values", "items", new_only.sum())
    assert [json.loads(key)[0] for key in told.examples] == list(orders.loc[new_only, "order_id"][:5])


def test_what_a_refused_batch_as_a_whole_lacks_is_told_only_where_the_old_contract_did_not_say_so(
    make_contract: Make, make_orders: Make
) -> None:
    orders = make_orders().drop(columns="score")
    assert compare(orders, make_contract(), make_contract(tolerance=0.5)).by == ()
    told = compare(orders, make_contract(), make_contract(rows_min=500))
    assert [(refusal.check, refusal.rows) for refusal in told.by] == [("volume", None)]
