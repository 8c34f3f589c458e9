"""Each statistic is what its name says: on equal counts it equals scipy, scikit-learn or numpy on the rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tidegate_monitors.statistics import Array, Statistic, statistics
from tidegate_monitors.statistics.overdispersed_chi_squared import model_based_p_value
from tidegate_monitors.testing import FIXED_CELLS

few = settings(max_examples=30)  # of each statistic


@dataclass(frozen=True, slots=True)
class Drawn:
    """Counts of rows, and the rows themselves: each is its cell's position."""

    current: Array
    reference: Array
    positions: Array
    blocks: Array

    @property
    def rows(self) -> tuple[Array, Array]:
        return self.repeated(self.positions)

    @property
    def cells(self) -> tuple[Array, Array]:
        return self.repeated(np.arange(self.positions.size))

    @property
    def table(self) -> npt.NDArray[np.int64]:
        """Two lines of the cells that anybody has seen."""
        table = np.array([self.current, self.reference]).astype(np.int64)
        return table[:, table.any(axis=0)]

    def repeated(self, values: npt.ArrayLike) -> tuple[Array, Array]:
        return np.repeat(values, self.current.astype(int)), np.repeat(values, self.reference.astype(int))


_NEED_FULL_CELLS = {"psi", "kullback_leibler", "location", "spread"}


@st.composite
def drawn(draw: st.DrawFn, statistic: Statistic) -> Drawn:
    cells = FIXED_CELLS.get(statistic.reads) or draw(st.integers(2, 20))
    least = 1 if statistic.name in _NEED_FULL_CELLS else 0
    counts = hnp.arrays(np.int64, cells, elements=st.integers(least, 40)).filter(lambda array: array.sum() > 3)
    blocks = np.array(draw(st.lists(counts, min_size=2, max_size=5)))
    places = draw(st.lists(st.integers(-4000, 4000), min_size=cells, max_size=cells, unique=True).map(sorted))
    return Drawn(
        draw(counts).astype(float), blocks.sum(axis=0).astype(float), np.array(places) / 8, blocks.astype(float)
    )


def _hellinger(given: Drawn) -> float:
    roots = np.sqrt(given.current / given.current.sum()), np.sqrt(given.reference / given.reference.sum())
    return float(scipy.spatial.distance.euclidean(*roots) / math.sqrt(2))


def _jensen_shannon(given: Drawn) -> float:
    return float(scipy.spatial.distance.jensenshannon(given.current, given.reference, base=2))


def _total_variation(given: Drawn) -> float:
    shares = [counts / counts.sum() for counts in (given.current, given.reference)]
    return float(scipy.spatial.distance.cityblock(*shares) / 2)


def _kullback_leibler(given: Drawn) -> float:
    return float(scipy.stats.entropy(given.current, given.reference))


def _psi(given: Drawn) -> float:
    return _kullback_leibler(given) + float(scipy.stats.entropy(given.reference, given.current))


def _kolmogorov_smirnov(given: Drawn) -> float:
    return float(scipy.stats.ks_2samp(*given.rows, method="asymp").statistic)


def _wasserstein(given: Drawn) -> float:
    return float(scipy.stats.wasserstein_distance(*given.rows))


def _wasserstein_scaled(given: Drawn) -> float:
    deviation = float(np.std(given.rows[1]))
    return _wasserstein(given) / deviation if deviation else _zero_or_infinite(given)


def _zero_or_infinite(given: Drawn) -> float:
    return math.inf if _wasserstein(given) else 0.0


def _energy_distance(given: Drawn) -> float:
    here, there = given.current > 0, given.reference > 0
    places, weights = (given.positions[here], given.positions[there]), (given.current[here], given.reference[there])
    return float(scipy.stats.energy_distance(places[0], places[1], weights[0], weights[1]))


def _cramer_von_mises(given: Drawn) -> float:
    """By its definition, on rows; scipy's own is for rows without ties, and stands in a test of its own."""
    current, reference = (np.sort(rows) for rows in given.rows)
    both = np.concatenate([current, reference])
    gaps = [np.searchsorted(rows, both, side="right") / rows.size for rows in (current, reference)]
    return float(current.size * reference.size / both.size**2 * ((gaps[0] - gaps[1]) ** 2).sum())


def _anderson_darling(given: Drawn) -> float:
    """Scipy's, which it standardises: (A2 - 1) / sigma, with sigma as in Scholz and Stephens' equation 4."""
    if given.table.shape[1] < 2:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its table of p-values ends; it is not read here
        standard = float(scipy.stats.anderson_ksamp(given.rows, variant="midrank").statistic)
    sizes = [rows.size for rows in given.rows]
    total, inverse = sum(sizes), sum(1 / size for size in sizes)
    h = sum(1 / i for i in range(1, total))
    g = sum(sum(1 / j for j in range(i + 1, total)) / (total - i) for i in range(1, total - 1))
    a = (4 * g - 6) + (10 - 6 * g) * inverse
    b = 4 * (2 * g - 4) + 16 * h + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = 4 * (6 * h + 2 * g - 2) + 2 * (4 * h - 4 * g + 6) + (2 * h - 6) * inverse + 4 * h
    d = 4 * (2 * h + 6) - 8 * h
    variance = (a * total**3 + b * total**2 + c * total + d) / ((total - 1) * (total - 2) * (total - 3))
    return standard * math.sqrt(variance) + 1


def _chi_squared(given: Drawn) -> float:
    return float(scipy.stats.chi2_contingency(given.table, correction=False).statistic)


def _g_test(given: Drawn) -> float:
    return float(scipy.stats.chi2_contingency(given.table, correction=False, lambda_="log-likelihood").statistic)


def _cramers_v(given: Drawn) -> float:
    return float(scipy.stats.contingency.association(given.table)) if given.table.shape[1] > 1 else 0.0


def _overdispersed_chi_squared(given: Drawn) -> float:
    cells = given.table.shape[1]
    among = scipy.stats.chi2_contingency(given.blocks[:, given.blocks.any(axis=0)], correction=False)
    effect = max(among.statistic / among.dof, 1.0) if among.dof else 1.0
    return float(_chi_squared(given) / (cells - 1) / effect) if cells > 1 else 0.0


def _quantile_ratio(given: Drawn) -> float:
    magnitudes = [np.abs(rows[rows != 0]) for rows in given.rows]
    if not all(rows.size for rows in magnitudes):
        return 0.0
    # the sorted row number ceil(k n / 10), in whole numbers: a tenth is no binary fraction
    deciles = [[np.sort(rows)[-(-k * rows.size // 10) - 1] for k in range(1, 10)] for rows in magnitudes]
    return float(np.median(np.log(deciles[0]) - np.log(deciles[1])))


def _circular_lag(given: Drawn) -> float:
    current, reference = (np.sqrt(counts / counts.sum()) for counts in (given.current, given.reference))
    distances = {
        lag: scipy.spatial.distance.euclidean(current, np.roll(reference, lag)) / math.sqrt(2) for lag in range(-11, 13)
    }
    closest = [lag for lag, distance in distances.items() if distance <= min(distances.values()) + 1e-9]
    return min(closest, key=lambda lag: (abs(lag), -lag))


def _pair_order(given: Drawn) -> float:
    current, reference = given.repeated([1.0, 0.5, 0.0])
    return float(current.mean() - reference.mean())


def _correlation_change(given: Drawn) -> float:
    sides = zip(given.repeated([1, 1, 0, 0]), given.repeated([1, 0, 1, 0]), strict=True)
    current, reference = (np.corrcoef(*pair)[0, 1] if min(map(np.std, pair)) else 0.0 for pair in sides)
    return float(current - reference)


def _domain_auc(given: Drawn) -> float:
    """The area under the curve of a classifier by the ratio of shares, each leaf once for each side, weighted."""
    weights = np.concatenate([given.current, given.reference])
    shares = given.current / given.current.sum(), given.reference / given.reference.sum()
    ratio = np.divide(shares[0], sum(shares), out=np.zeros_like(shares[0]), where=sum(shares) > 0)
    side = np.repeat([1, 0], ratio.size)
    return float(2 * roc_auc_score(side, np.tile(ratio, 2), sample_weight=weights) - 1)


def _new_atoms(given: Drawn) -> float:
    current, reference = (np.bincount(rows, minlength=64) / rows.size for rows in given.cells)
    return float(np.max(current - reference))


def _difference_of_last(given: Drawn) -> float:
    current, reference = (float(np.mean(rows == given.positions.size - 1)) for rows in given.cells)
    return current - reference


def _row_count(given: Drawn) -> float:
    return math.log((given.current[0] + 1) / (given.reference[0] + 1))


def _normal_scores(given: Drawn) -> Array:
    """The standardised normal score, under the reference's mid-ranks, of each row of the current counts."""
    current, rows = given.cells
    raw = scipy.stats.norm.ppf((scipy.stats.rankdata(rows) - 0.5) / rows.size)
    of_cell = {int(cell): score for cell, score in zip(rows, (raw - raw.mean()) / raw.std(), strict=True)}
    return np.array([of_cell[int(cell)] for cell in current])


def _location(given: Drawn) -> float:
    return float(_normal_scores(given).mean())


def _spread(given: Drawn) -> float:
    deviation = float(_normal_scores(given).std())
    return max(math.log(deviation), -2.0) if deviation else -2.0


TWINS: Mapping[str, Callable[[Drawn], float]] = MappingProxyType(
    {
        "anderson_darling": _anderson_darling,
        "chi_squared": _chi_squared,
        "circular_lag": _circular_lag,
        "correlation_change": _correlation_change,
        "cramer_von_mises": _cramer_von_mises,
        "cramers_v": _cramers_v,
        "domain_auc": _domain_auc,
        "energy_distance": _energy_distance,
        "g_test": _g_test,
        "hellinger": _hellinger,
        "jensen_shannon": _jensen_shannon,
        "kolmogorov_smirnov": _kolmogorov_smirnov,
        "kullback_leibler": _kullback_leibler,
        "location": _location,
        "missing_rate": _difference_of_last,
        "new_atoms": _new_atoms,
        "overdispersed_chi_squared": _overdispersed_chi_squared,
        "pair_order": _pair_order,
        "psi": _psi,
        "quantile_ratio": _quantile_ratio,
        "row_count": _row_count,
        "spread": _spread,
        "total_variation": _total_variation,
        "unseen_share": _difference_of_last,
        "wasserstein": _wasserstein,
        "wasserstein_scaled": _wasserstein_scaled,
    }
)


def test_every_statistic_has_an_independent_twin() -> None:
    assert TWINS.keys() == statistics().keys()


@pytest.mark.parametrize("statistic", statistics().values(), ids=statistics().keys())
@few
@given(data=st.data())
def test_a_statistic_equals_its_independent_twin(statistic: Statistic, data: st.DataObject) -> None:
    given_to = data.draw(drawn(statistic))
    needed = {"positions": (given_to.positions,), "blocks": (given_to.blocks,)}.get(statistic.needs or "", ())
    score = float(statistic.score(given_to.current, given_to.reference, *needed))
    assert score == pytest.approx(TWINS[statistic.name](given_to), rel=1e-9, abs=1e-9)


@given(st.permutations(range(30)), st.integers(1, 29))
def test_cramer_von_mises_without_ties_equals_scipys(order: list[int], size: int) -> None:
    current = np.isin(np.arange(30), order[:size]).astype(float)
    rows = np.flatnonzero(current), np.flatnonzero(1 - current)
    if min(map(len, rows)) < 2:
        return  # scipy wants two rows a side
    expected = scipy.stats.cramervonmises_2samp(*rows, method="asymptotic").statistic
    score = statistics()["cramer_von_mises"].score(current, 1 - current)
    assert float(score) == pytest.approx(float(expected), abs=1e-9)


@given(st.floats(0, 50), st.integers(2, 40), st.integers(2, 100))
def test_the_model_based_p_value_is_the_tail_of_f(score: float, cells: int, blocks: int) -> None:
    expected = scipy.stats.f.sf(score, cells - 1, blocks - 1)
    assert float(model_based_p_value(score, cells, blocks)) == pytest.approx(float(expected), rel=1e-9, abs=1e-12)
