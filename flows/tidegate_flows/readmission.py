"""The way back from quarantine: release (somebody signs), replay (checked again), discard (somebody lets go)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection

from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.check import Checked, check
from tidegate_contracts.coercion import coerced
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import TidegateError, UsageError
from tidegate_contracts.load import load_contract
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_flows import intake
from tidegate_flows.held import go_on
from tidegate_flows.intake import Staged, UnreadableError
from tidegate_flows.ledger import audit, batches, breakers, runs
from tidegate_flows.ledger.batches import Claim
from tidegate_flows.ledger.runs import Move
from tidegate_flows.passage import Hand, stored
from tidegate_flows.place import Place
from tidegate_flows.publish import Kept, Leftover, moves_for_return
from tidegate_flows.quarantine import kept_row
from tidegate_flows.recover import recover
from tidegate_flows.rejudge import circumstances, claimed, judge_again, last_contract, stage_kept
from tidegate_flows.revising import Target, supersede, target_of
from tidegate_flows.signature import require_signature
from tidegate_flows.stores.local import copy_hashed, writing
from tidegate_monitors.breaker import Decision, State
from tidegate_monitors.run import Rows, Run, key_beside


def release(place: Place, dataset: str, batch: str, *, by: str, reason: str, contract: str | Path | None = None) -> Run:
    """Publish what was kept back, as it is, because somebody stands for it.

    Raises:
        UsageError: It is not there, cannot be read, or has cells that have no value under the contract.
    """
    require_signature(by, reason)
    recover(place, dataset)
    row, loaded = kept_row(place, dataset, batch), _contract(place, dataset, contract)
    with claimed(place, row) as claim, place.store.workspace() as folder:
        if claim.rewritten:
            raise UsageError(
                f"{batch!r} stands for other bytes under a known id",
                hint="deliver it under an id of its own, or gate it with --supersede --by WHO --reason WHY",
            )
        candidate = _candidate(place, row, loaded, folder)
        if candidate.unparsed:
            raise UsageError(
                f"batch {batch!r} has cells that are text of no declared type",
                found=", ".join(sorted(candidate.unparsed)),
                hint="mend them at the source and deliver the batch again",
            )
        everything = np.ones(candidate.rows, dtype=bool)
        run = _readmit(place, claim, row, loaded, candidate, everything, None, folder, Hand(by, reason))
    go_on(place, loaded)
    return run


def replay(place: Place, dataset: str, batch: str, *, by: str, reason: str, contract: str | Path | None = None) -> Run:
    """Check what was kept back again, under the contract as it is now; what passes joins what is published.

    A whole batch takes the gate's way again, but moves no breaker: while that is open, a batch that passes is held.
    Rows set aside are checked together with those that were published, so that the whole has no finding.

    Raises:
        UsageError: It is not there, cannot be read, or is part of a published batch while the breaker is open.
    """
    require_signature(by, reason)
    recover(place, dataset)
    row, loaded = kept_row(place, dataset, batch), _contract(place, dataset, contract)
    hand = Hand(by, reason, event="replayed", steps=False)
    if row.decision != Decision.PUBLISH.value:
        run = judge_again(place, loaded, row, place.clock(), hand)
        go_on(place, loaded)
        return run
    with place.ledger.read() as connection:
        _require_closed(dataset, breakers.load(connection, dataset).state)
    with claimed(place, row) as claim, place.store.workspace() as folder:
        candidate = _candidate(place, row, loaded, folder)
        checked = _checked_with_published(place, row, loaded, candidate)
        return _readmit(place, claim, row, loaded, candidate, ~checked.failed, checked, folder, hand)


def _require_closed(dataset: str, state: State) -> None:
    if state is not State.CLOSED:
        raise UsageError(
            f"the breaker of {dataset!r} is {state.value}, and a replay publishes",
            hint="close it first, or release the rows: then you sign for them",
        )


def discard(place: Place, dataset: str, batch: str, *, by: str, reason: str) -> None:
    """Delete what was kept back; the ledger remembers that it was there, and who let it go.

    Raises:
        UsageError: It is not there.
    """
    require_signature(by, reason)
    recover(place, dataset)
    row = kept_row(place, dataset, batch)
    with claimed(place, row) as claim:
        folder = place.store.place(dataset, "quarantine") / row.batch
        moves = [Move(place.store.relative(folder), place.store.relative(place.store.staging / uuid4().hex / "gone"))]
        with place.ledger.begin() as connection:
            batches.settle(connection, claim, row.run)
            runs.discard(connection, row.run, moves)
            audit.append(
                connection, dataset, "batch.discarded", at=place.clock(), batch=batch, run=row.run, by=by, reason=reason
            )
    recover(place, dataset)
    with suppress(TidegateError):  # a contract that cannot be loaded now keeps nobody from discarding
        if (loaded := last_contract(place, dataset)) is not None:
            go_on(place, loaded)


def _contract(place: Place, dataset: str, contract: str | Path | None) -> Contract:
    loaded = load_contract(contract) if contract is not None else last_contract(place, dataset)
    if loaded is None:
        raise UsageError(f"the contract file of {dataset!r} is not known, or gone", hint="name it with --contract")
    if loaded.name != dataset:
        raise UsageError("--contract", found=f"the contract of {loaded.name!r}", allowed=f"that of {dataset!r}")
    return loaded


def _candidate(place: Place, row: Any, contract: Contract, folder: Path) -> Batch:
    """The kept rows: the whole batch, or those set aside from a published one."""
    try:
        if row.decision != Decision.PUBLISH.value:
            batch = intake.decode(stage_kept(place, row, folder), contract)
        else:
            text = json.loads(row.source)["suffix"] != ".parquet"
            batch = intake.decode(_stage_rows(place, row, folder), contract, text=text)
        batch, conversions = coerced(batch, contract)
        refused = {name: item.rows for name, item in conversions.refused.items() if item.rows is not None}
        return replace(batch, unparsed={**batch.unparsed, **refused})
    except UnreadableError as error:
        raise UsageError(f"batch {row.batch!r} cannot be read", found=str(error), hint="discard it") from error


def _stage_rows(place: Place, row: Any, folder: Path) -> Staged:
    path = place.store.place(row.dataset, "quarantine") / row.batch / "rows.parquet"
    with writing(path), path.open("rb") as source:
        digest, size = copy_hashed(source, folder / "batch.parquet")
    return Staged(folder / "batch.parquet", Source(path.name, ".parquet", digest, size), row.batch)


def _checked_with_published(place: Place, row: Any, contract: Contract, candidate: Batch) -> Checked:
    """What the contract says of the candidate's rows beside those that are published; rows numbered as delivered."""
    parts = [pq.read_table(place.store.root / path) for path in json.loads(row.files)]
    before = sum(part.num_rows for part in parts)
    together = pa.concat_tables([*parts, candidate.table], promote_options="permissive")
    unparsed = {name: rows + before for name, rows in candidate.unparsed.items()}
    known = circumstances(place, contract, row)
    whole = check(replace(candidate, table=together, delivered=together, unparsed=unparsed), contract, known)
    structural = any(item.failed is None and item.severity is Severity.CRITICAL for item in whole.violations)
    refused = whole.inseparable or structural
    failed = whole.failed[before:] | refused
    return replace(whole, failed=failed, reasons=_as_delivered(whole.reasons, before, _positions(place, row)))


def _positions(place: Place, row: Any) -> npt.NDArray[np.int64]:
    """The positions, in the batch as delivered, of the rows that were set aside from it."""
    path = place.store.place(row.dataset, "quarantine") / row.batch / "reasons.parquet"
    return np.unique(pq.read_table(path, columns=["row"]).column("row").drop_null().to_numpy())


def _as_delivered(reasons: Any, before: int, positions: npt.NDArray[np.int64]) -> Any:
    """Reasons of the rows from ``before`` on, renumbered; those of the table as a whole stay."""
    rows = reasons.column("row")
    reasons = reasons.filter(pc.or_kleene(pc.is_null(rows), pc.greater_equal(rows, before)))
    places = pc.subtract(reasons.column("row"), before)
    return reasons.set_column(0, "row", pa.chunked_array([pa.array(positions, pa.int64())]).take(places))


def _readmit(
    place: Place,
    claim: Claim,
    row: Any,
    contract: Contract,
    candidate: Batch,
    passing: npt.NDArray[np.bool_],
    checked: Checked | None,
    folder: Path,
    hand: Hand,
) -> Run:
    """Publish the passing rows beside what is published, and keep the others back with their reasons."""
    old, kept_source = stored(place, row.run), runs.source_of(row)
    count = int(passing.sum())
    if not count and candidate.rows:
        with place.ledger.begin() as connection:
            batches.give_up(connection, claim)
        return old
    rest = Leftover(candidate.delivered.filter(~passing), checked.reasons) if checked and not passing.all() else None
    violations: tuple[Violation, ...] = checked.violations if rest is not None and checked is not None else ()
    findings = old.findings if row.decision != Decision.PUBLISH.value else (*violations, *_alarms(old))
    with place.ledger.begin() as connection:
        state = breakers.load(connection, row.dataset).state
        if checked is not None:
            _require_closed(row.dataset, state)  # somebody may have opened it meanwhile
        files = json.loads(row.files)
        target = target_of(connection, claim, Decision.PUBLISH)
        target = replace(target, stem=Path(files[0]).stem, revision=row.revision) if files else target
        run = replace(_back(old, count, findings, contract, target), state=state, at=place.clock())
        as_it_came = passing.all() and row.decision != Decision.PUBLISH.value and kept_source.suffix == ".parquet"
        whole = folder / "batch.parquet" if as_it_came else None
        rows = candidate.table.filter(passing)
        kept = Kept(target, kept_source, name=_name(connection, row.dataset, target, files))
        moves, name = moves_for_return(folder, place.store, run, kept, rows, whole, rest)
        batches.settle(connection, claim, run.id, target.key)
        runs.readmit(connection, row, run, moves, [*files, name], place.seconds, batch=target.key)
        supersede(connection, claim, target, run)
        audit.append(
            connection,
            row.dataset,
            f"batch.{hand.event}",
            at=run.at,
            batch=run.batch,
            run=run.id,
            by=hand.by,
            reason=hand.reason,
        )
    recover(place, row.dataset)
    return stored(place, run.id)


def _back(old: Run, count: int, findings: tuple[Any, ...], contract: Contract, target: Target) -> Run:
    """A run that publishes so many more of an old one's rows."""
    return replace(
        old,
        id=str(uuid4()),
        decision=Decision.PUBLISH,
        counts=_counts(old.counts, count),
        findings=findings,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        revision=target.revision,
        would=None,
        key=key_beside(target.key),
    )


def _name(connection: Connection, dataset: str, target: Target, files: list[str]) -> str:
    """What the file of rows that come back is called: as no file of another batch is."""
    if not files:
        return target.stem
    number = len(files)
    while batches.is_known(connection, dataset, f"{target.stem}.r{number}"):
        number += 1
    return f"{target.stem}.r{number}"


def _counts(old: Rows, count: int) -> Rows:
    back = old.quarantined + old.held - count
    return Rows(old.delivered, published=old.published + count, quarantined=back)


def _alarms(run: Run) -> tuple[Any, ...]:
    return tuple(finding for finding in run.findings if finding.kind != "violation")
