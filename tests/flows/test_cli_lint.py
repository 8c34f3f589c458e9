"""``lint`` and ``catalogue`` on the command line, and what is said to be caught."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest
import typer

from tests.flows.conftest import ROOT
from tidegate_contracts.catalogue import CATALOGUE, Stage
from tidegate_contracts.clauses import clauses
from tidegate_contracts.lint import checks
from tidegate_flows.caught import OUTSIDE_REGISTRIES, Catcher, caught
from tidegate_flows.cli import catalogue, lint
from tidegate_flows.cli.exits import run
from tidegate_monitors.rules import rules
from tidegate_monitors.split import audits
from tidegate_monitors.statistics import statistics

Command = Callable[..., tuple[int, str, str]]
COMPLETE = """
contact="shop@example.com", reviewed_on=__import__("datetime").date.today(), cadence=timedelta(days=1),
arrive_within=timedelta(hours=6), freshness=timedelta(days=2), max_age=timedelta(days=30), season="day_of_week",
label_delay=timedelta(days=1), scope=lambda frame: frame["amount"] < 500, upstream=tg.Upstream("till", marker="_OK"),
actions={"warning": "pass", "critical": "quarantine"},
"""


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run one of the two commands as the command line does."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command("lint")(lint.lint)
    app.command("catalogue")(catalogue.catalogue)

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run(app, [str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_lint_stops_at_a_critical_finding_and_says_what_would_mend_it(
    command: Command, contract_file: Callable[..., Path]
) -> None:
    code, out, err = command("lint", contract_file())
    assert (code, err) == (1, "")
    assert out.startswith("orders 1.0.0: ")
    assert "  critical no_owner: no contact, no reviewed_on (owner is 'shop')\n" in out
    assert "  warning  no_season_policy: no season, no max_age" in out


def test_lint_passes_with_warnings_and_tells_what_is_waived(
    command: Command, contract_file: Callable[..., Path]
) -> None:
    waived = 'waived={"undocumented_column": "described elsewhere", "vacuous_contract": "free text"}, slices=(),'
    path = contract_file(COMPLETE + waived)
    path.write_text(path.read_text().replace('slices=("country",), ', ""))
    code, out, err = command("lint", path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "orders 1.0.0: 1 finding",
        "  warning  no_slices: no slices; a group that fails would hide in the average",
        "  waived   undocumented_column: described elsewhere",
        "  waived   vacuous_contract: free text",
    ]


def test_lint_gives_one_json_object_a_contract_in_the_order_given(
    command: Command, contract_file: Callable[..., Path]
) -> None:
    first = contract_file(COMPLETE + 'waived={"no_slices": "one shop"},')
    second = contract_file(COMPLETE, "later.py")
    second.write_text(second.read_text().replace('name="orders"', 'name="later"'))
    code, out, _ = command("lint", first, second, "--json")
    objects = [json.loads(line) for line in out.splitlines()]
    assert code == 1, "nothing is described in either"
    assert [item["dataset"] for item in objects] == ["orders", "later"]
    assert [item["waived"] for item in objects] == [[{"check": "no_slices", "reason": "one shop"}], []]
    for item in objects:
        assert item["format"] == 1
        assert set(item["contract"]) == {"version", "sha256"}
        assert {finding["check"] for finding in item["findings"]} == {"undocumented_column", "vacuous_contract"}
        assert set(item["findings"][0]) >= {
            "check", "kind", "column", "slice", "severity", "failed", "score", "threshold", "message", "examples",
            "folded",
        }  # fmt: skip


def test_lint_reads_contracts_beside_each_other(command: Command, contract_file: Callable[..., Path]) -> None:
    one, two = contract_file(COMPLETE), contract_file(COMPLETE, "two.py")
    for path, unit in ((one, "EUR"), (two, "cent")):
        text = path.read_text()
        path.write_text(text.replace("le=10_000)", f"le=10_000, metadata={{'term': 'price', 'unit': '{unit}'}})"))
    _, out, _ = command("lint", one, two, "--json")
    for line in out.splitlines():
        assert ("conflicting_definition", "amount") in {
            (finding["check"], finding["column"]) for finding in json.loads(line)["findings"]
        }
    _, out, _ = command("lint", one)
    assert "conflicting_definition" not in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lint"], "Missing argument"),
        (["lint", "nowhere.py"], "no contract file"),
        (["lint", "{contract}:other"], "has no contract 'other'"),
        (["catalogue", "--stage", "bath"], "'bath' is not one of"),
    ],
)
def test_wrong_use_gets_one_message_and_exit_2(
    command: Command, contract_file: Callable[..., Path], arguments: list[str], words: str
) -> None:
    code, out, err = command(*[argument.format(contract=contract_file()) for argument in arguments])
    assert (code, out) == (2, "")
    assert words in " ".join(err.replace("│", " ").split())


def test_the_catalogue_lists_every_row_with_what_reports_it(command: Command) -> None:
    code, out, _ = command("catalogue", "--json")
    objects = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [item["check"] for item in objects] == list(CATALOGUE)
    assert set(objects[0]) == {"format", "id", "check", "stage", "priority", "caught", "by", "pitfall"}
    by = {item["check"]: item["by"] for item in objects}
    assert by["no_owner"] == ["lint"]
    assert by["unit_change"] == ["rule"]
    assert {"schema", "rule"} <= set(by["category_change"])
    assert all(item["caught"] is bool(item["by"]) for item in objects)


def test_the_catalogue_may_be_asked_for_one_stage(command: Command) -> None:
    code, out, _ = command("catalogue", "--stage", "scoring")
    assert code == 0
    assert "S72" in out
    assert "L82" not in out
    total = sum(entry.stage is Stage.SCORING for entry in CATALOGUE.values())
    assert out.rstrip().endswith(f"of {total} are caught")


def test_every_row_says_in_one_sentence_what_goes_wrong() -> None:
    for entry in CATALOGUE.values():
        assert entry.pitfall.endswith("."), entry.name
        assert 20 <= len(entry.pitfall) <= 90, entry.name
    assert len({entry.pitfall for entry in CATALOGUE.values()}) == len(CATALOGUE)


# --- what is said to be caught is what the source reports

PACKAGES = ("contracts/tidegate_contracts", "monitors/tidegate_monitors", "flows/tidegate_flows")
REGISTRIES = {
    "contracts/tidegate_contracts/clauses": clauses,
    "contracts/tidegate_contracts/lint": checks,
    "monitors/tidegate_monitors/rules": rules,
    "monitors/tidegate_monitors/split": audits,
}
NO_REPORTER = ("catalogue.py", "caught.py", "flows/tidegate_flows/demo", "monitors/tidegate_monitors/faults")
REPORTING = {"Broken", "Alarm", "Violation", "Comparison", "violation", "alarm", "severity_of", "statistic"}


@cache
def sources() -> Mapping[str, ast.Module]:
    """The source of everything that might report, by file."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    names = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return {
        name: ast.parse(path.read_text(encoding="utf-8"))
        for name, path in names.items()
        if not any(part in name for part in NO_REPORTER)
    }


def texts(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in CATALOGUE}


def reported(tree: ast.AST) -> set[str]:
    """Checks that stand in a call that makes a finding, or in a lookup of its severity."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    found: set[str] = set()
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in REPORTING:
            for argument in (*call.args[:3], *(item.value for item in call.keywords if item.arg == "check")):
                found |= texts(argument)
    return found


def test_what_the_source_reports_is_said_to_be_caught() -> None:
    missing = {file: reported(tree) - caught().keys() for file, tree in sources().items()}
    assert {file: names for file, names in missing.items() if names} == {}, "add these to tidegate_flows/caught.py"


def test_what_is_listed_outside_registries_stands_in_the_source_outside_them() -> None:
    outside = {
        name
        for file, tree in sources().items()
        if Path(file).parent.as_posix() not in REGISTRIES
        for name in texts(tree)
    }
    assert {name for names in OUTSIDE_REGISTRIES.values() for name in names} <= outside


def test_a_file_of_a_registry_reports_the_check_that_it_is_named_after() -> None:
    for folder, registry in REGISTRIES.items():
        for name, entry in registry().items():
            module = getattr(entry, "function", entry).__module__
            file = f"{folder}/{module.rpartition('.')[2]}.py"
            assert name in reported(sources()[file]), f"{file} never reports {name}"


def test_everything_caught_is_in_the_catalogue_and_statistics_count_only_if_they_alarm() -> None:
    assert caught().keys() <= CATALOGUE.keys()
    alarming = {item.check for item in statistics().values() if item.family}
    assert {name for name, by in caught().items() if Catcher.STATISTIC in by} == alarming | set(
        OUTSIDE_REGISTRIES[Catcher.STATISTIC]
    )


def test_words_of_a_contract_move_no_cursor(command: Command, contract_file: Callable[..., Path]) -> None:
    _, out, _ = command("lint", contract_file("waived={'no_owner': 'later\\x1b[2J\\u202e'},"))
    assert "later\\x1b[2J\\u202e" in out
    assert not set("\x1b\u202e") & set(out)
