"""Where things are that alerts come from, go to and lead to."""

from __future__ import annotations

from dataclasses import dataclass

EXPORTER = "127.0.0.1:9464"
ALERTMANAGER = "127.0.0.1:9093"
WEBHOOK = "http://127.0.0.1:9095/"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are.

    Attributes:
        runbook: The runbook, to which an alert's name is added as an anchor; None for the exporter's own page.
        webhook: What Alertmanager calls.
        heartbeat: What it calls with the alert that always fires; None for nothing.
        exporter: Where ``tidegate serve`` listens, as ``HOST:PORT``.
        alertmanager: Where Alertmanager listens, as ``HOST:PORT``.
    """

    runbook: str | None = None
    webhook: str = WEBHOOK
    heartbeat: str | None = None
    exporter: str = EXPORTER
    alertmanager: str = ALERTMANAGER

    @property
    def leads_to(self) -> str:
        """The runbook that alerts lead to."""
        return self.runbook or f"http://{self.exporter}/runbook"
