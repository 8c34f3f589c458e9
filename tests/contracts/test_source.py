"""Python source of values: whatever stands in them, they come back as they were."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.imported import Draft, DraftCheck, DraftColumn
from tidegate_contracts.imported_source import source_of
from tidegate_contracts.imported_type import Dtype
from tidegate_contracts.source import call, docstring, imports, keywords, laid_out, literal, part_of, pattern

ANY_TEXT = st.text(st.characters(), max_size=20) | st.text("'\"\\\n\r\0ab", max_size=8)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT
NAMES = {"date": date, "float": float, "pd": pd, "tg": tg, "timedelta": timedelta}


def made_again(source: str) -> Any:
    """The value of source that calls our own names."""
    return eval(source, {"__builtins__": {}, **NAMES})  # noqa: S307 - the source is what is tested


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner) | st.tuples(inner)))
def test_a_value_comes_back_from_its_source_however_it_is_laid_out(value: Any) -> None:
    assert ast.literal_eval(literal(value)) == value
    assert ast.literal_eval(laid_out(part_of(value), width=8)) == value
    assert "\n" not in literal(value)


@given(ANY_TEXT)
@example('"')
@example('""""')
@example("\\")
@example('x"')
def test_a_text_stays_a_text_as_docstring_and_as_pattern(text: str) -> None:
    assert ast.get_docstring(ast.parse(docstring(text)), clean=False) == text
    assert ast.literal_eval(laid_out(pattern(text))) == text
    assert "\0" not in laid_out(pattern(text))


@pytest.mark.parametrize(
    "value",
    [
        float("inf"),
        float("-inf"),
        timedelta(0),
        timedelta(-1, 7, 3),
        timedelta(hours=36, microseconds=5),
        date(2024, 2, 29),
        pd.Timestamp("2024-07-01 12:00:00.000000001"),
        pd.Timestamp("2024-07-01", tz="UTC"),
        pd.Timestamp("2024-10-27 02:30", tz="UTC").tz_convert("Europe/Paris"),
        tg.AlarmBudget(one_in=50),
    ],
)
def test_values_that_are_no_literals_come_back_too(value: Any) -> None:
    again = made_again(literal(value))
    assert again == value
    assert getattr(again, "tzinfo", None) == getattr(value, "tzinfo", None)


def test_nan_comes_back() -> None:
    again = made_again(literal(float("nan")))
    assert again != again


def test_only_what_is_named_is_imported() -> None:
    body = laid_out(call("tg.Contract", keywords({"owner": "pd.date(pyarrow.x)", "cadence": timedelta(1)})))
    assert imports(body) == ["from datetime import timedelta", "", "import tidegate as tg"]


@pytest.mark.parametrize("length", ["min_value", "max_value", "exact_value"])
def test_a_length_of_texts_keeps_its_meaning(length: str) -> None:
    column = DraftColumn("x", Dtype("str"), (DraftCheck("str_length", {length: 3}),))
    draft = Draft("x", (column,), {}, {"name": "x", "version": "1.0.0", "owner": "me"})
    assert f"pa.Check.str_length({length}=3)" in source_of(draft)
