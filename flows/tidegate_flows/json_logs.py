"""Logs for machines: one JSON object a line on stderr."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, TextIO

from tidegate_contracts.errors import TidegateError
from tidegate_flows.log_context import current
from tidegate_flows.masking import Mask

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

_FRAMES = 5
"""Of a traceback so many last places are told."""


def configure(mask: Mask, *, verbose: bool = False, stream: TextIO | None = None) -> logging.Handler:
    """Have everything that reaches the root logger written as JSON, in place of what was there.

    Each decision of ours is told; of what others log the warnings and errors. Loggers that keep to themselves, such as
    Prefect's, are left alone.

    Args:
        mask: What must not be told.
        verbose: Whether what others say by the way is told too.
        stream: Where to; None for stderr.
    """
    import structlog

    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[], processors=_processors(mask), keep_exc_info=False, keep_stack_info=False
        )
    )
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tidegate").setLevel(logging.INFO)
    logging.captureWarnings(True)
    return handler


def _processors(mask: Mask) -> list[Processor]:
    from structlog.processors import JSONRenderer

    def told(_logger: Any, _method: str, event: EventDict) -> EventDict:
        """The fields, in the order in which people look for them; what is not known is left out."""
        record: logging.LogRecord = event["_record"]
        raised = event.get("exc_info")
        found = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event["event"],
            **current(),
        }
        if raised is not None and raised[1] is not None:
            found["exception"] = one_line(raised[1])
        return {name: mask(text) for name, text in found.items()}

    return [told, JSONRenderer(ensure_ascii=True, allow_nan=False)]


def one_line(error: BaseException) -> str:
    """An exception with its last places, on one line.

    The words of an error of ours are told; those of another one may hold values of the data, and are not.
    """
    words = f": {error}" if isinstance(error, TidegateError) else ""
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)]
    where = f" at {' < '.join(reversed(places[-_FRAMES:]))}" if places else ""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    because = f"; because of {type(cause).__name__}" if cause is not None else ""
    return " ".join(f"{type(error).__name__}{words}{where}{because}".split())
