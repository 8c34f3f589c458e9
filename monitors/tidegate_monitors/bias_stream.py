"""The stream of biases: a small bias that stays adds up, batch after batch, until it is proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_monitors.bias_cells import BiasCells, Family, Key, squares
from tidegate_monitors.bias_contrast import Effects, contrasted, dispersions, row_variances
from tidegate_monitors.bias_interval import BATCHES_SOUND
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.tally import Sum

Floats = npt.NDArray[np.float64]

REMEMBERED = 91
RATES = (0.25, 0.5, 1.0, 2.0)
_SCORE_MAXIMUM = 4.0
_MARGIN = 0.8
_EVENTS_MINIMUM = 3.0


@dataclass(frozen=True, slots=True)
class SlowBias:
    """What the stream says of one cell.

    Attributes:
        key: All rows, a bucket or a slice.
        ratio: Evidence over threshold, both as log(1 + R), or |effect| over the tolerance where that is less; above 1
            it alarms.
        effect: Over the batches since when it is likeliest to have lasted, in the label's unit.
        since: The first of these batches; None where there are none.
        batches: How many these are.
        contrasted: Whether it is held against the rest of its own batches.
    """

    key: Key
    ratio: float
    effect: float
    since: str | None
    batches: int
    contrasted: bool

    @property
    def alarms(self) -> bool:
        """Whether a lasting bias is proven, and matters."""
        return self.ratio > 1


def slow_bias(
    cohorts: Sequence[Cohort],
    reference: Sequence[Cohort],
    outcome: str,
    *,
    tolerance: float,
    run_length: float,
    binary: bool,
) -> tuple[SlowBias, ...]:
    """The stream over the latest cohorts; nothing before 14 batches have shown what is usual.

    What a batch says of a cell is its effect, less the reference's, in standard errors (see
    :func:`~tidegate_monitors.bias_alarms.judge_bias`), at most 4; the dispersion of batches comes from the reference's
    cohorts, or from the first 14 where these are fewer. A cell's evidence R is a Shiryaev-Roberts e-detector in each
    direction, R ← (1 + R) · exp(r·e - r²/2), averaged over four rates r and both directions, and over the cells; e is
    the score less a margin of .8 standard errors of what the reference's cohorts show, whose own error would else add
    up.

    What is promised is a mean: for scores that are independent, about normal and of variance 1 and mean 0, the mean
    number of batches to the first false alarm is at least ``run_length``. It is no rate of one judgement: each looks at
    the same 91 batches again, and one that has alarmed falsely does so until the batches that made it are outweighed.
    Of rare labels sums of a batch are skew and not about normal; so with labels of 0 and 1 a cell is only watched
    where 3 events or more are to be expected in a batch: the mean of the sums of p·(1 - p) over the cohorts
    that show what is usual. (Where predictions are 0 and 1 themselves, it is their errors that are counted.)

    Bets bounded by the range of a batch mean, which ask for no variance, would be valid more widely, and need hundreds
    of batches for what this finds in ten.

    Source: J. Shin, A. Ramdas, A. Rinaldo (2023), "E-detectors: a nonparametric framework for sequential change
    detection", New England Journal of Statistics in Data Science 2(2), 229-260; S. W. Roberts (1966), Technometrics
    8(3), 411-430.
    """
    recent, calibrated = cohorts[-REMEMBERED:], len(reference) >= BATCHES_SOUND
    usual, watched = (reference, recent) if calibrated else (recent[:BATCHES_SOUND], recent[BATCHES_SOUND:])
    if not watched:
        return ()
    names = BiasCells.of(recent, outcome).names
    known, cells = (BiasCells.of(part, outcome, names) for part in (usual, watched))
    main = np.array([key.family is not Family.CROSSED for key in cells.keys])
    spread = row_variances(known, binary=binary)
    contrast = contrasted(known, spread)
    before, effects = (Effects.of(part, spread, contrast) for part in (known, cells))
    expected = before.mean() if calibrated else np.zeros(main.size)
    dispersion = dispersions(known, before).variances
    margin = _MARGIN * np.sqrt(before.variance_of_mean() * dispersion) * calibrated
    error = np.sqrt(effects.variance * dispersion)
    followed = (before.batches >= BATCHES_SOUND) & (not binary or _events(known) >= _EVENTS_MINIMUM)
    usable = (effects.weight > 0) & (error > 0) & followed
    left = np.where(usable, effects.effect - expected, 0.0)
    gains = _gains(_excess(left, margin, np.where(usable, error, np.inf))[:, main], usable[:, main])
    evidence, began = _evidence(gains), _began(gains)
    threshold = float(np.log1p(run_length * max(int((main & followed).sum()), 1)))
    found = []
    for index, place in enumerate(np.flatnonzero(main)):
        start = int(began[index])
        effect = _mean(left[start:, place], effects.weight[start:, place])
        ratio = min(float(evidence[index]) / threshold, abs(effect) / tolerance)
        since = watched[start].batch if start < len(watched) else None
        found.append(SlowBias(cells.keys[place], ratio, effect, since, len(watched) - start, bool(contrast[place])))
    return tuple(found)


def _excess(left: Floats, margin: Floats, error: Floats) -> Floats:
    """Standard errors beyond the margin, upwards and downwards, at most 4; shape (batches, cells, 2)."""
    sides = np.stack([left - margin, -left - margin], axis=-1) / error[..., None]
    found: Floats = np.minimum(sides, _SCORE_MAXIMUM)
    return found


def _mean(values: Floats, weight: Floats) -> float:
    return float((values * weight).sum() / weight.sum()) if weight.any() else 0.0


def _events(known: BiasCells) -> Floats:
    """How many events a batch brings on average, of the batches that a cell has rows in, shape (cells,)."""
    batches = np.maximum((known.sums[..., Sum.N] > 0).sum(axis=0), 1)
    expected = known.total(Sum.P) - known.total(Sum.PP)
    found: Floats = np.where(expected > 0, expected, squares(known.sums).sum(axis=0)) / batches
    return found


def _gains(excess: Floats, usable: npt.NDArray[np.bool_]) -> Floats:
    """What each batch adds to the log of each bet, shape (batches, cells, 2, rates); -inf where there is none.

    Args:
        excess: Standard errors beyond the margin, upwards and downwards; shape (batches, cells, 2).
        usable: Where there is one, shape (batches, cells).
    """
    rates = np.array(RATES)
    found: Floats = np.where(usable[..., None, None], rates * excess[..., None] - rates**2 / 2, -np.inf)
    return found


def _evidence(gains: Floats) -> Floats:
    """log(1 + R) of each cell at the end, shape (cells,)."""
    logs = np.zeros(gains.shape[1:])
    for gain in gains:
        logs = np.where(gain > -np.inf, np.logaddexp(0.0, logs + gain), logs)
    found: Floats = np.log1p(np.expm1(logs).mean(axis=(1, 2)))
    return found


def _began(gains: Floats) -> npt.NDArray[np.int64]:
    """From which batch on a bias is likeliest to have lasted, shape (cells,); their number where from none.

    It is where the sum from there to the end of the most successful bet is the greatest.
    Source: D. V. Hinkley (1970), "Inference about the change-point in a sequence of random variables", Biometrika
    57(1), 1-17.
    """
    known = np.where(np.isfinite(gains), gains, 0.0)
    since = np.zeros((len(gains) + 1, *gains.shape[1:]))
    since[:-1] = known[::-1].cumsum(axis=0)[::-1]
    sums = since.reshape(*since.shape[:2], -1)
    best = sums.max(axis=0).argmax(axis=1)
    mine = np.take_along_axis(sums, best[None, :, None], axis=2)[..., 0]
    found: npt.NDArray[np.int64] = len(gains) - mine[::-1].argmax(axis=0)
    return found
