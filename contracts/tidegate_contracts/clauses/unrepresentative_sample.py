"""Rows that are no fair sample of the population they speak for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.clauses import Subject, clause_of_all_rows
from tidegate_contracts.reasons import Broken
from tidegate_contracts.severity import Severity

_LEVEL = 0.001
_DISTANCE_MINIMUM = 0.1
_EXPECTED_MINIMUM = 5.0


@clause_of_all_rows
def unrepresentative_sample(subject: Subject) -> Iterator[Broken]:
    """A column's categories have other shares than ``population`` states.

    Both must hold: the total variation distance (half the sum of the differences of shares) is at least .1, and
    p < .001 in Pearson's chi-squared test of goodness of fit. Rows of a batch are not independent of each other, so p
    is smaller than it should be and only rules out the accidents of a small batch; the distance decides. Missing
    values are not counted.
    """
    for name, shares in subject.contract.population.items():
        values = subject.values(name)
        if values is None:
            continue
        plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
        counted = pc.value_counts(plain.drop_null().cast(pa.string()))
        counts = dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
        distance, p, worst = fit(counts, {str(category): share for category, share in shares.items()})
        if distance >= _DISTANCE_MINIMUM and p < _LEVEL:
            rule = f"shares of the population; {distance:.1%} of rows would have to be of another category ({worst})"
            yield Broken("unrepresentative_sample", rule, name, None, Severity.WARNING)


def fit(counts: Mapping[str, int], shares: Mapping[str, float]) -> tuple[float, float, str]:
    """How far counts are from stated shares.

    Args:
        counts: Rows of each category.
        shares: The share of each category; they add up to 1. Categories that are not named share what is left.

    Returns:
        The total variation distance in [0, 1], the p-value of the chi-squared test, and the category that is furthest
        off in words. Categories in which fewer than five rows are expected are pooled.
    """
    from scipy.special import chdtrc

    total = sum(counts.values())
    if not total:
        return 0.0, 1.0, ""
    strange = sum(number for category, number in counts.items() if category not in shares)
    seen = np.array([*(counts.get(category, 0) for category in shares), strange], dtype=float)
    wanted = np.array([*shares.values(), 0.0])
    wanted = total * wanted / wanted.sum()
    gaps = (seen - wanted) / total
    large = wanted >= _EXPECTED_MINIMUM
    pooled_seen = np.append(seen[large], seen[~large].sum())
    pooled_wanted = np.append(wanted[large], max(wanted[~large].sum(), 0.5))  # nobody is expected never to be seen
    statistic = float(((pooled_seen - pooled_wanted) ** 2 / pooled_wanted).sum())
    at = int(np.abs(gaps).argmax())
    name = [*shares, "categories that it does not name"][at]
    words = f"{name}: {seen[at] / total:.1%} instead of {wanted[at] / total:.1%}"
    return float(np.abs(gaps).sum() / 2), float(chdtrc(max(len(pooled_seen) - 1, 1), statistic)), words
