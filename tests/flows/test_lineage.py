"""Lineage: what a receiver of OpenLineage is told of a batch, and that nobody waits for it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tests.conftest import Orders
from tests.flows.conftest import Said
from tests.flows.loopback import loopback
from tidegate_flows import lineage, lineage_sender, reference
from tidegate_flows.gate import gate_at
from tidegate_flows.intake import Query
from tidegate_flows.lineage_moment import Moment
from tidegate_flows.lineage_place import Named, of_delivery, of_url
from tidegate_flows.lineage_sender import Sender
from tidegate_flows.place import at


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be sent, as OpenLineage's own classes write it."""
    from openlineage.client.serde import Serde

    from tidegate_flows.lineage_event import event

    found: list[dict[str, Any]] = []
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(lineage_sender, "send", lambda moment: found.append(json.loads(Serde.to_json(event(moment)))))
    return found


def test_a_published_batch_is_told_with_its_source_its_place_and_its_checks(
    told: list[dict[str, Any]], store: Path, contract: tg.Contract, tmp_path: Path, make_orders: Callable[[int], Any]
) -> None:
    path = tmp_path / "2024-03-02.parquet"
    make_orders(1).to_parquet(path, index=False)
    run = tg.gate(path, contract, store=store)
    start, end = told
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert end["job"] | {"facets": None} == {"namespace": "tidegate", "name": "gate.orders", "facets": None}
    (source,) = end["inputs"]
    assert (source["namespace"], source["name"]) == ("file", str(path))
    assert source["inputFacets"]["dataQualityAssertions"]["assertions"][0] == {"assertion": "contract", "success": True}
    assert source["inputFacets"]["inputStatistics"]["rowCount"] == 200
    fields = {item["name"] for item in source["facets"]["schema"]["fields"]}
    assert {"order_id", "placed", "amount"} <= fields
    (output,) = end["outputs"]
    assert (output["namespace"], output["name"]) == ("file", str(store / "orders" / "published"))
    assert output["facets"]["version"]["datasetVersion"] == "2024-03-02.parquet"
    assert (Path(output["name"]) / output["facets"]["version"]["datasetVersion"]).is_file()
    verdict = end["run"]["facets"]["tidegate_verdict"]
    assert (verdict["decision"], verdict["run"], verdict["batch"]) == ("publish", run.id, "2024-03-02")
    assert end["run"]["facets"]["nominalTime"]["nominalStartTime"].startswith("2024-03-02T")


def test_a_broken_contract_is_told_by_check_and_column_and_without_values(
    told: list[dict[str, Any]], store: Path, contract: tg.Contract, make_orders: Callable[[int], pd.DataFrame]
) -> None:
    wrong = make_orders(1).assign(country="Atlantis-4711")
    tg.gate(wrong, contract, store=store, batch_id="wrong")
    end = told[-1]
    assert end["eventType"] == "COMPLETE", "there is a verdict"
    whole, *found = end["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (whole["assertion"], whole["success"]) == ("contract", False)
    country = [item for item in found if item.get("column") == "country"]
    assert country
    assert not any(item["success"] for item in country)
    assert {item["severity"] for item in country} <= {"error", "warn", "info"}
    assert {item["params"]["failed"] for item in country if "params" in item} == {200}
    (output,) = end["outputs"]
    assert output["name"] == str(store / "orders" / "quarantine")
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 200
    assert "Atlantis" not in json.dumps(told)


def test_a_finding_that_names_a_slice_of_the_data_is_told_without_its_name(
    told: list[dict[str, Any]],
    store: Path,
    make_contract: Callable[..., tg.Contract],
    make_orders: Callable[[int], Any],
) -> None:
    class Cities(Orders):
        city: str

    contract = make_contract(schema=Cities, slices=("city",))
    names = ["Geheim-A", "Geheim-B", "Geheim-C"]
    with at(store) as place:
        for day in range(1, 11):
            frame = make_orders(day).assign(city=lambda f: [names[place % 3] for place in range(len(f))])
            gate_at(place, frame, contract, batch_id=f"d{day}", as_of="window").require_published()
        built = reference.build(place, contract, [f"d{day}" for day in range(1, 11)])
        reference.approve(place, "orders", built.sha256, by="ann", reason="looked at")
        told.clear()
        lost = make_orders(12).assign(city=lambda f: [names[place % 2] for place in range(len(f))])
        run = gate_at(place, lost, contract, batch_id="lost", as_of="window")
    [finding] = [item for item in run.findings if item.check == "lost_segment"]
    assert "Geheim-C" in finding.message, "its words have a value of the data"
    assert "Geheim" not in json.dumps(told)
    said = told[-1]["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    [item] = [item for item in said if item["assertion"] == "lost_segment"]
    assert (item["column"], item["success"]) == ("city", False)
    assert float(item["actual"]) == pytest.approx(finding.to_dict()["score"], rel=1e-4)


def test_a_delivery_that_comes_again_is_told_to_have_written_nothing(
    told: list[dict[str, Any]], store: Path, contract: tg.Contract, make_orders: Callable[[int], pd.DataFrame]
) -> None:
    for _ in range(2):
        tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    first, again = told[1], told[3]
    assert (len(first["outputs"]), again["outputs"]) == (1, [])
    assert [item["run"]["facets"]["tidegate_verdict"]["repeated"] for item in (first, again)] == [False, True]
    assert again["run"]["facets"]["tidegate_verdict"]["decision"] == "publish"


def test_no_verdict_is_told_as_failed(told: list[dict[str, Any]], store: Path, contract: tg.Contract) -> None:
    with pytest.raises(tg.UsageError):
        tg.gate("/nowhere/x.parquet", contract, store=store)
    assert told[-1]["eventType"] == "FAIL"
    assert told[-1]["run"]["facets"]["errorMessage"]["message"].startswith("UsageError: ")
    assert told[-1]["outputs"] == []


@pytest.mark.parametrize(
    ("delivery", "named"),
    [
        ("s3://ann:sec/ret@lake/in/a.parquet", Named("s3://lake", "in/a.parquet")),
        ("s3a://ann:secret@lake/in/a.parquet?versionId=secret#secret", Named("s3://lake", "in/a.parquet")),
        ("abfss://box@acct.dfs.core.windows.net/a.csv", Named("abfss://box@acct.dfs.core.windows.net", "a.csv")),
        ("https://ann:secret@example.com:8443/a.csv?sig=secret", Named("https://example.com:8443", "/a.csv")),
        ("file:///srv/in/a%20b.csv", Named("file", "/srv/in/a b.csv")),
        ("/srv/in/a.csv", Named("file", "/srv/in/a.csv")),
        (Query("postgresql://ann:secret@db/shop", "orders"), Named("postgres://db:5432", "shop.public.orders")),
        (Query("postgresql://db:5433/shop", "x.orders"), Named("postgres://db:5433", "shop.x.orders")),
        (Query("postgresql://db/shop", "select 'secret'"), Named("postgres://db:5432", "shop")),
        (Query("sqlite:////srv/a.db", "orders"), Named("file", "/srv/a.db")),
        (object(), Named("tidegate", "orders.frame")),
    ],
)
def test_a_place_has_the_name_that_others_know_it_by_and_no_secret(delivery: Any, named: Named) -> None:
    assert of_delivery(delivery, "orders", "tidegate") == named
    assert of_url("gs://lake/x") == Named("gs://lake", "x")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OPENLINEAGE_URL": "http://m:5000"}, True),
        ({"OPENLINEAGE__TRANSPORT__TYPE": "console"}, True),
        ({"OPENLINEAGE_URL": "http://m:5000", "OPENLINEAGE_DISABLED": "true"}, False),
    ],
)
def test_lineage_is_told_where_somebody_listens(
    environment: dict[str, str], wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert lineage.lineage_wanted(environment) is wanted
    (tmp_path / "openlineage.yml").write_text("transport: {type: noop}")
    assert lineage.lineage_wanted(environment) is (environment.get("OPENLINEAGE_DISABLED") != "true")


def test_a_sender_that_hangs_is_waited_for_only_so_long(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    sender = Sender(lambda: lambda _moment: release.wait(10))
    moment: Any = object()
    began = monotonic()
    for _ in range(1500):
        sender.put(moment)
    assert monotonic() - began < 1
    sender.close(0.2)
    assert monotonic() - began < 2
    release.set()
    assert [record.levelno for record in caplog.records] == [logging.WARNING], "told once"


def test_what_cannot_be_told_is_warned_of_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def tell(_moment: Moment) -> None:
        raise ConnectionError("http://ann:secret@host")

    sender = Sender(lambda: tell)
    moment: Any = object()
    sender.put(moment)
    sender.close(5)
    assert "lineage is not told: ConnectionError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.more
@pytest.mark.parametrize("fault", [None, "hangs", "is away"])
def test_a_receiver_gets_the_events_or_costs_three_seconds_and_no_verdict(
    fault: str | None,
    tidegate: Callable[..., Said],
    contract_file: Callable[..., Path],
    store: Path,
    tmp_path: Path,
    make_orders: Callable[[int], pd.DataFrame],
) -> None:
    path = tmp_path / "2024-03-02.parquet"
    make_orders(1).to_parquet(path, index=False)
    contract = contract_file()
    began = monotonic()
    assert tidegate("gate", contract, path, "--store", tmp_path / "usual").code == 0
    usual = monotonic() - began
    with loopback(hangs=fault == "hangs") as (url, taken):
        there = url if fault != "is away" else "http://127.0.0.1:9"
        began = monotonic()
        said = tidegate(
            "gate", contract, path, "--store", store, "--json", env={"OPENLINEAGE_URL": there, "HOME": str(tmp_path)}
        )
        took = monotonic() - began
    assert said.code == 0
    assert json.loads(said.out)["decision"] == "publish"
    assert took - usual < 15, "a receiver that hangs does so for 20 seconds"
    if fault is None:
        assert said.err == ""
        assert [where for _, where, _ in taken] == ["/api/v1/lineage"] * 2
        assert [json.loads(body)["eventType"] for _, _, body in taken] == ["START", "COMPLETE"]
        return
    assert said.err.startswith("WARNING tidegate.lineage: lineage is not told: "), said.err
    assert said.err.count("\n") == 1
