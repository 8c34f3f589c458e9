"""Pushing what the last runs looked like to a Pushgateway, for machines that Prometheus cannot reach.

Gauges only: a Pushgateway keeps the last push, and a counter of one host would overwrite that of another. Each dataset
is a group of its own, so that hosts with other datasets push beside each other, and what is gone from a dataset goes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from prometheus_client import push_to_gateway
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from tidegate_contracts.errors import UsageError
from tidegate_flows.exporter import Exporter, metric
from tidegate_flows.settings import Settings
from tidegate_monitors.metric_family import Distribution, Family

SECONDS = 3.0
JOB = "tidegate"


@dataclass(frozen=True, slots=True)
class _Gauges(Collector):
    """What is pushed of one dataset."""

    families: tuple[Family, ...]

    def collect(self) -> Iterator[Metric]:
        return map(metric, self.families)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push.

    Attributes:
        datasets: How many there were to be pushed.
        taken: How many were taken.
        refused: Why not all of them were, by the first that was not; None if all were.
    """

    datasets: int
    taken: int
    refused: str | None = None


@dataclass(slots=True)
class _Sent:
    """What came of it so far."""

    taken: int = 0
    failed: Exception | None = None


def push(settings: Settings, url: str, *, job: str = JOB, seconds: float = SECONDS) -> Pushed:
    """Push the gauges of all datasets, and give up after a time.

    Raises:
        UsageError: The URL is none, or there is no store.
        StoreError: The ledger cannot be read.
    """
    require_url(url)
    groups = _groups(Exporter(settings).of_ledger())
    sent = _Sent()
    thread = threading.Thread(target=_send, args=(groups, url, job, seconds, sent), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return Pushed(len(groups), sent.taken, f"no answer within {seconds:g} s")
    return Pushed(len(groups), sent.taken, _reason(sent.failed) if sent.failed is not None else None)


def require_url(url: str) -> None:
    """Refuse what is no address of a Pushgateway.

    Raises:
        UsageError: It is none.
    """
    allowed = "http://HOST[:PORT][/PATH] or https://…"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        known = None
    if not known:
        raise UsageError("the Pushgateway's URL is none", allowed=allowed)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError("the Pushgateway's URL has more than an address", allowed=allowed)


def _groups(found: list[Family | Distribution]) -> Mapping[str, _Gauges]:
    """By dataset its gauges."""
    gauges = [
        item for item in found if isinstance(item, Family) and item.kind == "gauge" and item.labels[:1] == ("dataset",)
    ]
    names = sorted({labels[0] for item in gauges for labels in item.samples})
    return {name: _Gauges(tuple(_of(item, name) for item in gauges)) for name in names}


def _of(family: Family, dataset: str) -> Family:
    return replace(family, samples={key: value for key, value in family.samples.items() if key[0] == dataset})


def _send(groups: Mapping[str, _Gauges], url: str, job: str, seconds: float, sent: _Sent) -> None:
    """Push one group after the other; one that is refused stops none of the others, a gateway that is gone does."""
    end = monotonic() + seconds
    for name, group in groups.items():
        try:
            left = max(0.01, end - monotonic())
            push_to_gateway(url, job, group, grouping_key={"dataset": name}, timeout=left)
            sent.taken += 1
        except HTTPError as error:
            sent.failed = sent.failed or error
        except Exception as error:  # noqa: BLE001 - told by whoever waits for this thread
            sent.failed = sent.failed or error
            return


def _reason(error: BaseException) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP {error.code}"
    if isinstance(error, URLError):
        return str(error.reason)
    return str(error) or type(error).__name__
