"""Where deliveries come from: directories, URLs, databases; and what names of theirs are shown."""

from __future__ import annotations

import sqlite3
import tarfile
import warnings
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped] # it ships no types
import pandera.pandas as pr
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped] # as above
from fsspec.registry import _registry  # type: ignore[import-untyped] # as above

import tidegate as tg
from tests.contracts.columns import make_contract
from tests.flows import hostile
from tidegate_flows.intake import Limits, Staged, UnreadableError, decode, limited, masked, stage, stage_sql
from tidegate_flows.plain import plain

Folder = Callable[[], Path]
ANYTHING = make_contract(pr.DataFrameSchema({"anything": pr.Column(required=False, nullable=True)}))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Make an empty folder of a store."""
    count = iter(range(1_000))

    def make() -> Path:
        path = tmp_path / f"staged-{next(count)}"
        path.mkdir()
        return path

    return make


def rows_of(staged: Staged) -> list[dict[str, Any]]:
    """The rows of a delivery as they were delivered."""
    found: list[dict[str, Any]] = decode(staged, ANYTHING).delivered.to_pylist()
    return found


# directories


def test_a_directory_is_one_batch_in_the_order_of_its_names(tmp_path: Path, folder: Folder) -> None:
    day = tmp_path / "day=2024-03-01.parquet"
    day.mkdir()
    for name, values in {"part-1": [3], "part-0": [1, 2], "part-2": []}.items():
        pq.write_table(pa.table({"a": pa.array(values, pa.int64())}), day / f"{name}.parquet")
    (day / "_SUCCESS").touch()
    staged = stage(day, folder())
    assert (staged.id, staged.source.name, staged.source.suffix) == (
        "day=2024-03-01",
        "day=2024-03-01.parquet",
        ".parquet.parts",
    )
    assert [row["a"] for row in rows_of(staged)] == [1, 2, 3]
    assert stage(day, folder()).source.sha256 == staged.source.sha256
    with tarfile.open(staged.path) as archive:
        assert archive.getnames() == ["part-0.parquet", "part-1.parquet", "part-2.parquet"]
    (day / "part-1.parquet").rename(day / "part-3.parquet")
    assert stage(day, folder()).source.sha256 != staged.source.sha256


def test_columns_of_json_keep_one_kind_over_all_parts(tmp_path: Path, folder: Folder) -> None:
    day = tmp_path / "day"
    day.mkdir()
    (day / "a.jsonl").write_bytes(b'{"a": 1, "b": "x"}\n')
    (day / "b.jsonl").write_bytes(b'{"a": 2.5, "c": true}\n')
    assert rows_of(stage(day, folder())) == [
        {"a": "1", "b": "x", "c": None},
        {"a": "2.5", "b": None, "c": True},
    ]


def test_a_quarantined_directory_keeps_its_parts_byte_for_byte(tmp_path: Path, store: Path) -> None:
    from tests.flows.test_hostile import CONTRACT

    path = hostile.folder_of(
        {name: lambda frame: hostile.csv_of(frame.assign(country="XX")) for name in ("a.csv", "b.csv")}
    )(tmp_path, hostile.orders(1))
    run = tg.gate(path, CONTRACT, store=store)
    assert run.decision.value == "quarantine"
    kept = store / "orders" / "quarantine" / "day" / "batch.csv.parts"
    with tarfile.open(kept) as archive:
        for name in ("a.csv", "b.csv"):
            part = archive.extractfile(name)
            assert part is not None
            assert part.read() == (path / name).read_bytes()


# URLs


def test_what_a_url_names_is_staged_under_its_name(folder: Folder, tmp_path: Path) -> None:
    content = hostile.parquet_of(pa.table({"a": [1]}))
    for part in ("day=1/part-0.parquet", "day=1/_SUCCESS", "day=1/part-1.parquet"):
        with fsspec.open(f"memory://bucket/x/{part}", "wb") as out:
            out.write(content)
    one = stage("memory://bucket/x/day=1/part-0.parquet", folder())
    assert (one.id, one.source.name, one.source.bytes) == ("day=1_part-0", "part-0.parquet", len(content))
    whole = stage("memory://bucket/x/day=1", folder())
    assert (whole.id, len(rows_of(whole))) == ("day=1", 2)
    (tmp_path / "a b.parquet").write_bytes(content)
    assert rows_of(stage(f"file://{tmp_path}/a%20b.parquet", folder())) == [{"a": 1}]


class Listing(AbstractFileSystem):  # type: ignore[misc] # fsspec ships no types
    """Local files, with listings that are kept as those of object stores are."""

    protocol = "s3"
    local = LocalFileSystem()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + str(path).removeprefix("s3://").strip("/")

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        if path not in self.dircache:
            self.dircache[path] = self.local.ls(path, detail=True)
        return [item if detail else item["name"] for item in self.dircache[path]]

    def invalidate_cache(self, path: str | None = None) -> None:  # noqa: ARG002 - fsspec's signature
        self.dircache.clear()

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        return self.local.open(path, mode)


def test_parts_that_came_since_the_last_look_at_a_remote_folder_are_taken(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_registry, "s3", Listing)
    day = tmp_path / "day"
    day.mkdir()
    for number in (1, 2, 3):
        pq.write_table(pa.table({"a": [number]}), day / f"part-{number}.parquet")
        assert len(rows_of(stage(f"s3:/{day}", folder()))) == number


@pytest.mark.parametrize("url", ["s3://key:geheim@bucket/x.parquet?X-Amz-Signature=geheim", "ftp://u:geheim@h/x.csv"])
def test_no_message_about_a_url_holds_its_password(folder: Folder, url: str) -> None:
    with pytest.raises(tg.TidegateError) as caught:
        stage(url, folder())
    assert "geheim" not in str(caught.value)
    assert "geheim" not in masked(url)
    assert masked("plain/path.parquet") == "plain/path.parquet"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://k:s/e@b/x", "s3://…@b/x"),
        ("s3://k:s?e#t@b/x", "s3://…@b/x"),
        ("s3://k@firm:s/e@b/x", "s3://…@b/x"),
        ("s3://k:@/e@b/x", "s3://…@b/x"),
        ("https://h:8443/day@1.csv?sig=geheim", "https://h:8443/day@1.csv"),
        ("s3://lake/T10:00/day@1.csv", "s3://lake/T10:00/day@1.csv"),
        ("abfss://box@acct/a.csv", "abfss://…@acct/a.csv"),
        ("file:///srv/a:b@c.csv", "file:///srv/a:b@c.csv"),
    ],
)
def test_a_url_is_shown_without_its_password_whichever_characters_it_has(url: str, shown: str) -> None:
    assert masked(url) == shown


# databases


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of one table with a row of values and a row of nothing."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "create table orders (id integer primary key, price numeric(10,2), placed datetime, day date, "
            "note text, raw blob, rate float, paid boolean)"
        )
        connection.execute(
            "insert into orders values (1, '12.50', '2024-03-01 12:00:00.000001', '2024-03-01', 'ż', x'ff00', 0.1, 1)"
        )
        connection.execute("insert into orders (id) values (2)")
    connection.close()
    return path


def test_a_table_is_read_with_its_types_and_never_touched(database: Path, folder: Folder) -> None:
    before = database.read_bytes()
    with warnings.catch_warnings(action="ignore"):  # of SQLAlchemy, that SQLite has no decimals of its own
        staged = stage_sql(f"sqlite:///{database}", "orders", folder())
    table = pq.read_table(staged.path)
    assert table.to_pylist()[0] == {
        "id": 1,
        "price": Decimal("12.50"),
        "placed": datetime(2024, 3, 1, 12, 0, 0, 1),  # noqa: DTZ001 - the database says no zone
        "day": date(2024, 3, 1),
        "note": "ż",
        "raw": b"\xff\x00",
        "rate": 0.1,
        "paid": True,
    }
    assert set(list(table.to_pylist()[1].values())[1:]) == {None}
    assert pa.types.is_decimal(table.schema.field("price").type)
    assert staged.own
    assert staged.id == f"orders-{staged.source.sha256[:16]}"
    assert list(staged.path.parent.iterdir()) == [staged.path]
    assert database.read_bytes() == before


def test_a_query_is_read_in_chunks_that_may_differ_in_type(database: Path, folder: Folder) -> None:
    query = (
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 45000) "
        "select i, case when i > 30000 then i * 0.5 end as half, 'x' as word from n"
    )
    table = pq.read_table(stage_sql(f"sqlite:///{database}", query, folder()).path)
    assert (table.num_rows, table.column("half").null_count) == (45_000, 30_000)
    empty = pq.read_table(stage_sql(f"sqlite:///{database}", "select id, note from orders where 0", folder()).path)
    assert (empty.num_rows, empty.column_names) == (0, ["id", "note"])


def test_chunks_that_no_one_type_holds_are_told_by_their_column_and_without_their_values(
    database: Path, folder: Folder
) -> None:
    query = (
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) "
        "select 9007199254740993 as big from n union all select 1.5"
    )
    with pytest.raises(tg.UsageError, match=r"column 'big' holds values that do not survive as double") as caught:
        stage_sql(f"sqlite:///{database}", query, folder())
    assert "9007199254740993" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("nothing", "no such table"),
        ("select nothing from orders", "refuses"),
        ("delete from orders", "no form|refuses"),
        ("drop table orders", "no form|refuses"),
        ("select 1 as a, 2 as a", "same name"),
        ("select 1 as a union all select 'x'", "several types"),
        ("", "no form|refuses"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_and_changes_nothing(
    database: Path, folder: Folder, query: str, what: str
) -> None:
    before, target = database.read_bytes(), folder()
    with pytest.raises(tg.UsageError, match=what):
        stage_sql(f"sqlite:///{database}", query, target)
    assert list(target.iterdir()) == []
    assert database.read_bytes() == before


def test_a_database_that_is_not_there_is_told_without_its_password(folder: Folder, tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/none.db", "sqlite://", "nosuch://a:geheim@b/c", "no url"):
        with pytest.raises(tg.UsageError) as caught:
            stage_sql(url, "orders", folder())
        assert "geheim" not in str(caught.value)
    with pytest.raises(tg.StoreError) as refused:
        stage_sql("postgresql+psycopg://ann:geheim@127.0.0.1:1/shop", "orders", folder())
    assert "geheim" not in str(refused.value)


# limits and names


def test_a_table_beyond_the_limits_is_unreadable(tmp_path: Path, folder: Folder) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 1_000)
    for bounds in (Limits(cells=1_999), Limits(columns=1), Limits(text_bytes=2_000), Limits(decoded_bytes=1_000)):
        with limited(bounds), pytest.raises(UnreadableError):
            rows_of(stage(path, folder()))
    with limited(Limits(file_bytes=1_000)), pytest.raises(tg.UsageError, match="too large"):
        stage(path, folder())
    assert len(rows_of(stage(path, folder()))) == 1_000


def test_blank_lines_of_a_single_column_are_missing_cells(tmp_path: Path, folder: Folder) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(b"a\n1\n\n2\n")
    assert [row["a"] for row in rows_of(stage(path, folder()))] == ["1", None, "2"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("day\n1\x1b[2J", r"day\n1\x1b[2J"),
        ("a\u202eb\u200bc\x9bd", r"a\u202eb\u200bc\x9bd"),
        ("\udcff\U000e0041", r"\udcff\U000e0041"),
        ("żółć 礼物 🎁 – …", "żółć 礼物 🎁 – …"),
        ("at s3://k:geheim@b/x", "at s3://…@b/x"),
    ],
)
def test_text_from_outside_is_one_line_of_visible_characters(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert plain(plain(text)) == shown


def test_names_from_outside_move_no_cursor(
    capsys: pytest.CaptureFixture[str], contract_file: Callable[..., Path], tmp_path: Path, store: Path
) -> None:
    from tidegate_flows.cli.app import app
    from tidegate_flows.cli.exits import run

    path = tmp_path / "\x1b[31mday\u202e.csv"
    path.write_bytes(hostile.csv_of(hostile.orders(1)).replace(b"order_id", b'"\x1b]0;owned\x07\nnote"', 1))
    contract, page = str(contract_file()), tmp_path / "page.prom"
    assert run(app, ["gate", contract, f"{path}-none", "--store", str(store)]) == 2
    assert run(app, ["gate", contract, str(path), "--store", str(store), "--json"]) == 1
    assert run(app, ["quarantine", "list", "--store", str(store)]) == 0
    assert run(app, ["metrics", "--store", str(store), "--textfile", str(page)]) == 0
    said = capsys.readouterr()
    for text in (said.out, said.err, page.read_text(encoding="utf-8")):
        assert not {"\x1b", "\x07"} & set(text)
    assert "\u202e" not in said.err
