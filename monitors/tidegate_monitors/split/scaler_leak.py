"""A scaler that has seen TEST, or none at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audit, insufficient

EXACT = 1e-3
SCALED = 0.1
_ROWS_MINIMUM = 30


@audit
def scaler_leak(split: Split) -> Iterator[Finding]:
    """Columns declared as standardised whose mean and standard deviation betray on which rows the scaler was fitted.

    The distance of some rows from the standard is the larger of |mean| and |sd - 1|. Fitted on TRAIN, TRAIN's is 0
    but for rounding. It is a leak if TRAIN and TEST together are within .001 of the standard and TRAIN alone is ten
    times as far, or if TEST alone is within .001 as TRAIN is. From .1 the column counts as not scaled.
    """
    for name in split.contract.standardised:
        if not split.has(name) or not split.codes(name).numeric:
            continue
        train, test = (values[np.isfinite(values)] for values in split.codes(name).numbers())
        if min(train.size, test.size) < _ROWS_MINIMUM:
            yield insufficient(f"column {name!r} has fewer than {_ROWS_MINIMUM} values on a side", name)
            continue
        ours, theirs, both = distance(train), distance(test), distance(np.concatenate([train, test]))
        if both <= EXACT and ours > 10 * max(both, EXACT / 10):
            words = f"column {name!r}: TRAIN and TEST were scaled together (TRAIN alone is {ours:.3g} off the standard)"
            yield split.alarm("scaler_leak", Severity.WARNING, words, name, score=ours, threshold=EXACT)
        elif ours <= EXACT and theirs <= EXACT:
            words = f"column {name!r}: TEST was scaled by its own mean and deviation, not by TRAIN's"
            yield split.alarm("scaler_leak", Severity.WARNING, words, name, score=EXACT - theirs, threshold=0.0)
        elif ours > SCALED:
            words = f"column {name!r} is declared as standardised, but TRAIN is {ours:.3g} off mean 0 and deviation 1"
            yield split.alarm("scaler_leak", Severity.WARNING, words, name, score=ours, threshold=SCALED)


def distance(values: npt.NDArray[np.float64]) -> float:
    """The larger of the mean and of sd - 1 in size, the population's sd or the sample's, whichever is nearer."""
    sd = min((float(values.std(ddof=freedom)) for freedom in (0, 1)), key=lambda found: abs(found - 1))
    found = max(abs(float(values.mean())), abs(sd - 1))
    return found if np.isfinite(found) else float(np.finfo(np.float64).max)
