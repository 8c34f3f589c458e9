"""CSV: every cell as text, to be parsed towards the contract's types later. A ragged row is never guessed at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv

from tidegate_flows.decoder.decoded import Decoded
from tidegate_flows.decoder.limits import Limits
from tidegate_flows.decoder.magic import not_utf8, require_text
from tidegate_flows.decoder.unpacked import HEAD, unpacked

_FIRST_RECORD = re.compile(rb'(?:\xef\xbb\xbf)?[\r\n]*((?:"[^"]*"?|[^"\r\n])+)')


def read(source: BinaryIO, limits: Limits, *, gz: bool = False) -> Decoded:
    """The rows of a CSV file: only an unquoted empty cell is missing, and ``001`` stays ``001``.

    Raises:
        ValueError: It is no UTF-8 text, or too large.
    """
    names = _names(source, limits, gz=gz)
    limits.check_shape(0, len(names))
    source.seek(0)
    _, stream = unpacked(source, gz=gz, maximum=limits.text_bytes)
    reader = _told(limits, lambda: _open(stream, limits, names))
    if reader.schema.names != names or any(field.type != pa.string() for field in reader.schema):
        raise ValueError("its header cannot be told apart from its rows")
    return Decoded(reader.schema, _bounded(reader, limits))


def _names(source: BinaryIO, limits: Limits, *, gz: bool) -> list[str]:
    """The header, read for itself because pyarrow wants each column's type by name."""
    head, stream = unpacked(source, gz=gz, maximum=limits.text_bytes)
    require_text(head, whole=len(head) < HEAD)
    found = _FIRST_RECORD.match(head)
    if found is not None and found.end() == len(head) == HEAD:
        found = _FIRST_RECORD.match(stream.read(limits.row_bytes))
    record = found.group(1) if found is not None else b""
    names: list[str] = _told(limits, lambda: pa_csv.read_csv(pa.BufferReader(record + b"\n"))).schema.names
    return names


def _open(stream: Any, limits: Limits, names: list[str]) -> Any:
    return pa_csv.open_csv(
        stream,
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=limits.row_bytes),
        # in a single column a blank line is a missing cell
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) != 1),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _bounded(reader: Any, limits: Limits) -> Iterator[Any]:
    rows = 0
    while (batch := _told(limits, lambda: next(reader, None))) is not None:
        rows += batch.num_rows
        limits.check_shape(rows, batch.num_columns)
        yield batch


def _told(limits: Limits, action: Any) -> Any:
    """An action whose refusals are told in our words."""
    try:
        return action()
    except pa.ArrowInvalid as error:
        text = str(error)
        if "UTF8" in text:
            raise not_utf8() from None
        if "straddling" in text:
            raise ValueError(f"a row of more than {limits.row_bytes} bytes") from None
        raise
