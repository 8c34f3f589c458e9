"""The model wears out as it ages, and its worth says how often to train it again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.clustered import clustered
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_rules import LabelEvidence, label_rule
from tidegate_monitors.panel import judged
from tidegate_monitors.proof import Suspicion, named, proven, severity
from tidegate_monitors.tally import Sum

_CHECK = "refresh_interval"
_WORTH = 0.1
"""The part of what a young model gains over the mean label that an old one may lose before it is trained again."""
_DAY = 86_400.0

Floats = npt.NDArray[np.float64]


@label_rule
def refresh_interval(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The squared error grows with the model's age, by more than a tenth of what the young model gains.

    The curve is the least-squares line of the squared error of a row on the age of its batch: days since the end of the
    first window, among those judged, that the model in force scored; where the contract names no column of versions,
    since the first of all. What a young model gains is the variance of labels less the line's value at age 0. The rate
    of growth is proven to be above 0 by a one-sided t test clustered by batch, at the rule's share of ``alpha`` after
    Holm's correction over classes. The recommended interval is the age at which the line has lost a tenth of that gain.
    A season that turns while the model ages looks the same, so that this is information unless the contract says more.

    The score is the share of the gain that is lost at the age reached; the threshold is .1.

    Source: D. Vela et al. (2022), Scientific Reports 12, 11654, for error as a function of a model's age; the clustered
    error is that of :func:`~tidegate_monitors.clustered.clustered`.
    """
    suspicions: list[Suspicion] = []
    for outcome, panel in judged(evidence).items():
        ages = ages_of(evidence.cohorts)
        alike = [place for place, item in enumerate(evidence.cohorts) if _same_tallies(evidence, item, outcome)]
        suspicions += _suspicion(evidence, outcome, panel.whole, ages[alike])
    for alarm in proven(evidence, suspicions):
        if alarm.score is not None and alarm.score >= _WORTH:
            yield alarm


def ages_of(cohorts: Sequence[Cohort]) -> Floats:
    """The age of the model in force at the end of each batch, in days; NaN for batches that another one scored."""
    ends = np.array([_end(item, place) for place, item in enumerate(cohorts)])
    now = _version(cohorts[-1])
    mine = np.array([_version(item) == now for item in cohorts])
    found: Floats = np.where(mine, ends - ends[mine].min(), np.nan)
    return found


def curve(sums: Floats) -> tuple[float, float, float] | None:
    """The line of the squared error on age, and the variance of labels.

    Args:
        sums: Of rows, ages, squared ages, squared errors, their products with age, labels and squared labels; shape
            (7,).

    Returns:
        The error at age 0, its growth a day, and the variance; None where all ages are one or there are no rows.
    """
    rows, age, squares, error, products, label, labels = (float(item) for item in sums)
    spread = rows * squares - age**2
    if rows <= 0 or spread <= 1e-9 * rows * squares or not squares:
        return None
    growth = (rows * products - age * error) / spread
    return (error - growth * age) / rows, growth, labels / rows - (label / rows) ** 2


def _suspicion(evidence: LabelEvidence, outcome: str, whole: Floats, ages: Floats) -> Iterator[Suspicion]:
    """Of a class that can be tested, however little it wears out: Holm's correction pays for each that is looked at."""
    mine = np.isfinite(ages)
    whole, ages = whole[mine], ages[mine]
    rows, error = whole[:, Sum.N], whole[:, Sum.SQUARED]
    columns = [rows, rows * ages, rows * ages**2, error, error * ages, whole[:, Sum.Y], whole[:, Sum.YY]]
    sums = np.stack(columns, axis=1)
    found = clustered(sums, _growth, rows)
    line = curve(sums.sum(axis=0))
    if found is None or line is None:
        return
    young, growth, spread = line
    gain, reached = spread - young, float(ages.max())
    lost = growth * reached / gain if gain > 0 else 0.0
    days = _WORTH * reached / lost if lost > 0 else math.inf
    alarm = Alarm(
        _CHECK,
        severity(evidence, _CHECK, Severity.INFO),
        f"{named(outcome)}the squared error grows by {growth:.2g} a day of the model's age (standard error "
        f"{found.error:.2g}); after {days:.3g} days a tenth of what the model gains over the mean label is lost, and "
        f"its age is {reached:.3g} days",
        evidence.contract.prediction,
        score=lost,
        threshold=_WORTH,
    )
    yield found.above(0.0), alarm


def _growth(sums: Floats) -> float | None:
    line = curve(sums)
    return None if line is None else line[1]


def _same_tallies(evidence: LabelEvidence, cohort: Cohort, outcome: str) -> bool:
    return outcome in cohort.tallies and cohort.edges == evidence.cohorts[-1].edges


def _end(cohort: Cohort, place: int) -> float:
    ended = cohort.window.end if cohort.window is not None else cohort.ended
    return ended.timestamp() / _DAY if ended is not None else float(place)


def _version(cohort: Cohort) -> str | None:
    """The model that scored most of a batch; None where versions are not told."""
    return max(cohort.versions, key=lambda name: (cohort.versions[name], name)) if cohort.versions else None
