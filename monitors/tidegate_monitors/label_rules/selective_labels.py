"""Which rows get a label depends on what the model said, or on whom the row is about."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors import measures
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import Estimate, clustered
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import Panel, judged
from tidegate_monitors.proof import Suspicion, proven_or_told, severity
from tidegate_monitors.tally import Sum

_CHECK = "selective_labels"
_LEAST = 0.05
_ROWS = 50

Floats = npt.NDArray[np.float64]


@label_rule
def selective_labels(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The share of rows with a label differs by .05 between a bucket or slice and the rest of the same batches.

    Everything that is computed from labels is then computed from other rows than those that were scored. Cohorts are
    mature, so that a label that is not there will hardly come. The difference is proven to be beyond .05, by one-sided
    t tests clustered by batch on every bucket and slice of 50 rows, at the rule's share of ``alpha`` after Holm's
    correction. Where it is within .05 of the reference's, as measured, it is information: it was so there too. Of the
    buckets only the one that differs most is told. The score is the difference without its sign.

    Source of the term: H. Lakkaraju, J. Kleinberg, J. Leskovec, J. Ludwig, S. Mullainathan (2017), "The selective
    labels problem", KDD.
    """
    panels = judged(evidence)
    if not panels:
        return
    outcome, panel = next(iter(panels.items()))
    known = Panel.of(evidence.reference, outcome, evidence.cohorts[-1].edges)
    pairs: list[tuple[Suspicion, Suspicion]] = []
    for slice_, bucket in _cells(panel):
        found = _difference(panel, slice_, bucket)
        if found is None:
            continue
        usual = _difference(known, slice_, bucket)
        p = _beyond(found)
        more = usual is None or abs(found.value - usual.value) > _LEAST
        proof = p if more else 1.0
        alarm = _alarm(evidence, slice_, bucket, found, severity(evidence, _CHECK))
        pairs.append(((proof, alarm), (p, _alarm(evidence, slice_, bucket, found, Severity.INFO, usual))))
    alarms = list(proven_or_told(evidence, [first for first, _ in pairs], [second for _, second in pairs]))
    yield from (alarm for alarm in alarms if alarm.slice is not None)
    yield from sorted((alarm for alarm in alarms if alarm.slice is None), key=_weight)[-1:]


def _weight(alarm: Alarm) -> tuple[int, float]:
    return alarm.severity.rank, alarm.score or 0.0


def _cells(panel: Panel) -> Iterator[tuple[str | None, int | None]]:
    buckets = panel.table.shape[2]
    if buckets > 1:
        yield from ((None, bucket) for bucket in range(buckets))
    yield from ((name, None) for name in panel.own)


def _difference(panel: Panel, slice_: str | None, bucket: int | None) -> Estimate | None:
    """The labelled share of a cell less that of all other rows of the same batches; None for few rows."""
    part = panel.slice(slice_) if slice_ is not None else panel.buckets[:, bucket or 0]
    rest = panel.whole - part
    if min(part[:, Sum.ROWS].sum(), rest[:, Sum.ROWS].sum()) < _ROWS:
        return None
    return clustered(
        np.stack([part, rest], axis=1),
        lambda sums: _share_difference(sums[0], sums[1]),
        np.minimum(part[:, Sum.ROWS], rest[:, Sum.ROWS]),
    )


def _share_difference(part: Floats, rest: Floats) -> float | None:
    own = measures.over(float(part[Sum.N]), float(part[Sum.ROWS]))
    others = measures.over(float(rest[Sum.N]), float(rest[Sum.ROWS]))
    return None if own is None or others is None else own - others


def _beyond(difference: Estimate) -> float:
    """The p-value of a difference that is at most .05 either way."""
    return min(1.0, 2 * min(difference.above(_LEAST), difference.below(-_LEAST)))


def _alarm(
    evidence: LabelEvidence,
    slice_: str | None,
    bucket: int | None,
    found: Estimate,
    word: Severity,
    usual: Estimate | None = None,
) -> Alarm:
    where = f"where {slice_}" if slice_ is not None else f"in bucket {bucket} of the predictions"
    side = "less" if found.value < 0 else "more"
    before = "" if usual is None else f"; it was {abs(usual.value):.1%} {'less' if usual.value < 0 else 'more'} before"
    return Alarm(
        _CHECK,
        word,
        f"{where} the share of rows with a label is {abs(found.value):.1%} {side} than elsewhere{before}",
        evidence.contract.label,
        slice=slice_,
        score=abs(found.value),
        threshold=_LEAST,
    )
