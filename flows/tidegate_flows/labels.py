"""Labels that come later: joined by key to what was published."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.load import load_contract
from tidegate_flows import intake
from tidegate_flows.intake import UnreadableError
from tidegate_flows.ledger import audit, biases, runs
from tidegate_flows.ledger.biases import Labelled
from tidegate_flows.place import Place, at
from tidegate_flows.stores.local import replace_durably, writing
from tidegate_monitors.bias import Bias
from tidegate_monitors.breaker import Decision


@dataclass(frozen=True, slots=True)
class Joined:
    """What one delivery of labels said.

    Attributes:
        labels: Rows in the delivery.
        unknown: Those whose key is in no published batch that still waited for labels.
        batches: The batches that were labelled, with the bias of their predictions.
    """

    labels: int
    unknown: int
    batches: tuple[Labelled, ...]


def join_labels(
    labels: Any, contract: Contract | str | Path, *, store: str | Path | None = None, ledger: str | None = None
) -> Joined:
    """Join labels by key to the published batches that still wait for them, and keep the bias of each.

    The same labels twice change nothing. A batch waits until every one of its rows was named by some label file.

    Args:
        labels: A path or data frame with the contract's key and label columns.
        contract: A contract with ``key``, ``prediction`` and ``label``, or ``path.py[:name]``.
        store: The folder that holds everything; None for the settings in force.
        ledger: The ledger's URL; None for the settings in force.

    Raises:
        UsageError: The contract names no key, prediction or label, or the labels lack these columns.
    """
    loaded = load_contract(contract)
    with at(store, ledger=ledger, must_exist=True) as place:
        return join_at(place, labels, loaded)


def join_at(place: Place, delivery: Any, contract: Contract) -> Joined:
    """:func:`join_labels` at a place that is already open."""
    if not contract.key or contract.prediction is None or contract.label is None:
        raise UsageError(
            f"contract {contract.name!r} names no key, prediction or label", hint="labels are joined by key"
        )
    frame = _read(place, delivery, contract)
    with place.ledger.begin() as connection:
        known = biases.load(connection, contract.name)
        published = runs.current(connection, contract.name, [Decision.PUBLISH])
    found, matched = [], 0
    for row in sorted(published, key=lambda row: (row.event_end is None, row.event_end, row.seq)):
        if matched == len(frame):
            break  # labels come in the order of what they label, so the oldest that wait are looked at first
        if row.batch in known and known[row.batch].joined >= row.rows - row.rows_quarantined:
            continue
        item, hits = _join(place, row, frame, contract)
        matched += hits
        if hits:
            found.append(item)
    now = place.clock()
    with place.ledger.begin() as connection:
        for item in found:
            before = known.get(item.batch)
            if before is None or (before.joined, before.bias) != (item.joined, item.bias):
                biases.save(connection, contract.name, item)
                audit.append(connection, contract.name, "labels.joined", at=now, batch=item.batch)
    return Joined(len(frame), len(frame) - matched, tuple(found))


def _read(place: Place, delivery: Any, contract: Contract) -> pd.DataFrame:
    assert contract.label is not None  # noqa: S101 - join_at has seen to it
    wanted = [*contract.key, contract.label]
    with place.store.workspace() as folder:
        try:
            staged = intake.stage(delivery, folder, keep_index=contract.has_index)
            batch = intake.decode(staged, contract)
        except UnreadableError as error:
            raise UsageError("the labels are unreadable", found=str(error)) from error
    absent = [name for name in wanted if name not in batch.table.column_names]
    if absent or batch.mismatches or batch.unparsed:
        found = {
            **dict.fromkeys(absent, "missing"),
            **batch.mismatches,
            **dict.fromkeys(batch.unparsed, "does not parse"),
        }
        raise UsageError("the labels lack columns, or have other types", found=found, allowed=", ".join(wanted))
    frame: pd.DataFrame = batch.table.select(wanted).to_pandas()
    twice = int(frame.duplicated(subset=list(contract.key)).sum())
    if twice:
        raise UsageError("the labels name rows twice", found=f"{twice} rows", allowed="each key once")
    return frame


def _join(place: Place, row: Any, labels: pd.DataFrame, contract: Contract) -> tuple[Labelled, int]:
    """One batch with all labels that have come for it, and how many of these new ones are its own."""
    key = list(contract.key)
    files = [place.store.root / path for path in json.loads(row.files)]
    parts = [pq.read_table(path, columns=[*key, contract.prediction]) for path in files]
    table = pa.concat_tables(parts, promote_options="permissive")
    first = table.column(key[0])
    if not pc.any(pc.is_in(first, pa.array(labels[key[0]], first.type))).as_py():
        return Labelled(row.batch, Bias(rows=table.num_rows), 0, place.seconds), 0
    published = table.to_pandas()
    new = published[key].merge(labels, on=key, how="inner", validate="one_to_one")
    known = _keep(place, row, new, key)
    joined = published.merge(known, on=key, how="left", indicator=True, validate="one_to_one")
    bias = Bias.of(
        joined[contract.prediction].to_numpy(dtype=np.float64, na_value=np.nan),
        joined[contract.label].to_numpy(dtype=np.float64, na_value=np.nan),
    )
    return Labelled(row.batch, bias, int((joined["_merge"] == "both").sum()), place.seconds), len(new)


def _keep(place: Place, row: Any, new: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The labels of one batch that have come so far, kept in the store; the last word on a row counts."""
    path = place.store.place(row.dataset, "labels") / f"{row.batch}.parquet"
    before = [pq.read_table(path).to_pandas()] if path.exists() else []
    known = pd.concat([*before, new]).drop_duplicates(subset=key, keep="last") if before else new
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(known, preserve_index=False), buffer)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, buffer.getvalue())
    return known
