"""JSON lines: one flat object a line. A column of one kind keeps its kind; a mixed one stays as JSON text."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa

from tidegate_flows.decoder.decoded import Decoded
from tidegate_flows.decoder.limits import Limits
from tidegate_flows.decoder.magic import not_utf8, require_text
from tidegate_flows.decoder.unpacked import HEAD, unpacked

KIND = b"tidegate.json"
_ROWS = 16_384
_LONG = 19  # digits from which on an integer may be beyond 64 bits


class _Big(str):
    """The digits of an integer that no 64 bits hold."""

    __slots__ = ()


def read(source: BinaryIO, limits: Limits, *, gz: bool = False) -> Decoded:
    """The rows of a file of JSON lines; a key that a line does not name is missing there.

    Raises:
        ValueError: A line is no flat JSON object, names a key twice, or is too long.
    """
    return read_parts([source], limits, gz=gz)


def read_parts(sources: Iterable[BinaryIO], limits: Limits, *, gz: bool) -> Decoded:
    """The rows of several files, in which a column has one kind throughout."""
    columns = _Columns(limits)
    for source in sources:
        head, stream = unpacked(source, gz=gz, maximum=limits.text_bytes)
        require_text(head, whole=len(head) < HEAD)
        rows = _rows(stream, limits)
        while chunk := list(islice(rows, _ROWS)):
            columns.add(chunk)
    return columns.decoded()


def _rows(stream: Any, limits: Limits) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_int=_integer, parse_constant=_no_constant)
    number = 0
    while line := stream.readline(limits.row_bytes + 1):
        number += 1
        if len(line) > limits.row_bytes:
            raise ValueError(f"line {number} has more than {limits.row_bytes} bytes")
        try:
            text = (line.removeprefix(BOM_UTF8) if number == 1 else line).decode().strip()
            row = decoder.decode(text) if text else {}
        except UnicodeDecodeError:
            raise not_utf8() from None
        except RecursionError:
            raise ValueError(f"line {number} is nested too deeply") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} is no JSON: {error.msg}") from None
        except ValueError as error:
            raise ValueError(f"line {number} {error}") from None
        if not isinstance(row, dict):
            raise ValueError(f"line {number} is no object; allowed: one object a line")  # noqa: TRY004 - the data's fault
        if text:
            yield row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("names a key twice")
    return found


def _integer(digits: str) -> int | _Big:
    if len(digits) < _LONG:
        return int(digits)
    if len(digits) > _LONG + 1 or not -(2**63) <= int(digits) < 2**63:
        return _Big(digits)
    return int(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"is no JSON: {name}")


class _Columns:
    """Columns as they grow, chunk by chunk."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._chunks: dict[str, list[tuple[str, Any]]] = {}
        self._rows: list[int] = []

    def add(self, rows: list[dict[str, Any]]) -> None:
        """One more chunk of rows."""
        names = self._chunks.keys() | {name for row in rows for name in row}
        self._limits.check_shape(sum(self._rows) + len(rows), len(names))
        for name in dict.fromkeys(name for row in rows for name in row) if len(names) > len(self._chunks) else ():
            self._chunks.setdefault(name, [("null", pa.nulls(count)) for count in self._rows])
        for name, chunks in self._chunks.items():
            chunks.append(_chunk([row.get(name) for row in rows]))
        self._rows.append(len(rows))

    def decoded(self) -> Decoded:
        """All columns, each of one type throughout."""
        if not self._chunks:
            raise ValueError("no line names a key")
        kinds = {name: _joined({kind for kind, _ in chunks}) for name, chunks in self._chunks.items()}
        schema = pa.schema([_field(name, kind) for name, kind in kinds.items()])
        return Decoded(schema, self._batches(schema, kinds))

    def _batches(self, schema: Any, kinds: dict[str, str]) -> Iterator[Any]:
        for index in range(len(self._rows)):
            arrays = [_as(kinds[name], *chunks[index]) for name, chunks in self._chunks.items()]
            yield pa.record_batch(arrays, schema=schema)


_TYPES = {"null": pa.null(), "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
_KINDS = {bool: "bool", int: "int", float: "float", str: "text", _Big: "number"}


def _chunk(values: list[Any]) -> tuple[str, Any]:
    kinds = {_KINDS.get(kind, "mixed") for kind in set(map(type, values)) - {type(None)}}
    kind = _joined(kinds)
    if kind == "float" and any(value in (float("inf"), float("-inf")) for value in values):
        kind = "number"  # a number beyond the largest float is no infinity
    if kind in ("number", "mixed"):
        return kind, pa.array([None if value is None else _text(value) for value in values], pa.string())
    return kind, pa.array(values, _TYPES.get(kind, pa.string()))


def _joined(kinds: set[str]) -> str:
    some = kinds - {"null"}
    if len(some) < 2:
        return next(iter(some), "null")
    return "number" if some <= {"int", "float", "number"} else "mixed"


def _text(value: Any) -> str:
    if isinstance(value, _Big):
        return str(value)
    return "1e999" if value == float("inf") else "-1e999" if value == float("-inf") else json.dumps(value)


def _field(name: str, kind: str) -> Any:
    metadata = {KIND: kind.encode()} if kind in ("text", "number", "mixed") else None
    return pa.field(name, _TYPES.get(kind, pa.string()), metadata=metadata)


def _as(wanted: str, kind: str, values: Any) -> Any:
    """One chunk as the kind that its whole column has."""
    if kind == wanted or (wanted == "mixed" and kind == "number"):
        return values
    if kind == "null" or wanted not in ("number", "mixed"):
        return values.cast(_TYPES.get(wanted, pa.string()))
    return pa.array([None if value is None else json.dumps(value) for value in values.to_pylist()], pa.string())
