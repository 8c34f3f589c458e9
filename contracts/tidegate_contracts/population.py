"""How far a column's shares are from those that a population is declared to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_EXPECTED_MINIMUM = 5.0


@dataclass(frozen=True, slots=True)
class Misfit:
    """The distance of a sample from its population.

    Attributes:
        distance: The total variation distance (half the sum of the differences of shares), in [0, 1].
        p: Of Pearson's chi-squared test of goodness of fit, in [0, 1].
        worst: The category that is furthest off, in words.
    """

    distance: float
    p: float
    worst: str


def misfit(values: Any, shares: Mapping[Any, float]) -> Misfit:
    """Compare the present values of an Arrow column with declared shares.

    Categories in which fewer than five rows are expected are pooled. Source: K. Pearson (1900), "On the criterion that
    a given system of deviations …", Philosophical Magazine 50, 157-175.

    Args:
        values: A ``pyarrow.ChunkedArray``.
        shares: The share of each category, by its value or by that value as text; those that are not named share what
            is left.
    """
    from scipy.special import chdtrc

    plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    counted = pc.value_counts(plain.drop_null())
    counts = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
    wanted_by_value = {_value(category, plain.type): share for category, share in shares.items()}
    total = sum(counts.values())
    if not total:
        return Misfit(0.0, 1.0, "")
    strange = sum(number for category, number in counts.items() if category not in wanted_by_value)
    seen = np.array([*(counts.get(category, 0) for category in wanted_by_value), strange], dtype=float)
    wanted = np.array([*wanted_by_value.values(), 0.0])
    wanted = total * wanted / wanted.sum()
    gaps = (seen - wanted) / total
    large = wanted >= _EXPECTED_MINIMUM
    cells, expected = seen[large], wanted[large]
    if seen[~large].sum() or wanted[~large].sum():
        cells = np.append(cells, seen[~large].sum())
        expected = np.append(expected, max(wanted[~large].sum(), 0.5))  # no category is expected never to be seen
    statistic = float(((cells - expected) ** 2 / expected).sum())
    at = int(np.abs(gaps).argmax())
    name = [*map(str, wanted_by_value), "categories that it does not name"][at]
    words = f"{name}: {seen[at] / total:.1%} instead of {wanted[at] / total:.1%}"
    return Misfit(float(np.abs(gaps).sum() / 2), float(chdtrc(max(len(cells) - 1, 1), statistic)), words)


def _value(category: Any, kind: Any) -> Any:
    """A declared category as a value of the column's type; itself where it is none such."""
    try:
        return pa.scalar(category).cast(kind).as_py()
    except (pa.ArrowException, TypeError):
        return category
