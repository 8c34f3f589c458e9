"""Labels that broke a clause of their contract: where they lie, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tidegate_contracts.errors import UsageError
from tidegate_flows.place import Place

FORMAT = 1
STATE = "labels"
"""What they are called among what is kept back."""


def kept(place: Place, dataset: str | None = None) -> list[dict[str, Any]]:
    """The deliveries of labels of which some were set aside, as JSON values, in the order in which they came."""
    names = [dataset] if dataset is not None else sorted(path.name for path in place.store.root.iterdir())
    found = [_item(path) for name in names for path in _folders(place, name)]
    return sorted(found, key=lambda item: item["received_at"])


def details(place: Place, dataset: str, delivery: str) -> dict[str, Any]:
    """One of them, with its folder and its rows by clause.

    Raises:
        UsageError: It is not there.
    """
    folders = {path.name: path for path in _folders(place, dataset)}
    if delivery not in folders:
        raise UsageError(
            f"no labels of {dataset!r} were set aside from {delivery!r}",
            allowed=", ".join(sorted(folders)[:20]) or "nothing was",
        )
    folder = folders[delivery]
    return {**_item(folder), "folder": str(folder), "findings": [], "reasons": _reasons(folder)}


def _folders(place: Place, dataset: str) -> list[Path]:
    return [path.parent for path in place.store.place(dataset, "labels").glob("quarantine/*/manifest.json")]


def _item(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / "manifest.json").read_text())
    return {
        "format": FORMAT,
        "dataset": manifest["dataset"],
        "batch": folder.name,
        "state": STATE,
        "rows": manifest["set_aside"],
        "checks": sorted({item["check"] for item in _reasons(folder)}),
        "run": None,
        "received_at": manifest["received_at"],
    }


def _reasons(folder: Path) -> list[dict[str, Any]]:
    reasons = pq.read_table(folder / "reasons.parquet", columns=["row", "check", "rule", "column"])
    counted = reasons.group_by(["check", "rule", "column"]).aggregate([("row", "count")]).to_pylist()
    return [
        {"check": item["check"], "rule": item["rule"], "column": item["column"], "rows": item["row_count"]}
        for item in sorted(counted, key=lambda item: -item["row_count"])
    ]
