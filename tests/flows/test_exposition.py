"""The text that Prometheus reads: the library's own bytes, and whole whatever names there are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_classic
from prometheus_client.registry import Collector

from tidegate_flows.exporter import metric
from tidegate_flows.exposition import LABEL_MAXIMUM, OPENMETRICS, Pages, safe
from tidegate_monitors.breaker import Decision
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.metric_family import Distribution, Family, Histogram
from tidegate_monitors.metrics import DURATION_BOUNDS, distributions, families
from tidegate_monitors.metrics_snapshot import Dataset, Snapshot
from tidegate_monitors.observed import Observed

HOSTILE = (
    'new\nline "quote" \\ back {} , = # EOF\n# HELP x y',
    "\ud800",
    "\udfff\ud800",
    "?",
    "x" * 10_000,
    "x" * 9_999,
    "é" * 200,
    "\x00\x1b[31m\x7f\r\n",
    "\u2028\u202e\ufeff\U0001f30a",
    "",
    " ",
)
names = st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=300)
accepts = st.sampled_from(["", "application/openmetrics-text;version=1.0.0"])


def snapshot(hostile: Sequence[str], value: float = 0.5) -> Snapshot:
    """Every name that comes from outside is hostile."""
    seen = Observed.of("flights", [Comparison(name, name, "drift", value, 0, 2.0, slice=name) for name in hostile])
    told = Dataset(
        version="1.0.0",
        owner=hostile[0],
        observed=seen,
        stream=dict.fromkeys(hostile, value),
        biases={(name, "9"): (value, value) for name in hostile},
    )
    counters = {
        "monitor_errors": {("flights", name): 1.0 for name in hostile},
        "batches": {("flights", "publish"): 3.0},
    }
    buckets = [*((str(bound), 1.0) for bound in DURATION_BOUNDS), ("+Inf", 2.0)]
    stages = {("flights", name): Histogram([("+Inf", 2.0)], value) for name in hostile}
    return Snapshot("0.1.0", {"flights": told}, counters, {"flights": Histogram(buckets, value)}, stages)


def told(found: Snapshot) -> list[Family | Distribution]:
    return [*families(found), *distributions(found)]


class Library(Collector):
    """The same families as the library's own metrics."""

    def __init__(self, found: Iterable[Family | Distribution]) -> None:
        self._metrics = [metric(family) for family in found]

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


@given(st.lists(names, min_size=1, max_size=4, unique=True), st.floats(allow_nan=False, allow_infinity=False))
def test_a_page_is_byte_for_byte_what_the_library_writes(hostile: list[str], value: float) -> None:
    found = told(snapshot(hostile, value))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Library(found))
    assert Pages().page(found)[0] == generate_latest(registry)
    assert Pages().page(found, OPENMETRICS)[0] == openmetrics.generate_latest(registry)


@given(st.lists(names, min_size=1, max_size=4, unique=True), accepts)
def test_every_page_can_be_read_and_has_each_series_once_whatever_the_names(hostile: list[str], accept: str) -> None:
    content, kind = Pages().page(told(snapshot(hostile)), accept)
    parse = parse_openmetrics if kind == OPENMETRICS else parse_classic
    samples = [sample for family in parse(content.decode()) for sample in family.samples]
    series = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples]
    assert len(series) == len(set(series))
    assert all(len(text) <= LABEL_MAXIMUM for _, labels in series for _, text in labels)
    assert sum(sample.name == "tidegate_drift_score" for sample in samples) == len(hostile)


def test_a_page_after_another_one_says_what_is_true_now() -> None:
    pages = Pages()
    for value in (0.5, 0.25, 0.25, 3.0):
        found = told(snapshot(["amount"], value))
        assert pages.page(found) == Pages().page(found)
        assert pages.page(found, OPENMETRICS) == Pages().page(found, OPENMETRICS)


@given(names, names)
def test_names_that_differ_stay_different_and_the_same_one_never_changes(one: str, other: str) -> None:
    assert (safe(one) == safe(other)) == (one == other)
    assert safe(one).encode().decode() == safe(one) == safe(safe(one))


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75", True),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", True),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.9", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nonsense, ;;;,,", False),
    ],
)
def test_openmetrics_is_for_those_who_like_it_best(accept: str, wanted: bool) -> None:
    content, kind = Pages().page(told(snapshot(["amount"])), accept)
    assert (kind == OPENMETRICS) == wanted == content.endswith(b"# EOF\n")


def test_every_known_decision_has_its_line_before_anything_happened() -> None:
    text = Pages().page(told(Snapshot("0.1.0", {"flights": Dataset()})))[0].decode()
    for decision in Decision:
        assert f'tidegate_batches_total{{dataset="flights",decision="{decision.value}"}} 0.0\n' in text
    assert "NaN" not in text


def test_promtool_finds_nothing_to_blame_in_the_worst_page() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")  # required by test_exporter
    content, _ = Pages().page(told(snapshot(HOSTILE)))
    checked = subprocess.run([promtool, "check", "metrics"], input=content, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
