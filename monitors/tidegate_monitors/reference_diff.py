"""What one reference has that another has not."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.column_profile import ColumnProfile, missing_share
from tidegate_monitors.reference import Reference


@dataclass(frozen=True, slots=True)
class ColumnDiff:
    """How one column differs.

    Attributes:
        column: Its name.
        only: ``old`` or ``new`` where the other reference has no such column.
        shift: The mean of the new less that of the old, in standard deviations of the old; None for no numbers.
        spread: ln of the ratio of standard deviations, new over old; None for no numbers, or none that vary.
        hellinger: The distance of the shares of categories or hours, in [0, 1]; None for others.
        missing: The new share of missing values less the old one.
        distinct: ln of the ratio of the numbers of different values; None where either has none.
        came: Categories that only the new one knows; at most ten.
        went: Categories that only the old one knows; at most ten.
    """

    column: str
    only: str | None = None
    shift: float | None = None
    spread: float | None = None
    hellinger: float | None = None
    missing: float | None = None
    distinct: float | None = None
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferenceDiff:
    """How two references of a dataset differ.

    Attributes:
        old: The sha256 of one.
        new: The sha256 of the other.
        came: Blocks that only the new one has.
        went: Blocks that only the old one has.
        changed: Blocks of the same name with other rows.
        same: How many blocks they share.
        columns: Column by column.
    """

    old: str
    new: str
    came: tuple[str, ...]
    went: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    columns: tuple[ColumnDiff, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": 1,
            "old": self.old,
            "new": self.new,
            "blocks": {
                "came": list(self.came),
                "went": list(self.went),
                "changed": list(self.changed),
                "same": self.same,
            },
            "columns": [asdict(item) | {"came": list(item.came), "went": list(item.went)} for item in self.columns],
        }


_SHOWN = 10


def reference_diff(old: Reference, new: Reference) -> ReferenceDiff:
    """Compare two references, whatever their layouts: by moments, missing shares and known categories."""
    before, after = ({block.batch: block.profile.fingerprint for block in item.blocks} for item in (old, new))
    both = [name for name in after if name in before]
    changed = tuple(name for name in both if before[name] != after[name])
    names = dict.fromkeys((*old.layout.cells, *new.layout.cells))
    return ReferenceDiff(
        old.sha256,
        new.sha256,
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
        changed,
        len(both) - len(changed),
        tuple(_column(name, old, new) for name in names),
    )


def _column(name: str, old: Reference, new: Reference) -> ColumnDiff:
    if name not in old.layout.cells or name not in new.layout.cells:
        return ColumnDiff(name, only="old" if name in old.layout.cells else "new")
    before, after = old.pooled.columns[name], new.pooled.columns[name]
    known, now = (_categories(item.layout.cells[name]) for item in (old, new))
    return ColumnDiff(
        name,
        None,
        _shift(before, after),
        _ratio(before.moments.sd, after.moments.sd),
        _hellinger(_shares(old, name), _shares(new, name)),
        missing_share(after) - missing_share(before),
        _ratio(before.distinct, after.distinct),
        tuple(sorted(now - known)[:_SHOWN]),
        tuple(sorted(known - now)[:_SHOWN]),
    )


def _shares(reference: Reference, name: str) -> dict[str, float]:
    """The share of each category with a cell of its own, or hour; the others together."""
    cells, counts = reference.layout.cells[name], reference.pooled.columns[name].counts
    if cells.kind not in (Kind.CATEGORY, Kind.HOUR):
        return {}
    names = (*cells.kept, "", "") if cells.kind is Kind.CATEGORY else tuple(map(str, range(24)))
    found: dict[str, float] = {}
    for label, number in zip(names, counts, strict=True):
        found[label] = found.get(label, 0.0) + number / max(sum(counts), 1)
    return found


def _hellinger(one: dict[str, float], other: dict[str, float]) -> float | None:
    if not one or not other:
        return None
    names = {*one, *other}
    return math.sqrt(sum((math.sqrt(one.get(n, 0.0)) - math.sqrt(other.get(n, 0.0))) ** 2 for n in names) / 2)


def _categories(cells: Cells) -> set[str]:
    return {*cells.kept, *cells.pooled} if cells.kind is Kind.CATEGORY else set()


def _shift(before: ColumnProfile, after: ColumnProfile) -> float | None:
    if not before.moments.n or not after.moments.n or before.moments.sd <= 0:
        return None
    found = (after.moments.mean - before.moments.mean) / before.moments.sd
    return found if math.isfinite(found) else None


def _ratio(before: float, after: float) -> float | None:
    return math.log(after / before) if before > 0 and after > 0 else None
