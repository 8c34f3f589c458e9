"""The exporter: metrics read from the ledger, so that they survive restarts and short runs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import start_http_server
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from tidegate_contracts.errors import TidegateError, UsageError
from tidegate_flows.ledger import audit, breakers, cohorts, contracts, counters, label_reports, runs, streams
from tidegate_flows.passage import DURATION_BUCKETS
from tidegate_flows.place import at
from tidegate_flows.settings import Settings
from tidegate_flows.stores.local import replace_durably, writing
from tidegate_flows.version import VERSION
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.metrics import Dataset, Family, Histogram, Snapshot, families
from tidegate_monitors.profile import Profile

_PREFIX = "tidegate_"
_LABEL_MAXIMUM = 120


class LedgerCollector(Collector):
    """Reads the ledger at each scrape; a broken ledger is a metric, not a broken page."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """All families, then the ledger's own health."""
        started = perf_counter()
        up = 1.0
        try:
            with at(self._settings, must_exist=True) as place, place.ledger.read() as connection:
                snapshot = _snapshot(connection)
        except TidegateError:
            snapshot, up = None, 0.0
        if snapshot is not None:
            for family in families(snapshot):
                yield _metric(family)
            yield _durations(snapshot)
        yield GaugeMetricFamily(f"{_PREFIX}ledger_up", "1 while the ledger can be read.", value=up)
        seconds = perf_counter() - started
        yield GaugeMetricFamily(f"{_PREFIX}collect_duration_seconds", "How long this page took.", value=seconds)


def registry(settings: Settings) -> CollectorRegistry:
    """A registry of our metrics only."""
    found = CollectorRegistry(auto_describe=False)
    found.register(LedgerCollector(settings))
    return found


def write_textfile(settings: Settings, path: Path) -> None:
    """Write all metrics to a file for the node exporter's textfile collector, by one rename.

    Raises:
        UsageError: There is no store.
        StoreError: The file cannot be written.
    """
    with at(settings, must_exist=True):
        pass  # a page that says only "ledger down" is for scrapes; a command says what is wrong
    with writing(path):
        replace_durably(path, generate_latest(registry(settings)))


def serve(settings: Settings, *, host: str, port: int, stop: threading.Event) -> None:
    """Serve ``/metrics`` until told to stop.

    Raises:
        UsageError: The address cannot be used.
    """
    try:
        server, thread = start_http_server(port, addr=host, registry=registry(settings))
    except (OSError, OverflowError) as error:
        raise UsageError(f"{host}:{port} cannot be used", found=str(error), hint="another --port or --host") from error
    try:
        stop.wait()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _snapshot(connection: Connection) -> Snapshot:
    facts, states = contracts.load(connection), breakers.all_of(connection)
    entries, heads = audit.lengths(connection), audit.heads(connection)
    datasets = {
        name: replace(
            _dataset(connection, name, facts.get(name, {}), states),
            audit_entries=entries.get(name, 0),
            audit_head=heads.get(name),
        )
        for name in sorted(facts.keys() | states.keys())
    }
    totals: dict[str, dict[tuple[str, ...], float]] = {}
    buckets: dict[str, dict[str, float]] = {}
    sums: dict[str, float] = {}
    for name, dataset, labels, value in counters.totals(connection):
        if name == "batch_duration_seconds_bucket":
            buckets.setdefault(dataset, {})[labels["le"]] = value
        elif name == "batch_duration_seconds_sum":
            sums[dataset] = value
        else:
            totals.setdefault(name.removesuffix("_total"), {})[(dataset, *_in_order(name, labels))] = value
    durations = {name: Histogram(_cumulated(counts), sums.get(name, 0.0)) for name, counts in buckets.items()}
    return Snapshot(VERSION, datasets, totals, durations)


_ORDER = {"findings_total": ("check", "severity")}


def _in_order(name: str, labels: dict[str, str]) -> tuple[str, ...]:
    return tuple(labels[key] for key in _ORDER.get(name, tuple(labels)))


def _cumulated(counts: dict[str, float]) -> list[tuple[str, float]]:
    total, found = 0.0, []
    for limit in [*(str(bound) for bound in DURATION_BUCKETS), "+Inf"]:
        total += counts.get(limit, 0.0)
        found.append((limit, total))
    return found


def _dataset(connection: Connection, name: str, facts: dict[str, Any], states: dict[str, Any]) -> Dataset:
    summary, last = runs.summary(connection, name), runs.latest(connection, name)
    judged = label_reports.load(connection, name)
    told = judged.document if judged is not None else None
    return Dataset(
        breaker=states[name] if name in states else breakers.load(connection, name),
        version=facts.get("version", ""),
        owner=facts.get("owner", ""),
        cadence=facts.get("cadence"),
        arrive_within=facts.get("arrive_within"),
        last_completed=last.completed_at if last else None,
        last_published=summary.last_published,
        event_time_max=summary.event_time_max,
        label_last=cohorts.labelled_last(connection, name),
        rows=last.rows if last else None,
        comparisons=[Comparison.from_dict(item) for item in json.loads(last.comparisons)] if last else (),
        profile=Profile.from_dict(json.loads(last.profile)) if last and last.profile else None,
        stream=streams.ratios(connection, name),
        quarantined=summary.quarantined,
        held=summary.held,
        quarantine_oldest=summary.oldest,
        biases=_biases(told) if told else {},
        calibration=_calibration_error(told) if told else None,
        maturity=judged.share if judged is not None else None,
    )


def _biases(told: dict[str, Any]) -> dict[tuple[str, str], tuple[float, float | None]]:
    """By slice and bucket; one of several classes stands before the slice."""
    found = {}
    for item in told["biases"]:
        parts = [] if item["class"] is None else [f"class={item['class']}"]
        parts += [] if item["slice"] is None else [item["slice"]]
        bucket = "" if item["bucket"] is None else str(item["bucket"])
        found[",".join(parts), bucket] = (item["bias"], item["score_ratio"])
    return found


def _calibration_error(told: dict[str, Any]) -> float | None:
    """The greatest of all classes."""
    items = told["calibration"] or {}
    errors = [item["ece"] for item in ([items] if "ece" in items else items.values())]
    return max((error for error in errors if error is not None), default=None)


def _metric(family: Family) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(_PREFIX + family.name, family.help, labels=family.labels)
    for labels, value in family.samples.items():
        metric.add_metric([_safe(label) for label in labels], value)
    return metric


def _durations(snapshot: Snapshot) -> Metric:
    text = "Seconds from arrival to verdict."
    metric = HistogramMetricFamily(f"{_PREFIX}batch_duration_seconds", text, labels=["dataset"])
    for name, histogram in snapshot.durations.items():
        metric.add_metric([_safe(name)], list(histogram.buckets), histogram.sum)
    return metric


def _safe(label: str) -> str:
    """A label value that any scrape survives: no lone surrogates; what is too long ends in its hash."""
    text = label.encode("utf-8", "replace").decode()
    if len(text) <= _LABEL_MAXIMUM:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[: _LABEL_MAXIMUM - 13]}…{digest}"
