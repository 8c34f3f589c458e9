"""The names and times of batches."""

from __future__ import annotations

import doctest
import re
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import tidegate_contracts.batch
from tidegate_contracts.batch import Batch, Source, batch_id, iso, parse_iso, utc

SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,127}")
NAMES = st.text(max_size=200) | st.text("ab./-_= ", max_size=12) | st.from_regex(SAFE, fullmatch=True)
UNSAFE = [
    pytest.param("../../etc/passwd", id="path traversal"),
    pytest.param("/etc/passwd", id="absolute path"),
    pytest.param("..", id="parent"),
    pytest.param("a b", id="space"),
    pytest.param("a\nb", id="line end"),
    pytest.param("a\x00b", id="NUL"),
    pytest.param("día", id="accent"),
    pytest.param("日付", id="no safe character"),
    pytest.param("", id="empty"),
    pytest.param("a" * 129, id="too long"),
    pytest.param(".hidden", id="leading dot"),
    pytest.param("-rf", id="leading dash"),
    pytest.param("=1+1", id="leading equals sign"),
    pytest.param("day\udcff", id="undecodable byte"),
    pytest.param("a\n", id="line end at the end"),
]


@given(NAMES)
@example("." * 200)
@example("a" * 100 + "-" * 100)
def test_an_id_is_always_safe_as_a_file_name(name: str) -> None:
    assert SAFE.fullmatch(batch_id(name))
    assert batch_id(name) == batch_id(name)


@given(NAMES, NAMES)
@example("a b", "a  b")
@example("a/b", "a\\b")
@example("A" * 129, "A" * 130)
@example("", " ")
@example("\u00e9", "e\u0301")
def test_names_that_differ_have_ids_that_differ(one: str, another: str) -> None:
    assume(one != another)
    assert batch_id(one) != batch_id(another)


@given(st.from_regex(SAFE, fullmatch=True))
@example("2013-04-01")
@example("day=2013-04-01_part-0")
@example("a" * 128)
def test_a_safe_name_is_its_own_id(name: str) -> None:
    assert batch_id(name) == name


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_name_keeps_its_safe_characters_and_gets_twelve_digits_of_its_hash(name: str) -> None:
    identity = batch_id(name)
    assert identity != name
    assert SAFE.fullmatch(identity)
    assert re.search(r"-[0-9a-f]{12}$", identity)
    assert ".." not in identity


def test_a_person_still_recognises_the_name() -> None:
    assert batch_id("../etc passwd").startswith("etc-passwd-")
    assert batch_id("日付").startswith("batch-")


def test_the_examples_in_the_docstrings_are_true() -> None:
    results = doctest.testmod(tidegate_contracts.batch)
    assert results.attempted > 0
    assert results.failed == 0


ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NAIVE = st.datetimes(datetime.fromisoformat("0001-01-03"), datetime.fromisoformat("9999-12-29"))


@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(1, 1, 1, tzinfo=UTC))
@example(datetime(999, 12, 31, tzinfo=UTC))
@example(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
def test_a_moment_survives_being_written_and_read(moment: datetime) -> None:
    assert parse_iso(iso(moment)) == moment


@given(NAIVE, ZONES)
def test_a_moment_is_written_in_utc_with_microseconds_whatever_its_zone(naive: datetime, zone: timezone) -> None:
    moment = naive.replace(tzinfo=zone)
    text = iso(moment)
    assert text is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert parse_iso(text) == moment
    assert utc(moment) == moment
    assert utc(moment).tzinfo is UTC


@given(NAIVE, NAIVE)
def test_moments_as_text_sort_as_moments(one: datetime, another: datetime) -> None:
    first, second = iso(one), iso(another)
    assert first is not None
    assert second is not None
    assert (first < second) is (one < another)


def test_a_naive_moment_is_taken_to_be_in_utc_and_none_stays_none() -> None:
    assert iso(datetime.fromisoformat("2024-03-01T10:00")) == "2024-03-01T10:00:00.000000Z"
    assert iso(None) is None
    assert parse_iso(None) is None


def test_a_batch_counts_the_rows_that_were_delivered() -> None:
    table = pa.table({"a": [1, 2, 3]})
    batch = Batch("things", "one", Source("things.parquet", ".parquet", "0" * 64, 0), table, table)
    assert batch.rows == 3
