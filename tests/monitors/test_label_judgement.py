"""The report on labels: nothing before they are complete, then every cell with what was found, told once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_worlds import EDGES, START, cohorts_of, world

import tidegate as tg
from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.bias_cells import Key
from tidegate_monitors.bias_findings import describe
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_judgement import Question, judge
from tidegate_monitors.label_report import LabelReport
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.tally import Rows, Tally

LATER = datetime(2025, 1, 1, tzinfo=UTC)
KEYS = [
    "format", "dataset", "maturity", "batches", "biases", "edges", "bounds", "calibration", "skill", "estimate",
    "findings",
]  # fmt: skip
BIASES = {"prediction_bias", "bucket_bias", "slice_bias", "masked_slice_bias"}


def pairs_of(frame: pd.DataFrame, start: int = 0) -> Callable[[Sequence[str]], Iterator[Pairs]]:
    day, prediction, label = (frame[name].to_numpy(dtype=np.float64) for name in ("day", "prediction", "label"))
    both = np.isfinite(prediction) & np.isfinite(label)
    made = {}
    for number in np.unique(day[both]).astype(int).tolist():
        mine = both & (day == number)
        name = f"d{number + start:03}"
        made[name] = Pairs(name, "", prediction[mine], label[mine], prediction[mine] >= 0.5)
    return lambda batches: (made[name] for name in batches if name in made)


def no_rows(_: Sequence[str]) -> Iterator[Pairs]:
    return iter(())


def nobody_looked(_: Sequence[str]) -> None:
    """Nobody knows whether inputs drifted."""


def report(
    frame: pd.DataFrame,
    contract: tg.Contract,
    *,
    reference: Sequence[Cohort] = (),
    asked: Sequence[str] | None = None,
    now: datetime = LATER,
    edges: Sequence[float] = EDGES,
    start: int = 0,
) -> LabelReport:
    cohorts = cohorts_of(frame, edges, start=start)
    chosen = frozenset(item.batch for item in cohorts) if asked is None else frozenset(asked)
    return judge(Question(contract, cohorts, chosen, reference, now, pairs_of(frame, start), nobody_looked))


def told(found: LabelReport, *checks: str) -> list[Alarm]:
    wanted = set(checks) or BIASES
    return [alarm for alarm in found.findings if alarm.check in wanted and alarm.kind == "alarm"]


def assert_sound(found: LabelReport) -> dict[str, Any]:
    """The JSON has its keys and no NaN, and every finding is in the catalogue."""
    written: dict[str, Any] = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert list(written) == KEYS
    assert written["format"] == 1
    for alarm in found.findings:
        assert alarm.check in CATALOGUE
        assert not {"nan", "inf"} & set(alarm.message.split()), alarm.message
    ranks = [alarm.severity.rank for alarm in found.findings]
    assert ranks == sorted(ranks, reverse=True)
    return written


def test_before_labels_are_due_no_bias_is_computed(make_contract: Callable[..., tg.Contract]) -> None:
    contract = make_contract(label_delay=timedelta(days=7))
    frame = world(1, 20, everybody=0.3)
    early = report(frame, contract, now=START + timedelta(days=7, hours=23))
    written = assert_sound(early)
    assert (written["maturity"]["state"], written["biases"], written["calibration"], written["skill"]) == (
        "immature", [], None, None,
    )  # fmt: skip
    assert [(a.check, a.kind, a.severity) for a in early.findings] == [
        ("immature_labels", "insufficient_evidence", Severity.INFO)
    ]
    assert written["maturity"]["batches"] == {"mature": 0, "immature": 20}
    some = report(frame, contract, now=START + timedelta(days=8))
    assert some.maturity.to_dict()["batches"] == {"mature": 1, "immature": 19}
    assert some.batches == ("d000",)
    assert {bias.n for bias in some.biases if bias.slice is None and bias.bucket is None} == {400}


def test_labels_that_came_by_their_outcome_are_not_judged_though_all_of_them_are_good(contract: tg.Contract) -> None:
    frame = world(2, 20)
    first = frame.assign(label=frame["label"].where((frame["label"] == 0) | (frame["day"] > 30)))
    found = report(first.assign(settled=first["label"].notna()), contract, asked=["d019"])
    share = float(first.loc[first["day"] == 19, "label"].notna().mean())
    assert found.maturity.share == pytest.approx(share)
    four = report(first[first["day"] < 4], contract)
    assert (four.maturity.state, four.biases) == ("immature", ())
    assert told(four) == []
    whole = report(frame, contract)
    assert told(whole) == []


def test_what_is_asked_about_is_judged_with_the_batches_before_it(contract: tg.Contract) -> None:
    frame = world(3, 40)
    found = report(frame, contract, asked=["d039"])
    assert found.batches == tuple(f"d{day:03}" for day in range(12, 40))
    assert found.maturity.to_dict()["batches"] == {"mature": 1, "immature": 0}
    everything = report(frame, contract)
    assert len(everything.batches) == 40
    nobody = report(frame, contract, asked=[])
    assert (nobody.maturity.state, nobody.biases) == ("immature", ())
    assert_sound(nobody)
    nothing = judge(Question(contract, [], frozenset(), (), LATER, pairs_of(frame), nobody_looked))
    assert assert_sound(nothing)["bounds"] is None


def test_fewer_than_five_batches_are_told_as_too_little_evidence_once_and_never_alarm(contract: tg.Contract) -> None:
    found = report(world(4, 4, rows=2000).assign(prediction=0.95), contract)
    assert_sound(found)
    assert {bias.evidence.value for bias in found.biases} == {"insufficient"}
    assert {bias.minimum_detectable for bias in found.biases} == {None}
    assert [a.check for a in found.findings].count("insufficient_evidence") == 1
    assert told(found) == []


def test_a_planted_bias_of_one_slice_is_found_under_its_name_and_the_clean_twin_is_not(contract: tg.Contract) -> None:
    found = report(world(5, 28, rows=600, carrier=0.06), contract)
    written = assert_sound(found)
    (alarm,) = told(found, "slice_bias")
    assert (alarm.slice, alarm.column, alarm.severity) == ("carrier=UA", "score", Severity.WARNING)
    assert alarm.score is not None
    assert alarm.threshold == 0.02
    assert alarm.score == pytest.approx(0.06, abs=0.02)
    assert "slice carrier=UA" in alarm.message
    cell = next(item for item in written["biases"] if item["slice"] == "carrier=UA" and item["bucket"] is None)
    assert cell["score_ratio"] > 1
    assert 0.02 <= cell["minimum_detectable"] < 0.06
    assert cell["low"] < cell["bias"] < cell["high"]
    clean = report(world(5, 28, rows=600), contract)
    assert told(clean) == []
    assert all((bias.score_ratio or 0) <= 1 for bias in clean.biases)


def test_a_slice_that_is_loud_in_the_table_is_told_and_none_but_it(make_contract: Callable[..., tg.Contract]) -> None:
    found = report(world(6, 28, rows=400, carrier=0.1), make_contract(bias_tolerance=0.04))
    loud = {bias.slice for bias in found.biases if (bias.score_ratio or 0) > 1 and bias.bucket is None and bias.slice}
    assert loud == {alarm.slice for alarm in told(found, "slice_bias")} == {"carrier=UA"}


@pytest.mark.parametrize("seed", [7, 70, 71])
def test_a_bias_of_everybody_is_one_finding_with_the_rest_folded_into_it(contract: tg.Contract, seed: int) -> None:
    found = report(world(seed, 28, everybody=0.08), contract)
    (alarm,) = told(found)
    assert (alarm.check, alarm.slice) == ("prediction_bias", None)
    assert set(alarm.folded) == {"bucket_bias", "slice_bias"}
    assert "all rows" in alarm.message


def test_a_slice_that_is_proven_against_the_rest_of_its_batches_is_not_folded_into_a_bias_of_all_rows(
    make_contract: Callable[..., tg.Contract],
) -> None:
    contract = make_contract(bias_tolerance=0.04)
    reference = cohorts_of(world(20, 40, rows=800, day_sd=0.1))
    frame = world(21, 28, rows=800, day_sd=0.1, everybody=0.2, carrier=0.08)
    found = report(frame, contract, reference=reference, start=40)
    alarms = {(alarm.check, alarm.slice): alarm for alarm in told(found, "prediction_bias", "slice_bias")}
    assert set(alarms) == {("prediction_bias", None), ("slice_bias", "carrier=UA")}
    slice_ = alarms["slice_bias", "carrier=UA"]
    assert slice_.score == pytest.approx(0.08, abs=0.03), "beside the rest, which is off too"
    assert "beside the rest of their batches, less what the reference had" in slice_.message
    assert "beside" not in alarms["prediction_bias", None].message


def test_slices_that_make_up_for_one_another_are_told_as_masked(contract: tg.Contract) -> None:
    frame = world(8, 28, rows=600)
    frame["prediction"] += frame["origin"].map({"EWR": 0.05, "JFK": -0.05})
    frame["prediction"] = frame["prediction"].clip(0, 1)
    found = report(frame, contract, edges=())
    slices = {alarm.slice for alarm in told(found, "slice_bias")}
    assert {"origin=EWR", "origin=JFK"} <= slices
    (masked,) = told(found, "masked_slice_bias")
    assert masked.slice in slices
    assert told(found, "prediction_bias") == []
    assert abs(found.biases[0].bias) < 0.02
    assert told(report(world(8, 28, rows=600), contract, edges=()), "masked_slice_bias") == []


def test_a_small_bias_that_lasts_is_told_by_the_stream_with_its_beginning(
    make_contract: Callable[..., tg.Contract],
) -> None:
    contract = make_contract(bias_tolerance=0.01)
    reference = cohorts_of(world(9, 40, rows=250))
    frame = world(10, 70, rows=250, everybody=0.025, since=10)
    found = report(frame, contract, reference=reference, start=40, asked=["d109"])
    (alarm,) = told(found, "prediction_bias")
    assert 0.01 < (alarm.score or 0) < 0.04
    quiet = report(world(10, 70, rows=250), contract, reference=reference, start=40, asked=["d109"])
    assert told(quiet) == []


def test_what_the_reference_had_is_expected_and_one_with_other_buckets_is_left_out(contract: tg.Contract) -> None:
    before = cohorts_of(world(11, 40, carrier=0.1))
    frame = world(12, 28, carrier=0.1)
    assert told(report(frame, contract, reference=before, start=40)) == []
    others = cohorts_of(world(11, 40, carrier=0.1), edges=(0.5,))
    assert [a.slice for a in told(report(frame, contract, reference=others, start=40), "slice_bias")] == ["carrier=UA"]


def test_the_contract_says_how_much_a_finding_matters_and_how_often_it_may_be_false(
    make_contract: Callable[..., tg.Contract],
) -> None:
    frame = world(13, 28, everybody=0.08)
    found = report(frame, make_contract(severity={"prediction_bias": "critical"}))
    assert (found.critical, found.findings[0].check) == (True, "prediction_bias")
    assert not report(frame, make_contract()).critical
    question = Question(make_contract(), [], frozenset(), (), LATER, pairs_of(frame), nobody_looked)
    assert question.alpha == 0.05
    strict = replace(question, contract=make_contract(alarm_budget=tg.AlarmBudget(one_in=1000)))
    assert strict.alpha == 0.001


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 1) | st.just(math.nan), st.sampled_from([0, 1]), st.booleans()),
        min_size=1, max_size=40,
    ),
    st.data(),
)  # fmt: skip
def test_bounds_hold_whatever_the_missing_labels_are(
    make_contract: Callable[..., tg.Contract], rows: list[tuple[int, float, int, bool]], data: st.DataObject
) -> None:
    contract = make_contract(label_delay=timedelta(days=3650))
    whole = pd.DataFrame(rows, columns=["day", "prediction", "label", "known"]).assign(origin="EWR", carrier="AA")
    found = report(whole.assign(label=whole["label"].where(whole["known"])), contract, edges=())
    scored = whole.dropna(subset="prediction")
    assert found.biases == ()
    if scored.empty:
        assert found.bounds is None
        return
    assert found.bounds is not None
    low, high = found.bounds
    truth = data.draw(st.lists(st.sampled_from([0, 1]), min_size=len(scored), max_size=len(scored)))
    label = scored["label"].where(scored["known"], pd.Series(truth, index=scored.index))
    bias = float((scored["prediction"] - label).mean())
    assert low - 1e-9 <= bias <= high + 1e-9
    for value, end in ((1, low), (0, high)):
        worst = scored["label"].where(scored["known"], value)
        assert float((scored["prediction"] - worst).mean()) == pytest.approx(end, abs=1e-9)


def test_where_no_row_will_have_a_label_that_is_said(contract: tg.Contract) -> None:
    frame = world(14, 6).assign(label=math.nan, settled=True)
    [alarm] = report(frame, contract).findings
    assert (alarm.check, alarm.kind) == ("immature_labels", "insufficient_evidence")
    assert "none of the 2,400 rows will have a label" in alarm.message
    assert "100" not in alarm.message
    half = report(frame[:1200].assign(settled=False), contract).findings[0]
    assert half.message.startswith("labels of 0.0% of the rows have come; ")


def test_predictions_are_not_called_calibrated_where_calibration_was_not_judged(contract: tg.Contract) -> None:
    frame = world(3, 9, rows=600)
    waiting = frame["day"] == 8
    for uneven, known in ((False, True), (True, False)):
        few = frame[~waiting & ((frame["day"] == 0) | (frame.index % 60 == 0))] if uneven else frame[~waiting]
        made = pd.concat([few, frame[waiting].assign(label=math.nan)])
        cohorts = cohorts_of(made, ())
        ids = frozenset(item.batch for item in cohorts[:-1])
        found = judge(Question(contract, cohorts, ids, (), LATER, pairs_of(made), lambda _: True))
        assert found.estimate is not None
        assert found.estimate.rows == 600
        assert (found.estimate.mean_label is not None) == known
        assert known or "not known to be calibrated" in (found.estimate.why_not or "")


def test_with_all_labels_the_bounds_meet_in_the_bias(contract: tg.Contract) -> None:
    found = report(world(14, 6), contract)
    assert found.bounds == pytest.approx((found.biases[0].bias,) * 2, abs=1e-9)


@pytest.mark.parametrize("days", [1, 6, 15])
def test_odd_worlds_give_numbers_or_nothing(contract: tg.Contract, days: int) -> None:
    frame = world(15, days, rows=40)
    for odd in (
        frame.assign(label=0.0),
        frame.assign(label=1.0),
        frame.assign(prediction=frame["label"]),
        frame.assign(prediction=0.2),
        frame.assign(prediction=0.0, label=1.0),
        frame.assign(prediction=math.nan),
        frame.iloc[::40],
    ):
        assert_sound(report(odd, contract))


NUMBER = pa.DataFrameSchema({"id": pa.Column(int), "guess": pa.Column(float), "price": pa.Column(float, nullable=True)})


def test_a_number_has_its_bias_in_its_own_unit_and_no_bounds() -> None:
    contract = tg.Contract(
        name="prices", version="1.0.0", owner="estate", schema=NUMBER, key=("id",), prediction="guess", label="price",
        bias_tolerance=2000.0,
    )  # fmt: skip
    frame = world(16, 28)
    noise = np.random.default_rng(1).normal(0, 20_000, len(frame))
    frame["prediction"] = frame["prediction"] * 1e6
    frame["label"] = frame["prediction"] + noise
    edges = [edge * 1e6 for edge in EDGES]
    clean = report(frame, contract, edges=edges)
    assert told(clean) == []
    assert clean.bounds is None
    written = assert_sound(clean)
    assert written["estimate"] is None
    frame["prediction"] += 6000.0 * (frame["carrier"] == "UA")
    found = report(frame, contract, edges=edges)
    assert {alarm.slice for alarm in told(found, "slice_bias")} == {"carrier=UA"}
    cell = next(bias for bias in found.biases if bias.slice == "carrier=UA" and bias.bucket is None)
    assert cell.bias == pytest.approx(6000, abs=1500)


WORDS = ("fish", "meat", "none")


def meals(seed: int, days: int, planted: float) -> list[Cohort]:
    """Three classes, whose probabilities are right but for what is taken from one and given to another."""
    rng = np.random.default_rng(seed)
    found = []
    for day, plain in enumerate(cohorts_of(world(seed, days, rows=1), edges=(), slices=())):
        chances = rng.dirichlet([4, 4, 4], 400)
        label = (rng.random((400, 1)) > chances.cumsum(axis=1)).sum(axis=1)
        shown = chances + np.array([planted, -planted, 0.0])
        known = np.ones(400, dtype=bool)
        tallies = {
            word: Tally.of(Rows(shown[:, place], label == place, known, {}, shown.argmax(axis=1) == place), ())
            for place, word in enumerate(WORDS)
        }
        counts = np.bincount(shown.argmax(axis=1) * 3 + label, minlength=9).reshape(3, 3)
        found.append(
            Cohort(
                f"d{day:03}", plain.window, 400, 400, 400, 0, (), MappingProxyType(tallies),
                tuple(map(tuple, counts.tolist())),
            )
        )  # fmt: skip
    return found


def test_of_several_classes_each_is_judged_against_the_rest_and_named() -> None:
    word = pa.Column(str, pa.Check.isin(WORDS), nullable=True)
    schema = pa.DataFrameSchema({"id": pa.Column(int), **dict.fromkeys(WORDS, pa.Column(float)), "a": word, "b": word})
    contract = tg.Contract(
        name="meals", version="1.0.0", owner="kitchen", schema=schema, key=("id",), prediction="a", label="b",
        classes=WORDS, score=WORDS,
    )  # fmt: skip
    for planted, named in ((0.06, {"fish", "meat"}), (0.0, set())):
        cohorts = meals(17, 20, planted)
        ids = frozenset(item.batch for item in cohorts)
        found = judge(Question(contract, cohorts, ids, (), LATER, no_rows, nobody_looked))
        written = assert_sound(found)
        alarms = told(found, "prediction_bias")
        assert {word for word in WORDS for alarm in alarms if repr(word) in alarm.message} == named
        assert len(alarms) == len(named)
        assert list(written["calibration"]) == list(WORDS)
        assert {item["class"] for item in written["biases"]} == set(WORDS)
        assert written["bounds"] is None
        by_class = {bias.outcome: bias.bias for bias in found.biases if bias.slice is None and bias.bucket is None}
        assert by_class["fish"] == pytest.approx(planted, abs=0.02)
        assert by_class["meat"] == pytest.approx(-planted, abs=0.02)


def test_cells_are_told_in_words() -> None:
    assert describe(Key(None, None), EDGES) == "all rows"
    assert describe(Key(None, 0), EDGES) == "bucket 0 (prediction ≤ 0.1)"
    assert describe(Key("carrier=UA", 3), EDGES) == "bucket 3 (0.3 < prediction) in slice carrier=UA"
    assert describe(Key("carrier=UA", None), EDGES, "fish") == "slice carrier=UA in class 'fish'"
