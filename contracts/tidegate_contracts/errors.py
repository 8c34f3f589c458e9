"""What can go wrong that is not the data's fault.

A bad batch is a value (a verdict); exceptions are for a broken contract, an unreachable store, or a bug::

    TidegateError
    ├── ContractError   the contract itself is wrong                        exit code 2
    ├── UsageError      what was asked for cannot be meant                  exit code 2
    ├── StoreError      the store or ledger cannot be read or written       exit code 3
    ├── MonitorError    a check or statistic of ours or of the user raised  exit code 3
    └── Halted          the gate stopped a batch, or a breaker is open      exit code 1
"""

from __future__ import annotations

from typing import ClassVar


class TidegateError(Exception):
    """The root of all errors raised on purpose.

    Args:
        what: What is wrong, in one clause.
        found: What was found instead.
        allowed: What would have been accepted.
        hint: What to do next.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, found: object = None, allowed: object = None, hint: str | None = None) -> None:
        parts = [what]
        if found is not None:
            parts.append(f"found: {found}")
        if allowed is not None:
            parts.append(f"allowed: {allowed}")
        if hint is not None:
            parts.append(f"hint: {hint}")
        super().__init__("; ".join(parts))
        self.what = what
        self.found = found
        self.allowed = allowed
        self.hint = hint


class ContractError(TidegateError):
    """The contract file or one of its arguments is wrong."""

    exit_code = 2


class UsageError(TidegateError):
    """A command, option or argument cannot be meant as given."""

    exit_code = 2


class StoreError(TidegateError):
    """The store or the ledger could not be read or written; nothing was published."""

    exit_code = 3


class MonitorError(TidegateError):
    """A check or a statistic raised: our failure, never a violation of the data."""

    exit_code = 3


class Halted(TidegateError):  # noqa: N818 - the public name says what happened, as StopIteration does
    """A batch was not published, or the breaker of a dataset is open."""

    exit_code = 1
