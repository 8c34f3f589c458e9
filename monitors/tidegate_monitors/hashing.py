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
_CHUNK = 1 << 15  # what stays in the cache between the steps of a mix
_SAMPLE = 4096
_LONG_TEXT = 64


def mixed(words: Hashes) -> Hashes:
    """Each word mixed so that every bit depends on every other; in place.

    The finaliser of splitmix64. Source: G. L. Steele, D. Lea and C. H. Flood (2014), "Fast splittable pseudorandom
    number generators", OOPSLA, figure 17.
    """
    for start in range(0, words.size, _CHUNK):
        part = words[start : start + _CHUNK]
        part ^= part >> np.uint64(30)
        part *= np.uint64(0xBF58476D1CE4E5B9)
        part ^= part >> np.uint64(27)
        part *= np.uint64(0x94D049BB133111EB)
        part ^= part >> np.uint64(31)
    return words


def of_numbers(numbers: npt.NDArray[np.float64]) -> Hashes:
    """Hashes of floats; the two zeros are one value, and so is every NaN."""
    words = (numbers + 0.0).view(np.uint64)
    return mixed(words if words.base is not numbers else words.copy())


def of_whole(numbers: npt.NDArray[Any]) -> Hashes:
    """Hashes of whole numbers of at most 64 bits."""
    kind = np.uint64 if numbers.dtype.kind == "u" else np.int64
    return mixed(numbers.astype(kind, copy=True).view(np.uint64))


def of_column(values: Any) -> Hashes:
    """A hash of each value of an Arrow column, shape (rows,); what is missing has one of its own, whatever the type."""
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_floating(kind):
        floats = np.asarray(pc.fill_null(values.cast(pa.float64()), np.nan).to_numpy(), dtype=np.float64)
        return _with_gaps(of_numbers(floats), np.isnan(floats))
    gaps = np.asarray(pc.is_null(values).to_numpy(), dtype=bool) if values.null_count else None
    if pa.types.is_timestamp(kind) or pa.types.is_integer(kind):
        whole = values.cast(kind).cast(pa.uint64() if pa.types.is_uint64(kind) else pa.int64())
        return _with_gaps(of_whole(np.asarray(pc.fill_null(whole, 0).to_numpy())), gaps)
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
    lengths = np.diff(offsets)
    found = np.empty(len(chunk), dtype=np.uint64)
    long = np.flatnonzero(lengths > _LONG_TEXT)
    for row in long:
        text = data[offsets[row] : offsets[row + 1]].tobytes()
        found[row] = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
    for length in np.unique(lengths[lengths <= _LONG_TEXT]):
        rows = np.flatnonzero(lengths == length)
        found[rows] = _of_words(data, offsets[rows], int(length))
    return found


def _of_words(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], length: int) -> Hashes:
    """Hashes of texts of one length, at the given places."""
    padded = np.zeros((starts.size, -(-length // 8) * 8), dtype=np.uint8)
    for place in range(length):
        padded[:, place] = data[starts + place]
    words = padded.view("<u8").astype(np.uint64, copy=False)
    found = np.full(starts.size, length + 1, dtype=np.uint64)
    for place in range(words.shape[1]):
        found = mixed((found ^ words[:, place]) * np.uint64(0x9E3779B97F4A7C15))
    return mixed(found)
