"""Build, approve and load references."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidegate_contracts.batch import Batch
from tidegate_contracts.check import check
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_contracts.severity import Severity
from tidegate_flows import intake
from tidegate_flows.circumstances import gather
from tidegate_flows.intake import Staged, UnreadableError
from tidegate_flows.labelled_blocks import known_labels, labelled_share, scored_rows, with_cohorts
from tidegate_flows.ledger import references, runs
from tidegate_flows.place import Place
from tidegate_flows.report.reference_sample import ReferenceSample
from tidegate_flows.signature import require_signature
from tidegate_flows.stores.local import replace_durably, writing
from tidegate_monitors.block import Block
from tidegate_monitors.breaker import Decision
from tidegate_monitors.cells import Kind
from tidegate_monitors.compare import detectable_shifts, reachable
from tidegate_monitors.layout import Layout, no_longer_held
from tidegate_monitors.levels import effective_rows
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import BLOCKS_MINIMUM, Reference


def build(
    place: Place, contract: Contract, deliveries: Sequence[str | Path], labels: Sequence[str | Path] = ()
) -> Reference:
    """Build a reference from batches, one block each, and keep it unapproved.

    A batch is a file, or the id of a batch that was published here. Each must keep the contract: a batch that breaks
    it is refused. Rows that fail within its tolerance count, as they do in every batch that is held against it. Labels
    that the batches have themselves, or that come in files of their own, tell how predictions lay to labels then.

    Args:
        place: Where it is kept.
        contract: What the batches promised.
        deliveries: The batches.
        labels: Files with the key and label of their rows.

    Raises:
        UsageError: A batch is not there, is named twice, or breaks the contract.
        StoreError: The reference cannot be kept.
    """
    if len(deliveries) < BLOCKS_MINIMUM:
        raise UsageError(
            "too few batches for a reference",
            found=len(deliveries),
            allowed=f"{BLOCKS_MINIMUM} or more",
            hint="a folder is one batch: name its files, FOLDER/*.parquet" if deliveries else None,
        )
    layout = Layout.of((_kept(place, contract, item) for item in deliveries), contract)
    known = known_labels(place, contract, labels)
    blocks, scored = [], {}
    sample = ReferenceSample(contract, len(deliveries))
    for item in deliveries:
        batch = _kept(place, contract, item)
        blocks.append(Block(batch.id, batch.window, Profile.of(batch.table, layout)))
        sample.add(batch.table)
        rows = scored_rows(batch, contract, known)
        if rows is not None:
            scored[batch.id] = rows
    prints = [str(block.profile.fingerprint) for block in blocks]
    same = sorted({b.batch for b, p in zip(blocks, prints, strict=True) if prints.count(p) > 1 and b.profile.rows})
    if same:
        raise UsageError("batches with the same rows", found=", ".join(same), allowed="each batch once")
    twice = sorted({block.batch for block in blocks if sum(other.batch == block.batch for other in blocks) > 1})
    if twice:
        raise UsageError("batches named twice", found=", ".join(twice))
    bare = Reference(contract.name, contract.sha256, layout, tuple(sorted(blocks, key=_order)))
    reference = with_cohorts(bare, scored, contract)
    path = _path(place, contract.name, reference.sha256)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, json.dumps(reference.to_dict(), ensure_ascii=True).encode())
    sample.write(place, contract.name, reference.sha256)
    with place.ledger.begin() as connection:
        references.add(connection, contract.name, reference.sha256, len(blocks), place.clock())
    return reference


def approve(place: Place, dataset: str, sha256: str, *, by: str, reason: str) -> str:
    """Put a reference in force, for stated reasons; gives its whole hash.

    Raises:
        UsageError: No reference, or more than one, has a hash that begins so; or nobody is named.
    """
    require_signature(by, reason)
    with place.ledger.begin() as connection:
        return references.approve(connection, dataset, sha256, by=by, reason=reason, at=place.clock())


def approved(place: Place, contract: Contract) -> Reference | None:
    """The reference in force for a contract's dataset, or None."""
    with place.ledger.read() as connection:
        sha256 = references.in_force(connection, contract.name)
    if sha256 is None:
        return None
    reference = _verified(_path(place, contract.name, sha256), sha256)
    strange = no_longer_held(reference.layout, contract)
    if strange:
        raise UsageError(
            f"the reference in force for {contract.name!r} has columns that its contract has no longer, or has as "
            f"personal data, of another kind or for later",
            found=", ".join(strange),
            hint="build and approve a reference under the new contract",
        )
    return reference


def load(place: Place, dataset: str, sha256: str) -> Reference:
    """The reference of a dataset whose hash begins so.

    Raises:
        UsageError: There is none, or more than one.
    """
    with place.ledger.read() as connection:
        found = references.find(connection, dataset, sha256)
    return _verified(_path(place, dataset, found["sha256"]), found["sha256"])


def read(path: Path) -> Reference:
    """A reference from its file.

    Raises:
        UsageError: There is no such file, or it is no reference.
        StoreError: It cannot be read.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError("no reference file", found=str(path)) from error
    except UnicodeDecodeError as error:
        raise UsageError("this file is no reference", found=str(path)) from error
    except json.JSONDecodeError as error:
        raise UsageError("this file is no reference", found=f"{path}: {error}") from error
    except OSError as error:
        raise StoreError(f"the reference {path} cannot be read", found=error.strerror) from error
    if not isinstance(data, dict):
        raise UsageError("this file is no reference", found=str(path))
    return Reference.from_dict(data)


@lru_cache(maxsize=8)
def _verified(path: Path, sha256: str) -> Reference:
    """A reference of the store, held against its hash; files named by their hash never change."""
    reference = read(path)
    if reference.sha256 != sha256:
        raise StoreError(f"the reference {path} was changed", found=reference.sha256, allowed=sha256)
    return reference


def describe(reference: Reference, contract: Contract) -> dict[str, Any]:
    """What a gate with this reference can and cannot see: the JSON of ``reference build``."""
    shifts = detectable_shifts(reference, contract, np.random.default_rng(0))
    effective = effective_rows(reference, contract)
    return {
        "format": 1,
        "dataset": reference.dataset,
        "reference": reference.sha256,
        "blocks": len(reference.blocks),
        "rows": reference.pooled.rows,
        "achievable_one_in": reference.achievable_one_in(contract),
        "season_covered": reference.season_covered(contract),
        "labelled_share": labelled_share(reference),
        "columns": [
            {
                "column": name,
                "minimum_detectable_shift": shifts[name],
                "reachable": (shifts[name] or 0.0) <= reachable(reference, name),
                "unit": "sd" if reference.layout.cells[name].kind is Kind.NUMERIC else "hellinger",
                "effective_rows": _whole(effective.get(name)),
            }
            for name in contract.columns
            if name in shifts
        ],
    }


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def _kept(place: Place, contract: Contract, item: str | Path) -> Batch:
    """One batch for the reference, as the gate would profile it: with the rows that fail."""
    with place.store.workspace() as folder:
        try:
            batch = intake.decode(_staged(place, contract, item, folder), contract)
        except UnreadableError as error:
            raise UsageError(f"{item} is unreadable", found=str(error)) from error
    checked = check(batch, contract, gather(contract, delivered=batch.rows))  # history has no age
    if checked.critical:
        worst = next(v for v in checked.violations if v.severity is Severity.CRITICAL)
        raise UsageError(
            f"{item} breaks the contract and cannot be part of a reference", found=f"{worst.check}: {worst.message}"
        )
    return Batch(batch.dataset, batch.id, batch.source, checked.table, checked.table, window=batch.window)


def _staged(place: Place, contract: Contract, item: str | Path, folder: Path) -> Staged:
    if Path(item).exists():
        return intake.stage(item, folder)
    with place.ledger.read() as connection:
        row = runs.speaking_for(connection, contract.name, str(item))
    if row is None or row.decision != Decision.PUBLISH.value:
        raise UsageError(f"no batch {str(item)!r}", allowed="a file, or the id of a published batch")
    parts = [pq.read_table(place.store.root / path) for path in json.loads(row.files)]
    return intake.stage(pa.concat_tables(parts, promote_options="permissive"), folder, name=str(item))


def _order(block: Block) -> tuple[str, str]:
    return (block.window.start.isoformat() if block.window else "", block.batch)


def _path(place: Place, dataset: str, sha256: str) -> Path:
    return place.store.place(dataset, "references") / f"{sha256}.json"
