"""What the tests of monitors share: the year's deliveries, day by day, and a reference from February and March."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_flows.demo import data
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Block, Reference


@pytest.fixture(scope="session")
def deliveries(flights: pd.DataFrame) -> dict[date, Any]:
    """The delivered table of each day of the year."""
    return {day: data.table(rows) for day, rows in flights.groupby("day", sort=True)}


@pytest.fixture(scope="session")
def reference(deliveries: dict[date, Any], flights_contract: tg.Contract) -> Reference:
    """February and March 2013, a block a day."""
    first, last = data.REFERENCE
    batches = [
        Batch(flights_contract.name, str(day), Source(f"{day}.parquet", ".parquet", "", 0), table, table)
        for day, table in deliveries.items()
        if first <= day <= last
    ]
    layout = Layout.of(batches, flights_contract)
    blocks = tuple(Block(batch.id, None, Profile.of(batch.table, layout)) for batch in batches)
    return Reference(flights_contract.name, flights_contract.sha256, layout, blocks)


@pytest.fixture(scope="session")
def natural(deliveries: dict[date, Any], reference: Reference) -> dict[date, Profile]:
    """The profile of each day after the reference, as nature made it."""
    return {
        day: Profile.of(table, reference.layout) for day, table in deliveries.items() if data.FIRST <= day <= data.LAST
    }
