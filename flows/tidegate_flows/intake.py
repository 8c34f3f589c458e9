"""What arrives: staged first, copied and hashed in one pass; the staged copy is what is checked and published."""

from __future__ import annotations

import gzip
import io
import re
import stat
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tidegate_contracts.batch import Batch, Source, Window, batch_id
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_contracts.types import reconcile
from tidegate_flows.stores.local import copy_hashed, writing

_ROWS_COLUMNS_MAXIMUM = 2_000_000_000
_CSV_BYTES_MAXIMUM = 8 << 30


class UnreadableError(Exception):
    """The bytes are not what their name says; a verdict about the batch, never a reason to retry."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A delivery, copied into the store and not yet looked into.

    Attributes:
        path: The staged copy.
        source: Its name, format, hash and size.
        id: The batch id.
        frame: ``pandas``, ``polars`` or ``arrow`` as the caller brought it.
    """

    path: Path
    source: Source
    id: str
    frame: str = "arrow"


def stage(delivery: Any, folder: Path, *, name: str | None = None) -> Staged:
    """Copy a file, or write a data frame, into a folder of the store.

    Args:
        delivery: A path, or a pandas, polars or pyarrow table.
        folder: Where to put the copy.
        name: The batch id, if it is not the file's name without suffixes.

    Raises:
        UsageError: There is no such file, or it is of a kind that cannot be a batch.
        StoreError: The source cannot be read or the copy cannot be written.
    """
    if isinstance(delivery, str | Path):
        return _stage_file(Path(delivery), folder, name)
    return _stage_frame(delivery, folder, name)


def _stage_file(path: Path, folder: Path, name: str | None) -> Staged:
    suffix = suffix_of(path)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # a name with a NUL byte in it is a ValueError
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"no batch at {str(path)!r}", found=why, allowed="a parquet or CSV file") from error
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is not a regular file", allowed="a parquet or CSV file")
    target = folder / f"batch{suffix}"
    try:
        source = path.open("rb")
    except OSError as error:
        raise StoreError(f"{path} cannot be read", found=error.strerror) from error
    with source, writing(folder):
        digest, size = copy_hashed(source, target)
    identity = batch_id(name if name is not None else natural_id(path))
    return Staged(target, Source(path.name, suffix, digest, size), identity)


def natural_id(path: Path) -> str:
    """The id that a file's own name gives: without suffixes, preceded by its ``key=value`` partition folders."""
    partitions = list(takewhile(lambda part: "=" in part, reversed(path.parts[:-1])))[::-1]
    suffix = suffix_of(path)
    name = path.name[: -len(suffix)] if suffix else path.name
    return "_".join([*partitions, name or path.name])


def suffix_of(path: Path) -> str:
    """A file's format by its name, such as ``.parquet`` or ``.csv.gz``, in lower case."""
    suffix = "".join(path.suffixes[-2:]).lower()
    return suffix if suffix in _DECODERS else path.suffix.lower()


def _stage_frame(delivery: Any, folder: Path, name: str | None) -> Staged:
    table, frame = _as_table(delivery)
    buffer = io.BytesIO()
    try:
        pq.write_table(table, buffer, write_page_checksum=True)
    except pa.ArrowException as error:
        raise UsageError(f"this {frame} frame has no parquet form", found=str(error)) from error
    buffer.seek(0)
    with writing(folder):
        digest, size = copy_hashed(buffer, folder / "batch.parquet")
    identity = batch_id(name) if name is not None else f"frame-{digest[:16]}"
    return Staged(folder / "batch.parquet", Source(f"{frame} frame", ".parquet", digest, size), identity, frame)


def _as_table(delivery: Any) -> tuple[Any, str]:
    kind = type(delivery).__module__.partition(".")[0]
    try:
        if kind == "pandas" and hasattr(delivery, "columns"):
            return pa.Table.from_pandas(delivery, preserve_index=False).replace_schema_metadata(None), "pandas"
        if kind == "polars" and hasattr(delivery, "to_arrow") and hasattr(delivery, "columns"):
            return delivery.to_arrow(), "polars"
        if isinstance(delivery, pa.Table):
            return delivery, "arrow"
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise UsageError(f"this {kind} frame has no Arrow form", found=str(error)) from error
    raise UsageError(
        "a batch cannot be of this type",
        found=type(delivery).__name__,
        allowed="a path, or a pandas, polars or pyarrow table",
        hint="collect a lazy frame first",
    )


def decode(staged: Staged, contract: Contract, *, text: bool | None = None) -> Batch:
    """Read a staged delivery and bring it to the contract's types.

    Args:
        staged: The delivery.
        contract: Says which types.
        text: Whether cells are text to be parsed; None asks the format.

    Raises:
        UnreadableError: It is not what its name says.
    """
    decoder = _DECODERS.get(staged.source.suffix)
    if decoder is None:
        raise UnreadableError(f"format {staged.source.suffix or '(none)'}; allowed: {', '.join(_DECODERS)}")
    try:
        table = decoder(staged.path)
        table.validate(full=True)
        for field in table.schema:
            _ = field.name, getattr(field.type, "tz", None)  # text that is no UTF-8 shows only when it is read
    except (pa.ArrowException, OSError, EOFError, ValueError, zlib.error) as error:
        raise UnreadableError(f"{type(error).__name__}: {_without_values(str(error))}") from error
    twice = {name for name in table.column_names if table.column_names.count(name) > 1}
    if twice:
        raise UnreadableError(f"column names appear twice: {', '.join(sorted(twice))}")
    is_text = staged.source.suffix != ".parquet" if text is None else text
    return _reconciled(staged, contract, table, text=is_text)


def _without_values(message: str) -> str:
    """A decoder's message without the row it quotes: raw values belong in no report."""
    first = message.partition("\n")[0]
    return re.sub(r"(Expected \d+ columns, got \d+).*", r"\1", first)[:200]


def _reconciled(staged: Staged, contract: Contract, delivered: Any, *, text: bool) -> Batch:
    table = delivered
    casts, mismatches, unparsed = {}, {}, {}
    for index, name in enumerate(delivered.column_names):
        declared = contract.column(name)
        if declared is None:
            continue
        column = reconcile(delivered.column(name), declared.type, text=text, time_zone=contract.time_zone)
        table = table.set_column(index, name, column.values)
        if column.cast:
            casts[name] = column.cast
        if column.mismatch:
            mismatches[name] = column.mismatch
        if column.unparsed is not None:
            unparsed[name] = column.unparsed
    return Batch(
        dataset=contract.name,
        id=staged.id,
        source=staged.source,
        table=table,
        delivered=delivered,
        window=_window(table, contract),
        casts=casts,
        mismatches=mismatches,
        unparsed=unparsed,
    )


def _window(table: Any, contract: Contract) -> Window | None:
    name = contract.event_time
    if name is None or name not in table.column_names or not pa.types.is_timestamp(table.column(name).type):
        return None
    bounds = pc.min_max(table.column(name))
    try:
        low, high = (_instant(bounds[end], contract) for end in ("min", "max"))
        return Window(low, high + timedelta(microseconds=1)) if low is not None and high is not None else None
    except (
        OverflowError,
        ValueError,
    ):  # a time that Python cannot hold gives no window; its rows are checked all the same
        return None


def _instant(bound: Any, contract: Contract) -> datetime | None:
    """A time rounded down to a microsecond, in UTC; a naive one is in the contract's zone."""
    if not bound.is_valid:
        return None
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[bound.type.unit]
    moment = datetime(1970, 1, 1) + timedelta(microseconds=bound.value * 10**6 // per_second)  # noqa: DTZ001 - below
    zone = contract.zone if bound.type.tz is None else UTC
    return moment.replace(tzinfo=zone).astimezone(UTC)


def as_of(moment: datetime | str | None, batch: Batch | None, arrived: datetime) -> datetime:
    """The batch's time for the breaker: its arrival, a given time, or with ``"window"`` the end of its window."""
    if moment is None:
        return arrived
    if moment == "window":
        return batch.window.end if batch is not None and batch.window is not None else arrived
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError as error:
            raise UsageError("as-of", found=repr(moment), allowed="an ISO 8601 time, or 'window'") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parquet(path: Path) -> Any:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        shape = file.metadata.num_rows * max(file.metadata.num_columns, 1)
        if shape > _ROWS_COLUMNS_MAXIMUM:
            raise ValueError(f"{shape} cells; allowed: {_ROWS_COLUMNS_MAXIMUM}")
        return file.read().replace_schema_metadata(None)


def _csv(path: Path) -> Any:
    return _read_csv(path.read_bytes() if path.stat().st_size <= _CSV_BYTES_MAXIMUM else _too_large())


def _csv_gz(path: Path) -> Any:
    with gzip.open(path) as file:
        content = file.read(_CSV_BYTES_MAXIMUM + 1)
    return _read_csv(content if len(content) <= _CSV_BYTES_MAXIMUM else _too_large())


def _too_large() -> bytes:
    raise ValueError(f"more than {_CSV_BYTES_MAXIMUM} bytes of text")


def _read_csv(content: bytes) -> Any:
    """All columns as text: only an unquoted empty cell is missing, and ``001`` stays ``001``."""
    if not content.strip():
        raise ValueError("an empty file")
    header = pa_csv.open_csv(pa.BufferReader(content)).schema.names
    return pa_csv.read_csv(
        pa.BufferReader(content),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


_DECODERS: Mapping[str, Callable[[Path], Any]] = {".parquet": _parquet, ".csv": _csv, ".csv.gz": _csv_gz}
SUFFIXES = tuple(_DECODERS)
