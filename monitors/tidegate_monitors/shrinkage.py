"""Estimates of many cells, those of few rows drawn towards what is known of the larger whole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def shrunk(estimates: Floats, variances: Floats, parents: Floats) -> Floats:
    """Each estimate drawn towards its parent: by variance / (variance + tau²), tau² the variance between cells.

    tau² is DerSimonian's and Laird's moment estimator from the differences to the parents, never below zero.
    Source: B. Efron, C. Morris (1975), "Data analysis using Stein's estimator and its generalizations", Journal of the
    American Statistical Association 70(350), 311-319; R. DerSimonian, N. Laird (1986), Controlled Clinical Trials 7(3),
    177-188.

    Args:
        estimates: Shape (cells,).
        variances: Of the estimates, not negative; infinite for a cell without rows. Shape (cells,).
        parents: What each is drawn towards, shape (cells,).
    """
    between = between_variance(estimates - parents, variances)
    total = between + variances
    keep = np.divide(between, total, out=np.zeros_like(total), where=np.isfinite(total) & (total > 0))
    found: Floats = parents + keep * (estimates - parents)
    return found


def between_variance(differences: Floats, variances: Floats) -> float:
    """The variance between cells beyond that of their estimates; 0 for fewer than two cells."""
    weights = np.where(np.isfinite(variances) & (variances > 0), 1 / np.where(variances > 0, variances, np.inf), 0.0)
    total = float(weights.sum())
    known = int((weights > 0).sum())
    if known < 2:
        return 0.0
    mean = float((weights * differences).sum()) / total
    heterogeneity = float((weights * (differences - mean) ** 2).sum())
    scale = total - float((weights**2).sum()) / total
    return max(0.0, (heterogeneity - (known - 1)) / scale) if scale > 0 else 0.0
