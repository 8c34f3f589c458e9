"""A finding: a violation or an alarm, whatever a verdict lists."""

from __future__ import annotations

from tidegate_contracts.violation import Violation
from tidegate_monitors.alarm import Alarm

Finding = Violation | Alarm
