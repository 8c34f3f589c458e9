"""The two text formats that Prometheus reads, byte for byte as ``prometheus_client`` writes them, and faster.

A page has the same labels time and again: their text is made once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from prometheus_client.utils import floatToGoString

from tidegate_monitors.metric_family import Distribution, Family, Labels

PREFIX = "tidegate_"
LABEL_MAXIMUM = 120
_REMEMBERED = 1 << 16
_number: Callable[[float], str] = floatToGoString


class Pages:
    """Writes pages one after the other; what did not change since the last one is not written again."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[Mapping[Any, Any], str]] = {}

    def page(self, families: Iterable[Family | Distribution], accept: str = "") -> tuple[bytes, str]:
        """A page and its content type: OpenMetrics for whoever asks for it, else the classic text format.

        Args:
            families: What is told.
            accept: The ``Accept`` header.
        """
        openmetrics = _wants_openmetrics(accept)
        parts: list[str] = []
        for family in families:
            parts += (_head(family, openmetrics=openmetrics), self._samples(family))
        if openmetrics:
            return "".join([*parts, "# EOF\n"]).encode(), OPENMETRICS
        return "".join(parts).encode(), CONTENT_TYPE_PLAIN_0_0_4

    def _samples(self, family: Family | Distribution) -> str:
        known = self._written.get(family.name)
        if known is None or known[0] != family.samples:
            known = self._written[family.name] = (family.samples, "".join(_lines(family)))
        return known[1]


def safe(label: str) -> str:
    """A label value that any scrape survives: no lone surrogates, not too long; what was changed ends in its hash."""
    text = label.encode("utf-8", "replace").decode()
    if len(text) <= LABEL_MAXIMUM and text == label:
        return text
    digest = hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{text[: LABEL_MAXIMUM - 13]}…{digest}"


def _wants_openmetrics(accept: str) -> bool:
    """Whether the best liked of the formats that we have is OpenMetrics."""
    liked = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for part in accept.split(","):
        kind, *parameters = (item.strip().lower() for item in part.split(";"))
        weight = next((item[2:] for item in parameters if item.startswith("q=")), "1")
        if kind in liked:
            liked[kind] = max(liked[kind], _weight(weight))
    return liked["application/openmetrics-text"] > 0 and liked["application/openmetrics-text"] >= liked["text/plain"]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _head(family: Family | Distribution, *, openmetrics: bool) -> str:
    name = PREFIX + family.name + ("_total" if family.kind == "counter" and not openmetrics else "")
    return f"# HELP {name} {_escaped(family.help)}\n# TYPE {name} {family.kind}\n"


def _lines(family: Family | Distribution) -> Iterator[str]:
    name = PREFIX + family.name
    if isinstance(family, Distribution):
        yield from _distribution(family, name)
        return
    sample, names = f"{name}_total" if family.kind == "counter" else name, family.labels
    for values, value in family.samples.items():
        yield f"{sample}{_labels(names, values)} {_number(value)}\n"


def _distribution(family: Distribution, name: str) -> Iterator[str]:
    for values, item in family.samples.items():
        labels = _labels(family.labels, values)
        if family.kind == "histogram":
            for limit, count in item.buckets:
                more = _labels((*family.labels, "le"), (*values, limit))
                yield f"{name}_bucket{more} {_number(count)}\n"
        yield f"{name}_count{labels} {_number(item.count)}\n{name}_sum{labels} {_number(item.sum)}\n"


@lru_cache(maxsize=_REMEMBERED)
def _labels(names: Labels, values: Labels) -> str:
    if not names:
        return ""
    pairs = sorted(zip(names, values, strict=True))
    return "{" + ",".join(f'{name}="{_quoted(safe(value))}"' for name, value in pairs) + "}"


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
