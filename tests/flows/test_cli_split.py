"""``tidegate check-split`` as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

import tidegate as tg
from tests.conftest import Orders as StrictOrders
from tidegate_contracts.errors import UsageError
from tidegate_flows.cli.check_split import check_split as command
from tidegate_flows.cli.exits import run
from tidegate_flows.ledger import audit
from tidegate_flows.place import at
from tidegate_flows.split import check_split

Orders = Callable[..., pd.DataFrame]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def split(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run the command in this process."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("check-split")(command)
    app.command("other")(lambda: None)

    def said(*arguments: Any) -> Said:
        code = run(app, ["check-split", *map(str, arguments)])
        return Said(code, *capfd.readouterr())

    return said


@pytest.fixture(scope="session")
def labelled(make_orders: Orders) -> Callable[..., pd.DataFrame]:
    """Some days of orders with labels that follow the amount a little."""

    def make(days: Sequence[int], rows: int = 400) -> pd.DataFrame:
        frame = pd.concat([make_orders(day, rows) for day in days], ignore_index=True)
        rng = np.random.default_rng(days[0])
        chance = 0.1 + 0.3 * frame["amount"].rank(pct=True)
        return frame.assign(returned=(rng.random(len(frame)) < chance).astype(float))

    return make


@pytest.fixture
def files(labelled: Callable[..., pd.DataFrame], tmp_path: Path) -> tuple[Path, Path]:
    """Ten days of TRAIN, five of TEST."""
    paths = tmp_path / "train.parquet", tmp_path / "test.parquet"
    for path, days in zip(paths, (range(10), range(10, 15)), strict=True):
        labelled(days).to_parquet(path, index=False)
    return paths


def test_an_honest_split_passes_and_its_fingerprint_is_told(
    split: Callable[..., Said], files: tuple[Path, Path], contract_file: Callable[..., Path]
) -> None:
    said = split(contract_file(), *files)
    assert said.code == 0, said
    first, second, *_ = said.out.splitlines()
    assert first == "orders 1.0.0: the split passes; TRAIN 4000 rows (4000 labelled), TEST 2000 rows (2000 labelled)"
    assert "warning" not in said.out
    sha256 = second.split()[-1]
    for word, code in ((sha256, 0), (sha256[:8].upper(), 0), ("0" * 64, 1)):
        again = split(contract_file(), *files, "--expect-test", word)
        assert again.code == code
        assert ("different_test_data" in again.out) is bool(code)


def test_the_json_has_the_agreed_form(
    split: Callable[..., Said], files: tuple[Path, Path], contract_file: Callable[..., Path]
) -> None:
    said = split(contract_file(), files[1], files[0], "--json")
    assert said.code == 1
    data = json.loads(said.out)
    assert {"format", "dataset", "train", "test", "findings"} <= data.keys()
    assert (data["format"], data["dataset"]) == (1, "orders")
    assert (data["train"]["rows"], data["test"]["rows"], len(data["test"]["sha256"])) == (2000, 4000, 64)
    worst = data["findings"][0]
    assert (worst["check"], worst["column"], worst["severity"]) == ("split_time_overlap", "placed", "critical")
    assert worst["failed"] == 4000
    assert worst["examples"][0] == '["o0-0"]'


def test_csv_files_and_tables_of_every_library_have_one_fingerprint(
    files: tuple[Path, Path], labelled: Callable[..., pd.DataFrame], contract: tg.Contract, tmp_path: Path
) -> None:
    import polars as pl

    frame = labelled(range(10, 15))
    csv = tmp_path / "test.csv"
    frame.sample(frac=1, random_state=1).to_csv(csv, index=False)
    found = {
        check_split(files[0], test, contract).test.sha256
        for test in (files[1], csv, frame, pl.from_pandas(frame), frame.assign(score=0.5))
    }
    assert len(found) == 1


def test_wrong_use_is_said_plainly(
    split: Callable[..., Said], files: tuple[Path, Path], contract_file: Callable[..., Path], tmp_path: Path
) -> None:
    absent = split(contract_file(), tmp_path / "absent.parquet", files[1])
    assert (absent.code, absent.out) == (2, "")
    assert "absent.parquet" in absent.err
    sha = split(contract_file(), *files, "--expect-test", "latest")
    assert sha.code == 2
    assert "8 to 64 hexadecimal digits" in sha.err
    assert split(contract_file(), files[0]).code == 2
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 not really")
    unreadable = split(contract_file(), files[0], broken)
    assert unreadable.code == 1
    assert "unreadable: TEST: " in unreadable.out


def test_a_side_without_rows_is_no_split(files: tuple[Path, Path], contract: tg.Contract) -> None:
    with pytest.raises(UsageError, match="TEST has no rows"):
        check_split(files[0], pd.read_parquet(files[1]).iloc[:0], contract)


def test_cells_of_text_that_are_no_numbers_are_told_and_never_shown(
    split: Callable[..., Said], files: tuple[Path, Path], contract_file: Callable[..., Path], tmp_path: Path
) -> None:
    frame = pd.read_parquet(files[1]).astype({"amount": object})
    frame.loc[:99, "amount"] = "secret"
    frame.to_csv(tmp_path / "test.csv", index=False)
    said = split(contract_file(), files[0], tmp_path / "test.csv", "--json")
    assert said.code == 1
    assert [item["failed"] for item in json.loads(said.out)["findings"] if item["check"] == "schema_mismatch"] == [100]
    assert "secret" not in said.out + said.err


def test_the_same_seed_says_the_same(files: tuple[Path, Path], contract: tg.Contract) -> None:
    train = pd.read_parquet(files[0])
    leaky = train.assign(country=np.where(train["returned"] > 0, "DE", "FR"))
    reports = [check_split(leaky, files[1], contract, seed=seed) for seed in (0, 0, 1)]
    assert reports[0] == reports[1]
    assert {item.check for item in reports[2].findings} >= {"feature_leak"}
    assert not reports[2].passed


def test_frames_are_seen_with_the_index_that_their_contract_declares(
    labelled: Callable[..., pd.DataFrame], make_contract: Callable[..., tg.Contract]
) -> None:
    keyed = make_contract(schema=StrictOrders.to_schema().set_index(["order_id"]))
    sides = [labelled(days).set_index("order_id") for days in (range(3), range(3, 5))]
    told = check_split(*sides, keyed).to_dict()
    assert (
        told
        == check_split(*(side.assign(order_id=side.index).reset_index(drop=True) for side in sides), keyed).to_dict()
    )


def test_looks_at_a_test_set_are_counted_and_too_many_of_them_are_told(
    split: Callable[..., Said],
    files: tuple[Path, Path],
    contract_file: Callable[..., Path],
    labelled: Callable[..., pd.DataFrame],
    tmp_path: Path,
) -> None:
    trains = [files[0], *(tmp_path / f"train{number}.parquet" for number in (1, 2))]
    for number, path in enumerate(trains[1:], start=1):
        labelled(range(10 - number)).to_parquet(path, index=False)
    store = tmp_path / "counting"

    def look(train: Path, *more: str) -> dict[str, Any]:
        said = split(contract_file(), train, files[1], "--looks", "2", "--store", store, "--json", *more)
        assert said.code == 0, said
        found: dict[str, Any] = json.loads(said.out)
        return found

    told = [look(train) for train in (trains[0], trains[0], trains[1], trains[2], trains[2])]
    assert [item["looks"] for item in told] == [1, 1, 2, 3, 3]
    reused = [[item for item in report["findings"] if item["check"] == "holdout_reuse"] for report in told]
    assert [len(item) for item in reused] == [0, 0, 0, 1, 1]
    assert (reused[-1][0]["score"], reused[-1][0]["threshold"], reused[-1][0]["severity"]) == (3.0, 2.0, "warning")
    with at(store, must_exist=True) as place, place.ledger.read() as connection:
        assert audit.verify(connection, "orders").first_break is None
        assert len(list(audit.entries(connection, "orders"))) == 3


def test_nothing_is_stored_unless_looks_are_counted(
    files: tuple[Path, Path], contract: tg.Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_split(*files, contract).looks is None
    assert not (tmp_path / ".tidegate").exists()
    with pytest.raises(UsageError, match="looks"):
        check_split(*files, contract, looks=0)
