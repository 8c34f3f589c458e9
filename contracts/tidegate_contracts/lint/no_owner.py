"""Nobody to ask, or nobody who looked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation

_REVIEW = timedelta(days=366)
_AHEAD = timedelta(days=1)  # it is tomorrow already elsewhere


@asks("owner, contact, and a review (reviewed_on) within the last 12 months")
def no_owner(subject: Subject) -> Iterator[Violation]:
    """Contact or review is missing, or the review is more than twelve months old, which only warns."""
    contract = subject.contract
    lacks = [] if str(contract.contact or "").strip() else ["no contact"]
    if contract.reviewed_on is None:
        lacks.append("no reviewed_on")
    elif contract.reviewed_on > subject.today + _AHEAD:
        lacks.append(f"reviewed_on is {contract.reviewed_on}, which has not come yet")
    if lacks:
        yield subject.violation("no_owner", f"{', '.join(lacks)} (owner is {contract.owner!r})")
    elif contract.reviewed_on is not None and subject.today - contract.reviewed_on > _REVIEW:
        message = (
            f"last reviewed on {contract.reviewed_on}, more than 12 months ago; {contract.owner!r} should look again"
        )
        yield subject.violation("no_owner", message, default=Severity.WARNING)
