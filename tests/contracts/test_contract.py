"""A contract's arguments, its identity and its severities."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pr
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tests.contracts.columns import make_contract
from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.column import clause

MakeContract = Callable[..., tg.Contract]


class Nothing(pr.DataFrameModel):
    """A model that declares no columns."""


def refusal(error: tg.ContractError, *words: str) -> None:
    """A refusal says what, and what was found; each word stands in its message."""
    assert error.what
    for word in words:
        assert word in str(error)


# what is refused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param({"name": "Orders"}, ("'name'", "'Orders'", "lower-case"), id="name in capitals"),
        pytest.param({"name": "1orders"}, ("'name'", "'1orders'"), id="name with a digit first"),
        pytest.param({"name": "a" * 64}, ("'name'", "63"), id="name too long"),
        pytest.param({"name": "orders\n"}, ("'name'",), id="name with a line end"),
        pytest.param({"name": "../orders"}, ("'name'",), id="name that climbs"),
        pytest.param({"name": None}, ("'name'", "None"), id="no name"),
        pytest.param({"version": "1.0"}, ("'version'", "'1.0'", "major.minor.patch"), id="short version"),
        pytest.param({"version": 1}, ("'version'", "1"), id="version as a number"),
        pytest.param({"owner": " "}, ("'owner'", "' '"), id="blank owner"),
        pytest.param({"owner": None}, ("'owner'", "None"), id="no owner"),
        pytest.param({"schema": {"a": int}}, ("'schema'", "DataFrameModel"), id="schema as a dict"),
        pytest.param({"schema": None}, ("'schema'", "None"), id="no schema"),
        pytest.param({"schema": pl.DataFrame()}, ("'schema'", "pandera.polars"), id="schema as a polars frame"),
        pytest.param({"schema": pr.SeriesSchema(int)}, ("'schema'", "pandera.pandas"), id="schema of a series"),
        pytest.param({"tolerance": float("nan")}, ("tolerance", "nan", "0 <= tolerance < 1"), id="tolerance NaN"),
        pytest.param({"tolerance": -0.01}, ("tolerance", "-0.01", "0 <= tolerance < 1"), id="tolerance negative"),
        pytest.param({"tolerance": 1.0}, ("tolerance", "1.0", "0 <= tolerance < 1"), id="tolerance one"),
        pytest.param({"tolerance": 5}, ("tolerance", "5", "0 <= tolerance < 1"), id="tolerance in percent"),
        pytest.param({"tolerance": "0.1"}, ("tolerance", "'0.1'", "0 <= tolerance < 1"), id="tolerance as text"),
        pytest.param({"tolerance": True}, ("tolerance", "True", "0 <= tolerance < 1"), id="tolerance as boolean"),
        pytest.param({"rows_min": -1}, ("rows_min", "-1", "from 0 up"), id="rows_min negative"),
        pytest.param({"rows_min": 1.5}, ("rows_min", "1.5", "whole number"), id="rows_min as fraction"),
        pytest.param({"failure_threshold": 0}, ("failure_threshold", "0", "from 1 up"), id="failure_threshold zero"),
        pytest.param({"failure_threshold": True}, ("failure_threshold", "True"), id="failure_threshold as boolean"),
        pytest.param({"cadence": timedelta(0)}, ("cadence", "above zero"), id="cadence zero"),
        pytest.param({"cadence": timedelta(days=-1)}, ("cadence", "zero or more"), id="cadence negative"),
        pytest.param({"arrive_within": "PT6H"}, ("arrive_within", "'PT6H'", "timedelta"), id="arrive_within as text"),
        pytest.param({"label_delay": 7}, ("label_delay", "7", "timedelta"), id="label_delay as a number"),
        pytest.param({"on_monitor_error": "pass"}, ("on_monitor_error", "'halt' or 'publish'"), id="on_monitor_error"),
        pytest.param({"shadow": 1}, ("shadow", "True or False"), id="shadow as number"),
        pytest.param({"cool_down": -timedelta(1)}, ("cool_down", "zero or more"), id="cool_down negative"),
        pytest.param({"alarm_budget": 50}, ("alarm_budget", "50", "AlarmBudget"), id="alarm_budget as a number"),
        pytest.param({"season": "week"}, ("season", "'week'", "'day_of_week'", "'day_of_year'"), id="season unknown"),
        pytest.param({"time_zone": "Mars/Olympus"}, ("time_zone", "'Mars/Olympus'", "Europe/Paris"), id="zone unknown"),
        pytest.param({"time_zone": "../UTC"}, ("time_zone", "'../UTC'"), id="zone that climbs"),
        pytest.param({"time_zone": "Europe"}, ("time_zone", "'Europe'"), id="zone that is a region"),
        pytest.param({"time_zone": 5}, ("time_zone", "5"), id="zone as a number"),
        pytest.param({"severity": {"drfit": "info"}}, ("severity", "'drfit'", "'drift'"), id="severity misspelt"),
        pytest.param({"severity": {"drift": "fatal"}}, ("'drift'", "'fatal'", "critical"), id="severity word"),
        pytest.param({"severity": {"drift": None}}, ("'drift'", "None", "critical"), id="severity None"),
        pytest.param({"severity": {"drift": ["info"]}}, ("'drift'", "critical"), id="severity word in a list"),
        pytest.param({"severity": {1: "info"}}, ("severity", "1"), id="severity of a number"),
        pytest.param({"severity": "critical"}, ("severity", "'critical'", "mapping"), id="severity as text"),
        pytest.param({"key": "order_id"}, ("key", "'order_id'", "key=('order_id',)"), id="key as text"),
        pytest.param({"slices": "country"}, ("slices", "slices=('country',)"), id="slices as text"),
        pytest.param({"features": "amount"}, ("features", "features=('amount',)"), id="features as text"),
        pytest.param({"key": 5}, ("key", "5", "tuple"), id="key as a number"),
        pytest.param({"key": None}, ("key", "None"), id="key None"),
        pytest.param({"slices": None}, ("slices", "None"), id="slices None"),
        pytest.param({"key": (["order_id"],)}, ("key", "order_id"), id="key in a list in a tuple"),
        pytest.param({"event_time": ["placed"]}, ("event_time", "placed"), id="event_time in a list"),
        pytest.param({"reviewed_on": "2024-02-01"}, ("reviewed_on", "datetime.date"), id="reviewed_on as text"),
        pytest.param({"decision_threshold": 0}, ("decision_threshold", "0"), id="decision_threshold zero"),
        pytest.param({"bias_tolerance": 0}, ("bias_tolerance", "0", "above zero"), id="bias_tolerance zero"),
        pytest.param(
            {"bias_tolerance": float("nan")}, ("bias_tolerance", "nan", "above zero"), id="bias_tolerance NaN"
        ),
        pytest.param({"baseline": ("amount",)}, ("baseline", "amount", "column"), id="baseline in a tuple"),
        pytest.param({"model_version": 3}, ("model_version", "3", "column"), id="model_version as a number"),
        pytest.param({"model_version": "nota"}, ("model_version", "'nota'", "'note'"), id="model_version misspelt"),
        pytest.param({"score": 0.5}, ("score", "0.5", "tuple"), id="score as a number"),
        pytest.param({"score": ()}, ("score", "()", "each class"), id="score of nothing"),
        pytest.param({"score": ("amount", "amount")}, ("score", "amount", "each class"), id="score twice"),
        pytest.param(
            {"score": ("amount", "scor"), "classes": (0, 1)}, ("score", "'scor'", "'score'"), id="score column"
        ),
        pytest.param({"score": ("amount", "score")}, ("score", "2 columns and 0 classes"), id="score without classes"),
        pytest.param(
            {"score": ("amount", "score"), "classes": (0, 1, 2)}, ("2 columns and 3 classes",), id="a score too few"
        ),
        pytest.param({"costs": (1, -1)}, ("costs", "-1", "zero or more"), id="costs negative"),
        pytest.param({"costs": 5}, ("costs", "5", "false positive"), id="costs as a number"),
        pytest.param({"floors": {"recall": float("nan")}}, ("floors['recall']", "nan"), id="floor NaN"),
        pytest.param({"volume": (5, 1)}, ("volume", "(5, 1)", "'learnt'"), id="volume upside down"),
        pytest.param({"volume": "learned"}, ("volume", "'learned'", "'learnt'"), id="volume misspelt"),
        pytest.param({"classes": "01"}, ("classes", "'01'", "tuple"), id="classes as text"),
        pytest.param({"classes": {0: (0.9, 0.1)}}, ("classes[0]", "share"), id="shares upside down"),
        pytest.param({"scope": "amount > 1"}, ("scope", "function"), id="scope as text"),
        pytest.param({"upstream": "shop"}, ("upstream", "'shop'", "Upstream"), id="upstream as text"),
        pytest.param({"upstream": ("shop",)}, ("upstream", "'shop'", "Upstream"), id="upstream of texts"),
        pytest.param({"references": {"country": "x"}}, ("references", "'country'", "ForeignKey"), id="references"),
        pytest.param({"population": {"country": {"DE": 0.2}}}, ("population['country']", "add up to 1"), id="shares"),
        pytest.param({"population": {"country": {"DE": "all"}}}, ("population['country']", "add up"), id="share text"),
        pytest.param({"population": {"land": {"DE": 1.0}}}, ("population", "'land'", "unknown"), id="share of what"),
        pytest.param({"suppression": "gone.txt"}, ("suppression", "Suppression"), id="suppression as text"),
        pytest.param({"actions": {"critical": "panic"}}, ("actions['critical']", "'panic'", "halt"), id="action"),
        pytest.param({"actions": {"fatal": "halt"}}, ("actions['fatal']", "critical"), id="action on what"),
        pytest.param({"waived": {"no_slices": " "}}, ("waived['no_slices']", "reason"), id="waived without reason"),
        pytest.param({"waived": {"drift": "no"}}, ("waived", "'drift'", "severity"), id="waived at batch time"),
        pytest.param({"waived": {"no_slice": "x"}}, ("waived", "'no_slice'", "'no_slices'"), id="waived misspelt"),
        pytest.param({"keep_sample": 100}, ("keep_sample", "100", "Sample"), id="keep_sample as a number"),
    ],
)
def test_a_bad_argument_is_refused_with_what_was_found_and_what_is_allowed(
    make_contract: MakeContract, arguments: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(tg.ContractError) as caught:
        make_contract(**arguments)
    refusal(caught.value, *words)
    assert caught.value.found is not None


def test_a_personal_column_makes_no_slices_because_its_values_would_reach_metrics() -> None:
    schema = pr.DataFrameSchema({"email": pr.Column(str, metadata={"personal": True})})
    with pytest.raises(tg.ContractError, match="personal") as caught:
        make_contract(schema, slices=("email",))
    assert caught.value.found == "'email'"
    assert caught.value.hint is not None


@pytest.mark.parametrize("argument", ["name", "version", "owner", "schema"])
def test_a_required_argument_that_is_left_out_is_named(argument: str) -> None:
    arguments = {
        "name": "orders",
        "version": "1.0.0",
        "owner": "shop",
        "schema": pr.DataFrameSchema({"a": pr.Column()}),
    }
    del arguments[argument]
    with pytest.raises(tg.ContractError, match=f"'{argument}' is missing") as caught:
        tg.Contract(**arguments)  # type: ignore[arg-type]
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("tolerence", "tolerance"), ("keys", "key"), ("event_times", "event_time"), ("slice", "slices")],
)
def test_an_unknown_argument_is_refused_with_the_one_that_was_meant(
    make_contract: MakeContract, wrong: str, meant: str
) -> None:
    with pytest.raises(tg.ContractError, match="unknown contract argument") as caught:
        make_contract(**{wrong: None})
    assert caught.value.found == repr(wrong)
    assert meant in str(caught.value.allowed)
    assert caught.value.hint == f"did you mean {meant!r}?"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"key": ("order_ids",)}, "order_id"),
        ({"event_time": "place"}, "placed"),
        ({"prediction": "scores"}, "score"),
        ({"label": "returnd"}, "returned"),
        ({"slices": ("country", "contry")}, "country"),
        ({"features": ("amounts",)}, "amount"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_unknown_column_is_refused_with_the_one_that_was_meant(
    make_contract: MakeContract, arguments: dict[str, Any], hint: str
) -> None:
    with pytest.raises(tg.ContractError, match="names an unknown column") as caught:
        make_contract(**arguments)
    assert next(iter(arguments)) in caught.value.what
    assert caught.value.hint == f"did you mean {hint!r}?"
    assert str(caught.value.allowed).startswith("order_id, placed, country")


def test_a_column_that_resembles_none_is_refused_without_a_guess(make_contract: MakeContract) -> None:
    with pytest.raises(tg.ContractError) as caught:
        make_contract(event_time="zzzzzz")
    assert caught.value.hint is None


@pytest.mark.parametrize("schema", [Nothing, pr.DataFrameSchema({})], ids=["model", "schema"])
def test_a_schema_without_columns_is_refused(schema: Any) -> None:
    with pytest.raises(tg.ContractError, match="no columns"):
        make_contract(schema)


@pytest.mark.parametrize(
    ("word", "value", "allowed"),
    [
        ("drift", "never", "critical, warning, info, off"),
        ("drift", True, "critical, warning, info, off"),
        ("available", "tomorrow", "P1D"),
        ("available", "-P1D", "P1D"),
        ("available", [1], "P1D"),
        ("available", "", "P1D"),
        ("available", "NaT", "P1D"),
        ("available", float("nan"), "P1D"),
        ("available", 1, "P1D"),
        ("available", "1", "P1D"),
        ("available", "P1M", "P1D"),
    ],
    ids=repr,
)
def test_metadata_that_means_nothing_is_refused(word: str, value: Any, allowed: str) -> None:
    with pytest.raises(tg.ContractError) as caught:
        make_contract(pr.DataFrameSchema({"a": pr.Column(int, metadata={word: value})}))
    refusal(caught.value, "column 'a'", repr(word), repr(value), allowed)


@pytest.mark.parametrize("one_in", [1, 0, -50, 2.0, True, "50", None])
def test_an_alarm_budget_below_one_in_two_is_refused(one_in: Any) -> None:
    with pytest.raises(tg.ContractError, match="one_in") as caught:
        tg.AlarmBudget(one_in)
    assert caught.value.found == repr(one_in)
    assert caught.value.allowed is not None


# what is accepted


def test_four_arguments_are_enough_and_the_rest_have_defaults() -> None:
    contract = make_contract(pr.DataFrameSchema({"a": pr.Column(int)}))
    assert (contract.key, contract.slices, contract.tolerance, contract.rows_min) == ((), (), 0.0, 1)
    assert (contract.alarm_budget, contract.severity, contract.failure_threshold) == (None, {}, 1)
    assert contract.zone.key == "UTC"
    assert contract.later_columns == frozenset()


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 10**9), st.integers(2, 10**9))
def test_numbers_within_their_bounds_are_kept(tolerance: float, rows_min: int, one_in: int) -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int)})
    contract = make_contract(schema, tolerance=tolerance, rows_min=rows_min, alarm_budget=tg.AlarmBudget(one_in))
    assert (contract.tolerance, contract.rows_min) == (tolerance, rows_min)
    assert contract.alarm_budget == tg.AlarmBudget(one_in)


def test_a_list_of_columns_is_as_good_as_a_tuple_and_later_changes_do_not_reach_it(make_contract: MakeContract) -> None:
    key, severity = ["order_id"], {"drift": "info"}
    contract = make_contract(key=key, severity=severity)
    key.append("country")
    severity["drift"] = "critical"
    assert contract.key == ("order_id",)
    assert contract.severity == {"drift": "info"}
    with pytest.raises(TypeError):
        contract.severity["drift"] = "critical"  # type: ignore[index]


def test_a_contract_cannot_be_changed(contract: tg.Contract) -> None:
    with pytest.raises(AttributeError):
        contract.tolerance = 0.5  # type: ignore[misc]


def test_the_users_schema_object_stays_untouched() -> None:
    schema = pr.DataFrameSchema({"a": pr.Column(int)})
    contract = make_contract(schema)
    assert contract.schema is schema
    assert contract.pandera_schema is schema


def test_features_are_by_default_all_that_is_no_key_time_prediction_label_or_later(make_contract: MakeContract) -> None:
    assert make_contract().feature_columns == ("country", "amount", "items", "note")
    assert make_contract(label=None).feature_columns == ("country", "amount", "items", "note")  # known a day later
    assert make_contract(key=(), prediction=None).feature_columns == (
        "order_id",
        "country",
        "amount",
        "items",
        "note",
        "score",
    )
    assert make_contract(features=["amount", "items"]).feature_columns == ("amount", "items")
    assert make_contract(features=()).feature_columns == ()


def test_columns_available_after_the_event_and_the_label_come_later(make_contract: MakeContract) -> None:
    assert make_contract().later_columns == {"returned"}
    assert make_contract(label="note").later_columns == {"returned", "note"}
    assert make_contract().columns["returned"].available == timedelta(days=1)


def test_a_column_says_what_pandera_and_its_metadata_say() -> None:
    metadata = {"unit": "mile", "personal": True, "drift": "info", "available": "PT2H"}
    schema = pr.DataFrameSchema(
        {"d": pr.Column(float, pr.Check.in_range(0, 9), nullable=True, description="how far", metadata=metadata)}
    )
    column = make_contract(schema).columns["d"]
    assert (column.unit, column.personal, column.drift) == ("mile", True, "info")
    assert (column.available, column.nullable, column.description) == (timedelta(hours=2), True, "how far")
    assert str(column.type) == "float64"
    assert column.clauses == ("in_range(0, 9)",)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (pr.Check.ge(0), "greater_than_or_equal_to(0)"),
        (pr.Check(lambda series: series > 0, name="positive"), "positive"),
        (pr.Check(lambda series: series > 0, name="positive", error="must be above zero"), "must be above zero"),
    ],
)
def test_a_clause_in_words_is_its_own_text_or_its_name_and_arguments(check: Any, words: str) -> None:
    assert clause(check) == words


# its identity


def _positive(series: Any) -> Any:
    return series > 0


def _not_negative(series: Any) -> Any:
    return series >= 0


def model(low: int = 0, description: str = "how many") -> Any:
    """A model of one column; each call makes a new class."""

    class Things(pr.DataFrameModel):
        a: int = pr.Field(ge=low, description=description, isin=[low, 5, 6])

    return Things


def positive_model() -> Any:
    """A model with a check in a method."""

    class Things(pr.DataFrameModel):
        a: int

        @pr.check("a")
        def is_fine(cls, series: Any) -> Any:  # noqa: N805 - pandera makes it a class method
            return series > 0

    return Things


def lenient_model() -> Any:
    """The same model with another check in the method."""

    class Things(pr.DataFrameModel):
        a: int

        @pr.check("a")
        def is_fine(cls, series: Any) -> Any:  # noqa: N805 - pandera makes it a class method
            return series > -10

    return Things


def table_model() -> Any:
    """A model with a check of the table in a method."""

    class Things(pr.DataFrameModel):
        a: int

        @pr.dataframe_check
        def is_fine(cls, frame: Any) -> Any:  # type: ignore[misc]  # noqa: N805 - pandera makes it a class method
            return frame["a"] > 0

    return Things


def lenient_table_model() -> Any:
    """The same model with another check of the table."""

    class Things(pr.DataFrameModel):
        a: int

        @pr.dataframe_check
        def is_fine(cls, frame: Any) -> Any:  # type: ignore[misc]  # noqa: N805 - pandera makes it a class method
            return frame["a"] > -10

    return Things


def reading(limit: int, *, nested: bool = False) -> Any:
    """A check whose code reads a constant of its module."""
    body = "series.map(lambda value: value < LIMIT)" if nested else "series < LIMIT"
    return pr.Check(_of_module(f"LIMIT = {limit}\ndef check(series): return {body}\n"))


def calling(limit: int) -> Any:
    """A check whose code calls a function that reads a constant."""
    text = f"LIMIT = {limit}\ndef fine(value): return value < LIMIT\ndef check(series): return series.map(fine)\n"
    return pr.Check(_of_module(text))


def _of_module(text: str) -> Any:
    module: dict[str, Any] = {"__name__": "things"}
    exec(compile(text, "<things>", "exec"), module)  # noqa: S102 - a module without a file, as a notebook has
    return module["check"]


def at_most(limit: int) -> Any:
    """A check made by a function, with what that function was given."""
    return pr.Check(lambda series: series <= limit, name="at_most")


def one(*checks: Any, dtype: Any = int, **arguments: Any) -> Any:
    """A schema of one column."""
    return pr.DataFrameSchema({"a": pr.Column(dtype, list(checks), **arguments)})


def sourceless(text: str) -> Any:
    """A function whose source nobody can read."""
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102 - how a notebook or a template makes functions
    return names["f"]


def identity(schema: Any, **arguments: Any) -> str:
    """The sha256 of a contract of this schema."""
    return make_contract(schema, **arguments).sha256


def test_the_same_contract_made_twice_is_the_same(make_contract: MakeContract) -> None:
    severity = {"drift": "warning", "volume": "critical"}
    assert make_contract(severity=severity).sha256 == make_contract(severity=dict(reversed(severity.items()))).sha256
    assert identity(model()) == identity(model())
    assert identity(positive_model()) == identity(positive_model())
    assert identity(one(pr.Check(_positive))) == identity(one(pr.Check(_positive)))
    assert identity(one(pr.Check.isin({"x", "y"}), dtype=str)) == identity(one(pr.Check.isin({"y", "x"}), dtype=str))
    assert len(identity(model())) == 64


SCRIPT = """
import pandera.pandas as pr
import tidegate as tg

class Things(pr.DataFrameModel):
    a: str = pr.Field(isin={"x", "y", "z", "w"}, metadata={"tags": {"one", "two", "three"}})
    b: str = pr.Field(notin=frozenset({"x", "y", "z", "w"}))

    @pr.check("a")
    def is_fine(cls, series):
        return ~series.isin({"p", "q", "r", "s"})

contract = tg.Contract(name="things", version="1.0.0", owner="tests", schema=Things)
print(contract.sha256, *contract.columns["a"].clauses, *contract.columns["b"].clauses)
"""


def test_the_same_contract_is_the_same_in_every_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run = [
        subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert run[0] == run[1]
    assert re.match(r"[0-9a-f]{64} isin\(", run[0])


def test_where_a_contract_was_loaded_from_is_no_part_of_it(contract: tg.Contract) -> None:
    assert replace(contract, path="/somewhere/else.py:contract").sha256 == contract.sha256


def _in_scope(frame: pd.DataFrame) -> Any:
    return frame["amount"] > 1


OTHER_ARGUMENTS: dict[str, Any] = {
    "name": "orders2",
    "version": "1.0.1",
    "owner": "warehouse",
    "contact": "shop@example.com",
    "key": ("order_id", "country"),
    "event_time": None,
    "time_zone": "Europe/Paris",
    "features": ("amount",),
    "prediction": None,
    "label": None,
    "slices": (),
    "cadence": timedelta(days=1),
    "arrive_within": timedelta(hours=1),
    "label_delay": timedelta(days=30),
    "season": "day_of_week",
    "tolerance": 0.03,
    "effect_floor": 0.1,
    "rows_min": 2,
    "alarm_budget": tg.AlarmBudget(20),
    "severity": {"drift": "info"},
    "failure_threshold": 2,
    "cool_down": timedelta(hours=1),
    "on_monitor_error": "publish",
    "shadow": True,
    "reviewed_on": date(2024, 2, 1),
    "entity": ("country",),
    "prediction_time": "placed",
    "classes": (0, 1),
    "score": "amount",
    "model_version": "note",
    "baseline": "amount",
    "bias_tolerance": 0.05,
    "decision_threshold": 0.3,
    "costs": (1.0, 5.0),
    "floors": {"recall": 0.6},
    "annotator": "note",
    "standardised": ("amount",),
    "freshness": timedelta(hours=2),
    "max_age": timedelta(days=400),
    "volume": (10, 1000),
    "scope": _in_scope,
    "upstream": (tg.Upstream("shop", marker="_SUCCESS"),),
    "references": (tg.ForeignKey("country", "countries.csv", "code"),),
    "population": {"country": {"DE": 0.5, "FR": 0.5}},
    "suppression": tg.Suppression("order_id", "gone.txt"),
    "actions": {"critical": "halt"},
    "waived": {"no_slices": "one country only"},
    "keep_sample": tg.Sample(100, seed=0),
}


@pytest.mark.parametrize(("argument", "value"), OTHER_ARGUMENTS.items(), ids=OTHER_ARGUMENTS.keys())
def test_a_contract_that_differs_in_one_argument_is_another(
    make_contract: MakeContract, argument: str, value: Any
) -> None:
    assert make_contract(**{argument: value}).sha256 != make_contract().sha256


def test_what_a_model_says_is_no_feature(make_contract: MakeContract) -> None:
    told = {"score": "amount", "model_version": "note", "baseline": "items"}
    assert make_contract(**told).feature_columns == ("country",)
    both = make_contract(score=("amount", "score"), classes=(0, 1), prediction=None)
    assert both.score_columns == ("amount", "score")
    assert not set(both.score_columns) & set(both.feature_columns)


def test_a_model_version_is_to_change_and_so_is_no_drift(make_contract: MakeContract) -> None:
    contract = make_contract(model_version="note")
    assert [name for name in contract.columns if not contract.is_watched(name)] == ["note"]


def test_every_argument_is_tried_for_its_part_in_the_identity() -> None:
    assert OTHER_ARGUMENTS.keys() == {item.name for item in fields(tg.Contract)} - {"schema", "path"}


@pytest.mark.parametrize(
    ("one_schema", "another"),
    [
        pytest.param(model(low=0), model(low=1), id="a range"),
        pytest.param(model(), model(description="how few"), id="a description"),
        pytest.param(one(pr.Check(_positive)), one(pr.Check(_not_negative)), id="a custom check"),
        pytest.param(
            one(pr.Check(_positive, name="fine")), one(pr.Check(_not_negative, name="fine")), id="the code of a check"
        ),
        pytest.param(
            one(pr.Check(_positive, error="fine")),
            one(pr.Check(_not_negative, error="fine")),
            id="the code behind words",
        ),
        pytest.param(positive_model(), lenient_model(), id="a check in a method"),
        pytest.param(table_model(), lenient_table_model(), id="a table check in a method"),
        pytest.param(
            one(pr.Check.ge(0, error="too small")), one(pr.Check.ge(5, error="too small")), id="a range behind words"
        ),
        pytest.param(
            one(pr.Check(sourceless("def f(s): return s > 0"))),
            one(pr.Check(sourceless("def f(s): return s > 1"))),
            id="a constant without source",
        ),
        pytest.param(
            one(pr.Check(sourceless("def f(s): return s.min() > 0"), name="f")),
            one(pr.Check(sourceless("def f(s): return s.max() > 0"), name="f")),
            id="a name without source",
        ),
        pytest.param(one(at_most(5)), one(at_most(6)), id="what the code was given"),
        pytest.param(one(reading(5)), one(reading(6)), id="a constant that the code reads"),
        pytest.param(one(reading(5, nested=True)), one(reading(6, nested=True)), id="a constant read by a nested code"),
        pytest.param(one(calling(5)), one(calling(6)), id="a constant read by a function that is called"),
        pytest.param(one(), one(dtype=float), id="a type"),
        pytest.param(one(dtype="datetime64[ns]"), one(dtype=pd.DatetimeTZDtype("ns", "UTC")), id="a zone"),
        pytest.param(
            one(dtype=pd.CategoricalDtype(["x", "y"])), one(dtype=pd.CategoricalDtype(["x", "z"])), id="the categories"
        ),
        pytest.param(one(), one(nullable=True), id="nullable"),
        pytest.param(one(), one(unique=True), id="unique"),
        pytest.param(one(), one(required=False), id="required"),
        pytest.param(one(metadata={"unit": "km"}), one(metadata={"unit": "mile"}), id="a unit"),
        pytest.param(pr.DataFrameSchema(one().columns), pr.DataFrameSchema(one().columns, strict=True), id="strict"),
        pytest.param(pr.DataFrameSchema(one().columns), pr.DataFrameSchema(one().columns, ordered=True), id="ordered"),
        pytest.param(pr.DataFrameSchema(one().columns), pr.DataFrameSchema(one().columns, coerce=True), id="coerce"),
        pytest.param(
            pr.DataFrameSchema(one().columns), pr.DataFrameSchema(one().columns, unique=["a"]), id="unique together"
        ),
        pytest.param(
            pr.DataFrameSchema({"^a": pr.Column(int, pr.Check.ge(0), regex=True)}),
            pr.DataFrameSchema({"^a": pr.Column(int, pr.Check.ge(5), regex=True)}),
            id="a range of columns by pattern",
        ),
        pytest.param(
            pr.DataFrameSchema(one().columns, checks=pr.Check.ge(0)),
            pr.DataFrameSchema(one().columns, checks=pr.Check.ge(5)),
            id="a range of the table",
        ),
        pytest.param(
            pr.DataFrameSchema(one().columns, index=pr.Index(int, pr.Check.ge(0))),
            pr.DataFrameSchema(one().columns, index=pr.Index(int, pr.Check.ge(5))),
            id="a range of the index",
        ),
        pytest.param(
            pr.DataFrameSchema({"a": pr.Column(int), "b": pr.Column(int)}),
            pr.DataFrameSchema({"b": pr.Column(int), "a": pr.Column(int)}),
            id="the order of columns",
        ),
        pytest.param(one(coerce=False), one(coerce=True), id="coerce of a column"),
        pytest.param(one(pr.Check.ge(0)), one(pr.Check.ge(0, ignore_na=False)), id="whether missing values fail"),
    ],
)
def test_a_schema_that_means_something_else_makes_another_contract(one_schema: Any, another: Any) -> None:
    assert identity(one_schema) != identity(another)


# how much a finding matters


def test_the_severity_of_a_finding_is_the_columns_over_the_contracts_over_the_default() -> None:
    schema = pr.DataFrameSchema({"own": pr.Column(float, metadata={"drift": "info"}), "plain": pr.Column(float)})
    silent = make_contract(schema)
    stated = make_contract(schema, severity={"drift": "critical", "volume": "warning"})
    critical, warning = tg.Severity.CRITICAL, tg.Severity.WARNING
    assert silent.severity_of("drift", warning, "plain") is warning
    assert silent.severity_of("drift", warning, "own") is tg.Severity.INFO
    assert stated.severity_of("drift", warning, "plain") is critical
    assert stated.severity_of("drift", warning) is critical
    assert stated.severity_of("drift", warning, "own") is tg.Severity.INFO
    assert stated.severity_of("drift", warning, "no such column") is critical
    assert stated.severity_of("volume", critical) is warning
    assert stated.severity_of("prediction_drift", critical, "own") is tg.Severity.INFO
    assert stated.severity_of("prediction_drift", critical, "plain") is critical
    assert stated.severity_of("missing_values", critical, "own") is critical  # the column's word is about drift only


def test_a_column_that_switches_drift_off_leaves_the_severity_to_the_contract() -> None:
    contract = make_contract(pr.DataFrameSchema({"a": pr.Column(float, metadata={"drift": "off"})}))
    assert contract.severity_of("drift", tg.Severity.WARNING, "a") is tg.Severity.WARNING


@pytest.mark.parametrize("name", CATALOGUE)
def test_advice_is_never_critical_and_all_else_may_be(name: str) -> None:
    contract = make_contract(pr.DataFrameSchema({"a": pr.Column(float)}), severity={name: "critical"})
    advice = CATALOGUE[name].priority == 3
    expected = tg.Severity.WARNING if advice else tg.Severity.CRITICAL
    assert contract.severity_of(name, tg.Severity.CRITICAL) is expected
    assert contract.severity_of(name, tg.Severity.INFO) is expected
