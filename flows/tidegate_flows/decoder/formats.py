"""The formats that may be read, by their suffix. There is no other way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import BinaryIO

from tidegate_flows.decoder import arrow_file, csv_text, json_lines, parquet_file
from tidegate_flows.decoder.decoded import Decoded
from tidegate_flows.decoder.limits import Limits
from tidegate_flows.decoder.parts import SUFFIX, parts_of

Reader = Callable[[BinaryIO, Limits], Decoded]

READERS: Mapping[str, Reader] = {
    ".parquet": parquet_file.read,
    ".csv": csv_text.read,
    ".csv.gz": partial(csv_text.read, gz=True),
    ".jsonl": json_lines.read,
    ".ndjson": json_lines.read,
    ".json": json_lines.read,
    ".jsonl.gz": partial(json_lines.read, gz=True),
    ".ndjson.gz": partial(json_lines.read, gz=True),
    ".arrow": arrow_file.read,
    ".feather": arrow_file.read,
}


def suffix_of_name(name: str) -> str:
    """The longest known suffix that a name ends with, in lower case; empty if there is none."""
    return max((suffix for suffix in READERS if name.lower().endswith(suffix)), key=len, default="")


def decoded(source: BinaryIO, suffix: str, limits: Limits) -> Iterator[Decoded]:
    """The tables in a staged delivery: one, or one a part.

    Raises:
        ValueError: It is not what its suffix says, or more than is allowed.
    """
    if not suffix.endswith(SUFFIX):
        yield READERS[suffix](source, limits)
        return
    form = suffix.removesuffix(SUFFIX)
    parts = parts_of(source, limits.parts)
    if form.startswith((".json", ".ndjson")):
        yield json_lines.read_parts(parts, limits, gz=form.endswith(".gz"))
        return
    for part in parts:
        yield READERS[form](part, limits)
