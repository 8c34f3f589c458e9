"""Hashes of values: the same value has the same hash in every process, file format and encoding."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes = npt.NDArray[np.uint64]

MISSING = np.uint64(0xD6E8FEB86659FD93)
_CHUNK = 1 << 14  # what stays in the cache between the steps of a mix
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SAMPLE = 4096
_LONG_TEXT = 64


def mixed(words: Hashes) -> Hashes:
    """Each word mixed so that every bit depends on every other; in place.

    The finaliser of splitmix64. Source: G. L. Steele, D. Lea and C. H. Flood (2014), "Fast splittable pseudorandom
    number generators", OOPSLA, figure 17.
    """
    room = np.empty(min(words.size, _CHUNK), dtype=np.uint64)
    for start in range(0, words.size, _CHUNK):
        part = words[start : start + _CHUNK]
        shifted = room[: part.size]
        part ^= np.right_shift(part, _SHIFTS[0], out=shifted)
        part *= _FACTORS[0]
        part ^= np.right_shift(part, _SHIFTS[1], out=shifted)
        part *= _FACTORS[1]
        part ^= np.right_shift(part, _SHIFTS[2], out=shifted)
    return words


def of_numbers(numbers: npt.NDArray[np.float64], gaps: npt.NDArray[np.bool_] | None = None) -> Hashes:
    """Hashes of floats; the two zeros are one value. Where there are gaps, a hash is that of what is missing."""
    return _with_gaps(mixed((numbers + 0.0).view(np.uint64)), gaps)


def of_whole(numbers: npt.NDArray[Any]) -> Hashes:
    """Hashes of whole numbers of at most 64 bits."""
    kind = np.uint64 if numbers.dtype.kind == "u" else np.int64
    return mixed(numbers.astype(kind, copy=True).view(np.uint64))


def as_floats(values: Any) -> npt.NDArray[np.float64]:
    """A column of numbers as float64, NaN where missing; not a copy, and not to be written to, where none is needed."""
    values = values if pa.types.is_float64(values.type) else values.cast(pa.float64(), safe=False)
    return np.asarray(values.chunk(0).to_numpy(zero_copy_only=False) if values.num_chunks == 1 else values.to_numpy())


def of_column(values: Any) -> Hashes:
    """A hash of each value of an Arrow column, shape (rows,); what is missing has one of its own, whatever the type."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_floating(kind):
        floats = as_floats(values)
        return of_numbers(floats, np.isnan(floats))
    gaps = np.asarray(pc.is_null(values).to_numpy(), dtype=bool) if values.null_count else None
    if pa.types.is_timestamp(kind) or pa.types.is_integer(kind):
        whole = values.cast(kind).cast(pa.uint64() if pa.types.is_uint64(kind) else pa.int64())
        return _with_gaps(of_whole(np.asarray((whole.fill_null(0) if values.null_count else whole).to_numpy())), gaps)
    return _with_gaps(_of_text(_as_text(values, kind)), gaps)


def _with_gaps(found: Hashes, gaps: npt.NDArray[np.bool_] | None) -> Hashes:
    if gaps is not None:
        found[gaps] = MISSING
    return found


def _as_text(values: Any, kind: Any) -> Any:
    """The column as text without gaps; lists and structs as Python writes them."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        return values
    if pa.types.is_nested(kind):
        return pa.chunked_array([pa.array([str(cell) for cell in values.to_pylist()], pa.large_string())])
    plain = values.cast(kind) if pa.types.is_dictionary(values.type) else values
    try:
        return plain.cast(pa.large_string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.chunked_array([pa.array([str(cell) for cell in plain.to_pylist()], pa.large_string())])


def _of_text(values: Any) -> Hashes:
    """Hashes of text or bytes; few different values are hashed once each."""
    if not pa.types.is_dictionary(values.type):
        sample = values.slice(0, _SAMPLE)
        if len(values) <= _SAMPLE or pc.count_distinct(sample).as_py() > _SAMPLE // 2:
            return _of_bytes(values)
        values = values.dictionary_encode()
    values = values.unify_dictionaries() if isinstance(values, pa.ChunkedArray) else values
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(values, pa.ChunkedArray):  # no chunk at all
        return np.zeros(0, dtype=np.uint64)
    known = _of_bytes(pa.chunked_array([values.dictionary]))
    places = np.asarray(pc.fill_null(values.indices, 0).to_numpy(zero_copy_only=False), dtype=np.intp)
    return known[places] if known.size else np.full(places.size, MISSING)


def _of_bytes(values: Any) -> Hashes:
    """Hashes of text or bytes by words of eight, a length at a time."""
    parts = [_of_chunk(chunk.cast(pa.large_binary())) for chunk in values.chunks]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)


def _of_chunk(chunk: Any) -> Hashes:
    _, offsets_buffer, data_buffer = chunk.buffers()
    if not len(chunk):
        return np.zeros(0, dtype=np.uint64)
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.zeros(0, dtype=np.uint8)
    first, last = int(offsets[0]), int(offsets[-1])
    data = np.append(data[first:last], np.zeros(8, dtype=np.uint8))  # so that the last word can be read
    starts, lengths = offsets[:-1] - first, np.diff(offsets)
    short = np.minimum(lengths, _LONG_TEXT + 1)
    known = np.flatnonzero(np.bincount(short)).tolist()
    if len(known) == 1 and known[0] <= _LONG_TEXT:
        return _of_words(data, None, known[0], len(chunk))
    found = np.empty(len(chunk), dtype=np.uint64)
    for length in known:
        rows = np.flatnonzero(short == length)
        if length <= _LONG_TEXT:
            found[rows] = _of_words(data, starts[rows], length, rows.size)
            continue
        for row in rows:
            text = data[starts[row] : starts[row] + lengths[row]].tobytes()
            found[row] = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
    return found


def _of_words(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64] | None, length: int, rows: int) -> Hashes:
    """Hashes of texts of one length, at the given places; one after the other from the first byte where none are."""
    found = np.full(rows, length + 1, dtype=np.uint64)
    for place in range(0, length, 8):
        if starts is None:  # words that overlap, each from any byte on
            words = np.ndarray((rows,), "<u8", buffer=data, offset=place, strides=(length,)).astype(np.uint64)
        else:
            words = np.ndarray((data.size - 7,), "<u8", buffer=data, strides=(1,))[starts + place]
        if length - place < 8:
            words &= np.uint64((1 << 8 * (length - place)) - 1)
        found ^= words
        found *= _GOLDEN
        mixed(found)
    return mixed(found)
