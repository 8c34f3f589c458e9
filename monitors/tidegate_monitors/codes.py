"""A column of two tables as whole numbers that mean the same in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_monitors.ranks import coded_ranks

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

_SIGNIFICANT_DIGITS = 3
_MISSING = np.uint64(0xA24BAED4963EE407)
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Codes:
    """The values of a column on both sides of a split.

    Attributes:
        levels: The distinct values: a numpy array of whole numbers (times in their own unit), numbers or texts.
        train: For each row of TRAIN the position of its value in ``levels``; -1 where it is missing.
        test: The same for TEST.
    """

    levels: Any
    train: Ints
    test: Ints

    @classmethod
    def of(cls, train: Any, test: Any) -> Codes:
        """From two ``pyarrow.ChunkedArray`` of one column."""
        parts = [_plain(train), _plain(test)]
        if parts[0].type != parts[1].type:
            parts = [_alike(part, parts) for part in parts]
        both = pa.chunked_array([*parts[0].chunks, *parts[1].chunks], parts[0].type)
        levels, codes = _factorised(both)
        return cls(levels, codes[: len(train)], codes[len(train) :])

    @property
    def numeric(self) -> bool:
        """Whether the values have an order and a distance."""
        return bool(self.levels.dtype.kind in "if")

    def numbers(self) -> tuple[Floats, Floats]:
        """The values as floats, NaN where they are missing; only of a numeric column."""
        values = np.append(self.levels.astype(np.float64), np.nan)
        return values[self.train], values[self.test]

    def ranks(self, codes: Ints) -> Floats:
        """The average ranks of some rows that are not missing, given by their codes; only of a numeric column."""
        return coded_ranks(codes, self.levels.astype(np.float64))

    def distinct(self) -> int:
        """How many values TRAIN has, a missing one among them."""
        return int(np.count_nonzero(np.bincount(self.train + 1)))

    def nearly(self) -> Codes:
        """Values that differ only in the fourth significant digit, in case or in spaces made equal."""
        if self.numeric:
            coarse = rounded(self.levels.astype(np.float64))
        else:
            coarse = np.array([" ".join(text.casefold().split()) for text in self.levels], dtype=object)
        found, levels = pd.factorize(coarse)
        again = np.append(found.astype(np.int64), -1)
        return Codes(np.asarray(levels), again[self.train], again[self.test])

    def hashes(self, name: str) -> tuple[Hashes, Hashes]:
        """A hash of each value and of the column's name, the same in every process."""
        salt = pd.util.hash_array(np.array([name], dtype=object))[0]
        levels = self.levels + 0.0 if self.levels.dtype.kind == "f" else self.levels  # one zero, not two
        hashed = np.append(pd.util.hash_array(levels, categorize=False), _MISSING) + salt
        return hashed[self.train], hashed[self.test]


def held(hashes: Hashes, by: Hashes) -> npt.NDArray[np.bool_]:
    """For each of some hashes whether others hold it."""
    return np.asarray(pd.Series(hashes).isin(pd.unique(by)), dtype=bool)


def rounded(values: Floats) -> Floats:
    """Numbers to three significant digits; what is not finite stays.

    >>> rounded(np.array([123456.0, -0.00123456, 0.0])).tolist()
    [123000.0, -0.00123, 0.0]
    """
    safe = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    digits = _SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(safe))
    up, down = 10.0 ** np.maximum(digits, 0), 10.0 ** np.maximum(-digits, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        near: Floats = np.round(values * up / down) / up * down
    return np.where(np.isfinite(near), near, values)


def row_hashes(columns: list[tuple[str, Codes]]) -> tuple[Hashes, Hashes]:
    """A 64-bit hash of each row of TRAIN and of TEST over some columns, in the order given."""
    first = columns[0][1]
    train, test = np.zeros(first.train.size, np.uint64), np.zeros(first.test.size, np.uint64)
    for name, codes in columns:
        ours, theirs = codes.hashes(name)
        train, test = (train * _STEP) ^ ours, (test * _STEP) ^ theirs
    return train, test


def _plain(values: Any) -> Any:
    """Whole numbers as int64, numbers as float64, all else as text."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values, kind = values.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind):
        return values.cast(pa.int8()).cast(pa.int64())
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind) or pa.types.is_signed_integer(kind):
        return values.cast(pa.int64())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return values.cast(pa.float64(), safe=False)
    try:
        return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.chunked_array([pa.array([None if item is None else str(item) for item in values.to_pylist()])])


def _alike(part: Any, parts: list[Any]) -> Any:
    kinds = {str(other.type) for other in parts}
    return part.cast(pa.float64(), safe=False) if kinds == {"int64", "double"} else part.cast(pa.string())


def _factorised(values: Any) -> tuple[Any, Ints]:
    """The distinct values and each row's position among them."""
    if pa.types.is_string(values.type):
        encoded = values.combine_chunks().dictionary_encode()
        encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
        codes = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        return np.array(encoded.dictionary.to_pylist(), dtype=object), np.array(codes, dtype=np.int64)
    missing = np.asarray(values.is_null().to_numpy(), dtype=bool)
    filled = np.asarray(pc.fill_null(values, 0).to_numpy())
    found, levels = pd.factorize(filled)
    codes = np.where(missing, -1, found).astype(np.int64)
    return np.asarray(levels), codes
