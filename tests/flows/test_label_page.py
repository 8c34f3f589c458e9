"""The page of labels: whole, safe, fetched from nowhere, and true to the JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tests.conftest import Orders
from tests.flows.conftest import Said
from tests.monitors.label_worlds import EDGES, START, cohorts_of, world
from tidegate_contracts.errors import UsageError
from tidegate_flows.ledger.label_reports import Kept
from tidegate_flows.pages.axis import Axis
from tidegate_flows.pages.label_page import label_page, write_label_page
from tidegate_flows.place import at
from tidegate_monitors.bias_by_month import bias_by_month
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.label_judgement import Question, judge

VOID = {"meta", "link", "br"}
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b=c", "\x1b[31m\u202eevil", "x" * 500)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


class Reader(HTMLParser):
    """Reads a page, and fails where an element is not closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, name: str) -> list[str | None]:
        return [value for key, value in self.attributes if key == name]


def made(cohorts: Sequence[Cohort], contract: tg.Contract) -> tuple[str, dict[str, Any]]:
    """The page of a judgement of some cohorts, and its JSON."""
    asked = frozenset(cohort.batch for cohort in cohorts)
    report = judge(Question(contract, cohorts, asked, (), LATER, lambda _: iter(()), lambda _: None))
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    return label_page(Kept(document, LATER.timestamp(), 1.0), cohorts, contract, LATER), document


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Seventy days, in which predictions for carrier UA are too high."""
    return world(1, 70, carrier=0.15)


@pytest.fixture(scope="module")
def cohorts(frame: pd.DataFrame) -> list[Cohort]:
    return cohorts_of(frame)


@pytest.fixture(scope="module")
def page(cohorts: list[Cohort], make_contract: Callable[..., tg.Contract]) -> tuple[str, dict[str, Any]]:
    return made(cohorts, make_contract())


def test_it_is_well_formed_small_and_asks_for_nothing_from_anywhere(page: tuple[str, dict[str, Any]]) -> None:
    text, _ = page
    read = Reader(text)
    assert len(text.encode()) < 300_000
    assert not {"script", "img", "iframe", "object", "form"} & {*read.tags}
    assert read.of("src") == []
    assert read.of("href") == ["data:,"]
    assert "://" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert [name for name, _ in read.attributes if name.startswith("on")] == []


def test_headings_tables_and_drawings_say_what_they_are(page: tuple[str, dict[str, Any]]) -> None:
    read = Reader(page[0])
    levels = [int(tag[1]) for tag in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert read.tags.count("caption") == read.tags.count("table") >= 4
    assert read.tags.count("svg") == read.tags.count("desc") == read.of("role").count("img") == 5
    names = [value for value in read.of("id") if value]
    assert len(names) == len(set(names))
    told = {name for value in read.of("aria-labelledby") for name in (value or "").split()}
    assert told <= set(names)


def test_numbers_are_those_of_the_json(page: tuple[str, dict[str, Any]]) -> None:
    text, document = page
    shown = {float(value) for value in Reader(text).of("value") if value}
    for bias in document["biases"]:
        if bias["slice"] is None or bias["bucket"] is None:
            assert {bias["bias"], bias["shrunk"], bias["mean_prediction"], bias["mean_label"]} <= shown
            assert f"{bias['bias']:+.3f}".replace("-", "−") in text
            assert f"<td>{bias['n']:,}</td>" in text
    plain = {key: value for key, value in document["calibration"].items() if isinstance(value, float)}
    skill = {key: value for key, value in document["skill"].items() if isinstance(value, int | float)}
    assert {*plain.values(), *map(float, skill.values())} <= shown
    assert [finding for finding in document["findings"] if finding["slice"] == "carrier=UA"]
    for finding in document["findings"]:
        assert finding["check"] in text


def test_the_judgement_is_said_in_words(make_contract: Callable[..., tg.Contract]) -> None:
    good, _ = made(cohorts_of(world(2, 30, rows=2000)), make_contract())
    assert "Predictions are right on average, within the tolerance of 0.02" in good
    assert 'data-severity="sound"' in good
    bad, _ = made(cohorts_of(world(2, 30, everybody=0.1)), make_contract())
    assert re.search(r"Predictions are on average 0\.\d{3} above what came true, more than the tolerance", bad)
    assert re.search(r"\d warnings?: [a-z_, ]*prediction_bias", bad)
    few, _ = made(cohorts_of(world(2, 3, everybody=0.1)), make_contract())
    assert "3 batches are too few" in few
    frame = world(2, 10)
    frame.loc[frame["day"] >= 0, "label"] = np.where(np.arange(len(frame)) % 3, np.nan, frame["label"])
    none, document = made(cohorts_of(frame), make_contract(label_delay=timedelta(days=9999)))
    assert document["biases"] == []
    assert "Nothing is judged yet: 33.4% of the rows" in none
    Reader(none)


def test_hostile_names_stay_text(frame: pd.DataFrame, make_contract: Callable[..., tg.Contract]) -> None:
    names = {f"c{index}": name for index, name in enumerate(HOSTILE)}
    carriers = frame["carrier"].map(dict(zip(("AA", "B6", "DL", "UA", "WN"), names, strict=True)))
    renamed = [
        replace(
            item, tallies=MappingProxyType({"": replace(tally, names=tuple(_named(n, names) for n in tally.names))})
        )
        for item in cohorts_of(frame.assign(carrier=carriers))
        for tally in item.tallies.values()
    ]
    text, document = made(renamed, make_contract())
    assert any("<script>" in (bias["slice"] or "") for bias in document["biases"])
    read = Reader(text)
    assert not {"script", "img"} & {*read.tags}
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "x" * 100 not in text
    assert any("<script>alert(1)</script>" in part for part in read.texts), "it is shown as text"


def _named(name: str, names: dict[str, str]) -> str:
    column, _, value = name.partition("=")
    return f"{column}={names.get(value, value)}"


def test_many_slices_and_classes_stay_within_bounds(make_contract: Callable[..., tg.Contract]) -> None:
    class Several(Orders):
        score: str = pa.Field(isin=[f"k{index}" for index in range(12)])
        returned: str = pa.Field(
            isin=[f"k{index}" for index in range(12)], nullable=True, metadata={"available": "P1D"}
        )

    contract = make_contract(schema=Several, classes=tuple(f"k{index}" for index in range(12)))
    frame = world(3, 6)
    frame["carrier"] = np.random.default_rng(1).choice([f"carrier {index}" for index in range(31)], len(frame))
    cohorts = [
        replace(
            item,
            tallies=MappingProxyType({f"k{index}": item.tallies[""] for index in range(12)}),
            confusion=tuple((1,) * 12 for _ in range(12)),
        )
        for item in cohorts_of(frame)
    ]
    text, _ = made(cohorts, contract)
    Reader(text)
    assert len(text.encode()) < 300_000
    assert text.count("against the rest</h2>") == 6
    assert "6 of 12 classes are shown" in text
    assert "slices with fewer rows are left out" in text


def test_numbers_have_a_page_in_their_own_unit(make_contract: Callable[..., tg.Contract]) -> None:
    class Numbers(Orders):
        score: float
        returned: float = pa.Field(nullable=True, metadata={"available": "P1D"})

    frame = world(4, 30)
    frame = frame.assign(prediction=frame["prediction"] * 1000, label=frame["label"] * 1000)
    contract = make_contract(schema=Numbers, bias_tolerance=20.0)
    text, document = made(cohorts_of(frame, [edge * 1000 for edge in EDGES]), contract)
    Reader(text)
    assert f"{document['biases'][0]['mean_label']:,.0f}" in text
    assert "root mean squared error" in text


def test_months_are_those_of_a_group_by_in_the_contracts_zone(frame: pd.DataFrame, cohorts: list[Cohort]) -> None:
    zone = ZoneInfo("America/New_York")  # the days begin at midnight UTC: 1 February is still January there
    found = bias_by_month(cohorts, "", zone, binary=True)
    began = pd.Timestamp(START) + pd.to_timedelta(frame["day"], unit="D")
    grouped = frame.assign(month=began.dt.tz_convert(zone).dt.strftime("%Y-%m")).groupby("month")
    assert [f"{item.month:%Y-%m}" for item in found] == [*grouped.groups]
    assert found[0].month.year == 2023
    for item, (_, rows) in zip(found, grouped, strict=True):
        assert item.batches == rows["day"].nunique()
        assert item.overall.bias == pytest.approx(rows["prediction"].mean() - rows["label"].mean(), abs=1e-12)
        assert item.overall.n == len(rows)
        by_slice = {bias.slice: bias for bias in item.biases if bias.slice is not None}
        for carrier, mine in rows.groupby("carrier"):
            expected = mine["prediction"].mean() - mine["label"].mean()
            assert by_slice[f"carrier={carrier}"].bias == pytest.approx(expected, abs=1e-12)
        assert sum(bias.n for bias in item.biases if bias.bucket is not None) == len(rows)


def test_a_month_in_which_the_buckets_changed_has_all_but_the_buckets(frame: pd.DataFrame) -> None:
    half = frame["day"] < 10
    mixed = [*cohorts_of(frame[half]), *cohorts_of(frame[~half], (0.15, 0.25))]
    first, *_ = bias_by_month(mixed, "", UTC, binary=True)
    rows = frame[frame["day"] < 31]
    assert first.overall.bias == pytest.approx(rows["prediction"].mean() - rows["label"].mean(), abs=1e-12)
    assert all(bias.bucket is None for bias in first.biases)
    assert bias_by_month([], "", UTC, binary=True) == ()


@given(st.lists(st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6), min_size=1, max_size=6), st.booleans())
def test_an_axis_holds_its_values_and_has_ticks_that_differ(values: list[float], tight: bool) -> None:
    axis = Axis.over(values, 0, 100, tight=tight)
    for value in values:
        nothing = 2e-9 * axis.step + abs(value) * 1e-9  # what nobody sees on a drawing
        assert axis.low <= value + nothing
        assert value <= axis.high + nothing
        assert 0 <= axis.at(value) <= 100
    texts = [text for _, text in axis.ticks]
    assert len(texts) == len(set(texts)) <= 12


def test_the_command_writes_it_where_it_is_told(
    store: Path,
    tmp_path: Path,
    contract: tg.Contract,
    contract_file: Callable[..., Path],
    make_orders: Callable[..., pd.DataFrame],
    tidegate: Callable[..., Said],
) -> None:
    frame = make_orders(1)
    tg.gate(frame, contract, store=store, batch_id="d1").require_published()
    with at(store) as place, pytest.raises(UsageError, match="no judgement"):
        write_label_page(place, contract)
    labels, target = tmp_path / "labels.parquet", tmp_path / "out" / "page.html"
    frame[["order_id"]].assign(returned=0.0).to_parquet(labels, index=False)
    said = tidegate("labels", contract_file(), labels, "--store", store, "--report", target, "--json")
    assert said.code == 0, said.err
    assert f"page: {target}" in said.err
    document = json.loads(said.out)
    text = target.read_text(encoding="utf-8")
    Reader(text)
    assert repr(document["biases"][0]["bias"]) in text
    with at(store) as place:
        assert write_label_page(place, contract) == store / "orders" / "reports" / "labels.html"
