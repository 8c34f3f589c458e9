"""Draft a contract from files: staged and decoded like deliveries, so that a draft sees what a gate would."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tidegate_contracts import infer
from tidegate_contracts.arguments import parse
from tidegate_contracts.contract import Contract
from tidegate_contracts.draft import Draft
from tidegate_contracts.errors import UsageError
from tidegate_contracts.guesses.dtype import Form
from tidegate_flows import intake
from tidegate_flows.intake.json_cells import kind_of


def draft(deliveries: Sequence[Any], name: str) -> Draft:
    """What some files suggest that every batch of their dataset promises.

    Args:
        deliveries: Paths, or pandas, polars or pyarrow tables; all are looked at, each as a batch of its own.
        name: The dataset.

    Raises:
        ContractError: The name cannot be a dataset's.
        UsageError: A file is not there, cannot be read, or holds nothing.
    """
    parse("name", name)
    return infer.infer([_file(delivery) for delivery in deliveries])


def _file(delivery: Any) -> infer.File:
    with TemporaryDirectory(prefix="tidegate-") as folder:
        staged = intake.stage(delivery, Path(folder))
        try:
            return _decoded(staged)
        except intake.UnreadableError as error:
            raise UsageError(f"{staged.source.name} cannot be read", found=str(error)) from error


def _decoded(staged: intake.Staged) -> infer.File:
    """A file as the intake decodes it for a contract that declares none of its columns, so that it changes none."""
    import pandera.pandas as pa

    nothing = pa.DataFrameSchema({"\0": pa.Column(required=False)})
    batch = intake.decode(staged, Contract(name="nothing", version="0.0.0", owner="tidegate", schema=nothing))
    mixed = frozenset(field.name for field in batch.delivered.schema if kind_of(field) == "mixed")
    return infer.File(batch.table, _form(staged.source.suffix), mixed)


def _form(suffix: str) -> Form:
    """What the text of a format may stand for."""
    if ".csv" in suffix:
        return Form.CELLS
    return Form.TIMES if "json" in suffix else Form.TYPED
