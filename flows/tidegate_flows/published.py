"""What was published of one batch: all its files, read column by column in the contract's types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError
from tidegate_contracts.types import plain_values, reconcile


@dataclass(frozen=True, slots=True)
class Published:
    """The published files of one batch.

    Attributes:
        files: In the order in which their rows came: the batch, then what was released.
        contract: Says which types its columns have.
    """

    files: tuple[Path, ...]
    contract: Contract

    def may_hold(self, column: str, least: Any, most: Any) -> bool:
        """Whether a column can hold a value from a range, by the bounds that the files keep; nothing is decoded."""
        return any(self._overlaps(path, column, least, most) for path in self.files)

    def columns(self, names: Sequence[str]) -> Any:
        """Some columns as a ``pyarrow.Table``; those that were not published are missing throughout.

        Raises:
            StoreError: A file cannot be read.
        """
        parts: list[dict[str, Any]] = []
        for path in self.files:
            with _reading(path) as file:
                there = set(file.schema_arrow.names)
                rows = file.metadata.num_rows
                table = file.read(columns=[name for name in names if name in there])
            absent = pa.nulls(rows)
            parts.append({name: self._typed(name, table.column(name) if name in there else absent) for name in names})
        if len(parts) == 1:
            return pa.table(parts[0])
        return pa.concat_tables([pa.table(part) for part in parts], promote_options="permissive")

    def _typed(self, name: str, values: Any) -> Any:
        column = self.contract.columns[name]
        chunked = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        return plain_values(reconcile(chunked, column.type, time_zone=self.contract.time_zone).values)

    @staticmethod
    def _overlaps(path: Path, column: str, least: Any, most: Any) -> bool:
        with _reading(path) as file:
            names = file.schema_arrow.names
            flat = len(names) == file.metadata.num_columns
            if not flat or column not in names:
                return True
            place = names.index(column)
            for group in range(file.metadata.num_row_groups):
                found = file.metadata.row_group(group).column(place).statistics
                if found is None or not found.has_min_max:
                    return True
                low, high = found.min, found.max
                if type(low) is not type(least) or (low <= most and least <= high):
                    return True
        return False


def bounds(values: Any) -> tuple[Any, Any] | None:
    """The least and the greatest of some texts or whole numbers; None for others, whose order files keep otherwise."""
    if not (pa.types.is_string(values.type) or pa.types.is_integer(values.type)):
        return None
    found = pc.min_max(values)
    least, most = found["min"].as_py(), found["max"].as_py()
    return None if least is None else (least, most)


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    """A published file; what is wrong with it as one clear error."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        hint = "it was published and is not there as it was; restore it, then join the labels again"
        raise StoreError(f"the published file {path} cannot be read", found=why, hint=hint) from error
