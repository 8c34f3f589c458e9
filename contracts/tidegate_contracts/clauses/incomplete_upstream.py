"""A batch that was sent before its sources were finished."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.reasons import Broken


@clause
def incomplete_upstream(subject: Subject) -> Iterator[Broken]:
    """What ``upstream`` names is not ready, or promises another number of rows than came."""
    known = subject.circumstances.upstream
    delivered = subject.circumstances.delivered
    rows = subject.batch.rows if delivered is None else delivered
    for upstream in subject.contract.upstream:
        answer = known.get(upstream.name)
        if isinstance(answer, str):
            yield Broken("incomplete_upstream", f"{upstream.name} is not ready: {answer}", None, None)
        elif answer is not None and answer != rows:
            rule = f"{upstream.name} states {answer} rows; {rows} came"
            yield Broken("incomplete_upstream", rule, None, None)
