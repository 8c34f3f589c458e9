"""NannyML's univariate and multivariate drift as they come, on the cases of one folder; runs in its own environment.

Defaults: the Jensen-Shannon distance of every column, and the reconstruction error of a PCA for the dataset, each
against the mean plus three standard deviations of the reference's own chunks. See nannyml.readthedocs.io, the
tutorials on thresholds and on data reconstruction. A batch is a chunk: each gets a day of its own.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"


def dated(frame: Any) -> Any:
    """The frame with the number of its batch as a day."""
    import pandas as pd

    return frame.assign(chunk=pd.Timestamp("2000-01-01") + pd.to_timedelta(frame["batch"].astype(int), unit="D"))


def univariate(reference: Any, current: Any, told: dict[str, list[str]]) -> list[int]:
    """For each batch the columns that alert."""
    import nannyml

    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*told["numbers"], *told["categories"]],
        treat_as_categorical=told["categories"],
        timestamp_column_name="chunk",
        chunk_period="D",
    )
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    alerts = found.xs("alert", axis=1, level=2)
    return [int(count) for count in alerts.astype(bool).sum(axis=1)]


def multivariate(reference: Any, current: Any, columns: list[str]) -> list[bool]:
    """For each batch whether the dataset alerts."""
    import nannyml

    calculator = nannyml.DataReconstructionDriftCalculator(
        column_names=columns, timestamp_column_name="chunk", chunk_period="D"
    )
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    return [bool(alert) for alert in found[("reconstruction_error", "alert")]]


def main() -> None:
    """Judge every batch of every case; write what was found beside them."""
    import pandas as pd

    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    told = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
    found = []
    for case in sorted(folder.glob("*.reference.parquet")):
        reference = dated(pd.read_parquet(case))
        current = dated(pd.read_parquet(case.with_name(case.name.replace("reference", "current"))))
        for frame in (reference, current):
            for name in told["categories"]:  # as objects: its encoder takes no other strings of pandas 3
                frame[name] = frame[name].astype(object).where(frame[name].notna(), None).map(str, na_action="ignore")
                frame[name] = frame[name].astype(object)
        counts = univariate(reference, current, told)
        datasets = multivariate(reference, current, [*told["numbers"], *told["categories"]])
        for batch, count, dataset in zip(sorted(current["batch"].unique()), counts, datasets, strict=True):
            found.append({"case": case.name.split(".")[0], "batch": batch, "columns": count, "dataset": dataset})
    (folder / "nannyml.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
