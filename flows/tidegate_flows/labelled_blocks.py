"""The labels of a reference's own batches: how far predictions lay from labels when somebody approved them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.label_check import key_of
from tidegate_contracts.types import plain_values
from tidegate_flows import label_delivery
from tidegate_flows.intake import SUFFIXES, masked, natural_id, suffix_of
from tidegate_flows.place import Place
from tidegate_monitors.reference import Reference
from tidegate_monitors.scored import Labels, cohort_columns, cohort_of


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Labels that came in files of their own.

    Attributes:
        keys: The key of each, as one column; None where no file came.
        labels: What came true.
    """

    keys: Any = None
    labels: Any = None


def known_labels(place: Place, contract: Contract, files: Sequence[str | Path]) -> Known:
    """The labels of some files; of a key that stands in several the last counts.

    Raises:
        UsageError: The contract names no key, prediction or label, or the files have no labels.
    """
    if not files:
        return Known()
    label_delivery.require_joinable(contract)
    files = [path for item in files for path in _files(item)]
    read = [label_delivery.read(place, path, contract, place.clock()) for path in files]
    refused = [masked(str(path)) for path, item in zip(files, read, strict=True) if item.refused]
    if refused:
        raise UsageError("labels break the contract", found=", ".join(refused), hint="tidegate labels says how")
    newest = read[::-1]
    return Known(_joined([item.keys for item in newest]), _joined([item.labels for item in newest]))


def scored_rows(batch: Batch, contract: Contract, known: Known) -> tuple[Any, Labels] | None:
    """What a cohort is made of, as ``(table, labels)``; None where a batch has no predictions or no label at all."""
    if contract.label is None or contract.prediction is None:
        return None
    names = batch.table.column_names
    columns = cohort_columns(contract)
    if any(name not in names for name in columns):
        return None
    if contract.label in names:
        label = plain_values(batch.table.column(contract.label))
    elif known.keys is not None:
        places = pc.index_in(key_of(batch.table, contract), value_set=known.keys, skip_nulls=True)
        label = known.labels.take(places)
    else:
        return None
    if pa.types.is_floating(label.type):
        label = pc.if_else(pc.is_nan(label), pa.scalar(None, label.type), label)
    if label.null_count == len(label):
        return None
    nothing = np.zeros(len(label), dtype=np.int32)
    return batch.table.select(columns), Labels(label, np.ones(len(label), dtype=bool), nothing)


def with_cohorts(reference: Reference, rows: Mapping[str, tuple[Any, Labels]], contract: Contract) -> Reference:
    """A reference whose blocks know the labels of their rows, by batch id; nothing more will come for them."""
    blocks = []
    for block in reference.blocks:
        found = rows.get(block.batch)
        if found is None:
            blocks.append(block)
        else:
            cohort = cohort_of(block.batch, block.window, found[0], found[1], contract, reference)
            blocks.append(replace(block, cohort=cohort))
    return replace(reference, blocks=tuple(blocks))


def labelled_share(reference: Reference) -> float:
    """The share of a reference's rows that have a label, in [0, 1]."""
    labelled = sum(cohort.labelled for cohort in reference.cohorts)
    return labelled / reference.pooled.rows if reference.pooled.rows else 0.0


def _files(item: str | Path) -> list[str | Path]:
    """A file, or those of a folder by name."""
    if "://" in str(item) or not Path(item).is_dir():
        return [item]
    found = (path for path in Path(item).iterdir() if suffix_of(path) in SUFFIXES and not path.name.startswith("."))
    return [*sorted(found, key=natural_id)]


def _joined(columns: Sequence[Any]) -> Any:
    parts = [chunk for column in columns for chunk in getattr(column, "chunks", [column])]
    return pa.chunked_array(parts, columns[0].type).combine_chunks()
