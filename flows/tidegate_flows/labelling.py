"""Labels as they come: joined to what was published, then judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import Halted, MonitorError, TidegateError, UsageError
from tidegate_contracts.load import load_contract
from tidegate_contracts.severity import Severity
from tidegate_flows import intake
from tidegate_flows.intake import masked
from tidegate_flows.judging import judge_at
from tidegate_flows.labels import Joined, join_at
from tidegate_flows.place import Place, at
from tidegate_monitors.finding import Finding
from tidegate_monitors.label_report import LabelReport

_COUNTS = ("labels", "matched", "unknown", "duplicates", "conflicting_labels", "set_aside", "reversed", "early")


@dataclass(frozen=True, slots=True)
class Labelled:
    """What some deliveries of labels said, and what is said of the model.

    Attributes:
        deliveries: Of each what was joined.
        report: The judgement of the batches that they named.
    """

    deliveries: tuple[Joined, ...]
    report: LabelReport

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the contract says of the labels, then what the labels say of the model."""
        broken = [violation for item in self.deliveries for violation in item.violations]
        return (*broken, *self.report.findings)

    @property
    def critical(self) -> bool:
        """Whether a delivery was refused, or a finding is critical."""
        return any(finding.severity is Severity.CRITICAL for finding in self.findings)

    def require_sound(self) -> Labelled:
        """This, unless a delivery was refused or a finding is critical.

        Raises:
            Halted: With the first critical finding.
        """
        worst = next((item for item in self.findings if item.severity is Severity.CRITICAL), None)
        if worst is not None:
            refused = any(item.refused for item in self.deliveries)
            what = "labels were refused" if refused else "labels speak against the model"
            raise Halted(f"{what} of {self.report.dataset!r}", found=f"{worst.check}: {worst.message}")
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``labels``."""
        return {
            **self.report.to_dict(),
            "joined": {name: sum(getattr(item, name) for item in self.deliveries) for name in _COUNTS},
            "refused": sum(item.refused for item in self.deliveries),
            "findings": [finding.to_dict() for finding in self.findings],
        }


def join_labels(
    labels: Any,
    contract: Contract | str | Path,
    *,
    store: str | Path | None = None,
    ledger: str | None = None,
    as_of: datetime | str | None = None,
) -> Labelled:
    """Join labels by key to what was published, and judge the batches whose labels are complete.

    The same labels twice change nothing. See :func:`tidegate_flows.labels.join_at` for how they are joined and
    :func:`tidegate_monitors.label_judgement.judge` for what is judged.

    Args:
        labels: A path or data frame with the contract's key and label columns, or a list of them.
        contract: A contract with ``key``, ``prediction`` and ``label``, or ``path.py[:name]``.
        store: The folder that holds everything; None for the settings in force.
        ledger: The ledger's URL; None for the settings in force.
        as_of: When the labels came; None for now. Once ``label_delay`` has passed since the end of a batch's window,
            an empty label means that none will come.

    Raises:
        UsageError: The contract names no key, prediction or label, or the labels lack these columns or have no rows.
        StoreError: The store cannot be read or written.
        MonitorError: A statistic raised.
    """
    loaded = load_contract(contract)
    with at(store, ledger=ledger, must_exist=True) as place:
        return label_at(place, labels if isinstance(labels, list | tuple) else [labels], loaded, as_of=as_of)


def label_at(
    place: Place, deliveries: Sequence[Any], contract: Contract, *, as_of: datetime | str | None = None
) -> Labelled:
    """:func:`join_labels` at a place that is already open; the deliveries are judged together, once."""
    if as_of == "window":
        raise UsageError("--as-of of labels", found="'window'", allowed="an ISO 8601 time: labels have no window")
    joined = tuple(_join(place, delivery, contract, as_of, number) for number, delivery in enumerate(deliveries))
    asked = {cohort.batch for item in joined for cohort in item.touched}
    now = intake.as_of(as_of, None, place.clock())
    return Labelled(joined, judge_at(place, contract, asked, now))


def _join(place: Place, delivery: Any, contract: Contract, as_of: datetime | str | None, before: int) -> Joined:
    """One delivery; an error names it, and says that those before it are joined."""
    try:
        return join_at(place, delivery, contract, as_of=as_of)
    except UsageError as error:
        if not isinstance(delivery, str | Path):
            raise
        hint = f"{error.hint}; " if error.hint else ""
        done = f"the {before} before it are joined: the same command goes on" if before else "nothing was joined"
        what = f"{masked(str(delivery))}: {error.what}"
        raise UsageError(what, found=error.found, allowed=error.allowed, hint=f"{hint}{done}") from error
    except TidegateError:
        raise
    except Exception as error:  # our failure, and never a pass; its words may hold values
        raise MonitorError("labels could not be joined", found=type(error).__name__) from error
