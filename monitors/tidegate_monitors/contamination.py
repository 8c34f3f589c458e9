"""The latest accepted blocks have moved away from the reference: a rolling one would call that normal."""

from __future__ import annotations

import numpy as np

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.levels import block_levels, streamed
from tidegate_monitors.reference import Reference
from tidegate_monitors.statistics.location import location

_STANDARD_ERRORS = 4.0
_ALIKE = 2.0


def contamination(latest: Reference, reference: Reference, contract: Contract) -> Alarm | None:
    """The column whose latest blocks lie farthest from the reference's, if it is farther than chance and the floor.

    The distance is the shift of location of all latest blocks together, in reference standard deviations; chance is
    four standard errors of the mean of as many blocks, by twice the blocks' own spread, since neighbouring days
    resemble each other. Information while the reference does
    not span the season, a warning where it does. The score is the distance, the threshold what was allowed.
    """
    own = block_levels(reference, contract)
    worst: tuple[float, float, float, str] | None = None
    for column in streamed(reference, contract):
        cells = reference.layout.cells[column]
        now, then = (cells.coarsen(side.counts(column).sum(axis=0)).astype(float) for side in (latest, reference))
        levels = own[column][np.isfinite(own[column])]
        if not now.sum() or levels.size < 2:
            continue
        error = _ALIKE * float(levels.std(ddof=1)) * (2 / levels.size) ** 0.5
        allowed = max(_STANDARD_ERRORS * error, contract.effect_floor_of(column))
        shift = float(location(now, then))
        if abs(shift) > allowed and (worst is None or abs(shift) / allowed > worst[0]):
            worst = abs(shift) / allowed, shift, allowed, column
    if worst is None:
        return None
    _, shift, allowed, column = worst
    covered = reference.season_covered(contract)
    side = "above" if shift > 0 else "below"
    message = (
        f"column {column!r}: the latest accepted batches lie {abs(shift):.2g} sd {side} the approved reference; a "
        f"reference that followed them would call this normal"
    )
    usual = contract.severity_of("reference_contamination", Severity.WARNING)
    severity = usual if covered else Severity.INFO
    return Alarm("reference_contamination", severity, message, column, score=abs(shift), threshold=allowed)
