"""One exceedance is information, the same one twice in a row is a warning, and one cause is one finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandera.pandas as pp
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.check import check
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.alarms import alarms
from tidegate_monitors.compare import compare
from tidegate_monitors.comparison import Comparison, Place, exceeded
from tidegate_monitors.faults.class_collapse import class_collapse
from tidegate_monitors.faults.unit_change import unit_change
from tidegate_monitors.fold import fold
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.statistics import statistics
from tidegate_monitors.verdict import Verdict, decide, observe

DAY = date(2013, 5, 8)


class Readings(pp.DataFrameModel):
    """Columns whose drift matters differently."""

    usual: float = pp.Field(nullable=True)
    told: float = pp.Field(nullable=True, metadata={"drift": "info"})
    grave: float = pp.Field(nullable=True, metadata={"drift": "critical"})


READINGS = tg.Contract(name="readings", version="1.0.0", owner="lab", schema=Readings)


def _comparison(
    column: str | None = "usual", statistic: str = "location", direction: int = 1, ratio: float = 2.0
) -> Comparison:
    return Comparison(column, statistic, statistics()[statistic].check, ratio, direction, threshold=1.0)


def _alarms(
    *comparisons: Comparison, previous: set[Place] | None = None, contract: tg.Contract = READINGS
) -> list[Alarm]:
    return list(alarms(comparisons, dict.fromkeys(previous or ()), contract))


def test_one_exceedance_is_information() -> None:
    found = _alarms(_comparison())
    assert [(alarm.check, alarm.column, alarm.severity) for alarm in found] == [("drift", "usual", Severity.INFO)]
    assert (found[0].score, found[0].threshold) == (2.0, 1.0)


def test_two_exceedances_of_the_same_place_in_a_row_are_a_warning() -> None:
    again = _comparison(ratio=1.5)
    found = _alarms(again, previous={_comparison().place})
    assert [alarm.severity for alarm in found] == [Severity.WARNING]
    assert "second batch in a row" in found[0].message


@pytest.mark.parametrize(
    "other", [_comparison("told"), _comparison(statistic="spread"), _comparison(direction=-1), _comparison(None)]
)
def test_an_exceedance_elsewhere_or_to_the_other_side_confirms_nothing(other: Comparison) -> None:
    assert [alarm.severity for alarm in _alarms(_comparison(), previous={other.place})] == [Severity.INFO]


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_a_score_up_to_its_threshold_is_no_alarm(ratio: float) -> None:
    assert _alarms(_comparison(ratio=ratio), previous={_comparison().place}) == []


def test_a_score_without_a_threshold_is_no_alarm() -> None:
    assert _alarms(replace(_comparison("usual", "psi"), threshold=None)) == []


def test_a_column_speaks_once_by_what_stands_out_most() -> None:
    found = _alarms(_comparison(ratio=2), _comparison(statistic="spread", ratio=5), _comparison(statistic="hellinger"))
    assert len(found) == 1
    assert "spread" in found[0].message


def test_what_is_confirmed_speaks_before_what_is_merely_larger() -> None:
    confirmed = _comparison(ratio=1.1)
    found = _alarms(_comparison(statistic="spread", ratio=5), confirmed, previous={confirmed.place})
    assert [(alarm.severity, alarm.score) for alarm in found] == [(Severity.WARNING, 1.1)]


def test_missing_values_and_rows_are_told_apart_from_drift() -> None:
    found = _alarms(_comparison(), _comparison(statistic="missing_rate"), _comparison(None, "row_count", -1))
    assert {(alarm.check, alarm.column) for alarm in found} == {
        ("drift", "usual"),
        ("missingness_jump", "usual"),
        ("volume", None),
    }
    assert all(alarm.severity is Severity.INFO for alarm in found)


@pytest.mark.parametrize(
    "statistic", [item.name for item in statistics().values() if item.family and item.name != "row_count"]
)
def test_a_column_whose_drift_is_information_is_never_a_warning(statistic: str) -> None:
    again = _comparison("told", statistic, ratio=50)
    assert [alarm.severity for alarm in _alarms(again, previous={again.place})] == [Severity.INFO]


def test_a_column_whose_drift_is_critical_stops_the_batch_when_confirmed_only() -> None:
    again = _comparison("grave")
    assert [alarm.severity for alarm in _alarms(again)] == [Severity.INFO]
    assert [alarm.severity for alarm in _alarms(again, previous={again.place})] == [Severity.CRITICAL]


def test_the_word_of_the_column_stands_above_that_of_the_contract() -> None:
    stern = replace(READINGS, severity={"drift": "critical", "volume": "critical"})
    places = [_comparison(name) for name in ("usual", "told", "grave")] + [_comparison(None, "row_count")]
    found = _alarms(*places, previous={item.place for item in places}, contract=stern)
    assert {alarm.column: alarm.severity.value for alarm in found} == {
        "usual": "critical",
        "told": "info",
        "grave": "critical",
        None: "critical",
    }


def test_too_little_evidence_is_told_and_is_neither_pass_nor_alarm() -> None:
    found = _alarms(Comparison("usual", "hellinger", "insufficient_evidence", None))
    assert [(alarm.kind, alarm.severity, alarm.score) for alarm in found] == [
        ("insufficient_evidence", Severity.INFO, None)
    ]


severities = st.sampled_from(list(Severity))
columns = st.sampled_from(["usual", "told", "grave"])
rule_alarms = st.lists(
    st.builds(
        Alarm,
        st.sampled_from(["unit_change", "category_change", "zero_variance", "missingness_jump"]),
        severities,
        st.just("a rule"),
        columns,
    ),
    max_size=4,
    unique_by=lambda alarm: (alarm.check, alarm.column),
)
drift_alarms = st.lists(
    st.builds(
        Alarm,
        st.sampled_from(["drift", "prediction_drift", "missingness_jump"]),
        severities,
        st.just("a drift"),
        columns,
    )
    | st.builds(Alarm, st.just("volume"), severities, st.just("rows")),
    max_size=5,
    unique_by=lambda alarm: (alarm.check, alarm.column),
)


@given(rule_alarms, drift_alarms)
def test_folding_loses_no_rule_and_lists_every_drift_once(rules: list[Alarm], drifts: list[Alarm]) -> None:
    found = fold(rules, drifts)
    kept_rules, left = found[: len(rules)], found[len(rules) :]
    told = zip(kept_rules, rules, strict=True)
    assert [replace(alarm, folded=(), severity=rule.severity) for alarm, rule in told] == rules
    for drift in drifts:
        hosts = [alarm for alarm in kept_rules if alarm.column == drift.column]
        absorbed = any(drift.check in alarm.folded or drift.check == alarm.check for alarm in hosts)
        assert absorbed is (drift not in left)
    assert all(alarm in drifts for alarm in left)


@given(rule_alarms, drift_alarms)
def test_a_rule_absorbs_drift_on_its_own_column_only(rules: list[Alarm], drifts: list[Alarm]) -> None:
    left = fold(rules, drifts)[len(rules) :]
    ruled = {alarm.column for alarm in rules}
    for drift in drifts:
        if drift.column not in ruled:
            assert drift in left
        elif drift.check in ("drift", "prediction_drift"):
            assert drift not in left


@given(rule_alarms, drift_alarms)
def test_folding_never_makes_a_verdict_milder(rules: list[Alarm], drifts: list[Alarm]) -> None:
    before, after = [*rules, *drifts], fold(rules, drifts)
    assert max((alarm.severity.rank for alarm in after), default=-1) == max(
        (alarm.severity.rank for alarm in before), default=-1
    )


@given(drift_alarms)
def test_folding_without_a_rule_changes_nothing(drifts: list[Alarm]) -> None:
    assert fold([], drifts) == tuple(drifts)


@given(
    st.builds(
        Alarm,
        check=st.sampled_from(["drift", "volume"]),
        severity=severities,
        message=st.text(max_size=5),
        column=st.none() | columns,
        slice=st.none() | st.just("origin=JFK"),
        score=st.none() | st.floats(0, 10),
        threshold=st.none() | st.floats(0, 10),
        folded=st.lists(st.sampled_from(["drift", "volume"]), max_size=2).map(tuple),
        kind=st.sampled_from(("alarm", "insufficient_evidence")),
    )
)
def test_an_alarm_survives_its_json(alarm: Alarm) -> None:
    assert Alarm.from_dict(alarm.to_dict()) == alarm


# the same on real days


def _verdict(
    table: Any, reference: Reference, contract: tg.Contract, previous: Mapping[Place, str | None] | None = None
) -> Verdict:
    batch = Batch(contract.name, "b", Source("b.parquet", ".parquet", "", 0), table, table)
    rng = np.random.default_rng(50)
    observation = observe(check(batch, contract), Profile.of(table, reference.layout), reference, contract, rng)
    return decide(observation, previous or {}, contract)


def _short_flights(table: Any) -> Any:
    """A day on which most of the long flights were not delivered."""
    near = pc.less(table["distance"], 1000)
    every_sixth = pa.array([row % 6 == 0 for row in range(table.num_rows)])
    return table.filter(pc.or_(near, every_sixth))


@pytest.mark.parametrize(
    ("column", "rule", "drift", "put"),
    [
        ("distance", "unit_change", "drift", lambda table: unit_change(table, "distance", 1.609344)),
        (
            "p_late",
            "class_collapse",
            "prediction_drift",
            lambda table: class_collapse(table, "p_late", np.random.default_rng(1)),
        ),
    ],
)
def test_a_rule_absorbs_the_drift_that_its_fault_causes(
    column: str,
    rule: str,
    drift: str,
    put: Callable[[Any], Any],
    deliveries: dict[date, Any],
    reference: Reference,
    flights_contract: tg.Contract,
) -> None:
    faulty = put(deliveries[DAY])
    rng = np.random.default_rng(51)
    found = compare(Profile.of(faulty, reference.layout), reference, flights_contract, rng)
    assert {item.check for item in found if item.column == column and item.exceeds} == {drift}
    verdict = _verdict(faulty, reference, flights_contract)
    on_column = [finding for finding in verdict.findings if finding.column == column]
    assert [finding.check for finding in on_column] == [rule]
    assert isinstance(on_column[0], Alarm)
    assert set(on_column[0].folded) - {"joint_drift"} == {drift}
    assert not verdict.passed


def test_a_drift_is_information_on_the_first_day_and_a_warning_on_the_second(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    first = _verdict(_short_flights(deliveries[DAY]), reference, flights_contract)
    tomorrow = _short_flights(deliveries[DAY + timedelta(days=1)])
    second = _verdict(tomorrow, reference, flights_contract, exceeded(first.comparisons))
    for verdict, severity in ((first, Severity.INFO), (second, Severity.WARNING)):
        assert [f.severity for f in verdict.findings if (f.check, f.column) == ("drift", "distance")] == [severity]
        assert verdict.passed


def test_a_good_day_in_between_makes_the_next_drift_information_again(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    between = _verdict(deliveries[DAY], reference, flights_contract)
    again = _verdict(
        _short_flights(deliveries[DAY + timedelta(days=1)]), reference, flights_contract, exceeded(between.comparisons)
    )
    assert [f.severity for f in again.findings if f.column == "distance"] == [Severity.INFO]


def test_weather_is_told_and_never_a_warning(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    weather = {name for name, column in flights_contract.columns.items() if column.drift == "info"}
    rng = np.random.default_rng(52)
    previous: set[Place] = set()
    told = 0
    summer = [profile for day, profile in natural.items() if date(2013, 7, 1) <= day <= date(2013, 7, 31)]
    for profile in summer:
        comparisons = compare(profile, reference, flights_contract, rng)
        found = [a for a in alarms(comparisons, dict.fromkeys(previous), flights_contract) if a.column in weather]
        assert {alarm.severity for alarm in found} <= {Severity.INFO}
        told += len(found)
        previous = {item.place for item in comparisons if item.exceeds}
    assert told > 0


def test_without_a_reference_only_the_contract_is_checked_and_that_is_said(
    deliveries: dict[date, Any], flights_contract: tg.Contract
) -> None:
    table = deliveries[DAY]
    batch = Batch(flights_contract.name, "b", Source("b", "", "", 0), table, table)
    profile = Profile.of(table, Layout.plain(flights_contract))
    seen = observe(check(batch, flights_contract), profile, None, flights_contract, np.random.default_rng(0))
    verdict = decide(seen, {}, flights_contract)
    assert [(finding.check, finding.kind) for finding in verdict.findings] == [
        ("insufficient_evidence", "insufficient_evidence")
    ]
    assert verdict.passed


def test_findings_stand_with_the_worst_first(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = unit_change(_short_flights(deliveries[DAY]), "pressure", 100)
    first = _verdict(table, reference, flights_contract)
    verdict = _verdict(table, reference, flights_contract, exceeded(first.comparisons))
    ranks = [finding.severity.rank for finding in verdict.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == 3
    assert verdict.findings[0].kind == "violation"
