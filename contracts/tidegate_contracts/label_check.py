"""Hold labels against the clauses that were set aside when their predictions were gated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import Batch
from tidegate_contracts.check import Checked, held_against
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of
from tidegate_contracts.outcome import Outcome, classes_of, outcome_of
from tidegate_contracts.pandera_clauses import Asking
from tidegate_contracts.question import Question
from tidegate_contracts.reasons import Broken, Keys
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import plain_values

CONFLICT = "one label for each key of a delivery"


def check_labels(batch: Batch, contract: Contract) -> tuple[Checked, npt.NDArray[np.bool_]]:
    """What the contract says of delivered labels, and which rows are left to be joined.

    Only the label's own clauses are asked, as the contract has them: its type, whether it may be missing, its checks.
    Rows that fail are set aside; above the contract's tolerance the delivery as a whole is refused. A key that comes
    twice with the same label counts once; with different labels all its rows are set aside, and that alone refuses
    no delivery.

    Args:
        batch: Rows with the contract's key and label columns, brought to its types.
        contract: What was promised; it has a key and a label.

    Returns:
        What was found, and for each row whether it says something that no row before it said.

    Raises:
        MonitorError: A check of the contract raised.
    """
    blamed = dict(_unparsed(batch, contract))
    asking = Asking(batch, contract, blamed)
    broken = [*blamed.values(), *asking.answer(_question(contract)), *_not_a_number(batch, contract)]
    broken += _outside(batch, contract, broken)
    failed = np.zeros(batch.rows, dtype=bool)
    for item in broken:
        if item.rows is not None:
            failed[item.rows] = True
    conflicting, kept = _once(batch, contract, ~failed)
    if conflicting.size:
        broken.append(Broken("conflicting_labels", CONFLICT, contract.label, conflicting, Severity.WARNING))
    return replace(held_against(batch, contract, broken), table=batch.table), kept


def _question(contract: Contract) -> Question:
    """The contract's schema with nothing but the label in it."""
    assert contract.label is not None  # noqa: S101 - the caller has seen to it
    others = fields_of(contract.pandera_schema).keys() - {contract.label}
    question = Question.of(contract, (contract.label,), others)
    schema = question.schema
    schema.checks, schema.unique, schema.strict, schema.ordered = [], None, False, False
    for field in schema.columns.values():
        field.checks = [check for check in field.checks if check.groupby is None]  # it looks at another column
    return question


def _unparsed(batch: Batch, contract: Contract) -> Iterator[tuple[str, Broken]]:
    """Cells of text that are not of their type."""
    for name in (*contract.key, contract.label):
        if name is not None and name in batch.unparsed:
            kind = contract.columns[name].type
            yield name, Broken("schema_mismatch", f"text that is no {kind}", name, batch.unparsed[name])


def _not_a_number(batch: Batch, contract: Contract) -> Iterator[Broken]:
    values = batch.table.column(contract.label)
    if pa.types.is_floating(values.type):
        rows = np.flatnonzero(np.asarray(pc.fill_null(pc.is_inf(values), fill_value=False)))
        if rows.size:
            yield Broken("non_finite", "finite", contract.label, rows)


def _outside(batch: Batch, contract: Contract, broken: list[Broken]) -> list[Broken]:
    """Labels of no class, where the schema itself does not say so already."""
    if outcome_of(contract) is Outcome.NUMBER:
        return []
    classes = {*(classes_of(contract) or (0, 1))}
    values = plain_values(batch.table.column(contract.label))
    strange = [value for value in pc.unique(values.drop_null()).to_pylist() if value not in classes]
    if not strange:
        return []
    rows = np.flatnonzero(np.asarray(pc.is_in(values, value_set=pa.array(strange, values.type))))
    for item in broken:
        if item.rows is not None and item.column == contract.label:
            rows = np.setdiff1d(rows, item.rows)
    return [Broken("unknown_labels", "one of the contract's classes", contract.label, rows)] if rows.size else []


def _once(
    batch: Batch, contract: Contract, sound: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Positions of rows whose key has several labels, and which rows are left: each key once, with its label."""
    keys, labels = key_of(batch.table, contract), plain_values(batch.table.column(contract.label))
    chosen = keys.filter(pa.array(sound)) if not sound.all() else keys
    if pc.count_distinct(chosen, mode="only_valid").as_py() == len(chosen) - chosen.null_count:
        return np.zeros(0, dtype=np.int64), sound
    codes = pd.Series(_codes(keys)).where(pd.Series(sound), -1)
    rows = np.flatnonzero((codes >= 0) & codes.duplicated(keep=False))
    found = pd.DataFrame({"row": rows, "key": codes[rows].to_numpy(), "label": _codes(labels)[rows]})
    named = found[found["label"] >= 0]
    several = named.groupby("key")["label"].nunique()
    conflicts = found["key"].isin(several.index[several > 1])
    found["empty"] = found["label"] < 0
    first = found[~conflicts].sort_values(["key", "empty", "row"]).drop_duplicates("key")["row"]
    kept = sound.copy()
    kept[rows] = False
    kept[first.to_numpy()] = True
    return found["row"][conflicts].to_numpy(), kept


def key_of(table: Any, contract: Contract) -> Any:
    """The key of each row as one column: itself, or for several columns their JSON text."""
    if len(contract.key) == 1:
        return plain_values(table.column(contract.key[0]))
    return pa.chunked_array([Keys(table, contract.key).array_of(np.arange(table.num_rows))])


def _codes(values: Any) -> npt.NDArray[np.int64]:
    """A number for each distinct value; -1 for none."""
    encoded = values.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return np.asarray(pc.fill_null(encoded.indices, -1)).astype(np.int64)
