"""What must be true of a store and its ledger, whatever happened: one checker for simulated and for real worlds.

Everything is read from the outside: the ledger's tables, the audit, and the files. ``look`` holds at any moment, with
workers in the middle of something or dead; ``look_at_rest`` once everybody is done and ``recover`` has run.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from tidegate_contracts.batch import parse_iso
from tidegate_flows.ledger import audit, batches, runs, schema
from tidegate_flows.place import Place
from tidegate_flows.stores.local import sha256_of
from tidegate_monitors.breaker import Decision

VERDICTS = {
    "batch.published": Decision.PUBLISH,
    "batch.released": Decision.PUBLISH,
    "batch.replayed": Decision.PUBLISH,
    "batch.quarantined": Decision.QUARANTINE,
    "batch.held": Decision.HOLD,
}
STATES = {"opened": "open", "tripped": "open", "half_open": "half_open", "closed": "closed"}
_CLOCKS = 5.0  # seconds by which two clocks of a real world may differ


@dataclass
class Invariants:
    """Looks again and again at one dataset.

    Attributes:
        place: Where it is.
        dataset: Its name.
        key: The column that names a row; None where rows are only counted.
        delivered: The keys of the rows by the sha256 of the bytes that were delivered, as far as they are known.
        seen: Published files with their hashes: none of them ever changes or goes.
    """

    place: Place
    dataset: str
    key: str | None = None
    delivered: Mapping[str, Collection[str]] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    _told: int = -1
    _latest: float = 0.0
    _targets: dict[str, set[str | None]] = field(default_factory=dict)

    def look(self) -> None:
        """What holds at any moment."""
        self._latest = max(self._latest, self.place.seconds)
        self._published_files_are_those_that_were_decided_on()
        with self.place.ledger.read() as connection:
            entries = audit.lengths(connection).get(self.dataset, 0)
            if entries == self._told:
                return
            self._told = entries
            self._learn_targets(connection)
            told = list(audit.entries(connection, self.dataset))
            chain = audit.verify(connection, self.dataset)
            history = runs.history(connection, self.dataset)
            known = connection.execute(select(schema.batches).where(schema.batches.c.dataset == self.dataset)).all()
        assert chain.first_break is None, chain
        assert not chain.unaudited, chain
        _every_decision_has_one_entry(told, history)
        _nothing_passed_a_breaker_that_was_open(told, history)
        _nothing_was_published_twice(history, told)
        _every_verdict_stands_for_its_batch(known, history)

    def look_at_rest(self) -> None:
        """What holds besides once nobody is at work and everything is recovered."""
        self.look()
        with self.place.ledger.read() as connection:
            standing = runs.current(connection, self.dataset)
            known = connection.execute(select(schema.batches).where(schema.batches.c.dataset == self.dataset)).all()
            assert runs.unmoved(connection, self.dataset) == [], "recover left something"
        published = [row for row in standing if row.decision == Decision.PUBLISH.value]
        named = {path for row in published for path in json.loads(row.files)}
        assert {self._relative(path) for path in self._files("published")} == named, "readers trust what is named"
        kept = {row.batch: row for row in standing if not row.discarded and _kept_back(row)}
        folders = {path.name for path in self._files("quarantine")}
        assert folders == set(kept), "what was not published is kept, and nothing else"
        for row in standing:
            self._every_row_is_somewhere(row)
        for row in known:
            if row.run is None:
                self._may_be_claimed(row.batch, row.sha256)

    def _files(self, kind: str) -> list[Path]:
        folder = self.place.store.place(self.dataset, kind)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def _relative(self, path: Path) -> str:
        return self.place.store.relative(path)

    def _published_files_are_those_that_were_decided_on(self) -> None:
        there = {self._relative(path) for path in self._files("published")}
        for name in self.seen.keys() - there:  # a revision that somebody signed for took its place
            old = self.place.store.place(self.dataset, "superseded") / Path(name).name
            assert old.is_file(), f"{name} was published and is gone"
            assert sha256_of(old) == self.seen.pop(name), f"{old} is not what was published"
        for name in there - self.seen.keys():
            digest = sha256_of(self.place.store.root / name)
            if digest not in self._targets.get(name, ()):
                with self.place.ledger.read() as connection:
                    self._learn_targets(connection)
            assert digest in self._targets.get(name, ()), f"{name} is not the file that was checked, or of no decision"
            self.seen[name] = digest

    def _learn_targets(self, connection: Connection) -> None:
        """The files that committed decisions publish, with their hashes; letting go of other rows forgets them."""
        rows = connection.execute(select(schema.runs.c.moves).where(schema.runs.c.dataset == self.dataset))
        for moves in rows.scalars():
            for _, target, digest, _ in json.loads(moves):
                self._targets.setdefault(target, set()).add(digest)

    def _every_row_is_somewhere(self, row: Any) -> None:
        """What came in is published, set aside or held: each row once."""
        counts = json.loads(row.document)["rows"]
        assert counts["in"] == counts["published"] + counts["quarantined"] + counts["held"], counts
        out = [pq.read_table(self.place.store.root / path) for path in json.loads(row.files)]
        assert sum(table.num_rows for table in out) == counts["published"], row.batch
        folder = self.place.store.place(self.dataset, "quarantine") / row.batch
        tables = list(out)
        if not row.discarded and _kept_back(row):
            manifest = json.loads((folder / "manifest.json").read_bytes())
            assert manifest["sha256"] == row.sha256, f"{row.batch}: other bytes are kept than the ledger says"
            for name, digest in manifest["files"].items():
                assert sha256_of(folder / name) == digest, f"{folder / name} is half-written or changed"
            if row.decision != Decision.PUBLISH.value:
                suffix = json.loads(row.source)["suffix"] or ".bin"
                assert sha256_of(folder / f"batch{suffix}") == row.sha256, "kept byte by byte"
                return
            tables.append(pq.read_table(folder / "rows.parquet"))
            assert tables[-1].num_rows == counts["quarantined"], row.batch
        keys = self.delivered.get(row.sha256)
        if self.key is not None and keys is not None and row.decision == Decision.PUBLISH.value:
            found = Counter(key for table in tables for key in table.column(self.key).to_pylist())
            assert max(found.values(), default=0) <= 1, f"{row.batch}: a row is there twice"
            assert found.keys() == set(keys) or (row.discarded and found.keys() < set(keys)), f"{row.batch}: rows"

    def _may_be_claimed(self, batch: str, sha256: str) -> None:
        """A batch without a verdict is given to whoever asks one lease later, by the latest that the clock said."""
        later, lease = self._latest + self.place.lease, self.place.lease
        with suppress(_UndoneError), self.place.ledger.begin() as connection:
            answer = batches.claim(connection, self.dataset, batch, sha256, now=later, lease=lease)
            assert not isinstance(answer, batches.Busy), f"{batch} is claimed by nobody for {answer}"
            raise _UndoneError


class _UndoneError(Exception):
    """Nothing of the transaction is kept."""


def _kept_back(row: Any) -> bool:
    return row.decision != Decision.PUBLISH.value or bool(row.rows_quarantined)


def _every_decision_has_one_entry(told: list[dict[str, Any]], history: list[Any]) -> None:
    """One entry for each verdict and one for each batch that was let go of, with the word of the decision."""
    verdicts = Counter(entry["run"] for entry in told if entry["event"] in VERDICTS)
    decided = {row.run: row for row in history}
    assert verdicts.keys() == decided.keys(), "a decision without an entry, or an entry without one"
    assert set(verdicts.values()) <= {1}, "a decision was told twice"
    for entry in told:
        if entry["event"] in VERDICTS:
            row = decided[entry["run"]]
            assert VERDICTS[entry["event"]].value == row.decision, entry
            assert entry["batch"] == row.batch.partition("~")[0], entry
    gone = Counter(entry["run"] for entry in told if entry["event"] == "batch.discarded")
    assert gone == Counter(row.run for row in history if row.discarded), "what was discarded"


def _nothing_was_published_twice(history: list[Any], told: list[dict[str, Any]]) -> None:
    """Of one revision of a batch at most one verdict publishes; what comes back adds to it.

    Other bytes take its place only if somebody signed for that.
    """
    names: set[str] = set()
    stands: dict[str, Any] = {}
    word = {entry["run"]: entry["event"] for entry in told if entry["event"] in VERDICTS}
    signed = {entry["run"] for entry in told if entry["event"] == "batch.superseded" and entry["by"]}
    for row in history:
        old, files = stands.get(row.batch), set(json.loads(row.files))
        if old is not None and old.run in signed:
            old = None
        if row.decision != Decision.PUBLISH.value:
            assert old is None, f"{row.batch} was published, and then it was {row.decision}"
            continue
        if old is not None and old.sha256 != row.sha256:
            assert old.run in signed, f"{row.batch} was superseded, and nobody signed"
            old = None
        before = set(json.loads(old.files)) if old is not None else set()
        assert files > before, f"{row.batch}: a publish that takes away or adds nothing"
        assert not (files - before) & names, f"{row.batch}: a file is published twice"
        assert old is None or word[row.run] in ("batch.released", "batch.replayed"), f"{row.batch} was published twice"
        names |= files
        stands[row.batch] = row


def _every_verdict_stands_for_its_batch(known: list[Any], history: list[Any]) -> None:
    """A batch has no verdict yet and may be claimed, or the one that speaks for it."""
    speaking = [(row.batch, row.run) for row in history if not row.superseded]
    assert len(speaking) == len({batch for batch, _ in speaking}), "two runs speak for one batch"
    assert {(row.batch, row.run) for row in known if row.run is not None} == set(speaking), "a batch is lost"


def _nothing_passed_a_breaker_that_was_open(told: list[dict[str, Any]], history: list[Any]) -> None:
    """Follow the breaker through the audit: what is published found it closed, closes it as the probe, or is signed."""
    done = {row.run: row.completed_at for row in history}
    state, allowed = "closed", None
    for number, entry in enumerate(told):
        word = entry["event"].partition(".")[2]
        if entry["event"] in VERDICTS:
            moved = [item["event"] for item in told[number + 1 :] if _of(item, entry["run"])]
            if VERDICTS[entry["event"]] is Decision.PUBLISH and state != "closed":
                passed = moved[-1:] == ["breaker.closed"]
                assert passed or _signed(entry, allowed, done[entry["run"]]), (entry, state)
                assert not passed or state == "half_open" or "breaker.half_open" in moved, (entry, state, moved)
        elif entry["event"] == "breaker.overridden":
            assert state != "closed", entry
            allowed = entry
        elif entry["event"].startswith("breaker."):
            assert STATES[word] != state or entry["by"] is not None, ("only people repeat what is so", entry)
            state = STATES[word]
            allowed = None if word in ("tripped", "closed") else allowed


def _of(entry: Mapping[str, Any], run: str) -> bool:
    return entry["event"].startswith("breaker.") and entry["run"] == run


def _signed(entry: Mapping[str, Any], allowed: Mapping[str, Any] | None, done: float) -> bool:
    """Whether a publish past the breaker is signed: by who released it, or by an override that had not ended."""
    if entry["by"] is None or entry["reason"] is None:
        return False
    if allowed is not None:
        same = entry["by"] == allowed["by"] and allowed["reason"].endswith(f": {entry['reason']}")
        if same or entry["event"] == "batch.replayed":  # a replay is signed by whoever asked for it
            return done < _end(allowed).timestamp() + _CLOCKS
    return entry["event"] == "batch.released" and entry["by"] != "tidegate"


def _end(allowed: Mapping[str, Any]) -> datetime:
    """When an override ends: its reason begins with ``for 1 day, 4:00:00:``."""
    length = allowed["reason"].removeprefix("for ").split(": ")[0]
    days, _, rest = length.rpartition(", ")
    hours, minutes, seconds = rest.split(":")
    moment = parse_iso(allowed["at"])
    assert moment is not None
    return moment + timedelta(
        days=int(days.split()[0]) if days else 0, hours=int(hours), minutes=int(minutes), seconds=float(seconds)
    )
