"""The stream of biases: what lasts is found though each batch is quiet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from label_worlds import cohorts_of, world

from tidegate_monitors.bias_alarms import judge_bias
from tidegate_monitors.bias_cells import Family, Key
from tidegate_monitors.bias_stream import RATES, REMEMBERED, SlowBias, _began, _evidence, _gains, slow_bias
from tidegate_monitors.cohort import Cohort

UA = Key("carrier=UA", None)
WHOLE = Key(None, None)


def stream(
    cohorts: Sequence[Cohort],
    reference: Sequence[Cohort] = (),
    *,
    tolerance: float = 0.02,
    run_length: float = 200,
    binary: bool = True,
) -> dict[Key, SlowBias]:
    found = slow_bias(cohorts, reference, "", tolerance=tolerance, run_length=run_length, binary=binary)
    return {item.key: item for item in found}


def alarmed(found: dict[Key, SlowBias]) -> set[Key]:
    return {key for key, item in found.items() if item.alarms}


@pytest.fixture(scope="module")
def reference() -> list[Cohort]:
    """Forty quiet days."""
    return cohorts_of(world(900, 40, rows=500))


@pytest.fixture(scope="module")
def lasting() -> list[Cohort]:
    """Fifty days, the last thirty of which have a bias in one carrier."""
    return cohorts_of(world(1, 50, rows=500, carrier=0.06, since=20), start=40)


def test_a_lasting_bias_of_one_slice_is_found_and_its_beginning_told(
    reference: list[Cohort], lasting: list[Cohort]
) -> None:
    found = stream(lasting, reference)
    assert alarmed(found) == {UA}
    item = found[UA]
    assert item.effect == pytest.approx(0.06, abs=0.025)
    assert item.since is not None
    assert 57 <= int(item.since[1:]) <= 63, "planted from d060 on"
    assert item.batches == 90 - int(item.since[1:])
    quiet = stream(cohorts_of(world(1, 50, rows=500), start=40), reference)
    assert alarmed(quiet) == set()


def test_it_finds_what_the_windows_do_not_see_yet(reference: list[Cohort]) -> None:
    early = None
    cohorts = cohorts_of(world(3, 60, rows=300, carrier=0.04), start=40)
    for days in range(5, 61, 5):
        if UA in alarmed(stream(cohorts[:days], reference)):
            early = days
            break
    assert early is not None
    windows = judge_bias(cohorts[:early], reference, "", tolerance=0.02, alpha=0.05, binary=True)
    assert len(windows) > len(stream(cohorts, reference)), "the stream leaves out the buckets of slices"


def test_without_a_reference_the_first_14_batches_show_what_is_usual() -> None:
    found = stream(cohorts_of(world(4, 60, rows=300, everybody=0.05)))
    assert WHOLE in alarmed(found)
    assert found[WHOLE].effect == pytest.approx(0.05, abs=0.01)
    assert alarmed(stream(cohorts_of(world(4, 60, rows=300)))) == set()


def test_before_14_batches_have_shown_what_is_usual_nothing_is_said(reference: list[Cohort]) -> None:
    wrong = cohorts_of(world(5, 14, everybody=0.5))
    assert stream(wrong) == {}
    assert stream([]) == {}
    assert stream([], reference) == {}
    assert stream(wrong, reference[:13]) == {}, "a reference of fewer shows nothing either"
    assert stream(wrong[:1], reference) != {}
    assert stream([*wrong, *cohorts_of(world(6, 1), start=14)]) != {}


@pytest.mark.parametrize("day_sd", [0.0, 0.05])
def test_quiet_worlds_are_silent(day_sd: float) -> None:
    loud = 0
    for seed in range(4):
        before = cohorts_of(world(3000 + seed, 30, rows=100, day_sd=day_sd), slices=("carrier",))
        now = cohorts_of(world(4000 + seed, 40, rows=100, day_sd=day_sd), slices=("carrier",), start=30)
        loud += bool(alarmed(stream(now, before, tolerance=1e-6)))
    assert loud <= 2, "of 4 times 40 batches at one in 200"


def test_the_longer_a_bias_lasts_the_more_is_proven(reference: list[Cohort]) -> None:
    cohorts = cohorts_of(world(7, 60, rows=300, everybody=0.05), start=40)
    steps = [stream(cohorts[:days], reference, tolerance=1e-6)[WHOLE].ratio for days in (2, 10, 30, 60)]
    assert steps == sorted(steps)
    assert steps[0] < 1 < steps[-1]


def test_one_wild_batch_alone_never_alarms(reference: list[Cohort]) -> None:
    quiet = world(8, 20, rows=300)
    wild = quiet.assign(prediction=quiet["prediction"].where(quiet["day"] < 19, 1.0))
    found = stream(cohorts_of(wild, start=40), reference)
    assert WHOLE not in alarmed(found)
    assert found[WHOLE].ratio > stream(cohorts_of(quiet, start=40), reference)[WHOLE].ratio


def test_what_lies_further_back_than_91_batches_is_forgotten(reference: list[Cohort]) -> None:
    cohorts = cohorts_of(world(9, 120, rows=60, everybody=0.2, since=0), start=40)
    assert stream(cohorts, reference) == stream(cohorts[-REMEMBERED:], reference)
    later = [*cohorts_of(world(9, 29, rows=60, everybody=0.9), start=40), *cohorts[-REMEMBERED:]]
    assert stream(later, reference) == stream(cohorts, reference)


def test_the_reference_shifts_what_is_expected() -> None:
    before = cohorts_of(world(10, 40, rows=300, everybody=0.06))
    now = cohorts_of(world(11, 40, rows=300, everybody=0.06), start=40)
    assert alarmed(stream(now, before)) == set()
    better = stream(cohorts_of(world(11, 40, rows=300), start=40), before)
    assert WHOLE in alarmed(better)
    assert better[WHOLE].effect == pytest.approx(-0.06, abs=0.02)


def test_too_much_and_too_little_are_proven_alike(reference: list[Cohort]) -> None:
    def mirrored(frame: pd.DataFrame) -> list[Cohort]:
        return cohorts_of(frame.assign(prediction=1 - frame["prediction"], label=1 - frame["label"]), edges=())

    before, now = world(900, 40, rows=300), world(12, 40, rows=300, everybody=0.04)
    one = stream(cohorts_of(now, edges=()), cohorts_of(before, edges=()))
    other = stream(mirrored(now), mirrored(before))
    assert set(one) == set(other)
    for key, item in one.items():
        assert other[key].ratio == pytest.approx(item.ratio, rel=1e-6, abs=1e-9)
        assert other[key].effect == pytest.approx(-item.effect, abs=1e-9)
        assert other[key].since == item.since


def test_a_batch_without_labels_of_a_cell_leaves_what_is_known_of_it(reference: list[Cohort]) -> None:
    frame = world(13, 30, rows=300, carrier=0.06)
    gap = frame[~((frame["carrier"] == "UA") & frame["day"].between(10, 14))]
    without = frame[~frame["day"].between(10, 14)]
    one, other = (stream(cohorts_of(part, start=40), reference)[UA] for part in (gap, without))
    assert one.ratio == pytest.approx(other.ratio, rel=0.05)


def test_a_slice_that_the_reference_had_too_seldom_is_not_watched(reference: list[Cohort]) -> None:
    before = world(14, 40, rows=300)
    seldom = before[(before["carrier"] != "UA") | (before["day"] < 13)]
    now = cohorts_of(world(15, 40, rows=300, carrier=0.3), start=40)
    found = stream(now, cohorts_of(seldom))
    assert (found[UA].ratio, found[UA].effect) == (0.0, 0.0)
    assert UA in alarmed(stream(now, reference))


def test_a_cell_of_fewer_than_three_expected_events_a_batch_is_not_watched() -> None:
    for rows, watched in ((400, True), (15, False)):
        before = world(14, 40, rows=rows)
        now = cohorts_of(world(15, 60, rows=rows, everybody=0.3), start=40)
        found = stream(now, cohorts_of(before))
        expected = (before["prediction"] * (1 - before["prediction"])).sum() / 40
        assert (expected >= 3) == watched
        assert found[WHOLE].alarms == watched
        assert watched or {item.ratio for item in found.values()} == {0.0}
        assert stream(now, cohorts_of(before), binary=False)[WHOLE].alarms, "numbers have no events"


def test_errors_are_the_events_where_predictions_are_classes() -> None:
    frame = world(16, 100, rows=300)
    frame["prediction"] = np.where(
        np.random.default_rng(1).random(len(frame)) < 0.1, 1 - frame["label"], frame["label"]
    )
    before, now = frame[frame["day"] < 40], frame[frame["day"] >= 40]
    wrong = now.assign(prediction=now["prediction"].mask(np.random.default_rng(2).random(len(now)) < 0.1, 1.0))
    assert stream(cohorts_of(wrong), cohorts_of(before))[WHOLE].alarms
    assert not stream(cohorts_of(now), cohorts_of(before))[WHOLE].alarms


def test_a_longer_run_and_a_larger_tolerance_ask_for_more(reference: list[Cohort], lasting: list[Cohort]) -> None:
    ratios = [stream(lasting, reference, run_length=length, tolerance=1e-6)[UA].ratio for length in (50, 500, 5000)]
    assert ratios == sorted(ratios, reverse=True)
    item = stream(lasting, reference, tolerance=0.5)[UA]
    assert item.ratio == pytest.approx(abs(item.effect) / 0.5)


def test_every_figure_is_a_number_and_buckets_of_slices_are_left_to_the_windows(
    reference: list[Cohort], lasting: list[Cohort]
) -> None:
    for binary in (True, False):
        for item in stream(lasting, reference, binary=binary).values():
            assert item.key.family is not Family.CROSSED
            assert math.isfinite(item.ratio)
            assert item.ratio >= 0
            assert math.isfinite(item.effect)
            assert (item.since is None) == (item.batches == 0)


def test_a_perfect_model_has_no_evidence_against_it() -> None:
    frame = world(16, 60)
    found = stream(cohorts_of(frame.assign(prediction=frame["label"])))
    assert {item.ratio for item in found.values()} == {0.0}


def test_the_evidence_is_that_of_shiryaev_and_roberts_averaged() -> None:
    rng = np.random.default_rng(1)
    steps = np.minimum(rng.normal(0.3, 1, (40, 3, 2)), 4.0)
    usable = rng.random((40, 3)) < 0.9
    gains = _gains(steps, usable)
    found, began = _evidence(gains), _began(gains)
    for cell in range(3):
        levels, starts = [], []
        for side in range(2):
            for rate in RATES:
                r, logs = 0.0, []
                for batch in range(40):
                    known = bool(usable[batch, cell])
                    logs.append((rate * steps[batch, cell, side] - rate**2 / 2) * known)
                    r = (1 + r) * math.exp(logs[-1]) if known else r
                levels.append(r)
                starts.append(max((sum(logs[start:]), start) for start in range(41)))
        assert found[cell] == pytest.approx(math.log1p(sum(levels) / len(levels)), rel=1e-9)
        assert began[cell] == max(starts, key=lambda item: item[0])[1]


def test_without_a_sign_of_a_bias_none_has_begun() -> None:
    gains = _gains(np.full((20, 2, 2), -1.0), np.ones((20, 2), dtype=bool))
    assert _began(gains).tolist() == [20, 20]
    nothing = _gains(np.zeros((20, 2, 2)), np.zeros((20, 2), dtype=bool))
    assert _began(nothing).tolist() == [20, 20]
    assert _evidence(nothing).tolist() == [0, 0]


def test_the_evidence_of_the_longest_memory_of_the_wildest_scores_is_finite() -> None:
    gains = _gains(np.full((REMEMBERED, 1, 2), 4.0), np.ones((REMEMBERED, 1), dtype=bool))
    assert np.isfinite(_evidence(gains)).all()
    assert _began(gains).tolist() == [0]
