"""What a decoding process does with its one delivery: limits first, then decode, and hand the rows back."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import sys
from typing import Any, BinaryIO

import pyarrow as pa

from tidegate_flows.decoder.decoded import require_types, weight
from tidegate_flows.decoder.formats import decoded
from tidegate_flows.decoder.limits import Limits

TABLE, END = b"T", b"E"
SETUP_FAILED = 70


def work(request: dict[str, Any], source: int, data: int, status: int) -> int:
    """Decode one delivery; the exit code of the process.

    Args:
        request: Its suffix and limits.
        source: The open file.
        data: A pipe for the rows: before each Arrow stream a ``T``, after the last an ``E``.
        status: A pipe for one line of JSON: ``ok``, or ``error`` with the reason.
    """
    limits = Limits(**request["limits"])
    try:
        _confine(limits)
    except (OSError, ValueError) as error:
        _say(status, {"failed": f"{type(error).__name__}: {error}"})
        return SETUP_FAILED
    try:
        with os.fdopen(data, "wb", 1 << 16) as sink, os.fdopen(source, "rb", 0) as file:
            _send(io.BufferedReader(file, 1 << 16), request["suffix"], limits, sink)
    except BrokenPipeError:  # nobody listens any more
        return 0
    except (MemoryError, pa.ArrowMemoryError):
        _say(status, {"error": f"it needs more memory than is allowed ({limits.memory} bytes)"})
        return 0
    except Exception as error:  # noqa: BLE001 - whatever a decoder says of untrusted bytes is about the bytes
        _say(status, {"error": _reason(error)})
        return 0
    _say(status, {"ok": True})
    return 0


def _confine(limits: Limits) -> None:
    """Give up what a decoder has no need of; children of a process cannot win it back."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    if sys.platform != "darwin":  # which has no bound on address space
        wanted[resource.RLIMIT_AS] = limits.memory
    for kind, value in wanted.items():
        bound = _within(value, kind)
        resource.setrlimit(kind, (bound, bound))
    # the soft bound is a signal that says why, the hard one a second later is not to be caught
    resource.setrlimit(
        resource.RLIMIT_CPU,
        (_within(limits.cpu_seconds, resource.RLIMIT_CPU), _within(limits.cpu_seconds + 1, resource.RLIMIT_CPU)),
    )


def _within(value: int, kind: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _send(source: BinaryIO, suffix: str, limits: Limits, sink: BinaryIO) -> None:
    cells = sent = 0
    for table in decoded(source, suffix, limits):
        limits.check_shape(0, len(table.schema))
        require_types(table.schema)
        sink.write(TABLE)
        with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as stream:
            for batch in table.batches:
                cells += batch.num_rows * max(batch.num_columns, 1)
                sent += weight(batch)
                if cells > limits.cells or sent > limits.decoded_bytes:
                    raise ValueError(f"more than {limits.cells} cells or {limits.decoded_bytes} bytes when decoded")
                stream.write_batch(batch)
    sink.write(END)


def _reason(error: Exception) -> str:
    """A decoder's message without the row it quotes: raw values belong in no report."""
    if isinstance(error, UnicodeError):
        return "text that no UTF-8 can hold"
    first = str(error).partition("\n")[0]
    first = re.sub(r"(Expected \d+ columns, got \d+).*", r"\1", first)
    first = re.sub(r"(conversion error to \w+).*", r"\1", first)
    return first[:200] if type(error) is ValueError else f"{type(error).__name__}: {first[:200]}"


def _say(status: int, line: dict[str, Any]) -> None:
    os.write(status, json.dumps(line).encode()[:2000] + b"\n")
