"""The schedule at the end of the calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update

import tidegate as tg
from tidegate_flows.ledger.schema import runs
from tidegate_flows.place import at
from tidegate_flows.schedule import overdue


@pytest.mark.parametrize("last", [datetime(9999, 12, 31, tzinfo=UTC).timestamp(), 1e12, 1e300])
def test_after_a_window_that_ends_with_the_calendar_nothing_is_due(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Callable[..., pd.DataFrame], last: float
) -> None:
    contract = make_contract(cadence=timedelta(days=1), arrive_within=timedelta(hours=6))
    tg.gate(make_orders(1), contract, store=store, batch_id="one")
    now = datetime(2030, 1, 1, tzinfo=UTC)
    with at(store) as place:
        assert overdue(place, contract, now) is not None
        with place.ledger.begin() as connection:
            connection.execute(update(runs).values(event_end=last))
        assert overdue(place, contract, now) is None
