"""Hold a profile against a reference: every statistic of every column, with its threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.contract import Contract
from tidegate_monitors.cells import Kind
from tidegate_monitors.conformal import rank
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import BLOCKS_MINIMUM, Reference
from tidegate_monitors.statistics import Reads, Statistic, regularised, statistics

Array = npt.NDArray[np.float64]
_NEAR_CONSTANT = 0.9


@dataclass(frozen=True, slots=True)
class Comparison:
    """One statistic of one column.

    Attributes:
        column: The column; None for the table.
        statistic: The statistic's name.
        check: The catalogue name it alarms under.
        score: 0 where there is no difference, larger where there is more; None for too little evidence.
        direction: 1 for more than the reference, -1 for less, 0 where the statistic has no direction.
        threshold: The score above which it alarms; None where the statistic is only reported.
    """

    column: str | None
    statistic: str
    check: str
    score: float | None
    direction: int = 0
    threshold: float | None = None

    @property
    def ratio(self) -> float | None:
        """Score over threshold: above 1 alarms. None where either is missing."""
        if self.score is None or self.threshold is None:
            return None
        return self.score / self.threshold if self.threshold > 0 else (0.0 if self.score == 0 else 1e9)

    @property
    def exceeds(self) -> bool:
        """Whether the score lies above its threshold."""
        return self.ratio is not None and self.ratio > 1

    @property
    def place(self) -> tuple[str | None, str, int]:
        """What must agree for two exceedances in a row to be the same thing."""
        return self.column, self.statistic, self.direction

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "column": self.column,
            "statistic": self.statistic,
            "check": self.check,
            "score": self.score,
            "direction": self.direction,
            "threshold": self.threshold,
        }


def exceeded(comparisons: Iterable[Comparison]) -> frozenset[tuple[str | None, str, int]]:
    """The places that exceeded their thresholds, for the next batch to be read against."""
    return frozenset(comparison.place for comparison in comparisons if comparison.exceeds)


@dataclass(frozen=True, slots=True)
class _Member:
    """One statistic of one column for all B + 1 blocks, the current one last; signed scores, shape (B + 1,)."""

    column: str | None
    statistic: Statistic
    scores: Array
    noise: float


def compare(
    current: Profile,
    reference: Reference,
    contract: Contract,
    rng: np.random.Generator,
    *,
    blocks_minimum: int = BLOCKS_MINIMUM,
) -> tuple[Comparison, ...]:
    """Hold a batch's profile against the reference's blocks.

    Columns whose drift is only information are ranked among themselves, so that weather cannot set the threshold of
    everything else.

    Args:
        current: The batch's profile, of the reference's layout.
        reference: At least five blocks; with fewer nothing can be ranked and scores carry no threshold.
        contract: Says which columns are watched and how often alarms may be false.
        rng: For thinning counts to equal size.
        blocks_minimum: With fewer blocks nothing is ranked.
    """
    members = list(_members(current, reference, contract, rng))
    budget = contract.alarm_budget.one_in if contract.alarm_budget else None
    results: list[Comparison] = []
    for told_only in (False, True):
        group = [m for m in members if _is_info(m.column, contract) is told_only]
        thresholds: list[float | None] = [None] * len(group)
        family = [index for index, member in enumerate(group) if member.statistic.family]
        if family and len(reference.blocks) >= blocks_minimum:
            scores = np.abs(np.array([group[index].scores for index in family]))
            ranking = rank(scores, np.array([group[index].noise for index in family]), budget)
            for index, threshold in zip(family, ranking.thresholds, strict=True):
                thresholds[index] = float(threshold)
        results.extend(_comparison(m, t, contract) for m, t in zip(group, thresholds, strict=True))
    return (*results, *_insufficient(current, reference))


def detectable_shifts(reference: Reference, contract: Contract, rng: np.random.Generator) -> dict[str, float | None]:
    """For each column the shift that half of batches would reveal: its threshold when a block of its own is judged.

    In reference standard deviations for numbers (statistic ``location``), in Hellinger distance for other cells; None
    for a column of which only missing values are watched.
    """
    last = reference.blocks[len(reference.blocks) // 2]
    rest = Reference(
        reference.dataset, reference.contract, reference.layout, tuple(b for b in reference.blocks if b is not last)
    )
    found: dict[str, float | None] = dict.fromkeys(reference.layout.cells)
    for comparison in compare(last.profile, rest, contract, rng, blocks_minimum=BLOCKS_MINIMUM - 1):
        column, kind = comparison.column, _kind(reference, comparison.column)
        wanted = "location" if kind is Kind.NUMERIC else "hellinger"
        if column is not None and comparison.statistic == wanted:
            found[column] = comparison.threshold
    return found


def _is_info(column: str | None, contract: Contract) -> bool:
    return column is not None and contract.columns[column].drift == "info"


def _kind(reference: Reference, column: str | None) -> Kind:
    return reference.layout.cells[column].kind if column is not None else Kind.NONE


def _members(current: Profile, reference: Reference, contract: Contract, rng: np.random.Generator) -> Iterator[_Member]:
    rows = np.append(reference.rows(), current.rows)[:, None]
    for statistic in _reading(Reads.ROWS):
        others = (rows.sum(axis=0) - rows) / max(len(rows) - 1, 1)
        yield _Member(None, statistic, statistic.score(rows.astype(float), others), _noise(statistic, int(rows.mean())))
    for column in reference.layout.cells:
        if contract.columns[column].drift == "off":
            continue
        item = current.columns[column]
        if current.rows:
            gaps = np.vstack([reference.missing(column), [item.present, item.missing]])
            yield from _scored(column, Reads.MISSING, gaps, rng)
        if item.present and item.counts and reference.layout.cells[column].kind is not Kind.NONE:
            yield from _cell_members(column, current, reference, rng)


def _cell_members(column: str, current: Profile, reference: Reference, rng: np.random.Generator) -> Iterator[_Member]:
    cells = reference.layout.cells[column]
    counts = np.vstack([reference.counts(column), current.columns[column].counts])
    if not counts[-1].sum():
        return
    coarse = cells.coarsen(counts)
    yield from _scored(column, Reads.CELLS, coarse, rng)
    if cells.kind is Kind.NUMERIC:
        yield from _scored(column, Reads.ORDERED, coarse, rng, fine=counts)
    if cells.kind is Kind.CATEGORY:
        yield from _scored(column, Reads.CATEGORIES, counts, rng)


def _scored(
    column: str, reads: Reads, counts: npt.NDArray[Any], rng: np.random.Generator, fine: npt.NDArray[Any] | None = None
) -> Iterator[_Member]:
    """Every statistic of one kind, each block against all the others, at equal size."""
    sizes = counts.sum(axis=1)
    size = int(min(sizes[-1], np.median(sizes[:-1])))
    thinned = _thin(counts, size, rng)
    total = thinned.sum(axis=0, keepdims=True)
    pair = regularised(thinned.astype(float), (total - thinned).astype(float))
    near_constant = (total / max(total.sum(), 1)).max() > _NEAR_CONSTANT
    for statistic in _reading(reads):
        if statistic.name == "spread" and near_constant:
            continue
        if statistic.family:
            yield _Member(column, statistic, statistic.score(*pair), _noise(statistic, size))
        else:
            own = counts if statistic.coarse or fine is None else fine
            one = regularised(own[-1].astype(float), own[:-1].sum(axis=0).astype(float))
            yield _Member(column, statistic, np.atleast_1d(statistic.score(*one)), 0.0)


def _thin(counts: npt.NDArray[Any], size: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Each block's counts as if only ``size`` of its rows had been drawn, without replacement."""
    thinned = counts.astype(np.int64)
    for index in np.flatnonzero(counts.sum(axis=1) > size):
        thinned[index] = rng.multivariate_hypergeometric(thinned[index], size)
    return thinned


def _noise(statistic: Statistic, size: int) -> float:
    return float(max(size, 1) ** -statistic.noise)


def _reading(reads: Reads) -> Iterator[Statistic]:
    return (item for item in statistics().values() if item.reads is reads)


def _comparison(member: _Member, threshold: float | None, contract: Contract) -> Comparison:
    score = float(member.scores[-1])
    check = member.statistic.check
    if check == "drift" and member.column == contract.prediction:
        check = "prediction_drift"
    direction = int(np.sign(score)) if member.statistic.signed else 0
    return Comparison(member.column, member.statistic.name, check, abs(score), direction, threshold)


def _insufficient(current: Profile, reference: Reference) -> Iterator[Comparison]:
    """Columns of which this batch has no value to compare, though the reference has."""
    for column, cells in reference.layout.cells.items():
        known = sum(reference.pooled.columns[column].counts)
        if cells.kind is not Kind.NONE and known and not sum(current.columns[column].counts):
            yield Comparison(column, "hellinger", "insufficient_evidence", None)
