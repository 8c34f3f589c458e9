"""Durations in ISO 8601."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,7})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,12})(?:\.(?P<fraction>\d{1,9}))?S)?)?"
)


def parse_duration(text: Any) -> timedelta | None:
    """The duration that ISO 8601 text says; None where it says none, or one of months or years."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    parts = match.groupdict(default="0")
    microseconds = int(parts.pop("fraction").ljust(6, "0")[:6])
    try:
        return timedelta(microseconds=microseconds, **{unit: int(number) for unit, number in parts.items()})
    except OverflowError:
        return None
