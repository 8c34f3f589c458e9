"""What everybody writes by hand: a two-sample test or a PSI for each column, against the reference's pooled rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

LEVEL = 0.05  # the default of scipy's examples and of most tools that test columns
PSI_LIMIT = 0.2  # the customary limit of a significant shift
_BINS = 10
_EMPTY = 1e-4


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of one batch.

    Attributes:
        p_values: One a column.
        psi: One a column.
    """

    p_values: npt.NDArray[np.float64]
    psi: npt.NDArray[np.float64]

    def at_level(self) -> int:
        """Columns with p below the level."""
        return int((self.p_values < LEVEL).sum())

    def corrected(self) -> int:
        """Columns with p below the level over the number of columns (C. E. Bonferroni, 1936)."""
        return int((self.p_values < LEVEL / len(self.p_values)).sum())

    def unstable(self) -> int:
        """Columns with a PSI above its limit."""
        return int((self.psi > PSI_LIMIT).sum())


def tests(reference: pd.DataFrame, current: pd.DataFrame, numbers: list[str], categories: list[str]) -> Tests:
    """Kolmogorov-Smirnov for numbers, chi-squared for categories, and the PSI of ten bins or of all categories."""
    pairs = [_of_numbers(reference[name], current[name]) for name in numbers]
    pairs += [_of_categories(reference[name], current[name]) for name in categories]
    return Tests(np.array([p for p, _ in pairs]), np.array([psi for _, psi in pairs]))


def _of_numbers(reference: Any, current: Any) -> tuple[float, float]:
    from scipy.stats import ks_2samp

    old, new = (side.dropna().to_numpy(dtype=float) for side in (reference, current))
    if not len(old) or not len(new):
        return 1.0, 0.0
    edges = np.unique(np.quantile(old, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (old, new)]
    return float(ks_2samp(old, new, method="asymp").pvalue), _psi(*counts)


def _of_categories(reference: Any, current: Any) -> tuple[float, float]:
    from scipy.stats import chi2_contingency

    table = pd.concat([reference.value_counts(), current.value_counts()], axis=1).fillna(0).to_numpy(dtype=float)
    if len(table) < 2 or not table.sum(axis=0).all():
        return 1.0, 0.0
    return float(chi2_contingency(table, correction=False).pvalue), _psi(table[:, 0], table[:, 1])


def _psi(old: Any, new: Any) -> float:
    p, q = (np.maximum(side / side.sum(), _EMPTY) for side in (old, new))
    return float(((q - p) * np.log(q / p)).sum())
