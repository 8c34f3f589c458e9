"""Two columns that have changed places."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cells import Kind
from tidegate_monitors.rules import Evidence, rule
from tidegate_monitors.rules.likeness import BLOCKS_MINIMUM, ROWS_MINIMUM, Likeness
from tidegate_monitors.rules.unit_change import possible

_HOME = 1.5
_AWAY = 2.0
_NEARER = 3.0
_NEVER = 0.05
_ALWAYS = 0.8


@rule
def swapped_columns(evidence: Evidence) -> Iterator[Alarm]:
    """Each of two columns looks like the other one used to, or is on the other side of it than it ever was.

    *By looks.* Of numbers the mean, the spread, those of ln|x|, and the shares of zeros and gaps are held against what
    the blocks of a column had, in standard deviations between them; of numbers and categories also the hashes of the
    values, of times the hours, as half the sum of absolute differences of shares. How far a column is from itself is
    the greatest of these, each over its maximum for the column's own blocks. Both columns must be more than 2 from what
    they were, and at most 1.5, or a third of that, from what the other one was. The score is the smaller distance from
    itself; the threshold is 2.

    *By order.* In every block at most 5 % of rows had one column less than the other, and on average at least 80 %
    had it greater; now it is the other way round. Of numbers the hashes of the values must look like the other's, the
    gap between the means must have turned as well, and no temperature that came in another unit may explain it better.
    Of times the hours must be no more like each one's own. The score is the share of rows in the order that was none;
    the threshold is .8. Temperatures are told with a doubt, as one that came in another unit can turn the order, too.

    Columns that look alike and have no order can change places unseen.
    """
    if len(evidence.reference.blocks) < BLOCKS_MINIMUM:
        return
    told: set[str] = set()
    for swap in (*_by_looks(evidence), *_by_order(evidence)):
        if told.isdisjoint(swap.columns):
            told.update(swap.columns)
            yield _alarm(evidence, swap)


@dataclass(frozen=True, slots=True)
class _Swap:
    """Two columns in each other's place, and how that shows."""

    columns: tuple[str, str]
    score: float
    threshold: float
    why: str


def _alarm(evidence: Evidence, swap: _Swap) -> Alarm:
    one, other = swap.columns
    return Alarm(
        "swapped_columns",
        evidence.contract.severity_of("swapped_columns", Severity.CRITICAL, one),
        f"columns {one!r} and {other!r} have changed places: {swap.why}",
        one,
        score=swap.score,
        threshold=swap.threshold,
        columns=swap.columns,
    )


def _by_looks(evidence: Evidence) -> Iterator[_Swap]:
    cells, columns = evidence.reference.layout.cells, evidence.current.columns
    for kind in (Kind.NUMERIC, Kind.CATEGORY, Kind.HOUR):
        names = [name for name in evidence.watched() if cells[name].kind is kind]
        known = {name: Likeness.of(evidence.reference, name) for name in names if columns[name].present >= ROWS_MINIMUM}
        own = {name: likeness.far(columns[name]) for name, likeness in known.items()} if len(known) > 1 else {}
        away = [name for name, distance in own.items() if _AWAY < distance < math.inf]
        fits: list[tuple[float, str, str]] = []
        for a, b in combinations(away, 2):
            cross = max(known[a].far(columns[b]), known[b].far(columns[a]))
            if cross <= max(_HOME, min(own[a], own[b]) / _NEARER):
                fits.append((cross, a, b))
        for _, a, b in sorted(fits):
            why = "each looks like the other in the reference, and not like itself"
            yield _Swap((a, b), min(own[a], own[b]), _AWAY, why)


def _by_order(evidence: Evidence) -> Iterator[_Swap]:
    watched = set(evidence.watched())
    for place, pair in enumerate(evidence.reference.layout.orders):
        now = evidence.current.orders[place]
        if sum(now) < ROWS_MINIMUM or not watched.issuperset(pair) or max(now[0], now[2]) < _ALWAYS * sum(now):
            continue
        turned = 0 if now[0] > now[2] else 2  # the side on which nearly all rows are now
        if now[2 - turned] > _NEVER * sum(now):
            continue
        blocks = np.array([block.profile.orders[place] for block in evidence.reference.blocks], dtype=np.float64)
        blocks = blocks[blocks.sum(axis=1) >= ROWS_MINIMUM]
        shares = blocks / blocks.sum(axis=1, keepdims=True)
        if len(shares) < BLOCKS_MINIMUM or shares[:, turned].max() > _NEVER or shares[:, 2 - turned].mean() < _ALWAYS:
            continue
        if _both_moved(evidence, *pair):
            word, share, usual = "less" if turned == 0 else "greater", now[turned] / sum(now), shares[:, turned].max()
            why = f"the first is {word} in {share:.1%} of rows, in the reference in at most {usual:.1%}"
            units = [evidence.contract.columns[name].unit for name in pair]
            doubt = " (or one of them came in another unit)" if any(unit and possible(unit) for unit in units) else ""
            yield _Swap(pair, share, _ALWAYS, why + doubt)


def _both_moved(evidence: Evidence, one: str, other: str) -> bool:
    """Whether an order that turned round is better explained by a swap than by one column alone."""
    first, second = (evidence.current.columns[name] for name in (one, other))
    own, others = (Likeness.of(evidence.reference, name) for name in (one, other))
    if evidence.reference.layout.cells[one].kind is Kind.HOUR:
        stay, swap = own.values(first) + others.values(second), own.values(second) + others.values(first)
        return swap <= stay or max(own.values(first), others.values(second), swap / 2) <= 1
    if max(own.values(second), others.values(first)) > _HOME:
        return False
    return _turned(evidence, one, other)


def _turned(evidence: Evidence, one: str, other: str) -> bool:
    """Whether the gap between two means turned round, and no temperature in another unit explains that better."""
    blocks = [[block.profile.columns[name].moments for name in (one, other)] for block in evidence.reference.blocks]
    levels = np.array([[item.mean for item in pair] for pair in blocks if min(item.n for item in pair) >= ROWS_MINIMUM])
    if len(levels) < BLOCKS_MINIMUM:
        return False
    a, b = (evidence.current.columns[name].moments.mean for name in (one, other))
    gaps = levels[:, 0] - levels[:, 1]
    wander = 2 * float(gaps.std())
    middle, spread = levels.mean(axis=0), np.maximum(levels.std(axis=0), 1e-9)

    def unlikely(first: float, second: float) -> float:
        """How far two means are from usual ones; infinite where the gap between them never was."""
        if not gaps.min() - wander <= first - second <= gaps.max() + wander:
            return math.inf
        return float((((np.array([first, second]) - middle) / spread) ** 2).sum())

    firsts, seconds = (possible(evidence.contract.columns[name].unit).values() for name in (one, other))
    alone = [unlikely((a - offset) / factor, b) for factor, offset in firsts]
    alone += [unlikely(a, (b - offset) / factor) for factor, offset in seconds]
    swapped = unlikely(b, a)
    return math.isfinite(swapped) and swapped <= min(alone, default=math.inf)
