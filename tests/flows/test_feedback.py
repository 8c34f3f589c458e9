"""What the model said of a route yesterday, held against the features of today, in real flights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pr
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source, Window
from tidegate_contracts.severity import Severity
from tidegate_flows.demo import data
from tidegate_flows.feedback import feedback
from tidegate_flows.ledger import counters
from tidegate_flows.place import at
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.feedback_loop import feedback_loop

FIRST, SECOND = date(2013, 4, 10), date(2013, 4, 11)
Days = dict[date, Any]


@pytest.fixture(scope="module")
def days(flights: pd.DataFrame) -> Days:
    """Two real days with the route of each flight, and how late it was of late: a feature made without the model."""
    rng, found = np.random.default_rng(1), {}
    for day in (FIRST, SECOND):
        table = data.table(flights[flights["day"] == day])
        pairs = zip(table.column("origin").to_pylist(), table.column("dest").to_pylist(), strict=True)
        table = table.append_column("route", pa.array(["-".join(pair) for pair in pairs]))
        found[day] = table.append_column("of_late", pa.array(rng.random(table.num_rows)))
    return found


@pytest.fixture(scope="module")
def contract(flights_contract: tg.Contract) -> tg.Contract:
    columns = {"route": pr.Column(str), "of_late": pr.Column(float)}
    schema = flights_contract.pandera_schema.add_columns(columns)
    return replace(flights_contract, schema=schema, entity=("route",), alarm_budget=None)


@pytest.fixture
def say(days: Days, contract: tg.Contract, store: Path) -> Callable[..., tuple[Alarm, ...]]:
    """What is said of a table of the second day, once the first one was published."""
    tg.gate(days[FIRST], contract, store=store, batch_id="first", as_of="window").require_published()

    def ask(table: Any, other: tg.Contract = contract, batch: str = "second") -> tuple[Alarm, ...]:
        bounds = pc.min_max(table.column("scheduled")).as_py()
        window = Window(bounds["min"], bounds["max"])
        came = Batch("flights", batch, Source("second.parquet", ".parquet", "", 0), table, table, window)
        with at(store) as place:
            return feedback(place, came, other)

    return ask


def test_a_revision_is_not_held_against_the_rows_that_it_replaces(
    say: Callable[..., tuple[Alarm, ...]], days: Days
) -> None:
    looped = feedback_loop(days[SECOND], "of_late", days[FIRST], "route", "p_late")
    assert say(looped, batch="first") == (), "as it comes"
    assert say(looped, batch="first~0123456789ab") == (), "as it is judged again"
    assert [alarm.check for alarm in say(looped)] == ["feedback_loop"]


def test_a_feature_that_is_yesterdays_prediction_is_found_and_no_other_feature_is(
    say: Callable[..., tuple[Alarm, ...]], days: Days
) -> None:
    (alarm,) = say(feedback_loop(days[SECOND], "of_late", days[FIRST], "route", "p_late"))
    assert (alarm.check, alarm.column, alarm.severity) == ("feedback_loop", "of_late", Severity.WARNING)
    assert alarm.score is not None
    assert alarm.score >= 0.95
    assert "of the same route in batch 'first'" in alarm.message
    assert say(days[SECOND]) == ()


def test_nothing_is_said_without_an_entity_or_where_the_batch_is_not_the_later_one(
    say: Callable[..., tuple[Alarm, ...]], days: Days, contract: tg.Contract
) -> None:
    looped = feedback_loop(days[SECOND], "of_late", days[FIRST], "route", "p_late")
    assert say(looped, replace(contract, entity=())) == ()
    assert say(looped, replace(contract, prediction=None)) == ()
    assert say(looped.drop_columns(["of_late"])) == ()
    assert say(feedback_loop(days[FIRST], "of_late", days[FIRST], "route", "p_late")) == ()


def test_a_published_file_that_is_gone_is_no_failure_of_the_gate_and_is_told(
    say: Callable[..., tuple[Alarm, ...]],
    days: Days,
    contract: tg.Contract,
    store: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    next((store / "flights" / "published").glob("*.parquet")).unlink()
    (said,) = say(days[SECOND])
    assert (said.check, said.kind, said.severity) == ("insufficient_evidence", "insufficient_evidence", Severity.INFO)
    assert "could not be looked at: what was published of batch 'first' cannot be read" in said.message
    assert "not held against batch first" in caplog.text
    run = tg.gate(days[SECOND], contract, store=store, batch_id="second", as_of="window")
    assert said.message in {finding.message for finding in run.require_published().findings}
    with at(store) as place, place.ledger.read() as connection:
        failures = {labels["monitor"]: n for _, _, labels, n in counters.totals(connection) if "monitor" in labels}
    assert failures == {"feedback_loop": 2}
