"""The logistic recalibration of probabilities: how their log odds would have to be stretched and moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from tidegate_monitors.pairs import Pairs

Floats = npt.NDArray[np.float64]

CLIP = 1e-12
_STEPS = 60
_HALVINGS = 12
_CLOSE = 1e-10
_FLAT = 1e-10
_STRIDE = 8.0


def recalibration(pairs: Callable[[], Iterator[Pairs]]) -> tuple[float, float] | None:
    """Slope and intercept of the log odds of the label on those of the prediction, by maximum likelihood.

    Newton's method from (1, 0); a step moves no log odds by more than 8, and is halved while it makes things worse.
    Rows are read batch by batch, mostly once a step, never all at once. Predictions are clipped to [1e-12, 1 - 1e-12].
    Source: D. R. Cox (1958), "Two further applications of a model for binary regression", Biometrika 45(3/4), 562-565.

    Returns:
        None where one class is absent, predictions do not vary, or no finite pair is the likeliest: where predictions
        tell the classes apart without an error.
    """
    line = np.array([0.0, 1.0])
    loss, gradient, curvature = _at(pairs, line)
    reach, both = _span(pairs)
    if not both:
        return None
    for _ in range(_STEPS):
        if np.linalg.det(curvature) <= _FLAT * curvature[0, 0] * curvature[1, 1] or curvature[0, 0] <= 0:
            return None
        step = np.linalg.solve(curvature, gradient)
        step = step / max(1.0, float(abs(step[0]) + abs(step[1]) * reach) / _STRIDE)
        if np.abs(step).max() <= _CLOSE * (1 + np.abs(line).max()):
            line = line - step
            return float(line[1]), float(line[0])
        for _ in range(_HALVINGS):
            tried = _at(pairs, line - step)
            if tried[0] <= loss * (1 + 1e-14):
                break
            step = step / 2
        line = line - step
        loss, gradient, curvature = tried
    return None


def _at(pairs: Callable[[], Iterator[Pairs]], line: Floats) -> tuple[float, Floats, Floats]:
    """Loss, gradient and curvature at (intercept, slope)."""
    loss, gradient, curvature = 0.0, np.zeros(2), np.zeros((2, 2))
    for item in pairs():
        x = _log_odds(item)
        z = line[0] + line[1] * x
        chance = expit(z)
        wrong, weight = chance - item.label, chance * (1 - chance)
        loss += float((np.logaddexp(0.0, z) - item.label * z).sum())
        gradient += [wrong.sum(), wrong @ x]
        first, second = float(weight.sum()), float(weight @ x)
        curvature += [[first, second], [second, float(weight @ (x * x))]]
    return loss, gradient, curvature


def _span(pairs: Callable[[], Iterator[Pairs]]) -> tuple[float, bool]:
    """How far log odds reach from 0, and whether both classes are there."""
    reach, labels = 0.0, set[float]()
    for item in pairs():
        reach = max(reach, float(np.abs(_log_odds(item)).max(initial=0.0)))
        labels.update(np.unique(item.label).tolist())
    return reach, len(labels) == 2


def _log_odds(item: Pairs) -> Floats:
    found: Floats = logit(np.clip(item.prediction, CLIP, 1 - CLIP))
    return found
