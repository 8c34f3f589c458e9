"""What every statistic promises, and that the suite which says so would refuse one that does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_monitors.statistics import Array, Reads, Statistic, effective_rows, regularised, shares, statistics
from tidegate_monitors.testing import FAULTS, PROMISES, Trial, conforms, outwards

FAMILY = {"correlation_change", "domain_auc", "hellinger", "location", "missing_rate", "row_count", "spread"}
REPORTED = FAMILY | {"jensen_shannon", "kolmogorov_smirnov", "psi", "unseen_share", "wasserstein_scaled"}

every = pytest.mark.parametrize("statistic", statistics().values(), ids=statistics().keys())


def _counts(cells: int) -> st.SearchStrategy[Array]:
    return hnp.arrays(np.int64, cells, elements=st.integers(0, 5000)).map(lambda counts: counts.astype(float))


@every
@pytest.mark.parametrize("promise", PROMISES.values(), ids=PROMISES.keys())
def test_every_statistic_keeps_every_promise(statistic: Statistic, promise: Callable[[Trial], None]) -> None:
    fault = outwards if statistic.name == "spread" else FAULTS[statistic.reads]
    promise(Trial(statistic, fault))


def test_there_are_statistics_for_all_that_can_be_read() -> None:
    assert len(statistics()) == 26
    assert {item.reads for item in statistics().values()} == set(Reads)
    assert list(statistics()) == sorted(statistics())


def test_what_alarms_and_what_is_reported_at_every_gate_is_as_documented() -> None:
    assert {name for name, item in statistics().items() if item.family} == FAMILY
    assert {name for name, item in statistics().items() if item.reported} == REPORTED
    assert {name for name, item in statistics().items() if item.needs} == {
        "energy_distance",
        "overdispersed_chi_squared",
        "quantile_ratio",
        "wasserstein",
        "wasserstein_scaled",
    }


def _gap(current: Array, reference: Array) -> Array:
    """The difference of the shares of the last cell.

    Source: none, it is made up.

    >>> float(_gap(np.array([1.0, 1.0]), np.array([2.0, 0.0])))
    0.5
    """
    return np.asarray(np.abs(shares(current)[..., -1] - shares(reference)[..., -1]))


def _undocumented(current: Array, reference: Array) -> Array:
    return _gap(current, reference)


def _never_zero(current: Array, reference: Array) -> Array:
    return _gap(current, reference) + 0.5


def _not_finite(current: Array, reference: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.where(reference[..., -1] > 0, _gap(current, reference), np.inf)


def _lopsided(current: Array, reference: Array) -> Array:
    return np.asarray(np.maximum(shares(current)[..., -1] - shares(reference)[..., -1], 0.0))


def _of_all_axes(current: Array, reference: Array) -> Array:
    return np.asarray(np.abs(current / max(current.sum(), 1.0) - shares(reference))[..., -1])


def _changes_what_it_is_given(current: Array, reference: Array) -> Array:
    current /= np.maximum(current.sum(axis=-1, keepdims=True), 1.0)
    return _gap(current, reference)


def _falls(current: Array, reference: Array) -> Array:
    return np.asarray(np.minimum(_gap(current, reference), 1 - 2 * _gap(current, reference)).clip(0.0))


def _blind(current: Array, reference: Array) -> Array:
    return np.zeros(np.broadcast_shapes(current.shape, reference.shape)[:-1])


_SOUND = Statistic("_gap", Reads.MISSING, "missing_values", _gap, symmetric=True, bound=1.0)


def test_the_suite_accepts_a_sound_statistic() -> None:
    conforms(_SOUND)


@pytest.mark.parametrize(
    ("broken", "promise", "said"),
    [
        (replace(_SOUND, score=_undocumented), "is_documented", "another name"),
        (replace(_SOUND, name="_undocumented", score=_undocumented), "is_documented", "no source"),
        (replace(_SOUND, check="gossip"), "is_documented", "gossip"),
        (replace(_SOUND, score=_never_zero), "is_zero_for_equal_counts", "not 0"),
        (replace(_SOUND, score=_not_finite), "is_finite_and_bounded", "score is inf"),
        (replace(_SOUND, bound=0.1), "is_finite_and_bounded", "beyond 0.1"),
        (replace(_SOUND, score=_lopsided), "is_symmetric_if_it_says_so", "there"),
        (replace(_SOUND, symmetric=False), "is_symmetric_if_it_says_so", "does not say so"),
        (replace(_SOUND, score=_of_all_axes), "is_the_same_for_many_at_once", "among others"),
        (replace(_SOUND, score=_changes_what_it_is_given), "is_the_same_for_many_at_once", "changes what it is given"),
        (replace(_SOUND, score=_falls), "is_larger_the_more_rows_a_fault_takes", "it falls"),
        (replace(_SOUND, score=_blind), "is_larger_the_more_rows_a_fault_takes", "does not see"),
        (replace(_SOUND, signed=True), "is_up_for_more_and_down_for_less", "reverse"),
    ],
    ids=lambda item: item.score.__name__ if isinstance(item, Statistic) else None,
)
def test_the_suite_refuses_a_broken_statistic_and_says_why(broken: Statistic, promise: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said) as caught:
        PROMISES[promise](Trial(broken, FAULTS[broken.reads]))
    assert str(caught.value).startswith(broken.name)
    with pytest.raises(AssertionError):
        conforms(broken)


@pytest.mark.parametrize(
    "positions",
    [
        np.array([-1.7e308, -1e300, 0.0, 1.0, 1e300, 1.7e308]),
        np.array([0.0, 5e-324, 1e-320, 1e-310, 1e-300, 1e-299]),
        np.full(6, 7.0),
        np.zeros(6),
    ],
    ids=["largest", "smallest", "one value", "zero"],
)
@pytest.mark.parametrize(
    "statistic", [item for item in statistics().values() if item.needs == "positions"], ids=lambda item: item.name
)
def test_the_largest_and_smallest_floats_as_positions_give_finite_scores(
    statistic: Statistic, positions: Array
) -> None:
    eye = regularised(np.eye(6)[:, None] * 1000, np.eye(6)[None] * 1000 + np.zeros((6, 1, 1)))
    sizes = statistic.size(*eye, positions)
    assert np.isfinite(sizes).all()
    assert np.diagonal(sizes) == pytest.approx(0, abs=1e-9)


@given(st.integers(1, 30).flatmap(lambda cells: st.tuples(_counts(cells), _counts(cells))))
def test_regularised_counts_gain_one_row_and_no_cell(pair: tuple[Array, Array]) -> None:
    seen = pair[0] + pair[1] > 0
    for side, plain in zip(regularised(*pair), pair, strict=True):
        assert side.sum() - plain.sum() == pytest.approx(1.0 if seen.any() else 0.0)
        assert ((side > 0) == seen).all()


@given(st.integers(1, 30).flatmap(_counts))
def test_shares_add_up_to_one_or_to_nothing(counts: Array) -> None:
    assert shares(counts).sum() == pytest.approx(1.0 if counts.any() else 0.0)


@given(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)))
def test_effective_rows_are_half_the_harmonic_mean(rows: tuple[int, int]) -> None:
    n, m = rows
    expected = n * m / (n + m) if n + m else 0.0
    assert float(effective_rows(np.array([float(n)]), np.array([float(m)]))) == pytest.approx(expected)


def test_the_guide_lists_every_statistic_and_says_which_alarm_and_which_are_reported() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)`(?: \*\((family|reported)\)\*)? \|.*\|.*\|.*\|", guide, re.MULTILINE))
    assert listed.keys() >= statistics().keys()
    for name, item in statistics().items():
        assert listed[name] == ("family" if item.family else "reported" if item.reported else "")
