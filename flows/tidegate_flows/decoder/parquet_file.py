"""Parquet: bounded by its footer before a page is read, with page checksums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow.parquet as pq

from tidegate_flows.decoder.decoded import Decoded, joined
from tidegate_flows.decoder.limits import Limits
from tidegate_flows.decoder.magic import require_magic

_ROWS = 131_072
_FOOTER_STRING = 16 << 20
_FOOTER_ITEMS = 4 << 20


def read(source: BinaryIO, limits: Limits) -> Decoded:
    """The rows of a parquet file.

    Raises:
        ValueError: The footer says more than is allowed, or what cannot be.
    """
    require_magic("parquet", source.read(8))
    source.seek(0)
    file = pq.ParquetFile(
        source,
        pre_buffer=False,
        page_checksum_verification=True,
        thrift_string_size_limit=_FOOTER_STRING,
        thrift_container_size_limit=_FOOTER_ITEMS,
    )
    footer = file.metadata
    limits.check_shape(footer.num_rows, footer.num_columns)
    groups = [footer.row_group(index).num_rows for index in range(footer.num_row_groups)]
    if sum(groups) != footer.num_rows or min(groups, default=0) < 0:
        raise ValueError("its footer contradicts itself about the number of rows")
    return Decoded(file.schema_arrow, joined(_counted(file, footer.num_rows)))


def _counted(file: Any, rows: int) -> Iterator[Any]:
    for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
        rows -= batch.num_rows
        yield batch
    if rows:
        raise ValueError("it holds another number of rows than its footer says")
