"""The layout of a profile: which columns are counted, and into which cells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.types import LogicalType, logical_type
from tidegate_monitors.cells import Cells, Kind, Sketch


@dataclass(frozen=True, slots=True)
class Layout:
    """The cells of each profiled column.

    Attributes:
        cells: By column, in the contract's order.
    """

    cells: Mapping[str, Cells]

    @classmethod
    def plain(cls, contract: Contract) -> Layout:
        """The layout where there is no reference: rows, missing and non-finite values only."""
        return cls(MappingProxyType(dict.fromkeys(profiled(contract), Cells(Kind.NONE))))

    @classmethod
    def of(cls, batches: Iterable[Batch], contract: Contract) -> Layout:
        """The layout that the batches of a reference ask for; each batch is sketched and let go."""
        sketches: dict[str, list[Sketch]] = {name: [] for name in profiled(contract)}
        for batch in batches:
            for name, parts in sketches.items():
                if name in batch.table.column_names:
                    parts.append(_sketch(batch.table.column(name), name, contract))
        return cls(MappingProxyType({name: _cells(parts, name, contract) for name, parts in sketches.items()}))

    @property
    def sha256(self) -> str:
        """The identity: profiles can be added and compared only where it is the same."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"cells": {name: cells.to_dict() for name, cells in self.cells.items()}}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Layout:
        """Read what :meth:`to_dict` wrote."""
        cells = {name: Cells.from_dict(item) for name, item in data["cells"].items()}
        return cls(MappingProxyType(cells))


def profiled(contract: Contract) -> tuple[str, ...]:
    """The columns of a gated batch that a profile tells of: all that are expected then."""
    return tuple(name for name in contract.columns if name not in contract.later_columns)


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


def _cells(parts: list[Sketch], name: str, contract: Contract) -> Cells:
    kind = _kind(name, contract)
    sketch = reduce(Sketch.__add__, parts, Sketch())
    if kind is Kind.NUMERIC:
        return sketch.numeric_cells()
    if kind is Kind.CATEGORY:
        return sketch.category_cells()
    return Cells(kind, zone=str(contract.zone)) if kind is Kind.HOUR else Cells(Kind.NONE)
