"""Evidently's DataDriftPreset as it comes, on the cases of one folder; runs in the bench's own environment.

It refuses a column that has no value on one side: such a column is left out for that batch, and counted as silent.

Defaults: a reference of more than 1,000 rows is held by the normed Wasserstein distance (numbers) and the
Jensen-Shannon distance (categories) against .1; the dataset has drifted where half of the columns have.
See docs.evidentlyai.com/metrics/explainer_drift.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["DO_NOT_TRACK"] = "1"


def judged(reference: Any, current: Any, told: dict[str, list[str]]) -> tuple[int, bool]:
    """How many columns have drifted, and whether the dataset has."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    known = [name for name in reference if reference[name].notna().any() and current[name].notna().any()]
    numbers, categories = ([name for name in told[kind] if name in known] for kind in ("numbers", "categories"))
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    reference, current = reference[known], current[known]
    sides = [Dataset.from_pandas(side, data_definition=definition) for side in (current, reference)]
    found = Report([DataDriftPreset()]).run(*sides).dict()
    counted = next(item for item in found["metrics"] if "DriftedColumnsCount" in item["metric_name"])
    share = float(counted["value"]["share"])
    return int(counted["value"]["count"]), share >= 0.5


def main() -> None:
    """Judge every batch of every case; write what was found beside them."""
    import pandas as pd

    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    told = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
    columns = [*told["numbers"], *told["categories"]]
    found = []
    for case in sorted(folder.glob("*.reference.parquet")):
        reference = pd.read_parquet(case)[columns]
        currents = pd.read_parquet(case.with_name(case.name.replace("reference", "current")))
        for batch, rows in currents.groupby("batch", sort=True):
            count, dataset = judged(reference, rows[columns], told)
            found.append({"case": case.name.split(".")[0], "batch": batch, "columns": count, "dataset": dataset})
    (folder / "evidently.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
