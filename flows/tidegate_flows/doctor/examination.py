"""The whole examination, in the order in which things depend on each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tidegate_flows.doctor import bucket, contracts, ledger, machine, monitoring, packages, prefect, settings, store
from tidegate_flows.doctor.examined import Examined
from tidegate_flows.settings import Settings


def examine(
    chosen: Settings, named: Sequence[str] = (), *, exporter: str | None = None, prometheus: str | None = None
) -> Iterator[Examined]:
    """Look at everything that a deployment needs.

    Args:
        chosen: The settings in force.
        named: Contracts, each ``path.py[:name]``.
        exporter: Where ``tidegate serve`` answers; None where that is not asked.
        prometheus: Where Prometheus answers; likewise.
    """
    yield from packages.examine()
    yield from machine.examine(Path(chosen.store.value))
    yield from settings.examine(chosen)
    found = list(store.examine(chosen))
    yield from found
    usable = all(item.state == "ok" for item in found)
    if usable:
        yield from ledger.examine(chosen)
    yield from bucket.examine(chosen)
    yield from prefect.examine()
    if exporter is not None:
        yield from monitoring.exporter(exporter, chosen if usable else None)
    if prometheus is not None:
        yield from monitoring.prometheus(prometheus)
    readable = all(item.state != "no" for item in found)
    yield from contracts.examine(named, chosen if usable else None, readable=readable)
