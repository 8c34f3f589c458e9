"""The view of a file that is only looked at: checked as ``tidegate check`` does, and nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from tidegate_contracts.batch import Window
from tidegate_contracts.contract import Contract
from tidegate_flows import intake
from tidegate_flows.circumstances import gather
from tidegate_flows.intake import Staged, UnreadableError
from tidegate_flows.pages.verdict_view import Approval, VerdictView
from tidegate_flows.passage import observed, unreadable
from tidegate_flows.place import now_utc
from tidegate_flows.report.facets import column_lines, reason_lines, shapes
from tidegate_flows.ruling import Case, rule
from tidegate_flows.signals import ask_upstream
from tidegate_flows.stopwatch import Stopwatch
from tidegate_monitors.breaker import Breaker, State
from tidegate_monitors.reference import Reference
from tidegate_monitors.run import Rows, Run
from tidegate_monitors.verdict import Observation, Verdict, decide


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen.

    Attributes:
        view: For people.
        passed: Whether nothing critical was found.
        table: The rows as a ``pyarrow.Table``; None where they cannot be read.
    """

    view: VerdictView
    passed: bool
    table: Any


@dataclass(frozen=True, slots=True)
class _Seen:
    staged: Staged
    observation: Observation
    window: Window | None
    now: datetime
    watch: Stopwatch


def looked(
    delivery: str, contract: Contract, reference: Reference | None, *, as_of: datetime | str | None = None
) -> Looked:
    """Hold a file, a folder of part files or a URL against a contract and a reference.

    Raises:
        UsageError: There is no such batch.
        StoreError: What the contract refers to cannot be read.
        MonitorError: A check or statistic raised.
    """
    with TemporaryDirectory(prefix="tidegate-") as folder:
        seen = _seen(delivery, contract, reference, as_of, Path(folder))
    verdict = decide(seen.observation, {}, contract)
    return Looked(_view(seen, verdict, delivery, contract, reference), verdict.passed, seen.observation.checked.table)


def _seen(
    delivery: str, contract: Contract, reference: Reference | None, as_of: datetime | str | None, folder: Path
) -> _Seen:
    watch, now = Stopwatch(), now_utc()
    staged = intake.stage(delivery, folder, keep_index=contract.has_index)
    watch.over("stage")
    try:
        batch = intake.decode(staged, contract)
    except UnreadableError as error:
        return _Seen(staged, unreadable(str(error)), None, now, watch)
    watch.over("decode")
    now = intake.as_of(as_of, batch, now)
    answers = ask_upstream(contract, delivery, staged.id)
    known = gather(contract, now=now, upstream=answers, delivered=batch.rows)
    observation = observed(batch, contract, reference, known, watch=watch)
    watch.over("compare")
    return _Seen(staged, observation, batch.window, now, watch)


def _view(seen: _Seen, verdict: Verdict, delivery: str, contract: Contract, reference: Reference | None) -> VerdictView:
    current = seen.observation.profile.columns
    return VerdictView(
        run=_run(seen, verdict, contract, reference),
        written=now_utc(),
        stored=False,
        batch=intake.masked(delivery),
        source=seen.staged.source,
        stages=MappingProxyType(dict(seen.watch.seconds)),
        approval=Approval(len(reference.blocks)) if reference is not None else None,
        columns=column_lines(current, reference, verdict.comparisons),
        shapes=shapes(verdict.findings, current, reference, contract) if reference is not None else {},
        reasons=reason_lines(seen.observation.checked.reasons),
    )


def _run(seen: _Seen, verdict: Verdict, contract: Contract, reference: Reference | None) -> Run:
    """What the gate would have decided with a closed breaker; no ledger has it."""
    readable = seen.observation.checked.table is not None
    case = Case(seen.staged.id, seen.now, verdict.passed, readable, verified=True, steps=True)
    ruling = rule(Breaker(), case, contract, seen.now)
    out = 0 if contract.shadow and readable else verdict.set_aside if verdict.passed else verdict.rows
    return Run(
        id="",
        dataset=contract.name,
        batch=seen.staged.id,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        decision=ruling.decision,
        state=State.CLOSED,
        verified=True,
        counts=Rows(verdict.rows, verdict.rows - out, out),
        findings=verdict.findings,
        reference=reference.sha256 if reference is not None else None,
        at=seen.now,
        window=seen.window,
        seconds=seen.watch.total,
        casts=verdict.casts,
        coerced=verdict.coerced,
        would=ruling.would,
    )
