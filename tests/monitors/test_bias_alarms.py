"""Alarms on biases: what is planted is found and named, and its clean twin is silent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_worlds import EDGES, cohorts_of, world

from tidegate_monitors.bias_alarms import Judged, judge_bias
from tidegate_monitors.bias_cells import BiasCells, Family, Key
from tidegate_monitors.bias_contrast import Effects, contrasted, row_variances
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.neighbours import inflation, neighbours
from tidegate_monitors.significance import holm

UA = Key("carrier=UA", None)
WHOLE = Key(None, None)


def judged(
    cohorts: Sequence[Cohort],
    reference: Sequence[Cohort] = (),
    *,
    tolerance: float = 0.02,
    alpha: float = 0.05,
    binary: bool = True,
) -> dict[Key, Judged]:
    found = judge_bias(cohorts, reference, "", tolerance=tolerance, alpha=alpha, binary=binary)
    assert len({item.key for item in found}) == len(found)
    return {item.key: item for item in found}


def alarmed(found: dict[Key, Judged]) -> set[Key]:
    return {key for key, item in found.items() if item.alarms}


@pytest.mark.parametrize("seed", range(4))
def test_five_points_in_a_tenth_of_the_rows_are_found_and_named_and_the_clean_twin_is_silent(seed: int) -> None:
    found = judged(cohorts_of(world(seed, 28, rows=600, carrier=0.05)))
    assert UA in alarmed(found)
    assert {key.slice for key in alarmed(found)} <= {"carrier=UA"}, "no other slice is blamed"
    assert found[UA].effect == pytest.approx(0.05, abs=0.02)
    assert alarmed(judged(cohorts_of(world(seed, 28, rows=600)))) == set()


@pytest.mark.parametrize("seed", range(2))
def test_a_bias_of_everybody_is_that_of_all_rows_and_no_slice_is_blamed_where_days_move_everybody(seed: int) -> None:
    reference = cohorts_of(world(100 + seed, 40, day_sd=0.04))
    found = judged(cohorts_of(world(seed, 28, day_sd=0.04, everybody=0.08), start=40), reference)
    assert WHOLE in alarmed(found)
    assert found[WHOLE].effect == pytest.approx(0.08, abs=0.03)
    assert not any(key.slice for key in alarmed(found))


def test_where_days_move_everybody_a_slice_is_held_against_its_own_batches() -> None:
    for day_sd, expected in ((0.1, True), (0.0, False)):
        cells = BiasCells.of(cohorts_of(world(5, 28, rows=1500, day_sd=day_sd)), "")
        choice = contrasted(cells, row_variances(cells, binary=True))
        sliced = np.array([key.slice is not None for key in cells.keys])
        assert choice[sliced].all() == expected
        assert not choice[~sliced].any()
    found = judged(cohorts_of(world(6, 28, rows=1500, day_sd=0.1, carrier=0.06)))
    assert UA in alarmed(found), "found although days move by more"


def test_no_more_than_the_stated_rate_of_quiet_worlds_alarm() -> None:
    worlds = (cohorts_of(world(1000 + seed, 14, rows=250), slices=("carrier",)) for seed in range(30))
    loud = sum(bool(alarmed(judged(cohorts, tolerance=1e-6))) for cohorts in worlds)
    assert loud <= 5, "1 or 2 of 30 are stated; tolerance plays no part here"


def test_no_more_than_the_stated_rate_alarm_where_days_differ_and_rows_are_no_witnesses() -> None:
    worlds = (cohorts_of(world(2000 + seed, 14, rows=250, day_sd=0.08), slices=()) for seed in range(60))
    loud = sum(WHOLE in alarmed(judged(cohorts, tolerance=1e-6)) for cohorts in worlds)
    assert loud <= 6, "3 of 60 are stated; tolerance plays no part here"


@pytest.mark.parametrize("days", [1, 2, 4])
def test_fewer_than_five_batches_never_alarm(days: int) -> None:
    frame = world(1, days, rows=2000).assign(prediction=0.99)
    found = judged(cohorts_of(frame))
    assert found[WHOLE].effect > 0.7
    assert alarmed(found) == set()
    assert {(item.ratio, item.detectable) for item in found.values()} == {(0.0, None)}


def test_five_batches_can_alarm_and_a_slice_needs_five_of_its_own() -> None:
    frame = world(2, 5, rows=1000).assign(prediction=0.5)
    assert WHOLE in alarmed(judged(cohorts_of(frame)))
    frame = world(3, 28, carrier=0.5)
    rare = frame[(frame["carrier"] != "UA") | (frame["day"] >= 24)]
    found = judged(cohorts_of(rare))
    assert UA not in alarmed(found)
    assert (found[UA].batches, found[UA].detectable) == (4, None)
    enough = judged(cohorts_of(frame[(frame["carrier"] != "UA") | (frame["day"] >= 23)]))
    assert UA in alarmed(enough)


def test_a_cell_without_rows_says_nothing_and_disturbs_no_other() -> None:
    frame = world(4, 20, carrier=0.1)
    frame.loc[frame["carrier"] == "WN", "label"] = np.nan
    found = judged(cohorts_of(frame))
    empty = found[Key("carrier=WN", None)]
    assert (empty.p_value, empty.ratio, empty.batches, empty.detectable) == (1.0, 0.0, 0, None)
    assert UA in alarmed(found)
    everything = judged(cohorts_of(frame.assign(label=np.nan)))
    assert {(item.p_value, item.ratio) for item in everything.values()} == {(1.0, 0.0)}


def test_the_reference_shifts_what_is_expected() -> None:
    before = cohorts_of(world(10, 40, carrier=0.1))
    same = cohorts_of(world(11, 28, carrier=0.1), start=40)
    assert UA in alarmed(judged(same)), "without a reference every effect is held against zero"
    assert alarmed(judged(same, before)) == set()
    better = judged(cohorts_of(world(11, 28), start=40), before)
    assert UA in alarmed(better)
    assert better[UA].effect == pytest.approx(-0.1, abs=0.03)


def test_a_slice_that_the_reference_never_had_is_held_against_nothing() -> None:
    before = world(12, 40)
    known = cohorts_of(before[before["carrier"] != "UA"])
    wrong = judged(cohorts_of(world(13, 28, carrier=0.3), start=40), known)
    right = judged(cohorts_of(world(13, 28), start=40), known)
    assert wrong[UA].ratio > 1
    assert right[UA].ratio <= 1


def test_a_slice_that_is_gone_is_not_judged() -> None:
    before, vanished = world(12, 40), world(13, 28)
    found = judged(cohorts_of(vanished[vanished["carrier"] != "UA"], start=40), cohorts_of(before))
    assert UA not in found
    assert alarmed(found) == set()


@settings(max_examples=12)
@given(
    st.integers(0, 999), st.integers(3, 30), st.sampled_from([0.0, 0.03, 0.1]), st.sampled_from([0.0, 0.05]),
    st.sampled_from([0.02, 0.06]), st.sampled_from([0.05, 0.01]), st.booleans(),
)  # fmt: skip
def test_a_cell_alarms_exactly_where_the_evidence_is_enough_and_the_effect_matters(
    seed: int, days: int, carrier: float, everybody: float, tolerance: float, alpha: float, binary: bool
) -> None:
    frame = world(seed, days, rows=150, carrier=carrier, everybody=everybody)
    for item in judged(cohorts_of(frame), tolerance=tolerance, alpha=alpha, binary=binary).values():
        assert 0 <= item.p_value <= 1
        assert item.ratio >= 0
        enough = item.batches >= 5
        assert (item.ratio > 1) == (enough and item.p_value < alpha and abs(item.effect) > tolerance)
        assert item.alarms == (item.ratio > 1)
        assert item.batches <= item.window <= min(days, 28)
        assert (item.detectable is None) == (not enough)
        assert item.detectable is None or item.detectable >= tolerance


def test_a_smaller_rate_alarms_less_and_needs_larger_effects() -> None:
    cohorts = cohorts_of(world(14, 28, carrier=0.06, everybody=0.02))
    steps = [judged(cohorts, alpha=alpha) for alpha in (0.2, 0.05, 0.01, 1e-4, 1e-12)]
    assert alarmed(steps[0])
    for more, less in pairwise(steps):
        assert alarmed(less) <= alarmed(more)
        for key, item in less.items():
            assert item.p_value == more[key].p_value, "p-values know nothing of the rate"
            assert (item.detectable or 0) >= (more[key].detectable or 0)
            assert item.ratio <= more[key].ratio


def test_a_larger_tolerance_alarms_less() -> None:
    cohorts = cohorts_of(world(14, 28, carrier=0.06, everybody=0.03))
    steps = [alarmed(judged(cohorts, tolerance=tolerance)) for tolerance in (0.01, 0.02, 0.05, 0.2)]
    assert UA in steps[0]
    assert steps[-1] == set()
    assert all(less <= more for more, less in pairwise(steps))


def test_numbers_are_judged_alike_in_any_unit() -> None:
    frame = world(15, 28, carrier=0.08)
    frame["label"] = (
        frame["prediction"] - 0.08 * (frame["carrier"] == "UA") + np.random.default_rng(1).normal(0, 0.2, len(frame))
    )
    small = judged(cohorts_of(frame), binary=False)
    assert UA in alarmed(small)
    frame[["prediction", "label"]] *= 1000
    large = judged(cohorts_of(frame, edges=[edge * 1000 for edge in EDGES]), tolerance=20, binary=False)
    assert set(small) == set(large)
    for key, item in small.items():
        assert large[key].ratio == pytest.approx(item.ratio, rel=1e-6, abs=1e-9)
        assert large[key].effect == pytest.approx(item.effect * 1000, rel=1e-6, abs=1e-6)


def test_a_bias_of_the_last_week_is_found_in_the_shorter_window() -> None:
    found = judged(cohorts_of(world(16, 28, rows=600, everybody=0.09, since=21)))
    assert found[WHOLE].alarms
    assert (found[WHOLE].window, found[WHOLE].batches) == (7, 7)
    assert found[WHOLE].effect == pytest.approx(0.09, abs=0.03)


def test_a_small_bias_of_long_standing_hides_no_large_one_of_late() -> None:
    frame = world(18, 28, rows=8000)
    small = frame.assign(prediction=frame["prediction"] + 0.0135)
    large = small.assign(prediction=small["prediction"] + 0.0195 * (frame["day"] >= 21))
    item = judged(cohorts_of(large, slices=()))[WHOLE]
    assert item.alarms
    assert item.window == 7
    assert item.effect == pytest.approx(0.033, abs=0.006)
    assert not judged(cohorts_of(small, slices=()))[WHOLE].alarms


def test_batches_that_are_like_their_neighbours_are_worth_less() -> None:
    rng = np.random.default_rng(7)
    loud = 0
    for seed in range(60):
        day = rng.normal(size=28)
        for one in range(1, 28):
            day[one] = 0.5 * day[one - 1] + 0.75**0.5 * day[one]
        frame = world(3000 + seed, 28, rows=400)
        frame["prediction"] = rng.uniform(0.2, 0.8, len(frame))
        moved = frame["prediction"] + 0.06 * day[frame["day"]]
        frame["label"] = (rng.random(len(frame)) < moved).astype(float)
        loud += bool(alarmed(judged(cohorts_of(frame, edges=(0.4, 0.6), slices=()))))
    assert loud <= 8, "3 of 60 are stated; were neighbours taken as strangers it would be 12"


def test_neighbours_are_found_alike_where_they_are_and_only_there() -> None:
    rng = np.random.default_rng(8)
    for rho in (0.0, 0.6):
        day = rng.normal(size=400)
        for one in range(1, 400):
            day[one] = rho * day[one - 1] + (1 - rho**2) ** 0.5 * day[one]
        cells = BiasCells.of(cohorts_of(world(9, 1), edges=(), slices=()), "")
        effects = Effects(day[:, None], np.ones((400, 1)), np.ones((400, 1)))
        assert neighbours(cells, effects)[0] == pytest.approx(rho, abs=0.1)
    n = np.array([20])
    assert inflation(np.zeros(1), n, n)[0] == 1
    exact = 1 + 2 * sum((1 - k / 20) * 0.5**k for k in range(1, 20))
    lost = 1 - (exact - 1) / 19
    assert inflation(np.full(1, 0.5), n, n)[0] == pytest.approx(exact / lost)


def test_only_the_last_28_batches_are_judged() -> None:
    cohorts = cohorts_of(world(17, 40, carrier=0.05))
    assert judged(cohorts) == judged(cohorts[-28:])


def test_where_one_window_is_looked_at_the_order_of_batches_plays_no_part() -> None:
    cohorts = cohorts_of(world(18, 14, carrier=0.05))
    one, other = judged(cohorts), judged(cohorts[::-1])
    for key, item in one.items():
        assert other[key].p_value == pytest.approx(item.p_value, abs=1e-9)
        assert other[key].effect == pytest.approx(item.effect, abs=1e-9)


def test_a_perfect_model_is_judged_without_a_word() -> None:
    frame = world(19, 28)
    for reference in ((), cohorts_of(world(20, 30))):
        found = judged(cohorts_of(frame.assign(prediction=frame["label"]), start=30), reference)
        assert all(np.isfinite([item.effect, item.p_value, item.ratio]).all() for item in found.values())
    assert alarmed(judged(cohorts_of(frame.assign(prediction=frame["label"])))) == set()


def test_a_bucket_of_a_slice_is_found_where_nothing_larger_is_off() -> None:
    frame = world(21, 28, rows=2000)
    there = (frame["origin"] == "JFK") & (frame["prediction"] > 0.2) & (frame["prediction"] <= 0.3)
    frame.loc[there & (frame["label"] == 0) & (np.random.default_rng(2).random(len(frame)) < 0.25), "label"] = 1.0
    found = judged(cohorts_of(frame))
    assert found[Key("origin=JFK", 2)].alarms
    assert found[Key("origin=JFK", 2)].effect < -0.05
    assert not found[Key("origin=EWR", 2)].alarms or found[Key("origin=EWR", 2)].effect > 0
    assert Key("origin=JFK", 2).family is Family.CROSSED


def closed(p_values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Weighted Holm by its definition: the closed test that gives each hypothesis of a set its share of the weight."""
    found = []
    places = range(len(p_values))
    for mine in places:
        worst = 0.0
        for size in range(1, len(p_values) + 1):
            for group in combinations(places, size):
                if mine in group:
                    total = sum(weights[index] for index in group)
                    worst = max(worst, min(p_values[index] * total / weights[index] for index in group))
        found.append(min(1.0, worst))
    return found


@settings(max_examples=25)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=1, max_size=6))
def test_weighted_holm_is_the_closed_weighted_bonferroni(parts: list[tuple[float, float]]) -> None:
    p_values, weights = zip(*parts, strict=True)
    found = holm(np.array(p_values), np.array(weights))
    assert found.tolist() == pytest.approx(closed(p_values, weights), abs=1e-12)


def test_the_buckets_of_slices_share_a_twentieth_of_the_rate_and_the_rest_is_for_all_others() -> None:
    frame: pd.DataFrame = world(22, 14, carrier=0.5)
    cohorts = cohorts_of(frame)
    found = judged(cohorts)
    main = [key for key in found if key.family is not Family.CROSSED]
    crossed = [key for key in found if key.family is Family.CROSSED]
    without = judged(cohorts_of(frame, edges=()))
    assert all(key.family is not Family.CROSSED for key in without)
    least = found[UA].p_value
    assert 0 < least < 1e-6
    assert without[UA].p_value == pytest.approx(least * len(without) / (len(main) / 0.95), rel=0.2)
    assert len(crossed) == 28
