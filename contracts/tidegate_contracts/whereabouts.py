"""Where in somebody's own file an error arose: a line number shows no data."""

from __future__ import annotations

import traceback
from pathlib import Path


def whereabouts(error: BaseException, file: str | Path | None) -> str:
    """The place in a file that an error came through last, such as ``" (flights.py, line 12)"``; else nothing.

    Args:
        error: The error.
        file: The file, as ``path.py`` or ``path.py:name``.
    """
    if file is None:
        return ""
    path = Path(str(file).partition(".py:")[0] + ".py") if ".py:" in str(file) else Path(file)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == path:
        lines.append(error.lineno)
    return f" ({path.name}, line {lines[-1]})" if lines else ""
