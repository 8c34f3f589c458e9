"""The verdict: all violations and alarms of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from tidegate_contracts.batch import Window
from tidegate_contracts.check import Checked
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, TidegateError
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.alarms import Carriers, alarms
from tidegate_monitors.beyond import beyond
from tidegate_monitors.compare import compare
from tidegate_monitors.comparison import Comparison, Place
from tidegate_monitors.contamination import contamination
from tidegate_monitors.finding import Finding
from tidegate_monitors.fold import fold
from tidegate_monitors.levels import levels
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import BLOCKS_MINIMUM, Reference
from tidegate_monitors.rules import Evidence, judge
from tidegate_monitors.slice_drift import carrier, slice_comparisons


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
        carriers: By column that exceeds, the slice that carries most of it and the share that it carries.
        levels: By column, for the stream.
        moved: What has left the reference: most of a column's values, or the latest accepted blocks.
    """

    checked: Checked
    profile: Profile
    comparisons: tuple[Comparison, ...]
    rules: tuple[Alarm, ...]
    carriers: Carriers = field(default_factory=lambda: MappingProxyType({}))
    levels: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    moved: tuple[Alarm, ...] = ()

    @property
    def ruled_out(self) -> bool:
        """Whether a rule found something, however mild: no later batch should be held against this one."""
        return any(alarm.kind == "alarm" and alarm.severity is not Severity.INFO for alarm in self.rules)

    @property
    def critical(self) -> bool:
        """Whether the contract or a rule stops the batch, whatever came before it."""
        return self.checked.critical or any(alarm.severity is Severity.CRITICAL for alarm in self.rules)


def observe(
    checked: Checked,
    profile: Profile,
    reference: Reference | None,
    contract: Contract,
    rng: np.random.Generator,
    window: Window | None = None,
    latest: Reference | None = None,
) -> Observation:
    """Compare a batch's profile with the reference, by rules and by statistics.

    Args:
        checked: What the contract says of it.
        profile: What is kept of it.
        reference: The approved reference; None leaves nothing but the contract.
        contract: What was promised.
        rng: For thinning.
        window: Of which time it is.
        latest: The blocks accepted last; None where these are the reference's own.

    Raises:
        MonitorError: A statistic or rule raised.
    """
    if reference is None or not profile.rows:
        return Observation(checked, profile, (), (() if reference else (_no_reference(contract),)))
    try:
        rules = (*judge(Evidence(profile, reference, contract, window)), *_few_blocks(reference))
        moved = contamination(latest, reference, contract) if latest is not None else None
        comparisons = (
            *compare(profile, reference, contract, rng, latest=latest),
            *slice_comparisons(profile, reference, contract, rng, latest=latest),
        )
        return Observation(
            checked,
            profile,
            comparisons,
            rules,
            _carriers(comparisons, profile, reference),
            levels(profile, reference, contract),
            (*beyond(profile, reference, contract), *((moved,) if moved is not None else ())),
        )
    except TidegateError:
        raise
    except (
        Exception
    ) as error:  # whatever a statistic does, it is our failure and never a pass; its words may hold values
        raise MonitorError("a statistic or rule raised", found=type(error).__name__) from error


def decide(
    observation: Observation,
    previous: Mapping[Place, str | None],
    contract: Contract,
    others: tuple[Alarm, ...] = (),
    *,
    slow: tuple[Alarm, ...] = (),
    batch: str | None = None,
) -> Verdict:
    """The verdict, once it is known what came before.

    Args:
        observation: What was seen of the batch.
        previous: What the batch before exceeded, and since which batch.
        contract: Gives severities.
        others: What only the ledger knows.
        slow: What the stream says.
        batch: The batch's id, from which on what it exceeds is counted.
    """
    comparisons = tuple(_begun(item, previous, batch) for item in observation.comparisons)
    drifts = (*observation.moved, *alarms(comparisons, previous, contract, observation.carriers), *slow)
    found: list[Finding] = [*observation.checked.violations, *fold((*others, *observation.rules), drifts)]
    findings = sorted(found, key=lambda finding: (-finding.severity.rank, finding.kind != "violation"))
    checked = observation.checked
    return Verdict(
        checked.rows,
        int(checked.failed.sum()),
        tuple(findings),
        comparisons,
        checked.casts,
        checked.coerced,
    )


def _begun(comparison: Comparison, previous: Mapping[Place, str | None], batch: str | None) -> Comparison:
    """An exceedance with the batch since which it has gone on."""
    if not comparison.exceeds:
        return comparison
    return replace(comparison, since=previous.get(comparison.place) or batch)


def _carriers(comparisons: tuple[Comparison, ...], profile: Profile, reference: Reference) -> Carriers:
    columns = {item.column for item in comparisons if item.exceeds and item.column and item.slice is None}
    found = {column: carrier(profile, reference, column) for column in sorted(columns)}
    return MappingProxyType({column: item for column, item in found.items() if item is not None})


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
