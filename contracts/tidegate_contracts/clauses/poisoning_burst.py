"""A burst of made-up rows: the same record over and over, or records on the edges of what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.bounds import edges
from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.extremes import extremes
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import LogicalType, logical_type

_SAMPLE = 20_000
_FLOOD_SHARE, _FLOOD_ROWS = 0.05, 20
_REST_SHARE = 0.01
_BY_CHANCE = 10.0
_FEATURES_MINIMUM = 3
_CELLS = 100
_EDGE_SHARE, _EDGE_ROWS, _SELDOM = 0.01, 10, 0.1

Rows = npt.NDArray[np.int64]


@clause
def poisoning_burst(subject: Subject) -> Iterator[Broken]:
    """Rows as an attacker would send them; told of, because a broken source does the same.

    *Near-identical rows*: features (no key, time, prediction or label) that agree to a hundredth of their usual
    range, in at least 5 % of rows and 20 rows; at least three of them vary among the other rows; no other group of
    equal rows is larger than 1 %, so that equal rows are not natural here; and the group is ten times as large as its
    values' shares among the other rows would give. *Edges*: at least 1 % of rows and ten lie on an edge of the
    declared range in every feature that has one; at least three of these have less than a tenth of the other rows
    there.
    """
    features = [item for name in subject.contract.feature_columns if (item := _feature(subject, name)) is not None]
    if len(features) < _FEATURES_MINIMUM or not subject.batch.rows:
        return
    for rule, rows in (("no flood of near-identical rows", _flood(features)), ("no burst on edges", _edges(features))):
        if rows.size:
            yield Broken("poisoning_burst", rule, None, rows, Severity.WARNING, promised=False)


@dataclass(frozen=True, slots=True)
class _Feature:
    """One feature's values, as a ``pyarrow.ChunkedArray``, and the edges of its declared range."""

    values: Any
    bounds: tuple[Any, Any]

    @property
    def is_number(self) -> bool:
        return logical_type(self.values.type) in (LogicalType.INTEGER, LogicalType.NUMBER)

    def take(self, rows: Rows) -> Any:
        return self.values if len(rows) == len(self.values) else self.values.take(pa.array(rows))


def _feature(subject: Subject, name: str) -> _Feature | None:
    values = subject.values(name)
    if values is None or name in (subject.contract.prediction_time, subject.contract.event_time):
        return None
    if logical_type(values.type) not in _FEATURES:
        return None
    return _Feature(values, edges(subject.contract, name))


_FEATURES = (LogicalType.INTEGER, LogicalType.NUMBER, LogicalType.TEXT, LogicalType.BOOLEAN)


def _flood(features: list[_Feature]) -> Rows:
    """The rows of all groups that flood the batch; found in rows spread over it, then gathered from all of it."""
    total = len(features[0].values)
    sample = np.arange(0, total, max(1, total // _SAMPLE))
    columns: list[npt.NDArray[np.int64]] = []
    groups = np.zeros(len(sample), dtype=np.int64)
    for feature in features:
        columns.append(_codes(feature, sample))
        groups = np.unique(groups * (int(columns[-1].max()) + 1) + columns[-1], return_inverse=True)[1]
        if np.bincount(groups).max() < _FLOOD_SHARE * len(sample):
            return _NONE
    codes = np.column_stack(columns)
    sizes = np.bincount(groups)
    floods = np.flatnonzero(sizes >= _FLOOD_SHARE * len(sample))
    rest = np.delete(sizes, floods)
    if not rest.size or rest.max() > max(1, _REST_SHARE * len(sample)):
        return _NONE
    others = codes[~np.isin(groups, floods)]
    heads = [int(np.flatnonzero(groups == flood)[0]) for flood in floods]
    odd = [head for head in heads if _is_odd(codes[head], others, float(sizes[groups[head]] / len(sample)))]
    found = [_like(features, int(sample[head])) for head in odd]
    rows = np.unique(np.concatenate(found)) if found else _NONE
    return rows if rows.size >= _FLOOD_ROWS else _NONE


_NONE: Rows = np.zeros(0, dtype=np.int64)


def _is_odd(row: npt.NDArray[np.int64], others: npt.NDArray[np.int64], share: float) -> bool:
    """Whether a row is far commoner than its values are among the other rows."""
    varying = (others != others[0]).any(axis=0)
    if varying.sum() < _FEATURES_MINIMUM:
        return False
    shares = ((others == row).sum(axis=0) + 1) / (len(others) + 1)
    return share >= _BY_CHANCE * float(np.prod(shares[varying]))


def _codes(feature: _Feature, rows: Rows) -> npt.NDArray[np.int64]:
    """A cell for each row: of numbers a hundredth of the span in which 90 % of them lie, of other values the value."""
    values = feature.take(rows)
    if not feature.is_number:
        plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
        encoded = plain.combine_chunks().dictionary_encode(null_encoding="encode")
        return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    cells = _cells(_numbers(values), *_grid(feature))
    return np.asarray(np.unique(cells, return_inverse=True)[1], dtype=np.int64)


def _numbers(values: Any) -> npt.NDArray[np.float64]:
    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _grid(feature: _Feature) -> tuple[float, float]:
    """Where the cells of a feature of numbers begin, and how wide they are."""
    total = len(feature.values)
    numbers = _numbers(feature.take(np.arange(0, total, max(1, total // _SAMPLE))))
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return 0.0, 1.0
    low, high = (float(edge) for edge in np.quantile(numbers, (0.05, 0.95)))
    width = (high - low) / _CELLS
    return low, width if np.isfinite(width) and width > 0 else 1.0


def _cells(numbers: npt.NDArray[np.float64], low: float, width: float) -> npt.NDArray[np.float64]:
    """The cells of numbers; what is missing or infinite has one of its own."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num(np.round((numbers - low) / width), nan=-np.finfo(np.float64).max)


def _like(features: list[_Feature], head: int) -> Rows:
    """All rows that lie in the same cells as one of them."""
    rows = np.arange(len(features[0].values))
    for feature in features:
        values, example = feature.take(rows), feature.values[head]
        if feature.is_number:
            low, width = _grid(feature)
            own = _cells(_numbers(feature.values.slice(head, 1)), low, width)[0]
            same = _cells(_numbers(values), low, width) == own
        else:
            equal = pc.is_null(values) if not example.is_valid else pc.fill_null(pc.equal(values, example), False)
            same = np.asarray(equal.to_numpy(), dtype=bool)
        rows = rows[same]
    return rows


def _edges(features: list[_Feature]) -> Rows:
    """The rows that lie on an edge of every declared range, where that is seldom for at least three features."""
    bounded = [feature for feature in features if feature.is_number and None not in feature.bounds]
    if len(bounded) < _FEATURES_MINIMUM:
        return _NONE
    on_edge = []
    for feature in bounded:
        low, high = feature.bounds
        found = extremes(feature.values)
        if found is None or (found[0] > low and found[1] < high):
            return _NONE  # nobody lies on this feature's edges
        numbers = _numbers(feature.values)
        on_edge.append((numbers == low) | (numbers == high))
    burst = np.logical_and.reduce(on_edge)
    if burst.sum() < max(_EDGE_ROWS, _EDGE_SHARE * len(burst)):
        return _NONE
    seldom = [burst.all() or mask[~burst].mean() < _SELDOM for mask in on_edge]
    return np.flatnonzero(burst) if sum(seldom) >= _FEATURES_MINIMUM else _NONE
