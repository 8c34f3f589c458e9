"""A metric family: one name, its labels, and a value for each combination of their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Counters or gauges.

    Attributes:
        name: Without its suffix; counters get ``_total``.
        kind: Prometheus' type.
        help: One sentence.
        labels: The names of its labels.
        samples: Values by the tuple of label values; never NaN.
    """

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: Labels
    samples: Mapping[Any, float]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many values there were of each size.

    Attributes:
        buckets: Upper bounds and cumulative counts, ending with ``+Inf``; a summary has this one only.
        sum: The sum of all values.
    """

    buckets: Sequence[tuple[str, float]]
    sum: float

    @property
    def count(self) -> float:
        """How many values there were."""
        return self.buckets[-1][1]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Histograms, or summaries of a count and a sum.

    Attributes:
        name: The samples add ``_bucket``, ``_count`` and ``_sum`` to it.
        kind: Prometheus' type.
        help: One sentence.
        labels: The names of its labels.
        samples: Histograms by the tuple of label values.
    """

    name: str
    kind: Literal["histogram", "summary"]
    help: str
    labels: Labels
    samples: Mapping[Any, Histogram]
