"""The contract of the demo: flights out of New York City, one batch a day."""

from datetime import date, timedelta

import pandas as pd
import pandera.pandas as pa

import tidegate as tg

WEATHER = {"drift": "info"}  # weather moves with the season: tell it, never alarm


class Flights(pa.DataFrameModel):
    """Scheduled departures with the weather at departure and a predicted probability of arriving late."""

    flight_id: str = pa.Field(unique=True, description="carrier, number, origin and local day")
    scheduled: pd.DatetimeTZDtype = pa.Field(
        dtype_kwargs={"unit": "us", "tz": "UTC"}, description="scheduled departure"
    )
    carrier: str = pa.Field(str_matches=r"^[0-9A-Z]{2}$", description="airline, IATA code")
    origin: str = pa.Field(isin=["EWR", "JFK", "LGA"], description="airport of departure, IATA code")
    dest: str = pa.Field(str_matches=r"^[A-Z]{3}$", description="airport of arrival, IATA code")
    distance: float = pa.Field(ge=0, le=10_000, description="great-circle distance", metadata={"unit": "mile"})
    temp: float = pa.Field(ge=-40, le=130, nullable=True, description="temperature", metadata={"unit": "°F", **WEATHER})
    dewp: float = pa.Field(ge=-60, le=100, nullable=True, description="dew point", metadata={"unit": "°F", **WEATHER})
    humid: float = pa.Field(ge=0, le=100, nullable=True, description="humidity", metadata={"unit": "%", **WEATHER})
    wind_dir: float = pa.Field(ge=0, le=360, nullable=True, description="wind from", metadata={"unit": "°", **WEATHER})
    wind_speed: float = pa.Field(ge=0, le=200, nullable=True, description="wind", metadata={"unit": "mph", **WEATHER})
    wind_gust: float = pa.Field(ge=0, le=250, nullable=True, description="gusts", metadata={"unit": "mph", **WEATHER})
    precip: float = pa.Field(
        ge=0, le=10, nullable=True, description="rain or snow", metadata={"unit": "inch", **WEATHER}
    )
    pressure: float = pa.Field(
        ge=900, le=1100, nullable=True, description="pressure at sea level", metadata={"unit": "millibar", **WEATHER}
    )
    visib: float = pa.Field(ge=0, le=10, nullable=True, description="visibility", metadata={"unit": "mile", **WEATHER})
    p_late: float = pa.Field(ge=0, le=1, description="predicted probability of arriving more than 15 min late")
    late: float = pa.Field(
        isin=[0, 1], nullable=True, description="arrived more than 15 min late", metadata={"available": "P1D"}
    )

    class Config:
        """No column that is not declared."""

        strict = True


def within_reach(frame: pd.DataFrame) -> "pd.Series[bool]":
    """What the model was trained on: flights within the United States."""
    return frame["distance"] < 5_000


contract = tg.Contract(
    name="flights",
    version="1.0.0",
    owner="ops-data",
    contact="ops-data@example.com",
    reviewed_on=date(2026, 11, 25),
    schema=Flights,
    scope=within_reach,
    key=("flight_id",),
    event_time="scheduled",
    time_zone="America/New_York",
    prediction="p_late",
    label="late",
    slices=("origin", "carrier"),
    cadence=timedelta(days=1),
    arrive_within=timedelta(hours=6),
    label_delay=timedelta(days=1),
    season="day_of_year",
    tolerance=0.01,
    alarm_budget=tg.AlarmBudget(one_in=50),
    cool_down=timedelta(hours=36),
    actions={"warning": "pass", "critical": "quarantine"},
    waived={
        "no_freshness_promise": "flights of 2013 are never fresh",
        "no_season_policy": "seasons are declared; rows of 2013 never expire here",
        "no_upstream": "the demo writes each delivery whole, before it is gated",
    },
)
