"""The dashboards: what is committed, and what a real Prometheus answers to each of their queries."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml  # type: ignore[import-untyped] # PyYAML ships no types
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families
from typer.main import get_command

import tidegate as tg
from tests.flows.test_exporter import free_port, require, running
from tidegate_flows import by_hand, textfile
from tidegate_flows.alert_rules.groups import FILES
from tidegate_flows.alert_rules.rules_file import rules
from tidegate_flows.alert_rules.text import yaml_of
from tidegate_flows.cli.app import app
from tidegate_flows.dashboards import colours
from tidegate_flows.dashboards.__main__ import main
from tidegate_flows.dashboards.files import files
from tidegate_flows.place import at
from tidegate_flows.settings import resolve
from tidegate_monitors.breaker import Decision, State
from tidegate_monitors.metrics import LABEL_OUTCOMES, STAGES, distributions, families, health
from tidegate_monitors.metrics_snapshot import Dataset, Snapshot

Make = Callable[..., pd.DataFrame]
GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
NAMES = ("dataset.json", "fleet.json")
THEIRS = {"ALERTS", "up"}
"""Series of Prometheus' own."""
HOURS = 8
EVERY = 1800


def committed(name: str) -> dict[str, Any]:
    return json.loads((GRAFANA / "dashboards" / name).read_text())  # type: ignore[no-any-return] # an object


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in committed(name)["panels"] if panel["type"] != "row"]


def expressions(name: str) -> list[str]:
    found = [target["expr"] for panel in panels(name) for target in panel["targets"]]
    marks = [mark["expr"] for mark in committed(name)["annotations"]["list"]]
    chosen = [item["query"]["query"] for item in committed(name)["templating"]["list"] if item["type"] == "query"]
    return [*found, *marks, *chosen]


def exported() -> set[str]:
    """The names of all series that the exporter can have, as Prometheus stores them."""
    empty = Snapshot("1", {"orders": Dataset(version="1", owner="shop", audit_head="00")})
    found = {
        f"tidegate_{item.name}{'_total' if item.kind == 'counter' else ''}"
        for item in [*families(empty), *health(up=True, seconds=0)]
    }
    for item in distributions(empty):
        ends = ("_bucket", "_sum", "_count") if item.kind == "histogram" else ("_sum", "_count")
        found |= {f"tidegate_{item.name}{end}" for end in ends}
    return found


def named(expression: str) -> set[str]:
    """The metrics that an expression names."""
    without = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"\btidegate_\w+|\bALERTS\b|\bup(?={)", without))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_what_the_code_gives(name: str) -> None:
    told = "run: python -m tidegate_flows.dashboards deploy/grafana/dashboards"
    assert (GRAFANA / "dashboards" / name).read_text() == files()[name], told


def test_no_other_dashboard_is_committed() -> None:
    assert sorted(path.name for path in (GRAFANA / "dashboards").iterdir()) == sorted(files()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_published_types_know_every_field(name: str) -> None:
    """Through the types generated from its schema nothing is lost; of annotations they know too little."""
    written = committed(name) | {"annotations": {"list": []}}
    read = json.loads(json.dumps(Dashboard.from_json(written), cls=JSONEncoder))
    for variable, other in zip(written["templating"]["list"], read["templating"]["list"], strict=True):
        assert variable.items() <= other.items()
    assert read | {"templating": None} == written | {"templating": None}


@pytest.mark.parametrize("name", NAMES)
def test_every_query_names_only_metrics_that_are_exported(name: str) -> None:
    for expression in expressions(name):
        assert named(expression), expression
        assert named(expression) <= exported() | THEIRS, expression


def test_every_exported_metric_is_in_a_panel() -> None:
    shown = {metric for name in NAMES for expression in expressions(name) for metric in named(expression)}
    counted = {"tidegate_batch_duration_seconds_sum", "tidegate_batch_duration_seconds_count"}  # the buckets say more
    assert exported() - shown == counted


@pytest.mark.parametrize("name", NAMES)
def test_queries_fit_batches_that_come_once_a_day(name: str) -> None:
    for expression in expressions(name):
        assert not re.search(r"\$__rate_interval|\b(rate|irate|increase|delta)\(", expression), expression


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_shows_and_when_to_act(name: str) -> None:
    for panel in panels(name):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith("."), panel["title"]
        assert defaults["noValue"], panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]
        assert panel["interval"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}, panel["title"]
        names = [target["refId"] for target in panel["targets"]]
        assert len(names) == len(set(names)), panel["title"]
        instant = panel["type"] in ("stat", "table")
        assert all(target["instant"] is instant for target in panel["targets"]), panel["title"]


@pytest.mark.parametrize("name", NAMES)
def test_panels_stand_beside_each_other_and_not_upon(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in committed(name)["panels"]:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        assert x + w <= 24, panel["title"]
        cells = {(x + i, y + j) for i in range(w) for j in range(h)}
        assert not cells & taken, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in committed(name)["panels"]]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_table_renames_colours_and_sorts_is_there(name: str) -> None:
    for panel in panels(name):
        if panel["type"] != "table":
            continue
        organised = panel["transformations"][-1]["options"]
        several = len(panel["targets"]) > 1
        values = {f"Value #{target['refId']}" if several else "Value" for target in panel["targets"]}
        labels = {label for target in panel["targets"] for by in re.findall(r"by \(([^)]*)\)", target["expr"])
                  for label in by.split(", ")}  # fmt: skip
        assert {*organised["indexByName"], *organised["renameByName"]} <= values | labels, panel["title"]
        assert values <= {*organised["indexByName"]}, panel["title"]
        hidden = {name for name, is_so in organised["excludeByName"].items() if is_so}
        headings = {organised["renameByName"].get(column, column) for column in organised["indexByName"]} - hidden
        assert {item["matcher"]["options"] for item in panel["fieldConfig"]["overrides"]} <= headings, panel["title"]
        assert {item["displayName"] for item in panel["options"].get("sortBy", [])} <= headings, panel["title"]
        assert (panel["transformations"][0]["id"] == "merge") is several, panel["title"]


def test_every_colour_is_of_the_palette() -> None:
    palette = {colours.GOOD, colours.NOTICE, colours.BAD, colours.NEUTRAL, *colours.OTHER}
    used = {shade for name in NAMES for shade in re.findall(r"#[0-9A-Fa-f]{6}\b", json.dumps(committed(name)))}
    assert used <= palette


def test_every_known_value_of_a_label_has_a_colour_of_its_own() -> None:
    assert {*colours.DECISIONS} == {*(decision.value for decision in Decision), "halt"}
    assert {*colours.STATES} == {state.value for state in State}
    assert {*colours.OUTCOMES} == {*LABEL_OUTCOMES}
    assert {*colours.STAGES} == {*STAGES}
    for shades in (colours.DECISIONS, colours.STATES, colours.OUTCOMES, colours.STAGES, colours.SEVERITIES):
        assert len({*shades.values()}) == len(shades)


def test_links_lead_to_dashboards_and_variables_that_are_there() -> None:
    links = re.findall(r"/d/([\w-]+)\?([^\"]*)", (GRAFANA / "dashboards" / "fleet.json").read_text())
    assert links
    for uid, query in links:
        assert uid == committed("dataset.json")["uid"]
        known = {item["name"] for item in committed("dataset.json")["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", query)) == known


@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_a_panel_names_is_there(name: str) -> None:
    tree = get_command(app)
    for words in set(re.findall(r"`tidegate ([a-z]+)(?: ([a-z]+))?", json.dumps(committed(name)))):
        command: Any = tree
        for word in filter(None, words):
            assert word in command.commands, words
            command = command.commands[word]


def test_provisioning_names_folders_and_a_source_that_fit() -> None:
    source = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "tidegate.yaml").read_text())
    assert [item["type"] for item in source["datasources"]] == ["prometheus"]
    provider = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "tidegate.yaml").read_text())
    assert [item["type"] for item in provider["providers"]] == ["file"]


def test_the_module_writes_the_files_and_says_what_it_wants(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tidegate_flows.dashboards", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert run(str(tmp_path / "new" / "folder")).returncode == 0
    for name in NAMES:
        assert (tmp_path / "new" / "folder" / name).read_text() == files()[name]
    wrong = run()
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("usage:")


def test_who_cannot_have_them_written_hears_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main([str(tmp_path / "file")]) == 3
    assert str(tmp_path / "file") in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "grafana_foundation_sdk", None)
    assert main([str(tmp_path / "folder")]) == 2
    assert "tidegate[dashboards]" in capsys.readouterr().err


@pytest.fixture(scope="module")
def pages(
    _approved: Path,
    make_contract: Callable[..., tg.Contract],
    make_orders: Make,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[str]:
    """What the exporter said after each event in the life of a store in which everything happens."""
    store, found = tmp_path_factory.mktemp("lived") / "store", []
    shutil.copytree(_approved, store)
    promises = {"cadence": timedelta(days=1), "arrive_within": timedelta(hours=6),
                "freshness": timedelta(days=30_000), "label_delay": timedelta(days=2)}  # fmt: skip
    contract, watching = make_contract(**promises), make_contract(**promises, shadow=True)

    def after(event: Any) -> None:
        assert event is not None
        found.append(textfile.once(resolve(store=store)).decode())

    watched, good = make_orders(30), make_orders(31)
    after(tg.gate(watched.assign(amount=watched["amount"] * 10), watching, store=store, batch_id="watched"))
    after(tg.gate(good, contract, store=store, batch_id="good"))
    truth = np.random.default_rng(0).random(len(good)) < good["score"]
    labels = good[["order_id"]].assign(returned=truth.astype(float))
    after(tg.join_labels(labels, contract, store=store, as_of=datetime(2024, 5, 1, tzinfo=UTC)))
    after(tg.gate(make_orders(32).head(5), contract, store=store, batch_id="thin"))
    after(tg.gate(make_orders(33).assign(score=0.3), contract, store=store, batch_id="bad"))
    after(tg.gate(make_orders(34), contract, store=store, batch_id="waits"))
    with at(store) as place:
        by_hand.override(place, "orders", timedelta(hours=1), by="ann", reason="a feast")
        after("an override")
    return found


def samples(text: str, instance: str, moment: int) -> Iterator[str]:
    """A page as lines of OpenMetrics, as of a moment, and as Prometheus labels them."""
    yield f'up{{job="tidegate",instance="{instance}"}} 1 {moment}'
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sample.labels | {"job": "tidegate", "instance": instance}
            inside = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
            yield f"{sample.name}{{{inside}}} {sample.value} {moment}"


@pytest.fixture(scope="module")
def ask(pages: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., list[Any]]]:
    """A Prometheus that has read these pages, of two exporters, for hours each; and evaluates the alert rules."""
    folder, now = tmp_path_factory.mktemp("prometheus"), int(time.time())
    moments = range(now - len(pages) * HOURS * 3600, now, EVERY)
    lines = [line for place, moment in enumerate(moments) for instance in ("one", "two")
             for line in samples(pages[place * len(pages) // len(moments)], instance, moment)]  # fmt: skip
    (folder / "history").write_text("\n".join([*lines, "# EOF\n"]))
    made = subprocess.run(
        [require("promtool"), "tsdb", "create-blocks-from", "openmetrics", folder / "history", folder / "tsdb"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    config = {"global": {"evaluation_interval": "1s"}, "rule_files": [*FILES]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    for name, groups in FILES.items():
        (folder / name).write_text(yaml_of(rules(groups, "http://127.0.0.1:9464/runbook"), ""))
    port = free_port()
    command = [
        require("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--query.lookback-delta=2h", "--storage.tsdb.retention.time=30d",
        "--log.level=error",
    ]  # fmt: skip

    def get(what: str, **arguments: Any) -> list[Any]:
        url = f"http://127.0.0.1:{port}/api/v1/{what}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            data = json.load(answer)["data"]
        return data["result"] if isinstance(data, dict) else data  # type: ignore[no-any-return] # a list

    with running(command):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                firing = {item["metric"]["alertname"] for item in get("query", query='ALERTS{alertstate="firing"}')}
                if "TidegateWatchdog" in firing and len(firing) > 1:  # groups begin one after the other
                    break
            except OSError:
                pass
            time.sleep(0.2)
        yield get


def filled(expression: str, interval: str) -> str:
    """An expression as Grafana sends it."""
    for name, value in (("$__interval", interval), ("$job", "tidegate"), ("$dataset", "orders")):
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def answer(ask: Callable[..., list[Any]], target: dict[str, Any], interval: str) -> list[Any]:
    """The series that have a number, over three days or now."""
    query, now = filled(target["expr"], interval), time.time()
    if target["instant"]:
        found = ask("query", query=query)
        return [item for item in found if math.isfinite(float(item["value"][1]))]
    found = ask("query_range", query=query, start=now - 3 * 86_400, end=now, step=interval)
    return [item for item in found if any(math.isfinite(float(value)) for _, value in item["values"])]


@pytest.mark.more
@pytest.mark.parametrize("name", NAMES)
def test_every_query_of_every_panel_finds_data_in_a_real_prometheus(ask: Callable[..., list[Any]], name: str) -> None:
    nothing, legends = [], []
    for panel in panels(name):
        for target in panel["targets"]:
            found = answer(ask, target, panel["interval"])
            if not found:
                nothing.append((panel["title"], target["expr"]))
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                legends += [(panel["title"], label) for item in found if not item["metric"].get(label)]
    assert nothing == []
    assert legends == []


@pytest.mark.more
@pytest.mark.parametrize("name", NAMES)
def test_marks_and_choices_find_data_in_a_real_prometheus(ask: Callable[..., list[Any]], name: str) -> None:
    for mark in committed(name)["annotations"]["list"]:
        found = answer(ask, {**mark, "instant": False}, mark["step"])
        assert found, mark["name"]
        assert {*mark["tagKeys"].split(",")} == {*found[0]["metric"]}
    for item in committed(name)["templating"]["list"]:
        if item["type"] == "query":
            asked = re.fullmatch(r"label_values\((.*), (\w+)\)", item["query"]["query"])
            assert asked is not None
            match = filled(asked[1], "1m")
            assert ask(f"label/{asked[2]}/values", **{"match[]": match}) == [filled(f"${item['name']}", "1m")]


@pytest.mark.more
def test_a_bar_counts_what_happened_in_its_day_and_nothing_twice(ask: Callable[..., list[Any]]) -> None:
    panel = next(item for item in panels("dataset.json") if item["title"] == "Batches by decision and day")
    totals = {
        item["metric"]["decision"]: sum(float(value) for _, value in item["values"])
        for item in answer(ask, panel["targets"][0], "8h")
    }
    assert totals == {"publish": 2, "quarantine": 1, "hold": 1}, "what the first page says was before"


@pytest.mark.more
def test_a_finding_whose_series_is_new_counts_from_zero(ask: Callable[..., list[Any]]) -> None:
    panel = next(item for item in panels("dataset.json") if item["title"] == "Findings by check and day")
    found = {item["metric"]["check"]: item["values"] for item in answer(ask, panel["targets"][0], "8h")}
    assert sum(float(value) for _, value in found["class_collapse"]) == 1


def test_a_bar_counts_nothing_when_the_exporter_moves(tmp_path: Path) -> None:
    panel = next(item for item in panels("dataset.json") if item["title"] == "Batches by decision and day")
    series = 'tidegate_batches_total{job="tidegate",instance="%s",dataset="orders",decision="publish"}'
    up = 'tidegate_ledger_up{job="tidegate",instance="%s"}'
    before, since = "{0}+0x599 stale", "_x600 {0}+0x600"
    told = {series % "one": before.format(400), up % "one": before.format(1)}
    told |= {series % "two": since.format(400), up % "two": since.format(1)}
    case = {
        "interval": "5m",
        "input_series": [{"series": name, "values": values} for name, values in told.items()],
        "promql_expr_test": [
            {
                "expr": filled(panel["targets"][0]["expr"], "1d"),
                "eval_time": "3100m",
                "exp_samples": [{"labels": '{decision="publish"}', "value": 0}],
            }
        ],
    }
    (tmp_path / "moved.yaml").write_text(yaml.safe_dump({"evaluation_interval": "5m", "tests": [case]}))
    command = [require("promtool"), "test", "rules", str(tmp_path / "moved.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.more
def test_the_timeline_shows_when_the_breaker_opened(ask: Callable[..., list[Any]]) -> None:
    panel = next(item for item in panels("dataset.json") if item["title"] == "Breaker" and item["type"] != "stat")
    (found,) = answer(ask, panel["targets"][0], "1h")
    states = [float(value) for _, value in found["values"]]
    assert (states[0], states[-1]) == (0, 2)
    assert {*states} == {0, 2}
