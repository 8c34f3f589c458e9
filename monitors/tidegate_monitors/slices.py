"""What is kept of each slice: its rows, and where each column's values lie, in a few broad cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_monitors.cells import BROAD_CELLS

VALUES_MAXIMUM = 32
WIDTH = BROAD_CELLS + 1
"""Broad cells of a column, and one more for what is missing or infinite."""

Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices that one column's values make: mergeable by addition.

    The rows of every table are the layout's values of the slicing column, then all its other values, then missing.

    Attributes:
        rows: Rows of each slice, shape (values + 2,).
        cells: By profiled column the rows of each slice in each broad cell, the last one being missing; shape
            (values + 2, 9).
    """

    rows: tuple[int, ...]
    cells: Mapping[str, Table]

    @classmethod
    def empty(cls, values: int, columns: Sequence[str]) -> Slices:
        """No rows in any slice."""
        nothing = ((0,) * WIDTH,) * (values + 2)
        return cls((0,) * (values + 2), MappingProxyType(dict.fromkeys(columns, nothing)))

    def __add__(self, other: Slices) -> Slices:
        cells = {name: _added(table, other.cells[name]) for name, table in self.cells.items()}
        rows = tuple(a + b for a, b in zip(self.rows, other.rows, strict=True))
        return Slices(rows, MappingProxyType(cells))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "rows": list(self.rows),
            "cells": {name: [list(row) for row in table] for name, table in self.cells.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Slices:
        """Read what :meth:`to_dict` wrote."""
        cells = {name: tuple(tuple(row) for row in table) for name, table in data["cells"].items()}
        return cls(tuple(data["rows"]), MappingProxyType(cells))


def crossed(slices: npt.NDArray[np.uint8], values: int, broad: npt.NDArray[np.uint8]) -> Table:
    """Rows by slice and broad cell.

    Args:
        slices: The slice of each row, 0 to values + 1.
        values: How many named slices there are.
        broad: The broad cell of each row, 0 to 8.
    """
    places = slices.astype(np.intp) * WIDTH + broad
    counts = np.bincount(places, minlength=(values + 2) * WIDTH).reshape(values + 2, WIDTH)
    return tuple(map(tuple, counts.tolist()))


def _added(one: Table, other: Table) -> Table:
    return tuple(tuple(map(add, x, y)) for x, y in zip(one, other, strict=True))
