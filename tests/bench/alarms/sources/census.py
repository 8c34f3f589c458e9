"""The US census' community survey in Massachusetts, 2015 to 2018, a batch a thousand people in file order."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.history import Origin, numbered
from tests.bench.alarms.home import packaged

_CODES = (
    "SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "SEX", "RAC1P",
)  # fmt: skip
_ROWS = 1_000


def read() -> pd.DataFrame:
    """The answers, year after year; the last incomplete batch is left out."""
    parts = [
        pd.read_parquet(packaged(f"nannyml/datasets/data/employment_MA_{part}.pq"))
        for part in ("reference", "analysis")
    ]
    raw = pd.concat(parts, ignore_index=True).sort_values("id", kind="stable")
    frame = pd.DataFrame(
        {
            "id": raw["id"].astype("int64"),
            "age": raw["AGEP"].astype(float),
            **{name.lower(): raw[name].astype("str") for name in _CODES},
            "p_employed": raw["predicted_probability"].astype(float),
        }
    )
    frame["batch"] = list(numbered(frame, _ROWS))
    return frame.iloc[: len(frame) // _ROWS * _ROWS].reset_index(drop=True)


def contract() -> tg.Contract:
    """Codes are categories; the model's probability is a prediction."""
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(int),
            "age": pa.Column(float),
            **{name.lower(): pa.Column(str) for name in _CODES},
            "p_employed": pa.Column(float),
        }
    )
    return tg.Contract(
        name="census", version="1.0.0", owner="bench", schema=schema, key=("id",), prediction="p_employed"
    )


ORIGIN = Origin(
    "census",
    "people in the census' community survey, a thousand in file order",
    "nannyml 0.13.1",
    "public domain (US Census Bureau, ACS PUMS)",
    read,
    contract,
)
