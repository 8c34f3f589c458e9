"""What every reason of every row costs, beside raw pandera's lazy validation of the same rows: ratios of CPU time.

Run by ``make bench``; the target is 1.5 at 1,000,000 rows with 5 % bad. Numbers of one run are compared with each
other only.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import pandas as pd
import pandera.errors
import pandera.pandas as pr
import pyarrow as pa

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.check import check

SCHEMA = pr.DataFrameSchema(
    {
        "id": pr.Column(int, unique=True),
        "carrier": pr.Column(str, pr.Check.str_matches(r"^[A-Z]{2}$")),
        "origin": pr.Column(str, pr.Check.isin(["EWR", "JFK", "LGA"])),
        **{f"n{number}": pr.Column(float, [pr.Check.ge(-6), pr.Check.le(6)]) for number in range(8)},
        "k": pr.Column(int, pr.Check.in_range(0, 9)),
    }
)


def frame_of(rows: int, bad: float) -> pd.DataFrame:
    """Rows that keep the schema but for a share of bad ones, each broken in one to three places."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows),
            "carrier": rng.choice(["AA", "UA", "DL"], rows),
            "origin": rng.choice(["EWR", "JFK", "LGA"], rows),
            **{f"n{number}": rng.normal(size=rows) for number in range(8)},
            "k": rng.integers(0, 10, rows),
        }
    )
    chosen = rng.choice(rows, int(rows * bad), replace=False)
    for column, value in (("n1", 99.0), ("n2", -99.0), ("k", 12), ("origin", "XXX")):
        frame.loc[rng.choice(chosen, len(chosen) // 2, replace=False), column] = value
    return frame


def cost(function: object, repeats: int) -> float:
    """The median CPU time in seconds of a call."""
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        function()  # type: ignore[operator] # any function without arguments
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def main() -> None:
    """Measure and print one line a share of bad rows."""
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args()
    for bad in (0.0, 0.05):
        frame = frame_of(chosen.rows, bad)
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        batch = Batch("bench", "one", Source("bench.parquet", ".parquet", "0" * 64, 0), table, table)
        contract = tg.Contract(name="bench", version="1.0.0", owner="x", schema=SCHEMA, key=("id",), tolerance=0.1)

        def raw(frame: pd.DataFrame = frame) -> None:
            try:
                SCHEMA.validate(frame, lazy=True)
            except pandera.errors.SchemaErrors as errors:
                del errors

        def ours(batch: Batch = batch, contract: tg.Contract = contract, bad: float = bad) -> None:
            checked = check(batch, contract)
            assert not checked.critical
            assert bool(checked.failed.any()) is bool(bad)

        raw()
        ours()
        by_pandera, by_us = cost(raw, chosen.repeats), cost(ours, chosen.repeats)
        print(  # noqa: T201 - what a benchmark is for
            f"{chosen.rows} rows x {len(frame.columns)} columns, {bad:.0%} bad: "
            f"pandera {by_pandera:.2f} s, with every reason {by_us:.2f} s, ratio {by_us / by_pandera:.2f}"
        )


if __name__ == "__main__":
    main()
