"""From what is delivered to a batch: staging, decoding, types, the window and the id."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pr
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tidegate as tg
from tests.contracts.columns import make_contract
from tidegate_contracts.batch import Batch, Window
from tidegate_flows.intake import Staged, UnreadableError, decode, natural_id, stage

MakeOrders = Callable[..., pd.DataFrame]
TakeIn = Callable[..., Batch]
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    """Make an empty folder of a store."""
    count = iter(range(1_000_000))

    def make() -> Path:
        path = tmp_path / f"staged-{next(count)}"
        path.mkdir()
        return path

    return make


@pytest.fixture
def take_in(folder: Callable[[], Path], contract: tg.Contract) -> TakeIn:
    """Stage and decode a delivery."""

    def take(delivery: Any, under: tg.Contract = contract, **arguments: Any) -> Batch:
        return decode(stage(delivery, folder(), **arguments), under)

    return take


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a delivered file."""

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / "delivered" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write


def csv_of(frame: pd.DataFrame) -> bytes:
    """A frame as CSV."""
    return frame.to_csv(index=False).encode()


def parquet_of(frame: pd.DataFrame) -> bytes:
    """A frame as parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, write_page_checksum=True)
    return bytes(sink.getvalue())


# one table, whatever it came as


def test_the_same_rows_give_the_same_table_whatever_they_came_as(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], make_orders: MakeOrders
) -> None:
    frame = make_orders()
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    reference = take_in(deliver("day.parquet", parquet_of(frame)))
    ways = {
        "csv": deliver("day.csv", csv_of(frame)),
        "csv.gz": deliver("day.csv.gz", gzip.compress(csv_of(frame))),
        "csv in capitals": deliver("DAY.CSV", csv_of(frame)),
        "csv with a byte order mark": deliver("bom.csv", b"\xef\xbb\xbf" + csv_of(frame)),
        "csv with Windows line ends": deliver("crlf.csv", csv_of(frame).replace(b"\n", b"\r\n")),
        "pandas": frame,
        "pandas with an index": frame.set_index(
            pd.Index([f"row {number}" for number in range(len(frame))], name="label")
        ),
        "pandas with categories": frame.assign(country=frame["country"].astype("category")),
        "pandas with narrow types": frame.assign(items=frame["items"].astype("int8")),
        "polars": pl.from_arrow(arrow),
        "polars with categories": pl.DataFrame(arrow).with_columns(pl.col("country").cast(pl.Categorical)),
        "arrow": arrow,
        "arrow in chunks": pa.concat_tables([arrow.slice(0, 70), arrow.slice(70)]),
        "arrow in another zone": arrow.set_column(
            1, "placed", arrow.column("placed").cast(pa.timestamp("ns", "Europe/Paris"))
        ),
    }
    assert reference.rows == len(frame)
    for name, delivery in ways.items():
        batch = take_in(delivery)
        assert (batch.mismatches, batch.unparsed) == ({}, {}), name
        assert batch.table.schema.equals(reference.table.schema), name
        assert batch.table.equals(reference.table), name
        assert batch.window == reference.window, name


def test_text_stays_as_it_was_delivered_beside_what_it_was_parsed_to(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path]
) -> None:
    content = b'order_id,items,note,amount,extra\n001,7,NA,1.50,007\n"",,"",NA,\n002,x, padded ,"",2\n'
    batch = take_in(deliver("day.csv", content))
    assert batch.table.to_pydict() == {
        "order_id": ["001", "", "002"],
        "items": [7, None, None],
        "note": ["NA", "", " padded "],
        "amount": [1.5, None, None],
        "extra": ["007", None, "2"],
    }
    assert {name: rows.tolist() for name, rows in batch.unparsed.items()} == {"items": [2]}
    assert batch.delivered.column("items").to_pylist() == ["7", None, "x"]
    assert batch.delivered.column("amount").to_pylist() == ["1.50", "NA", ""]


def test_a_value_may_hold_commas_quotes_and_line_ends(take_in: TakeIn, deliver: Callable[[str, bytes], Path]) -> None:
    batch = take_in(deliver("day.csv", b'note,items\n"a,\nb ""c""",1\nd,2\n'))
    assert batch.table.column("note").to_pylist() == ['a,\nb "c"', "d"]


def test_line_ends_in_values_do_not_matter_in_a_file_of_several_blocks(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path]
) -> None:
    value = "a\nb\n" * 50
    batch = take_in(deliver("day.csv", b"note,items\n" + f'"{value}",1\n'.encode() * 12_000))
    assert batch.rows == 12_000
    assert batch.table.column("note").unique().to_pylist() == [value]


def test_a_row_that_does_not_fit_is_told_without_its_values(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path]
) -> None:
    with pytest.raises(UnreadableError) as caught:
        take_in(deliver("day.csv", b"order_id,items\n1,2\nanna@example.com,4,5\n"))
    assert "Expected 2 columns, got 3" in str(caught.value)
    assert "anna" not in str(caught.value)


def test_casts_and_mismatches_are_named_by_column(take_in: TakeIn, make_orders: MakeOrders) -> None:
    frame = make_orders(rows=3)
    odd = frame.assign(items=frame["items"].astype("int16"), amount=["1", "2", "3"], stranger=[1, 2, 3])
    batch = take_in(odd)
    assert batch.casts["items"] == "int16 → int64"
    assert batch.mismatches.keys() == {"amount"}
    assert "expected double" in batch.mismatches["amount"]
    assert batch.table.column("amount").to_pylist() == ["1", "2", "3"]
    assert batch.table.column_names == [*frame.columns, "stranger"]
    assert batch.delivered.schema.field("items").type == pa.int16()


def test_a_file_with_a_header_and_no_rows_is_an_empty_batch(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], make_orders: MakeOrders
) -> None:
    nothing = make_orders().head(0)
    for path in (deliver("day.csv", csv_of(nothing)), deliver("day.parquet", parquet_of(nothing))):
        batch = take_in(path)
        assert (batch.rows, batch.window, batch.mismatches) == (0, None, {})
        assert batch.table.schema.field("placed").type == pa.timestamp("us", "UTC")


# staging


def test_the_staged_copy_is_the_delivery_byte_for_byte_with_its_hash_and_size(
    folder: Callable[[], Path], deliver: Callable[[str, bytes], Path], make_orders: MakeOrders
) -> None:
    content = csv_of(make_orders())
    path = deliver("2024-03-01.csv", content)
    staged = stage(path, folder())
    path.write_bytes(b"changed afterwards")
    assert staged.path.read_bytes() == content
    assert (staged.source.sha256, staged.source.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (staged.source.name, staged.source.suffix, staged.id) == ("2024-03-01.csv", ".csv", "2024-03-01")


def test_a_frame_is_staged_as_parquet_under_a_name_made_of_its_bytes(
    folder: Callable[[], Path], make_orders: MakeOrders
) -> None:
    once, again, other = (stage(make_orders(day), folder()) for day in (0, 0, 1))
    assert once.id == again.id == f"frame-{once.source.sha256[:16]}"
    assert other.id != once.id
    assert (once.frame, once.source.suffix, once.source.name) == ("pandas", ".parquet", "pandas frame")
    assert hashlib.sha256(once.path.read_bytes()).hexdigest() == once.source.sha256


@pytest.mark.parametrize(("name", "identity"), [("monday", "monday"), (None, None), ("../up", None)])
def test_a_given_batch_id_is_used_and_made_safe(
    folder: Callable[[], Path], make_orders: MakeOrders, name: str | None, identity: str | None
) -> None:
    staged: Staged = stage(make_orders(rows=2), folder(), name=name)
    assert identity in (None, staged.id)
    assert "/" not in staged.id
    assert ".." not in staged.id


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("a/day=2013-04-01/part-0.parquet", "day=2013-04-01_part-0"),
        ("a/b=1/c/d=2/e=3/f.parquet", "d=2_e=3_f"),
        ("x.csv.gz", "x"),
        ("X.CSV.GZ", "X"),
        ("2013-04-01.parquet", "2013-04-01"),
        ("v1.2.parquet", "v1.2"),
        ("/data/x.csv", "x"),
        ("no-suffix", "no-suffix"),
        (".csv", ".csv"),
        ("a=1.parquet", "a=1"),
    ],
)
def test_a_file_names_its_batch_by_its_partitions_and_its_own_name(path: str, identity: str) -> None:
    assert natural_id(Path(path)) == identity


# what cannot be a batch


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("day.parquet", b"", id="empty parquet"),
        pytest.param("day.parquet", b"order_id,items\n1,2\n", id="text named parquet"),
        pytest.param("day.csv", b"", id="empty csv"),
        pytest.param("day.csv", b" \n\n \n", id="blank csv"),
        pytest.param("day.csv", b"order_id,items\n1,2\n3\n", id="a row too short"),
        pytest.param("day.csv", b"order_id,items\n1,2\n3,4,5\n", id="a row too long"),
        pytest.param("day.csv", b"order_id,note\n1,\xff\xfe\n", id="not utf-8"),
        pytest.param("day.csv", b"order_id,no\xffte\n1,2\n", id="a header that is not utf-8"),
        pytest.param("day.csv", b"order_id,order_id\n1,2\n", id="a column name twice"),
        pytest.param("day.csv", gzip.compress(b"order_id\n1\n"), id="gzip named csv"),
        pytest.param("day.csv.gz", b"order_id\n1\n", id="csv named gzip"),
        pytest.param("day.csv.gz", b"", id="empty gzip"),
        pytest.param("day.csv.gz", gzip.compress(b"order_id\n" + b"1\n" * 999)[:-9], id="truncated gzip"),
        pytest.param("day.csv.gz", gzip.compress(b"order_id\n1\n") + b"more", id="gzip with a tail"),
        pytest.param("day.pkl", b"\x80\x04N.", id="pickle"),
        pytest.param("day.xlsx", b"PK\x03\x04", id="spreadsheet"),
        pytest.param("day", b"order_id\n1\n", id="no suffix"),
    ],
)
def test_bytes_that_are_not_what_their_name_says_are_unreadable(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], name: str, content: bytes
) -> None:
    with pytest.raises(UnreadableError) as caught:
        take_in(deliver(name, content))
    assert str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_never_loaded(take_in: TakeIn, deliver: Callable[[str, bytes], Path], tmp_path: Path) -> None:
    bomb = b"cposix\nsystem\n(S'touch " + str(tmp_path / "exploded").encode() + b"'\ntR."
    for name in ("day.pkl", "day.parquet", "day.csv.gz"):
        with pytest.raises(UnreadableError):
            take_in(deliver(name, bomb))
    assert not (tmp_path / "exploded").exists()


def test_parquet_cut_off_anywhere_is_unreadable(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], make_orders: MakeOrders
) -> None:
    whole = parquet_of(make_orders(rows=20))
    for length in range(0, len(whole), max(1, len(whole) // 25)):
        with pytest.raises(UnreadableError):
            take_in(deliver("day.parquet", whole[:length]))


def test_a_page_of_parquet_that_was_altered_is_unreadable(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], make_orders: MakeOrders
) -> None:
    table = pa.Table.from_pandas(make_orders(rows=50), preserve_index=False)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="none", write_page_checksum=True)
    whole = bytearray(sink.getvalue())
    whole[whole.index(b"o0-17")] ^= 0x01
    with pytest.raises(UnreadableError):
        take_in(deliver("day.parquet", bytes(whole)))


def test_a_column_name_of_parquet_that_is_not_utf8_is_unreadable(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], make_orders: MakeOrders
) -> None:
    table = pa.Table.from_pandas(make_orders(rows=5), preserve_index=False).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    pq.write_table(table.rename_columns([*table.column_names[:-1], "zzzz"]), sink, store_schema=False)
    with pytest.raises(UnreadableError):
        take_in(deliver("day.parquet", bytes(sink.getvalue()).replace(b"zzzz", b"z\x9fzz")))


def test_a_time_zone_of_parquet_that_is_not_utf8_is_unreadable(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path]
) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(times([0]), sink)
    arrow_schema = pq.read_metadata(pa.BufferReader(sink.getvalue())).metadata[b"ARROW:schema"]
    broken = base64.b64encode(base64.b64decode(arrow_schema).replace(b"UTC", b"UT\x9f"))
    assert broken != arrow_schema
    with pytest.raises(UnreadableError):
        take_in(deliver("day.parquet", bytes(sink.getvalue()).replace(arrow_schema, broken)))


def test_gzip_with_any_byte_altered_is_unreadable_or_the_same_rows(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], make_orders: MakeOrders
) -> None:
    content = csv_of(make_orders(rows=20))
    whole, rng = gzip.compress(content, mtime=0), random.Random(7)  # noqa: S311 - which byte is altered is no secret
    table = take_in(deliver("good.csv", content)).table
    unreadable = 0
    for _ in range(60):
        altered = bytearray(whole)
        altered[rng.randrange(len(whole))] ^= rng.randrange(1, 256)
        try:
            batch = take_in(deliver("day.csv.gz", bytes(altered)))
        except UnreadableError:
            unreadable += 1
        else:
            assert batch.table.equals(table)
    assert unreadable > 30


def test_column_names_that_appear_twice_are_unreadable_in_parquet_too(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path]
) -> None:
    twice = pa.table([[1], [2]], names=["items", "items"])
    sink = pa.BufferOutputStream()
    pq.write_table(twice, sink)
    for delivery in (twice, deliver("day.parquet", bytes(sink.getvalue()))):
        with pytest.raises(UnreadableError, match="items"):
            take_in(delivery)


def quickly(action: Callable[[], object]) -> BaseException | None:
    """What an action raises, if it ends within five seconds."""
    raised: list[BaseException | None] = []

    def run() -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)
        else:
            raised.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(5)
    assert raised, "it hangs"
    return raised[0]


@pytest.mark.parametrize(
    "kind", ["missing", "folder", "FIFO", "link to a FIFO", "broken link", "device", "NUL", "very long name"]
)
def test_what_is_no_regular_file_is_refused_at_once(folder: Callable[[], Path], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "day.parquet"
    target = folder()
    if kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "link to a FIFO":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    elif kind == "broken link":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "NUL":
        path = tmp_path / "day\0.parquet"
    elif kind == "very long name":
        path = tmp_path / ("a" * 300 + ".parquet")
    assert isinstance(quickly(lambda: stage(path, target)), tg.UsageError)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "delivery",
    [
        pytest.param(None, id="None"),
        pytest.param([1, 2], id="list"),
        pytest.param({"a": [1]}, id="dict"),
        pytest.param(b"order_id\n1\n", id="bytes"),
        pytest.param(pa.table({"a": [1]}).to_batches()[0], id="arrow record batch"),
        pytest.param(pd.Series([1]), id="pandas series"),
        pytest.param(pl.Series([1]), id="polars series"),
        pytest.param(pl.LazyFrame({"a": [1]}), id="polars lazy frame"),
        pytest.param(pd.DataFrame({"a": [1, "x", b"y"]}), id="pandas with mixed values"),
        pytest.param(pd.DataFrame([[1, 2]], columns=["a", "a"]), id="pandas with a name twice"),
        pytest.param(pd.DataFrame({"a": [1j]}), id="pandas with complex numbers"),
        pytest.param(pa.table({"a": pa.array([None], pa.month_day_nano_interval())}), id="arrow interval"),
        pytest.param(pa.table({"a": pa.array([2**60], pa.timestamp("s"))}), id="arrow time out of range"),
    ],
)
def test_what_has_no_form_as_a_table_is_refused(folder: Callable[[], Path], delivery: Any) -> None:
    with pytest.raises(tg.UsageError):
        stage(delivery, folder())


# the window


def times(values: list[int | None], unit: str = "us", zone: str | None = "UTC") -> Any:
    """A table of event times only."""
    return pa.table({"placed": pa.array(values, pa.timestamp(unit, zone))})


@given(st.lists(st.none() | st.integers(-(10**15), 4 * 10**15), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_the_window_is_the_smallest_half_open_one_that_holds_every_event(
    take_in: TakeIn, values: list[int | None]
) -> None:
    window = take_in(times(values)).window
    moments = [
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value) for value in values if value is not None
    ]
    if not moments:
        assert window is None
    else:
        assert window == Window(min(moments), max(moments) + MICROSECOND)
        assert all(window.start <= moment < window.end for moment in moments)
        assert window.start.tzinfo is UTC


def test_event_times_without_a_zone_are_in_the_contracts_zone(take_in: TakeIn) -> None:
    schema = pr.DataFrameSchema({"placed": pr.Column("datetime64[ns]")})
    naive = times([0], "ns", None)
    in_utc = take_in(naive, make_contract(schema, event_time="placed"))
    in_new_york = take_in(naive, make_contract(schema, event_time="placed", time_zone="America/New_York"))
    assert in_utc.window == Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC) + MICROSECOND)
    assert in_new_york.window is not None
    assert in_new_york.window.start == datetime(1970, 1, 1, 5, tzinfo=UTC)
    assert in_new_york.window.start.tzinfo is UTC


@pytest.mark.parametrize("nanoseconds", [1, 1_500, 999, -1, -1_500])
def test_a_window_holds_events_between_two_microseconds(take_in: TakeIn, nanoseconds: int) -> None:
    schema = pr.DataFrameSchema({"placed": pr.Column(pd.DatetimeTZDtype("ns", "UTC"))})
    window = take_in(times([nanoseconds], "ns"), make_contract(schema, event_time="placed")).window
    assert window is not None
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert (window.start - epoch) // MICROSECOND * 1_000 <= nanoseconds < (window.end - epoch) // MICROSECOND * 1_000


def test_there_is_no_window_without_an_event_time_or_its_column(
    take_in: TakeIn, make_orders: MakeOrders, contract: tg.Contract
) -> None:
    frame = make_orders(rows=3)
    assert take_in(frame, replace(contract, event_time=None)).window is None
    assert take_in(frame.drop(columns="placed")).window is None
    assert take_in(frame.assign(placed="yesterday")).window is None


@pytest.mark.parametrize(
    ("values", "zone"),
    [
        pytest.param([253_402_300_799_999_999], "UTC", id="the last microsecond of 9999"),
        pytest.param([569_000_000_000_000_000], "UTC", id="the year 20000"),
        pytest.param([-(10**17)], "UTC", id="before the year 1"),
        pytest.param([-62_135_596_800_000_000], None, id="the year 1 east of Greenwich"),
        pytest.param([2**63 - 1], "UTC", id="the largest there is"),
    ],
)
def test_an_event_time_that_python_cannot_hold_is_no_exception(
    take_in: TakeIn, contract: tg.Contract, values: list[int | None], zone: str | None
) -> None:
    usual = 1_700_000_000_000_000
    batch = take_in(times([usual, *values], zone=zone), replace(contract, time_zone="Asia/Tokyo"))
    assert batch.rows == 2


def test_a_time_zone_that_nobody_knows_is_no_exception(take_in: TakeIn) -> None:
    assert take_in(times([1], "ns", "Nowhere/Land")).rows == 1


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_days_give_a_window_that_begins_where_they_begin_in_the_contracts_zone(take_in: TakeIn, kind: Any) -> None:
    schema = pr.DataFrameSchema({"placed": pr.Column(pd.ArrowDtype(kind))})
    days = pa.table({"placed": pa.array([date(2024, 3, 2), None, date(2024, 3, 1)], kind)})
    window = take_in(days, make_contract(schema, event_time="placed", time_zone="America/New_York")).window
    assert window == Window(datetime(2024, 3, 1, 5, tzinfo=UTC), datetime(2024, 3, 2, 5, tzinfo=UTC) + MICROSECOND)


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ([str(12345678901234567890 + shift) for shift in range(3)], True),
        (["9007199254740993", "0.5"], True),
        (["-9007199254740993", "0.5"], True),
        (["1e999", "0.5"], True),
        (["9007199254740991", "0.5", "1e300"], False),
    ],
)
def test_undeclared_numbers_of_json_are_numbers_only_where_each_stays_what_it_is(
    take_in: TakeIn, deliver: Callable[[str, bytes], Path], cells: list[str], kept: bool
) -> None:
    anything = make_contract(pr.DataFrameSchema({"x": pr.Column(float, required=False)}))
    lines = "".join(f'{{"id": {cell}}}\n' for cell in cells)
    values = take_in(deliver("day.jsonl", f"{lines}{{}}\n".encode()), anything).table.column("id").to_pylist()
    assert values == [*(cells if kept else map(float, cells)), None]
