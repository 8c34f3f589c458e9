"""Labels that come nobody knows when, or for which rows."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@asks("label_delay and key where there is a label")
def no_label_delay(subject: Subject) -> Iterator[Violation]:
    """A label has no delay or the rows no key, or the delay ends before the label is there."""
    contract = subject.contract
    if contract.label is None:
        return
    wrong = [] if contract.label_delay is not None else ["no label_delay: nobody can say when labels are complete"]
    if not contract.key:
        wrong.append("no key: late labels cannot be joined")
    available = contract.columns[contract.label].available
    if contract.label_delay is not None and contract.label_delay < available:
        wrong.append(f"label_delay is {contract.label_delay}, but the label is there only after {available}")
    if wrong:
        yield subject.violation("no_label_delay", "; ".join(wrong), contract.label)
