"""Which columns identify a row: one alone, else two together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pyarrow as pa

from tidegate_contracts.guesses.evidence import Evidence
from tidegate_contracts.types import LogicalType

_NAMED = re.compile(r"(^|_|[a-z])(id|key|uuid|guid|code|number|no|nr)$", re.IGNORECASE)
_ROWS = 20
_COLUMNS = 12
_COLLISIONS = 5
_KINDS = {LogicalType.TEXT: 0, LogicalType.INTEGER: 1, LogicalType.DATE: 2, LogicalType.TIME: 3}


def single_keys(columns: Sequence[Evidence]) -> list[Evidence]:
    """Columns that identify a row alone, the likeliest first; a handful of rows proves nothing unless so named."""
    found = [item for item in columns if item.unique and item.logical in _KINDS and item.rows > 1]
    proven = [
        item for item in found if _is_named(item) or (item.rows >= _ROWS and item.logical is not LogicalType.TIME)
    ]
    return sorted(proven, key=lambda item: (not _is_named(item), _KINDS[item.logical]))


def pair_key(columns: Sequence[Evidence]) -> tuple[Evidence, Evidence] | None:
    """The likeliest pair that identifies a row; one that might do so by chance is none."""
    fit = [item for item in columns if item.logical in _KINDS and not item.missing and item.everywhere]
    fit = sorted((item for item in fit if item.distinct > 1), key=lambda item: (not _is_named(item), -item.distinct))
    order = {item.name: position for position, item in enumerate(columns)}
    for pair in combinations(fit[:_COLUMNS], 2):
        if pair[0].distinct * pair[1].distinct >= pair[0].rows and _told_apart(pair) and _not_by_chance(pair):
            first, second = sorted(pair, key=lambda item: order[item.name])
            return first, second
    return None


def _is_named(item: Evidence) -> bool:
    return bool(_NAMED.search(item.name))


def _told_apart(pair: tuple[Evidence, Evidence]) -> bool:
    """Whether no two rows of a file have the same two values; the first rows tell most of the times."""
    for left, right in zip(pair[0].parts, pair[1].parts, strict=True):
        table = pa.table({"left": left, "right": right})
        if not all(_distinct_rows(part) == len(part) for part in (table.slice(0, 2_000), table)):
            return False
    return True


def _distinct_rows(table: Any) -> int:
    return int(table.group_by(["left", "right"]).aggregate([]).num_rows)


def _not_by_chance(pair: tuple[Evidence, Evidence]) -> bool:
    """Whether independent columns with these frequencies would be expected to collide."""
    rows = pair[0].rows
    alike = 1.0
    for item in pair:
        alike *= float(((item.counts[1] / rows) ** 2).sum())
    return rows * (rows - 1) / 2 * alike >= _COLLISIONS
