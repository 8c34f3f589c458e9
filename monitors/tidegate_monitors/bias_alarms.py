"""Which biases are proven, and matter: all cells of some cohorts together, at one stated rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from tidegate_monitors.bias_cells import BiasCells, Family, Key
from tidegate_monitors.bias_contrast import Effects, contrasted, dispersions, row_variances
from tidegate_monitors.bias_interval import BATCHES_MINIMUM
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.moderated import Moderated
from tidegate_monitors.neighbours import inflation, neighbours
from tidegate_monitors.nested_windows import nested_level
from tidegate_monitors.significance import holm

Floats = npt.NDArray[np.float64]

WINDOWS = (7, 28)
_MAIN_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Judged:
    """What was concluded of one cell.

    Attributes:
        key: The cell.
        effect: How far its bias lies from what it is held against, in the label's unit, over the window that comes
            nearest to an alarm.
        p_value: Of that window, adjusted for all windows and all cells, in [0, 1].
        window: Batches in that window.
        batches: Those of them in which it has labelled rows.
        detectable: The effect that half of judgements would reveal; None below five batches.
        ratio: The lesser of |effect| over the tolerance and of the evidence over what is asked, in that window; above 1
            it alarms.
        contrasted: Whether it is held against the rest of its own batches.
    """

    key: Key
    effect: float
    p_value: float
    window: int
    batches: int
    detectable: float | None
    ratio: float
    contrasted: bool

    @property
    def alarms(self) -> bool:
        """Whether the bias is proven and matters."""
        return self.ratio > 1


def judge_bias(
    cohorts: Sequence[Cohort],
    reference: Sequence[Cohort],
    outcome: str,
    *,
    tolerance: float,
    alpha: float,
    binary: bool,
) -> tuple[Judged, ...]:
    """All cells of the latest cohorts, each over its last 28 batches and over the last 7.

    A cell's effect is its bias, for a slice its bias less that of the rest of its batches, less what the reference's
    cohorts had. Its standard error comes from batches: what independent rows would give, times the dispersion of
    batches, which is moderated over the cells of a family, times what neighbouring batches have in common (see
    :func:`~tidegate_monitors.neighbours.neighbours`); its p-value from Student's t. The p-value of a window is adjusted
    for having looked at all of them, then for all cells by Holm's method, 95 parts in 100 of the rate being for all
    rows, buckets and slices, and the rest for the buckets of slices.

    A cell alarms if in one and the same window it is proven and its effect is larger than ``tolerance``: a small bias
    of long standing hides no large one of late.

    False alarms: at most one judgement in ``1 / alpha`` for batches whose effects are independent and about normal.
    Where batches are like their neighbours it is more, since a few weeks show only roughly how much: at ``alpha`` .045,
    with 14 and 28 batches whose days move by .06, .07 and .06 were measured at a correlation of .3, and .11 and .10 at
    .5, where .10 and .11, and .19 and .19 would be without the widening.

    Args:
        cohorts: In the order of their windows; the last 28 are used, fewer than 5 alarm never.
        reference: Cohorts of the reference; what it has no rows of is held against 0.
        outcome: Which tally of theirs.
        tolerance: The least effect that matters, above zero.
        alpha: In (0, 1).
        binary: Whether labels are 0 and 1.
    """
    recent = cohorts[-WINDOWS[-1] :]
    cells = BiasCells.of(recent, outcome)
    known = BiasCells.of(reference, outcome, cells.names) if reference else None
    spread = row_variances(cells, *([known] if known is not None else []), binary=binary)
    contrast = contrasted(known if known is not None and len(reference) > len(recent) else cells, spread)
    effects = Effects.of(cells, spread, contrast)
    before = Effects.of(known, spread, contrast) if known is not None else None
    dispersion = dispersions(cells, effects, *([before] if before is not None else []))
    alike = neighbours(cells, *effects.parted(WINDOWS[0]), *([before] if before is not None else []))
    looks = _looks(effects, before, dispersion, alike)
    main = np.array([key.family is not Family.CROSSED for key in cells.keys])
    weights = _weights(main)
    critical = _critical(dispersion, alpha * weights / weights.sum(), looks.lengths.size)
    best = _best(looks, weights, tolerance, alpha)
    return tuple(
        _judged(key, index, best, critical, tolerance, bool(contrast[index])) for index, key in enumerate(cells.keys)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """What stands in each window; arrays of shape (windows, cells)."""

    lengths: npt.NDArray[np.int64]
    p_values: Floats
    effects: Floats
    batches: npt.NDArray[np.int64]
    errors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Best:
    """The window of each cell that comes nearest to an alarm, and what stands there; arrays of shape (cells,)."""

    ratios: Floats
    p_values: Floats
    effects: Floats
    windows: npt.NDArray[np.int64]
    batches: npt.NDArray[np.int64]
    errors: Floats
    """Of the longest window."""


def _looks(effects: Effects, before: Effects | None, dispersion: Moderated, alike: Floats) -> _Looks:
    total, observed = effects.effect.shape[0], effects.batches
    lengths = (*(length for length in WINDOWS if 2 * length < total), total)
    expected = before.mean() if before is not None else np.zeros(effects.effect.shape[1])
    uncertain = _variance(before, dispersion, alike, observed) if before is not None else 0.0
    freedom = dispersion.freedom * (1 - alike**2) / (1 + alike**2)
    found = []
    for length in lengths:
        part = effects.last(length)
        effect = part.mean() - expected
        error = np.sqrt(_variance(part, dispersion, alike, observed) + uncertain)
        usable = (part.batches >= BATCHES_MINIMUM) & (error > 0)
        ratio = np.divide(effect, error, out=np.zeros_like(effect), where=usable)
        p_value = np.where(usable, 2 * stdtr(freedom, -np.abs(ratio)), 1.0)
        found.append((nested_level(p_value, lengths), effect, part.batches, error))
    p_values, shifts, batches, errors = (np.stack(items) for items in zip(*found, strict=True))
    return _Looks(np.asarray(lengths), p_values, shifts, batches, errors)


def _variance(effects: Effects, dispersion: Moderated, alike: Floats, observed: npt.NDArray[np.int64]) -> Floats:
    """What the mean effect of some batches varies by."""
    found: Floats = effects.variance_of_mean() * dispersion.variances * inflation(alike, effects.batches, observed)
    return found


def _best(looks: _Looks, weights: Floats, tolerance: float, alpha: float) -> _Best:
    """Holm's correction in each window: it holds for the least p-values of all, and these here are never less."""
    adjusted = np.stack([holm(p_values, weights) for p_values in looks.p_values])
    evidence = np.abs(np.log(np.maximum(adjusted, 1e-300)) / np.log(alpha))
    usable = looks.batches >= BATCHES_MINIMUM
    ratios = np.where(usable, np.minimum(np.abs(looks.effects) / tolerance, evidence), 0.0)
    nearest = len(ratios) - 1 - ratios[::-1].argmax(axis=0)
    found = (nearest, np.arange(weights.size))
    return _Best(
        ratios[found],
        adjusted[found],
        looks.effects[found],
        looks.lengths[nearest],
        looks.batches[found],
        np.where(usable[-1], looks.errors[-1], 0.0),
    )


def _weights(main: npt.NDArray[np.bool_]) -> Floats:
    crossed = max(int((~main).sum()), 1)
    return np.where(main, _MAIN_SHARE / max(int(main.sum()), 1), (1 - _MAIN_SHARE) / crossed)


def _critical(dispersion: Moderated, levels: Floats, looks: int) -> Floats:
    """How many standard errors a cell needs to alarm by itself, at most."""
    found: Floats = -stdtrit(np.maximum(dispersion.freedom, 1.0), levels / looks / 2)
    return found


def _judged(key: Key, index: int, best: _Best, critical: Floats, tolerance: float, contrasted: bool) -> Judged:
    reach = float(critical[index] * best.errors[index])
    return Judged(
        key,
        float(best.effects[index]),
        float(best.p_values[index]),
        int(best.windows[index]),
        int(best.batches[index]),
        max(tolerance, reach) if reach > 0 else None,
        float(best.ratios[index]),
        contrasted,
    )
