"""References made of a history's batches, and what one batch held against one of them exceeds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tidegate as tg
from tests.bench.alarms.history import History
from tidegate_monitors.block import Block
from tidegate_monitors.compare import Comparison, compare
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference

Place = tuple[Any, ...]
WAITS = 7  # so many batches pass before one may enter the latest blocks


@dataclass(frozen=True, slots=True)
class Profiled:
    """A history whose batches are profiled once, all in one layout.

    Attributes:
        history: The batches.
        layout: The cells that they are counted into.
        profiles: One a batch, in real order.
        blocks: The same as blocks of a reference, which keep what they were thinned to.
    """

    history: History
    layout: Layout
    profiles: tuple[Profile, ...]
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, history: History, picked: Sequence[int] | None = None) -> Profiled:
        """Profile a history in the layout of some of its batches, or of all of them."""
        chosen = [history.batches[i] for i in picked] if picked is not None else history.batches
        layout = Layout.of(chosen, history.contract)
        return cls.made(history, layout, [Profile.of(batch.table, layout) for batch in history.batches])

    @classmethod
    def made(cls, history: History, layout: Layout, profiles: Sequence[Profile]) -> Profiled:
        """With the blocks that belong to the profiles."""
        pairs = zip(history.batches, profiles, strict=True)
        blocks = tuple(Block(batch.id, batch.window, profile) for batch, profile in pairs)
        return cls(history, layout, tuple(profiles), blocks)

    def reference(self, picked: Iterable[int]) -> Reference:
        """The reference of some batches, a block each."""
        contract = self.history.contract
        return Reference(contract.name, contract.sha256, self.layout, tuple(self.blocks[i] for i in sorted(picked)))

    def latest(self, number: int, blocks: int, first: int) -> Reference:
        """So many blocks before a batch, without those that still wait, and none before ``first``."""
        last = max(number - WAITS, first)
        return self.reference(range(max(last - blocks, first), last))


def with_layout_of(history: History, picked: Sequence[int], others: Sequence[int]) -> Profiled:
    """Only some batches, profiled in the layout that ``picked`` alone ask for: as it is done in earnest."""
    wanted = sorted({*picked, *others})
    layout = Layout.of([history.batches[i] for i in picked], history.contract)
    empty = Profile.empty(layout)
    profiles = [empty] * len(history.batches)
    for i in wanted:
        profiles[i] = Profile.of(history.batches[i].table, layout)
    return Profiled.made(history, layout, profiles)


def exceeding(
    profile: Profile,
    reference: Reference,
    contract: tg.Contract,
    rng: np.random.Generator,
    latest: Reference | None = None,
) -> tuple[Comparison, ...]:
    """All comparisons above their thresholds, against both references where there are two."""
    return tuple(item for item in compare(profile, reference, contract, rng, latest=latest) if item.exceeds)


def places(found: Iterable[Comparison], history: History) -> frozenset[Place]:
    """Where watched columns, or the table, exceed; what is only information is left out."""
    watched = {*history.watched(), None}
    return frozenset(item.place for item in found if item.column in watched)


def generator(*parts: str | int) -> np.random.Generator:
    """Randomness that depends on its names alone, so that every part can be run again by itself."""
    return np.random.default_rng([zlib.crc32(str(part).encode()) for part in parts])


def spread_over(batches: int, blocks: int, offset: int = 0) -> list[int]:
    """About so many batches at equal distances across a history."""
    step = max(2, round(batches / blocks))
    return list(range(offset % step, batches, step))[:blocks]
