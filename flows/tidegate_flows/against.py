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
from tidegate_monitors.finding import Finding
from tidegate_monitors.verdict import Verdict, decide

_EXAMPLES = 5
_Place = tuple[str, str, str | None]


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
        newly_broken: How many rows break a clause of the new one and none of the old one, whatever becomes of them.
        by: What refuses them, by clause; where the old one refuses the batch as a whole, what only the new one blames.
    """

    batch: str
    rows: int
    old: Held
    new: Held
    newly_refused: int
    newly_passed: int
    newly_broken: int
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
        staged = {keep: _staged(delivery, Path(folder), keep) for keep in {old.has_index, new.has_index}}
        before, after = (_looked(staged[which.has_index], which) for which in (old, new))
    refused, broken = after.out & ~before.out, after.failed & ~before.failed
    return Compared(
        batch=staged[new.has_index].id,
        rows=len(refused),
        old=before.held,
        new=after.held,
        newly_refused=int(refused.sum()),
        newly_passed=int((before.out & ~after.out).sum()),
        newly_broken=int(broken.sum()),
        by=tuple(_refusals(before, after, refused if before.passed else broken)),
    )


def _staged(delivery: Any, folder: Path, keep_index: bool) -> Staged:
    """A delivery as contracts see it that declare an index, or as those that do not."""
    place = folder / ("index" if keep_index else "columns")
    place.mkdir()
    return intake.stage(delivery, place, keep_index=keep_index)


@dataclass(frozen=True, slots=True)
class _Look:
    """A verdict, which rows broke a clause, and the reasons."""

    verdict: Verdict
    failed: npt.NDArray[np.bool_]
    reasons: Any

    @property
    def passed(self) -> bool:
        return self.verdict.passed

    @property
    def out(self) -> npt.NDArray[np.bool_]:
        """For each row whether it would stay out; shape (rows,)."""
        return self.failed if self.passed else np.ones_like(self.failed)

    @property
    def held(self) -> Held:
        decision = Decision.PUBLISH if self.passed else Decision.QUARANTINE
        return Held(decision.value, int(self.out.sum()))


def _looked(staged: Staged, contract: Contract) -> _Look:
    """What a contract says of a batch."""
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
    verdict = decide(observation, {}, contract)
    return _Look(verdict, observation.checked.failed, observation.checked.reasons)


def _refusals(before: _Look, after: _Look, wanted: npt.NDArray[np.bool_]) -> Iterator[Refusal]:
    """What of the new contract refuses rows, the heaviest first; of a whole batch also what the old one set aside."""
    shuts = before.passed and not after.passed
    told = {_place(reason) for reason in before.reasons.to_pylist() if reason["row"] is None}
    told |= {(item.check, item.message, item.column) for item in _alarms(before)}
    found: dict[_Place, list[tuple[int | None, str | None]]] = {}
    for reason in after.reasons.to_pylist():
        place = _place(reason)
        of_table = reason["row"] is None
        if shuts or (not after.passed and place not in told if of_table else wanted[reason["row"]]):
            found.setdefault(place, []).append((reason["row"], reason["key"]))
    for place, rows in sorted(found.items(), key=lambda item: -len(item[1])):
        blamed = [(row, key) for row, key in rows if row is not None]
        examples = tuple(f"row {row}" if key is None else key for row, key in blamed[:_EXAMPLES])
        yield Refusal(*place, len(blamed) or None, examples)
    for alarm in _alarms(after):
        if (alarm.check, alarm.message, alarm.column) not in told:
            yield Refusal(alarm.check, alarm.message, alarm.column, None)


def _place(reason: dict[str, Any]) -> _Place:
    return reason["check"], reason["rule"], reason["column"]


def _alarms(look: _Look) -> Iterator[Finding]:
    """What shuts a batch out besides clauses."""
    return (item for item in look.verdict.findings if item.kind == "alarm" and item.severity is Severity.CRITICAL)
