"""What a page of a verdict shows: a run, and what is known besides of the batch that it decided on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from tidegate_contracts.batch import Source
from tidegate_contracts.severity import Severity
from tidegate_flows.pages.shape import Shape
from tidegate_monitors.breaker import Breaker, Decision
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.finding import Finding
from tidegate_monitors.run import SILENT, Run


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column in the reference and in the batch.

    Attributes:
        name: The column; None for the table as a whole.
        missing: The share of rows without a value, in the reference and now; None where it is not known.
        worst: The statistic that came nearest to its threshold, or above; None where none was judged.
    """

    name: str | None
    missing: tuple[float | None, float | None]
    worst: Comparison | None


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """Rows that broke one clause.

    Attributes:
        check: The catalogue's name for what is wrong.
        rule: The clause.
        column: The column concerned, or None for the table.
        rows: How many; None where it is about the table as a whole.
    """

    check: str
    rule: str
    column: str | None
    rows: int | None


@dataclass(frozen=True, slots=True)
class Approval:
    """Who put the reference in force.

    Attributes:
        blocks: How many batches it is made of.
        by: Who approved it; None where nobody has.
        at: When, as the ledger has it.
    """

    blocks: int
    by: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody who stands for a batch as it is.

    Attributes:
        event: What they had done: ``released``, ``replayed`` or ``superseded``.
        by: Who.
        reason: Why; None where they gave none, as for what a breaker let go when they closed it.
        at: When, as the ledger has it; None where that is not known.
        part: Whether it was about rows of a batch that was published without them.
    """

    event: str
    by: str
    reason: str | None = None
    at: str | None = None
    part: bool = False


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict and what is known of its batch.

    Attributes:
        run: What was decided. Of a look that nothing is kept of, what a closed breaker would have decided.
        written: When this was put together, in UTC.
        stored: Whether the ledger has it; False for a look.
        contract: The contract as the reader may name it in a command.
        batch: The batch as the reader may name it in a command: its id, or its file.
        store: The store as the reader may name it; None where commands find it by themselves.
        changed: Whether the contract has changed since.
        discarded: Whether what was kept back was deleted by hand.
        breaker: The breaker as it is now; None for a look.
        signed: Who had it, or rows of it, come back from quarantine; None where nobody had.
        revised: Who has it supersede what was delivered before under its id; None where nobody has.
        source: Where the bytes came from; None where that is not known.
        stages: Seconds by stage, where they are known.
        approval: Of the reference.
        columns: The worst first.
        shapes: By column that findings name, its values in the reference and in the batch.
        unseen: Why no column is drawn; empty where some are, or none is to be.
        reasons: Rows by clause, the heaviest first.
        unread: Why reasons are not counted; empty where they are.
        evidently: The file beside this page that has Evidently's report; None for none.
        alone: Why that tells of the batch alone, and not of the reference; empty where it tells of both.
    """

    run: Run
    written: datetime
    stored: bool = True
    contract: str = "CONTRACT"
    batch: str = ""
    store: str | None = None
    changed: bool = False
    discarded: bool = False
    breaker: Breaker | None = None
    signed: Signed | None = None
    revised: Signed | None = None
    source: Source | None = None
    stages: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    approval: Approval | None = None
    columns: Sequence[ColumnLine] = ()
    shapes: Mapping[str, Shape] = field(default_factory=lambda: MappingProxyType({}))
    unseen: str = ""
    reasons: Sequence[ReasonLine] = ()
    unread: str = ""
    evidently: str | None = None
    alone: str = ""

    @property
    def kind(self) -> str:
        """``published``, ``partial``, ``quarantined``, ``held`` or ``discarded``."""
        if self.discarded and self.run.decision is not Decision.PUBLISH:
            return "discarded"
        if self.run.decision is Decision.PUBLISH:
            return "partial" if self.run.counts.quarantined else "published"
        return "quarantined" if self.run.decision is Decision.QUARANTINE else "held"

    @property
    def look(self) -> str:
        """How bad it is: ``critical``, ``warning`` or ``sound``."""
        if self.kind in ("quarantined", "discarded"):
            return "critical"
        if self.kind != "published" or self.run.caution is not None or self.loud:
            return "warning"
        return "sound"

    @property
    def findings(self) -> list[Finding]:
        """All findings, the worst first, those of monitors that could not answer before all."""
        return sorted(self.run.findings, key=lambda one: (one.check != SILENT, -one.severity.rank))

    @property
    def loud(self) -> list[Finding]:
        """Findings that ask for somebody."""
        return [one for one in self.findings if one.severity is not Severity.INFO]

    @property
    def critical(self) -> list[Finding]:
        """Findings that refuse a batch, unless somebody or the shadow lets it pass."""
        return [one for one in self.findings if one.severity is Severity.CRITICAL]


def worst_of(comparisons: Sequence[Comparison]) -> dict[str | None, Comparison]:
    """By column the comparison that came nearest to its threshold, or above; None is the table."""
    found: dict[str | None, Comparison] = {}
    for one in comparisons:
        ratio = one.ratio
        if ratio is not None and ratio > (known.ratio or 0.0 if (known := found.get(one.column)) else -1.0):
            found[one.column] = one
    return found
