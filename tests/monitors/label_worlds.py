"""Small worlds of predictions and labels, day by day, whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
import pandas as pd

from tidegate_contracts.batch import Window
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.tally import Rows, Tally

EDGES = (0.1, 0.2, 0.3)
CARRIERS = ("AA", "B6", "DL", "UA", "WN")
START = datetime(2024, 1, 1, tzinfo=UTC)


def world(
    seed: int,
    days: int,
    *,
    rows: int = 400,
    carrier: float = 0.0,
    everybody: float = 0.0,
    day_sd: float = 0.0,
    since: int = 0,
) -> pd.DataFrame:
    """Right predictions of a rate of about one in five, then what is planted into them.

    Args:
        seed: Of all that is random; what is planted changes no label.
        days: How many.
        rows: A day.
        carrier: Added to the predictions of carrier UA, a tenth of the rows.
        everybody: Added to all predictions.
        day_sd: How much days move the labels of everybody.
        since: The first day of what is planted.
    """
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    right = rng.beta(2, 8, day.size)
    moved = np.clip(right + rng.normal(0, day_sd, days)[day] if day_sd else right, 0, 1)
    label = (rng.random(day.size) < moved).astype(float)
    carriers = rng.choice(CARRIERS, day.size, p=[0.3, 0.2, 0.3, 0.1, 0.1])
    planted = (everybody + carrier * (carriers == "UA")) * (day >= since)
    return pd.DataFrame(
        {
            "day": day,
            "prediction": np.clip(right + planted, 0, 1),
            "label": label,
            "origin": rng.choice(["EWR", "JFK"], day.size),
            "carrier": carriers,
        }
    )


def cohorts_of(
    frame: pd.DataFrame, edges: Sequence[float] = EDGES, slices: Sequence[str] = ("origin", "carrier"), start: int = 0
) -> list[Cohort]:
    """A cohort a day.

    Args:
        frame: Columns day, prediction, label, those of slices, and maybe settled.
        edges: Of the buckets.
        slices: The slicing columns.
        start: The number of the first day.
    """
    prediction, label = (frame[name].to_numpy(dtype=np.float64) for name in ("prediction", "label"))
    known = np.isfinite(label)
    settled = frame["settled"].to_numpy(dtype=bool) if "settled" in frame else known
    values = {name: frame[name].to_numpy(dtype="U16") for name in slices}
    day = frame["day"].to_numpy()
    found = []
    for number in np.unique(day).tolist():
        mine = np.flatnonzero(day == number)
        rows = Rows(
            prediction[mine],
            label[mine],
            settled[mine],
            {name: item[mine] for name, item in values.items()},
            prediction[mine] >= 0.5,
        )
        begin = START + timedelta(days=number + start)
        found.append(
            Cohort(
                f"d{number + start:03}",
                Window(begin, begin + timedelta(days=1)),
                mine.size,
                int(settled[mine].sum()),
                int(known[mine].sum()),
                0,
                tuple(edges),
                MappingProxyType({"": Tally.of(rows, edges)}),
            )
        )
    return found
