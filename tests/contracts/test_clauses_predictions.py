"""What a model says: found in real flights where it cannot be, and left alone where it can."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pr
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tests.contracts.columns import make_batch, make_contract
from tidegate_contracts.check import Checked, check
from tidegate_contracts.circumstances import Circumstances
from tidegate_contracts.clauses import Subject, clauses
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_flows.demo import data
from tidegate_monitors.faults.invalid_predictions import invalid_predictions, unnormalised_scores
from tidegate_monitors.faults.mixed_model_versions import mixed_model_versions

DAYS = [data.FIRST + timedelta(days=number) for number in (3, 61)]
SCORES = ("p_early", "p_on_time", "p_late")
CLASSES = ("early", "on time", "late")


@pytest.fixture(scope="module")
def scored(flights: pd.DataFrame) -> dict[date, Any]:
    """Real days with what a model of three classes says: its probabilities, the likeliest class, and its version."""
    found = {}
    for day in DAYS:
        table = data.table(flights[flights["day"] == day])
        late = np.asarray(table.column("p_late").to_numpy(), dtype=np.float64)
        scores = np.stack([0.6 * (1 - late), 0.4 * (1 - late), late])
        told = [CLASSES[place] for place in scores.argmax(axis=0)]
        for name, values in zip(SCORES[:2], scores[:2], strict=True):
            table = table.append_column(name, pa.array(values))
        table = table.append_column("outcome", pa.array(told))
        found[day] = table.append_column("model", pa.array(["gbm-7"] * table.num_rows))
    return found


def contract_of(kind: str, *, nullable: bool = False, personal: bool = False, **arguments: Any) -> tg.Contract:
    """A contract whose schema says of what a model says no more than its types."""
    columns = {
        "flight_id": pr.Column(str, unique=True),
        "p_late": pr.Column(float, nullable=nullable),
        "p_early": pr.Column(float, nullable=nullable),
        "p_on_time": pr.Column(float, nullable=nullable),
        "outcome": pr.Column(str),
        "model": pr.Column(str, metadata={"personal": personal}),
    }
    if kind == "binary":
        columns["late"] = pr.Column(float, pr.Check.isin([0, 1]), nullable=True)
        usual: dict[str, Any] = {"prediction": "p_late", "label": "late"}
    else:
        columns["came"] = pr.Column(str, nullable=True)
        usual = {"prediction": "outcome", "score": SCORES, "classes": CLASSES, "label": "came"}
    usual |= {"key": ("flight_id",), "model_version": "model", "tolerance": 0.05}
    return make_contract(pr.DataFrameSchema(columns), **(usual | arguments))


def checked(table: Any, contract: tg.Contract) -> Checked:
    """What a contract says of a table."""
    return check(make_batch(table, contract), contract)


def told(table: Any, contract: tg.Contract) -> list[tuple[str, str | None, int | None]]:
    """Check, column and failing rows of all that a contract says of a table."""
    return [(item.check, item.column, item.failed) for item in checked(table, contract).violations]


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("kind", ["binary", "classes"])
def test_what_a_model_may_say_breaks_nothing(scored: dict[date, Any], kind: str, day: date) -> None:
    assert told(scored[day], contract_of(kind)) == []


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("binary", "p_late", 1.2),
        ("binary", "p_late", -0.001),
        ("binary", "p_late", float("inf")),
        ("classes", "outcome", "cancelled"),
    ],
)
def test_a_prediction_that_cannot_be_is_set_aside_once_and_under_its_name(
    scored: dict[date, Any], kind: str, column: str, value: object, day: date
) -> None:
    table = invalid_predictions(scored[day], column, value, 7, np.random.default_rng(3))
    found = checked(table, contract_of(kind))
    assert [(item.check, item.column, item.failed) for item in found.violations] == [("invalid_predictions", column, 7)]
    assert found.failed.sum() == 7
    assert not found.critical
    assert checked(table, contract_of(kind, tolerance=0)).critical


def test_class_scores_are_probabilities_that_sum_to_one(scored: dict[date, Any]) -> None:
    rng, contract = np.random.default_rng(4), contract_of("classes")
    halved = unnormalised_scores(scored[DAYS[0]], SCORES, 9, rng)
    assert told(halved, contract) == [("invalid_predictions", None, 9)]
    outside = invalid_predictions(scored[DAYS[0]], "p_early", 1.5, 5, rng)
    assert told(outside, contract) == [("invalid_predictions", "p_early", 5)]  # their sum is no second fault


def test_scores_in_single_precision_still_sum_to_one(scored: dict[date, Any]) -> None:
    table = scored[DAYS[0]]
    for name in SCORES:
        short = table.column(name).cast(pa.float32()).cast(pa.float64())
        table = table.set_column(table.column_names.index(name), name, short)
    assert told(table, contract_of("classes")) == []


def test_a_missing_prediction_is_told_once_by_the_schema_or_allowed_by_it(scored: dict[date, Any]) -> None:
    table = invalid_predictions(scored[DAYS[0]], "p_late", None, 6, np.random.default_rng(5))
    assert told(table, contract_of("binary")) == [("missing_values", "p_late", 6)]
    assert told(table, contract_of("binary", nullable=True)) == []
    assert told(table, contract_of("classes", nullable=True)) == [("invalid_predictions", None, 6)]  # two of three
    for name in SCORES[:2]:
        gaps = table.column("p_late").is_null()
        table = table.set_column(table.column_names.index(name), name, pc.if_else(gaps, None, table[name]))
    assert told(table, contract_of("classes", nullable=True)) == []


def test_what_the_schema_refuses_already_is_not_blamed_again(flights_contract: tg.Contract, flights: Any) -> None:
    table = data.table(flights[flights["day"] == DAYS[0]])
    for value in (1.7, float("inf")):
        faulty = invalid_predictions(table, "p_late", value, 4, np.random.default_rng(6))
        found = check(make_batch(faulty, flights_contract), flights_contract).violations
        assert [(item.check, item.failed) for item in found] == [("impossible_values", 4)]


def predicted(values: list[Any], kind: Any, **arguments: Any) -> list[tuple[str, list[int]]]:
    """What the clause says of a column of predictions: rules and rows."""
    label = arguments.pop("label_type", float)
    schema = pr.DataFrameSchema({"said": pr.Column(kind, nullable=True), "truth": pr.Column(label, nullable=True)})
    contract = make_contract(schema, **({"prediction": "said", "label": "truth"} | arguments))
    table = pa.table({"said": pa.array(values)})
    subject = Subject(make_batch(table, contract), contract, Circumstances())
    return [(item.rule, rows(item)) for item in clauses()["invalid_predictions"](subject)]


def rows(item: Broken) -> list[int]:
    assert item.rows is not None
    return item.rows.tolist()


@pytest.mark.parametrize(
    ("values", "kind", "arguments", "expected"),
    [
        pytest.param([3.5, -9.0, None], float, {}, [], id="a number may be any"),
        pytest.param([3.5, float("inf")], float, {}, [("finite", [1])], id="a number is finite"),
        pytest.param([0.2, 1.1], float, {"decision_threshold": 0.5}, [("a probability, 0 <= p <= 1", [1])],
                     id="a threshold makes it a probability"),
        pytest.param([0.2, -1.0, 1.0, 2.0], float, {"classes": (-1, 1)}, [("a probability or a class", [3])],
                     id="two numbers that are classes"),
        pytest.param([1, 3, 4], int, {"classes": (1, 2, 3)}, [("one of the classes", [2])], id="classes by number"),
        pytest.param([1.5, 3.9], float, {"classes": (1, 2, 3)}, [], id="the mean of ordered classes"),
        pytest.param([0, 1], int, {"classes": ("a", "b", "c"), "label_type": str}, [], id="places of named classes"),
        pytest.param(["a", None, "x"], str, {"classes": ("a", "b"), "label_type": str}, [("one of the classes", [2])],
                     id="named classes"),
        pytest.param([True, False, None], "boolean", {"classes": (0, 1)}, [], id="truth is one or zero"),
        pytest.param(["0", "1"], str, {"classes": (0, 1)}, [], id="texts are no numbers"),
        pytest.param([0.5, 1.5], float, {"classes": (0, 1), "label": None}, [("a probability, 0 <= p <= 1", [1])],
                     id="classes without a label"),
    ],
)  # fmt: skip
def test_a_prediction_is_held_against_what_it_is_of(
    values: list[Any], kind: Any, arguments: dict[str, Any], expected: list[tuple[str, list[int]]]
) -> None:
    assert predicted(values, kind, **arguments) == expected


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=30))
def test_no_value_is_blamed_twice_and_every_impossible_one_is(values: list[float | None]) -> None:
    found = [row for _, places in predicted([*values, 0.5], float, classes=(0, 1)) for row in places]
    assert sorted(found) == [place for place, value in enumerate(values) if value is not None and not 0 <= value <= 1]


# the version of the model


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_two_models_in_one_batch_are_named_with_their_rows_and_nothing_is_set_aside(
    scored: dict[date, Any], day: date
) -> None:
    table = mixed_model_versions(scored[day], "model", "gbm-8", 0.1, np.random.default_rng(7))
    found = checked(table, contract_of("binary"))
    new = round(0.1 * table.num_rows)
    assert [(item.check, item.severity, item.column) for item in found.violations] == [
        ("mixed_model_versions", Severity.WARNING, "model")
    ]
    assert f"'gbm-7' in {table.num_rows - new} rows, 'gbm-8' in {new} rows" in found.violations[0].message
    assert not found.failed.any()


def test_versions_of_a_personal_column_are_counted_and_not_named(scored: dict[date, Any]) -> None:
    table = mixed_model_versions(scored[DAYS[0]], "model", "ann's", 0.1, np.random.default_rng(8))
    (found,) = checked(table, contract_of("binary", personal=True)).violations
    assert "2 are here" in found.message
    assert "ann" not in found.message


def test_many_versions_are_not_all_named(scored: dict[date, Any]) -> None:
    table = scored[DAYS[0]]
    names = pa.array([f"v{row % 9}" + "x" * 99 for row in range(table.num_rows)])
    (found,) = checked(
        table.set_column(table.column_names.index("model"), "model", names), contract_of("binary")
    ).violations
    assert "and 4 more" in found.message
    assert len(found.message) < 400
