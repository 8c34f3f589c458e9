"""What a contract says, goes out into another tool's words and comes back: the same, or told as lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.diff import diff
from tidegate_contracts.expectations import from_suite, to_suite
from tidegate_contracts.imported_source import source_of
from tidegate_contracts.odcs.read import from_odcs
from tidegate_contracts.odcs.write import to_odcs

Tripped = tuple[tg.Contract, list[str]]
Trip = Callable[[tg.Contract], Tripped]


def by_gx(contract: tg.Contract) -> Tripped:
    """Out into a suite of Great Expectations and back; and what was lost on both ways."""
    document, lost = to_suite(contract)
    draft = from_suite(document)
    return draft.contract(), [*lost, *draft.lost]


def by_odcs(contract: tg.Contract) -> Tripped:
    """Out into the Open Data Contract Standard and back; and what was lost on both ways."""
    written = to_odcs(contract)
    draft = from_odcs(written.document)
    return draft.contract(), [*written.lost, *draft.lost]


both = pytest.mark.parametrize("trip", [by_gx, by_odcs])


def changed(contract: tg.Contract, back: tg.Contract) -> list[tuple[str | None, str]]:
    """What is different, but for the same in other words."""
    return [(item.column, item.what) for item in diff(contract, back).changes if item.what != "declaration"]


def contract_of(schema: Any, **arguments: Any) -> tg.Contract:
    return tg.Contract(**{"name": "orders", "version": "1.0.0", "owner": "shop", "schema": schema} | arguments)


CHECKS: dict[Any, list[Callable[[], Any]]] = {
    "int64": [
        lambda: pa.Check.ge(0),
        lambda: pa.Check.in_range(0, 9, include_max=False),
        lambda: pa.Check.eq(3, name="impossible_values"),
        lambda: pa.Check.lt(9, raise_warning=True),
        lambda: pa.Check.le(9, ignore_na=False),
        lambda: pa.Check(lambda values: values > 1, name="one", raise_warning=True),
        lambda: pa.Check(lambda values: values > 0, name="own"),
    ],
    "float64": [lambda: pa.Check.ne(0.0), lambda: pa.Check.notin([1.5])],
    str: [
        lambda: pa.Check.isin(["a", "b"]),
        lambda: pa.Check.str_startswith("a"),
        lambda: pa.Check.str_contains("^a"),
        lambda: pa.Check.str_length(1, 3, error="too long"),
        lambda: pa.Check.unique_values_eq(["a"]),
    ],
    "bool": [lambda: pa.Check.eq(True)],
    "datetime64[us, UTC]": [lambda: pa.Check.ge(pd.Timestamp("2024-01-01", tz="UTC"))],
    pd.ArrowDtype(pyarrow.date32()): [],
    pd.ArrowDtype(pyarrow.list_(pyarrow.int64())): [],
    "timedelta64[ns]": [],
    pd.CategoricalDtype(["b", "a"], ordered=True): [],
    pd.CategoricalDtype(): [],
    "object": [],
    None: [],
}
METADATA = {"personal": True, "unit": "mile", "available": "P1D", "drift": "off", "term": "https://a.org/x", "own": [1]}
TEXTS = st.sampled_from(["some words", "NO", "it's"])


@st.composite
def columns(draw: st.DrawFn) -> pa.Column:
    kind = draw(st.sampled_from(list(CHECKS)))
    makers = draw(st.lists(st.sampled_from(CHECKS[kind]), max_size=2)) if CHECKS[kind] else []
    flags = {name: st.booleans() for name in ("nullable", "unique", "coerce", "required")}
    words = {"title": TEXTS, "description": TEXTS, "report_duplicates": st.just("exclude_first")}
    metadata = st.sets(st.sampled_from([*METADATA]), max_size=3).map(
        lambda names: {name: METADATA[name] for name in names}
    )
    said = draw(st.fixed_dictionaries({}, optional=flags | words | {"metadata": metadata}))
    said |= {} if kind is not None else {"coerce": False}
    return pa.Column(kind, [make() for make in makers], **said)


@st.composite
def contracts(draw: st.DrawFn) -> tg.Contract:
    named = draw(st.dictionaries(st.sampled_from(["a", "b c", "d", "é"]), columns(), min_size=1, max_size=3))
    names = st.sampled_from([*named])
    open_ = [name for name, column in named.items() if not (column.metadata or {}).get("personal")]
    arguments = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "key": st.tuples(names),
                "label": names,
                "slices": st.just(tuple(open_)),
                "cadence": st.just(timedelta(days=1)),
                "volume": st.sampled_from(["learnt", (0, 9), (5, 5)]),
                "rows_min": st.integers(0, 3),
                "tolerance": st.just(0.1),
                "floors": st.just({"recall": 0.6}),
                "scope": st.just(lambda frame: frame.a > 0),
                "classes": st.just({0: (0.1, 0.9), 1: (0.1, 0.9)}),
                "references": st.builds(lambda name: (tg.ForeignKey((name,), "keys.csv"),), names),
                "alarm_budget": st.just(tg.AlarmBudget(one_in=50)),
                "severity": st.dictionaries(
                    st.sampled_from(["drift", "impossible_values", "category_change", "schema_mismatch"]),
                    st.sampled_from(["info", "warning", "critical"]),
                ),
            },
        )
    )
    schema = pa.DataFrameSchema(
        named,
        strict=draw(st.sampled_from([True, False, "filter"])),
        unique=draw(st.one_of(st.none(), st.lists(names, min_size=1, max_size=1))),
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "ordered": st.booleans(),
                    "title": TEXTS,
                    "description": TEXTS,
                    "metadata": st.just({"layer": 2}),
                    "unique_column_names": st.just(True),
                    "index": st.just(pa.Index("int64", pa.Check.ge(0), name="level", metadata={"personal": True})),
                    "checks": st.just([pa.Check(lambda frame: frame.a > 0, name="sums")]),
                    "drop_invalid_rows": st.just(True),
                },
            )
        ),
    )
    return contract_of(schema, **arguments)


@both
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(contract=contracts())
def test_whatever_comes_back_otherwise_was_told_as_lost(trip: Trip, contract: tg.Contract) -> None:
    try:
        back, lost = trip(contract)
    except tg.ContractError:  # all columns come later, and a suite without columns is none
        assert contract.later_columns >= contract.columns.keys()
        assert any("makes no contract again" in line for line in to_suite(contract)[1])
        return
    for column, what in changed(contract, back):
        if column is None:
            assert any(what.partition("[")[0].partition(":")[0] in line for line in lost), (what, lost)
            continue
        mine = [line for line in lost if repr(column) in line]
        assert mine, (column, what, lost)
        if what in ("nullable", "unique", "coerce", "required", "title", "description", "type", *METADATA):
            assert any(what in line for line in mine), (column, what, lost)


@both
def test_what_people_and_guards_need_to_know_of_a_column_comes_back(trip: Trip) -> None:
    email = pa.Column(
        str, metadata={"personal": True, "unit": "none", "own": {"a": [1]}}, title="E-mail", description="of the buyer"
    )
    schema = pa.DataFrameSchema(
        {"email": email, "qty": pa.Column(int, coerce=True)}, title="Orders", description="All of them", coerce=True
    )
    contract = contract_of(schema, reviewed_on=None, entity=("email",), severity={"drift": "critical"})
    back, lost = trip(contract)
    assert changed(contract, back) == []
    assert back.columns["email"].personal
    assert back.coerces("qty")
    assert all("email" not in line and "qty" not in line for line in lost)
    assert "personal" in source_of(from_suite(to_suite(contract)[0]))


@both
def test_levels_of_an_index_come_back_as_columns_and_the_key_stays(trip: Trip) -> None:
    levels = [pa.Index(str, name="shop", metadata={"personal": True}), pa.Index(int, pa.Check.ge(0), name="number")]
    contract = contract_of(
        pa.DataFrameSchema({"v": pa.Column(float)}, index=pa.MultiIndex(levels)), key=("shop", "number")
    )
    back, lost = trip(contract)
    assert [*back.columns] == ["shop", "number", "v"]
    assert back.key == ("shop", "number")
    assert back.columns["shop"].personal
    assert lost == ["schema.index: 'shop', 'number': written as columns, not that they are an index"]


@both
def test_a_schema_for_polars_comes_back_as_one_for_pandas_with_the_nearest_types(trip: Trip) -> None:
    polars = pytest.importorskip("polars")
    import pandera.polars as pp

    types = {
        "text": (polars.String, "str"),
        "whole": (polars.Int32, "Int32"),
        "small": (polars.UInt8, "UInt8"),
        "number": (polars.Float64, "float64"),
        "flag": (polars.Boolean, "boolean"),
        "time": (polars.Datetime("us", "UTC"), "datetime64[us, UTC]"),
        "naive": (polars.Datetime("ns"), "datetime64[ns]"),
        "day": (polars.Date, "date32[day][pyarrow]"),
        "any": (polars.Categorical, "category"),
    }
    columns_ = {name: pp.Column(kind, nullable=True) for name, (kind, _) in types.items()}
    columns_["whole"] = pp.Column(polars.Int32, pp.Check.ge(0), metadata={"personal": True})
    contract = contract_of(pp.DataFrameSchema(columns_), key=("whole",))
    back, lost = trip(contract)
    assert {name: str(column.type) for name, column in back.columns.items()} == {
        name: kind for name, (_, kind) in types.items()
    }
    assert {what for _, what in changed(contract, back)} == {"type", "dialect of pandera"}
    assert len(lost) == 1
    assert "polars" in lost[0]


def test_a_type_of_polars_that_pandas_has_nothing_near_to_is_told() -> None:
    polars = pytest.importorskip("polars")
    import pandera.polars as pp

    contract = contract_of(pp.DataFrameSchema({"x": pp.Column(polars.List(polars.Int64))}))
    for trip in (by_gx, by_odcs):
        assert any("'x'" in line and "List" in line for line in trip(contract)[1])


def test_an_edited_suite_says_more_than_what_was_kept_beside_it() -> None:
    contract = contract_of(
        pa.DataFrameSchema({"a": pa.Column(int, pa.Check.ge(0, raise_warning=True))}), rows_min=3, volume=(0, 9)
    )
    document = to_suite(contract)[0]
    assert from_suite(document).contract().volume == (0, 9)
    for item in document["expectations"]:
        if item["type"] == "expect_table_row_count_to_be_between":
            item["kwargs"]["max_value"] = 20
        if item["type"] == "expect_column_values_to_be_between":
            item["severity"] = "critical"
    back = from_suite(document).contract()
    assert back.volume == (3, 20)
    (check,) = back.pandera_schema.columns["a"].checks
    assert not check.raise_warning
