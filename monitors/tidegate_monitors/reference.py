"""The reference: the profiles of approved batches, one a block."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.batch import Window, iso, parse_iso
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_monitors.block import Block
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile

Counts = npt.NDArray[np.int64]

FORMAT = 3
BLOCKS_MINIMUM = 5
_YEAR_GAP = 31
_REMEMBERED = 4096


@dataclass(frozen=True)
class Reference:
    """What batches are held against.

    Attributes:
        dataset: Whose it is.
        contract: The sha256 of the contract that its batches kept.
        layout: The cells that everything is counted into.
        blocks: The approved batches.
    """

    dataset: str
    contract: str
    layout: Layout
    blocks: tuple[Block, ...]

    @cached_property
    def pooled(self) -> Profile:
        """All blocks as one profile."""
        return reduce(Profile.__add__, (block.profile for block in self.blocks), Profile.empty(self.layout))

    @property
    def cohorts(self) -> tuple[Cohort, ...]:
        """Predictions and labels of the blocks that came with labels."""
        return tuple(block.cohort for block in self.blocks if block.cohort is not None)

    @cached_property
    def sha256(self) -> str:
        """The identity: a hash of the canonical JSON."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def rows(self) -> Counts:
        """Rows of each block, shape (blocks,)."""
        return np.array([block.profile.rows for block in self.blocks], dtype=np.int64)

    def counts(self, column: str) -> Counts:
        """Counts of each block in the column's cells, shape (blocks, cells)."""
        return self._stacked(("counts", column), lambda block: block.counts[column])

    def buckets(self, column: str) -> Counts:
        """Counts of each block in the column's buckets of values, shape (blocks, 64)."""
        return self._stacked(("buckets", column), lambda block: block.buckets[column])

    def slice_cells(self, by: str, column: str) -> Counts:
        """Rows of each block by slice and broad cell of a column, shape (blocks, values + 2, 9)."""
        return self._stacked(("slices", by, column), lambda block: block.slices[by][column])

    def slice_rows(self, by: str) -> Counts:
        """Rows of each block in each slice, shape (blocks, values + 2)."""
        return self._stacked(("rows", by), lambda block: np.array(block.profile.slices[by].rows))

    def missing(self, column: str) -> Counts:
        """Present and missing rows of each block, shape (blocks, 2)."""
        columns = [block.profile.columns[column] for block in self.blocks]
        return np.array([(item.present, item.missing) for item in columns], dtype=np.int64)

    def remembered(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """What was made of this reference, made once."""
        known = self._stacks
        if key in known:
            return known[key]
        if len(known) >= _REMEMBERED:
            known.clear()
        found = known[key] = make()
        return found

    def _stacked(self, key: tuple[str, ...], part: Callable[[Block], Counts]) -> Counts:
        found: Counts = self.remembered(key, lambda: np.stack([part(block) for block in self.blocks]))
        return found

    @cached_property
    def _stacks(self) -> dict[tuple[str, ...], Any]:
        return {}

    def achievable_one_in(self, contract: Contract) -> int:
        """One false alarm in so many batches: the contract's budget, or blocks + 1 where that is smaller."""
        ranks = len(self.blocks) + 1
        return min(contract.alarm_budget.one_in, ranks) if contract.alarm_budget else ranks

    @property
    def days(self) -> int:
        """The days from the first window to the last, both counted; one a block where windows are unknown."""
        starts = [block.window.start for block in self.blocks if block.window]
        return (max(starts) - min(starts)).days + 1 if len(starts) > 1 else len(self.blocks)

    def season_covered(self, contract: Contract) -> bool:
        """Whether all that repeats was seen; true where the contract has no season.

        Every day of the week at least twice, unless batches come less often than every other day; and for a season of
        the year also no gap of more than a month between the days of the year.
        """
        if contract.season is None:
            return True
        starts = [block.window.start.astimezone(contract.zone) for block in self.blocks if block.window]
        weekdays = [start.weekday() for start in starts]
        daily = len(starts) * 2 > self.days
        if not starts or (daily and any(weekdays.count(day) < 2 for day in range(7))):
            return False
        days = sorted({start.timetuple().tm_yday for start in starts})
        gaps = np.diff([*days, days[0] + 366])
        return contract.season != "day_of_year" or int(gaps.max()) <= _YEAR_GAP

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": FORMAT,
            "dataset": self.dataset,
            "contract": self.contract,
            "layout": self.layout.to_dict(),
            "blocks": [
                {
                    "batch": block.batch,
                    "window": [iso(block.window.start), iso(block.window.end)] if block.window else None,
                    "profile": block.profile.to_dict(),
                    "cohort": block.cohort.to_dict() if block.cohort is not None else None,
                }
                for block in self.blocks
            ],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Reference:
        """Read what :meth:`to_dict` wrote.

        Raises:
            UsageError: It is no reference, or of a newer format.
        """
        if data.get("format", 0) > FORMAT:
            raise UsageError("reference of a newer format", found=data["format"], allowed=FORMAT)
        if "format" in data and data["format"] < FORMAT:
            hint = "build and approve it again: tidegate reference build CONTRACT BATCH…"
            raise UsageError("reference of an older format", found=data["format"], allowed=FORMAT, hint=hint)
        try:
            layout = Layout.from_dict(data["layout"])
            blocks = tuple(
                Block(
                    item["batch"],
                    _window(item["window"]),
                    Profile.from_dict(item["profile"]),
                    Cohort.from_dict(item["cohort"]) if item["cohort"] is not None else None,
                )
                for item in data["blocks"]
            )
            return cls(data["dataset"], data["contract"], layout, blocks)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError("this file is no reference", found=f"{type(error).__name__}: {error}") from error


def _window(pair: Sequence[str] | None) -> Window | None:
    if pair is None:
        return None
    start, end = (parse_iso(text) for text in pair)
    return Window(start, end) if start and end else None
