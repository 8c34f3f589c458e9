"""A value has one hash, whatever it comes in; different values have different ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_monitors.hashing import MISSING, of_column

texts = st.lists(st.text(max_size=20) | st.text(min_size=60, max_size=70) | st.none(), max_size=30)


def _column(values: list[Any], kind: Any) -> Any:
    return pa.chunked_array([pa.array(values, kind)])


@given(texts, st.integers(0, 30))
def test_text_has_the_same_hash_in_every_encoding(values: list[str | None], cut: int) -> None:
    plain = _column(values, pa.string())
    wanted = of_column(plain).tolist()
    halves = pa.chunked_array([*plain.slice(0, cut).chunks, *plain.slice(cut).chunks], pa.string())
    spellings = [
        _column(values, pa.large_string()),
        _column(values, pa.string_view()),
        plain.dictionary_encode(),
        halves,
        halves.dictionary_encode(),
        _column(["before", *values, "after"], pa.string()).slice(1, len(values)),
    ]
    assert all(of_column(item).tolist() == wanted for item in spellings)
    assert [number == int(MISSING) for number in wanted] == [value is None for value in values]


@given(texts)
def test_different_texts_have_different_hashes(values: list[str | None]) -> None:
    known = [value for value in values if value is not None]
    assert len(set(of_column(_column(known, pa.string())).tolist())) == len(set(known))


@pytest.mark.parametrize("rows", [10, 9_000], ids=["few", "many"])
def test_few_different_texts_are_hashed_as_many_are(rows: int) -> None:
    values = [f"v{number % 7}" for number in range(rows)]
    alone = of_column(_column([f"v{number}" for number in range(7)], pa.string()))
    assert of_column(_column(values, pa.string())).tolist() == [int(alone[number % 7]) for number in range(rows)]


@given(st.lists(st.integers(-(2**31), 2**31 - 1) | st.none(), max_size=20))
def test_whole_numbers_have_the_same_hash_in_every_width(values: list[int | None]) -> None:
    assert of_column(_column(values, pa.int32())).tolist() == of_column(_column(values, pa.int64())).tolist()


def test_zeros_are_one_value_and_missing_numbers_another() -> None:
    hashes = of_column(_column([0.0, -0.0, math.nan, None, 1.0], pa.float64())).tolist()
    assert hashes[0] == hashes[1]
    assert hashes[2] == hashes[3] == int(MISSING)
    assert len(set(hashes)) == 3


@pytest.mark.parametrize("values", [np.arange(200_000), np.arange(200_000) / 8, np.arange(200_000) * 2**20])
def test_hashes_of_regular_numbers_fill_their_buckets_evenly(values: Any) -> None:
    hashes = of_column(pa.chunked_array([pa.array(values)]))
    assert len(np.unique(hashes)) == values.size
    for shift in (58, 30, 0):
        counts = np.bincount((hashes >> np.uint64(shift)).astype(np.int64) & 63, minlength=64)
        assert ((counts - values.size / 64) ** 2 / (values.size / 64)).sum() < 120  # chi-squared, 63: one in 40,000


def test_bytes_and_lists_are_hashed_too() -> None:
    for kind, values in ((pa.binary(), [b"a", b"\0", b"", None]), (pa.list_(pa.int64()), [[1], [1, 2], [], None])):
        assert len(set(of_column(_column(values, kind)).tolist())) == 4
