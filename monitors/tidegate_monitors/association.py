"""How well one column alone tells the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tidegate_monitors.codes import Codes
from tidegate_monitors.folds import out_of_fold_means
from tidegate_monitors.ranks import auc_deviates, average_ranks, class_aucs, coded_ranks, correlation
from tidegate_monitors.target import Target

ROWS_MINIMUM = 20
_COVERAGE_MINIMUM = 0.1
_LEVELS_MAXIMUM = 50

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Association:
    """The best that one column does, over the ways to read it and over the classes.

    Attributes:
        score: For classes the area under the ROC curve, in [.5, 1]; for a quantity the size of Spearman's
            correlation, in [0, 1].
        deviate: By how many standard errors it differs from no association.
        how: ``by its order``, ``by its values`` or ``by being missing``.
    """

    score: float
    deviate: float
    how: str


def association(codes: Codes, target: Target, fold: Ints) -> Association | None:
    """How well a column of TRAIN alone tells the label; None where no class, or no rest, has 20 rows.

    Numbers are read by their order and, if they have at most 50 levels, by their values, as texts are: each value's
    mean label in the other folds, so that an identifier tells nothing. Missing values are a further way.
    """
    rows = target.train_known
    column = codes.train[rows]
    ways = []
    if codes.numeric:
        present = column >= 0
        if present.sum() >= max(_COVERAGE_MINIMUM * rows.size, 2 * ROWS_MINIMUM):
            ranks = codes.ranks(column[present])
            ways.append(_ranked(ranks, target, rows[present], "by its order"))
    if not codes.numeric or len(codes.levels) <= _LEVELS_MAXIMUM:
        ways.append(_by_value(column, target, fold))
    absent = (column < 0).astype(np.int64)
    if 0 < absent.sum() < rows.size:
        ways.append(_ranked(coded_ranks(absent, np.array([0.0, 1.0])), target, rows, "by being missing"))
    found = [way for way in ways if way is not None]
    return max(found, key=lambda way: way.score) if found else None


def _ranked(ranks: Floats, target: Target, rows: Ints, how: str) -> Association | None:
    if not target.classes:
        score = abs(correlation(ranks, target.codes.ranks(target.codes.train[rows])))
        return Association(score, score * np.sqrt(max(rows.size - 1, 0)), how) if rows.size >= ROWS_MINIMUM else None
    areas, sizes = class_aucs(ranks, target.codes.train[rows], target.count)
    enough = (sizes >= ROWS_MINIMUM) & (rows.size - sizes >= ROWS_MINIMUM)
    if not enough.any():
        return None
    best = int(np.argmax(np.where(enough, np.abs(areas - 0.5), -1.0)))
    deviate = abs(float(auc_deviates(areas, sizes, rows.size)[best]))
    return Association(0.5 + abs(float(areas[best]) - 0.5), deviate, how)


def _by_value(column: Ints, target: Target, fold: Ints) -> Association | None:
    """By the mean label of the value in other folds; the direction is fixed, so below one half is nothing."""
    how, rows = "by its values", target.train_known
    if not target.classes:
        values = target.codes.numbers()[0][rows]
        score = correlation(coded_ranks(*out_of_fold_means(column, values, fold)), average_ranks(values))
        score = max(score, 0.0)
        return Association(score, score * np.sqrt(max(rows.size - 1, 0)), how) if rows.size >= ROWS_MINIMUM else None
    labels, best = target.codes.train[rows], None
    sizes = np.bincount(labels, minlength=target.count)
    wanted = np.flatnonzero((sizes >= ROWS_MINIMUM) & (rows.size - sizes >= ROWS_MINIMUM))
    for one in wanted[:1] if np.count_nonzero(sizes) == 2 else wanted:  # of two classes the other is the mirror image
        mine = labels == one
        ranks = coded_ranks(*out_of_fold_means(column, mine.astype(np.float64), fold))
        areas, counts = class_aucs(ranks, mine.astype(np.int64), 2)
        score = max(float(areas[1]), 0.5)
        if best is None or score > best.score:
            best = Association(score, float(auc_deviates(areas, counts, rows.size)[1]), how)
    return best
