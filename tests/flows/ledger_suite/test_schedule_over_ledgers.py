"""One wrong time does not silence the schedule, whatever keeps the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import standings
from tidegate_flows.ledger_snapshot import Snapshots
from tidegate_flows.place import Place, at
from tidegate_flows.schedule import overdue

Make = Callable[..., pd.DataFrame]
DAY, FAR = timedelta(days=1), pd.Timestamp("2099-06-01", tz="UTC")
FIRST = datetime(2024, 3, 2, tzinfo=UTC)  # day 0 of the orders is over


class Feed:
    """A feed of orders, a batch a day, and what the schedule and the exporter say of it."""

    def __init__(self, place: Place, contract: tg.Contract) -> None:
        self.place, self.contract, self.now = place, contract, FIRST

    def comes(self, frame: pd.DataFrame) -> datetime:
        """A batch comes; gives the end of its window."""
        run = gate_at(self.place, frame, self.contract)
        assert run.window is not None
        return run.window.end

    @property
    def due(self) -> datetime:
        """By when the next batch must be there, by the exporter and, a second later, by the schedule."""
        with self.place.ledger.read() as connection:
            seconds = Snapshots().take(connection, self.now).datasets["orders"].next_due
        assert seconds is not None
        due = datetime.fromtimestamp(seconds, UTC)
        missing = overdue(self.place, self.contract, due + timedelta(seconds=1))
        assert missing is not None
        assert missing.since == due
        assert overdue(self.place, self.contract, due) is None
        return due


@pytest.fixture
def feed(ledger_url: str, store: Path, make_contract: Callable[..., tg.Contract]) -> Iterator[Feed]:
    """A feed whose clock stands at the end of its first day."""
    contract = make_contract(cadence=DAY, arrive_within=timedelta(hours=6))
    with at(store, ledger=ledger_url or None, clock=lambda: found.now) as place:
        found = Feed(place, contract)
        yield found


def test_one_wrong_time_puts_the_next_batch_off_by_one_interval_and_its_clean_twin_by_none(
    feed: Feed, make_orders: Make
) -> None:
    end = feed.comes(make_orders(0))
    assert feed.due == end + DAY + timedelta(hours=6)
    feed.now += DAY
    odd = make_orders(1)
    odd.loc[odd.index[0], "placed"] = FAR
    assert feed.comes(odd) > FAR
    assert feed.due == feed.now + 2 * DAY + timedelta(hours=6)
    feed.now += 3 * DAY
    end = feed.comes(make_orders(4))
    assert feed.due == end + DAY + timedelta(hours=6), "and the next batches are what counts again"


def test_a_refused_batch_with_a_wrong_time_is_no_different(feed: Feed, make_orders: Make) -> None:
    odd = make_orders(0).assign(amount=-1.0)
    odd.loc[odd.index[0], "placed"] = FAR
    feed.comes(odd)
    assert feed.due == feed.now + 2 * DAY + timedelta(hours=6)


def test_plans_for_the_coming_day_are_believed(feed: Feed, make_orders: Make) -> None:
    end = feed.comes(make_orders(1))  # the day that begins now
    assert end > feed.now
    assert feed.due == end + DAY + timedelta(hours=6)


def test_a_backlog_of_long_ago_is_due_by_its_events(feed: Feed, make_orders: Make) -> None:
    feed.now += 900 * DAY
    ends = [feed.comes(make_orders(day)) for day in range(2)]
    assert feed.due == max(ends) + DAY + timedelta(hours=6)
    with feed.place.ledger.read() as connection:
        assert standings.of_one(connection, "orders").window_last == max(ends).timestamp()
