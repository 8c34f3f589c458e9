"""The files of all dashboards."""

from __future__ import annotations

from tidegate_flows.dashboards.dataset import dataset
from tidegate_flows.dashboards.fleet import fleet


def files() -> dict[str, str]:
    """All dashboards by the names of their files."""
    return {"fleet.json": fleet().json(), "dataset.json": dataset().json()}
