"""Alert rules: what is rendered, that each says when it must and only then, and that the runbook knows it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import tidegate as tg
from tests.flows.conftest import ROOT, TIDEGATE
from tests.flows.promtool import mutants, results, said_by
from tidegate_flows import render
from tidegate_flows.alert_rules import groups, routing, rules_file, tests_file, text
from tidegate_flows.alert_rules.addresses import Addresses
from tidegate_flows.alert_rules.alert import Alert, Group
from tidegate_flows.alert_rules.case import Case
from tidegate_flows.alert_rules.said import SAID
from tidegate_flows.cli import render as cli
from tidegate_monitors import metrics
from tidegate_monitors.metrics_snapshot import Dataset, Snapshot

ALERTS = groups.alerts()
GENERIC = render.render([], Addresses())
RUNBOOK = (ROOT / "flows" / "tidegate_flows" / "alert_rules" / "runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
ALWAYS = "TidegateWatchdog"

Make = Callable[..., tg.Contract]


def test_what_stands_under_deploy_is_what_render_gives_for_no_contract() -> None:
    for name, expected in GENERIC.items():
        assert (ROOT / "deploy" / name).read_text(encoding="utf-8") == expected, f"{name}: tidegate render -o deploy"
    folders = (ROOT / "deploy" / folder for folder in ("prometheus", "alertmanager"))
    found = {path.relative_to(ROOT / "deploy").as_posix() for folder in folders for path in folder.iterdir()}
    assert found == GENERIC.keys()


def test_prometheus_and_alertmanager_accept_what_is_rendered(tmp_path: Path, make_contract: Make) -> None:
    odd, long = 'new\nline "quoted" \\ {} {{ $labels.job }} {{{ ü', "the department of long names, " * 9
    contracts = [
        make_contract(),
        make_contract(name="parcels", owner=odd, cadence=timedelta(hours=1)),
        make_contract(name="letters", owner=long),
    ]
    runbook = "https://wiki/x?page=rules&{of}=tide%20gate"
    render.write(render.render(contracts, Addresses(runbook)), tmp_path, force=False)
    code, said = said_by("promtool", "check", "config", "prometheus.yaml", folder=tmp_path / "prometheus")
    assert code == 0, said
    code, said = said_by("amtool", "check-config", "alertmanager.yaml", folder=tmp_path / "alertmanager")
    assert code == 0, said
    declared = [path.name for path in (tmp_path / "prometheus").glob("tidegate.declared*.test.yaml")]
    for code, said in results(tmp_path / "prometheus", declared):
        assert code == 0, said
    routes = yaml.safe_load((tmp_path / "alertmanager" / "alertmanager.yaml").read_text())["route"]["routes"]
    rules = yaml.safe_load((tmp_path / "prometheus" / "tidegate.declared.rules.yaml").read_text())["groups"][0]["rules"]
    command = ["config", "routes", "test", "--config.file=alertmanager.yaml", "severity=page"]
    for owner in ("shop", next(rule["labels"]["owner"] for rule in rules if rule["labels"]["dataset"] == "letters")):
        _, said = said_by("amtool", *command, f"owner={owner}", folder=tmp_path / "alertmanager")
        assert said.startswith(f"owner {owner}\n")
    assert len(routes) == 1 + 3 + 3


def test_what_always_fires_reaches_whom_heartbeat_names_and_else_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for beat in ("https://beat/", None):
        told = routing.routing(["shop"], webhook="https://hook/", heartbeat=beat)
        (first, *_), receivers = told["route"]["routes"], told["receivers"]
        assert first["matchers"] == [f'alertname="{ALWAYS}"']
        called = {one["name"]: [hook["url"] for hook in one.get("webhook_configs", ())] for one in receivers}
        assert called.pop(first["receiver"]) == ([beat] if beat else [])
        assert called == {"tidegate": ["https://hook/"], "owner shop": ["https://hook/"]}
    cli.render(tmp_path, webhook="https://hook/")
    assert "TidegateWatchdog reaches nobody: name --heartbeat URL" in capsys.readouterr().err
    cli.render(tmp_path, webhook="https://hook/", heartbeat="https://beat/", force=True)
    assert "reaches nobody" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["http://x/{{foo", "http://{{x", 'http://x/"', "http://x/'", "http://x/`", "http://x\\y"]
)
def test_a_runbook_that_no_template_could_name_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(tg.UsageError, match="--runbook-url; found: "):
        cli.render(tmp_path, runbook_url=url)
    assert not [*tmp_path.iterdir()]


def test_each_alert_says_what_how_urgent_and_where_to_read_on() -> None:
    for group in groups.NOW + groups.HISTORY:
        for alert in group.alerts:
            rule = rules_file.alert_rule(alert, "https://wiki.example.com/runbook")
            assert rule["labels"]["severity"] in ("page", "ticket", "info")
            assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
            assert rule["annotations"]["runbook_url"].endswith(f"runbook#{alert.name.lower()}")
            assert alert.name in SAID
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


def test_each_alert_has_cases_in_which_it_must_fire_and_near_misses() -> None:
    for alert in ALERTS:
        fires = [bool(case.fires) for case in alert.cases]
        assert True in fires, alert.name
        assert False in fires or alert.name == ALWAYS, alert.name


def test_the_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    assert sorted(SECTIONS) == sorted(alert.name for alert in ALERTS)
    for alert in ALERTS:
        section = SECTIONS[alert.name]
        assert section.lstrip().startswith(f"*{alert.urgency.value.capitalize()}.*"), alert.name
        assert all(f"**{word}" in section for word in ("Look first:**", "Mend:**", "Ignore when:**")), alert.name


def _commands() -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    for command in re.findall(r"`tidegate ([^`]+)`", RUNBOOK.replace("\n", " ")):
        words = command.split("|")[0].split()
        verbs = tuple(word for word in words[:2] if re.fullmatch("[a-z-]+", word) and not word.startswith("-"))
        yield verbs, frozenset(word for word in words if word.startswith("--"))


@pytest.mark.more
def test_each_command_of_the_runbook_exists_with_its_options() -> None:
    wanted: dict[tuple[str, ...], set[str]] = {}
    for verbs, options in _commands():
        wanted.setdefault(verbs, set()).update(options)
    assert len(wanted) > 10
    for verbs, options in wanted.items():
        command = [str(TIDEGATE), *verbs, "--help"]
        told = subprocess.run(command, capture_output=True, text=True, check=False, env={"COLUMNS": "200"})
        assert told.returncode == 0, verbs
        assert not [option for option in options if option not in told.stdout], (verbs, options)


def test_each_metric_in_a_rule_is_one_that_the_exporter_has() -> None:
    snapshot = Snapshot("1", {"orders": Dataset()}, {}, {})
    known = {
        f"tidegate_{family.name}{'_total' if family.kind == 'counter' else ''}"
        for family in [*metrics.families(snapshot), *metrics.health(up=True, seconds=0)]
    }
    rules = "\n".join(content for name, content in GENERIC.items() if ".test." not in name)
    families = r"_\(([a-z_|]+)\)_timestamp_seconds"
    named = {f"tidegate_{name}_timestamp_seconds" for found in re.findall(families, rules) for name in found.split("|")}
    named |= set(re.findall(r"\btidegate_[a-z_]+[a-z]\b(?!\()", rules))
    assert not named - known


def test_rendering_again_gives_the_same_in_whatever_order(make_contract: Make) -> None:
    contracts = [make_contract(), make_contract(name="parcels", owner="post")]
    assert render.render(contracts, Addresses()) == render.render(contracts[::-1], Addresses())


def test_two_contracts_of_one_dataset_are_refused(make_contract: Make) -> None:
    with pytest.raises(tg.UsageError, match="two contracts of one dataset; found: orders"):
        render.render([make_contract(), make_contract(version="2.0.0")], Addresses())


def test_what_is_rendered_can_be_read_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        render.write({"rules.yaml": "groups: []\n"}, tmp_path, force=False)
    finally:
        os.umask(before)
    assert (tmp_path / "rules.yaml").stat().st_mode & 0o777 == 0o644


def test_nothing_that_says_something_else_is_written_over_unless_forced(tmp_path: Path) -> None:
    assert render.write(GENERIC, tmp_path, force=False) == [*GENERIC]
    assert render.write(GENERIC, tmp_path, force=False) == []
    mine = tmp_path / "alertmanager" / "alertmanager.yaml"
    mine.write_text("mine")
    (tmp_path / "prometheus" / "prometheus.yaml").unlink()
    with pytest.raises(tg.UsageError, match=r"found: alertmanager/alertmanager\.yaml.*--force"):
        render.write(GENERIC, tmp_path, force=False)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "prometheus" / "prometheus.yaml").exists()
    assert render.write(GENERIC, tmp_path, force=True) == [
        "prometheus/prometheus.yaml",
        "alertmanager/alertmanager.yaml",
    ]


@pytest.mark.more
@pytest.mark.slow
def test_the_tests_that_are_rendered_pass(tmp_path: Path) -> None:
    render.write(GENERIC, tmp_path, force=False)
    folder = tmp_path / "prometheus"
    for code, said in results(folder, sorted(path.name for path in folder.glob("*.test.yaml"))):
        assert code == 0, said


@pytest.mark.more
def test_what_works_by_push_is_what_the_page_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").partition("## A Pushgateway")[2]
    said = [
        set(re.findall("Tidegate[A-Z][A-Za-z]+", line)) for line in re.findall(r"^\* \*\*.*(?:\n  .*)*", page, re.M)
    ]
    alerts = [alert for alert in ALERTS if "tidegate:owner" in alert.expr]
    needed = (groups.OWNER, Group("records", records=groups.HISTORY[1].records), Group("all", alerts=tuple(alerts)))
    (tmp_path / "rules.yaml").write_text(text.yaml_of(rules_file.rules(needed, "R"), ""))
    files = []
    for alert in alerts:
        case = _pushed(next(case for case in alert.cases if case.fires))
        document = {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": f"{case.step}m",
            "group_eval_order": [group.name for group in needed],
            "tests": [tests_file.test(alert, case, "R")],
        }
        files.append(f"{alert.name}.yaml")
        (tmp_path / files[-1]).write_text(text.yaml_of(document, ""))
    fires = {
        file.removesuffix(".yaml"): code == 0 for file, (code, _) in zip(files, results(tmp_path, files), strict=True)
    }
    assert said == [{name for name, does in fires.items() if does is wanted} for wanted in (True, False)]


def _pushed(case: Case) -> Case:
    """The same, as a Pushgateway has it: gauges of datasets alone."""
    series = {
        name: values for name, values in case.all_series().items() if "dataset=" in name and "_total{" not in name
    }
    return replace(case, series=series, lacks=("up", "tidegate_"))


WHOLLY = ("TidegateBreakerOpen", "TidegateMonitorFailing")
"""Alerts in which also what all have in common is changed: of a gauge that is remembered, of a counter that grew."""
_FORGOTTEN = "after an hour the owner is forgotten as well, and nothing is said of a dataset without one"
_GONE = "it can only differ for a series that was gone while its ledger was read"
_READ = "whether the ledger was read at all; when it was read first is asked below"
_A_STEP = "a step more or less changes when a new Prometheus first says it, by minutes"
EQUIVALENT = {
    ("TidegateBreakerOpen", "line 5: 1h → 120m"): _FORGOTTEN,
    ("TidegateBreakerOpen", "line 10: 1h → 120m"): _FORGOTTEN,
    ("TidegateMonitorFailing", "line 4: 1h → 120m"): _FORGOTTEN,
    ("TidegateMonitorFailing", "line 8: 1h → 120m"): _FORGOTTEN,
    ("TidegateMonitorFailing", "line 9: 6h → 720m"): _READ,
    ("TidegateMonitorFailing", "line 9: 6h → 180m"): _READ,
    ("TidegateMonitorFailing", "line 9: 5m → 10m"): _A_STEP,
    ("TidegateMonitorFailing", "line 9: 5m → 2m"): _A_STEP,
    ("TidegateMonitorFailing", "line 10: 6h → 720m"): _GONE,
    ("TidegateMonitorFailing", "line 11: 5m → 10m"): _A_STEP,
    ("TidegateMonitorFailing", "line 11: 5m → 2m"): _A_STEP,
}
"""Changes that change nothing, and why."""


@pytest.mark.more
@pytest.mark.slow
def test_each_change_of_a_rule_fails_a_case(tmp_path: Path) -> None:
    plans = {alert.name: _changed(alert) for alert in ALERTS if alert.name != ALWAYS}
    failed: dict[str, set[int]] = {name: set() for name in plans}
    pending = [*plans]
    while pending:
        files = {name: _written(tmp_path, plans[name], failed[name]) for name in pending}
        every = [file for written in files.values() for file in written]
        said = dict(zip(every, results(tmp_path, every), strict=True))
        again = []
        for name in pending:
            told = "".join(said[file][1] for file in files[name])
            found = {int(number) for number in re.findall(rf"{name}__(\d+)\b", told)} - failed[name]
            assert 0 not in found, told[:2000]
            failed[name] |= found
            if ", err: " in told:  # promtool ends a case at the first rule that cannot be evaluated
                assert found
                again.append(name)
        pending = again
    survived = [
        (name, what)
        for name, plan in plans.items()
        for number, (what, _) in enumerate(plan)
        if number and number not in failed[name] and (name, what) not in EQUIVALENT
    ]
    assert not survived, "\n".join(map(str, survived))
    assert sum(map(len, plans.values())) > 150


def _changed(alert: Alert) -> list[tuple[str, Alert]]:
    """The alert itself, and each change of it, under names of their own."""
    every = [("as it is", alert), *mutants(alert, wholly=alert.name in WHOLLY)]
    quiet = [(what, replace(item, summary="", description="")) for what, item in every]
    return [(what, replace(item, name=f"{alert.name}__{number}")) for number, (what, item) in enumerate(quiet)]


def _written(folder: Path, plan: list[tuple[str, Alert]], without: set[int]) -> list[str]:
    """All changes side by side under the cases of the alert: one evaluation of each case tries all of them."""
    items = [item for number, (_, item) in enumerate(plan) if number not in without]
    records = groups.HISTORY[1].records if "tidegate:batches" in plan[0][1].expr else ()
    needed = (groups.OWNER, Group("records", records=records), Group("changed", alerts=tuple(items)))
    name = plan[0][1].name.partition("__")[0]
    (folder / f"{name}.rules.yaml").write_text(text.yaml_of(rules_file.rules(needed, "R"), ""))
    cases: dict[int, list[dict[str, Any]]] = {}
    for case in tests_file.twins(plan[0][1]):
        tried = [tests_file.test(item, case, "R") for item in items]
        expected = [each for test in tried for each in test["promql_expr_test"]]
        cases.setdefault(case.step, []).append({**tried[0], "promql_expr_test": expected})
    for step, found in cases.items():
        order = [group.name for group in needed]
        document = {"rule_files": [f"{name}.rules.yaml"], "evaluation_interval": f"{step}m", "group_eval_order": order}
        (folder / f"{name}.{step}m.yaml").write_text(text.yaml_of({**document, "tests": found}, ""))
    return [f"{name}.{step}m.yaml" for step in cases]
