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
        effect: How far its bias lies from what it is held against, in the label's unit, over the window of the least
            p-value.
        p_value: Adjusted for all windows and all cells, in [0, 1].
        window: Batches in that window.
        batches: Those of them in which it has labelled rows.
        detectable: The effect that half of judgements would reveal; None below five batches.
        ratio: The lesser of |effect| over the tolerance and of the evidence over what is asked; above 1 it alarms.
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
    batches, which is moderated over the cells of a family; its p-value from Student's t. The least p-value of a cell
    over its windows is adjusted for having looked at all of them, then for all cells by Holm's method, 95 parts in 100
    of the rate being for all rows, buckets and slices, and the rest for the buckets of slices.

    False alarms: at most one judgement in ``1 / alpha`` for batches whose effects are independent and about normal; a
    cell is only alarming if its effect is also larger than ``tolerance``.

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
    looks = _looks(effects, before, dispersion)
    main = np.array([key.family is not Family.CROSSED for key in cells.keys])
    weights = _weights(main)
    adjusted = holm(looks.p_values, weights)
    critical = _critical(dispersion, alpha * weights / weights.sum(), len(looks.lengths))
    return tuple(
        _judged(key, index, looks, adjusted, critical, tolerance, alpha, bool(contrast[index]))
        for index, key in enumerate(cells.keys)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """The least p-value of each cell over the windows, and what stood there; arrays of shape (cells,)."""

    lengths: tuple[int, ...]
    p_values: Floats
    effects: Floats
    windows: npt.NDArray[np.int64]
    batches: npt.NDArray[np.int64]
    errors: Floats


def _looks(effects: Effects, before: Effects | None, dispersion: Moderated) -> _Looks:
    total = effects.effect.shape[0]
    lengths = (*(length for length in WINDOWS if 2 * length < total), total)
    expected = before.mean() if before is not None else np.zeros(effects.effect.shape[1])
    uncertain = before.variance_of_mean() * dispersion.variances if before is not None else 0.0
    found = []
    for length in lengths:
        part = effects.last(length)
        effect = part.mean() - expected
        error = np.sqrt(part.variance_of_mean() * dispersion.variances + uncertain)
        usable = (part.batches >= BATCHES_MINIMUM) & (error > 0)
        ratio = np.divide(effect, error, out=np.zeros_like(effect), where=usable)
        p_value = np.where(usable, 2 * stdtr(dispersion.freedom, -np.abs(ratio)), 1.0)
        found.append((p_value, effect, part.batches, error))
    stacked = np.stack([item[0] for item in found])
    best = stacked.argmin(axis=0)
    cells = np.arange(best.size)
    last = np.asarray(lengths)
    return _Looks(
        lengths,
        nested_level(stacked.min(axis=0), lengths),
        np.stack([item[1] for item in found])[best, cells],
        last[best],
        np.stack([item[2] for item in found])[best, cells],
        np.stack([item[3] for item in found])[-1],
    )


def _weights(main: npt.NDArray[np.bool_]) -> Floats:
    crossed = max(int((~main).sum()), 1)
    return np.where(main, _MAIN_SHARE / max(int(main.sum()), 1), (1 - _MAIN_SHARE) / crossed)


def _critical(dispersion: Moderated, levels: Floats, looks: int) -> Floats:
    """How many standard errors a cell needs to alarm by itself, at most."""
    found: Floats = -stdtrit(np.maximum(dispersion.freedom, 1.0), levels / looks / 2)
    return found


def _judged(
    key: Key,
    index: int,
    looks: _Looks,
    adjusted: Floats,
    critical: Floats,
    tolerance: float,
    alpha: float,
    contrasted: bool,
) -> Judged:
    p_value, effect = float(adjusted[index]), float(looks.effects[index])
    evidence = float(np.log(max(p_value, 1e-300)) / np.log(alpha))
    usable = looks.batches[index] >= BATCHES_MINIMUM
    reach = float(critical[index] * looks.errors[index])
    return Judged(
        key,
        effect,
        p_value,
        int(looks.windows[index]),
        int(looks.batches[index]),
        max(tolerance, reach) if usable and reach > 0 else None,
        min(abs(effect) / tolerance, evidence) if usable else 0.0,
        contrasted,
    )
