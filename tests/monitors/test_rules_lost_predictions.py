"""Rows without a prediction: found in real days where they are far more than ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.check import check
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.faults.lost_predictions import lost_predictions as lost
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Block, Reference
from tidegate_monitors.rules import Evidence
from tidegate_monitors.rules.lost_predictions import lost_predictions
from tidegate_monitors.verdict import decide, observe

DAYS = [date(2013, 4, 10), date(2013, 9, 4), date(2013, 11, 28)]


def said(table: Any, reference: Reference, contract: tg.Contract) -> list[Alarm]:
    return list(lost_predictions(Evidence(Profile.of(table, reference.layout), reference, contract)))


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("share", [0.06, 0.3, 1.0])
def test_a_lost_part_of_the_scoring_is_found_and_its_clean_twin_is_not(
    share: float, day: date, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = lost(deliveries[day], "p_late", share, np.random.default_rng(1))
    (alarm,) = said(table, reference, flights_contract)
    assert (alarm.check, alarm.column, alarm.severity) == ("lost_predictions", "p_late", Severity.CRITICAL)
    assert alarm.score == pytest.approx(share, abs=0.001)
    assert f"{round(share * table.num_rows)} of {table.num_rows} rows" in alarm.message
    assert said(deliveries[day], reference, flights_contract) == []


def test_a_few_lost_predictions_are_left_to_the_rows(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    rng = np.random.default_rng(2)
    assert said(lost(deliveries[DAYS[0]], "p_late", 0.04, rng), reference, flights_contract) == []
    assert said(lost(deliveries[DAYS[0]].slice(0, 20), "p_late", 0.4, rng), reference, flights_contract) == []


def test_no_natural_day_lost_predictions(
    natural: dict[date, Profile], reference: Reference, flights_contract: tg.Contract
) -> None:
    assert not any(list(lost_predictions(Evidence(p, reference, flights_contract))) for p in natural.values())


def test_where_some_are_missing_by_nature_more_must_be(
    deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    rng, (first, *rest) = np.random.default_rng(3), reference.blocks
    day = deliveries[date(2013, 2, 1)]
    gaps = Block(first.batch, None, Profile.of(lost(day, "p_late", 0.2, rng), reference.layout))
    usual = replace(reference, blocks=(gaps, *rest))
    assert said(lost(deliveries[DAYS[0]], "p_late", 0.4, rng), usual, flights_contract) == []
    assert said(lost(deliveries[DAYS[0]], "p_late", 0.5, rng), usual, flights_contract)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_in_a_verdict_what_else_is_missing_there_is_listed_under_it(
    share: float, deliveries: dict[date, Any], reference: Reference, flights_contract: tg.Contract
) -> None:
    table = lost(deliveries[DAYS[0]], "p_late", share, np.random.default_rng(4))
    batch = Batch("flights", "one", Source("one.parquet", ".parquet", "", 0), table, table)
    profile = Profile.of(table, reference.layout)
    seen = observe(check(batch, flights_contract), profile, reference, flights_contract, np.random.default_rng(5))
    verdict = decide(seen, {}, flights_contract)
    about = [item for item in verdict.findings if item.column == "p_late"]
    assert [item.check for item in about if item.severity is Severity.CRITICAL] == [
        "missing_values",
        "lost_predictions",
    ]
    assert not [item for item in about if item.check in ("missingness_jump", "missingness_by_slice")]
