"""The schedule at the end of the calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update

import tidegate as tg
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger.schema import runs
from tidegate_flows.place import at
from tidegate_flows.schedule import overdue


@pytest.mark.parametrize("last", [datetime(9999, 12, 31, tzinfo=UTC).timestamp(), 1e12, 1e300])
def test_a_window_that_ends_with_the_calendar_lets_the_next_batch_be_missed_all_the_same(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Callable[..., pd.DataFrame], last: float
) -> None:
    contract = make_contract(cadence=timedelta(days=1), arrive_within=timedelta(hours=6))
    came = datetime(2024, 3, 3, tzinfo=UTC)
    with at(store, clock=lambda: came) as place:
        gate_at(place, make_orders(1), contract, batch_id="one")
        with place.ledger.begin() as connection:
            connection.execute(update(runs).values(event_end=last))
        due = came + timedelta(days=2, hours=6)
        assert overdue(place, contract, due) is None
        missing = overdue(place, contract, due + timedelta(days=1))
    assert missing is not None
    assert (missing.since, missing.batches, missing.last) == (due, 2, came + timedelta(days=1))


def test_after_an_interval_that_no_calendar_has_nothing_is_due(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Callable[..., pd.DataFrame]
) -> None:
    contract = make_contract(cadence=timedelta(days=10**7))
    tg.gate(make_orders(1), contract, store=store, batch_id="one")
    with at(store) as place:
        assert overdue(place, contract, datetime(2030, 1, 1, tzinfo=UTC)) is None
