"""``infer`` and ``init``, as a user would run them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import Said
from tidegate_flows.cli.exits import run

Make = Callable[..., pd.DataFrame]
Cli = Callable[..., Said]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run one of the two commands in this process, in a folder of its own."""
    import typer

    from tidegate_flows.cli import infer, init

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("infer")(infer.infer)
    app.command("init")(init.init)
    monkeypatch.chdir(tmp_path)

    def said(*arguments: Any) -> Said:
        code = run(app, [str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return said


@pytest.fixture
def days(tmp_path: Path, make_orders: Make) -> list[Path]:
    """Four days of orders, the last one as CSV."""
    paths = [tmp_path / f"2024-03-0{day + 1}{'.csv' if day == 3 else '.parquet'}" for day in range(4)]
    for day, path in enumerate(paths):
        frame = make_orders(day)
        frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path, index=False)
    return paths


def test_a_draft_of_several_files_passes_them_and_tells_what_it_guessed(cli: Cli, days: list[Path]) -> None:
    said = cli("infer", *days, "--name", "orders", "--owner", "shop", "-o", "draft.py")
    assert (said.code, said.out) == (0, "")
    assert "7 columns from 800 rows in 4 files" in said.err
    assert f"tidegate check draft.py {days[0]}" in said.err
    contract = tg.load_contract("draft.py")
    assert (contract.name, contract.owner, contract.key, contract.event_time) == (
        "orders", "shop", ("order_id",), "placed",
    )  # fmt: skip
    assert contract.slices == ("country",)
    assert all(tg.check(day, contract).passed for day in days)


def test_a_draft_goes_to_stdout_and_messages_do_not(cli: Cli, days: list[Path]) -> None:
    said = cli("infer", days[0], "--name", "orders")
    assert said.code == 0
    compile(said.out, "draft.py", "exec")
    assert "guesses to look at" in said.err
    assert cli("infer", days[0], "--name", "orders").out == said.out


def test_json_holds_the_draft_and_what_was_found(cli: Cli, days: list[Path]) -> None:
    data = json.loads(cli("infer", days[3], "--name", "orders", "--json").out)
    assert (data["format"], data["dataset"], data["files"], data["rows"], data["output"]) == (1, "orders", 1, 200, None)
    assert {column["column"]: column["type"] for column in data["columns"]}["items"] == "int"
    compile(data["source"], "draft.py", "exec")


def test_json_lines_keep_their_own_draft(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [
        {
            "code": "2",
            "at": f"2024-03-01T00:00:{number:02}Z",
            "n": number,
            "any": number if number % 2 else "x",
            "no": None,
        }
        for number in range(30)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    data = json.loads(cli("infer", path, "--name", "rows", "-o", "draft.py", "--json").out)
    assert [column["type"] for column in data["columns"]] == [
        "str",
        'pd.DatetimeTZDtype("us", "UTC")',
        "int",
        None,
        None,
    ]
    assert tg.check(path, "draft.py").passed


def test_values_that_look_like_faults_are_counted(cli: Cli, days: list[Path]) -> None:
    frame = pd.read_parquet(days[0])
    frame.loc[:2, "items"] = -999
    frame.to_parquet(days[0], index=False)
    said = cli("infer", days[0], "--name", "orders", "-o", "draft.py")
    assert "3 values look like faults and would be set aside: see the guesses of 'items'" in said.err
    verdict = tg.check(days[0], "draft.py")
    assert ("impossible_values", "items") in {(item.check, item.column) for item in verdict.findings}
    assert {item.column for item in verdict.findings} <= {"items", None}


def test_a_file_is_replaced_only_by_force(cli: Cli, days: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "draft.py"
    path.write_text("mine")
    said = cli("infer", days[0], "--name", "orders", "-o", path)
    assert said.code == 2
    assert "--force" in said.err
    assert path.read_text() == "mine"
    assert cli("infer", days[0], "--name", "orders", "-o", path, "--force").code == 0
    assert "tg.Contract(" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.parquet", "--name", "orders"], ["no batch at"]),
        (["{day}"], ["--name"]),
        (["{day}", "--name", "My Orders"], ["'name'", "lower-case"]),
        (["{day}", "--name", "orders", "--owner", " "], ["'owner'"]),
        (["{day}", "--name", "orders", "-o", "draft.txt"], [".py"]),
        (["{day}", "--name", "orders", "-o", "no/draft.py"], ["there is no folder"]),
        (["{day}", "--name", "orders", "-o", "folder.py", "--force"], ["is there already"]),
        (["broken.parquet", "--name", "orders"], ["broken.parquet cannot be read"]),
        (["header.csv", "--name", "orders"], ["nothing to draft from", "0 rows in 1 files"]),
    ],
)
def test_wrong_use_is_one_clear_message(
    cli: Cli, days: list[Path], tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "header.csv").write_text("a,b\n")
    (tmp_path / "folder.py").mkdir()
    said = cli("infer", *(item.replace("{day}", str(days[0])) for item in arguments))
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err
    assert all(word in said.err for word in words), said.err
    assert not list(tmp_path.glob("draft*"))


# init


@pytest.mark.more
def test_what_init_lays_out_runs_as_its_readme_says(cli: Cli, tidegate: Cli, tmp_path: Path) -> None:
    said = cli("init", "project")
    project = tmp_path / "project"
    assert said.code == 0
    assert said.out.splitlines() == [
        f"project/{name}"
        for name in (
            "README.md",
            "pyproject.toml",
            ".gitignore",
            "contracts/example.py",
            "data/2026-03-02.csv",
            "data/2026-03-03.csv",
        )
    ]
    readme = (project / "README.md").read_text()
    commands = [line[2:] for line in readme.splitlines() if line.startswith("$ ")]
    assert len(commands) == 3
    for command in commands:
        line, _, code = command.partition("  # exits ")
        assert line in said.err
        done = tidegate(*line.split()[1:], cwd=project)
        assert done.code == int(code or 0), (line, done.out, done.err)
    assert (project / ".tidegate" / "ledger.db").is_file()
    found = {
        (item.check, item.column)
        for item in tg.check(project / "data/2026-03-03.csv", project / "contracts/example.py").findings
    }
    assert found >= {("impossible_values", "amount"), ("category_change", "country"), ("duplicate_rows", "order_id")}


def test_init_writes_nothing_where_a_file_would_be_overwritten(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert cli("init", ".").code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = cli("init", ".")
    assert said.code == 2
    assert "contracts/example.py" in said.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("there", ["project", "project/contracts", "project/pyproject.toml"])
def test_init_refuses_what_stands_in_its_way(cli: Cli, tmp_path: Path, there: str) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    said = cli("init", "project", "--json")
    assert (said.code, said.out, path.read_text()) == (2, "", "mine")
    assert there in said.err
    assert [item for item in tmp_path.rglob("*") if item.is_file()] == [path]


def test_the_example_of_init_is_as_ruff_and_mypy_want_it(cli: Cli, tmp_path: Path) -> None:
    assert json.loads(cli("init", "project", "--json").out)["files"][3] == "contracts/example.py"
    example = tmp_path / "project" / "contracts" / "example.py"
    for command in (
        ["check", "--isolated", "--quiet"],
        ["format", "--isolated", "--quiet", "--check", "--line-length", "120"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, str(example)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
