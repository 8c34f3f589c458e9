"""Two contracts held against the same batches: what a new one would refuse that the old one lets through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.severity import Severity
from tidegate_flows import intake
from tidegate_flows.circumstances import gather
from tidegate_flows.intake import Staged, UnreadableError
from tidegate_flows.passage import observed
from tidegate_monitors.breaker import Decision
from tidegate_monitors.verdict import Verdict, decide

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Held:
    """What one contract would do with a batch.

    Attributes:
        decision: ``publish`` or ``quarantine``.
        quarantined: How many rows would not be published.
    """

    decision: str
    quarantined: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """One clause of the new contract that refuses.

    Attributes:
        check: The catalogue's name.
        rule: The clause with its arguments.
        column: The column concerned, or None.
        rows: How many rows break it; None where it blames the table as a whole.
        examples: Keys of the first of these rows, or their positions where the contract declares no key.
    """

    check: str
    rule: str
    column: str | None
    rows: int | None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """One batch under the old contract and under the new one.

    Attributes:
        batch: The batch's id.
        rows: How many rows were delivered.
        old: What the old contract would do.
        new: What the new contract would do.
        newly_refused: How many rows the old one would publish and the new one would not.
        newly_passed: How many rows the new one would publish and the old one would not.
        by: What refuses them, by clause.
    """

    batch: str
    rows: int
    old: Held
    new: Held
    newly_refused: int
    newly_passed: int
    by: tuple[Refusal, ...]

    @property
    def examples(self) -> list[str]:
        """Keys of the first rows that are newly refused for what is in them."""
        return list(dict.fromkeys(key for refusal in self.by for key in refusal.examples))[:_EXAMPLES]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {
            "by": [asdict(refusal) | {"examples": list(refusal.examples)} for refusal in self.by],
            "examples": self.examples,
        }


def compare(delivery: Any, old: Contract, new: Contract) -> Compared:
    """Hold one batch against both contracts, as a gate without a reference would. Nothing is stored.

    Ages are counted at the end of the batch's own window, and upstream is not asked: how it came is long past.

    Args:
        delivery: A path, or a pandas, polars or pyarrow table.
        old: The contract that was.
        new: The contract that is to be.

    Raises:
        UsageError: There is no such batch, or it cannot be read.
        StoreError: A table or list that a contract refers to cannot be read.
        MonitorError: A check raised.
    """
    with TemporaryDirectory(prefix="tidegate-") as folder:
        staged = intake.stage(delivery, Path(folder))
        (before, was_out), (after, is_out) = _looked(staged, old), _looked(staged, new)
    refused = is_out & ~was_out
    return Compared(
        batch=staged.id,
        rows=len(refused),
        old=_held(before, was_out),
        new=_held(after, is_out),
        newly_refused=int(refused.sum()),
        newly_passed=int((was_out & ~is_out).sum()),
        by=tuple(_refusals(after, refused)) if refused.any() or (before.passed and not after.passed) else (),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """A verdict and the reasons of the rows that broke a clause."""

    verdict: Verdict
    reasons: Any

    @property
    def passed(self) -> bool:
        return self.verdict.passed


def _looked(staged: Staged, contract: Contract) -> tuple[_Look, npt.NDArray[np.bool_]]:
    """What a contract says of a batch, and for each row whether it would stay out; shape (rows,)."""
    try:
        batch = intake.decode(staged, contract)
    except UnreadableError as error:
        raise UsageError(
            f"{staged.source.name} cannot be read, so no contract can be held against it",
            found=str(error),
            hint="tidegate check says what a gate would make of it",
        ) from error
    known = gather(contract, now=batch.window.end if batch.window else None, delivered=batch.rows)
    observation = observed(batch, contract, None, known)
    verdict = decide(observation, frozenset(), contract)
    out = observation.checked.failed if verdict.passed else np.ones(batch.rows, dtype=bool)
    return _Look(verdict, observation.checked.reasons), out


def _held(look: _Look, out: npt.NDArray[np.bool_]) -> Held:
    decision = Decision.PUBLISH if look.passed else Decision.QUARANTINE
    return Held(decision.value, int(out.sum()))


def _refusals(look: _Look, refused: npt.NDArray[np.bool_]) -> Iterator[Refusal]:
    """What of the new contract refuses rows, the heaviest first; of a whole batch also what the old one set aside."""
    found: dict[tuple[str, str, str | None], list[tuple[int | None, str | None]]] = {}
    for reason in look.reasons.to_pylist():
        if reason["row"] is None or not look.passed or refused[reason["row"]]:
            place = (reason["check"], reason["rule"], reason["column"])
            found.setdefault(place, []).append((reason["row"], reason["key"]))
    for place, rows in sorted(found.items(), key=lambda item: -len(item[1])):
        blamed = [(row, key) for row, key in rows if row is not None]
        examples = tuple(f"row {row}" if key is None else key for row, key in blamed[:_EXAMPLES])
        yield Refusal(*place, len(blamed) or None, examples)
    for finding in look.verdict.findings:
        if finding.kind == "alarm" and finding.severity is Severity.CRITICAL:
            yield Refusal(finding.check, finding.message, finding.column, None)
