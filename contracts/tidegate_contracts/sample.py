"""The sample: how many rows of a batch reports may keep."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate_contracts.errors import ContractError


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows that may be kept beside a profile.

    Attributes:
        rows: At most so many, at least 1.
        seed: Makes the choice the same every time; None draws anew, which :mod:`lint <tidegate_contracts.lint>` tells.
    """

    rows: int
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, value, least in (("rows", self.rows, 1), ("seed", self.seed, 0)):
            if value is None and name == "seed":
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ContractError(
                    f"keep_sample: {name}", found=repr(value), allowed=f"a whole number from {least} up"
                )
