"""The exporter: metrics read from the ledger, so that they survive restarts and short runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from threading import Lock
from time import perf_counter

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from tidegate_contracts.errors import TidegateError
from tidegate_flows.exposition import PREFIX, Pages, safe
from tidegate_flows.ledger_reader import LedgerReader
from tidegate_flows.ledger_snapshot import Snapshots
from tidegate_flows.plain import plain
from tidegate_flows.settings import Settings
from tidegate_monitors.metric_family import Distribution, Family
from tidegate_monitors.metrics import SERIES_MAXIMUM, distributions, families, health

logger = logging.getLogger("tidegate.exporter")


class Exporter:
    """Reads the ledger at each scrape; a broken ledger is a metric, not a broken page.

    Args:
        settings: Where the ledger is.
        series: The most series that a family may have of one dataset.
        reader: What the ledger is asked with.
    """

    def __init__(self, settings: Settings, *, series: int = SERIES_MAXIMUM, reader: LedgerReader | None = None) -> None:
        self._reader, self._series = reader or LedgerReader(settings), series
        self._snapshots, self._pages = Snapshots(), Pages()
        self._told, self._telling = "", Lock()

    def families(self) -> list[Family | Distribution]:
        """All families, then how the reading itself went."""
        started = perf_counter()
        try:
            found = self.of_ledger()
        except Exception as error:  # noqa: BLE001 - whatever it is, a scrape has to see that the ledger is not told
            self._tell(plain(error) if isinstance(error, TidegateError) else type(error).__name__)  # no values
            return [*health(up=False, seconds=perf_counter() - started)]
        self._tell("")
        return [*found, *health(up=True, seconds=perf_counter() - started)]

    def of_ledger(self) -> list[Family | Distribution]:
        """All families of the ledger.

        Raises:
            UsageError: There is no ledger, or not that of the store.
            StoreError: It cannot be read, or does not answer in time.
        """
        snapshot = self._reader.ask(lambda connection: self._snapshots.take(connection, self._reader.clock()))
        return [*families(snapshot, self._series), *distributions(snapshot)]

    def _tell(self, reason: str) -> None:
        """Log why the ledger cannot be told, once for each reason; an empty one says that it can."""
        with self._telling:
            before, self._told = self._told, reason
        if reason and reason != before:
            logger.warning("the ledger cannot be told: %s", reason)
        elif before and not reason:
            logger.warning("the ledger can be told again")

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """What ``/metrics`` says, and its content type."""
        return self._pages.page(self.families(), accept)


class LedgerCollector(Collector):
    """The exporter as a collector of ``prometheus_client``, for those who have a registry of their own."""

    def __init__(self, settings: Settings) -> None:
        self._exporter = Exporter(settings)

    def collect(self) -> Iterator[Metric]:
        """All families."""
        return map(metric, self._exporter.families())


def registry(settings: Settings) -> CollectorRegistry:
    """A registry of our metrics only."""
    found = CollectorRegistry(auto_describe=False)
    found.register(LedgerCollector(settings))
    return found


def metric(family: Family | Distribution) -> Metric:
    """A family as one of ``prometheus_client``."""
    name, text = PREFIX + family.name, family.help
    if isinstance(family, Family):
        kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
        found = kind(name, text, labels=family.labels)
        for labels, value in family.samples.items():
            found.add_metric([*map(safe, labels)], value)
        return found
    if family.kind == "summary":
        summary = SummaryMetricFamily(name, text, labels=family.labels)
        for labels, item in family.samples.items():
            summary.add_metric([*map(safe, labels)], int(item.count), item.sum)
        return summary
    histogram = HistogramMetricFamily(name, text, labels=family.labels)
    for labels, item in family.samples.items():
        histogram.add_metric([*map(safe, labels)], list(item.buckets), item.sum)
    return histogram
