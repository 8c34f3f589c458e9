"""What labels say of a model: each fault is put into a month of real flights and found; the month alone is silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from label_cohorts import alarms, deciles, evidence, found
from sklearn import metrics

import tidegate as tg
from tidegate_monitors.label_rules import LabelEvidence, judge_labels, label_rules

Make = Callable[..., tg.Contract]


@pytest.fixture(scope="module")
def year(flights: pd.DataFrame) -> pd.DataFrame:
    names = {"p_late": "prediction", "late": "label"}
    return flights.rename(columns=names)[
        ["day", "prediction", "label", "origin", "carrier", "temp", "dewp", "distance"]
    ]


def _months(year: pd.DataFrame, *months: int) -> pd.DataFrame:
    return year[pd.to_datetime(year["day"]).dt.month.isin(months)]


@pytest.fixture(scope="module")
def reference(year: pd.DataFrame) -> pd.DataFrame:
    return _months(year, 2, 3)


@pytest.fixture(scope="module")
def june(year: pd.DataFrame) -> pd.DataFrame:
    return _months(year, 6)


@pytest.fixture
def plain(make_contract: Make) -> tg.Contract:
    return make_contract()


def _shuffled(frame: pd.DataFrame, where: Any = slice(None)) -> pd.DataFrame:
    made = frame.copy()
    part = made.loc[where, "prediction"]
    made.loc[where, "prediction"] = np.random.default_rng(7).permutation(part.to_numpy())
    return made


@pytest.mark.parametrize("month", [3, 4, 5, 6, 7, 12])
def test_a_month_in_which_the_model_keeps_its_worth_is_silent(
    year: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract, month: int
) -> None:
    assert list(judge_labels(evidence(_months(year, month), reference, plain))) == []


def test_september_in_which_the_model_fails_is_told(
    year: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract
) -> None:
    told = {alarm.check for alarm in judge_labels(evidence(_months(year, 9), reference, plain))}
    assert told == {"miscalibration", "no_skill", "concept_drift"}


@pytest.mark.parametrize("month", [8, 10, 11])
def test_a_month_in_which_the_base_rate_would_have_been_better_is_told(
    year: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract, month: int
) -> None:
    assert alarms("miscalibration", evidence(_months(year, month), reference, plain))


def test_four_days_raise_no_alarm_whatever_is_in_them(
    june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract
) -> None:
    few = _shuffled(june[june["day"].isin(june["day"].unique()[:4])])
    few["prediction"] = (few["prediction"] * 2).clip(0, 1)
    said = list(judge_labels(evidence(few, reference, plain)))
    assert {alarm.kind for alarm in said} == {"insufficient_evidence"}
    assert {alarm.severity for alarm in said} == {"info"}


def test_nothing_is_said_without_labels(june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract) -> None:
    assert list(judge_labels(LabelEvidence((), (), plain))) == []
    assert list(judge_labels(evidence(june.assign(label=np.nan), reference, plain)))[1:] == []


def test_predictions_that_are_too_high_are_miscalibrated(
    june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract
) -> None:
    high = june.assign(prediction=june["prediction"] + 0.6 * (1 - june["prediction"]))
    [alarm] = alarms("miscalibration", evidence(high, reference, plain))[:1]
    edges = deciles(reference["prediction"])
    kept = high.dropna(subset="label")
    groups = kept.groupby(np.searchsorted(edges, kept["prediction"], side="left"))
    gap = (groups["prediction"].mean() - groups["label"].mean()).abs()
    assert alarm.score == pytest.approx((gap * groups.size()).sum() / len(kept), abs=1e-9)
    assert alarms("miscalibration", evidence(high, None, plain))


@pytest.mark.parametrize("one_in", [20, 200, 365, 100_000])
def test_however_rare_a_false_alarm_may_be_a_gross_calibration_error_is_told(plain: tg.Contract, one_in: int) -> None:
    rng = np.random.default_rng(2)
    day = np.repeat([f"2024-01-{number + 1:02}" for number in range(28)], 2000)
    right = rng.random(day.size)
    shift = np.array([1, -1, -1, 1, 1, -1, -1, 1, 1, -1])[(right * 10).astype(int)]  # of slope 1, and right on average
    for off, told in ((0.1, True), (0.0, False)):
        label = (rng.random(day.size) < right + off * shift).astype(float)
        frame = pd.DataFrame({"day": day, "prediction": right, "label": label})
        item = evidence(frame, None, plain, edges=tuple(np.arange(1, 10) / 10), alpha=1 / one_in)
        said = alarms("miscalibration", item)
        assert any("miss the mean label" in alarm.message for alarm in said) == told


def test_timid_predictions_are_miscalibrated_though_their_mean_is_right(year: pd.DataFrame, plain: tg.Contract) -> None:
    january = _months(year, 1)
    mean = january["prediction"].mean()
    timid = january.assign(prediction=mean + 0.2 * (january["prediction"] - mean))
    assert any("timid" in alarm.message for alarm in alarms("miscalibration", evidence(timid, None, plain)))


def test_labels_drawn_from_the_predictions_are_calibrated(june: pd.DataFrame, plain: tg.Contract) -> None:
    rng = np.random.default_rng(11)
    drawn = june.assign(label=(rng.random(len(june)) < june["prediction"]).astype(float))
    assert found("miscalibration", evidence(drawn, None, plain)) == []


def test_shuffled_predictions_have_no_skill(june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract) -> None:
    mixed = _shuffled(june)
    kept = mixed.dropna(subset="label")
    skill = 1 - ((kept["prediction"] - kept["label"]) ** 2).mean() / kept["label"].var(ddof=0)
    said = alarms("no_skill", evidence(mixed, reference, plain))
    assert [alarm.score for alarm in said if "skill" in alarm.message] == [pytest.approx(skill, abs=1e-9)]
    assert len(said) == 2  # and calls do harm


def test_always_saying_the_base_rate_has_no_skill(june: pd.DataFrame, plain: tg.Contract) -> None:
    constant = june.assign(prediction=june["label"].mean())
    said = found("no_skill", evidence(constant, None, plain, edges=()))
    assert {alarm.severity for alarm in said} == {"info", "warning"}
    assert any("none of" in alarm.message for alarm in said)


def test_a_threshold_that_no_positive_reaches_is_told_of_one_day(june: pd.DataFrame, make_contract: Make) -> None:
    day = june[june["day"] == june["day"].iloc[0]]
    low = day.assign(prediction=day["prediction"] * 0.5)
    [alarm] = alarms("no_skill", evidence(low, None, make_contract(decision_threshold=0.5)))
    assert alarm.score == 0
    assert alarms("no_skill", evidence(day, None, make_contract(decision_threshold=0.5))) == []


_BOUNDED = {
    "accuracy": lambda y, p: metrics.accuracy_score(y, p >= 0.5),
    "error_rate": lambda y, p: 1 - metrics.accuracy_score(y, p >= 0.5),
    "balanced_accuracy": lambda y, p: metrics.balanced_accuracy_score(y, p >= 0.5),
    "precision": lambda y, p: metrics.precision_score(y, p >= 0.5),
    "recall": lambda y, p: metrics.recall_score(y, p >= 0.5),
    "recall[0]": lambda y, p: metrics.recall_score(y, p >= 0.5, pos_label=0),
    "precision[0]": lambda y, p: metrics.precision_score(y, p >= 0.5, pos_label=0),
    "specificity": lambda y, p: metrics.recall_score(y, p >= 0.5, pos_label=0),
    "f1": lambda y, p: metrics.f1_score(y, p >= 0.5),
    "mcc": lambda y, p: metrics.matthews_corrcoef(y, p >= 0.5),
    "kappa": lambda y, p: metrics.cohen_kappa_score(y, p >= 0.5),
    "roc_auc": metrics.roc_auc_score,
    "pr_auc": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
    "log_loss": metrics.log_loss,
    "skill": lambda y, p: 1 - metrics.brier_score_loss(y, p) / np.var(y),
    "mae": metrics.mean_absolute_error,
    "mse": metrics.mean_squared_error,
    "rmse": metrics.root_mean_squared_error,
    "r2": metrics.r2_score,
    "median_absolute_error": metrics.median_absolute_error,
}


def test_every_metric_has_a_floor_and_is_scikit_learns(june: pd.DataFrame, make_contract: Make) -> None:
    kept = june.dropna(subset="label")
    values = {name: measure(kept["label"], kept["prediction"]) for name, measure in _BOUNDED.items()}
    less = {"error_rate", "brier", "log_loss", "mae", "mse", "rmse", "median_absolute_error"}
    missed = {name: value * 0.4 if name in less else value + 0.5 for name, value in values.items()}
    kept_ = {name: value * 1.001 if name in less else value * 0.999 for name, value in values.items()}
    said = alarms("per_class_floor", evidence(june, None, make_contract(floors=missed)))
    by_message = {alarm.threshold: alarm.score for alarm in said}
    assert {name: by_message[floor] for name, floor in missed.items()} == pytest.approx(values, abs=1e-9)
    assert alarms("per_class_floor", evidence(june, None, make_contract(floors={**kept_, "ece": 0.03}))) == []
    high = june.assign(prediction=june["prediction"] + 0.6 * (1 - june["prediction"]))
    [ece] = alarms("per_class_floor", evidence(high, None, make_contract(floors={"ece": 0.1})))
    assert ece.message.startswith("ece")


def test_a_floor_that_was_missed_by_chance_is_no_alarm(june: pd.DataFrame, make_contract: Make) -> None:
    kept = june.dropna(subset="label")
    recall = metrics.recall_score(kept["label"], kept["prediction"] >= 0.5)
    assert alarms("per_class_floor", evidence(june, None, make_contract(floors={"recall": recall + 0.02}))) == []
    assert alarms("per_class_floor", evidence(june, None, make_contract(floors={"nonsense": 1.0}))) == []


def test_what_the_test_promised_is_not_reached(june: pd.DataFrame, make_contract: Make) -> None:
    def promising(area: float) -> tg.Contract:
        schema = pa.DataFrameSchema(
            {
                "score": pa.Column(float, metadata={"offline": {"roc_auc": area, "nonsense": 1}}),
                "returned": pa.Column(float, pa.Check.isin([0, 1]), nullable=True),
            }
        )
        return tg.Contract(
            name="orders", version="1.0.0", owner="shop", schema=schema, prediction="score", label="returned"
        )

    [alarm] = alarms("offline_online_gap", evidence(june, None, promising(0.9)))
    assert alarm.threshold == pytest.approx(0.81)
    assert alarms("offline_online_gap", evidence(june, None, promising(0.72))) == []
    assert alarms("offline_online_gap", evidence(june, None, make_contract())) == []


def test_a_slice_on_which_the_model_guesses_is_found(
    june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract
) -> None:
    bad = _shuffled(june, june["origin"] == "EWR")
    said = alarms("weak_slice", evidence(bad, reference, plain))
    assert "origin=EWR" in {alarm.slice for alarm in said}
    assert not {"origin=JFK", "origin=LGA"} & {alarm.slice for alarm in said}
    whole = bad.dropna(subset="label")
    ratio = [
        ((part["prediction"] - part["label"]) ** 2).mean() / part["label"].var(ddof=0)
        for part in (whole[whole["origin"] == "EWR"], whole[whole["origin"] != "EWR"])
    ]
    [ewr] = [alarm for alarm in said if alarm.slice == "origin=EWR"]
    assert ewr.score == pytest.approx(ratio[0] / ratio[1], abs=1e-9)


def test_a_perfect_model_of_a_homogeneous_slice_is_not_weak_without_a_reference(plain: tg.Contract) -> None:
    rng = np.random.default_rng(2)
    day = np.repeat([f"2024-01-{number + 1:02}" for number in range(28)], 600)
    alike = np.tile(np.arange(600) < 300, 28)
    right = np.where(alike, rng.uniform(0.15, 0.25, day.size), np.where(rng.random(day.size) < 0.5, 0.03, 0.9))
    frame = pd.DataFrame({"day": day, "prediction": right, "origin": np.where(alike, "EWR", "JFK")})
    frame["label"] = (rng.random(day.size) < right).astype(float)
    assert alarms("weak_slice", evidence(frame, None, plain)) == []
    assert [alarm.slice for alarm in found("weak_slice", evidence(frame, None, plain))] == ["origin=EWR"], "it is told"
    bad = _shuffled(frame, frame["origin"] == "JFK")
    assert [alarm.slice for alarm in alarms("weak_slice", evidence(bad, None, plain))] == ["origin=JFK"]


def test_labels_that_come_by_prediction_are_selective(
    june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract
) -> None:
    rng = np.random.default_rng(3)
    lost = (june["prediction"] > 0.55) & (rng.random(len(june)) < 0.5)
    said = alarms("selective_labels", evidence(june.assign(label=june["label"].mask(lost)), reference, plain))
    assert any("bucket 9" in alarm.message for alarm in said)
    by_slice = june.assign(label=june["label"].mask(june["origin"] == "LGA"))
    assert "origin=LGA" in {alarm.slice for alarm in alarms("selective_labels", evidence(by_slice, None, plain))}
    everywhere = june.assign(label=june["label"].mask(rng.random(len(june)) < 0.5))
    assert found("selective_labels", evidence(everywhere, reference, plain)) == []


def test_labels_as_selective_as_the_references_are_only_told(june: pd.DataFrame, plain: tg.Contract) -> None:
    half = [part.assign(label=part["label"].mask(part["origin"] == "LGA")) for part in (june, june)]
    said = found("selective_labels", evidence(half[0], half[1], plain))
    assert {alarm.severity for alarm in said} == {"info"}


def test_what_becomes_more_common_is_label_drift(
    june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract, make_contract: Make
) -> None:
    rng = np.random.default_rng(5)
    more = june.assign(label=june["label"].mask(june["label"].notna() & (rng.random(len(june)) < 0.3), 1.0))
    [alarm] = alarms("label_drift", evidence(more, reference, plain))
    before, now = (frame["label"].mean() for frame in (reference, more))
    assert alarm.score == pytest.approx(now - before, abs=1e-9)
    [told] = found("label_drift", evidence(more, reference, make_contract(season="day_of_year")))
    assert told.severity == "info"


def test_other_things_that_come_true_are_concept_drift_while_inputs_are_calm(
    june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract
) -> None:
    turned = june.assign(label=june["label"].mask(june["prediction"] > 0.4, 0.0))
    [alarm] = alarms("concept_drift", evidence(turned, reference, plain, calm=True))
    assert "below" in alarm.message
    assert found("concept_drift", evidence(turned, reference, plain, calm=False)) == []
    assert found("concept_drift", evidence(june, reference, plain, calm=True)) == []


def test_labels_taken_back_are_noise(june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract) -> None:
    item = evidence(june, reference, plain)

    def taken_back(share: float) -> LabelEvidence:
        cohorts = (replace(cohort, reversed=round(cohort.labelled * share)) for cohort in item.cohorts)
        return replace(item, cohorts=tuple(cohorts))

    [alarm] = alarms("label_noise", taken_back(0.03))
    assert alarm.score == pytest.approx(0.03, abs=1e-3)
    assert alarms("label_noise", taken_back(0.008)) == []
    usual = replace(item, cohorts=taken_back(0.03).cohorts, reference=taken_back(0.03).cohorts)
    assert alarms("label_noise", usual) == []


@pytest.fixture(scope="module")
def temperatures(year: pd.DataFrame) -> pd.DataFrame:
    """The temperature, predicted from the dew point as it went in spring."""
    known = year.dropna(subset=["temp", "dewp"]).iloc[::5]
    line = np.polyfit(_months(known, 3, 4)["dewp"], _months(known, 3, 4)["temp"], 1)
    return known.assign(label=known["temp"], prediction=np.polyval(line, known["dewp"]))


def test_numbers_missed_by_more_than_in_the_reference(temperatures: pd.DataFrame, make_contract: Make) -> None:
    contract = make_contract(label="amount")
    spring, may = _months(temperatures, 3, 4), _months(temperatures, 5)
    rng = np.random.default_rng(2)
    high = may["prediction"] > np.quantile(spring["prediction"], 0.9)
    worse = may.assign(prediction=may["prediction"] + np.where(high, rng.normal(0, 30, len(may)), 0))
    assert alarms("regression_error", evidence(may, spring, contract)) == []
    said = alarms("regression_error", evidence(worse, spring, contract, edges=deciles(spring["prediction"])))
    assert said
    assert all((alarm.score or 0) > 1.1 for alarm in said)


def test_a_threshold_that_costs_more_than_another_is_told(june: pd.DataFrame, make_contract: Make) -> None:
    dear = make_contract(costs=(1, 8), decision_threshold=0.5)
    [alarm] = alarms("costly_threshold", evidence(june, None, dear))
    kept = june.dropna(subset="label")
    missed = ((kept["prediction"] < 0.5) & (kept["label"] == 1)).mean()
    wrong = ((kept["prediction"] >= 0.5) & (kept["label"] == 0)).mean()
    assert alarm.score == pytest.approx(8 * missed + wrong, abs=1e-9)
    assert alarms("costly_threshold", evidence(june, None, make_contract(costs=(1, 1), decision_threshold=0.5))) == []


def test_a_good_ranking_that_calls_nobody_is_a_wrong_threshold(year: pd.DataFrame, make_contract: Make) -> None:
    january = _months(year, 1)
    timid = january.assign(prediction=january["prediction"] * 0.4)
    [alarm] = alarms("costly_threshold", evidence(timid, None, make_contract(decision_threshold=0.5)))
    assert (alarm.score or 0) > 0.75
    assert alarms("costly_threshold", evidence(january, None, make_contract(decision_threshold=0.5))) == []


def test_a_simpler_rule_that_does_as_well_is_told(june: pd.DataFrame, make_contract: Make) -> None:
    contract = make_contract(baseline="amount")
    same = june.assign(simple=june["prediction"])
    assert [alarm.score for alarm in alarms("baseline_not_beaten", evidence(same, None, contract))] == [
        pytest.approx(0, abs=1e-12)
    ]
    assert alarms("baseline_not_beaten", evidence(june.assign(simple=0.5), None, contract)) == []
    assert alarms("baseline_not_beaten", evidence(same, None, make_contract())) == []


def test_predictions_that_know_the_label_are_too_good(
    june: pd.DataFrame, reference: pd.DataFrame, plain: tg.Contract
) -> None:
    noise = np.random.default_rng(4).normal(0, 0.2, len(june))
    leak = june.assign(prediction=(0.5 * june["prediction"] + 0.4 * june["label"].fillna(0) + 0.1 * noise).clip(0, 1))
    assert any("reference" in alarm.message for alarm in alarms("too_good", evidence(leak, reference, plain)))
    sure = june.assign(prediction=0.9 * june["label"].fillna(0) + 0.1 * june["prediction"])
    assert any("ROC" in alarm.message for alarm in alarms("too_good", evidence(sure, None, plain)))
    assert found("too_good", evidence(sure, sure, plain)) == []


def test_all_names_are_the_catalogues() -> None:
    from tidegate_contracts.catalogue import CATALOGUE

    assert label_rules().keys() <= {check.name for check in CATALOGUE.values()} | CATALOGUE.keys()
