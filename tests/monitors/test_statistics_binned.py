"""How far a statistic on bins may be from the same statistic on the values themselves."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st

from tidegate_monitors.statistics import Array, effective_rows, shares, statistics

# divergences of shares, and what is made of one: whoever sees less can tell less
LOWERED = (
    "chi_squared",
    "cramers_v",
    "domain_auc",
    "g_test",
    "hellinger",
    "jensen_shannon",
    "kullback_leibler",
    "psi",
    "total_variation",
)


@dataclass(frozen=True, slots=True)
class Binned:
    """Values, and their counts in cells of which each has a position inside."""

    current: Array
    reference: Array
    edges: Array
    positions: Array

    @property
    def counts(self) -> tuple[Array, Array]:
        return self._counted(self.current), self._counted(self.reference)

    @property
    def widths(self) -> Array:
        return np.diff(self.edges)

    def score(self, name: str) -> float:
        """On the bins."""
        statistic = statistics()[name]
        needed = (self.positions,) if statistic.needs else ()
        return float(statistic.score(*self.counts, *needed))

    def _counted(self, values: Array) -> Array:
        inner = np.searchsorted(self.edges[1:-1], values, side="left")
        return np.bincount(inner, minlength=self.positions.size).astype(float)


@st.composite
def binned(draw: st.DrawFn, low: float | None = None) -> Binned:
    """Two samples of another shift, scale and shape, and bins on quantiles of the reference; positive from ``low``."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shift, scale, bins = draw(st.floats(-2, 2)), draw(st.floats(0.2, 5)), draw(st.integers(2, 60))
    reference = rng.standard_normal(draw(st.integers(50, 400)))
    current = shift + scale * rng.standard_t(3, draw(st.integers(50, 400)))
    if low is not None:
        reference, current = np.exp(reference) + low, np.exp(np.clip(current, -20, 20)) + low
    inner = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    ends = np.concatenate([reference, current])
    # values of the first cell lie above its lower end, as in every other cell
    edges = np.concatenate([[np.nextafter(ends.min(), -np.inf)], inner, [max(ends.max(), inner[-1])]])
    positions = edges[:-1] + rng.random(edges.size - 1) * np.diff(edges)
    return Binned(current, reference, edges, positions)


@given(binned())
def test_kolmogorov_smirnov_misses_at_most_the_fullest_bin(given_to: Binned) -> None:
    exact = float(scipy.stats.ks_2samp(given_to.current, given_to.reference, method="asymp").statistic)
    score = given_to.score("kolmogorov_smirnov")
    assert score <= exact + 1e-12
    assert exact <= score + max(shares(side).max() for side in given_to.counts) + 1e-12


@given(binned())
def test_wasserstein_is_off_by_at_most_the_widths_that_rows_were_moved(given_to: Binned) -> None:
    exact = float(scipy.stats.wasserstein_distance(given_to.current, given_to.reference))
    moved = sum(float((shares(side) * given_to.widths).sum()) for side in given_to.counts)
    assert abs(given_to.score("wasserstein") - exact) <= moved + 1e-9


@given(binned())
def test_wasserstein_scaled_divides_by_a_deviation_that_is_off_by_the_root_mean_square_width(given_to: Binned) -> None:
    scaled = given_to.score("wasserstein_scaled")
    assume(scaled > 0)  # equal counts have no distance to divide
    deviation = given_to.score("wasserstein") / scaled
    q = shares(given_to.counts[1])
    assert abs(deviation - np.std(given_to.reference)) <= np.sqrt((q * given_to.widths**2).sum()) + 1e-9


@given(binned())
def test_energy_distance_is_off_by_at_most_the_distances_that_rows_were_moved(given_to: Binned) -> None:
    exact = float(scipy.stats.energy_distance(given_to.current, given_to.reference))
    moved = sum(float(np.sqrt(2 * (shares(side) ** 2 * given_to.widths).sum())) for side in given_to.counts)
    assert abs(given_to.score("energy_distance") - exact) <= moved + 1e-9


@given(binned())
def test_the_root_of_cramer_von_mises_is_off_by_the_mean_square_of_the_larger_share(given_to: Binned) -> None:
    exact = scipy.stats.cramervonmises_2samp(given_to.current, given_to.reference, method="asymptotic").statistic
    current, reference = given_to.counts
    larger = np.maximum(shares(current), shares(reference))
    allowed = np.sqrt(effective_rows(current, reference) * (shares(current + reference) * larger**2).sum())
    assert abs(np.sqrt(given_to.score("cramer_von_mises")) - np.sqrt(float(exact))) <= allowed + 1e-6


@given(binned(low=0.01))
def test_a_quantile_ratio_of_positive_values_is_off_by_at_most_its_cells_ratios(given_to: Binned) -> None:
    exact, allowed = [], []
    for values in (given_to.current, given_to.reference):
        deciles = np.sort(values)[[-(-k * values.size // 10) - 1 for k in range(1, 10)]]
        cells = np.searchsorted(given_to.edges[1:-1], deciles, side="left")
        exact.append(np.log(deciles))
        allowed.append(np.log(given_to.edges[cells + 1] / given_to.edges[cells]))
    difference = abs(given_to.score("quantile_ratio") - float(np.median(exact[0] - exact[1])))
    assert difference <= (allowed[0] + allowed[1]).max() + 1e-9


@pytest.mark.parametrize("name", LOWERED)
@given(data=st.data())
def test_joining_cells_can_only_lower_what_two_sides_are_apart(name: str, data: st.DataObject) -> None:
    cells = data.draw(st.integers(2, 30))
    fine = data.draw(hnp.arrays(np.int64, (2, cells), elements=st.integers(1, 500))).astype(float)
    starts = sorted(data.draw(st.sets(st.integers(1, cells - 1)))) if cells > 1 else []
    joined = np.add.reduceat(fine, [0, *starts], axis=-1)
    score = statistics()[name].score
    assert float(score(*joined)) <= float(score(*fine)) * (1 + 1e-9) + 1e-12
