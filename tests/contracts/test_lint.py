"""Lint: a good contract is met with silence, and each fault is found under its name, on its column, alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.catalogue import CATALOGUE, Stage
from tidegate_contracts.classes import is_class, rare_class
from tidegate_contracts.lint import Linted, checks, lint
from tidegate_contracts.metric import METRICS
from tidegate_contracts.sample import Sample
from tidegate_contracts.upstream import Upstream

TODAY = date(2026, 3, 1)
DOCS = Path(__file__).parents[2] / "docs" / "lint.md"
Found = list[tuple[str, str | None, str]]


class Trips(pa.DataFrameModel):
    """Trips with a column of each kind that lint treats in its own way."""

    trip_id: str = pa.Field(unique=True, description="one trip")
    started: pd.DatetimeTZDtype = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"}, description="when it began")
    city: str = pa.Field(isin=["Oslo", "Rome"], description="where it began")
    rider: str = pa.Field(
        str_length={"max_value": 40}, description="who rode", metadata={"personal": True, "purpose": "billing"}
    )
    distance: float = pa.Field(ge=0, le=500, description="way driven", metadata={"unit": "km", "term": "trip distance"})
    stops: int = pa.Field(ge=0, description="stops on the way", metadata={"unit": "stops"})
    tip_share: float = pa.Field(in_range={"min_value": 0, "max_value": 1}, description="tip by fare")
    wet: bool = pa.Field(description="whether it rained")
    p_late: float = pa.Field(ge=0, le=1, description="predicted probability of being late")
    late: float = pa.Field(isin=[0, 1], nullable=True, description="was late", metadata={"available": "P1D"})
    refund: float = pa.Field(ge=0, description="paid back", metadata={"unit": "EUR", "available": "P7D"})


@cache
def trips() -> Any:
    return Trips.to_schema()


def good(**changes: Any) -> tg.Contract:
    """A contract that says all that can be asked of it, with some arguments changed."""
    said = {
        "name": "trips",
        "version": "1.0.0",
        "owner": "rides",
        "contact": "rides@example.com",
        "reviewed_on": date(2026, 1, 15),
        "schema": trips(),
        "key": ("trip_id",),
        "event_time": "started",
        "prediction": "p_late",
        "label": "late",
        "classes": {0: (0.6, 0.9), 1: (0.1, 0.4)},
        "decision_threshold": 0.3,
        "costs": (1, 4),
        "floors": {"recall": 0.6, "accuracy": 0.7},
        "slices": ("city",),
        "cadence": timedelta(days=1),
        "arrive_within": timedelta(hours=6),
        "freshness": timedelta(days=2),
        "max_age": timedelta(days=30),
        "label_delay": timedelta(days=2),
        "season": "day_of_week",
        "scope": in_town,
        "upstream": Upstream("meter", marker="_SUCCESS"),
        "actions": {"warning": "pass", "critical": "quarantine"},
        "keep_sample": Sample(100, seed=7),
    }
    return tg.Contract(**(said | changes))


def in_town(frame: pd.DataFrame) -> pd.Series[bool]:
    return frame["distance"] < 100


def with_column(name: str, **properties: Any) -> Any:
    """The schema with one column declared otherwise."""
    return trips().update_column(name, **properties)


def with_metadata(name: str, **words: Any) -> Any:
    return with_column(name, metadata=(trips().columns[name].metadata or {}) | words)


def lint_one(contract: tg.Contract, today: date = TODAY) -> Linted:
    return lint([contract], today)[0]


def told(linted: Linted) -> Found:
    return [(finding.check, finding.column, finding.severity.value) for finding in linted.findings]


def test_a_good_contract_is_met_with_silence() -> None:
    assert told(lint_one(good())) == []


def test_every_row_of_contract_time_has_a_check_except_those_that_compare_two_versions() -> None:
    rows = [name for name, entry in CATALOGUE.items() if entry.stage is Stage.CONTRACT]
    assert list(checks()) == [name for name in rows if name not in ("breaking_schema_change", "semantic_change")]


TWINS: Mapping[str, tuple[dict[str, Any], Found]] = {
    "no description": (
        {"schema": with_column("wet", description=None)},
        [("undocumented_column", "wet", "critical")],
    ),
    "a blank description": (
        {"schema": with_column("wet", description=" ")},
        [("undocumented_column", "wet", "critical")],
    ),
    "no type": ({"schema": with_column("city", dtype=None)}, [("undocumented_column", "city", "critical")]),
    "any object": ({"schema": with_column("city", dtype=object)}, [("undocumented_column", "city", "critical")]),
    "no unit": (
        {"schema": with_column("distance", metadata=None)},
        [("undocumented_column", "distance", "critical")],
    ),
    "no unit of a count": (
        {"schema": with_column("stops", metadata=None)},
        [("undocumented_column", "stops", "critical")],
    ),
    "no contact": ({"contact": None}, [("no_owner", None, "critical")]),
    "never reviewed": ({"reviewed_on": None}, [("no_owner", None, "critical")]),
    "reviewed in the future": ({"reviewed_on": date(2031, 1, 1)}, [("no_owner", None, "critical")]),
    "reviewed long ago": ({"reviewed_on": date(2025, 2, 1)}, [("no_owner", None, "warning")]),
    "a feature of next week": (
        {"features": ("distance", "refund")},
        [("not_available_at_prediction", "refund", "critical")],
    ),
    "the label as a feature": ({"features": ("distance", "late")}, [("target_as_feature", "late", "critical")]),
    "the prediction as a feature": ({"features": ("p_late",)}, [("target_as_feature", "p_late", "critical")]),
    "a proxy as a feature": (
        {"schema": with_metadata("tip_share", proxy_of="late")},
        [("target_as_feature", "tip_share", "critical")],
    ),
    "a proxy of nothing": (
        {"schema": with_metadata("tip_share", proxy_of="latte")},
        [("target_as_feature", "tip_share", "warning")],
    ),
    "personal without a purpose": (
        {"schema": with_column("rider", metadata={"personal": True})},
        [("uncontrolled_personal_data", "rider", "critical")],
    ),
    "personal without a purpose, and no feature": (
        {"schema": with_column("rider", metadata={"personal": True}), "features": ("distance",)},
        [("uncontrolled_personal_data", "rider", "warning")],
    ),
    "no freshness": ({"freshness": None}, [("no_freshness_promise", None, "warning")]),
    "no time of arrival": ({"arrive_within": None}, [("no_freshness_promise", None, "warning")]),
    "no season": ({"season": None}, [("no_season_policy", None, "warning")]),
    "no greatest age": ({"max_age": None}, [("no_season_policy", None, "warning")]),
    "accuracy only": ({"floors": {"accuracy": 0.8}}, [("accuracy_only", None, "warning")]),
    "accuracy only, with a rare class": (
        {"floors": {"accuracy": 0.8}, "classes": {0: (0.9, 1), 1: (0, 0.1)}},
        [("accuracy_only", None, "critical")],
    ),
    "a metric nobody knows": ({"floors": {"recal": 0.8}}, [("vague_metric", None, "warning")]),
    "a floor that is always met": ({"floors": {"recall": 0}}, [("vague_metric", None, "warning")]),
    "a floor in percent": ({"floors": {"recall": 80}}, [("vague_metric", None, "warning")]),
    "a floor without predictions": ({"prediction": None}, [("vague_metric", None, "warning")]),
    "a threshold without costs": ({"costs": None}, [("threshold_without_cost", None, "warning")]),
    "a threshold with costs of nothing": ({"costs": (0, 0)}, [("threshold_without_cost", None, "warning")]),
    "the usual threshold with a rare class": (
        {"decision_threshold": 0.5, "classes": {0: (0.9, 1), 1: (0, 0.1)}},
        [("threshold_without_cost", None, "warning")],
    ),
    "no slices": ({"slices": ()}, [("no_slices", None, "warning")]),
    "no scope": ({"scope": None}, [("no_scope", None, "warning")]),
    "no actions": ({"actions": {}}, [("no_action", None, "critical")]),
    "no action on critical": ({"actions": {"warning": "pass"}}, [("no_action", None, "critical")]),
    "critical passes": ({"actions": {"warning": "pass", "critical": "pass"}}, [("no_action", None, "critical")]),
    "no upstream": ({"upstream": ()}, [("no_upstream", None, "critical")]),
    "upstream without a signal": ({"upstream": Upstream("meter")}, [("no_upstream", None, "critical")]),
    "a column without a check": (
        {"schema": with_column("rider", checks=[])},
        [("vacuous_contract", "rider", "warning")],
    ),
    "a label without a delay": (
        {"label_delay": None, "floors": {}},
        [("no_label_delay", "late", "warning")],
    ),
    "a delay that ends before the label is there": (
        {"label_delay": timedelta(hours=1)},
        [("no_label_delay", "late", "warning")],
    ),
    "a label without a key": ({"key": ()}, [("no_label_delay", "late", "warning")]),
    "a sample without a seed": ({"keep_sample": Sample(100)}, [("unseeded_sampling", None, "info")]),
}


@pytest.mark.parametrize(("changes", "expected"), TWINS.values(), ids=TWINS.keys())
def test_a_fault_is_found_under_its_name_on_its_column_and_nothing_else_is(
    changes: dict[str, Any], expected: Found
) -> None:
    assert told(lint_one(good(**changes))) == expected


def test_every_check_has_a_twin_with_its_fault() -> None:
    found = {check for _, expected in TWINS.values() for check, _, _ in expected}
    assert found | {"conflicting_definition"} == checks().keys()


@pytest.mark.parametrize("name", checks())
def test_a_waived_check_is_silent_and_its_reason_is_kept(name: str) -> None:
    reason = "agreed with the readers"
    for changes, expected in TWINS.values():
        if expected[0][0] == name:
            linted = lint_one(good(waived={name: reason}, **changes))
            assert (told(linted), dict(linted.waived)) == ([], {name: reason})


INDEPENDENT = (
    "no contact", "no freshness", "no season", "accuracy only", "a threshold without costs", "no slices", "no scope",
    "no actions", "no upstream", "a sample without a seed", "personal without a purpose",
)  # fmt: skip


@given(st.sets(st.sampled_from(INDEPENDENT)))
def test_faults_do_not_hide_each_other_and_the_gravest_come_first(names: set[str]) -> None:
    changes = {key: value for name in names for key, value in TWINS[name][0].items()}
    expected = [item for name in names for item in TWINS[name][1]]
    linted = lint_one(good(**changes))
    assert sorted(told(linted), key=str) == sorted(expected, key=str)
    ranks = [finding.severity.rank for finding in linted.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert linted.critical is any(severity == "critical" for _, _, severity in expected)


def test_a_bare_contract_hears_all_at_once_and_each_finding_says_what_is_asked() -> None:
    bare = tg.Contract(
        name="bare", version="1.0.0", owner="me", schema=pa.DataFrameSchema({"a": pa.Column(float), "b": pa.Column()})
    )
    linted = lint_one(bare)
    assert {(check, column) for check, column, _ in told(linted)} == {
        ("undocumented_column", "a"), ("undocumented_column", "b"), ("no_owner", None), ("no_freshness_promise", None),
        ("no_season_policy", None), ("no_slices", None), ("no_action", None), ("no_upstream", None),
        ("vacuous_contract", None), ("vacuous_contract", "a"), ("vacuous_contract", "b"),
    }  # fmt: skip
    assert ("vacuous_contract", None, "critical") in told(linted)
    assert all(finding.rule == checks()[finding.check].asks for finding in linted.findings)


def test_the_contract_may_say_how_much_a_check_matters_but_advice_is_never_critical() -> None:
    stricter = good(
        slices=(), keep_sample=Sample(5), severity={"no_slices": "critical", "unseeded_sampling": "critical"}
    )
    assert told(lint_one(stricter)) == [("no_slices", None, "critical"), ("unseeded_sampling", None, "warning")]
    milder = good(upstream=(), severity={"no_upstream": "info"})
    assert told(lint_one(milder)) == [("no_upstream", None, "info")]


# --- single checks, closer


@pytest.mark.parametrize(
    ("day", "severity"),
    [
        (date(2026, 1, 14), None),
        (date(2027, 1, 15), None),
        (date(2027, 1, 18), "warning"),
        (date(2026, 1, 13), "critical"),
    ],
)
def test_a_review_holds_for_a_year_from_its_day_on(day: date, severity: str | None) -> None:
    expected = [] if severity is None else [("no_owner", None, severity)]
    assert told(lint_one(good(), day)) == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.Column(float, pa.Check.in_range(0, 1), description="share"),
        pa.Column(float, [pa.Check.gt(0), pa.Check.lt(1)], description="share"),
        pa.Column(int, pa.Check.isin([0, 1, 2]), description="code"),
        pa.Column(bool, description="flag"),
        pa.Column(str, pa.Check.str_length(1, 9), description="text"),
        pa.Column(float, pa.Check.ge(0), description="measured", metadata={"unit": "kg"}),
        pa.Column(float, pa.Check.ge(0), description="a ratio", metadata={"unit": "1"}),
        pa.Column(pd.CategoricalDtype(["a", "b"]), description="a kind"),
    ],
)
def test_shares_flags_codes_and_texts_need_no_unit(column: pa.Column) -> None:
    assert told(lint_one(good(schema=trips().add_columns({"new": column})))) == []


@pytest.mark.parametrize("role", ["key", "entity", "slices", "standardised"])
def test_numbers_that_name_something_need_no_unit(role: str) -> None:
    new = pa.Column(int, pa.Check.ge(0), description="a number")
    schema = trips().add_columns({"new": new})
    assert told(lint_one(good(schema=schema))) == [("undocumented_column", "new", "critical")]
    usual = {"key": ("trip_id",), "slices": ("city",)}.get(role, ())
    assert told(lint_one(good(schema=schema, **{role: (*usual, "new")}))) == []


def test_the_label_of_a_regression_needs_a_unit_like_any_number() -> None:
    minutes = with_column("late", checks=[pa.Check.ge(0)]).update_column("p_late", checks=[pa.Check.ge(0)])
    numbers = {"classes": (), "decision_threshold": None, "floors": {"mae": 10}, "schema": minutes}
    assert told(lint_one(good(**numbers))) == [
        ("undocumented_column", "p_late", "critical"),
        ("undocumented_column", "late", "critical"),
    ]


def test_columns_declared_by_a_pattern_are_looked_at_under_it() -> None:
    schema = trips().add_columns({"^extra_": pa.Column(float, regex=True)})
    assert [(check, column) for check, column, _ in told(lint_one(good(schema=schema)))] == [
        ("undocumented_column", "^extra_"),
        ("vacuous_contract", "^extra_"),
    ]


def test_a_proxy_of_a_proxy_and_the_labels_term_are_the_label_too() -> None:
    chained = with_metadata("tip_share", proxy_of=["stops", "refund"]).update_column(
        "refund", metadata={"unit": "EUR", "available": "P7D", "proxy_of": "late"}
    )
    assert told(lint_one(good(schema=chained))) == [("target_as_feature", "tip_share", "critical")]
    turning = with_metadata("tip_share", proxy_of="tip_share")
    assert told(lint_one(good(schema=turning))) == []
    same = with_metadata("tip_share", term="being late").update_column(
        "late", metadata={"available": "P1D", "term": "being late"}, description="tip by fare"
    )
    assert told(lint_one(good(schema=same))) == [("target_as_feature", "tip_share", "critical")]


def test_a_proxy_that_the_model_does_not_read_is_no_fault() -> None:
    assert told(lint_one(good(schema=with_metadata("tip_share", proxy_of="late"), features=("distance",)))) == []


def test_a_column_that_a_check_of_the_table_names_is_not_without_a_check() -> None:
    free = trips().add_columns({"fare": pa.Column(float, description="fare", metadata={"unit": "EUR"})})
    assert told(lint_one(good(schema=free))) == [("vacuous_contract", "fare", "warning")]
    free.checks = [pa.Check(lambda frame: frame["fare"] >= frame["distance"])]
    assert told(lint_one(good(schema=free))) == []


def test_the_event_time_is_left_to_the_checks_that_ask_for_its_age() -> None:
    found = told(lint_one(good(freshness=None, max_age=None)))
    assert [check for check, _, _ in found] == ["no_freshness_promise", "no_season_policy"]


@pytest.mark.parametrize(
    ("classes", "rare"),
    [
        ((), None),
        (("no", "yes"), None),
        ({0: (0.5, 1), 1: (0, 0.5)}, None),
        ({0: (0, 1), 1: (0, 1)}, None),
        ({0: (0.9, 0.99), 1: (0.01, 0.1)}, 1),
        (dict.fromkeys(range(20), (0.04, 0.06)), None),
        ({name: (0.0, 0.01) if name == 3 else (0.04, 0.06) for name in range(20)}, 3),
    ],
)
def test_a_class_is_rare_by_its_declared_share_and_among_many_by_less(classes: Any, rare: Any) -> None:
    found = rare_class(good(classes=classes, decision_threshold=None))
    assert (found.name if found else None) == rare


def test_the_population_tells_a_rare_class_too() -> None:
    found = rare_class(good(classes=(), population={"late": {"0": 0.97, "1": 0.03}}))
    assert found is not None
    assert (found.name, found.share) == ("1", 0.03)


def test_a_label_is_a_class_if_anything_says_so() -> None:
    free = with_column("late", checks=[])
    assert is_class(good(classes=(), decision_threshold=None))
    assert is_class(good(schema=free, classes=("0", "1"), decision_threshold=None))
    assert is_class(good(schema=free, classes=()))
    assert is_class(good(schema=with_column("late", checks=[], dtype=bool), classes=(), decision_threshold=None))
    assert not is_class(good(schema=free, classes=(), decision_threshold=None))
    assert not is_class(good(label=None))


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
def test_a_metric_can_be_missed_and_reached_between_its_ends(metric: Any) -> None:
    assert metric.more_is_better is (metric.best > metric.worst)
    between = 0.5
    assert metric.can_fail(between)
    assert metric.can_pass(between)
    assert metric.can_pass(metric.best)
    assert not metric.can_fail(metric.worst)


def test_a_misspelt_metric_is_told_which_one_is_meant() -> None:
    messages = [finding.message for finding in lint_one(good(floors={"ROC-AUC": 0.6, "xyz": 1})).findings]
    assert messages[0] == "floors['ROC-AUC']: unknown metric; did you mean 'roc_auc'?"
    assert messages[1].startswith("floors['xyz']: unknown metric; known are accuracy, ")
    (message,) = (finding.message for finding in lint_one(good(floors={"average_precision": 0.6})).findings)
    assert message.endswith("did you mean 'pr_auc'?")


@pytest.mark.parametrize("word", [5, 0.5, ["late"], {"late"}, ("a", 3), object, float("nan"), "\ud800"])
def test_words_of_any_kind_in_metadata_are_read_as_text_and_never_raise(word: Any) -> None:
    words = dict.fromkeys(("unit", "term", "purpose", "proxy_of", "personal"), word)
    linted = lint_one(good(schema=with_metadata("distance", **words).update_column("stops", metadata=words)))
    assert all(finding.check in checks() for finding in linted.findings)


def test_a_schema_of_polars_is_read_alike() -> None:
    import pandera.polars as pp

    schema = pp.DataFrameSchema(
        {"a": pp.Column(float, description="measured"), "b": pp.Column(str, pp.Check.isin(["x"]), description="kind")}
    )
    linted = lint_one(tg.Contract(name="bare", version="1.0.0", owner="me", schema=schema))
    columns = [(check, column) for check, column, _ in told(linted) if column is not None]
    assert columns == [("undocumented_column", "a"), ("vacuous_contract", "a")]


# --- several contracts


def other(schema: Any, name: str = "fares") -> tg.Contract:
    return good(name=name, schema=schema)


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        (with_column("distance", description="way walked"), "description"),
        (with_metadata("distance", unit="mile"), "'km' and 'mile'"),
        (with_column("distance", dtype=int), "number and integer"),
    ],
)
def test_one_term_with_two_definitions_is_told_of_both_contracts(schema: Any, word: str) -> None:
    first, second = lint([good(), other(schema)], TODAY)
    assert told(first) == told(second) == [("conflicting_definition", "distance", "warning")]
    assert word in first.findings[0].message
    assert "fares.distance" in first.findings[0].message
    assert "trips.distance" in second.findings[0].message


def test_a_term_may_be_defined_alike_in_other_words_case_and_spacing() -> None:
    alike = with_column("distance", description="  Way  driven. ")
    assert [told(linted) for linted in lint([good(), other(alike)], TODAY)] == [[], []]


def test_within_one_contract_a_term_means_one_thing_too() -> None:
    found = told(lint_one(good(schema=with_metadata("stops", term="Trip distance"))))
    assert {(check, column) for check, column, _ in found} == {
        ("conflicting_definition", "distance"),
        ("conflicting_definition", "stops"),
    }


def test_columns_that_share_only_a_name_must_agree_in_unit_unless_their_terms_differ() -> None:
    def unit(**metadata: str) -> Any:
        return with_column("stops", metadata=metadata, description="something else")

    assert told(lint([good(), other(unit(unit="halts"))], TODAY)[0]) == [("conflicting_definition", "stops", "warning")]
    assert told(lint([good(), other(unit(unit="stops"))], TODAY)[0]) == []
    own = with_metadata("stops", term="stops on request")
    apart = [good(schema=own), other(unit(unit="halts", term="stops by timetable"))]
    assert [told(linted) for linted in lint(apart, TODAY)] == [[], []]


@given(st.permutations(range(3)))
def test_the_order_of_contracts_changes_nothing_but_the_order(order: Iterable[int]) -> None:
    contracts = [good(), other(with_metadata("distance", unit="mile")), other(trips(), "rides")]
    usual = {linted.contract.name: set(told(linted)) for linted in lint(contracts, TODAY)}
    assert {
        linted.contract.name: set(told(linted)) for linted in lint([contracts[place] for place in order], TODAY)
    } == usual


# --- documents


def test_the_guide_lists_every_check_with_what_it_asks() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name: text.replace("`", "") for name, text in rows.items()} == {
        name: check.asks for name, check in checks().items()
    }
