"""What every statistic promises, as a suite that anybody can run over a statistic of their own.

It needs numpy only, and draws the same cases every time::

    from tidegate_monitors.statistics import statistics
    from tidegate_monitors.testing import conforms

    def test_my_statistic_keeps_the_promises() -> None:
        conforms(statistics()["my_statistic"])
"""

# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tidegate_contracts.catalogue import CATALOGUE
from tidegate_monitors.statistics import Array, Reads, Statistic, regularised

EXAMPLES = 40
STAGES = np.linspace(0, 0.9, 10)

#: How many cells there are, where it is not the column that decides.
FIXED_CELLS = MappingProxyType(
    {Reads.ROWS: 1, Reads.MISSING: 2, Reads.PAIR: 3, Reads.TABLE: 4, Reads.HOURS: 24, Reads.BUCKETS: 64}
)

Fault = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Case:
    """What a statistic is given.

    Attributes:
        current: Counts, shape (..., cells).
        reference: Counts of the same cells.
        needed: The cells' positions, or the reference's blocks, if the statistic needs them.
    """

    current: Array
    reference: Array
    needed: tuple[Array, ...] = ()

    def score(self, statistic: Statistic) -> Array:
        """The statistic's score, with its direction."""
        return np.asarray(statistic.score(self.current, self.reference, *self.needed))

    def swapped(self) -> Case:
        """The same with the sides exchanged."""
        return Case(self.reference, self.current, self.needed)

    def __str__(self) -> str:
        given = {"current": self.current, "reference": self.reference}
        given |= {"needed": self.needed[0]} if self.needed else {}
        return ", ".join(f"{name} = {np.array2string(counts, threshold=50)}" for name, counts in given.items())


@dataclass(frozen=True, slots=True)
class Trial:
    """A statistic, and what is drawn to try it.

    Attributes:
        statistic: The statistic.
        fault: What a fault that it must see makes of all of a reference's rows.
        seed: Of all that is drawn.
        examples: How many cases are drawn for each promise.
    """

    statistic: Statistic
    fault: Fault
    seed: int = 1
    examples: int = EXAMPLES

    def rngs(self) -> Iterator[np.random.Generator]:
        """A source of randomness for each example."""
        return (np.random.default_rng([self.seed, example]) for example in range(self.examples))

    def cases(self) -> Iterator[Case]:
        """Counts as the gate gives them: regularised, but for rows, of which there is one cell."""
        for rng in self.rngs():
            cells = _number_of_cells(self.statistic, rng)
            sides = current, reference = _counts(rng, (cells,)), _counts(rng, (cells,))
            needed = _needed(self.statistic, reference, rng)
            yield Case(*(sides if self.statistic.reads is Reads.ROWS else regularised(current, reference)), needed)

    def growing(self) -> Iterator[list[Case]]:
        """A reference held against what becomes of it as a fault takes hold of 0, 10, … 90 % of its rows."""
        for rng in self.rngs():
            reference = _whole(self.statistic, rng)
            positions = (np.cumsum(rng.uniform(0.5, 2.0, reference.size)),)
            needed = positions if self.statistic.needs == "positions" else _blocks(self.statistic, reference, rng)
            faulty = self.fault(reference)
            yield [Case((1 - share) * reference + share * faulty, reference, needed) for share in STAGES]


def conforms(statistic: Statistic, *, fault: Fault | None = None, seed: int = 1, examples: int = EXAMPLES) -> None:
    """Hold a statistic to everything that a statistic promises.

    Args:
        statistic: One of :func:`~tidegate_monitors.statistics.statistics`.
        fault: What a fault that it must see makes of all of a reference's rows; by default one that suits what the
            statistic reads.
        seed: Of the cases that are drawn.
        examples: How many cases are drawn for each promise.

    Raises:
        AssertionError: It breaks a promise; the message says which, and on which counts.
    """
    trial = Trial(statistic, fault or FAULTS[statistic.reads], seed, examples)
    for promise in PROMISES.values():
        promise(trial)


def upwards(reference: Array) -> Array:
    """The upper half of the cells, as they are."""
    upper = np.where(np.arange(reference.size) >= reference.size // 2, reference, 0.0)
    return np.asarray(upper * reference.sum() / upper.sum())


def outwards(reference: Array) -> Array:
    """All rows in the two outermost cells, half in each."""
    ends = np.zeros(reference.size)
    ends[[0, -1]] = reference.sum() / 2
    return ends


def to_first(reference: Array) -> Array:
    """All rows in the first cell: the first column is always less."""
    return to_last(reference)[::-1]


def to_last(reference: Array) -> Array:
    """All rows in the last cell: missing, unseen, or one value."""
    last = np.zeros(reference.size)
    last[-1] = reference.sum()
    return last


def tenfold(reference: Array) -> Array:
    """Ten times as many rows."""
    return reference * 10


def later(reference: Array) -> Array:
    """Every hour is read three hours late."""
    return np.asarray(np.roll(reference, 3))


FAULTS = MappingProxyType(
    {
        Reads.ORDERED: upwards,
        Reads.CELLS: upwards,
        Reads.CATEGORIES: to_last,
        Reads.MISSING: to_last,
        Reads.ROWS: tenfold,
        Reads.HOURS: later,
        Reads.PAIR: to_first,
        Reads.TABLE: outwards,  # both high or both low
        Reads.LEAVES: upwards,
        Reads.BUCKETS: to_last,
    }
)


def is_documented(trial: Trial) -> None:
    """It says what it is and where it comes from, and alarms under a name of the catalogue."""
    text = inspect.getdoc(trial.statistic.score) or ""
    assert trial.statistic.score.__name__ == trial.statistic.name, (
        f"{trial.statistic.name}: its function has another name"
    )
    assert "Source:" in text, f"{trial.statistic.name}: its docstring names no source"
    assert ">>>" in text, f"{trial.statistic.name}: its docstring shows no example"
    assert trial.statistic.check in CATALOGUE, (
        f"{trial.statistic.name}: the catalogue knows no check {trial.statistic.check!r}"
    )
    assert trial.statistic.bound > 0, f"{trial.statistic.name}: its bound is not above 0"


def is_zero_for_equal_counts(trial: Trial) -> None:
    """Nothing differs from itself."""
    for case in trial.cases():
        equal = Case(case.reference, case.reference, case.needed)
        score = float(equal.score(trial.statistic))
        assert abs(score) <= 1e-9, f"{trial.statistic.name}: equal counts score {score}, not 0; {equal}"


def is_finite_and_bounded(trial: Trial) -> None:
    """A size is finite and lies between 0 and the bound; without a direction no score is below 0."""
    for case in trial.cases():
        score = float(case.score(trial.statistic))
        size = float(trial.statistic.size(case.current, case.reference, *case.needed))
        assert np.isfinite(score), f"{trial.statistic.name}: the score is {score}; {case}"
        assert size == abs(score) <= trial.statistic.bound, (
            f"{trial.statistic.name}: {score} is beyond {trial.statistic.bound}; {case}"
        )
        assert trial.statistic.signed or score >= 0, (
            f"{trial.statistic.name}: {score} is below 0, and it is not signed; {case}"
        )


def is_symmetric_if_it_says_so(trial: Trial) -> None:
    """Exchanging the sides leaves the size alone exactly if the statistic is declared symmetric."""
    alike = []
    for case in trial.cases():
        there, back = (float(np.abs(side.score(trial.statistic))) for side in (case, case.swapped()))
        alike.append(bool(np.isclose(there, back, rtol=1e-7, atol=1e-9)))
        assert alike[-1] or not trial.statistic.symmetric, f"{trial.statistic.name}: {there} there, {back} back; {case}"
    assert trial.statistic.symmetric or not all(alike), f"{trial.statistic.name}: it is symmetric and does not say so"


def is_the_same_for_many_at_once(trial: Trial) -> None:
    """Leading axes give the same as one by one, and nothing that was given is changed."""
    for rng in trial.rngs():
        shape = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        cells = _number_of_cells(trial.statistic, rng)
        sides = regularised(_counts(rng, (*shape, cells)), _counts(rng, (*shape, cells)))
        many = Case(*sides, _needed(trial.statistic, sides[1].sum(axis=(0, 1)), rng))
        before = [given.copy() for given in (*sides, *many.needed)]
        together = many.score(trial.statistic)
        assert together.shape == shape, f"{trial.statistic.name}: scores of shape {together.shape}, not {shape}"
        unchanged = all(map(np.array_equal, before, (*sides, *many.needed)))
        assert unchanged, f"{trial.statistic.name}: it changes what it is given; {many}"
        for place in np.ndindex(shape):
            one = float(Case(sides[0][place], sides[1][place], many.needed).score(trial.statistic))
            same = np.isclose(one, together[place], rtol=1e-7, atol=1e-9)
            assert same, f"{trial.statistic.name}: {one} alone, {together[place]} among others at {place}; {many}"


def is_larger_the_more_rows_a_fault_takes(trial: Trial) -> None:
    """As a fault takes hold of more and more rows the size never falls, and in the end it has grown."""
    for stages in trial.growing():
        sizes = [float(np.abs(stage.score(trial.statistic))) for stage in stages]
        told = f"the sizes are {sizes} as a fault takes {STAGES.round(1).tolist()} of the rows"
        assert np.diff(sizes).min() >= -1e-9, f"{trial.statistic.name}: it falls: {told}; {stages[-1]}"
        assert sizes[-1] > sizes[0] + 1e-3, f"{trial.statistic.name}: it does not see a fault: {told}; {stages[-1]}"


def is_up_for_more_and_down_for_less(trial: Trial) -> None:
    """A signed score is above 0 for a fault and below 0 for its reverse; any other is above 0 for both."""
    for *_, case in trial.growing():
        more, less = float(case.score(trial.statistic)), float(case.swapped().score(trial.statistic))
        assert more > 0, f"{trial.statistic.name}: a fault scores {more}; {case}"
        assert (less < 0) is trial.statistic.signed, f"{trial.statistic.name}: its reverse scores {less}; {case}"


PROMISES = MappingProxyType(
    {
        promise.__name__: promise
        for promise in (
            is_documented,
            is_zero_for_equal_counts,
            is_finite_and_bounded,
            is_symmetric_if_it_says_so,
            is_the_same_for_many_at_once,
            is_larger_the_more_rows_a_fault_takes,
            is_up_for_more_and_down_for_less,
        )
    }
)


def _number_of_cells(statistic: Statistic, rng: np.random.Generator) -> int:
    return FIXED_CELLS.get(statistic.reads) or int(rng.integers(2, 41))


def _counts(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Many rows or few, in all cells, in some, in one, or none at all."""
    rows = rng.choice([1, 3, 60, 5000, 10**9], p=[0.1, 0.2, 0.3, 0.3, 0.1])
    filled = rng.random(shape) < rng.choice([1.0, 0.5, 0.1, 0.0], p=[0.5, 0.2, 0.2, 0.1])
    return np.where(filled, rng.integers(0, rows, shape, endpoint=True), 0).astype(np.float64)


def _needed(statistic: Statistic, reference: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    if statistic.needs == "positions":
        steps = rng.exponential(1.0, reference.size) * rng.choice([1e-6, 1.0, 1e9])
        return (np.cumsum(steps) - rng.choice([0.0, 0.5, 2.0]) * steps.sum(),)
    return _blocks(statistic, reference, rng)


def _blocks(statistic: Statistic, reference: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """Two to eight blocks of unequal size that add up to the reference."""
    if statistic.needs != "blocks":
        return ()
    weights = rng.exponential(1.0, (int(rng.integers(2, 9)), reference.size))
    return (reference * weights / weights.sum(axis=0),)


def _whole(statistic: Statistic, rng: np.random.Generator) -> Array:
    """A reference with rows in every cell: a day for hours, else mirrored, so that a wider one keeps its centre."""
    if statistic.reads is Reads.HOURS:
        day = 1 + np.cos((np.arange(24) - rng.uniform(0, 24)) * np.pi / 12)
        return np.round(20 + rng.uniform(50, 2000) * day**2)
    if statistic.reads in (Reads.ROWS, Reads.MISSING):
        return rng.integers(20, 5000, FIXED_CELLS[statistic.reads], endpoint=True).astype(np.float64)
    cells = FIXED_CELLS.get(statistic.reads) or 2 * int(rng.integers(2, 41))
    counts = rng.integers(20, 5000, cells, endpoint=True)
    return (counts + counts[::-1]).astype(np.float64)
