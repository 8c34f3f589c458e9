"""The alarm budget: how often statistics may cry wolf."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate_contracts.errors import ContractError


@dataclass(frozen=True, slots=True)
class AlarmBudget:
    """How often statistics may cry wolf.

    Attributes:
        one_in: At most one false alarm in this many batches, for the whole contract; at least 2.
    """

    one_in: int = 50

    def __post_init__(self) -> None:
        if not isinstance(self.one_in, int) or isinstance(self.one_in, bool) or self.one_in < 2:
            raise ContractError("alarm_budget: one_in", found=repr(self.one_in), allowed="a whole number from 2 up")
