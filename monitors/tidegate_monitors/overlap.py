"""Rows that were delivered before come again in another batch."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.row_sketch import RowSketch

BATCHES = 20
"""How many batches back keys are looked for."""

_MORE = 0.05
_CRITICAL = 0.5
_SAMPLED_MINIMUM = 20


def overlap(
    current: Profile, earlier: Iterable[tuple[str, RowSketch]], reference: Reference | None, contract: Contract
) -> Alarm | None:
    """The earlier batch whose keys this batch has most of, if that is five points more than is usual.

    Usual is the largest share that any block of the reference had of the twenty before it; nothing is said without a
    reference, since keys may come in every batch.
    Critical from half of the rows on. The score is the share of this batch's keys, estimated from a sample of 256; the
    threshold is what is usual and five points.

    Args:
        current: The batch.
        earlier: Batches and samples of their keys.
        reference: Says what is usual.
        contract: Gives the severity.
    """
    if reference is None:
        return None
    usual: float = reference.remembered(("overlap",), lambda: _usual(reference))
    shares = [(*current.sample.share_in(sample), batch) for batch, sample in earlier]
    share, sampled, batch = max(shares, default=(0.0, 0, ""))
    if sampled < _SAMPLED_MINIMUM or share <= usual + _MORE:
        return None
    rows = "keys" if contract.key else "rows"
    message = (
        f"about {share:.0%} of the {rows} were delivered before, in batch {batch!r}; batches of the reference "
        f"share {usual:.0%} at most"
    )
    usually = Severity.CRITICAL if share >= max(_CRITICAL, usual + _MORE) else Severity.WARNING
    severity = contract.severity_of("redelivered_batch", usually)
    return Alarm("redelivered_batch", severity, message, score=share, threshold=usual + _MORE)


def _usual(reference: Reference) -> float:
    """The largest share of its keys that a block has in common with one of those before."""
    samples = [block.profile.sample for block in reference.blocks]
    pairs = ((now, then) for place, now in enumerate(samples) for then in samples[max(0, place - BATCHES) : place])
    return max((now.share_in(then)[0] for now, then in pairs), default=0.0)
