"""What a decision means on disk: files are prepared before the commit and put in place by renames after it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq

from tidegate_contracts.batch import Batch, Source, iso
from tidegate_contracts.check import Checked
from tidegate_contracts.errors import StoreError
from tidegate_contracts.reasons import SCHEMA
from tidegate_flows.ledger.runs import Move
from tidegate_flows.revising import Target
from tidegate_flows.stores.local import KEEP, LocalStore, sha256_of, sync, write_durably, writing
from tidegate_monitors.breaker import Decision
from tidegate_monitors.run import Run

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """The files of one batch, ready for either decision.

    Attributes:
        staged: The delivery as it came.
        publishable: What readers would get; None where the batch as a whole is refused.
        publishable_sha256: Its hash; None likewise.
        set_aside: A folder with the rows set aside and their reasons; None where there are none.
        refused: A folder with the reasons of a refused or held batch.
    """

    staged: Path
    publishable: Path | None
    publishable_sha256: str | None
    set_aside: Path | None
    refused: Path


def prepare(
    folder: Path,
    staged: Path,
    source: Source,
    batch: Batch | None,
    checked: Checked | None,
    *,
    whole: bool = False,
) -> Prepared:
    """Write everything that may be needed, before it is known whether the breaker is open.

    Args:
        folder: Where.
        staged: The delivery as it came.
        source: Where its bytes came from.
        batch: Its rows; None if it was unreadable.
        checked: What the contract says of them.
        whole: Whether all of it is published if any is, whatever the contract says.
    """
    with writing(folder):
        refused = _new_folder(folder, "whole" if whole else "refused")
        _write_reasons(refused, checked)
        if whole and batch is not None:
            return _prepare_whole(folder, staged, source, batch, refused)
        if batch is None or checked is None or checked.critical:
            return Prepared(staged, None, None, None, refused)
        if checked.as_delivered and source.suffix == ".parquet":
            return Prepared(staged, staged, source.sha256, None, refused)
        publishable = folder / "published.parquet"
        _write_table(publishable, checked.publishable)
        set_aside = None
        if checked.failed.any():
            set_aside = folder / "partial"
            set_aside.mkdir()
            _write_table(set_aside / "rows.parquet", batch.delivered.filter(checked.failed))
            _write_reasons(set_aside, checked)
        return Prepared(staged, publishable, sha256_of(publishable), set_aside, refused)


def _new_folder(folder: Path, name: str) -> Path:
    """A folder of an attempt's own: one before it may have got as far as here, and then a monitor failed."""
    made = folder / name
    while made.exists():
        made = made.with_name(f"{made.name}~")
    made.mkdir()
    return made


def _prepare_whole(folder: Path, staged: Path, source: Source, batch: Batch, refused: Path) -> Prepared:
    """The delivered file itself; of another format its rows, with the text of cells that are of no declared type."""
    if source.suffix == ".parquet":
        return Prepared(staged, staged, source.sha256, None, refused)
    table = batch.table
    for name in batch.unparsed:
        table = table.set_column(table.column_names.index(name), name, batch.delivered.column(name))
    publishable = folder / "whole.parquet"
    _write_table(publishable, table)
    return Prepared(staged, publishable, sha256_of(publishable), None, refused)


def moves_for(
    prepared: Prepared, run: Run, source: Source, place: Target, store: LocalStore
) -> tuple[list[Move], list[str]]:
    """The renames that carry out a decision, and the published files (all relative to the store).

    The manifest is written here, when the run is known; the renames happen only after the commit. What a revision
    supersedes is moved away before the revision is put in place: readers may miss a batch for a moment, but never have
    it twice.
    """
    quarantine = store.place(run.dataset, "quarantine") / place.key
    moves: list[Move] = []
    published: list[str] = []
    with writing(prepared.refused):
        if run.decision is Decision.PUBLISH and prepared.publishable is not None:
            target = store.place(run.dataset, "published") / f"{place.stem}.parquet"
            published.append(store.relative(target))
            if prepared.set_aside is not None:
                _finish(prepared.set_aside, run, source, "partial")
                moves.append(Move(store.relative(prepared.set_aside), store.relative(quarantine)))
            first = prepared.set_aside or prepared.publishable
            moves[:0] = [*_kept_before(place, run, source, first, store)]
            moves += superseded(place, run.dataset, prepared.publishable, store)
            moves.append(Move(store.relative(prepared.publishable), published[0], prepared.publishable_sha256))
        else:
            suffix = source.suffix or ".bin"
            os.link(prepared.staged, prepared.refused / f"batch{suffix}")
            (prepared.refused / f"batch{suffix}").chmod(0o444)
            _finish(prepared.refused, run, source, "held" if run.decision is Decision.HOLD else "quarantined")
            moves += _kept_before(place, run, source, prepared.refused, store)
            moves.append(Move(store.relative(prepared.refused), store.relative(quarantine)))
        write_durably(prepared.refused.parent / KEEP, b"")
        sync(prepared.refused.parent)
    return moves, published


def superseded(place: Target, dataset: str, until: Path, store: LocalStore) -> list[Move]:
    """The renames that take the published files of a superseded revision away, for as long as ``until`` is not in."""
    folder = store.place(dataset, "superseded")
    return [Move(path, store.relative(folder / Path(path).name), until=store.relative(until)) for path in place.files]


def _kept_before(place: Target, run: Run, source: Source, until: Path, store: LocalStore) -> Iterator[Move]:
    """What was kept of the batch before, under either of its keys, makes way; so do revisions that were held."""
    for key in dict.fromkeys((place.key, place.stood or place.key, *(key for key, _ in place.passed_over))):
        yield from _out_of_the_way(store.place(run.dataset, "quarantine") / key, source, until, store)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Rows that stay in quarantine when others leave it.

    Attributes:
        rows: As they were delivered.
        reasons: Why, with positions as delivered.
    """

    rows: Any
    reasons: Any


def moves_for_return(
    folder: Path, store: LocalStore, run: Run, kept: Kept, rows: Any, whole: Path | None, rest: Leftover | None
) -> tuple[list[Move], str]:
    """The renames that bring rows back from quarantine, and the file they are published in.

    Args:
        folder: Where to prepare files.
        store: The store.
        run: The run that speaks for the batch from now on.
        kept: What was kept back.
        rows: The rows that come back.
        whole: The delivered parquet file, where the whole batch comes back as it came; else None.
        rest: What stays; None where nothing does.
    """
    quarantine = store.place(run.dataset, "quarantine") / kept.place.key
    target = store.place(run.dataset, "published") / f"{kept.name}.parquet"
    with writing(folder):
        part = whole if whole is not None else folder / "returned.parquet"
        if whole is None:
            _write_table(part, rows)
        left = folder / "left"
        moves = [*_kept_before(kept.place, run, kept.source, left if rest is not None else part, store)]
        moves += superseded(kept.place, run.dataset, part, store)
        if rest is not None:
            left.mkdir()
            _write_table(left / "rows.parquet", rest.rows)
            _write_table(left / "reasons.parquet", rest.reasons)
            _finish(left, run, kept.source, "partial")
            moves.append(Move(store.relative(left), store.relative(quarantine)))
        moves.append(Move(store.relative(part), store.relative(target), sha256_of(part)))
        write_durably(folder / KEEP, b"")
        sync(folder)
    return moves, store.relative(target)


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch that is kept back, wholly or in part.

    Attributes:
        place: Where it belongs.
        source: Where its bytes came from.
        name: Of the file that its rows are published in.
    """

    place: Target
    source: Source
    name: str


def carry_out(moves: Sequence[Move], store: LocalStore) -> None:
    """Make the renames; those made before are left as they are, so that it may be repeated.

    Raises:
        StoreError: A file is not what was decided on, or cannot be moved.
    """
    for move in moves:
        source, target = store.root / move.source, store.root / move.target
        if move.until is not None and not (store.root / move.until).exists():
            continue  # what it made way for is in place
        if not source.exists() and (move.until is not None or target.is_relative_to(store.staging)):
            continue  # out of the way already, and perhaps deleted
        with writing(target):
            _make_folder(target.parent)
            if not target.exists():
                _verify(source, move.sha256)
                source.rename(target)
                sync(target.parent)
            else:
                _verify(target, move.sha256)
    for folder in {(store.root / path).parent for move in moves for path in (move.source, move.target)}:
        if folder.parent == store.staging:
            shutil.rmtree(folder, ignore_errors=True)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each on disk before the next."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def _verify(path: Path, sha256: str | None) -> None:
    if not path.exists():
        raise StoreError(
            f"{path} is gone", hint="it was decided on but never put in place; restore it, then run recover"
        )
    if sha256 is not None and sha256_of(path) != sha256:
        raise StoreError(f"{path} is not the file that was checked", found=sha256_of(path), allowed=sha256)


def _out_of_the_way(quarantine: Path, source: Source, until: Path, store: LocalStore) -> list[Move]:
    """An earlier decision on the same batch makes room for the new one; other bytes under its id are kept."""
    if not quarantine.exists():
        return []
    manifest = json.loads((quarantine / "manifest.json").read_bytes())
    if manifest["sha256"] == source.sha256:
        target = store.staging / uuid4().hex / quarantine.name
    else:
        name = f"{quarantine.name}~{manifest['sha256'][:12]}-{manifest['run'][:8]}"
        target = quarantine.parent.parent / "superseded" / name
    return [Move(store.relative(quarantine), store.relative(target), until=store.relative(until))]


def _write_table(path: Path, table: Any) -> None:
    pq.write_table(table, path, write_page_checksum=True)
    sync(path)


def _write_reasons(folder: Path, checked: Checked | None) -> None:
    _write_table(folder / "reasons.parquet", checked.reasons if checked is not None else SCHEMA.empty_table())


def _finish(folder: Path, run: Run, source: Source, state: str) -> None:
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    manifest = {
        "format": FORMAT,
        "dataset": run.dataset,
        "batch": run.batch,
        "state": state,
        "decision": run.decision.value,
        "verified": run.verified,
        "would": run.would,
        "revision": run.revision,
        "run": run.id,
        "contract": {"version": run.contract_version, "sha256": run.contract_sha256},
        "reference": run.reference,
        "source": source.name,
        "sha256": source.sha256,
        "bytes": source.bytes,
        "rows": run.counts.to_dict(),
        "received_at": iso(run.at),
        "findings": [finding.to_dict() for finding in run.findings],
        "files": files,
    }
    write_durably(folder / "manifest.json", json.dumps(manifest, indent=2).encode())
    sync(folder)
