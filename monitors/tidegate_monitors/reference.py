"""The reference: the profiles of approved batches, one a block."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.batch import Window, iso, parse_iso
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile

FORMAT = 1
BLOCKS_MINIMUM = 5


@dataclass(frozen=True, slots=True)
class Block:
    """One approved batch.

    Attributes:
        batch: Its id.
        window: Its event times.
        profile: What is kept of it.
    """

    batch: str
    window: Window | None
    profile: Profile


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

    @cached_property
    def sha256(self) -> str:
        """The identity: a hash of the canonical JSON."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def rows(self) -> npt.NDArray[np.int64]:
        """Rows of each block, shape (blocks,)."""
        return np.array([block.profile.rows for block in self.blocks], dtype=np.int64)

    def counts(self, column: str) -> npt.NDArray[np.int64]:
        """Counts of each block in the column's cells, shape (blocks, cells)."""
        return np.array([block.profile.columns[column].counts for block in self.blocks], dtype=np.int64)

    def missing(self, column: str) -> npt.NDArray[np.int64]:
        """Present and missing rows of each block, shape (blocks, 2)."""
        columns = [block.profile.columns[column] for block in self.blocks]
        return np.array([(item.present, item.missing) for item in columns], dtype=np.int64)

    def achievable_one_in(self, contract: Contract) -> int:
        """One false alarm in so many batches: the contract's budget, or blocks + 1 where that is smaller."""
        ranks = len(self.blocks) + 1
        return min(contract.alarm_budget.one_in, ranks) if contract.alarm_budget else ranks

    def season_covered(self, contract: Contract) -> bool:
        """Whether every day of the week was seen at least twice; true where the contract has no season."""
        if contract.season is None:
            return True
        days = [block.window.start.astimezone(contract.zone).weekday() for block in self.blocks if block.window]
        return all(days.count(day) >= 2 for day in range(7))

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
        try:
            layout = Layout.from_dict(data["layout"])
            blocks = tuple(
                Block(item["batch"], _window(item["window"]), Profile.from_dict(item["profile"]))
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
