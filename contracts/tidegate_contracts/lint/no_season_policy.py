"""No word on what repeats in time, and what expires."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("season and max_age; where nothing repeats or expires, a waiver that says so")
def no_season_policy(subject: Subject) -> Iterator[Violation]:
    """Season or greatest age is not stated."""
    lacks = [name for name in ("season", "max_age") if getattr(subject.contract, name) is None]
    if lacks:
        message = f"no {', no '.join(lacks)}; if nothing repeats or expires, waive this and say why"
        yield subject.violation("no_season_policy", message)
