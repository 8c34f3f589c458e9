"""Hold a profile against a reference: every statistic of every column, with its threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError
from tidegate_monitors.block import Block, size_step, thin
from tidegate_monitors.cells import Kind
from tidegate_monitors.comparison import Comparison, exceeded
from tidegate_monitors.conformal import rank, scaled
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import BLOCKS_MINIMUM, Reference
from tidegate_monitors.statistics import Reads, Statistic, regularised, statistics
from tidegate_monitors.statistics.location import normal_scores

__all__ = ["Comparison", "compare", "detectable_shifts", "exceeded"]

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

ROWS_MINIMUM = 20
"""With fewer values of a column nothing is said of it: neither pass nor alarm."""

_NEAR_CONSTANT = 0.9
_OF_SCORES = ("location", "spread")
"""Read in standard deviations of the reference: of a column that hardly varies a single block would hold the record,
hundreds of them wide, and set the threshold of every other column."""

_SMALL = 0.2
_MISSING_FLOOR = 0.005
"""A missing rate that moves by less than this is nothing unusual, however still it was in the reference: one block
with two per cent of gaps would otherwise be the oddest ever seen, and set the threshold of every statistic."""


DISTANCE_NOISE = 0.25
"""The standard deviation of the Hellinger distance of n rows is about .25 / sqrt(n), however many cells there are."""


@dataclass(frozen=True, slots=True)
class _Member:
    """One statistic of one column for all B + 1 blocks, the current one last; signed scores, shape (B + 1,)."""

    column: str | None
    statistic: Statistic
    scores: Array
    noise: float
    columns: tuple[str, ...] = ()
    centred: bool = False
    unit: float = 1.0


def compare(
    current: Profile,
    reference: Reference,
    contract: Contract,
    rng: np.random.Generator,
    *,
    latest: Reference | None = None,
    blocks_minimum: int = BLOCKS_MINIMUM,
) -> tuple[Comparison, ...]:
    """Hold a batch's profile against the reference's blocks, and against the latest accepted ones.

    Columns whose drift is only information are ranked among themselves, so that weather cannot set the threshold of
    everything else.

    Args:
        current: The batch's profile, of the reference's layout.
        reference: At least five blocks; with fewer nothing can be ranked and scores carry no threshold.
        contract: Says which columns are watched and how often alarms may be false.
        rng: For thinning the batch to the size of the blocks.
        latest: The blocks accepted last, of the same layout; None where these are the reference's own.
        blocks_minimum: With fewer blocks nothing is ranked.
    """
    pinned = _against(current, reference, contract, rng, blocks_minimum)
    if latest is not None and len(latest.blocks) >= blocks_minimum:
        again = _against(current, latest, contract, rng, blocks_minimum, told=False)
        pinned = confirmed(pinned, again)
    return (*pinned, *_insufficient(current, reference))


def confirmed(pinned: Iterable[Comparison], latest: Iterable[Comparison]) -> list[Comparison]:
    """Comparisons with the reference, each with its ratio against the latest blocks.

    What lies on the other side of the latest blocks than of the reference, or could not be held against them, is not
    confirmed by them: its ratio there is 0.
    """
    newer = {(item.column, item.slice, item.statistic): item for item in latest}

    def ratio(item: Comparison) -> float | None:
        if item.threshold is None:
            return None
        other = newer.get((item.column, item.slice, item.statistic))
        return (other.ratio or 0.0) if other is not None and other.direction == item.direction else 0.0

    return [replace(item, latest=ratio(item)) for item in pinned]


def detectable_shifts(reference: Reference, contract: Contract, rng: np.random.Generator) -> dict[str, float | None]:
    """For each column the shift that half of batches would reveal: its threshold when a block of its own is judged.

    In reference standard deviations for numbers (statistic ``location``), in Hellinger distance for other cells and for
    numbers that hardly vary; None for a column of which only missing values are watched. The median over up to five
    blocks, each left out.
    """
    places = sorted({round(share * (len(reference.blocks) - 1)) for share in (0.1, 0.3, 0.5, 0.7, 0.9)})
    found: dict[str, dict[str, list[float]]] = {name: {} for name in reference.layout.cells}
    for place in places:
        rest = replace(reference, blocks=reference.blocks[:place] + reference.blocks[place + 1 :])
        profile = reference.blocks[place].profile
        for comparison in compare(profile, rest, contract, rng, blocks_minimum=BLOCKS_MINIMUM - 1):
            wanted = ("location", "hellinger")[_kind(reference, comparison.column) is not Kind.NUMERIC :]
            if comparison.column and comparison.statistic in wanted and comparison.threshold is not None:
                found[comparison.column].setdefault(comparison.statistic, []).append(comparison.threshold)
    seen = {name: thresholds.get("location") or thresholds.get("hellinger") for name, thresholds in found.items()}
    return {name: float(np.median(values)) if values else None for name, values in seen.items()}


def reachable(reference: Reference, column: str) -> float:
    """The greatest score that any batch could have: for numbers the normal score of the outermost cells, else 1."""
    cells = reference.layout.cells[column]
    if cells.kind is not Kind.NUMERIC:
        return 1.0
    whole = cells.coarsen(reference.counts(column).sum(axis=0)).astype(float)
    return float(np.abs(normal_scores(whole)).max())


def _against(
    current: Profile,
    reference: Reference,
    contract: Contract,
    rng: np.random.Generator,
    blocks_minimum: int,
    *,
    told: bool = True,
) -> list[Comparison]:
    """Every statistic of the family with its threshold, and those that are only told unless these are left out."""
    members = list(_Members(current, reference, contract, rng, told=told))
    for member in members:
        if not np.isfinite(member.scores[-1]):
            raise MonitorError(f"the statistic {member.statistic.name!r} gave no number", found=str(member.column))
    budget = contract.alarm_budget.one_in if contract.alarm_budget else None
    results: list[Comparison] = []
    for told_only in (False, True):
        group = [m for m in members if _is_info(m.column, contract) is told_only]
        thresholds: list[float | None] = [None] * len(group)
        family = [index for index, member in enumerate(group) if member.statistic.family]
        if family and len(reference.blocks) >= blocks_minimum:
            scores = np.abs(np.array([group[index].scores for index in family]))
            noise = np.array([group[index].noise for index in family])
            ranking = rank(scores, noise, budget, np.array([group[index].centred for index in family]))
            for index, threshold in zip(family, ranking.thresholds, strict=True):
                thresholds[index] = float(threshold)
        results.extend(_comparison(m, t, contract) for m, t in zip(group, thresholds, strict=True))
    return results


class _Members:
    """The statistics of all columns, for each block and the current batch against all the others."""

    def __init__(
        self,
        current: Profile,
        reference: Reference,
        contract: Contract,
        rng: np.random.Generator,
        *,
        told: bool,
    ) -> None:
        self.told = told
        self.current, self.reference, self.contract, self.rng = Block("", None, current), reference, contract, rng
        self.layout: Layout = reference.layout

    def __iter__(self) -> Iterator[_Member]:
        if not self.current.profile.rows:
            return
        yield from self._rows()
        if self.current.profile.rows < ROWS_MINIMUM:
            return
        for column in self.layout.cells:
            if self.contract.is_watched(column):
                yield from self._missing(column)
                yield from self._cells(column)
        yield from self._joint()

    def _rows(self) -> Iterator[_Member]:
        rows = np.append(self.reference.rows(), self.current.profile.rows)[:, None].astype(float)
        others = (rows.sum(axis=0) - rows) / max(len(rows) - 1, 1)
        for statistic in _reading(Reads.ROWS):
            yield _Member(None, statistic, statistic.score(rows, others), _noise(statistic, int(rows.mean())))

    def _missing(self, column: str) -> Iterator[_Member]:
        def gaps(block: Block) -> Counts:
            item = block.profile.columns[column]
            return np.array([item.present, item.missing])

        size = self._size([block.profile.rows for block in self.reference.blocks], self.current.profile.rows)
        pair = _each_against_the_rest(self._thinned(f"missing {column}", gaps, size))
        for statistic in _reading(Reads.MISSING):
            noise = max(_noise(statistic, size), _MISSING_FLOOR)
            yield _Member(column, statistic, statistic.score(*pair), noise)

    def _cells(self, column: str) -> Iterator[_Member]:
        cells = self.layout.cells[column]
        now = self.current.counts[column]
        if now.sum() < ROWS_MINIMUM:
            return
        fine = self.reference.counts(column)
        whole = fine.sum(axis=0)
        sizes = fine.sum(axis=1)
        size = self._size(sizes, int(now.sum()))
        few = np.append(sizes < ROWS_MINIMUM, False)
        coarse = self._thinned(f"coarse {column}", lambda block: cells.coarsen(block.counts[column]), size)
        pair = _each_against_the_rest(coarse)
        coarse_whole = cells.coarsen(whole)
        near_constant = coarse_whole.max() > _NEAR_CONSTANT * max(coarse_whole.sum(), 1)
        kinds = {Kind.NUMERIC: (Reads.CELLS, Reads.ORDERED), Kind.CATEGORY: (Reads.CELLS, Reads.CATEGORIES)}
        for statistic in (item for reads in kinds.get(cells.kind, (Reads.CELLS,)) for item in _reading(reads)):
            if statistic.family and not (near_constant and statistic.name in _OF_SCORES):
                scores = np.where(few, np.nan, statistic.score(*pair))
                yield _member(column, statistic, scores, size)
            elif self.told and not statistic.family:
                is_coarse = statistic.coarse and statistic.reads is not Reads.CATEGORIES
                one, other = (cells.coarsen(now), coarse_whole) if is_coarse else (now, whole)
                extra = (cells.places,) if statistic.needs == "positions" else ()
                score = statistic.score(*regularised(one.astype(float), other.astype(float)), *extra)
                yield _Member(column, statistic, np.atleast_1d(score), 0.0)

    def _joint(self) -> Iterator[_Member]:
        pairs = list(combinations(self.layout.joint, 2))
        if not pairs:
            return
        size = self._size(self.reference.rows(), self.current.profile.rows)
        tables = _each_against_the_rest(self._thinned("tables", lambda block: block.tables, size))
        leaves = _each_against_the_rest(self._thinned("leaves", lambda block: block.leaves, size))
        for statistic in _reading(Reads.TABLE):
            noise = np.full(len(pairs), _noise(statistic, size))
            changes = statistic.score(*tables).T
            relative = scaled(np.abs(changes), noise)
            oddest = int(relative[:, -1].argmax())
            unit = changes[oddest, -1] / relative[oddest, -1] if relative[oddest, -1] else 1.0
            found = relative.max(axis=0)
            yield _Member(None, statistic, found, DISTANCE_NOISE, pairs[oddest], centred=True, unit=float(unit))
        for statistic in _reading(Reads.LEAVES):
            yield _member(None, statistic, statistic.score(*leaves), size)

    def _size(self, sizes: Sequence[int] | Counts, now: int) -> int:
        """The size at which the current batch is compared: that of a small block, so that few are noisier than it."""
        known = np.asarray(sizes)
        enough = known[known >= ROWS_MINIMUM]
        return size_step(int(min(now, np.quantile(enough, _SMALL)))) if enough.size else size_step(now)

    def _thinned(self, what: str, counts: Callable[[Block], Counts], size: int) -> Counts:
        """Counts of all blocks and the current batch as if each had so many rows, shape (B + 1, ..., cells)."""

        def stack() -> Counts:
            return np.stack([block.thinned(what, counts, size) for block in self.reference.blocks])

        blocks: Counts = self.reference.remembered(("thinned", what, str(size)), stack)
        return np.concatenate([blocks, thin(counts(self.current), size, self.rng)[None]])


def _each_against_the_rest(counts: Counts) -> tuple[Array, Array]:
    """Each block's counts and those of all the others together, regularised; shape (B + 1, ..., cells)."""
    rest = counts.sum(axis=0, keepdims=True) - counts
    return regularised(counts.astype(float), rest.astype(float))


def _member(column: str | None, statistic: Statistic, scores: Array, size: int) -> _Member:
    """A member whose scores have a sign, or one that is a distance and is read from its mean."""
    noise = _noise(statistic, size)
    if statistic.signed:
        return _Member(column, statistic, scores, noise)
    return _Member(column, statistic, scores, DISTANCE_NOISE * noise, centred=True)


def _noise(statistic: Statistic, size: int) -> float:
    return float(max(size, 1) ** -statistic.noise)


def _reading(reads: Reads) -> Iterator[Statistic]:
    """The statistics that are computed for every batch and read these counts."""
    return (item for item in statistics().values() if item.reads is reads and (item.family or item.reported))


def _is_info(column: str | None, contract: Contract) -> bool:
    return column is not None and contract.columns[column].drift == "info"


def _kind(reference: Reference, column: str | None) -> Kind:
    return reference.layout.cells[column].kind if column is not None else Kind.NONE


def _comparison(member: _Member, threshold: float | None, contract: Contract) -> Comparison:
    score = float(member.scores[-1]) * member.unit
    threshold = None if threshold is None else threshold * abs(member.unit)
    check = member.statistic.check
    if check == "drift" and member.column == contract.prediction:
        check = "prediction_drift"
    direction = int(np.sign(score)) if member.statistic.signed else 0
    return Comparison(
        member.column, member.statistic.name, check, abs(score), direction, threshold, columns=member.columns
    )


def _insufficient(current: Profile, reference: Reference) -> Iterator[Comparison]:
    """Columns of which this batch has too few values to compare, though the reference's blocks have enough."""
    if current.rows < ROWS_MINIMUM:
        yield Comparison(None, "row_count", "insufficient_evidence", None)
        return
    for column, cells in reference.layout.cells.items():
        if cells.kind is Kind.NONE or sum(current.columns[column].counts) >= ROWS_MINIMUM:
            continue
        if np.median(reference.counts(column).sum(axis=1)) >= ROWS_MINIMUM:
            yield Comparison(column, "hellinger", "insufficient_evidence", None)
