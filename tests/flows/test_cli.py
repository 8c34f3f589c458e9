"""The command line, in processes of its own: exit codes, JSON and messages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.flows.conftest import TIDEGATE, Said

Make = Callable[..., pd.DataFrame]
Cli = Callable[..., Said]


@pytest.fixture
def day(tmp_path: Path, make_orders: Make) -> Callable[..., Path]:
    """Write a day of orders."""

    def write(number: int, suffix: str = ".parquet", **changes: Any) -> Path:
        path = tmp_path / f"2024-03-{number + 1:02}{suffix}"
        frame = make_orders(number).assign(**changes)
        frame.to_parquet(path, index=False) if suffix == ".parquet" else frame.to_csv(path, index=False)
        return path

    return write


@pytest.fixture
def heavy_imports() -> Callable[..., tuple[int, list[str]]]:
    """The exit code of a command run in a process of its own, and what it imported of the libraries that take long."""

    def run(*words: object) -> tuple[int, list[str]]:
        program = (
            "import json, sys\n"
            "from tidegate_flows.cli.app import app\n"
            "from tidegate_flows.cli.exits import run\n"
            "code = run(app, sys.argv[1:])\n"
            "heavy = {'evidently', 'great_expectations', 'numpy', 'pandas', 'pandera', 'prefect', 'pyarrow', 'scipy',\n"
            "         'sqlalchemy'}\n"
            "print(json.dumps([code, sorted(heavy & sys.modules.keys())]))\n"
        )
        command = [sys.executable, "-c", program, *map(str, words)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        code, found = json.loads(said.splitlines()[-1])
        return code, found

    return run


def test_help_imports_nothing_heavy(heavy_imports: Callable[..., tuple[int, list[str]]]) -> None:
    assert heavy_imports("--help") == (0, [])


def test_the_guard_at_the_head_of_every_job_imports_no_library_of_data(
    tidegate: Cli,
    heavy_imports: Callable[..., tuple[int, list[str]]],
    contract_file: Callable[..., Path],
    store: Path,
    day: Callable[..., Path],
) -> None:
    tidegate("gate", contract_file(), day(1), "--store", store)
    assert heavy_imports("breaker", "require", "orders", "--store", store) == (0, ["sqlalchemy"])


def test_gate_prints_one_json_object_a_batch_in_order_and_the_worst_exit_code(
    tidegate: Cli, contract_file: Callable[..., Path], store: Path, day: Callable[..., Path]
) -> None:
    batches = [day(2), day(1), day(3, amount=-1.0)]
    said = tidegate("gate", contract_file(), *batches, "--store", store, "--json")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 1
    assert [line["batch"] for line in lines] == ["2024-03-02", "2024-03-03", "2024-03-04"]
    assert [line["decision"] for line in lines] == ["publish", "publish", "quarantine"]
    assert set(lines[0]) >= {
        "format", "dataset", "batch", "contract", "decision", "state", "verified", "rows", "findings", "reference",
        "run", "seconds",
    }  # fmt: skip
    assert set(lines[2]["findings"][0]) >= {
        "check", "kind", "column", "slice", "severity", "failed", "score", "threshold", "message", "examples", "folded",
    }  # fmt: skip
    assert lines[2]["rows"] == {"in": 200, "published": 0, "quarantined": 200, "held": 0}


def test_check_stores_nothing_and_speaks_by_its_exit_code(
    tidegate: Cli, contract_file: Callable[..., Path], tmp_path: Path, day: Callable[..., Path]
) -> None:
    assert tidegate("check", contract_file(), day(1)).code == 0
    said = tidegate("check", contract_file(), day(2, ".csv", items=0), "--json")
    assert said.code == 1
    assert json.loads(said.out)["findings"][0]["check"] == "impossible_values"
    assert not (tmp_path / ".tidegate").exists()


@pytest.mark.more
def test_the_store_may_be_named_before_or_after_the_verb_or_in_the_environment_or_a_file(
    tidegate: Cli, contract_file: Callable[..., Path], tmp_path: Path, day: Callable[..., Path]
) -> None:
    contract, batch = contract_file(), day(1)
    assert tidegate("--store", tmp_path / "a", "gate", contract, batch).code == 0
    assert tidegate("gate", contract, batch, "--store", tmp_path / "b").code == 0
    assert tidegate("gate", contract, batch, env={"TIDEGATE_STORE": str(tmp_path / "c")}).code == 0
    (tmp_path / "pyproject.toml").write_text('[tool.tidegate]\nstore = "d"\n')
    assert tidegate("gate", contract, batch).code == 0
    assert all((tmp_path / name / "ledger.db").is_file() for name in "abcd")
    assert "pyproject.toml" in tidegate("doctor").out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["gate", "{contract}", "missing.parquet"], 2, ["no batch at", "allowed:"]),
        (["gate", "nowhere.py", "x.parquet"], 2, ["no contract file", "nowhere.py"]),
        (["gate", "{contract}", "{batch}", "--store", "/dev/null/x"], 3, ["cannot be written", "hint:"]),
        (["gate", "{contract}", "{batch}", "--store", "{batch}"], 3, ["not a folder"]),
        (["gate", "{contract}", "{batch}", "--store", "s3://bucket"], 2, ["URL"]),
        (["gate", "{budget}", "{batch}"], 2, ["no approved reference", "reference build"]),
        (["gate", "{typo}", "{batch}"], 2, ["unknown column", "'amuont'", "did you mean 'amount'"]),
        (["gate", "{contract}", "{torn}"], 1, ["unreadable"]),
        (["gate", "{contract}", "{batch}", "--as-of", "yesterday"], 2, ["as-of", "ISO 8601"]),
        (["gate"], 2, ["Missing argument"]),
        (["breaker", "status", "--store", "nowhere"], 2, ["no store here", "nowhere"]),
        (["breaker", "close", "orders"], 2, ["--by"]),
        (["reference", "build", "{contract}", "{batch}"], 2, ["too few batches"]),
        (["reference", "build", "{contract}", "{batch}", "--approve"], 2, ["who and why"]),
        (["metrics", "--store", "nowhere"], 2, ["no ledger here", "nowhere"]),
        (["serve", "--port", "99999999"], 2, ["65535"]),
    ],
)
def test_wrong_input_gets_one_clear_message_and_its_exit_code(
    tidegate: Cli,
    contract_file: Callable[..., Path],
    day: Callable[..., Path],
    tmp_path: Path,
    arguments: list[str],
    code: int,
    words: list[str],
) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    places = {
        "contract": contract_file(),
        "budget": contract_file("alarm_budget=tg.AlarmBudget(one_in=50)", "budget.py"),
        "typo": contract_file("features=('amuont',)", "typo.py"),
        "batch": day(1),
        "torn": tmp_path / "torn.parquet",
    }
    said = tidegate(*[argument.format(**places) for argument in arguments])
    assert said.code == code, said
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err + said.out
    published = list(tmp_path.glob("**/published/*"))
    assert published == []


@pytest.mark.more
def test_operating_by_hand_from_reference_to_release(
    tidegate: Cli, contract_file: Callable[..., Path], store: Path, day: Callable[..., Path]
) -> None:
    contract = contract_file("alarm_budget=tg.AlarmBudget(one_in=5)")
    at = ("--store", store)
    built = tidegate("reference", "build", contract, *[day(number) for number in range(8)], "--json", *at)
    facts = json.loads(built.out)
    assert (facts["blocks"], facts["achievable_one_in"], facts["season_covered"]) == (8, 5, True)
    assert {item["column"]: item["minimum_detectable_shift"] for item in facts["columns"]}["amount"] > 0
    approved = tidegate(
        "reference", "approve", contract, facts["reference"][:8], "--by", "ann", "--reason", "good", *at
    )
    assert approved.code == 0
    listed = json.loads(tidegate("reference", "list", contract, "--json", *at).out)
    assert (listed["in_force"], listed["approved_by"]) == (True, "ann")
    assert json.loads(tidegate("reference", "show", contract, "--json", *at).out)["reference"] == facts["reference"]

    assert tidegate("gate", contract, day(9, score=0.5), *at).code == 1
    assert tidegate("gate", contract, day(10), *at).code == 1
    state = json.loads(tidegate("breaker", "status", "orders", "--json", *at).out)
    assert (state["state"], state["held"]) == ("open", 1)
    assert tidegate("breaker", "require", "orders", *at).code == 1
    kept = [json.loads(line) for line in tidegate("quarantine", "list", "--json", *at).out.splitlines()]
    assert [(item["batch"], item["state"]) for item in kept] == [("2024-03-10", "quarantined"), ("2024-03-11", "held")]
    assert "class_collapse" in tidegate("quarantine", "show", "orders", "2024-03-10", *at).out

    closed = tidegate("breaker", "close", "orders", "--by", "ann", "--reason", "model redeployed", "--json", *at)
    assert json.loads(closed.out)["released"] == [{"batch": "2024-03-11", "decision": "publish"}]
    assert tidegate("breaker", "require", "orders", *at).code == 0
    assert (store / "orders" / "published" / "2024-03-11.parquet").is_file()


def test_an_unapproved_reference_is_not_in_force(
    tidegate: Cli, contract_file: Callable[..., Path], store: Path, day: Callable[..., Path]
) -> None:
    contract = contract_file("alarm_budget=tg.AlarmBudget(one_in=5)")
    built = tidegate("reference", "build", contract, *[day(number) for number in range(6)], "--store", store)
    assert built.code == 0
    assert "not in force" in built.out
    assert tidegate("gate", contract, day(9), "--store", store).code == 2


def test_a_batch_that_breaks_the_contract_cannot_be_part_of_a_reference(
    tidegate: Cli, contract_file: Callable[..., Path], store: Path, day: Callable[..., Path]
) -> None:
    days = [*(day(number) for number in range(5)), day(6, amount=-1.0)]
    said = tidegate("reference", "build", contract_file(), *days, "--store", store)
    assert said.code == 2
    assert "2024-03-07" in said.err
    assert "impossible_values" in said.err


def test_colour_and_markup_never_reach_a_pipe(
    tidegate: Cli, contract_file: Callable[..., Path], store: Path, day: Callable[..., Path]
) -> None:
    tidegate("gate", contract_file(), day(1, amount=-1.0), "--store", store, "--batch-id", "a=[red]b")
    said = tidegate("quarantine", "list", "--store", store)
    assert "\x1b" not in said.out
    assert "a=-red-b" in said.out or "a=" in said.out


def test_interrupting_a_server_stops_it_quietly(store: Path, tmp_path: Path, tidegate: Cli) -> None:
    server = subprocess.Popen(
        [str(TIDEGATE), "serve", "--port", "0", "--store", str(store)], stderr=subprocess.PIPE, text=True
    )
    assert server.stderr is not None
    said = [server.stderr.readline(), server.stderr.readline()]
    assert said[0].startswith("warning: nothing can be read yet"), said
    assert "metrics on" in said[1]
    time.sleep(0.5)
    os.kill(server.pid, signal.SIGINT)
    _, err = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "Traceback" not in err
