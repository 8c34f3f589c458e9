"""Arrow files (Feather version 2): every buffer is validated before anything reads through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from tidegate_flows.decoder.decoded import Decoded, joined
from tidegate_flows.decoder.limits import Limits
from tidegate_flows.decoder.magic import require_magic


def read(source: BinaryIO, limits: Limits) -> Decoded:
    """The rows of an Arrow file.

    Raises:
        ValueError: It is no such file, or too large.
    """
    require_magic("arrow", source.read(8))
    source.seek(0)
    options = pa.ipc.IpcReadOptions(use_threads=False)
    reader = pa.ipc.open_file(source, options=options)
    limits.check_shape(0, len(reader.schema))
    return Decoded(reader.schema, joined(_validated(reader, limits)))


def _validated(reader: Any, limits: Limits) -> Iterator[Any]:
    rows = 0
    for index in range(reader.num_record_batches):
        batch = reader.get_batch(index)
        batch.validate(full=True)
        rows += batch.num_rows
        limits.check_shape(rows, batch.num_columns)
        yield batch
