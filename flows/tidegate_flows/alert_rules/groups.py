"""All alerts, in the files and groups in which Prometheus evaluates them."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate_flows.alert_rules import arrivals, audit, gate, operation, owner, reliability, statistics, unchecked
from tidegate_flows.alert_rules.alert import Alert, Group

OWNER = Group("tidegate-owner", records=(owner.OWNER,))
NOW = (
    OWNER,
    Group("tidegate-operation", alerts=(*operation.ALERTS, *reliability.ALERTS, *audit.ALERTS)),
    Group("tidegate-gate", alerts=(*gate.ALERTS, *unchecked.ALERTS)),
    Group("tidegate-arrivals", alerts=arrivals.ALERTS),
    Group("tidegate-statistics", alerts=statistics.ALERTS, interval="1m"),
)
HISTORY = (
    Group("tidegate-drift", alerts=statistics.CONFIRMED, interval="1m"),
    Group("tidegate-reliability", records=reliability.RECORDS, alerts=reliability.BURNING, interval="1m"),
)
"""What looks back for weeks: evaluated once a minute, and in a file of its own."""
FILES: Mapping[str, tuple[Group, ...]] = {"tidegate.rules.yaml": NOW, "tidegate.history.rules.yaml": HISTORY}


def alerts() -> tuple[Alert, ...]:
    """All alerts."""
    return tuple(alert for group in (*NOW, *HISTORY) for alert in group.alerts)
