"""An alert: what Prometheus watches, whom it wakes, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tidegate_flows.alert_rules.case import Case


class Urgency(StrEnum):
    """What an alert asks of whom it reaches; the value of the label ``severity``."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        name: Its name, which is also the heading of its section in the runbook.
        urgency: Whether it wakes somebody, waits for the morning, or is only told.
        expr: When it fires, in PromQL.
        summary: One line for a subject; a Go template.
        description: What is so, with its numbers, and what it means; a Go template.
        cases: When it must fire, and near misses in which it must not.
        wait: How long the expression must hold, such as ``5m``; empty for not at all.
        keep: How long it goes on firing after the expression ceased to hold; empty for not at all.
        labels: More labels.
    """

    name: str
    urgency: Urgency
    expr: str
    summary: str
    description: str
    cases: tuple[Case, ...]
    wait: str = ""
    keep: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def anchor(self) -> str:
        """The runbook's anchor."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Record:
    """A series that alerts read, and people may.

    Attributes:
        name: The series' name.
        expr: Its value, in PromQL.
        cases: What it must be; those of alerts that read it try it too.
    """

    name: str
    expr: str
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """What Prometheus evaluates together, in this order.

    Attributes:
        name: Its name.
        records: What alerts read.
        alerts: The alerts.
        interval: How often, such as ``1m``; empty for as often as Prometheus is told.
    """

    name: str
    records: tuple[Record, ...] = ()
    alerts: tuple[Alert, ...] = ()
    interval: str = ""
