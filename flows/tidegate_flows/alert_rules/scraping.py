"""What Prometheus is told: whom to ask, which rules to evaluate, whom to alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def scraping(rule_files: Sequence[str], *, exporter: str, alertmanager: str) -> dict[str, Any]:
    """A configuration of Prometheus.

    Args:
        rule_files: The files of rules beside it.
        exporter: Where ``tidegate serve`` listens, as ``HOST:PORT``.
        alertmanager: Where Alertmanager listens.
    """
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": list(rule_files),
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{"job_name": "tidegate", "static_configs": [{"targets": [exporter]}]}],
    }
