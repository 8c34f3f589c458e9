"""Rows from the future do not move the breaker's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.batch import Batch, Source, Window
from tidegate_flows import intake
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import breakers
from tidegate_flows.place import at
from tidegate_monitors.breaker import Breaker, Decision, State

Make = Callable[..., pd.DataFrame]
NOW = datetime(2024, 6, 1, tzinfo=UTC)
FAR = pd.Timestamp("2099-01-01", tz="UTC")
GOOD, BAD = 1.0, -1.0


class Backlog:
    """Days of orders that are gated at one moment, each as of its own window."""

    def __init__(self, store: Path, contract: tg.Contract, make_orders: Make) -> None:
        self.store, self.contract, self.make_orders = store, contract, make_orders

    def day(self, day: int, amount: float, *, wrong: bool = False) -> tg.Run:
        """What becomes of a day, perhaps with one wrong time."""
        frame = self.make_orders(day).assign(amount=amount)
        if wrong:
            frame.loc[frame.index[-1], "placed"] = FAR
        with at(self.store, clock=lambda: NOW) as place:
            return gate_at(place, frame, self.contract, as_of="window")

    @property
    def breaker(self) -> Breaker:
        """As it stands."""
        with at(self.store) as place, place.ledger.read() as connection:
            return breakers.load(connection, "orders")


@pytest.fixture
def backlog(store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make) -> Backlog:
    """A backlog whose breaker stays open for five days of it."""
    return Backlog(store, make_contract(cool_down=timedelta(days=5)), make_orders)


@pytest.mark.parametrize("wrong", [False, True])
def test_one_wrong_time_does_not_end_a_cool_down(backlog: Backlog, wrong: bool) -> None:
    assert backlog.day(1, BAD).decision is Decision.QUARANTINE
    assert backlog.day(3, GOOD, wrong=wrong).decision is Decision.HOLD
    assert backlog.breaker.state is State.OPEN
    assert backlog.day(8, GOOD).decision is Decision.PUBLISH


@pytest.mark.parametrize("wrong", [False, True])
def test_one_wrong_time_does_not_make_a_cool_down_endless(backlog: Backlog, wrong: bool) -> None:
    assert backlog.day(1, BAD, wrong=wrong).decision is Decision.QUARANTINE
    opened = backlog.breaker.changed_at
    assert opened is not None
    assert datetime(2024, 3, 2, tzinfo=UTC) <= opened <= datetime(2024, 3, 3, tzinfo=UTC), "on its own day"
    assert backlog.day(4, GOOD).decision is Decision.HOLD
    assert backlog.day(8, GOOD).decision is Decision.PUBLISH
    assert backlog.breaker.state is State.CLOSED


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_with_window_no_batch_comes_later_than_it_arrives(one: datetime, other: datetime, arrived: datetime) -> None:
    window = Window(min(one, other), max(one, other))
    nothing = pa.table({})
    batch = Batch("orders", "a", Source("a", ".parquet", "0" * 64, 0), nothing, nothing, window)
    moment = intake.breaker_time("window", batch, arrived)
    assert moment <= arrived
    assert moment == window.end or window.end > arrived, "an end that can be believed is taken"
    assert moment in (window.start, window.end, arrived)
