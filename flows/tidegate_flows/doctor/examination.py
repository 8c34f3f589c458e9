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
    yield from store.examine(chosen)
    unopened = ledger.unopened(chosen)
    if unopened is None:
        yield from ledger.examine(chosen)
    else:
        yield unopened
    readable = chosen if unopened is None else None
    yield from bucket.examine(chosen)
    yield from prefect.examine()
    if exporter is not None:
        yield from monitoring.exporter(exporter, readable)
    if prometheus is not None:
        yield from monitoring.prometheus(prometheus)
    yield from contracts.examine(named, readable, readable=unopened is None or unopened.state == "absent")
