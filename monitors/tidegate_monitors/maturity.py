"""Maturity: whether enough labels have come for a batch to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Literal

from tidegate_contracts.contract import Contract
from tidegate_monitors.cohort import Cohort

USUAL_SHARE = 0.9
"""Of the share that is usually settled, this much must be; without five cohorts past their delay all rows are usual."""
_COHORTS_MINIMUM = 5


@dataclass(frozen=True, slots=True)
class Maturity:
    """How far the labels of some batches have come.

    Attributes:
        state: ``mature`` if at least one of them may be judged.
        share: Of their rows those with a label, or of which it is known that none will come; in [0, 1].
        expected: The share from which a batch may be judged.
        mature: How many may be judged.
        immature: How many may not yet.
    """

    state: Literal["mature", "immature"]
    share: float
    expected: float
    mature: int
    immature: int

    @classmethod
    def of(cls, cohorts: Sequence[Cohort], ready: Sequence[Cohort], expected: float) -> Maturity:
        """Of some cohorts, of which some are ready."""
        rows = sum(cohort.rows for cohort in cohorts)
        settled = sum(cohort.settled for cohort in cohorts)
        state: Literal["mature", "immature"] = "mature" if ready else "immature"
        return cls(state, settled / rows if rows else 0.0, expected, len(ready), len(cohorts) - len(ready))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "state": self.state,
            "share": self.share,
            "expected": self.expected,
            "batches": {"mature": self.mature, "immature": self.immature},
        }


def is_due(cohort: Cohort, contract: Contract, now: datetime) -> bool:
    """Whether labels should be complete: ``label_delay`` has passed since the batch ended.

    That is the end of its window, or where it has none, the time at which it was decided on. Of a batch of which
    neither is known labels are due only where the contract has no delay.
    """
    ended = cohort.window.end if cohort.window is not None else cohort.ended
    if ended is None:
        return contract.label_delay is None
    return now >= ended + (contract.label_delay or timedelta(0))


def expected_share(due: Sequence[Cohort], contract: Contract) -> float:
    """The settled share from which a cohort may be judged: nine tenths of the median of those past their delay.

    Labels that only ever come for some rows would else never be enough; that they are selective is another check.
    Without a ``label_delay`` nobody knows which cohorts are complete, so that nothing usual can be learnt from them:
    it is nine tenths of all rows.
    """
    if contract.label_delay is None:
        return USUAL_SHARE
    shares = [cohort.settled_share for cohort in due if cohort.rows]
    return USUAL_SHARE * (median(shares) if len(shares) >= _COHORTS_MINIMUM else 1.0)


def is_mature(cohort: Cohort, contract: Contract, now: datetime, expected: float) -> bool:
    """Whether a cohort may be judged: it is due, and enough of its rows are settled."""
    return is_due(cohort, contract, now) and cohort.labelled > 0 and cohort.settled_share >= expected
