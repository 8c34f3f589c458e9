"""The catalogue of silent failures."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tidegate_contracts.catalogue import _ENTRIES, CATALOGUE, Entry, Stage, is_advice

LETTERS = {"C": Stage.CONTRACT, "B": Stage.BATCH, "S": Stage.SCORING, "L": Stage.LABEL, "H": Stage.HISTORY}


def test_there_are_116_entries_each_with_an_id_and_a_name_of_its_own() -> None:
    assert len(_ENTRIES) == len(CATALOGUE) == 116
    assert len({entry.id for entry in _ENTRIES}) == 116
    assert len({entry.name for entry in _ENTRIES}) == 116


def test_the_numbers_run_from_1_to_116_without_a_gap() -> None:
    assert [int(entry.id[1:]) for entry in _ENTRIES] == list(range(1, 117))


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE.keys())
def test_an_entry_is_well_formed(entry: Entry) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", entry.name)  # the value of a Prometheus label and of JSON
    assert len(entry.name) <= 40
    assert LETTERS[entry.id[0]] is entry.stage
    assert entry.priority in (1, 2, 3)
    assert is_advice(entry.name) is (entry.priority == 3)
    assert CATALOGUE[entry.name] is entry


def test_the_stages_follow_each_other() -> None:
    order = list(Stage)
    assert all(order.index(one.stage) <= order.index(next_one.stage) for one, next_one in pairwise(_ENTRIES))
    assert {entry.stage for entry in _ENTRIES} == set(Stage)


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATALOGUE["drift"] = CATALOGUE["volume"]  # type: ignore[index]


def test_a_name_that_is_not_in_the_catalogue_is_no_advice() -> None:
    assert not is_advice("no_such_check")
    assert is_advice("too_few_rows")
