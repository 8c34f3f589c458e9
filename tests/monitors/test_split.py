"""The audits of a split: each fault, put into real flights, is found under its name, and the honest twin is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.severity import Severity
from tidegate_monitors.faults.annotator_bias import annotator_bias
from tidegate_monitors.faults.class_imbalance import class_imbalance
from tidegate_monitors.faults.conflicting_labels import conflicting_labels
from tidegate_monitors.faults.feature_leak import feature_leak
from tidegate_monitors.faults.low_coverage_signal import low_coverage_signal
from tidegate_monitors.faults.redundant_feature import redundant_feature
from tidegate_monitors.faults.scaler_leak import scaler_leak
from tidegate_monitors.faults.sorted_rows import sorted_rows
from tidegate_monitors.faults.split_duplicates import split_duplicates
from tidegate_monitors.faults.split_entity_overlap import split_entity_overlap
from tidegate_monitors.faults.split_time_overlap import split_time_overlap
from tidegate_monitors.faults.spurious_cue import spurious_cue
from tidegate_monitors.faults.training_serving_skew import training_serving_skew
from tidegate_monitors.faults.unknown_labels import unknown_labels
from tidegate_monitors.finding import Finding
from tidegate_monitors.split import Split, audits, findings
from tidegate_monitors.split.different_test_data import fingerprint

Pair = tuple[Any, Any]


def _batch(table: Any) -> Batch:
    return Batch("flights", "b", Source("b.parquet", ".parquet", "", 0), table, table)


def _split(pair: Pair, contract: tg.Contract, **more: Any) -> Split:
    return Split(_batch(pair[0]), _batch(pair[1]), contract, **more)


def _with(contract: tg.Contract, **arguments: Any) -> tg.Contract:
    own = {name: getattr(contract, name) for name in contract.__dataclass_fields__}
    return tg.Contract(**(own | arguments))


def _found(pair: Pair, contract: tg.Contract, **more: Any) -> dict[tuple[str, str | None], Finding]:
    return {(item.check, item.column): item for item in reversed(findings(_split(pair, contract, **more)))}


def _loud(found: Mapping[tuple[str, str | None], Finding]) -> set[tuple[str, str | None]]:
    return {place for place, item in found.items() if item.severity is not Severity.INFO}


@pytest.fixture(scope="module")
def whole(flights: pd.DataFrame) -> Pair:
    """January to May as TRAIN, June as TEST, with labels."""
    month = pd.to_datetime(flights["day"].astype(str)).dt.month
    rows = flights.drop(columns="day")
    train, test = (
        pa.Table.from_pandas(part, preserve_index=False).replace_schema_metadata(None)
        for part in (rows[month <= 5], rows[month == 6])
    )
    return train, test


@pytest.fixture(scope="module")
def pair(whole: Pair) -> Pair:
    """Every twelfth of these rows."""
    train, test = (table.take(pa.array(np.arange(0, table.num_rows, 12))) for table in whole)
    return train, test


@pytest.fixture(scope="module")
def honest(whole: Pair, flights_contract: tg.Contract) -> dict[tuple[str, str | None], Finding]:
    return _found(whole, flights_contract)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20130601)


def _draw(table: Any, column: str, values: list[str], rng: np.random.Generator) -> Any:
    return table.append_column(column, pa.array(rng.choice(values, table.num_rows)))


def _extended(contract: tg.Contract, name: str, **arguments: Any) -> tg.Contract:
    schema = contract.pandera_schema.add_columns({name: pandera.Column(str, nullable=True)})
    return _with(contract, schema=schema, features=contract.feature_columns, **arguments)


def test_the_honest_split_of_real_flights_is_told_what_moves_and_nothing_is_wrong(
    honest: dict[tuple[str, str | None], Finding],
) -> None:
    assert not _loud(honest)
    assert set(honest) == {
        (
            "split_time_overlap",
            "scheduled",
        ),  # the labels of 31 May come on 1 June; June is a month that TRAIN never saw
        ("autocorrelated_rows", "late"),  # delays come in hours
        *(("unqualified_sample", name) for name in ("temp", "dewp", "wind_dir", "pressure")),  # it is summer
    }


def test_every_audit_is_named_after_a_check_of_the_catalogue() -> None:
    from tidegate_contracts.catalogue import CATALOGUE

    assert audits().keys() <= CATALOGUE.keys()
    assert len(audits()) == 20


@pytest.mark.parametrize("share", [0.003, 0.02])
def test_copies_of_training_rows_under_new_keys_are_found(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator, share: float
) -> None:
    train, test = pair
    faulty = split_duplicates(train, test, "flight_id", share, rng)
    found = _found((train, faulty), flights_contract)["split_duplicates", None]
    assert found.severity is (Severity.CRITICAL if share > 0.01 else Severity.WARNING)
    assert found.failed is not None
    assert found.failed >= round(share * test.num_rows)
    assert all("copy-" in key for key in found.examples)


def test_copies_that_were_jittered_are_found_as_nearly_equal(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    train, test = pair
    faulty = split_duplicates(train, test, "flight_id", 0.05, rng)
    humid = faulty.column("humid").to_numpy() * (1 + rng.normal(0, 1e-5, faulty.num_rows))
    faulty = faulty.set_column(faulty.column_names.index("humid"), "humid", pa.array(humid, from_pandas=True))
    found = _found((train, faulty), flights_contract)["split_duplicates", None]
    assert "nearly" in found.message
    assert found.severity is Severity.CRITICAL


def test_rows_that_were_copied_before_a_random_split_are_found(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    rows = pair[0].append_column("weight", pa.array(np.round(rng.normal(70, 10, pair[0].num_rows), 4)))
    schema = flights_contract.pandera_schema.add_columns({"weight": pandera.Column(float)})
    contract = _with(flights_contract, schema=schema, event_time=None, season=None)

    def random_split(table: Any) -> Pair:
        shuffled = table.take(pa.array(rng.permutation(table.num_rows)))
        keys = pa.array([f"r{number}" for number in range(table.num_rows)])
        shuffled = shuffled.set_column(0, "flight_id", keys)
        return shuffled.slice(0, table.num_rows * 3 // 4), shuffled.slice(table.num_rows * 3 // 4)

    assert ("split_duplicates", None) not in _found(random_split(rows), contract)
    again = pa.concat_tables([rows, rows.take(pa.array(rng.choice(rows.num_rows, rows.num_rows // 5)))])
    found = _found(random_split(again), contract)["split_duplicates", None]
    assert found.severity is Severity.CRITICAL


def test_low_cardinality_is_no_copying(pair: Pair, flights_contract: tg.Contract) -> None:
    for features in (("carrier", "origin"), ("carrier", "origin", "dest", "distance"), ("dest", "visib", "wind_dir")):
        found = _found(pair, _with(flights_contract, features=features))
        assert ("split_duplicates", None) not in found, features
        assert ("insufficient_evidence", None) in found
    for features in (("temp", "humid"), ("dest", "temp", "dewp"), ("dest", "carrier", "temp")):
        assert ("split_duplicates", None) not in _found(pair, _with(flights_contract, features=features)), features


def test_shared_keys_are_found_and_so_are_their_skewed_values(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    train, test = pair
    clean = _found((train, test), flights_contract)
    assert not [place for place in clean if place[0] in ("split_duplicates", "training_serving_skew")]
    served = training_serving_skew(test, "pressure", 0.05, rng)
    found = _found((test, served), flights_contract)
    assert found["split_duplicates", "flight_id"].failed == test.num_rows
    assert {place for place in found if place[0] == "training_serving_skew"} == {("training_serving_skew", "pressure")}
    assert found["training_serving_skew", "pressure"].severity is Severity.CRITICAL
    few = _found((test, training_serving_skew(test, "pressure", 0.002, rng)), flights_contract)
    assert few["training_serving_skew", "pressure"].severity is Severity.WARNING


def test_single_precision_is_no_skew(pair: Pair, flights_contract: tg.Contract) -> None:
    test = pair[1]
    single = test.column("humid").cast(pa.float32(), safe=False).cast(pa.float64())
    served = test.set_column(test.column_names.index("humid"), "humid", single)
    assert not [place for place in _found((test, served), flights_contract) if place[0] == "training_serving_skew"]


def test_an_entity_on_both_sides_is_found(pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator) -> None:
    train, test = (
        table.append_column("plane", pa.array([f"{word}{number % 900}" for number in range(table.num_rows)]))
        for word, table in zip("ab", pair, strict=True)
    )
    contract = _extended(flights_contract, "plane", entity=("plane",))
    assert not _loud(_found((train, test), contract))
    found = _found((train, split_entity_overlap(train, test, "plane", 0.03, rng)), contract)
    assert _loud(found) == {("split_entity_overlap", "plane")}
    assert found["split_entity_overlap", "plane"].failed == round(0.03 * test.num_rows)


@pytest.mark.parametrize(("share", "severity"), [(0.001, Severity.WARNING), (0.5, Severity.CRITICAL)])
def test_a_shuffled_time_series_is_found(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator, share: float, severity: Severity
) -> None:
    found = _found(split_time_overlap(*pair, share, rng), flights_contract)
    assert found["split_time_overlap", "scheduled"].severity is severity


def test_a_test_set_before_its_training_data_is_found(pair: Pair, flights_contract: tg.Contract) -> None:
    found = _found(pair[::-1], flights_contract)["split_time_overlap", "scheduled"]
    assert found.severity is Severity.CRITICAL
    assert "TEST lies before TRAIN" in found.message


def test_labels_that_were_not_known_in_time_and_weekdays_never_seen_are_found(
    pair: Pair, flights_contract: tg.Contract
) -> None:
    long = _found(pair, _with(flights_contract, label_delay=timedelta(days=30)))
    assert long["split_time_overlap", "scheduled"].severity is Severity.CRITICAL
    train, test = pair
    weekday = pd.Series(train.column("scheduled").to_pandas()).dt.tz_convert("America/New_York").dt.dayofweek
    found = _found((train.filter(pa.array(weekday < 5)), test), flights_contract)["split_time_overlap", "scheduled"]
    assert found.severity is Severity.WARNING
    assert "Saturday, Sunday" in found.message


def test_a_feature_known_only_after_the_prediction_is_found(pair: Pair, flights_contract: tg.Contract) -> None:
    names = flights_contract.feature_columns
    schema = flights_contract.pandera_schema.update_column("visib", metadata={"available": "PT3H"})
    contract = _with(flights_contract, schema=schema, features=names)
    assert _loud(_found(pair, contract)) == {("look_ahead", "visib")}

    def predicted(hours: int) -> Pair:
        later = [pc.add(table.column("scheduled"), pa.scalar(timedelta(hours=hours))) for table in pair]
        made = [table.append_column("made", values) for table, values in zip(pair, later, strict=True)]
        return made[0], made[1]

    times = schema.add_columns({"made": pandera.Column(pd.DatetimeTZDtype("us", "UTC"))})
    contract = _with(contract, schema=times, prediction_time="made")
    assert ("look_ahead", "visib") not in _found(predicted(4), contract)
    assert _found(predicted(2), contract)["look_ahead", "visib"].failed == pair[0].num_rows


def test_a_time_among_the_features_that_lies_after_the_prediction_is_found(
    pair: Pair, flights_contract: tg.Contract
) -> None:
    made = pandera.Column(pd.DatetimeTZDtype("us", "UTC"))
    schema = flights_contract.pandera_schema.add_columns({"made": made, "landed": made})
    contract = _with(flights_contract, schema=schema, prediction_time="made", features=("distance", "landed"))
    for minutes, found_at_all in ((-5, False), (5, True)):
        tables = [
            table.append_column("made", table.column("scheduled")).append_column(
                "landed", pc.add(table.column("scheduled"), pa.scalar(timedelta(minutes=minutes)))
            )
            for table in pair
        ]
        assert (("look_ahead", "landed") in _found((tables[0], tables[1]), contract)) is found_at_all


@pytest.mark.parametrize("how", ["order", "values", "missing"])
def test_a_feature_made_from_the_label_is_found(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator, how: str
) -> None:
    train, test = pair
    place = train.column_names.index("dest" if how == "values" else "wind_speed")
    late = pc.equal(train.column("late"), 1.0)
    if how == "order":
        faulty = feature_leak(train, "wind_speed", "late", 0.2, rng)
    elif how == "values":
        told = pa.array(np.where(late.fill_null(False).to_numpy(), "AAA", "BBB"))
        faulty = train.set_column(place, "dest", told)
    else:
        faulty = train.set_column(place, "wind_speed", pc.if_else(late, train.column("wind_speed"), None))
    found = _found((faulty, test), flights_contract)
    column = "dest" if how == "values" else "wind_speed"
    assert {place for place in found if place[0] == "feature_leak"} == {("feature_leak", column)}
    assert found["feature_leak", column].severity is Severity.CRITICAL


def test_an_identifier_is_no_leak(pair: Pair, flights_contract: tg.Contract) -> None:
    contract = _with(flights_contract, features=("flight_id", "distance"))
    assert not [place for place in _found(pair, contract) if place[0] == "feature_leak"]


def test_a_source_that_follows_the_label_is_a_cue_and_one_that_does_not_is_none(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    train, test = pair
    told = spurious_cue(train, "clinic", "late", 0.15, rng)
    here = _draw(test, "clinic", ["clinic-a", "clinic-b"], rng)
    contract = _extended(flights_contract, "clinic")
    assert _loud(_found((told, here), contract)) == {("spurious_cue", "clinic")}
    assert not _loud(_found((_draw(train, "clinic", ["clinic-a", "clinic-b"], rng), here), contract))


def test_a_part_of_the_key_and_the_hour_may_be_cues(pair: Pair, flights_contract: tg.Contract) -> None:
    train, test = pair
    late = train.column("late").fill_null(0.0).to_numpy() > 0
    site = np.where(late, "EU", "US")
    keys = [f"{where}-{number}" for number, where in enumerate(site)]
    by_key = train.set_column(0, "flight_id", pa.array(keys))
    found = _found((by_key, test), flights_contract)["spurious_cue", "flight_id"]
    assert found.message.startswith("part 1 of 'flight_id'")
    hours = pd.Series(train.column("scheduled").to_pandas()).dt.normalize() + pd.to_timedelta(
        np.where(late, 18, 8), "h"
    )
    by_hour = train.set_column(1, "scheduled", pa.array(hours))
    assert "hour" in _found((by_hour, test), flights_contract)["spurious_cue", "scheduled"].message


def test_rows_in_the_order_of_their_labels_are_found(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    train, test = pair
    found = _found((sorted_rows(train, "late"), test), flights_contract)
    assert found["sorted_rows", "late"].folded == ("spurious_cue",)
    shuffled = train.take(pa.array(rng.permutation(train.num_rows)))
    assert ("sorted_rows", "late") not in _found((shuffled, test), flights_contract)


def test_autocorrelated_labels_are_told_and_independent_ones_are_not(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator, honest: dict[tuple[str, str | None], Finding]
) -> None:
    assert honest["autocorrelated_rows", "late"].severity is Severity.INFO
    train, test = pair
    drawn = train.set_column(
        train.column_names.index("late"), "late", pa.array((rng.random(train.num_rows) < 0.24).astype(float))
    )
    assert ("autocorrelated_rows", "late") not in _found((drawn, test), flights_contract)


def test_classes_outside_their_agreed_shares_or_absent_are_found(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    train, test = pair
    agreed = _with(flights_contract, classes={0: (0.6, 0.9), 1: (0.1, 0.4)})
    assert not _loud(_found(pair, agreed))
    rare = class_imbalance(train, "late", 1.0, 400, rng)
    found = _found((rare, test), agreed)
    assert ("class_imbalance", "late") in _loud(found)
    assert found["class_imbalance", "late"].severity is Severity.CRITICAL
    for faulty in (
        (class_imbalance(train, "late", 1.0, 0, rng), test),
        (train, class_imbalance(test, "late", 1.0, 0, rng)),
    ):
        assert _found(faulty, flights_contract)["class_imbalance", "late"].severity is Severity.CRITICAL
    nearly_none = _found((class_imbalance(train, "late", 1.0, 40, rng), test), flights_contract)
    assert nearly_none["class_imbalance", "late"].severity is Severity.INFO


def test_labels_of_no_class_are_found(pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator) -> None:
    train, test = pair
    for share, severity in ((0.002, Severity.WARNING), (0.05, Severity.CRITICAL)):
        found = _found((train, unknown_labels(test, "late", 9.0, share, rng)), flights_contract)
        assert found["unknown_labels", "late"].severity is severity


def test_two_spellings_of_a_class_are_found(flights_contract: tg.Contract, rng: np.random.Generator) -> None:
    schema = pandera.DataFrameSchema({"x": pandera.Column(float), "y": pandera.Column(str)})
    contract = tg.Contract(name="words", version="1.0.0", owner="x", schema=schema, label="y")
    tables = [pa.table({"x": rng.normal(size=1000), "y": rng.choice(["on time", "late"], 1000)}) for _ in "ab"]
    assert not _loud(_found((tables[0], tables[1]), contract))
    odd = pc.replace_with_mask(tables[0].column("y"), pa.array(np.arange(1000) < 30), pa.array(["Late "] * 30))
    found = _found((tables[0].set_column(1, "y", odd), tables[1]), contract)
    assert ("unknown_labels", "y") in found
    unseen = tables[1].set_column(1, "y", pc.replace_substring(tables[1].column("y"), "late", "cancelled"))
    assert _found((tables[0], unseen), contract)["unknown_labels", "y"].severity is Severity.CRITICAL


def test_labels_that_contradict_are_found(pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator) -> None:
    train, test = pair
    found = _found((conflicting_labels(train, "flight_id", "late", 0.02, rng), test), flights_contract)
    assert _loud(found) == {("conflicting_labels", "late")}


def test_an_annotator_who_differs_is_found_and_honest_ones_are_not(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    who = [f"a{number}" for number in range(40)]
    train, test = (_draw(table, "who", who, rng) for table in pair)
    contract = _extended(flights_contract, "who", annotator="who")
    assert not _loud(_found((train, test), contract))
    found = _found((annotator_bias(train, "who", "late", 0.3, rng), test), contract)
    assert _loud(found) == {("annotator_bias", "who")}
    assert found["annotator_bias", "who"].to_dict()["slice"] == f"who={train.column('who')[0]}"


def test_a_personal_annotator_is_not_named(pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator) -> None:
    train, test = (_draw(table, "who", ["Ann", "Bob", "Cid"], rng) for table in pair)
    who = pandera.Column(str, metadata={"personal": True})
    schema = flights_contract.pandera_schema.add_columns({"who": who})
    contract = _with(flights_contract, schema=schema, annotator="who")
    found = _found((annotator_bias(train, "who", "late", 0.5, rng), test), contract)["annotator_bias", "who"]
    assert not any(name in str(found.to_dict()) for name in ("Ann", "Bob", "Cid"))


def test_a_scaler_that_saw_test_is_found_and_one_that_did_not_is_not(pair: Pair, flights_contract: tg.Contract) -> None:
    contract = _with(flights_contract, standardised=("temp",))
    raw = _found(pair, contract)["scaler_leak", "temp"]
    assert "declared as standardised" in raw.message
    together = scaler_leak(*pair, "temp")
    assert "together" in _found(together, contract)["scaler_leak", "temp"].message
    train, test = (table.column("temp").to_numpy() for table in pair)
    mean, sd = np.nanmean(train), np.nanstd(train)
    for other, found_at_all in (((mean, sd), False), ((np.nanmean(test), np.nanstd(test)), True)):
        scaled = [
            table.set_column(table.column_names.index("temp"), "temp", pa.array(np.round(values, 4), from_pandas=True))
            for table, values in zip(pair, ((train - mean) / sd, (test - other[0]) / other[1]), strict=True)
        ]
        assert (("scaler_leak", "temp") in _found((scaled[0], scaled[1]), contract)) is found_at_all


def test_few_rows_redundant_features_and_rare_signals_are_told(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    train, test = pair
    few = _found((train.slice(0, 300), test), flights_contract)
    assert few["too_few_rows", None].severity is Severity.WARNING
    twice = _found((redundant_feature(train, "dewp", "temp", 0.5), test), flights_contract)
    assert ("redundant_feature", "dewp") in _loud(twice)
    signal = _found((low_coverage_signal(train, "visib", "late", 0.95, rng), test), flights_contract)
    assert signal["low_coverage_signal", "visib"].severity is Severity.INFO


def test_a_small_or_a_biased_test_set_is_told(pair: Pair, flights_contract: tg.Contract) -> None:
    train, test = pair
    assert ("unqualified_sample", None) in _loud(_found((train, test.slice(0, 300)), flights_contract))
    one = test.filter(pc.equal(test.column("origin"), "EWR"))
    assert ("unqualified_sample", "origin") in _loud(_found((train, one), flights_contract))
    for shares, told in (
        ({"EWR": 0.36, "JFK": 0.33, "LGA": 0.31}, False),
        ({"EWR": 0.6, "JFK": 0.3, "LGA": 0.1}, True),
    ):
        found = _found(pair, _with(flights_contract, population={"origin": shares}))
        assert (("unqualified_sample", "origin") in found) is told


def test_another_test_set_is_refused_and_the_same_one_in_another_order_is_not(
    pair: Pair, flights_contract: tg.Contract, rng: np.random.Generator
) -> None:
    train, test = pair
    expected = fingerprint(_batch(test), flights_contract)
    columns = list(reversed(test.column_names))
    again = test.take(pa.array(rng.permutation(test.num_rows))).select(columns)
    scored = again.set_column(columns.index("p_late"), "p_late", pa.array(rng.random(test.num_rows)))
    for same in (test, again, scored):
        assert not _loud(_found((train, same), flights_contract, expected_test=expected[:12]))
    for other in (test.slice(1), pa.concat_tables([test, test.slice(0, 1)])):
        found = _found((train, other), flights_contract, expected_test=expected)
        assert found["different_test_data", None].severity is Severity.CRITICAL


def test_a_missing_feature_and_a_wrong_type_are_found(pair: Pair, flights_contract: tg.Contract) -> None:
    train, test = pair
    found = _found((train, test.drop_columns(["temp"])), flights_contract)
    assert found["schema_mismatch", "temp"].severity is Severity.CRITICAL
    wrong = replace(_batch(test), mismatches={"humid": "found string, expected double"})
    split = Split(_batch(train), wrong, flights_contract)
    assert ("schema_mismatch", "humid") in {(item.check, item.column) for item in findings(split)}


def test_without_labels_it_is_said_that_labels_were_not_looked_at(pair: Pair, flights_contract: tg.Contract) -> None:
    train, test = pair
    for faulty in ((train, test.drop_columns(["late"])), (train.drop_columns(["late"]), test)):
        found = _found(faulty, flights_contract)
        assert found["insufficient_evidence", "late"].kind == "insufficient_evidence"
        assert not _loud(found)


def test_the_contract_decides_the_severity_and_advice_is_never_critical(
    pair: Pair, flights_contract: tg.Contract
) -> None:
    words = {"split_time_overlap": "warning", "redundant_feature": "critical"}
    contract = _with(flights_contract, severity=words)
    found = _found(pair[::-1], contract)
    assert found["split_time_overlap", "scheduled"].severity is Severity.WARNING
    train, test = pair
    twice = _found((redundant_feature(train, "dewp", "temp", 0.5), test), contract)
    assert twice["redundant_feature", "dewp"].severity is Severity.WARNING


@pytest.mark.parametrize("kind", ["classes", "quantity"])
def test_nothing_alarms_on_noise_however_the_columns_are_made(kind: str) -> None:
    columns = {"a": pandera.Column(float, nullable=True), "b": pandera.Column(str), "c": pandera.Column(int)}
    schema = pandera.DataFrameSchema({**columns, "y": pandera.Column(float)})
    contract = tg.Contract(name="noise", version="1.0.0", owner="x", schema=schema, label="y")

    def draw(rng: np.random.Generator, rows: int) -> Any:
        y = (rng.random(rows) < 0.1).astype(float) if kind == "classes" else rng.standard_cauchy(rows)
        a = np.where(rng.random(rows) < 0.3, np.nan, rng.lognormal(0, 3, rows))
        return pa.table(
            {
                "a": pa.array(a, from_pandas=True),
                "b": rng.choice(list("vwxyz"), rows),
                "c": rng.integers(0, 1000, rows),
                "y": y,
            }
        )

    for seed in range(12):
        rng = np.random.default_rng(seed)
        pair = draw(rng, int(rng.integers(1500, 4000))), draw(rng, int(rng.integers(1000, 2000)))
        assert not _loud(_found(pair, contract)), seed


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.slice(0, 1),
        lambda table: table.slice(0, 2),
        lambda table: table.slice(0, 45),
        lambda table: pa.table({name: pa.nulls(60, table.schema.field(name).type) for name in table.column_names}),
        lambda table: table.set_column(
            5, "distance", pa.array(np.where(np.arange(table.num_rows) % 2, np.inf, -np.inf))
        ),
    ],
    ids=["one row", "two rows", "few rows", "nothing but missing", "infinite"],
)
def test_odd_tables_give_findings_with_finite_numbers(
    pair: Pair, flights_contract: tg.Contract, change: Callable[[Any], Any]
) -> None:
    import json

    contract = _with(flights_contract, standardised=("distance",), population={"origin": {"EWR": 0.5, "JFK": 0.5}})
    for odd in ((change(pair[0]), pair[1]), (pair[0], change(pair[1])), (change(pair[0]), change(pair[1]))):
        for finding in findings(_split(odd, contract)):
            json.dumps(finding.to_dict(), allow_nan=False)


def test_two_hundred_thousand_rows_take_about_two_seconds(flights_contract: tg.Contract, pair: Pair) -> None:
    rng = np.random.default_rng(1)
    rows, features = 200_000, 16
    columns = {f"n{number}": pandera.Column(float) for number in range(features)}
    schema = pandera.DataFrameSchema(
        {**columns, "t0": pandera.Column(str), "t1": pandera.Column(str), "y": pandera.Column(float)}
    )
    contract = tg.Contract(name="wide", version="1.0.0", owner="x", schema=schema, label="y")
    table = pa.table(
        {
            **{name: np.round(rng.normal(size=rows), 3) for name in columns},
            "t0": rng.choice([f"v{number}" for number in range(50)], rows),
            "t1": rng.choice([f"w{number}" for number in range(5000)], rows),
            "y": (rng.random(rows) < 0.2).astype(float),
        }
    )
    split = _split((table.slice(0, 150_000), table.slice(150_000)), contract)
    start = time.process_time()
    assert not [item for item in findings(split) if item.severity is not Severity.INFO]
    assert time.process_time() - start < 6  # twice or thrice what it takes on an idle machine
