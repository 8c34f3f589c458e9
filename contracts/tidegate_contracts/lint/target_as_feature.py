"""The answer among the questions."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from tidegate_contracts.contract import Contract
from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation


@asks("features that are neither label nor prediction, nor declared to stand for the label (proxy_of, or its term)")
def target_as_feature(subject: Subject) -> Iterator[Violation]:
    """A feature is the label, the prediction or a declared proxy of the label."""
    contract = subject.contract
    for name in contract.feature_columns:
        why = _why(name, contract)
        if why is not None:
            yield subject.violation("target_as_feature", f"among the features, but it is {why}", name)
    yield from _unknown_proxies(subject)


def _why(name: str, contract: Contract) -> str | None:
    if name == contract.label:
        return "the label"
    if name == contract.prediction:
        return "the model's own prediction"
    if contract.label is None:
        return None
    if contract.label in _stands_for(name, contract):
        return f"declared a proxy of the label {contract.label!r}"
    term = contract.columns[name].metadata.get("term")
    if term is not None and term == contract.columns[contract.label].metadata.get("term"):
        return f"declared with the label's term {term!r}"
    return None


def _proxied(name: str, contract: Contract) -> tuple[str, ...]:
    column = contract.columns.get(name)
    proxies = column.metadata.get("proxy_of") if column is not None else None
    if proxies is None:
        return ()
    return tuple(map(str, proxies)) if isinstance(proxies, list | tuple | set | frozenset) else (str(proxies),)


def _stands_for(name: str, contract: Contract) -> set[str]:
    """All that a column is a proxy of, also by way of others."""
    found: set[str] = set()
    waiting = list(_proxied(name, contract))
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting.extend(_proxied(other, contract))
    return found


def _unknown_proxies(subject: Subject) -> Iterator[Violation]:
    columns = subject.contract.columns
    for name in columns:
        for other in _proxied(name, subject.contract):
            if other not in columns:
                close = get_close_matches(other, columns, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                message = f"proxy_of names {other!r}, which is no column{hint}"
                yield subject.violation("target_as_feature", message, name, default=Severity.WARNING)
