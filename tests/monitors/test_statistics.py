"""What every statistic promises, and that each is what its name says: held against scipy and numpy."""

from __future__ import annotations

import math
from collections.abc import Callable

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate_monitors.statistics import Reads, Statistic, regularised, shares, statistics

Array = npt.NDArray[np.float64]
Pair = tuple[Array, Array]

every = pytest.mark.parametrize("statistic", statistics().values(), ids=statistics().keys())
symmetric = pytest.mark.parametrize(
    "statistic", [item for item in statistics().values() if item.symmetric], ids=lambda item: item.name
)
few = settings(max_examples=30)  # of each statistic

_FIXED_CELLS = {Reads.ROWS: 1, Reads.MISSING: 2}


def _cells(reads: Reads) -> st.SearchStrategy[int]:
    fixed = _FIXED_CELLS.get(reads)
    return st.just(fixed) if fixed else st.integers(2, 40)


def _counts(cells: int, least: int = 0, most: int = 5000) -> st.SearchStrategy[Array]:
    return hnp.arrays(np.int64, cells, elements=st.integers(least, most)).map(lambda counts: counts.astype(float))


def _given_to(statistic: Statistic, current: Array, reference: Array) -> Pair:
    """Counts as the gate gives them: regularised, but for rows, of which there is one cell."""
    return (current, reference) if statistic.reads is Reads.ROWS else regularised(current, reference)


def _draw_pair(data: st.DataObject, statistic: Statistic, least: int = 0, most: int = 5000) -> Pair:
    cells = data.draw(_cells(statistic.reads))
    return data.draw(_counts(cells, least, most)), data.draw(_counts(cells, least, most))


@every
@few
@given(data=st.data())
def test_nothing_differs_from_itself(statistic: Statistic, data: st.DataObject) -> None:
    counts, _ = _draw_pair(data, statistic)
    assert statistic.size(*_given_to(statistic, counts, counts)) == pytest.approx(0, abs=1e-9)


@every
@few
@given(data=st.data())
def test_a_size_is_finite_and_lies_between_zero_and_the_bound(statistic: Statistic, data: st.DataObject) -> None:
    size = float(statistic.size(*_given_to(statistic, *_draw_pair(data, statistic))))
    assert math.isfinite(size)
    assert 0 <= size <= statistic.bound


@every
@few
@given(data=st.data())
def test_a_score_without_direction_is_never_negative(statistic: Statistic, data: st.DataObject) -> None:
    current, reference = _given_to(statistic, *_draw_pair(data, statistic))
    score = float(statistic.score(current, reference))
    assert statistic.signed or score >= 0
    assert abs(score) == float(statistic.size(current, reference))


@symmetric
@few
@given(data=st.data())
def test_exchanging_the_sides_leaves_a_symmetric_size_alone(statistic: Statistic, data: st.DataObject) -> None:
    current, reference = _given_to(statistic, *_draw_pair(data, statistic))
    there, back = statistic.size(current, reference), statistic.size(reference, current)
    assert float(there) == pytest.approx(float(back), abs=1e-9)


@every
def test_a_statistic_is_declared_symmetric_exactly_if_it_is(statistic: Statistic) -> None:
    cells = _FIXED_CELLS.get(statistic.reads, 5)
    current = np.array([10.0, 20, 30, 25, 15])[:cells]
    reference = np.array([70.0, 15, 10, 3, 2])[:cells]
    there, back = statistic.size(current, reference), statistic.size(reference, current)
    assert bool(np.isclose(there, back, rtol=1e-9)) is statistic.symmetric


@every
@few
@given(data=st.data())
def test_a_leading_axis_gives_the_same_as_one_by_one(statistic: Statistic, data: st.DataObject) -> None:
    cells = data.draw(_cells(statistic.reads))
    shape = (data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4)), cells)
    blocks = hnp.arrays(np.int64, shape, elements=st.integers(0, 5000))
    current, reference = _given_to(statistic, data.draw(blocks).astype(float), data.draw(blocks).astype(float))
    together = statistic.score(current, reference)
    assert together.shape == shape[:-1]
    for place in np.ndindex(shape[:-1]):
        assert float(together[place]) == pytest.approx(
            float(statistic.score(current[place], reference[place])), abs=1e-9
        )


def _upwards(reference: Array) -> Array:
    """The upper half of the cells, as they are."""
    upper = np.where(np.arange(reference.size) >= reference.size // 2, reference, 0.0)
    return upper * reference.sum() / upper.sum()


def _outwards(reference: Array) -> Array:
    """All rows in the two outermost cells."""
    ends = np.zeros(reference.size)
    ends[[0, -1]] = reference.sum() / 2
    return ends


def _last(reference: Array) -> Array:
    """All rows in the last cell: missing, or unseen."""
    last = np.zeros(reference.size)
    last[-1] = reference.sum()
    return last


def _tenfold(reference: Array) -> Array:
    return reference * 10


_FAULTS: dict[Reads, Callable[[Array], Array]] = {
    Reads.ORDERED: _upwards,
    Reads.CELLS: _upwards,
    Reads.CATEGORIES: _last,
    Reads.MISSING: _last,
    Reads.ROWS: _tenfold,
}


def _growing(statistic: Statistic, half: Array) -> list[Array]:
    """A reference, and what becomes of it as a fault takes hold of 0, 10, … 100 % of its rows."""
    fault = _outwards if statistic.name == "spread" else _FAULTS[statistic.reads]
    # a mirrored reference keeps its centre when rows move outwards, so that only the spread grows
    reference = half if statistic.reads in _FIXED_CELLS else np.concatenate([half, half[::-1]])
    return [reference, *((1 - share) * reference + share * fault(reference) for share in np.linspace(0, 1, 11))]


@every
@few
@given(data=st.data())
def test_the_more_rows_a_fault_takes_the_larger_the_size(statistic: Statistic, data: st.DataObject) -> None:
    half = data.draw(_cells(statistic.reads).flatmap(lambda cells: _counts(cells, least=20)))
    reference, *stages = _growing(statistic, half)
    sizes = np.array([float(statistic.size(*_given_to(statistic, stage, reference))) for stage in stages])
    assert np.diff(sizes).min() >= -1e-9
    assert sizes[-1] > sizes[0] + 1e-3


@every
@few
@given(data=st.data())
def test_a_direction_is_up_for_more_and_down_for_less(statistic: Statistic, data: st.DataObject) -> None:
    half = data.draw(_cells(statistic.reads).flatmap(lambda cells: _counts(cells, least=20)))
    reference, *stages = _growing(statistic, half)
    more = float(statistic.score(*_given_to(statistic, stages[5], reference)))
    less = float(statistic.score(*_given_to(statistic, reference, stages[5])))
    assert more > 0
    assert (less < 0) is statistic.signed


# each of these reads its definition again: from scipy and numpy, on rows where that is possible


def _hellinger(current: Array, reference: Array) -> float:
    roots = np.sqrt(current / current.sum()), np.sqrt(reference / reference.sum())
    return float(scipy.spatial.distance.euclidean(*roots) / math.sqrt(2))


def _jensen_shannon(current: Array, reference: Array) -> float:
    return float(scipy.spatial.distance.jensenshannon(current, reference, base=2))


def _psi(current: Array, reference: Array) -> float:
    return float(scipy.stats.entropy(current, reference) + scipy.stats.entropy(reference, current))


def _rows(counts: Array) -> npt.NDArray[np.int64]:
    """Rows whose value is the number of their cell."""
    return np.repeat(np.arange(counts.size), counts.astype(int))


def _kolmogorov_smirnov(current: Array, reference: Array) -> float:
    return float(scipy.stats.ks_2samp(_rows(current), _rows(reference), method="asymp").statistic)


def _share_of_last(counts: Array) -> float:
    return float(np.mean(_rows(counts) == counts.size - 1))


def _difference_of_last(current: Array, reference: Array) -> float:
    return _share_of_last(current) - _share_of_last(reference)


def _row_count(current: Array, reference: Array) -> float:
    return math.log((current[0] + 1) / (reference[0] + 1))


def _normal_scores(current: Array, reference: Array) -> Array:
    """The standardised normal score, under the reference's mid-ranks, of each row of the current counts."""
    rows = _rows(reference)
    raw = scipy.stats.norm.ppf((scipy.stats.rankdata(rows) - 0.5) / rows.size)
    of_cell = {int(cell): score for cell, score in zip(rows, (raw - raw.mean()) / raw.std(), strict=True)}
    return np.array([of_cell[int(cell)] for cell in _rows(current)])


def _location(current: Array, reference: Array) -> float:
    return float(_normal_scores(current, reference).mean())


def _spread(current: Array, reference: Array) -> float:
    return max(math.log(_normal_scores(current, reference).std()), -2.0)


_INDEPENDENT: dict[str, Callable[[Array, Array], float]] = {
    "hellinger": _hellinger,
    "jensen_shannon": _jensen_shannon,
    "kolmogorov_smirnov": _kolmogorov_smirnov,
    "location": _location,
    "missing_rate": _difference_of_last,
    "psi": _psi,
    "row_count": _row_count,
    "spread": _spread,
    "unseen_share": _difference_of_last,
}


def test_every_statistic_has_an_independent_twin() -> None:
    assert _INDEPENDENT.keys() == statistics().keys()


@every
@few
@given(data=st.data())
def test_a_statistic_equals_its_independent_twin(statistic: Statistic, data: st.DataObject) -> None:
    current, reference = _draw_pair(data, statistic, least=1, most=60)
    expected = _INDEPENDENT[statistic.name](current, reference)
    assert float(statistic.score(current, reference)) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 2**32), st.integers(2, 60), st.floats(-2, 2), st.floats(0.2, 5))
def test_binned_kolmogorov_smirnov_misses_at_most_the_fullest_bin(
    seed: int, bins: int, shift: float, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    reference, current = rng.standard_normal(400), shift + scale * rng.standard_normal(300)
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)))
    counts = [
        np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1).astype(float)
        for values in (current, reference)
    ]
    exact = float(scipy.stats.ks_2samp(current, reference, method="asymp").statistic)
    binned = float(statistics()["kolmogorov_smirnov"].score(*counts))
    assert binned <= exact + 1e-12
    assert exact <= binned + max(shares(side).max() for side in counts) + 1e-12


@given(st.integers(1, 30).flatmap(lambda cells: st.tuples(_counts(cells), _counts(cells))))
def test_regularised_counts_gain_one_row_and_no_cell(pair: Pair) -> None:
    seen = pair[0] + pair[1] > 0
    for side, plain in zip(regularised(*pair), pair, strict=True):
        assert side.sum() - plain.sum() == pytest.approx(1.0 if seen.any() else 0.0)
        assert ((side > 0) == seen).all()


@given(st.integers(1, 30).flatmap(_counts))
def test_shares_add_up_to_one_or_to_nothing(counts: Array) -> None:
    assert shares(counts).sum() == pytest.approx(1.0 if counts.any() else 0.0)
