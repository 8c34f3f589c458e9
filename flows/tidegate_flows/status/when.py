"""Times as people read them: in UTC, and how long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = (
    (timedelta(days=730), timedelta(days=365.25), "year"),
    (timedelta(days=60), timedelta(days=30.44), "month"),
    (timedelta(hours=48), timedelta(days=1), "day"),
    (timedelta(minutes=90), timedelta(hours=1), "hour"),
    (timedelta(seconds=90), timedelta(minutes=1), "minute"),
)


def stamp(moment: datetime) -> str:
    """To the minute.

    >>> stamp(datetime(2013, 4, 10, 9, 5, 59, tzinfo=UTC))
    '2013-04-10 09:05 UTC'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def from_seconds(seconds: float | None) -> datetime | None:
    """A time of the ledger, in seconds since 1970; None for none, and for one that no calendar has."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def length(span: timedelta) -> str:
    """About how long.

    >>> length(timedelta(hours=6)), length(timedelta(seconds=20)), length(timedelta(days=800))
    ('6 hours', 'less than a minute', '2 years')
    """
    for least, unit, name in _UNITS:
        if span >= least:
            many = round(span / unit)
            return f"{many} {name}{'' if many == 1 else 's'}"
    return "a minute" if span >= timedelta(minutes=1) else "less than a minute"


def ago(moment: datetime, now: datetime) -> str:
    """How long before or after now.

    >>> ago(datetime(2013, 4, 10, tzinfo=UTC), datetime(2013, 4, 12, tzinfo=UTC))
    '2 days ago'
    """
    return f"{length(now - moment)} ago" if moment <= now else f"in {length(moment - now)}"
