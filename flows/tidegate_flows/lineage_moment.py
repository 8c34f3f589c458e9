"""One event of a batch's way, as it is told to OpenLineage's receiver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from tidegate_flows.lineage_place import Named
from tidegate_monitors.run import Run

Kind: TypeAlias = Literal["START", "COMPLETE", "FAIL"]


@dataclass(frozen=True, slots=True)
class Assertion:
    """What was checked, and whether it held.

    Attributes:
        check: Its name in the catalogue; ``contract`` for all violations together.
        success: Whether it held.
        column: Of which column; None for the batch.
        severity: ``error``, ``warn`` or ``info``; None where it held.
        score: How far it is off, in the check's own unit; None where it held, or is counted in rows.
        threshold: The score above which it is told; None where there is no score.
        failed: How many rows broke it; None where it is no clause that rows break.
    """

    check: str
    success: bool
    column: str | None = None
    severity: str | None = None
    score: float | None = None
    threshold: float | None = None
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a batch's way.

    Attributes:
        kind: Which.
        run: The UUID by which its events belong together.
        at: When, in UTC.
        namespace: The job's.
        dataset: The contract's name.
        source: What came.
        columns: Name, type and meaning of the declared columns.
        batch: Its id, where it is known.
        verdict: The run; None before there is one.
        assertions: What was checked.
        outputs: Where the rows went.
        error: Why there is no verdict.
    """

    kind: Kind
    run: str
    at: datetime
    namespace: str
    dataset: str
    source: Named
    columns: tuple[tuple[str, str, str | None], ...]
    batch: str | None = None
    verdict: Run | None = None
    assertions: tuple[Assertion, ...] = ()
    outputs: tuple[Named, ...] = ()
    error: str | None = None
