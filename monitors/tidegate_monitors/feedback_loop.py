"""A feature that is what the model said before: the model then learns from itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.ranks import spearman

Floats = npt.NDArray[np.float64]

CORRELATION_MINIMUM = 0.95
PAIRS_MINIMUM = 30
_NEARER = 0.5


@dataclass(frozen=True, slots=True)
class Echo:
    """One feature of entities that were scored before.

    Attributes:
        column: The feature.
        now: Its value in this batch, one for each entity, shape (n,); NaN where it is missing.
        before: Its value in the row that was scored then, shape (n,); None where it was not there.
    """

    column: str
    now: Floats
    before: Floats | None = None


def loop_strength(now: Floats, lagged: Floats, before: Floats | None = None) -> float | None:
    """How closely a feature follows the earlier predictions of the same entities, where that makes it a loop.

    A feature that hardly changes, and by which the model decides, follows the earlier predictions too: they were made
    from it. So what is found must come at least twice as near to 1 as the feature that was read then.

    Args:
        now: The feature now, shape (n,).
        lagged: What was predicted of the same entities in an earlier batch, shape (n,).
        before: The feature in that earlier batch, shape (n,); None where it was not there.

    Returns:
        The size of Spearman's correlation, in [.95, 1]; None where it is less, where fewer than 30 different pairs are
        known, or where the feature of then explains it.
    """
    known = np.isfinite(now) & np.isfinite(lagged)
    pairs = np.stack([now[known], lagged[known]])
    if np.unique(pairs, axis=1).shape[1] < PAIRS_MINIMUM:
        return None
    found = abs(spearman(*pairs))
    if found < CORRELATION_MINIMUM:
        return None
    if before is not None:
        both = known & np.isfinite(before)
        after = abs(spearman(now[both], lagged[both]))
        if 1 - after > _NEARER * (1 - abs(spearman(before[both], lagged[both]))) - 1e-12 and both.any():
            return None
    return found


def feedback_loop(echoes: Iterable[Echo], lagged: Floats, batch: str, contract: Contract) -> Iterator[Alarm]:
    """The features that are the entity's own earlier prediction, by :func:`loop_strength`.

    A warning: whoever built the feature may want it so, and should know what the next training learns from. The score
    is the correlation; the threshold is .95.

    Args:
        echoes: The features of the entities that both batches have.
        lagged: What was predicted of them in the earlier batch, shape (n,).
        batch: The earlier batch's id.
        contract: Gives the severity, and the names for the message.
    """
    for echo in echoes:
        strength = loop_strength(echo.now, lagged, echo.before)
        if strength is not None:
            entity = ", ".join(contract.entity)
            yield Alarm(
                "feedback_loop",
                contract.severity_of("feedback_loop", Severity.WARNING, echo.column),
                f"column {echo.column!r} is what the model said of the same {entity} in batch {batch!r}: rank "
                f"correlation {strength:.3f} with {contract.prediction!r} of then, over {len(lagged)} of them",
                echo.column,
                score=strength,
                threshold=CORRELATION_MINIMUM,
            )
