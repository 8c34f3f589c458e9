"""Drift of predictions within slices, and which slice carries the shift of a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.contract import Contract
from tidegate_monitors.block import Block, size_step, thin
from tidegate_monitors.cells import BROAD_CELLS, Kind
from tidegate_monitors.compare import DISTANCE_NOISE, ROWS_MINIMUM, confirmed
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.conformal import rank
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import BLOCKS_MINIMUM, Reference
from tidegate_monitors.statistics import Array, Statistic, regularised, shares, statistics

Counts = npt.NDArray[np.int64]

_CARRIED = 0.5
_OVER_ITS_ROWS = 1.5


@dataclass(frozen=True, slots=True)
class _Slice:
    """One slice of all B + 1 batches, the current one last.

    Attributes:
        name: As ``column=value``.
        size: How many rows each batch was thinned to, at most.
        own: Its rows by broad cell of the prediction, thinned, shape (B + 1, 8).
        rest: All rows of the same batches that are not in it, shape (B + 1, 8).
    """

    name: str
    size: int
    own: Counts
    rest: Counts


def slice_comparisons(
    current: Profile,
    reference: Reference,
    contract: Contract,
    rng: np.random.Generator,
    *,
    latest: Reference | None = None,
) -> tuple[Comparison, ...]:
    """Hold the predictions within each slice against those of the same slice in the reference's blocks.

    Each slice is held against what the rest of its own batch lets expect: the other blocks' shares of the slice, each
    times the factor by which the rest of the batch has more or fewer rows in that cell than the rest of the others.
    So a day that is late everywhere names no slice. All slices and both statistics are ranked as one family, so that
    together they alarm falsely on one exchangeable batch in blocks + 1; see :mod:`tidegate_monitors.conformal`.

    Args:
        current: The batch's profile, of the reference's layout.
        reference: At least five blocks; with fewer there are no comparisons.
        contract: Names the prediction and the slices, and says how often alarms may be false.
        rng: For thinning the batch to the size of the blocks.
        latest: The blocks accepted last; an alarm needs these to agree.

    Returns:
        ``location`` (of numbers) and ``hellinger`` for each slice that has at least 20 rows in the batch and in half of
        the blocks.
    """
    pinned = _against(current, reference, contract, rng)
    if latest is None:
        return pinned
    return tuple(confirmed(pinned, _against(current, latest, contract, rng)))


def _against(
    current: Profile, reference: Reference, contract: Contract, rng: np.random.Generator
) -> tuple[Comparison, ...]:
    column = contract.prediction
    if column is None or column not in reference.layout.cells or len(reference.blocks) < BLOCKS_MINIMUM:
        return ()
    found = list(_slices(current, reference, column, rng))
    if not found:
        return ()
    is_number = reference.layout.cells[column].kind is Kind.NUMERIC
    used = [statistics()[name] for name in (("location", "hellinger") if is_number else ("hellinger",))]
    pair = _expected(np.stack([item.own for item in found]), np.stack([item.rest for item in found]))
    scores = np.concatenate([item.score(*pair) for item in used])
    noise = np.array(
        [item.size**-one.noise * (1.0 if one.signed else DISTANCE_NOISE) for one in used for item in found]
    )
    centred = np.array([not one.signed for one in used for _ in found])
    budget = contract.alarm_budget.one_in if contract.alarm_budget else None
    thresholds = rank(np.abs(scores), noise, budget, centred).thresholds
    members = [(one, item) for one in used for item in found]
    return tuple(
        _comparison(column, one, item.name, float(score), float(threshold))
        for (one, item), score, threshold in zip(members, scores[:, -1], thresholds, strict=True)
    )


def carrier(current: Profile, reference: Reference, column: str) -> tuple[str, float] | None:
    """The slice that carries most of a column's shift, and the share that it carries, in (0, 1].

    The shift is sum over cells of d(c) (p(c) - q(c)) with d = (p - q) / q, where p and q are the shares of the broad
    cells in the batch and in the reference. With each slice's share of rows (w now, v before) and mean of d (m now, n
    before) it is the sum over slices of w (m - n) + (w - v) (n - n of all): how its rows changed, and how many there
    are. Source: the two terms of E. M. Kitagawa (1955), Journal of the American Statistical Association 50(272),
    1168-1194.

    Returns:
        Its name as ``column=value``, and its term over the sum; None unless that is at least half, and half as much
        again as its share of rows.
    """
    best: tuple[str, float] | None = None
    for by, item in current.slices.items():
        if column not in item.cells:
            continue
        now = np.array(item.cells[column])[:, :BROAD_CELLS]
        before = reference.slice_cells(by, column)[:, :, :BROAD_CELLS].sum(axis=0)
        carried, usual = _carried(now.astype(float), before.astype(float))
        for value, share, rows in zip(reference.layout.slices[by], carried, usual, strict=False):
            if share >= max(_CARRIED, _OVER_ITS_ROWS * rows, best[1] if best else 0.0):
                best = f"{by}={value}", float(share)
    return (best[0], min(best[1], 1.0)) if best else None


def _slices(current: Profile, reference: Reference, column: str, rng: np.random.Generator) -> Iterator[_Slice]:
    for by, values in reference.layout.slices.items():
        if by == column:
            continue
        now = np.array(current.slices[by].cells[column])[:, :BROAD_CELLS]
        tables = np.concatenate([reference.slice_cells(by, column)[:, :, :BROAD_CELLS], now[None]])
        sizes = tables.sum(axis=2)
        usual = np.minimum(np.median(sizes[:-1], axis=0), sizes[-1])
        for place, value in enumerate(values):
            if usual[place] < ROWS_MINIMUM:
                continue
            size, name = size_step(int(usual[place])), f"{by}={value}"
            blocks = _thinned(reference, by, column, place, size)
            own = np.concatenate([blocks, thin(tables[-1, place], size, rng)[None]])
            yield _Slice(name, size, own, tables.sum(axis=1) - tables[:, place])


def _thinned(reference: Reference, by: str, column: str, place: int, size: int) -> Counts:
    """A slice's rows in each block as if it had so many, shape (blocks, 8); made once."""

    def counts(block: Block) -> Counts:
        return block.slices[by][column][place, :BROAD_CELLS]

    def stack() -> Counts:
        what = f"{column} in {by}, {place}"
        return np.stack([block.thinned(what, counts, size) for block in reference.blocks])

    found: Counts = reference.remembered(("thinned", by, column, str(place), str(size)), stack)
    return found


def _expected(own: Counts, rest: Counts) -> tuple[Array, Array]:
    """Each batch's rows of each slice, and those that the others and the rest of its batch let expect.

    Both of shape (slices, B + 1, cells), regularised.
    """
    mine, others = (_and_others(item) for item in (own, rest))
    factor = shares(others[0]) / np.maximum(shares(others[1]), 1e-300)
    wanted = shares(mine[1] * factor) * mine[1].sum(axis=-1, keepdims=True)
    return mine[0], wanted


def _and_others(counts: Counts) -> tuple[Array, Array]:
    """Each batch's counts and those of all others together, regularised."""
    return regularised(counts.astype(float), (counts.sum(axis=1, keepdims=True) - counts).astype(float))


def _comparison(column: str, statistic: Statistic, name: str, score: float, threshold: float) -> Comparison:
    direction = int(np.sign(score)) if statistic.signed else 0
    return Comparison(column, statistic.name, "prediction_drift", abs(score), direction, threshold, slice=name)


def _carried(now: Array, before: Array) -> tuple[Array, Array]:
    """For each slice its share of the shift, and the larger of its shares of rows; counts of shape (slices, cells)."""
    p, q = (shares(item) for item in regularised(now.sum(axis=0), before.sum(axis=0)))
    direction = np.divide(p - q, q, out=np.zeros_like(q), where=q > 0)
    w, v = shares(now.sum(axis=1)), shares(before.sum(axis=1))
    mean_before = np.where(v > 0, (shares(before) * direction).sum(axis=1), 0.0)
    mean_now = np.where(w > 0, (shares(now) * direction).sum(axis=1), mean_before)
    terms = w * (mean_now - mean_before) + (w - v) * (mean_before - (v * mean_before).sum())
    total = terms.sum()
    return (terms / total if total > 0 else np.zeros_like(terms)), np.maximum(w, v)
