"""The formulas behind the audits of a split, held against scipy, scikit-learn and plain counting."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from tidegate_monitors.association import association
from tidegate_monitors.codes import Codes, held, rounded, row_hashes
from tidegate_monitors.folds import folds, out_of_fold_means
from tidegate_monitors.interval import half_width, wilson
from tidegate_monitors.order import Runs, autocorrelations, effective_rows
from tidegate_monitors.ranks import (
    auc_deviates,
    average_ranks,
    class_aucs,
    coded_ranks,
    correlation,
    spearman,
)
from tidegate_monitors.repeats import share_elsewhere
from tidegate_monitors.significance import holm, homogeneity
from tidegate_monitors.split.split_time_overlap import best_cut
from tidegate_monitors.target import Target

# few distinct values make ties; round numbers keep squares within what a float can hold
NUMBERS = st.lists(st.integers(-6, 6), min_size=2, max_size=60).map(lambda items: np.array(items, dtype=np.float64))


@given(NUMBERS)
def test_ranks_are_scipys(values: np.ndarray) -> None:
    assert np.allclose(average_ranks(values), stats.rankdata(values), atol=1e-9)
    levels, codes = np.unique(values, return_inverse=True)
    shuffled = np.random.default_rng(0).permutation(levels.size)
    back = np.argsort(shuffled)
    assert np.allclose(coded_ranks(back[codes], levels[shuffled]), stats.rankdata(values), atol=1e-9)


@given(NUMBERS, st.integers(0, 2**32 - 1))
def test_aucs_are_scikit_learns(values: np.ndarray, seed: int) -> None:
    classes = np.random.default_rng(seed).integers(0, 3, values.size)
    areas, sizes = class_aucs(average_ranks(values), classes, 3)
    for one in range(3):
        mine = classes == one
        if 0 < mine.sum() < mine.size:
            assert areas[one] == pytest.approx(roc_auc_score(mine, values), abs=1e-9)
        else:
            assert areas[one] == 0.5
    assert sizes.tolist() == np.bincount(classes, minlength=3).tolist()


def test_the_error_of_an_auc_is_that_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(3)
    values, mine = rng.normal(size=500), np.arange(500) < 100
    areas, sizes = class_aucs(average_ranks(values), mine.astype(np.int64), 2)
    exact = stats.mannwhitneyu(values[mine], values[~mine], use_continuity=False, method="asymptotic")
    deviate = auc_deviates(areas, sizes, 500)[1]
    assert 2 * stats.norm.sf(abs(deviate)) == pytest.approx(exact.pvalue, abs=1e-9)


@given(NUMBERS, st.integers(0, 2**32 - 1))
def test_correlations_are_scipys(left: np.ndarray, seed: int) -> None:
    right = np.random.default_rng(seed).integers(0, 4, left.size).astype(np.float64)
    if np.unique(left).size > 1 and np.unique(right).size > 1:
        assert spearman(left, right) == pytest.approx(stats.spearmanr(left, right).statistic, abs=1e-9)
        assert correlation(left, right) == pytest.approx(stats.pearsonr(left, right).statistic, abs=1e-9)
    else:
        assert spearman(left, right) == correlation(left, right) == 0


@pytest.mark.parametrize("classes", [[0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2], [0, 1, 2, 2, 2, 2]])
def test_runs_have_the_mean_and_variance_of_all_orders(classes: list[int]) -> None:
    found = np.array([Runs.of(np.array(order)).found for order in permutations(classes)], dtype=np.float64)
    runs = Runs.of(np.array(classes))
    assert runs.expected == pytest.approx(found.mean(), abs=1e-9)
    assert runs.deviate == pytest.approx((runs.found - found.mean()) / found.std(), abs=1e-9)


@given(st.lists(st.integers(0, 3), max_size=40))
def test_runs_are_counted(classes: list[int]) -> None:
    runs = Runs.of(np.array(classes, dtype=np.int64))
    assert runs.found == sum(1 for place in range(len(classes)) if place == 0 or classes[place] != classes[place - 1])
    assert np.isfinite([runs.persistence, runs.deviate]).all()
    assert runs.persistence <= 1


@given(NUMBERS)
def test_autocorrelations_are_those_of_the_definition(values: np.ndarray) -> None:
    found, centred = autocorrelations(values), values - values.mean()
    total = (centred**2).sum()
    for lag in range(values.size):
        wanted = (centred[: values.size - lag] * centred[lag:]).sum() / total if total > 1e-9 else float(lag == 0)
        assert found[lag] == pytest.approx(wanted, abs=1e-9)
    assert 1 <= effective_rows(found) <= max(values.size, 1)


def test_effective_rows_are_those_of_an_autoregressive_process() -> None:
    rng, rows, rho = np.random.default_rng(5), 50_000, 0.8
    noise = rng.normal(size=rows)
    values = np.empty(rows)
    values[0] = noise[0]
    for place in range(1, rows):
        values[place] = rho * values[place - 1] + noise[place]
    assert effective_rows(autocorrelations(values)) == pytest.approx(rows * (1 - rho) / (1 + rho), rel=0.15)
    assert effective_rows(autocorrelations(noise)) > 0.9 * rows


@given(st.integers(1, 5000), st.floats(0, 1))
def test_intervals_are_scipys(rows: int, part: float) -> None:
    successes = round(part * rows)
    wanted = stats.binomtest(successes, rows).proportion_ci(0.95, method="wilson")
    assert wilson(successes, rows) == pytest.approx((wanted.low, wanted.high), abs=1e-9)
    assert half_width(successes / rows, rows) <= half_width(0.5, rows) + 1e-12


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_chi_squared_is_scipys(cells: list[tuple[int, int]]) -> None:
    first, second = np.array(cells, dtype=np.float64).T
    there = (first + second) > 0
    if first.sum() and second.sum() and there.sum() > 1:
        wanted = stats.chi2_contingency(np.stack([first, second])[:, there], correction=False).pvalue
        assert homogeneity(first, second) == pytest.approx(wanted, abs=1e-9)
    else:
        assert homogeneity(first, second) == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holms_correction_is_the_definition_and_never_makes_a_value_smaller(p_values: list[float]) -> None:
    values = np.array(p_values)
    found, order = holm(values), np.argsort(values, kind="stable")
    highest = 0.0
    for step, place in enumerate(order):
        highest = max(highest, min(1.0, (values.size - step) * values[place]))
        assert found[place] == pytest.approx(highest, abs=1e-12)
    assert (found >= values - 1e-12).all()


@given(st.integers(1, 300), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_a_mean_out_of_fold_is_made_of_other_folds_alone(rows: int, levels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, target, fold = rng.integers(-1, levels, rows), rng.normal(size=rows), folds(rows, rng)
    places, means = out_of_fold_means(codes, target, fold)
    one = int(rng.integers(rows))
    others = (fold != fold[one]) & (codes == codes[one])
    prior = target[fold != fold[one]].mean() if (fold != fold[one]).any() else 0.0
    wanted = (target[others].sum() + 5 * prior) / (others.sum() + 5)
    assert means[places][one] == pytest.approx(wanted, abs=1e-9)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=25),
    st.lists(st.integers(0, 30), min_size=1, max_size=25),
)
def test_the_best_cut_leaves_the_fewest_rows_on_the_wrong_side(train: list[int], test: list[int]) -> None:
    cut, wrong = best_cut(np.array(train), np.array(test))

    def count(at: int) -> int:
        return sum(time > at for time in train) + sum(time < at for time in test)

    assert wrong == count(cut) == min(map(count, range(-1, 32)))
    assert (wrong == 0) == (max(train) <= min(test))


VALUES = st.lists(st.one_of(st.none(), st.floats(width=32), st.just(0.0), st.just(-0.0)), min_size=1, max_size=20)


@given(VALUES, VALUES)
def test_equal_values_have_equal_hashes_on_both_sides(left: list[float | None], right: list[float | None]) -> None:
    codes = Codes.of(*(pa.chunked_array([pa.array(side, pa.float64(), from_pandas=True)]) for side in (left, right)))
    ours, theirs = row_hashes([("x", codes)])
    for a, mine in zip(left, ours, strict=True):
        for b, other in zip(right, theirs, strict=True):
            missing = [value is None or value != value for value in (a, b)]
            assert (mine == other) == (all(missing) or (not any(missing) and a == b))
    assert held(theirs, ours).tolist() == [value in set(ours.tolist()) for value in theirs.tolist()]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pa.array(["a", None, "b"]), pa.array(["b", "a"]).dictionary_encode()),
        (pa.array([1, None, 2**62]), pa.array([2**62, 1])),
        (pa.array([True, None, False]), pa.array([False, True])),
        (pa.array([[1], None, [2]]), pa.array([[2], [1]])),
    ],
    ids=["texts", "large whole numbers", "truth values", "lists"],
)
def test_columns_of_every_kind_have_codes(left: pa.Array, right: pa.Array) -> None:
    codes = Codes.of(pa.chunked_array([left]), pa.chunked_array([right]))
    a, none, b = codes.train.tolist()
    assert none == -1
    assert codes.test.tolist() == [b, a]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-200, max_value=1e200), st.sampled_from([-1, 1]))
def test_numbers_are_rounded_to_three_significant_digits(value: float, sign: int) -> None:
    found = float(rounded(np.array([sign * value]))[0])
    assert found == pytest.approx(float(f"{sign * value:.2e}"), rel=6e-3)
    assert rounded(np.array([found]))[0] == pytest.approx(found, rel=1e-12)


def test_texts_are_nearly_equal_whatever_their_case_and_spaces() -> None:
    codes = Codes.of(pa.chunked_array([["Main  St", "x"]]), pa.chunked_array([["main st "]])).nearly()
    assert codes.test[0] == codes.train[0] != codes.train[1]


def test_repetitions_are_counted_in_quarters() -> None:
    distinct = np.arange(100, dtype=np.uint64)
    assert share_elsewhere(distinct) == 0
    assert share_elsewhere(np.concatenate([distinct, distinct])) == 1
    assert share_elsewhere(np.zeros(0, dtype=np.uint64)) == 0


@given(st.integers(0, 2**32 - 1))
def test_an_association_has_no_direction_and_noise_has_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, noise = (rng.random(800) < 0.4).astype(np.float64), rng.normal(size=800)
    columns = {"up": labels + noise / 2, "down": -labels - noise / 2, "noise": noise}
    codes = {
        name: Codes.of(pa.chunked_array([values]), pa.chunked_array([values[:1]]))
        for name, values in {**columns, "y": labels}.items()
    }
    target = Target("y", codes["y"], True, ())
    found = {name: association(codes[name], target, folds(800, rng)) for name in columns}
    assert found["up"] is not None
    assert found["down"] is not None
    assert found["noise"] is not None
    assert found["up"].score == pytest.approx(found["down"].score, abs=1e-9)
    assert found["up"].score == pytest.approx(roc_auc_score(labels, columns["up"]), abs=1e-9)
    assert found["noise"].score < 0.6
