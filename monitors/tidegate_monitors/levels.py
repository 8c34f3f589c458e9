"""The level of each column: one number a batch, for the stream to add up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tidegate_contracts.contract import Contract
from tidegate_monitors.block import Block
from tidegate_monitors.cells import Kind
from tidegate_monitors.compare import ROWS_MINIMUM
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.statistics.location import location

Floats = npt.NDArray[np.float64]


def levels(profile: Profile, reference: Reference, contract: Contract) -> dict[str, float | None]:
    """For each watched column by how many reference standard deviations the batch lies higher; None for too few rows.

    Numbers and hours by normal scores of their ranks; categories likewise, in the layout's own order, so that a shift
    from the first to the last of them counts.
    """
    block = Block("", None, profile)
    found: dict[str, float | None] = {}
    for column in streamed(reference, contract):
        counts = reference.layout.cells[column].coarsen(block.counts[column])
        enough = counts.sum() >= ROWS_MINIMUM
        found[column] = float(location(counts.astype(float), _whole(reference, column))) if enough else None
    return found


def block_levels(reference: Reference, contract: Contract) -> Mapping[str, Floats]:
    """The levels of the reference's own blocks in the order of their windows, shape (blocks,); NaN for too few rows."""
    found = {}
    for column in streamed(reference, contract):
        counts = reference.layout.cells[column].coarsen(reference.counts(column)).astype(float)
        own = location(counts, _whole(reference, column))
        found[column] = np.where(counts.sum(axis=1) >= ROWS_MINIMUM, own, np.nan)
    return found


def effective_rows(reference: Reference, contract: Contract) -> dict[str, float]:
    """For each watched column the number of independent rows that would tell as much as the reference does.

    A block of n independent rows has a level of variance 1/n. Rows of one batch are alike, so that levels vary more:
    B blocks with levels of variance v tell as much as B/v independent rows, and never more than there are. (The ratio
    of the two numbers is Kish's design effect.) Source: L. Kish (1965), "Survey Sampling", section 8.2.
    """
    found = {}
    for column, values in block_levels(reference, contract).items():
        known = values[np.isfinite(values)]
        rows = float(reference.counts(column).sum())
        spread = float(known.var(ddof=1)) if known.size > 1 else 0.0
        found[column] = min(rows, known.size / spread) if spread > 0 else rows
    return found


def streamed(reference: Reference, contract: Contract) -> list[str]:
    """The columns that the stream watches: those that have cells, and whose drift is more than information."""
    return [
        name
        for name, cells in reference.layout.cells.items()
        if cells.kind is not Kind.NONE and contract.is_watched(name) and contract.columns[name].drift != "info"
    ]


def _whole(reference: Reference, column: str) -> Floats:
    return np.asarray(reference.layout.cells[column].coarsen(reference.counts(column)).sum(axis=0), dtype=np.float64)
