"""What Alertmanager is told: who hears of what, how soon, and what goes without saying."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tidegate_flows.alert_rules.alert import Urgency

_PATIENCE = {
    Urgency.PAGE: {"group_wait": "5s", "group_interval": "1m", "repeat_interval": "1h"},
    Urgency.TICKET: {"group_wait": "1m", "group_interval": "15m", "repeat_interval": "1d"},
    Urgency.INFO: {"group_wait": "5m", "group_interval": "1h", "repeat_interval": "4d"},
}
"""How long to wait for more of the same, for changes of it, and until it is said again."""
_SAID_BY_AN_OPEN_BREAKER = (
    "TidegateBatchesHeld",
    "TidegateBatchQuarantined",
    "TidegateDataStale",
    "TidegateDrift",
    "TidegateErrorBudgetBurn",
    "TidegateInsufficientEvidence",
    "TidegatePredictionBias",
    "TidegateSlowPoisoning",
    "TidegateUnusualBatch",
)
_NOT_THE_EXPORTER = "TidegateExporterDown|TidegateWatchdog"


def routing(owners: Sequence[str], *, webhook: str, heartbeat: str | None) -> dict[str, Any]:
    """A configuration of Alertmanager.

    Args:
        owners: Who has a route of their own, as the label ``owner`` says it.
        webhook: Where alerts are sent.
        heartbeat: Where the alert is sent that always fires; None for nowhere.
    """
    receivers = {"tidegate": webhook, "heartbeat": heartbeat, **{_receiver(owner): webhook for owner in owners}}
    return {
        "route": {
            "receiver": "tidegate",
            "group_by": ["job", "dataset"],
            "routes": [
                {
                    "matchers": ['alertname="TidegateWatchdog"'],
                    "receiver": "heartbeat",
                    "group_by": ["alertname"],
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "5m",
                },
                *(
                    {
                        "matchers": [f"owner={_quoted(owner)}"],
                        "receiver": _receiver(owner),
                        "routes": _by_urgency(),
                    }
                    for owner in owners
                ),
                *_by_urgency(),
            ],
        },
        "inhibit_rules": _inhibitions(),
        "receivers": [_called(name, url) for name, url in receivers.items()],
    }


def _by_urgency() -> list[dict[str, Any]]:
    return [{"matchers": [f'severity="{urgency.value}"'], **wait} for urgency, wait in _PATIENCE.items()]


def _inhibitions() -> list[dict[str, Any]]:
    """One cause, one page: what follows from an alert that fires is not sent as well."""
    inside = "|".join(_SAID_BY_AN_OPEN_BREAKER)
    return [
        _inhibition("TidegateExporterDown", [f'alertname!~"{_NOT_THE_EXPORTER}"'], ["job"]),
        _inhibition("TidegateLedgerDown", [f'alertname!~"{_NOT_THE_EXPORTER}|TidegateLedgerDown"'], ["job"]),
        _inhibition("TidegateBreakerOpen", [f'alertname=~"{inside}"'], ["job", "dataset"]),
        _inhibition("TidegateFeedStopped", ['alertname=~"TidegateBatchMissing|TidegateDataStale"'], ["job", "dataset"]),
        _inhibition("TidegateDrift", ['alertname="TidegateUnusualBatch"'], ["job", "dataset", "column"]),
        _inhibition("TidegateAuditWentBackwards", ['alertname="TidegateAuditRewritten"'], ["job", "dataset"]),
    ]


def _inhibition(source: str, targets: list[str], equal: list[str]) -> dict[str, Any]:
    ours = ['alertname=~"Tidegate.*"']
    return {"source_matchers": [f'alertname="{source}"'], "target_matchers": ours + targets, "equal": equal}


def _called(name: str, url: str | None) -> dict[str, Any]:
    """A receiver; one without an address takes alerts and tells nobody."""
    if url is None:
        return {"name": name}
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": name != "heartbeat"}]}


def _receiver(owner: str) -> str:
    return f"owner {owner}"


def _quoted(text: str) -> str:
    """In double quotes, as matchers read it."""
    return json.dumps(text, ensure_ascii=False)
