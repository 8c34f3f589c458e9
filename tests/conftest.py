"""What several tests share: a small contract, frames that keep it, and one year of real flights."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import settings

import tidegate as tg

settings.register_profile("suite", deadline=None, max_examples=25)
settings.load_profile("suite")


class Orders(pa.DataFrameModel):
    """A small dataset with one column of each kind."""

    order_id: str = pa.Field(unique=True)
    placed: pd.DatetimeTZDtype = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})
    country: str = pa.Field(isin=["DE", "FR", "IT"])
    amount: float = pa.Field(ge=0, le=10_000)
    items: int = pa.Field(ge=1)
    note: str = pa.Field(nullable=True)
    score: float = pa.Field(ge=0, le=1)
    returned: float = pa.Field(isin=[0, 1], nullable=True, metadata={"available": "P1D"})

    class Config:
        strict = True


@pytest.fixture(scope="session")
def make_contract() -> Callable[..., tg.Contract]:
    """Make the contract of orders, with other arguments."""

    def make(**arguments: Any) -> tg.Contract:
        usual = {
            "name": "orders",
            "version": "1.0.0",
            "owner": "shop",
            "schema": Orders,
            "key": ("order_id",),
            "event_time": "placed",
            "prediction": "score",
            "label": "returned",
            "slices": ("country",),
            "tolerance": 0.02,
        }
        return tg.Contract(**(usual | arguments))

    return make


@pytest.fixture
def contract(make_contract: Callable[..., tg.Contract]) -> tg.Contract:
    """The contract of orders."""
    return make_contract()


@pytest.fixture(scope="session")
def make_orders() -> Callable[..., pd.DataFrame]:
    """Make a day of orders that keeps the contract."""

    def make(day: int = 0, rows: int = 200) -> pd.DataFrame:
        rng = np.random.default_rng(1000 + day)
        start = pd.Timestamp("2024-03-01", tz="UTC") + timedelta(days=day)
        return pd.DataFrame(
            {
                "order_id": [f"o{day}-{number}" for number in range(rows)],
                "placed": (start + pd.to_timedelta(np.sort(rng.integers(0, 86_400, rows)), unit="s")).astype(
                    "datetime64[us, UTC]"
                ),
                "country": rng.choice(["DE", "FR", "IT"], rows, p=[0.5, 0.3, 0.2]),
                "amount": np.round(rng.lognormal(3, 0.7, rows).clip(0, 10_000), 2),
                "items": rng.integers(1, 6, rows),
                "note": np.where(rng.random(rows) < 0.3, None, "gift"),
                "score": np.round(rng.beta(2, 6, rows), 4),
            }
        )

    return make


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> pd.DataFrame:
    """The year of flights with weather and predictions; made by one worker, read by the others."""
    from tidegate_flows.demo import data

    if worker_id == "master":
        return data.flights()
    shared = tmp_path_factory.getbasetemp().parent / "flights.parquet"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            made = data.flights()
            made.to_parquet(shared.with_suffix(".part"))
            pd.testing.assert_frame_equal(pd.read_parquet(shared.with_suffix(".part")), made)
            shared.with_suffix(".part").rename(shared)
    return pd.read_parquet(shared)


@pytest.fixture(scope="session")
def flights_contract() -> tg.Contract:
    """The demo's contract."""
    import tidegate_flows.demo.story as story

    return tg.load_contract(Path(story.__file__).with_name("flights.py"))
