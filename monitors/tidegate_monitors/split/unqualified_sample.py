"""A test set that is too small to measure with, or is not what it should stand for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tidegate_contracts.population import misfit
from tidegate_contracts.severity import Severity
from tidegate_monitors.codes import Codes
from tidegate_monitors.finding import Finding
from tidegate_monitors.interval import half_width
from tidegate_monitors.significance import homogeneity
from tidegate_monitors.split import P_MAXIMUM, Split, audit
from tidegate_monitors.statistics.hellinger import hellinger

HALF_WIDTH_MAXIMUM = 0.05
CLASS_HALF_WIDTH_MAXIMUM = 0.1
HELLINGER_MAXIMUM = 0.2
POPULATION_MAXIMUM = 0.1
_BINS = 10
_POOLED = 0.01

Counts = npt.NDArray[np.float64]


@audit
def unqualified_sample(split: Split) -> Iterator[Finding]:
    """TEST is too small for a share such as accuracy, unlike the declared population, or unlike TRAIN in a feature.

    The half-width of the 95 % interval (Wilson, at one half) must be at most .05 on TEST and .1 on each class. Shares
    of a column with a ``population`` may differ from it by .1 (total variation); features may differ from TRAIN by a
    Hellinger distance of .2 (tenths of TRAIN; texts below 1 % pooled). A column's ``drift`` word is its severity.
    """
    yield from _size(split)
    yield from _population(split)
    level = P_MAXIMUM / max(len(split.features), 1)
    for name in split.features:
        declared = split.contract.columns.get(name)
        word = declared.drift if declared is not None else None
        if word == "off":
            continue
        train, test = cells(split.codes(name))
        score = float(hellinger(test, train))
        if score >= HELLINGER_MAXIMUM and homogeneity(train, test) <= level:
            words = f"column {name!r}: TEST is not distributed as TRAIN is (Hellinger distance {score:.2f})"
            default = Severity(word) if word else Severity.WARNING
            yield split.alarm("unqualified_sample", default, words, name, score=score, threshold=HELLINGER_MAXIMUM)


def _size(split: Split) -> Iterator[Finding]:
    target = split.target
    rows = target.test_known.size if target is not None and target.test_known.size else split.test.rows
    width = half_width(0.5, rows)
    if width > HALF_WIDTH_MAXIMUM:
        words = f"TEST's {rows} labelled rows measure a share such as accuracy to ±{width:.3f} at best"
        yield split.alarm("unqualified_sample", Severity.WARNING, words, score=width, threshold=HALF_WIDTH_MAXIMUM)
    elif target is not None and target.classes and target.test_known.size:
        counts = np.bincount(target.codes.test[target.test_known], minlength=target.count)
        least = int(counts[counts > 0].min())
        width = half_width(0.5, least)
        if width > CLASS_HALF_WIDTH_MAXIMUM:
            words = f"the rarest class of TEST has {least} rows: a share of it is measured to ±{width:.3f} at best"
            yield split.alarm(
                "unqualified_sample",
                Severity.WARNING,
                words,
                target.name,
                score=width,
                threshold=CLASS_HALF_WIDTH_MAXIMUM,
            )


def _population(split: Split) -> Iterator[Finding]:
    for name, wanted in split.contract.population.items():
        if not split.has(name):
            continue
        found = misfit(split.test.table.column(name), wanted)
        if found.distance >= POPULATION_MAXIMUM and found.p <= P_MAXIMUM:
            words = f"column {name!r}: {found.distance:.1%} of TEST would have to change to be as its population is"
            yield split.alarm(
                "unqualified_sample",
                Severity.WARNING,
                words,
                name,
                score=found.distance,
                threshold=POPULATION_MAXIMUM,
            )


def cells(codes: Codes) -> tuple[Counts, Counts]:
    """Counts of TRAIN and TEST in the same cells: tenths of TRAIN or frequent texts, the rest, and missing ones."""
    sizes = np.bincount(codes.train[codes.train >= 0], minlength=len(codes.levels))
    if codes.numeric and np.count_nonzero(sizes) > 2 * _BINS:
        values = codes.levels.astype(np.float64)
        edges = np.unique(
            np.quantile(values[codes.train[codes.train >= 0]], np.linspace(0, 1, _BINS + 1)[1:-1], method="lower")
        )
        place = np.searchsorted(edges, values, "right")
    else:
        frequent = sizes >= max(1.0, _POOLED * sizes.sum())
        place = np.where(frequent, np.cumsum(frequent), 0)
    place = np.append(place + 1, 0)
    count = int(place.max()) + 1
    train, test = (np.bincount(place[side], minlength=count).astype(np.float64) for side in (codes.train, codes.test))
    return train, test
