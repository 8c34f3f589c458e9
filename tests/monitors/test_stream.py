"""Slow drift is found by adding up, and nothing is found where nothing drifts."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_contracts.errors import UsageError
from tidegate_monitors.long_run import calendar, long_run_sds
from tidegate_monitors.pit import Pit
from tidegate_monitors.stream import RATES, SlowDrift, Stream, advance, evidence_cap, ratios, slow_drifts, step
from tidegate_monitors.watch import EFFECT_FLOOR, EXCESS_MAXIMUM, Watch, average_run_length

Floats = npt.NDArray[np.float64]

ROWS = 1000
NOISE = ROWS**-0.5
BLOCKS = 20
COLUMNS = 30


def _days(blocks: int) -> list[date]:
    return [date(2024, 1, 1) + timedelta(days=number) for number in range(blocks)]


def _levels(rng: np.random.Generator, batches: int, columns: int = COLUMNS) -> Floats:
    """Means of 1,000 independent rows in standard deviations, shape (columns, batches)."""
    return rng.standard_normal((columns, batches)) * NOISE


def _watch(reference: Floats, **arguments: Any) -> Watch:
    named = {f"c{number}": values for number, values in enumerate(reference)}
    return Watch.fit("sha", named, _days(reference.shape[1]), **({"noise": NOISE} | arguments))


def _run(watch: Watch, levels: Floats, stream: Stream | None = None, first: int = 0) -> Stream:
    stream = stream or Stream.fresh(watch.reference)
    for number, batch in enumerate(levels.T, first):
        stream = step(stream, watch, {f"c{i}": float(level) for i, level in enumerate(batch)}, f"b{number}")
    return stream


def _first_alarm(watch: Watch, levels: Floats) -> tuple[int, list[SlowDrift]]:
    stream = Stream.fresh(watch.reference)
    for number in range(levels.shape[1]):
        stream = _run(watch, levels[:, number : number + 1], stream, number)
        if found := list(slow_drifts(stream, watch)):
            return number + 1, found
    return levels.shape[1] + 1, []


def _scenario(
    rng: np.random.Generator, batches: int, blocks: int = BLOCKS, columns: int = COLUMNS
) -> tuple[Watch, Floats]:
    """A watch, and the levels of batches after it, held against the reference's own mean."""
    drawn = _levels(rng, blocks + batches, columns)
    centred = drawn - drawn[:, :blocks].mean(axis=1, keepdims=True)
    return _watch(centred[:, :blocks]), centred[:, blocks:]


# what the stream is for


def _excess(watch: Watch, levels: Floats) -> Floats:
    """What :meth:`Gauge.excess` gives for all levels at once, shape (columns, batches, 2)."""
    found = []
    for gauge, values in zip(watch.gauges.values(), levels, strict=True):
        scores = gauge.pit(values)
        found.append(np.stack([scores - gauge.margin, -scores - gauge.margin], axis=-1) / gauge.sd)
    return np.clip(np.array(found), -EXCESS_MAXIMUM, EXCESS_MAXIMUM)


def test_nothing_alarms_in_batches_like_the_reference_and_a_slow_drift_is_found_in_time() -> None:
    """Forty references of 20 blocks and 30 columns, 1,000 quiet batches each; then .01 standard deviations a batch.

    A run length of 1,000 would allow about one alarm a reference. The margin makes them so much rarer that longer
    simulations met none in 120 references, so that one in 40 is a slack of its own. The drift was found within 15
    batches in .95 of cases or a little more; 40 draws at .95 give 33 or more with probability .999.
    """
    rng = np.random.default_rng(7)
    scenarios = [_scenario(rng, 1000) for _ in range(40)]
    excess = np.array([_excess(watch, levels) for watch, levels in scenarios])
    cap, threshold = evidence_cap(scenarios[0][0]), scenarios[0][0].threshold
    evidence = np.zeros((*excess.shape[:2], 2, len(RATES)))
    alarmed = np.zeros(40, dtype=bool)
    for number in range(1000):
        evidence = advance(evidence, excess[:, :, number], cap)
        alarmed |= (np.log(np.exp(evidence).mean(axis=(2, 3))) > threshold).any(axis=1)
    assert alarmed.sum() <= 1
    in_time = 0
    for watch, levels in scenarios:
        levels[0, :15] += 0.01 * np.arange(1, 16)
        in_time += any(found.column == "c0" for found in _first_alarm(watch, levels[:, :15])[1])
    assert in_time >= 33


def test_many_steps_at_once_are_what_single_steps_give() -> None:
    watch, levels = _scenario(np.random.default_rng(8), 5)
    evidence = np.zeros((COLUMNS, 2, len(RATES)))
    for excess in _excess(watch, levels).swapaxes(0, 1):
        evidence = advance(evidence, excess, evidence_cap(watch))
    assert np.array_equal(evidence, [track.evidence for track in _run(watch, levels).tracks.values()])


@pytest.mark.parametrize("direction", [1, -1])
def test_a_finding_says_which_way_since_when_and_how_far(direction: int) -> None:
    watch, levels = _scenario(np.random.default_rng(11), 130, blocks=60)
    levels[3, 100:] += direction * 0.01 * np.arange(1, 31)
    after, [found] = _first_alarm(watch, levels)
    assert 105 <= after <= 116
    assert (found.column, found.direction, found.level) == ("c3", direction, pytest.approx(levels[3, after - 1]))
    assert found.ratio > 1
    assert found.since is not None
    assert 98 <= int(found.since.removeprefix("b")) <= 108
    assert found.batches == after - int(found.since.removeprefix("b"))


def test_a_shift_that_stays_is_found_and_one_below_the_effect_floor_is_not() -> None:
    rng = np.random.default_rng(12)
    reference, later = _levels(rng, 90, 3) / 10, _levels(rng, 300, 3) / 10  # quiet levels: the floor decides
    watch = _watch(reference - reference.mean(axis=1, keepdims=True), noise=0.0)
    assert _first_alarm(watch, later + EFFECT_FLOOR / 2)[1] == []
    assert _first_alarm(watch, later + EFFECT_FLOOR * 1.5)[0] <= 15


def test_one_batch_alone_never_alarms_however_odd() -> None:
    watch, levels = _scenario(np.random.default_rng(13), 60, columns=5)
    for odd in (0.5, 1e3, -1e300):
        changed = levels.copy()
        changed[:, 30] = odd
        assert _first_alarm(watch, changed)[1] == []


def test_an_alarm_ends_soon_after_the_drift_has() -> None:
    watch, levels = _scenario(np.random.default_rng(14), 260, blocks=60, columns=3)
    levels[0, :200] += 0.2
    assert list(slow_drifts(_run(watch, levels[:, :200]), watch))
    assert not list(slow_drifts(_run(watch, levels[:, :240]), watch))


def test_columns_whose_blocks_are_all_alike_are_measured_by_the_effect_floor() -> None:
    watch = _watch(np.full((2, BLOCKS), 0.3))
    still = np.full((2, 100), 0.3)
    assert _first_alarm(watch, still + EFFECT_FLOOR / 2)[1] == []
    assert _first_alarm(watch, still + EFFECT_FLOOR * 4)[0] <= 10


# what holds for all levels

numbers = st.floats(allow_nan=False, allow_infinity=False)
references = st.integers(5, 40).flatmap(
    lambda blocks: st.lists(st.lists(numbers, min_size=blocks, max_size=blocks), min_size=1, max_size=3)
)


@given(references, st.lists(st.lists(numbers, min_size=3, max_size=3), max_size=12))
def test_nothing_is_ever_nan_or_infinite(reference: list[list[float]], batches: list[list[float]]) -> None:
    watch = _watch(np.array(reference), noise=0.0)
    stream = _run(watch, np.array(batches).T.reshape(3, -1))
    json.dumps(stream.to_dict(), allow_nan=False)
    assert all(math.isfinite(ratio) and 0 <= ratio < 2 for ratio in ratios(stream, watch).values())
    for gauge in watch.gauges.values():
        assert math.isfinite(gauge.margin)
        assert gauge.sd >= 1


@given(st.integers(0, 2**32), st.sampled_from([5, 20, 60]))
def test_the_references_own_levels_do_not_alarm(seed: int, blocks: int) -> None:
    drawn = np.random.default_rng(seed).standard_t(3, (3, blocks))
    drawn -= drawn.mean(axis=1, keepdims=True)
    watch = _watch(drawn)
    assert max(ratios(_run(watch, drawn), watch).values()) < 1


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_the_order_of_columns_does_not_matter(seed: int, batches: int) -> None:
    rng = np.random.default_rng(seed)
    reference, levels = _levels(rng, BLOCKS, 4), _levels(rng, batches, 4) + 0.05
    turned = {f"c{number}": reference[number] for number in (2, 0, 3, 1)}
    one, other = _watch(reference), Watch.fit("sha", turned, _days(BLOCKS), noise=NOISE)
    first, second = ratios(_run(one, levels), one), ratios(_run(other, levels), other)
    assert first == pytest.approx(second)


@given(st.integers(0, 2**32), st.integers(-12, 12))
def test_the_unit_of_a_level_does_not_matter(seed: int, power: int) -> None:
    rng = np.random.default_rng(seed)
    factor = 2.0**power
    reference, levels = _levels(rng, BLOCKS, 3), _levels(rng, 20, 3) + 0.05
    one = _watch(reference)
    other = _watch(reference * factor, noise=NOISE * factor, effect_floor=EFFECT_FLOOR * factor)
    first, second = ratios(_run(one, levels), one), ratios(_run(other, levels * factor), other)
    assert first == pytest.approx(second)


@given(st.integers(0, 2**32), st.integers(0, 30))
def test_the_state_survives_json_and_goes_on_as_if_nothing_had_happened(seed: int, batches: int) -> None:
    rng = np.random.default_rng(seed)
    watch, levels = _watch(_levels(rng, BLOCKS, 3)), _levels(rng, batches + 5, 3) + 0.04
    before = _run(watch, levels[:, :batches])
    read = Stream.from_dict(json.loads(json.dumps(before.to_dict(), allow_nan=False)))
    assert read == before
    assert _run(watch, levels[:, batches:], read, batches) == _run(watch, levels)


# what a step leaves alone


def test_a_batch_without_levels_changes_nothing_and_a_column_without_one_keeps_its_state() -> None:
    watch, levels = _scenario(np.random.default_rng(15), 10)
    stream = _run(watch, levels)
    assert step(stream, watch, {}, "empty") == stream
    assert step(stream, watch, dict.fromkeys(watch.gauges), "empty") == stream
    assert step(stream, watch, {"c0": math.nan, "unknown": 3.0}, "empty") == stream
    after = step(stream, watch, {"c1": 0.1}, "thin")
    assert after.steps == stream.steps + 1
    assert [name for name in watch.gauges if after.tracks[name] != stream.tracks[name]] == ["c1"]


def test_a_new_reference_begins_anew() -> None:
    watch, levels = _scenario(np.random.default_rng(16), 40)
    stream = _run(watch, levels + 0.2)
    assert list(slow_drifts(stream, watch))
    other = Watch("new", watch.gauges, watch.run_length)
    assert list(slow_drifts(stream, other)) == []
    assert step(stream, other, {}, "b40") == Stream.fresh("new")
    assert step(stream, other, {"c0": 0.0}, "b40").steps == 1


def test_a_state_that_is_newer_or_is_none_is_refused() -> None:
    good = _run(*_scenario(np.random.default_rng(17), 3)).to_dict()
    with pytest.raises(UsageError, match="newer format"):
        Stream.from_dict(good | {"format": 2})
    infinite = good | {"columns": {"c0": good["columns"]["c0"] | {"up": {"evidence": [math.inf] * 9, "rise": 0}}}}
    for bad in ({}, good | {"columns": {"c0": {}}}, infinite, good | {"format": "one"}):
        with pytest.raises(UsageError, match="no stream"):
            Stream.from_dict(bad)


# the watch


def test_fewer_than_five_levels_are_not_watched_and_gaps_are_left_out() -> None:
    levels = _levels(np.random.default_rng(18), BLOCKS, 2)
    levels[0, 4:] = np.nan
    levels[1, ::2] = np.nan
    assert list(_watch(levels).gauges) == ["c1"]
    assert Watch.fit("sha", {}, []).gauges == {}


@pytest.mark.parametrize(
    "arguments",
    [{"run_length": 0.5}, {"run_length": math.nan}, {"effect_floor": 0.0}, {"effect_floor": {}}, {"noise": -1.0}],
)
def test_numbers_that_cannot_be_meant_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="stream: "):
        _watch(_levels(np.random.default_rng(19), BLOCKS, 2), **arguments)
    with pytest.raises(UsageError, match="levels of 'c0'"):
        Watch.fit("sha", {"c0": np.zeros(9)}, _days(BLOCKS))


def test_the_run_length_follows_the_budget_and_is_a_thousand_at_least() -> None:
    assert [average_run_length(one_in) for one_in in (2, 50, 51, 1000)] == [1000, 1000, 1020, 20_000]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.lists(st.floats(-1e7, 1e7), min_size=2))
def test_a_higher_level_never_has_a_lower_score(blocks: list[float], levels: list[float]) -> None:
    scores = Pit.fit(np.array(blocks), EFFECT_FLOOR)(np.sort(np.array(levels)))
    assert (np.diff(scores) >= -1e-9 * (1 + np.abs(scores[1:]))).all()


def _wandering(rng: np.random.Generator, columns: int, blocks: int, correlation: float) -> list[Floats]:
    scores = rng.standard_normal((columns, blocks))
    for number in range(1, blocks):
        fresh = math.sqrt(1 - correlation**2) * scores[:, number]
        scores[:, number] = correlation * scores[:, number - 1] + fresh
    return list(scores)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("blocks", [30, 90])
def test_the_long_run_sd_is_that_of_correlated_blocks(correlation: float, blocks: int) -> None:
    rng = np.random.default_rng(20)
    scores = _wandering(rng, 200, blocks, correlation)
    found = np.median(long_run_sds(scores, [calendar(_days(blocks))] * 200))
    assert 0.8 < found / math.sqrt((1 + correlation) / (1 - correlation)) < 1.15


def test_a_pattern_of_weekdays_and_gaps_between_blocks_do_not_raise_the_long_run_sd() -> None:
    rng = np.random.default_rng(21)
    week = rng.standard_normal((100, 84)) / 2 + rng.standard_normal((100, 7))[:, np.arange(84) % 7]
    every_other = [day for number, day in enumerate(_days(84)) if number % 2 == 0]
    assert long_run_sds(list(week), [calendar(_days(84))] * 100).mean() < 1.1
    assert long_run_sds(list(rng.standard_normal((100, 42))), [calendar(every_other)] * 100).mean() < 1.15


def test_a_season_longer_than_weeks_is_seen_once_the_reference_is_longer_than_a_quarter() -> None:
    rng = np.random.default_rng(22)
    season = np.sin(np.arange(180) / 180 * 2 * math.pi) + rng.standard_normal((20, 180))
    year, quarter = (
        long_run_sds(list(season[:, :blocks]), [calendar(_days(blocks))] * 20).mean() for blocks in (180, 92)
    )
    assert year > 3
    assert quarter < year


def test_batches_that_lie_closer_than_the_blocks_widen_the_scale() -> None:
    levels = {"x": np.random.default_rng(80).normal(0, 0.1, 60)}
    one, four = (Watch.fit("r", levels, [None] * 60, spacing=spacing).gauges["x"] for spacing in (1.0, 4.0))
    assert four.sd == pytest.approx(2 * one.sd)
    assert four.margin >= one.margin
    with pytest.raises(UsageError, match="spacing"):
        Watch.fit("r", levels, [None] * 60, spacing=0.5)
