"""Labels that come later: joined by key to what was published."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from tidegate_contracts.contract import Contract
from tidegate_contracts.label_check import key_of
from tidegate_contracts.violation import Violation
from tidegate_flows import intake, label_delivery, label_store
from tidegate_flows.label_delivery import Delivery
from tidegate_flows.ledger import audit, cohorts, counters, label_deliveries
from tidegate_flows.ledger.cohorts import Scored
from tidegate_flows.place import Place
from tidegate_flows.published import Published, bounds
from tidegate_flows.recover import recover
from tidegate_flows.reference import approved
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.metrics import LABEL_OUTCOMES
from tidegate_monitors.reference import Reference
from tidegate_monitors.scored import cohort_columns, cohort_of, edges_of

COMPARABLE_MAXIMUM = 91
"""A season of thirteen weeks."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Joined:
    """What one delivery of labels said.

    Every row is counted once: labels = matched + unknown + duplicates + conflicting_labels + set_aside, unless the
    delivery was refused.

    Attributes:
        labels: Rows in the delivery.
        matched: Those joined to a published row.
        unknown: Those whose key is in no published batch.
        duplicates: Those that say again what another row of the same key says.
        conflicting_labels: Those whose key has several labels in this delivery; they are set aside.
        set_aside: Those whose label breaks a clause of the contract.
        reversed: Matched rows whose label is another one than was known; the last word counts.
        early: Matched rows whose label is older than their prediction, where the delivery has the column of its time.
        refused: Whether so many rows break a clause that none was joined.
        violations: What the contract says of the labels.
        touched: The cohorts of the batches with rows in this delivery, the newest window first.
        changed: The batches of which something new was said.
    """

    labels: int
    matched: int = 0
    unknown: int = 0
    duplicates: int = 0
    conflicting_labels: int = 0
    set_aside: int = 0
    reversed: int = 0
    early: int = 0
    refused: bool = False
    violations: tuple[Violation, ...] = ()
    touched: tuple[Cohort, ...] = field(default=(), repr=False)
    changed: tuple[str, ...] = ()


def join_at(place: Place, delivery: Any, contract: Contract, as_of: datetime | str | None = None) -> Joined:
    """Join labels by key to what was published, and keep what they say of each batch.

    Labels are joined to the rows that are published now; those of rows in quarantine are unknown, and are joined when
    they are delivered again after a release. A key that stands in several batches has its label in the newest. The
    same labels twice change nothing, also when others have corrected them since: the last new word counts.

    Costs one look at the bounds of the keys of each published batch, newest first, until every label has its row; one
    read of the keys where these overlap with those of the labels; and of a batch with rows in the delivery also its
    predictions, once.
    """
    label_delivery.require_joinable(contract)
    moment = intake.as_of(as_of, None, place.clock())
    recover(place, contract.name)
    reference = approved(place, contract)
    delivered = label_delivery.read(place, delivery, contract, moment)
    said = Joined(
        labels=delivered.rows,
        duplicates=delivered.duplicates,
        conflicting_labels=delivered.conflicting,
        set_aside=delivered.set_aside,
        refused=delivered.refused,
        violations=delivered.violations,
    )
    if delivered.refused:
        _count_refused(place, contract.name, delivered)
        return said
    with place.ledger.read() as connection:
        published = cohorts.scored(connection, contract.name)
        again = label_deliveries.is_known(connection, contract.name, delivered.sha256)
    joining = _Joining(place, contract, reference, delivered, moment, again=again)
    found = [joining.join(match) for match in _matches(place, published, delivered, contract)]
    matched = sum(item.rows for item in found)
    joined = replace(
        said,
        matched=matched,
        unknown=len(delivered.keys) - matched,
        reversed=sum(item.reversed for item in found),
        early=sum(item.early for item in found),
        touched=tuple(item.cohort for item in found),
        changed=tuple(item.cohort.batch for item in found if item.changed),
    )
    if not again:
        with place.ledger.begin() as connection:
            label_deliveries.add(connection, contract.name, delivered.sha256, place.seconds)
            _count(connection, contract.name, joined)
    return joined


def _count_refused(place: Place, dataset: str, delivered: Delivery) -> None:
    """Count the rows of a refused delivery, the first time that it comes.

    It is remembered by a hash of its own: under another contract it may be joined yet, and is then counted as that.
    """
    name = sha256(f"refused {delivered.sha256}".encode()).hexdigest()
    with place.ledger.begin() as connection:
        if not label_deliveries.is_known(connection, dataset, name):
            label_deliveries.add(connection, dataset, name, place.seconds)
            counters.bump(connection, "label_rows_total", dataset, delivered.rows, outcome="refused")


def _count(connection: Connection, dataset: str, joined: Joined) -> None:
    """Count the rows of a delivery, the first time that it comes."""
    for outcome in LABEL_OUTCOMES:
        rows = 0 if outcome == "refused" else getattr(joined, outcome)
        if rows:
            counters.bump(connection, "label_rows_total", dataset, rows, outcome=outcome)


def comparable(
    place: Place,
    contract: Contract,
    reference: Reference | None,
    *,
    now: datetime | None = None,
    asked: Collection[str] = (),
) -> list[Cohort]:
    """The latest cohorts whose predictions fall into the buckets of a reference, in the order of their windows.

    At most ``COMPARABLE_MAXIMUM``, besides those asked for. A cohort of before the reference was approved is made anew
    when labels come for it again.

    Args:
        place: Where.
        contract: What was promised.
        reference: Fixes the buckets.
        now: Only those whose labels should be complete by then; None for all.
        asked: Batches to have in any case.
    """
    edges = edges_of(contract, reference)
    ended = None if now is None else (now - (contract.label_delay or timedelta(0))).timestamp()
    with place.ledger.read() as connection:
        found = cohorts.load(connection, contract.name, limit=COMPARABLE_MAXIMUM, ended=ended, also=asked)
    return [cohort for cohort in found if cohort.edges == edges]


@dataclass(frozen=True, slots=True, eq=False)
class _Match:
    """A batch with rows in a delivery.

    Attributes:
        batch: The batch.
        published: Its files.
        table: Its key columns.
        keys: The key of each row as one column.
        places: For each row the place of its label in the delivery, or -1.
    """

    batch: Scored
    published: Published
    table: Any
    keys: Any
    places: npt.NDArray[np.int64]

    def columns(self, names: Sequence[str]) -> Any:
        """The key columns and others, as a ``pyarrow.Table``."""
        known = dict(zip(self.table.column_names, self.table.columns, strict=True))
        more = self.published.columns([name for name in names if name not in known])
        return pa.table(known | dict(zip(more.column_names, more.columns, strict=True)))


@dataclass(frozen=True, slots=True)
class _Found:
    """What a delivery said of one batch."""

    cohort: Cohort
    rows: int
    reversed: int
    early: int
    changed: bool


def _matches(place: Place, published: list[Scored], delivered: Delivery, contract: Contract) -> Iterator[_Match]:
    """The batches with rows in a delivery."""
    keys, rows = delivered.keys, np.arange(len(delivered.keys))
    single = contract.key[0] if len(contract.key) == 1 else None
    within = bounds(keys) if single is not None else None
    for batch in published:
        if not len(keys):
            return
        files = Published(tuple(place.store.root / path for path in batch.files), contract)
        if single is not None and within is not None and not files.may_hold(single, *within):
            continue
        table = files.columns(contract.key)
        theirs = key_of(table, contract)
        places = np.full(len(theirs), -1, dtype=np.int64)
        hit = np.zeros(len(keys), dtype=bool)
        for start in range(0, len(keys), _CHUNK):
            part = pc.index_in(keys.slice(start, _CHUNK), value_set=theirs, skip_nulls=True)
            at_ = np.asarray(pc.fill_null(part, -1))
            mine = at_ >= 0
            places[at_[mine]] = rows[start : start + _CHUNK][mine]
            hit[start : start + _CHUNK] = mine
        if hit.any():
            yield _Match(batch, files, table, theirs, places)
            keys, rows = keys.filter(pa.array(~hit)), rows[~hit]
            within = bounds(keys) if within is not None and len(keys) else within


@dataclass(frozen=True, slots=True)
class _Joining:
    """One delivery on its way into the store.

    One that comes again says nothing of rows that have a label: a later one may have corrected it since.
    """

    place: Place
    contract: Contract
    reference: Reference | None
    delivered: Delivery
    moment: datetime
    again: bool

    def join(self, match: _Match) -> _Found:
        """Join the labels of one batch: the file of its labels first, then its cohort in the ledger."""
        contract, time, batch = self.contract, self.delivered.time, match.batch
        table = match.columns([*cohort_columns(contract), *([time] if time is not None else [])])
        path = label_store.path_of(self.place, contract.name, batch.batch)
        with self.place.ledger.read() as connection:
            window = cohorts.window_of(connection, batch.run)
        with label_store.locked(self.place.store, contract.name):
            known = label_store.load(path, match.keys, contract, self.delivered.labels.type)
            places = np.where(known.labelled, -1, match.places) if self.again else match.places
            now, reversed_, more = known.with_labels(
                places, self.delivered.labels, at=self.moment, complete=self._complete(batch)
            )
            if more or label_store.files_of(path) not in (None, batch.files):  # other rows speak for the batch now
                label_store.save(path, now, table, contract, batch.files)
            ended = datetime.fromtimestamp(batch.ended, UTC)
            cohort = cohort_of(batch.batch, window, table, now.labels, contract, self.reference, ended)
            changed = self._record(batch, cohort, more=more)
        early = self._early(table.column(time), match.places) if time is not None else 0
        return _Found(cohort, int((match.places >= 0).sum()), reversed_, early, changed)

    def _record(self, batch: Scored, cohort: Cohort, *, more: bool) -> bool:
        """Write a cohort down where it is another one than the ledger has; whether the labels are others."""
        dataset = self.contract.name
        with self.place.ledger.begin() as connection:
            before = cohorts.find(connection, dataset, cohort.batch)
            if before == cohort and not more:
                return False
            changed = more or before is None or _labels_differ(before, cohort)
            cohorts.save(connection, dataset, cohort, ended=batch.ended, joined_at=self.place.seconds)
            if changed:
                why = f"{cohort.labelled} of {cohort.rows} rows have a label; the last came from {self.delivered.name}"
                audit.append(connection, dataset, "labels.joined", at=self.moment, batch=cohort.batch, reason=why)
        return changed

    def _complete(self, batch: Scored) -> bool:
        """Whether all labels of a batch should be known by now."""
        ended = datetime.fromtimestamp(batch.ended, UTC)
        return self.moment >= ended + (self.contract.label_delay or timedelta(0))

    def _early(self, published: Any, places: npt.NDArray[np.int64]) -> int:
        mine = places >= 0
        ours = published.filter(pa.array(mine))
        theirs = self.delivered.times.take(pa.array(places[mine]))
        older = pc.and_(pc.less(theirs, ours), pc.is_valid(self.delivered.labels.take(pa.array(places[mine]))))
        return int(pc.sum(older).as_py() or 0)


def _labels_differ(before: Cohort, cohort: Cohort) -> bool:
    """Whether labels are others than the ledger knew, as after a crash; not where only buckets or rows are."""
    counts = (before.settled, before.labelled, before.reversed) != (cohort.settled, cohort.labelled, cohort.reversed)
    same_frame = (before.edges, before.rows) == (cohort.edges, cohort.rows)
    return counts or (same_frame and before.tallies != cohort.tallies)
