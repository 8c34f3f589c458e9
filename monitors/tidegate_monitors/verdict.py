"""The verdict: all violations and alarms of a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from tidegate_contracts.batch import Window
from tidegate_contracts.check import Checked
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, TidegateError
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.alarms import Place, alarms
from tidegate_monitors.compare import Comparison, compare
from tidegate_monitors.fold import fold
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import BLOCKS_MINIMUM, Reference
from tidegate_monitors.rules import Evidence, judge

Finding = Violation | Alarm


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a batch.

    Attributes:
        rows: Rows delivered.
        set_aside: Rows that broke a clause of the contract.
        findings: Violations first, then alarms, each the worst first.
        comparisons: Every statistic of every column, with its threshold.
        casts: What was done to the representation of which column, no value being another one after.
        coerced: How many values the schema's own ``coerce`` gave another type, by column.
    """

    rows: int
    set_aside: int
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...] = ()
    casts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    coerced: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def passed(self) -> bool:
        """Whether nothing critical was found."""
        return not any(finding.severity is Severity.CRITICAL for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, with the fields that every verdict has."""
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "casts": dict(self.casts),
            "coerced": dict(self.coerced),
        }


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of a batch before it is known what came before it.

    Attributes:
        checked: What the contract says.
        profile: What is kept of the batch.
        comparisons: Its statistics against the reference.
        rules: The rules' alarms.
    """

    checked: Checked
    profile: Profile
    comparisons: tuple[Comparison, ...]
    rules: tuple[Alarm, ...]


def observe(
    checked: Checked,
    profile: Profile,
    reference: Reference | None,
    contract: Contract,
    rng: np.random.Generator,
    window: Window | None = None,
) -> Observation:
    """Compare a batch's profile with the reference, by rules and by statistics; ``window`` says of which time it is.

    Raises:
        MonitorError: A statistic or rule raised.
    """
    if reference is None or not profile.rows:
        return Observation(checked, profile, (), (() if reference else (_no_reference(contract),)))
    try:
        rules = (*judge(Evidence(profile, reference, contract, window)), *_few_blocks(reference))
        return Observation(checked, profile, compare(profile, reference, contract, rng), rules)
    except TidegateError:
        raise
    except (
        Exception
    ) as error:  # whatever a statistic does, it is our failure and never a pass; its words may hold values
        raise MonitorError("a statistic or rule raised", found=type(error).__name__) from error


def decide(
    observation: Observation, previous: Collection[Place], contract: Contract, others: tuple[Alarm, ...] = ()
) -> Verdict:
    """The verdict, once it is known what the batch before exceeded and what the ledger says (``others``)."""
    drifts = alarms(observation.comparisons, previous, contract)
    found: list[Finding] = [*observation.checked.violations, *fold((*others, *observation.rules), drifts)]
    findings = sorted(found, key=lambda finding: (-finding.severity.rank, finding.kind != "violation"))
    checked = observation.checked
    return Verdict(
        checked.rows,
        int(checked.failed.sum()),
        tuple(findings),
        observation.comparisons,
        checked.casts,
        checked.coerced,
    )


def _no_reference(contract: Contract) -> Alarm:
    return Alarm(
        "insufficient_evidence",
        Severity.INFO,
        f"no approved reference of {contract.name!r}: only the contract was checked, not drift",
        kind="insufficient_evidence",
    )


def _few_blocks(reference: Reference) -> tuple[Alarm, ...]:
    blocks = len(reference.blocks)
    if blocks >= BLOCKS_MINIMUM:
        return ()
    message = f"the reference has {blocks} blocks; below {BLOCKS_MINIMUM} no batch can be called unusual"
    return (Alarm("insufficient_evidence", Severity.INFO, message, kind="insufficient_evidence"),)
