"""Maturity: no batch is judged before its labels can be complete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.batch import Window
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.maturity import Maturity, expected_share, is_due, is_mature
from tidegate_monitors.tally import Tally

END = datetime(2024, 3, 2, tzinfo=UTC)


def cohort(settled: int, rows: int = 100, labelled: int | None = None, *, window: bool = True) -> Cohort:
    span = Window(END - timedelta(days=1), END) if window else None
    known = settled if labelled is None else labelled
    return Cohort("d", span, rows, settled, known, 0, (), MappingProxyType({"": Tally.empty(1)}))


@pytest.fixture
def delayed(make_contract: Callable[..., tg.Contract]) -> tg.Contract:
    return make_contract(label_delay=timedelta(days=7))


def test_labels_are_due_when_the_delay_has_passed_since_the_end_of_the_window(
    make_contract: Callable[..., tg.Contract],
) -> None:
    contract = make_contract(label_delay=timedelta(days=7))
    item = cohort(100)
    assert not is_due(item, contract, END + timedelta(days=7) - timedelta(microseconds=1))
    assert is_due(item, contract, END + timedelta(days=7))
    assert not is_mature(item, contract, END + timedelta(days=6), 0.9)
    assert is_mature(item, contract, END + timedelta(days=7), 0.9)


def test_without_a_delay_labels_are_due_at_once(
    make_contract: Callable[..., tg.Contract],
) -> None:
    assert is_due(cohort(100), make_contract(), END)
    assert not is_due(cohort(100), make_contract(), END - timedelta(seconds=1))
    assert is_due(cohort(100, window=False), make_contract(), END)


def test_without_a_window_the_delay_counts_from_when_the_batch_was_decided_on(
    make_contract: Callable[..., tg.Contract],
) -> None:
    contract = make_contract(label_delay=timedelta(days=7))
    item = replace(cohort(100, window=False), ended=END)
    assert not is_due(item, contract, END + timedelta(days=7) - timedelta(microseconds=1))
    assert is_due(item, contract, END + timedelta(days=7))
    assert not is_due(cohort(100, window=False), contract, END + timedelta(days=70)), "nobody knows when it ended"


@pytest.mark.parametrize(("settled", "mature"), [(0, False), (89, False), (90, True), (100, True)])
def test_nine_tenths_of_the_rows_must_be_settled_where_nothing_is_usual_yet(
    contract: tg.Contract, settled: int, mature: bool
) -> None:
    item = cohort(settled)
    expected = expected_share([item], contract)
    assert expected == 0.9
    assert is_mature(item, contract, END, expected) is mature


def test_a_batch_without_a_single_label_is_never_mature_though_all_its_rows_are_settled(contract: tg.Contract) -> None:
    assert not is_mature(cohort(100, labelled=0), contract, END, 0.9)
    assert is_mature(cohort(100, labelled=1), contract, END, 0.9)
    assert not is_mature(cohort(0, rows=0), contract, END, 0.0)


def test_where_three_in_five_rows_usually_get_a_label_nine_tenths_of_these_are_enough(delayed: tg.Contract) -> None:
    usual = [cohort(settled) for settled in (58, 60, 60, 61, 62)]
    expected = expected_share(usual, delayed)
    later = END + timedelta(days=7)
    assert expected == pytest.approx(0.54)
    assert is_mature(cohort(55), delayed, later, expected)
    assert not is_mature(cohort(53), delayed, later, expected)
    assert expected_share(usual[:4], delayed) == 0.9, "four batches show nothing usual"
    assert expected_share([*usual[:4], cohort(0, rows=0)], delayed) == 0.9, "and one without rows is none"


def test_one_batch_that_is_late_does_not_move_what_is_usual(delayed: tg.Contract) -> None:
    assert expected_share([cohort(1), *[cohort(60)] * 5], delayed) == pytest.approx(0.54)


def test_without_a_delay_incomplete_batches_do_not_teach_what_is_usual(contract: tg.Contract) -> None:
    assert expected_share([cohort(60)] * 20, contract) == 0.9


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=12))
def test_what_is_expected_and_what_has_come_are_shares(
    make_contract: Callable[..., tg.Contract], parts: list[tuple[int, int]]
) -> None:
    cohorts = [cohort(settled, rows=settled + more) for settled, more in parts]
    expected = expected_share(cohorts, make_contract(label_delay=timedelta(days=7)))
    assert 0 <= expected <= 0.9
    told = Maturity.of(cohorts, cohorts[:1], expected)
    assert 0 <= told.share <= 1
    rows = sum(item.rows for item in cohorts)
    assert told.share == (sum(item.settled for item in cohorts) / rows if rows else 0)
    assert told.to_dict() == {
        "state": "mature" if cohorts else "immature",
        "share": told.share,
        "expected": expected,
        "batches": {"mature": len(cohorts[:1]), "immature": len(cohorts) - len(cohorts[:1])},
    }


def test_labels_that_come_never_make_a_batch_less_mature(contract: tg.Contract) -> None:
    states = [is_mature(cohort(settled), contract, END, 0.54) for settled in range(101)]
    assert states == sorted(states)
    assert replace(cohort(54), rows=100).settled_share == 0.54
