"""What a new contract changes, and whether its version tells of it.

Contracts are compared, never data. Each difference is ``breaking``, ``semantic``, a ``tightening`` or a
``loosening``, and says whom it can break. What tightens in one respect and loosens in another is told twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.diff import arguments, fields, schema
from tidegate_contracts.diff.change import Bump, Change, Kind, words
from tidegate_contracts.diff.version import precedence, raised, tells
from tidegate_contracts.errors import UsageError


@dataclass(frozen=True, slots=True)
class Diff:
    """What a new contract changes.

    Attributes:
        old: The version that was.
        new: The version that the new contract states.
        changes: The differences: breaking, semantic, tightening, loosening.
    """

    old: str
    new: str
    changes: tuple[Change, ...]

    @property
    def suggested_version(self) -> str:
        """The least version that tells of all changes: the old one where there are none."""
        return raised(self.old, max(change.bump for change in self.changes)) if self.changes else self.old

    @property
    def untold(self) -> tuple[Change, ...]:
        """Breaking changes without a major bump, and semantic ones at a version that is not higher."""
        return tuple(
            change
            for change in self.changes
            if change.kind in (Kind.BREAKING, Kind.SEMANTIC) and not tells(self.old, self.new, change.bump)
        )

    @property
    def passed(self) -> bool:
        """Whether the new version tells of the changes that it must tell of."""
        return not self.untold

    @property
    def is_enough(self) -> bool:
        """Whether the new version is as high as the suggested one."""
        return precedence(self.new) >= precedence(self.suggested_version)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "old": self.old,
            "new": self.new,
            "changes": [change.to_dict() for change in self.changes],
            "suggested_version": self.suggested_version,
            "passed": self.passed,
        }


def diff(old: Contract, new: Contract) -> Diff:
    """What a new contract changes.

    Raises:
        UsageError: They are contracts of two datasets.
    """
    if old.name != new.name:
        raise UsageError(
            "two contracts of different datasets cannot be compared",
            found=f"{old.name!r} and {new.name!r}",
            allowed="two versions of one contract",
            hint="a renamed dataset is a new one: its ledger, references and labels begin anew",
        )
    renamed = fields.renames(fields.declared(old), fields.declared(new))
    found = [*schema.changes(old, new, renamed), *arguments.changes(old, new, renamed)]
    if not found and _said(old) != _said(new):
        found = [words("declaration")]  # the same in other words; still, runs will name another contract
    order = list(Kind)
    return Diff(old.version, new.version, tuple(sorted(found, key=lambda change: order.index(change.kind))))


def _said(contract: Contract) -> dict[str, Any]:
    """All that a contract says but its version."""
    return {name: value for name, value in contract.describe().items() if name != "version"}


__all__ = ["Bump", "Change", "Diff", "Kind", "diff"]
