"""The layout of a profile: which columns are counted, into which cells, and which are held against one another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import combinations
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.types import LogicalType, logical_type
from tidegate_monitors.cells import Cells, Kind, Sketch
from tidegate_monitors.joint import COLUMNS_MAXIMUM
from tidegate_monitors.slices import VALUES_MAXIMUM

ORDERS_MAXIMUM = 48
_OVERLAP_MINIMUM = 0.25


@dataclass(frozen=True)
class Layout:
    """The cells of each profiled column.

    Attributes:
        cells: By column, in the contract's order.
        slices: By slicing column the values that have a slice of their own, the commonest first; at most 32.
        orders: Pairs of columns of which it is counted how often the first is less.
        joint: Columns whose halves are counted against one another; at most 32.
        key: The columns that name a row; empty where there is no key, or a personal one.
        personal: Columns of which no hash of a single value may be kept.
    """

    cells: Mapping[str, Cells]
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    orders: tuple[tuple[str, str], ...] = ()
    joint: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()

    @classmethod
    def plain(cls, contract: Contract) -> Layout:
        """The layout where there is no reference: rows, missing and non-finite values only."""
        key, personal = _identity(contract)
        return cls(MappingProxyType(dict.fromkeys(profiled(contract), Cells(Kind.NONE))), key=key, personal=personal)

    @classmethod
    def of(cls, batches: Iterable[Batch], contract: Contract) -> Layout:
        """The layout that the batches of a reference ask for; each batch is sketched and let go."""
        sketches: dict[str, list[Sketch]] = {name: [] for name in profiled(contract)}
        slicing: dict[str, list[Sketch]] = {name: [] for name in contract.slices if name in sketches}
        for batch in batches:
            for name, parts in slicing.items():
                if name in batch.table.column_names and not pa.types.is_nested(batch.table.column(name).type):
                    parts.append(Sketch.of_categories(batch.table.column(name)))
            for name, parts in sketches.items():
                if name in batch.table.column_names:
                    parts.append(_sketch(batch.table.column(name), name, contract))
        pooled = {name: reduce(Sketch.__add__, parts, Sketch()) for name, parts in sketches.items()}
        cells = {name: _cells(sketch, name, contract) for name, sketch in pooled.items()}
        return cls(
            MappingProxyType(cells),
            _slices(slicing),
            _orders(pooled, cells),
            _joint(cells, contract),
            *_identity(contract),
        )

    @cached_property
    def sha256(self) -> str:
        """The identity: profiles can be added and compared only where it is the same."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "cells": {name: cells.to_dict() for name, cells in self.cells.items()},
            "slices": {name: list(values) for name, values in self.slices.items()},
            "orders": [list(pair) for pair in self.orders],
            "joint": list(self.joint),
            "key": list(self.key),
            "personal": list(self.personal),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Layout:
        """Read what :meth:`to_dict` wrote."""
        cells = {name: Cells.from_dict(item) for name, item in data["cells"].items()}
        return cls(
            MappingProxyType(cells),
            MappingProxyType({name: tuple(values) for name, values in data["slices"].items()}),
            tuple((one, other) for one, other in data["orders"]),
            tuple(data["joint"]),
            tuple(data["key"]),
            tuple(data["personal"]),
        )


def profiled(contract: Contract) -> tuple[str, ...]:
    """The columns of a gated batch that a profile tells of: all that are expected then."""
    return tuple(name for name in contract.columns if name not in contract.later_columns)


def no_longer_held(layout: Layout, contract: Contract) -> list[str]:
    """Columns of a layout that a contract no longer lets be counted so: gone, personal now, later, or of other kind."""
    expected = set(profiled(contract))
    changed = {
        name
        for name, cells in layout.cells.items()
        if name not in expected
        or (
            cells.kind is not Kind.NONE
            and contract.columns[name].drift != "off"
            and _kind(name, contract) is not cells.kind
        )
    }
    named = {*layout.slices, *layout.key}
    hidden = {name for name in named if name not in contract.columns or contract.columns[name].personal}
    return sorted(changed | hidden)


def _kind(name: str, contract: Contract) -> Kind:
    column = contract.columns[name]
    if name in contract.key or column.personal or column.drift == "off":
        return Kind.NONE
    return {
        LogicalType.INTEGER: Kind.NUMERIC,
        LogicalType.NUMBER: Kind.NUMERIC,
        LogicalType.TEXT: Kind.CATEGORY,
        LogicalType.CATEGORY: Kind.CATEGORY,
        LogicalType.BOOLEAN: Kind.CATEGORY,
        LogicalType.TIME: Kind.HOUR,
    }.get(column.type.logical, Kind.NONE)


def _sketch(values: Any, name: str, contract: Contract) -> Sketch:
    kind = _kind(name, contract)
    if kind is Kind.NUMERIC and logical_type(values.type) in (LogicalType.INTEGER, LogicalType.NUMBER):
        return Sketch.of_numbers(values)
    return Sketch.of_categories(values) if kind is Kind.CATEGORY else Sketch()


def _cells(sketch: Sketch, name: str, contract: Contract) -> Cells:
    kind = _kind(name, contract)
    if kind is Kind.NUMERIC:
        return sketch.numeric_cells()
    if kind is Kind.CATEGORY:
        return sketch.category_cells()
    if kind is Kind.HOUR:
        return Cells(kind, broad=tuple(range(0, 24, 3)), upper=12, zone=str(contract.zone))
    return Cells(Kind.NONE)


def _slices(sketches: Mapping[str, list[Sketch]]) -> Mapping[str, tuple[str, ...]]:
    """The commonest values of each slicing column, whatever its type."""
    pooled = {name: reduce(Sketch.__add__, parts, Sketch()) for name, parts in sketches.items()}
    return MappingProxyType(
        {name: tuple(value for value, _ in item.categories[:VALUES_MAXIMUM]) for name, item in pooled.items()}
    )


def _orders(sketches: Mapping[str, Sketch], cells: Mapping[str, Cells]) -> tuple[tuple[str, str], ...]:
    """All pairs of times, and the pairs of numbers whose ranges overlap most."""
    times = [name for name, item in cells.items() if item.kind is Kind.HOUR]
    found = list(combinations(times, 2))[:ORDERS_MAXIMUM]
    ranges = {name: sketches[name].range() for name, item in cells.items() if item.kind is Kind.NUMERIC}
    overlaps = [(_overlap(ranges[a], ranges[b]), a, b) for a, b in combinations(ranges, 2)]
    near = sorted((item for item in overlaps if item[0] >= _OVERLAP_MINIMUM), key=lambda item: (-item[0], item[1:]))
    return (*found, *((a, b) for _, a, b in near[: ORDERS_MAXIMUM - len(found)]))


def _overlap(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float:
    """The length that two ranges share over the length that they cover together, in [0, 1]."""
    if one is None or other is None:
        return 0.0
    whole = max(one[1], other[1]) / 2 - min(one[0], other[0]) / 2
    shared = min(one[1], other[1]) / 2 - max(one[0], other[0]) / 2
    return max(shared, 0.0) / whole if whole > 0 else 0.0


def _joint(cells: Mapping[str, Cells], contract: Contract) -> tuple[str, ...]:
    """The columns that have halves and whose drift matters, the prediction first."""
    watched = (name for name, item in cells.items() if item.upper and contract.is_watched(name))
    found = [name for name in watched if contract.columns[name].drift != "info"]
    return tuple(sorted(found, key=lambda name: name != contract.prediction)[:COLUMNS_MAXIMUM])


def _identity(contract: Contract) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The key, unless it is personal, and the personal columns."""
    personal = tuple(name for name, column in contract.columns.items() if column.personal)
    return (() if set(personal) & set(contract.key) else tuple(contract.key)), personal
