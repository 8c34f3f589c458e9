"""The demo: the main job on real data, told once and looked at from all sides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pandas as pd
import pyarrow.parquet as pq
import pytest

import tidegate as tg
from tests.flows.conftest import Demo, Said
from tests.flows.test_exporter import page, value
from tidegate_flows.demo import data
from tidegate_flows.ledger import audit, runs
from tidegate_flows.place import at

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


@pytest.fixture
def documents(demo: Demo) -> list[dict[str, object]]:
    """All runs of the demo."""
    with at(demo.store) as place, place.ledger.begin() as connection:
        return [json.loads(row.document) for row in runs.history(connection, "flights")]


def test_the_story_is_told_without_an_error(demo: Demo) -> None:
    assert demo.code == 0, demo.err
    assert not re.search(r"error|traceback|warning", demo.err, re.IGNORECASE), demo.err
    assert "Try next:" in demo.out
    assert len(re.findall(r"^2013-", demo.out, re.MULTILINE)) == 61


def test_each_incident_is_found_on_its_day_under_its_name_and_nothing_else_is_stopped(
    demo: Demo, documents: list[dict[str, object]]
) -> None:
    found = {
        (document["batch"], finding["check"])
        for document in documents
        for finding in document["findings"]  # type: ignore[attr-defined]
        if finding["severity"] == "critical"
    }
    assert found == {
        ("2013-04-10", "unit_change"),
        ("2013-04-22", "duplicate_rows"),
        ("2013-05-06-again", "redelivered_batch"),
        ("2013-05-20", "class_collapse"),
    }


def test_the_clean_twins_of_the_incidents_pass(demo: Demo, flights: pd.DataFrame) -> None:
    reference = next((demo.store / "flights" / "references").glob("*.json"))
    for incident in data.INCIDENTS:
        rows = flights[flights["day"] == incident.day]
        verdict = tg.check(data.table(rows), demo.contract, reference)
        assert verdict.passed, (incident, verdict.findings)


def test_every_day_of_nature_ends_published_and_no_row_is_lost(
    demo: Demo, documents: list[dict[str, object]], flights: pd.DataFrame
) -> None:
    planted = {"2013-04-10", "2013-04-22", "2013-05-06-again", "2013-05-20"}
    last = {document["batch"]: document for document in documents}
    assert {batch for batch, document in last.items() if document["decision"] != "publish"} == planted
    for document in documents:
        rows = document["rows"]
        assert isinstance(rows, dict)
        assert rows["in"] == rows["published"] + rows["quarantined"] + rows["held"]
    files = list((demo.store / "flights" / "published").glob("*.parquet"))
    days = {path.stem for path in files}
    assert sum(pq.read_metadata(path).num_rows for path in files) == flights["day"].astype(str).isin(days).sum()


def test_bias_is_the_mean_prediction_less_the_mean_label(demo: Demo, flights: pd.DataFrame) -> None:
    rows = flights[(flights["day"].astype(str) == "2013-04-02") & flights["late"].notna()]
    expected = rows["p_late"].mean() - rows["late"].mean()
    line = next(line for line in demo.out.splitlines() if line.startswith("2013-04-02"))
    assert f"{expected:+.3f}" in line
    assert "bias" in demo.out


def test_the_decay_of_the_model_is_told_month_by_month_and_on_a_page(demo: Demo, flights: pd.DataFrame) -> None:
    lines = demo.out.splitlines()
    head = next(line for line in lines if line.startswith("of which rows")).split()[3:]
    assert head[:5] == ["rows", "(Feb)", "(Mar)", "Apr", "May"]
    stopped = {"2013-04-10", "2013-04-22"}
    known = flights[flights["late"].notna() & ~flights["day"].astype(str).isin(stopped)]
    for name, rows in (("all rows", known), ("origin=JFK", known[known["origin"] == "JFK"])):
        told = next(line for line in lines if line.startswith(name)).removeprefix(name).split()
        for month, cell in ((2, told[1]), (3, told[2]), (4, told[3])):
            mine = rows[rows["day"].map(lambda day, month=month: day.month == month)]
            assert cell.rstrip("*") == f"{mine['p_late'].mean() - mine['late'].mean():+.3f}", (name, month)
    page = demo.store / "flights" / "reports" / "labels.html"
    assert f"{page.relative_to(demo.folder.parent)}" in demo.out
    assert "Predictions are on average" in page.read_text(encoding="utf-8")


def test_the_breaker_opens_holds_and_closes_and_says_why(demo: Demo) -> None:
    with at(demo.store) as place, place.ledger.begin() as connection:
        events = [entry["event"] for entry in audit.entries(connection, "flights")]
        assert audit.verify(connection, "flights").first_break is None
    assert events.count("breaker.opened") == events.count("breaker.closed") == 4
    assert "unit_change in batch 2013-04-10" in demo.out


def test_the_numbers_reach_the_metrics_page(demo: Demo) -> None:
    found = page(demo.store)
    assert value(found, "batches_total", dataset="flights", decision="quarantine") == 4
    assert value(found, "breaker_state", dataset="flights", state="closed") == 1
    assert abs(value(found, "prediction_bias", dataset="flights", slice="", bucket="")) < 0.5
    assert value(found, "label_maturity_ratio", dataset="flights") > 0.9


@pytest.mark.more
def test_telling_it_again_is_harmless_and_tells_the_same(demo: Demo, tidegate: Callable[..., Said]) -> None:
    before = {path: path.stat().st_mtime_ns for path in (demo.store / "flights" / "published").iterdir()}
    again = tidegate("demo", cwd=demo.folder.parent)
    assert again.code == 0, again.err
    assert again.out == demo.out
    assert {path: path.stat().st_mtime_ns for path in (demo.store / "flights" / "published").iterdir()} == before
