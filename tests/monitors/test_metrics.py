"""What is exported: never a NaN, never without bound, and a zero for everything that can still happen."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_monitors.breaker import Breaker, Decision, Override, State
from tidegate_monitors.cells import Cells, Kind
from tidegate_monitors.compare import Comparison
from tidegate_monitors.layout import Layout
from tidegate_monitors.metric_family import Family, Histogram
from tidegate_monitors.metrics import (
    DURATION_BOUNDS,
    LABEL_OUTCOMES,
    SERIES_MAXIMUM,
    STAGES,
    distributions,
    families,
    health,
)
from tidegate_monitors.metrics_snapshot import Dataset, Snapshot
from tidegate_monitors.observed import Observed
from tidegate_monitors.profile import Profile

LAYOUT = Layout(MappingProxyType({"full": Cells(Kind.NONE), "half": Cells(Kind.NONE), "gone": Cells(Kind.NONE)}))
PROFILE = Profile.of(pa.table({"full": [1.0, 2.0], "half": [1.0, math.nan]}), LAYOUT)

numbers = st.none() | st.floats()
counts = st.integers(0, 10**9)
comparisons = st.lists(
    st.builds(
        Comparison,
        column=st.none() | st.sampled_from(["a", "b", "ä"]),
        statistic=st.sampled_from(["psi", "location"]),
        check=st.just("drift"),
        score=st.none() | st.floats(0),
        direction=st.sampled_from([-1, 0, 1]),
        threshold=st.none() | st.floats(0),
    ),
    max_size=5,
)
moments = st.none() | st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
breakers = st.builds(
    Breaker,
    st.sampled_from(State),
    st.integers(0, 5),
    moments,
    override=st.none() | st.builds(Override, moments.filter(bool), st.just("ann"), st.just("a feast")),
)
observations = st.builds(
    Observed.of,
    st.just("flights"),
    comparisons,
    st.none() | st.just(PROFILE),
    st.lists(st.sampled_from(["info", "warning", "critical"])),
)
datasets = st.builds(
    Dataset,
    breaker=breakers,
    version=st.sampled_from(["", "1.0.0"]),
    owner=st.text(max_size=3),
    cadence=numbers,
    arrive_within=numbers,
    freshness=numbers,
    label_delay=numbers,
    last_completed=numbers,
    last_published=numbers,
    event_time_max=numbers,
    next_due=numbers,
    label_last=numbers,
    rows=st.none() | counts,
    observed=st.none() | observations,
    quarantined=counts,
    held=counts,
    quarantine_oldest=numbers,
    biases=st.dictionaries(
        st.tuples(st.sampled_from(["", "origin=EWR"]), st.sampled_from(["", "9"])), st.tuples(st.floats(), numbers)
    ),
    calibration=numbers,
    maturity=numbers,
    audit_entries=counts,
    audit_head=st.none() | st.sampled_from(["0" * 64, "f" * 64]),
)
snapshots = st.builds(
    Snapshot,
    version=st.just("0.1.0"),
    datasets=st.dictionaries(st.sampled_from(["flights", "orders", "visits"]), datasets),
    counters=st.just({}) | st.just({"batches": {("flights", "publish"): math.nan}}),
    durations=st.just({}) | st.just({"flights": Histogram([("1.0", 2.0), ("+Inf", 3.0)], 7.5)}),
    stages=st.just({}) | st.just({("flights", "decode"): Histogram([("+Inf", 3.0)], 1.5)}),
)


def _snapshot(counters: dict[str, dict[tuple[str, ...], float]] | None = None, **named: Dataset) -> Snapshot:
    return Snapshot("0.1.0", named, counters or {})


def _by_name(snapshot: Snapshot) -> dict[str, Family]:
    found = list(families(snapshot))
    assert len({family.name for family in found}) == len(found)
    return {family.name: family for family in found}


@given(snapshots)
def test_no_sample_is_ever_nan_or_infinite(snapshot: Snapshot) -> None:
    for family in families(snapshot):
        assert all(math.isfinite(value) for value in family.samples.values()), family.name


@given(snapshots)
def test_every_sample_has_a_value_for_each_label_and_every_family_says_what_it_is(snapshot: Snapshot) -> None:
    for family in families(snapshot):
        assert all(len(values) == len(family.labels) for values in family.samples), family.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert family.help.endswith(".")
        assert family.kind in ("counter", "gauge")


@given(snapshots)
def test_the_same_families_are_there_whatever_the_ledger_holds(snapshot: Snapshot) -> None:
    assert _by_name(snapshot).keys() == _by_name(_snapshot()).keys()


@given(snapshots)
def test_a_breaker_is_in_exactly_one_state(snapshot: Snapshot) -> None:
    samples = _by_name(snapshot)["breaker_state"].samples
    assert len(samples) == len(snapshot.datasets) * len(State)
    for name, dataset in snapshot.datasets.items():
        assert {state: samples[name, state.value] for state in State} == {
            state: float(state is dataset.breaker.state) for state in State
        }


def test_a_dataset_of_which_nothing_is_known_has_zeros_for_every_decision_and_state() -> None:
    found = _by_name(_snapshot(flights=Dataset()))
    assert found["batches"].samples == {("flights", decision.value): 0.0 for decision in Decision}
    assert found["breaker_transitions"].samples == {("flights", state.value): 0.0 for state in State}
    assert found["rows"].samples == found["rows_quarantined"].samples == {("flights",): 0.0}
    assert found["monitor_errors"].samples == {("flights", "gate"): 0.0, ("flights", "feedback_loop"): 0.0}
    assert found["overrides"].samples == found["unverified_batches"].samples == {("flights",): 0.0}
    words = ("publish", "quarantine", "hold", "halt")
    assert found["shadow_batches"].samples == {("flights", word): 0.0 for word in words}
    assert found["label_rows"].samples == {("flights", outcome): 0.0 for outcome in LABEL_OUTCOMES}
    assert found["quarantined_batches"].samples == found["held_batches"].samples == {("flights",): 0.0}
    assert found["audit_entries"].samples == {("flights",): 0.0}
    assert found["series_dropped"].samples == {(): 0.0}


def test_what_was_counted_takes_the_place_of_its_zero_only() -> None:
    counted = {"batches": {("flights", "publish"): 7.0}, "findings": {("flights", "drift", "warning"): 2.0}}
    found = _by_name(_snapshot(counted, flights=Dataset()))
    assert found["batches"].samples == {
        ("flights", "publish"): 7.0,
        ("flights", "quarantine"): 0.0,
        ("flights", "hold"): 0.0,
    }
    assert found["findings"].samples == {("flights", "drift", "warning"): 2.0}


def test_what_is_not_known_is_left_out_and_never_zero() -> None:
    found = _by_name(_snapshot(flights=Dataset()))
    for name in (
        "batch_last_completed_timestamp_seconds",
        "event_time_max_timestamp_seconds",
        "label_maturity_ratio",
        "prediction_bias",
        "drift_score",
        "contract_info",
        "breaker_last_transition_timestamp_seconds",
    ):
        assert found[name].samples == {}, name


def test_the_last_batch_is_told_by_column_and_statistic() -> None:
    seen = (
        Comparison("distance", "location", "drift", 3.0, 1, 1.5),
        Comparison("distance", "psi", "drift", 0.2),
        Comparison(None, "row_count", "volume", 0.1, -1, 0.4),
        Comparison("temp", "hellinger", "insufficient_evidence", None),
    )
    changed = datetime(2013, 4, 10, tzinfo=UTC)
    dataset = Dataset(
        Breaker(State.OPEN, 1, changed, "b"),
        "1.0.0",
        "ops",
        observed=Observed.of("flights", seen, PROFILE, ["info", "info", "critical"]),
        biases={("", ""): (-0.02, 0.5), ("origin=EWR", ""): (0.1, None)},
        calibration=0.03,
        maturity=0.9,
    )
    found = _by_name(_snapshot(flights=dataset))
    assert found["drift_score"].samples == {
        ("flights", "distance", "", "location"): 3.0,
        ("flights", "distance", "", "psi"): 0.2,
        ("flights", "", "", "row_count"): 0.1,
    }
    assert found["drift_score_ratio"].samples == {
        ("flights", "distance", "", "location"): 2.0,
        ("flights", "", "", "row_count"): pytest.approx(0.25),
    }
    assert found["insufficient_evidence"].samples == {("flights", "temp"): 1.0}
    assert found["missing_ratio"].samples == {
        ("flights", "full"): 0.0,
        ("flights", "half"): 0.5,
        ("flights", "gone"): 1.0,
    }
    assert found["batch_findings"].samples == {
        ("flights", "info"): 2.0,
        ("flights", "warning"): 0.0,
        ("flights", "critical"): 1.0,
    }
    assert found["prediction_bias"].samples == {("flights", "", ""): -0.02, ("flights", "origin=EWR", ""): 0.1}
    assert found["prediction_bias_score_ratio"].samples == {("flights", "", ""): 0.5}
    assert found["calibration_error"].samples == {("flights",): 0.03}
    assert found["label_maturity_ratio"].samples == {("flights",): 0.9}
    assert found["contract_info"].samples == {("flights", "1.0.0", "ops"): 1.0}
    assert found["breaker_last_transition_timestamp_seconds"].samples == {("flights",): changed.timestamp()}


def _many(dataset: str, columns: int, score: Any = 1.0) -> Dataset:
    seen = [Comparison(f"column {n}", "psi", "drift", score) for n in range(columns)]
    return Dataset(observed=Observed.of(dataset, seen))


@pytest.mark.parametrize("columns", [SERIES_MAXIMUM - 1, SERIES_MAXIMUM, SERIES_MAXIMUM + 1, 3 * SERIES_MAXIMUM])
def test_series_are_bounded_and_what_is_dropped_is_counted(columns: int) -> None:
    found = _by_name(_snapshot(wide=_many("wide", columns)))
    kept = len(found["drift_score"].samples)
    assert kept == min(columns, SERIES_MAXIMUM)
    assert found["series_dropped"].samples == {(): float(columns - kept)}


def test_a_wide_dataset_takes_no_series_from_another_one() -> None:
    found = {
        family.name: family
        for family in families(_snapshot(a_wide=_many("a_wide", 9), narrow=_many("narrow", 2)), series=3)
    }
    kept = [(dataset, column) for dataset, column, _, _ in found["drift_score"].samples]
    assert kept == [("a_wide", f"column {n}") for n in range(3)] + [("narrow", f"column {n}") for n in range(2)]
    whole = families(_snapshot(a_wide=_many("a_wide", 9), narrow=_many("narrow", 2)))
    left_out = sum(len(family.samples) - len(found[family.name].samples) for family in whole)
    assert found["series_dropped"].samples[()] == left_out


def test_a_score_that_is_no_number_is_dropped_visibly() -> None:
    found = _by_name(_snapshot(flights=_many("flights", 3, math.nan)))
    assert found["drift_score"].samples == {}
    assert found["series_dropped"].samples == {(): 3.0}


def test_a_score_above_a_threshold_of_zero_has_a_ratio_that_is_a_number() -> None:
    at_zero = [Comparison("a", "x", "drift", 0.0, 0, 0.0), Comparison("b", "x", "drift", 0.1, 0, 0.0)]
    ratios = _by_name(_snapshot(flights=Dataset(observed=Observed.of("flights", at_zero))))["drift_score_ratio"].samples
    assert ratios["flights", "a", "", "x"] == 0
    assert 1 < ratios["flights", "b", "", "x"] < math.inf


def test_the_head_of_the_audit_is_a_label_so_that_prometheus_keeps_it_elsewhere() -> None:
    found = _by_name(_snapshot(flights=Dataset(audit_head="f" * 64), orders=Dataset()))
    assert found["audit_head_info"].samples == {("flights", "f" * 64): 1.0}


def test_an_override_is_told_until_when_it_holds_also_when_it_is_over() -> None:
    until = datetime(2013, 4, 11, tzinfo=UTC)
    dataset = Dataset(Breaker(State.OPEN, override=Override(until, "ann", "a feast")))
    found = _by_name(_snapshot(flights=dataset, orders=Dataset()))
    assert found["override_until_timestamp_seconds"].samples == {("flights",): until.timestamp()}


def test_what_a_contract_promises_is_told_in_seconds_and_what_it_does_not_is_not() -> None:
    told = Dataset(version="1.0.0", cadence=86_400.0, arrive_within=3600.0, freshness=7200.0, label_delay=0.0)
    found = _by_name(_snapshot(flights=told, orders=Dataset(version="1.0.0")))
    for name, seconds in (
        ("expected_interval_seconds", 86_400.0),
        ("arrive_within_seconds", 3600.0),
        ("max_staleness_seconds", 7200.0),
        ("label_delay_seconds", 0.0),
    ):
        assert found[name].samples == {("flights",): seconds}


def test_times_are_zero_before_any_batch_and_their_buckets_are_always_the_same() -> None:
    counted = Histogram([(str(bound), 1.0) for bound in DURATION_BOUNDS] + [("+Inf", 2.0)], 400.0)
    snapshot = Snapshot(
        "0.1.0",
        {"flights": Dataset(), "orders": Dataset()},
        durations={"flights": counted},
        stages={("flights", "decode"): Histogram([("+Inf", 2.0)], 1.5)},
    )
    durations, stages = distributions(snapshot)
    assert durations.samples["flights",] is counted
    assert durations.samples["orders",].count == durations.samples["orders",].sum == 0.0
    assert [limit for limit, _ in durations.samples["orders",].buckets] == [limit for limit, _ in counted.buckets]
    assert stages.samples["flights", "decode"].sum == 1.5
    assert {stage for dataset, stage in stages.samples if dataset == "orders"} == set(STAGES)


@pytest.mark.parametrize("up", [True, False])
def test_health_is_told_without_a_ledger_too(up: bool) -> None:
    found = {family.name: family.samples[()] for family in health(up=up, seconds=0.25)}
    assert found == {"ledger_up": float(up), "collect_duration_seconds": 0.25}
