"""A duration in words."""

from __future__ import annotations

from datetime import timedelta


def in_words(span: timedelta) -> str:
    """A duration as people say it, down to seconds.

    >>> in_words(timedelta(days=1, hours=6))
    '1 d 6 h'
    >>> in_words(timedelta(0))
    '0 s'
    """
    whole = int(span.total_seconds())
    minutes, seconds = divmod(abs(whole), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return ("−" if whole < 0 else "") + (" ".join(parts) or "0 s")
