"""Rules as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidegate_flows.alert_rules.alert import Alert, Group, Record


def rules(groups: Sequence[Group], runbook: str) -> dict[str, Any]:
    """A file of rules.

    Args:
        groups: The groups.
        runbook: The runbook's address; each alert's is its name as an anchor after it.
    """
    return {"groups": [_group(group, runbook) for group in groups]}


def _group(group: Group, runbook: str) -> dict[str, Any]:
    every = {"interval": group.interval} if group.interval else {}
    found = [*map(_record, group.records), *(alert_rule(alert, runbook) for alert in group.alerts)]
    return {"name": group.name, **every, "rules": found}


def _record(record: Record) -> dict[str, Any]:
    return {"record": record.name, "expr": record.expr}


def alert_rule(alert: Alert, runbook: str) -> dict[str, Any]:
    """One alert."""
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **({"for": alert.wait} if alert.wait else {}),
        **({"keep_firing_for": alert.keep} if alert.keep else {}),
        "labels": {"severity": alert.urgency.value, **{name: _literal(value) for name, value in alert.labels}},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"{runbook}#{alert.anchor}",
        },
    }


def _literal(text: str) -> str:
    """A text as a template that says just that."""
    return text.replace("{{", '{{ "{{" }}')
