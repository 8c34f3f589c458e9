"""One error measure hides how numbers are missed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.outcome import Outcome
from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import clustered
from tidegate_monitors.cohort import WHOLE
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import held_against, judged
from tidegate_monitors.proof import Suspicion, proven, severity
from tidegate_monitors.tally import Sum

_CHECK = "regression_error"
_WORSE = 1.1
_ROWS = 50

Floats = npt.NDArray[np.float64]


@label_rule
def regression_error(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The mean absolute error of all rows, or of one bucket of predictions, is a tenth above the reference's.

    Only where the label is a number and the reference had labels. The ratio is proven to be above 1.1: t tests of two
    samples of batches on its log, clustered by batch, at the rule's share of ``alpha`` after Holm's correction over
    buckets. The score is the ratio. Where predictions are too high or low is prediction bias.

    Source: C. J. Willmott, K. Matsuura (2005), Climate Research 30(1), 79-82, for the absolute error.
    """
    panel, known = judged(evidence).get(WHOLE), held_against(evidence, WHOLE)
    if evidence.outcome is not Outcome.NUMBER or panel is None or known is None:
        return
    parts: list[tuple[int | None, Floats, Floats]] = [(None, panel.whole, known.whole)]
    if panel.table.shape[2] > 1:
        parts += [
            (bucket, panel.buckets[:, bucket], known.buckets[:, bucket]) for bucket in range(panel.table.shape[2])
        ]
    yield from proven(evidence, [item for part in parts for item in _suspicion(evidence, *part)])


def _suspicion(evidence: LabelEvidence, bucket: int | None, now: Floats, before: Floats) -> Iterator[Suspicion]:
    if min(now[:, Sum.N].sum(), before[:, Sum.N].sum()) < _ROWS:
        return
    found, usual = (clustered(sums, _log_mae, sums[:, Sum.N]) for sums in (now, before))
    if found is None or usual is None:
        return
    change = found.minus(usual)
    where = "" if bucket is None else f"in bucket {bucket} of the predictions "
    alarm = Alarm(
        _CHECK,
        severity(evidence, _CHECK),
        f"{where}the mean absolute error is {math.exp(found.value):.4g}; in the reference it was "
        f"{math.exp(usual.value):.4g}",
        evidence.contract.prediction,
        score=math.exp(change.value),
        threshold=_WORSE,
    )
    yield change.above(math.log(_WORSE)), alarm


def _log_mae(sums: Floats) -> float | None:
    error = measures.mae(sums)
    return math.log(error) if error else None
