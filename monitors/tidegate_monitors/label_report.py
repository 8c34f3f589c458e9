"""What labels say of a model: the JSON of ``labels``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.bias import Bias
from tidegate_monitors.calibration import Calibration
from tidegate_monitors.cohort import WHOLE
from tidegate_monitors.estimated import Estimated
from tidegate_monitors.maturity import Maturity
from tidegate_monitors.skill import Skill

FORMAT = 1


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """What is said of one outcome: the label itself, or one of several classes against the rest.

    Attributes:
        biases: Of each cell, all rows first.
        calibration: How predictions lie to labels.
    """

    biases: tuple[Bias, ...]
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class LabelReport:
    """The judgement.

    Attributes:
        dataset: Whose labels.
        maturity: Of the batches that were asked about.
        batches: The ids of the mature batches that were judged together, in the order of their windows.
        edges: The inner edges of the buckets; empty without a reference.
        bounds: Between which values the bias lies whatever the missing labels are; None where labels have no bounds.
        outcomes: By outcome; one under ``""`` for a number and for two classes. Empty while labels are immature.
        skill: What the model is good for; None while labels are immature.
        estimate: What is to be expected of batches without any label yet; None where there are not two classes.
        findings: The worst first.
    """

    dataset: str
    maturity: Maturity
    batches: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    bounds: tuple[float, float] | None = None
    outcomes: Mapping[str, OutcomeReport] = field(default_factory=lambda: MappingProxyType({}))
    skill: Skill | None = None
    estimate: Estimated | None = None
    findings: tuple[Alarm, ...] = ()

    @property
    def critical(self) -> bool:
        """Whether the contract calls any finding critical."""
        return any(finding.severity is Severity.CRITICAL for finding in self.findings)

    @property
    def biases(self) -> tuple[Bias, ...]:
        """Of all outcomes."""
        return tuple(bias for item in self.outcomes.values() for bias in item.biases)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values. Of several classes ``calibration`` has each under its name."""
        found = {name: item.calibration.to_dict() for name, item in self.outcomes.items()}
        return {
            "format": FORMAT,
            "dataset": self.dataset,
            "maturity": self.maturity.to_dict(),
            "batches": list(self.batches),
            "biases": [bias.to_dict() for bias in self.biases],
            "edges": list(self.edges),
            "bounds": list(self.bounds) if self.bounds is not None else None,
            "calibration": found.get(WHOLE, found or None),
            "skill": self.skill.to_dict() if self.skill is not None else None,
            "estimate": self.estimate.to_dict() if self.estimate is not None else None,
            "findings": [finding.to_dict() for finding in self.findings],
        }
