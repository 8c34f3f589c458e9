"""The Run: one batch's way through the gate, and the only source of metrics and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tidegate_contracts.batch import Window, iso, parse_iso
from tidegate_contracts.errors import Halted
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.breaker import Decision, State
from tidegate_monitors.finding import Finding

FORMAT = 1
SILENT = "silent_monitor"
"""The finding of a batch of which a monitor could say nothing."""
_WOULD = {
    "publish": "published",
    "quarantine": "quarantined",
    "hold": "held",
    "halt": "stopped without a verdict",
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows went; delivered = published + quarantined + held, always.

    Attributes:
        delivered: Rows in.
        published: Rows that readers may use.
        quarantined: Rows set aside, or all of a refused batch.
        held: Rows that wait for the breaker to close.
    """

    delivered: int
    published: int = 0
    quarantined: int = 0
    held: int = 0

    def __post_init__(self) -> None:
        if self.delivered != self.published + self.quarantined + self.held:
            raise AssertionError(f"rows were lost or doubled: {self}")

    def to_dict(self) -> dict[str, int]:
        """As JSON values."""
        return {
            "in": self.delivered,
            "published": self.published,
            "quarantined": self.quarantined,
            "held": self.held,
        }

    @classmethod
    def from_dict(cls, data: dict[str, int]) -> Rows:
        """Read what :meth:`to_dict` wrote."""
        return cls(data["in"], data["published"], data["quarantined"], data["held"])


@dataclass(frozen=True, slots=True)
class Run:
    """What happened to one batch.

    Attributes:
        id: A UUID.
        dataset: The contract's name.
        batch: The batch's id.
        contract_version: The contract it was held against.
        contract_sha256: The identity of that contract.
        decision: Publish, quarantine or hold.
        state: The breaker after this batch.
        verified: Whether every monitor gave its answer; if not, nothing is known of the rows.
        counts: Where the rows went.
        findings: All violations and alarms.
        reference: The sha256 of the reference it was held against, or None.
        at: The batch's time for the breaker, in UTC.
        window: Its event times.
        seconds: How long it took.
        files: The published files: the batch, then what was released or replayed later; empty unless published.
        casts: What was done to the representation of which column, no value being another one after.
        coerced: How many values the schema's own ``coerce`` gave another type, by column.
        repeated: Whether these bytes had been decided on before, so that nothing was done.
        would: What would have become of it, where the contract is in shadow: ``publish``, ``quarantine``, ``hold``, or
            ``halt`` where there would have been no verdict; None where the decision is what it says.
        revision: Which revision of the batch it is: 1, or more where others were published under its id before.
        key: The name under which other bytes of a known id are kept beside it, ``ID~HASH``; None for the id itself.
        frame: What the caller brought: ``pandas``, ``polars`` or ``arrow``; ``arrow`` for files.
    """

    id: str
    dataset: str
    batch: str
    contract_version: str
    contract_sha256: str
    decision: Decision
    state: State
    verified: bool
    counts: Rows
    findings: tuple[Finding, ...]
    reference: str | None
    at: datetime
    window: Window | None
    seconds: float
    files: tuple[Path, ...] = ()
    casts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    coerced: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    repeated: bool = field(default=False, compare=False)
    would: str | None = None
    revision: int = 1
    key: str | None = None
    frame: str = field(default="arrow", compare=False)

    @property
    def published(self) -> Path | None:
        """The published batch; None unless published."""
        return self.files[0] if self.files else None

    def require_published(self) -> Run:
        """This run, if its batch was published.

        Raises:
            Halted: It was quarantined or held.
        """
        if self.decision is Decision.PUBLISH:
            return self
        worst = next((f for f in self.findings if f.severity is Severity.CRITICAL), None)
        word = "held" if self.decision is Decision.HOLD else "quarantined"
        what = f"batch {self.batch!r} of {self.dataset!r} was {word}"
        found = f"{worst.check}: {worst.message}" if worst else f"the breaker is {self.state.value}"
        raise Halted(what, found=found, hint=f"tidegate quarantine show {self.dataset} {self.key or self.batch}")

    @property
    def caution(self) -> str | None:
        """What whoever reads the published rows must know: in shadow, or unverified; None where the gate vouches."""
        failed = next((finding.message for finding in self.findings if finding.check == SILENT), None)
        worst = next((finding.check for finding in self.findings if finding.severity is Severity.CRITICAL), None)
        why = f": {worst or failed}" if worst or failed else ""
        if self.would is not None:
            return f"shadow: would have been {_WOULD[self.would]}{why}"
        return None if self.verified else f"unverified{why}"

    def rows(self) -> Any:
        """The published rows, as the kind of frame that was brought (a ``pyarrow.Table`` for files).

        Raises:
            Halted: Nothing was published.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(
            [pq.read_table(path) for path in self.require_published().files], promote_options="permissive"
        )
        if self.frame == "pandas":
            return table.to_pandas()
        if self.frame == "polars":
            import polars as pl

            return pl.from_arrow(table)
        return table

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``gate``."""
        return {
            "format": FORMAT,
            "dataset": self.dataset,
            "batch": self.batch,
            "contract": {"version": self.contract_version, "sha256": self.contract_sha256},
            "decision": self.decision.value,
            "state": self.state.value,
            "verified": self.verified,
            "would": self.would,
            "revision": self.revision,
            "key": self.key,
            "rows": self.counts.to_dict(),
            "findings": [finding.to_dict() for finding in self.findings],
            "casts": dict(self.casts),
            "coerced": dict(self.coerced),
            "reference": self.reference,
            "run": self.id,
            "at": iso(self.at),
            "window": [iso(self.window.start), iso(self.window.end)] if self.window else None,
            "seconds": round(self.seconds, 6),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, files: tuple[Path, ...] = (), frame: str = "arrow") -> Run:
        """Read what :meth:`to_dict` wrote."""
        at = parse_iso(data["at"])
        bounds = [parse_iso(text) for text in data["window"]] if data["window"] else [None, None]
        if at is None:
            raise ValueError("a run without a time")
        return cls(
            id=data["run"],
            dataset=data["dataset"],
            batch=data["batch"],
            contract_version=data["contract"]["version"],
            contract_sha256=data["contract"]["sha256"],
            decision=Decision(data["decision"]),
            state=State(data["state"]),
            verified=data["verified"],
            counts=Rows.from_dict(data["rows"]),
            findings=tuple(finding_from(item) for item in data["findings"]),
            reference=data["reference"],
            at=at,
            window=Window(bounds[0], bounds[1]) if bounds[0] and bounds[1] else None,
            seconds=data["seconds"],
            files=files,
            casts=MappingProxyType(data.get("casts", {})),
            coerced=MappingProxyType(data.get("coerced", {})),
            would=data.get("would"),
            revision=data.get("revision", 1),
            key=data.get("key"),
            frame=frame,
        )


def key_beside(key: str) -> str | None:
    """A batch's key in the ledger, where it is not its id; None where it is."""
    return key if "~" in key else None


def finding_from(data: dict[str, Any]) -> Finding:
    """A violation or an alarm from its JSON."""
    return Violation.from_dict(data) if data["kind"] == "violation" else Alarm.from_dict(data)
