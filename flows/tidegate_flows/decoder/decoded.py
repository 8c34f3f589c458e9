"""What a reader gives: a schema, and the rows batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_ROWS = 65_536
_ALLOWED = (
    pa.types.is_null,
    pa.types.is_primitive,
    pa.types.is_decimal,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
    pa.types.is_boolean,
)
_NESTED = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_map)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A table that is still being read.

    Attributes:
        schema: Its columns and types, a ``pyarrow.Schema``.
        batches: Its rows, as ``pyarrow.RecordBatch``.
    """

    schema: Any
    batches: Iterator[Any]


def joined(batches: Iterator[Any]) -> Iterator[Any]:
    """The same rows in batches that are not tiny: a file may have as many row groups as rows."""
    waiting: list[Any] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _ROWS or len(waiting) >= _ROWS:
            yield from _as_one(waiting)
            waiting, rows = [], 0
    yield from _as_one(waiting)


def _as_one(batches: list[Any]) -> list[Any]:
    if len(batches) < 2:
        return batches
    table = pa.Table.from_batches(batches)
    return list(table.unify_dictionaries().combine_chunks().to_batches())


def require_types(schema: Any) -> None:
    """Refuse columns of types that a table here has no use for: unions, runs, intervals, extensions.

    Raises:
        ValueError: There is one.
    """
    for number, field in enumerate(schema):
        if not _is_allowed(field.type):
            raise ValueError(f"column {number + 1} is of type {str(field.type)[:60]}, which is not supported")


def _is_allowed(kind: Any) -> bool:
    if pa.types.is_interval(kind):
        return False
    if pa.types.is_struct(kind):
        return all(_is_allowed(kind.field(index).type) for index in range(kind.num_fields))
    if any(is_nested(kind) for is_nested in _NESTED):
        parts = (kind.key_type, kind.item_type) if pa.types.is_map(kind) else (kind.value_type,)
        return all(map(_is_allowed, parts))
    if pa.types.is_dictionary(kind):
        return any(is_one(kind.value_type) for is_one in _ALLOWED)
    return any(is_one(kind) for is_one in _ALLOWED)


def weight(batch: Any) -> int:
    """The bytes that a batch takes once each cell has its own copy: dictionaries and views share theirs."""
    return sum(_weight(values) for values in batch.columns)


def _weight(values: Any) -> int:
    kind = values.type
    if pa.types.is_dictionary(kind):
        if len(values) and len(values.dictionary) and _is_long(kind.value_type):
            lengths = pc.fill_null(pc.binary_length(values.dictionary), 0).cast(pa.int64())
            return int(pc.sum(lengths.take(values.indices)).as_py() or 0)
        return len(values) * 16
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return int(values.cast(pa.large_binary()).nbytes)
    return int(values.nbytes)


def _is_long(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )
