"""``tidegate diff``: exit codes, JSON, and what a new contract would do to real flights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import typer

from tidegate_flows.against import Refusal
from tidegate_flows.cli import diff, exits
from tidegate_flows.demo import data, story

CONTRACT = Path(story.__file__).with_name("flights.py")
Day = Callable[..., Path]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run the command as the command line does, in this process."""
    app = typer.Typer()
    app.callback()(lambda: None)
    app.command("diff")(diff.diff)

    def run(*arguments: object) -> Said:
        code = exits.run(app, ["diff", *map(str, arguments)])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """Write the contract of flights with some of its text replaced."""

    def write(*pairs: tuple[str, str], version: str = "1.0.0", name: str = "new.py") -> Path:
        text = CONTRACT.read_text(encoding="utf-8")
        for old, new in (*pairs, ('version="1.0.0"', f'version="{version}"')):
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.fixture
def day(tmp_path: Path, flights: pd.DataFrame) -> Day:
    """Write a day of real flights as the demo delivers it, without labels."""

    def write(which: str, suffix: str = ".parquet") -> Path:
        rows = data.table(flights[flights["day"] == date.fromisoformat(which)])
        path = tmp_path / f"{which}{suffix}"
        pq.write_table(rows, path) if suffix == ".parquet" else pa_csv.write_csv(rows, path)
        return path

    return write


NARROWER = ("ge=0, le=10_000", "ge=100, le=10_000")
UNIT = ('description="great-circle distance", metadata={"unit": "mile"}',
        'description="great-circle distance", metadata={"unit": "km"}')  # fmt: skip
GONE = ('    visib: float = pa.Field(ge=0, le=10, nullable=True, description="visibility", '
        'metadata={"unit": "mile", **WEATHER})\n', "")  # fmt: skip


@pytest.mark.parametrize(
    ("pair", "version", "code", "kind", "suggested"),
    [
        (GONE, "1.0.0", 1, "breaking", "2.0.0"),
        (GONE, "1.1.0", 1, "breaking", "2.0.0"),
        (GONE, "2.0.0", 0, "breaking", "2.0.0"),
        (UNIT, "1.0.0", 1, "semantic", "1.1.0"),
        (UNIT, "1.0.1", 0, "semantic", "1.1.0"),
        (NARROWER, "1.0.0", 0, "tightening", "1.1.0"),
    ],
)
def test_the_exit_code_says_whether_the_version_tells_of_the_change(
    say: Callable[..., Said],
    changed: Callable[..., Path],
    pair: tuple[str, str],
    version: str,
    code: int,
    kind: str,
    suggested: str,
) -> None:
    said = say(CONTRACT, changed(pair, version=version), "--json")
    told = json.loads(said.out)
    assert (said.code, told["format"], told["suggested_version"], told["passed"]) == (code, 1, suggested, code == 0)
    assert [change["class"] for change in told["changes"]] == [kind]
    assert set(told["changes"][0]) >= {"class", "column", "what", "old", "new", "breaks", "bump", "check"}


def test_a_change_is_told_under_the_catalogues_name(say: Callable[..., Said], changed: Callable[..., Path]) -> None:
    told = json.loads(say(CONTRACT, changed(GONE, UNIT, NARROWER), "--json").out)
    assert [change["check"] for change in told["changes"]] == ["breaking_schema_change", "semantic_change", None]


def test_a_contract_against_itself_changes_nothing(say: Callable[..., Said]) -> None:
    said = say(CONTRACT, CONTRACT)
    assert (said.code, said.out) == (0, "flights 1.0.0 → 1.0.0: nothing changes\n")


def test_the_words_name_each_change_and_the_version_that_would_tell(
    say: Callable[..., Said], changed: Callable[..., Path]
) -> None:
    said = say(CONTRACT, changed(UNIT, NARROWER))
    assert said.code == 1
    assert all(word in said.out for word in ("semantic", "mile", "km", "tightening", ">= 100", "producer", "1.1.0"))
    assert "semantic changes need a new version: at least 1.1.0" in said.out
    said = say(CONTRACT, changed(NARROWER))
    assert "1 change; 1.1.0 would tell of all of them" in said.out


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_real_flights_tell_what_a_narrower_contract_would_refuse(
    say: Callable[..., Said], changed: Callable[..., Path], day: Day, flights: pd.DataFrame, suffix: str
) -> None:
    batch = day("2013-04-02", suffix)
    said = say(CONTRACT, changed(NARROWER), "--against", batch, "--json")
    (told,) = json.loads(said.out)["against"]
    rows = flights[flights["day"] == date(2013, 4, 2)]
    short = rows.loc[rows["distance"] < 100, "flight_id"]
    assert told["batch"] == "2013-04-02"
    assert told["old"] == {"decision": "publish", "quarantined": 0}
    assert told["new"] == {"decision": "publish", "quarantined": len(short)}
    assert told["newly_refused"] == len(short) > 0
    assert told["newly_passed"] == 0
    (clause,) = told["by"]
    assert (clause["check"], clause["column"], clause["rows"]) == ("impossible_values", "distance", len(short))
    assert "100" in clause["rule"]
    assert {json.loads(key)[0] for key in told["examples"]} <= set(short)


def test_a_clause_that_no_row_breaks_refuses_none(
    say: Callable[..., Said], changed: Callable[..., Path], day: Day
) -> None:
    said = say(CONTRACT, changed(("le=10_000", "le=9_000")), "--against", day("2013-04-02"))
    assert "tightening" in said.out
    assert "each row of these batches fares as before" in said.out


def test_a_batch_that_the_old_contract_refuses_is_told_so_and_its_rows_are_counted_all_the_same(
    say: Callable[..., Said], changed: Callable[..., Path], day: Day, flights: pd.DataFrame
) -> None:
    two = 'isin=["EWR", "JFK", "LGA"]', 'isin=["EWR", "JFK"]'
    old, new = changed(two, name="old.py"), changed(two, NARROWER)
    rows = flights[flights["day"] == date(2013, 4, 2)]
    count = int(((rows["distance"] < 100) & (rows["origin"] != "LGA")).sum())
    said = say(old, new, "--against", day("2013-04-02"))
    assert f"OLD refuses 1 of 1 batches as a whole; there, {count} rows break only NEW" in said.out
    assert "fares as before" not in said.out
    assert "OLD refuses" not in say(CONTRACT, new, "--against", day("2013-04-02")).out


def test_several_batches_may_follow_the_option_and_a_refused_batch_is_refused_whole(
    say: Callable[..., Said], changed: Callable[..., Path], day: Day
) -> None:
    batches = day("2013-04-02"), day("2013-04-03")
    new = changed(('isin=["EWR", "JFK", "LGA"]', 'isin=["EWR", "JFK"]'), version="1.1.0")
    told = json.loads(say(CONTRACT, new, "--against", *batches, "--json").out)["against"]
    assert [item["batch"] for item in told] == ["2013-04-02", "2013-04-03"]
    for item in told:
        assert item["new"] == {"decision": "quarantine", "quarantined": item["rows"]}
        assert item["newly_refused"] == item["rows"]
        assert [clause["check"] for clause in item["by"]] == ["category_change"]
        assert all("-LGA-" in key for key in item["examples"])
    back = say(new, CONTRACT, "--against", *batches)
    assert f"{sum(item['rows'] for item in told)} rows are refused now and would pass" in back.out
    words = say(CONTRACT, new, "--against", *batches).out
    assert "rows in 2 batches, such as" in words


def test_a_batch_that_lacks_a_column_is_refused_as_a_whole(
    say: Callable[..., Said], changed: Callable[..., Path], day: Day
) -> None:
    new = changed(("    visib: float", "    visibility: float"), version="2.0.0")
    said = say(CONTRACT, new, "--against", day("2013-04-02"), "--json")
    told = json.loads(said.out)
    assert said.code == 0
    assert [change["what"] for change in told["changes"]] == ["column renamed"]
    assert {(clause["check"], clause["column"], clause["rows"]) for clause in told["against"][0]["by"]} == {
        ("schema_mismatch", "visib", None),
        ("schema_mismatch", "visibility", None),
    }


def test_wrong_use_is_said_so(say: Callable[..., Said], changed: Callable[..., Path], tmp_path: Path) -> None:
    other = changed(('name="flights"', 'name="trains"'))
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 no more")
    for arguments, words in (
        ((CONTRACT, other), "different datasets"),
        ((CONTRACT, "nowhere.py"), "no contract file"),
        ((CONTRACT, CONTRACT, "batch.parquet"), "--against"),
        ((CONTRACT, CONTRACT, "--against", "nowhere.parquet"), "no batch at"),
        ((CONTRACT, CONTRACT, "--against", broken), "cannot be read"),
    ):
        said = say(*arguments)
        assert (said.code, said.out) == (2, "")
        assert words in said.err


def test_keys_of_refused_rows_move_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    diff._show_clause([Refusal("impossible_values", "le=1\x1b[2J", "a\x9b", 1, ("k\x9b31m", "\u202ek"))])
    assert not set("\x1b\x9b\u202e") & set(capsys.readouterr().out)
