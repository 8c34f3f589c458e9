"""Labels that broke a clause of their contract: where they lie, why, and how somebody lets them go."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq

from tidegate_contracts.errors import UsageError
from tidegate_flows import label_store
from tidegate_flows.ledger import audit
from tidegate_flows.place import Place
from tidegate_flows.signature import require_signature
from tidegate_flows.stores.local import writing

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
    folder = _folder(place, dataset, delivery)
    return {**_item(folder), "folder": str(folder), "findings": [], "reasons": _reasons(folder, _manifest(folder))}


def discard(place: Place, dataset: str, delivery: str, *, by: str, reason: str) -> None:
    """Delete labels that were set aside; the ledger remembers that they were there, and who let them go.

    Raises:
        UsageError: They are not there, or nobody signs.
    """
    require_signature(by, reason)
    _folder(place, dataset, delivery)
    with label_store.locked(place.store, dataset):
        folder = _folder(place, dataset, delivery)  # nobody else has let it go just now
        with place.ledger.begin() as connection:
            audit.append(
                connection, dataset, "labels.discarded", at=place.clock(), batch=delivery, by=by, reason=reason
            )
        with writing(folder):
            gone = folder.rename(place.store.staging / uuid4().hex)
    shutil.rmtree(gone, ignore_errors=True)


def counted(reasons: Any) -> list[dict[str, Any]]:
    """How many rows broke which clause, the most first; of a table with a row for each."""
    found = reasons.group_by(["check", "rule", "column"]).aggregate([("row", "count")]).to_pylist()
    return [
        {"check": item["check"], "rule": item["rule"], "column": item["column"], "rows": item["row_count"]}
        for item in sorted(found, key=lambda item: -item["row_count"])
    ]


def _folder(place: Place, dataset: str, delivery: str) -> Path:
    folders = {path.name: path for path in _folders(place, dataset)}
    if delivery not in folders:
        raise UsageError(
            f"no labels of {dataset!r} were set aside from {delivery!r}",
            allowed=", ".join(sorted(folders)[:20]) or "nothing was",
        )
    return folders[delivery]


def _folders(place: Place, dataset: str) -> list[Path]:
    return [path.parent for path in place.store.place(dataset, "labels").glob("quarantine/*/manifest.json")]


def _item(folder: Path) -> dict[str, Any]:
    manifest = _manifest(folder)
    return {
        "format": FORMAT,
        "dataset": manifest["dataset"],
        "batch": folder.name,
        "state": STATE,
        "rows": manifest["set_aside"],
        "checks": sorted({item["check"] for item in _reasons(folder, manifest)}),
        "run": None,
        "received_at": manifest["received_at"],
        "kept_since": manifest["received_at"],
    }


def _manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def _reasons(folder: Path, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows by clause, as the manifest has them; an older one had not, and each row's reason is read."""
    found: list[dict[str, Any]] | None = manifest.get("reasons")
    if found is not None:
        return found
    return counted(pq.read_table(folder / "reasons.parquet", columns=["row", "check", "rule", "column"]))
