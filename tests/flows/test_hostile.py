"""Nothing that arrives breaks the gate, and nothing hostile is published."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import pyarrow.parquet as pq
import pytest

import tidegate as tg
from tests.conftest import Orders
from tests.flows import hostile
from tests.flows.hostile import PUBLISHED, REFUSED, Case
from tidegate_flows.intake import Limits, limited

CASES = hostile.cases()
LIMITS = Limits(
    memory=2 << 30,
    cpu_seconds=10,
    wall_seconds=30,
    file_bytes=64 << 20,
    text_bytes=32 << 20,
    row_bytes=1 << 20,
    columns=2_000,
    cells=20_000_000,
    decoded_bytes=256 << 20,
)
CONTRACT = tg.Contract(
    name="orders",
    version="1.0.0",
    owner="shop",
    schema=Orders,
    key=("order_id",),
    event_time="placed",
    prediction="score",
    label="returned",
    failure_threshold=100_000,  # the breaker has tests of its own; here every delivery gets its verdict
)
MEMORY_MAXIMUM = 700 << 20  # bytes that this process may grow by over the whole corpus


@dataclass
class Place:
    """One store for the whole corpus, and what was published in it."""

    folder: Path
    published: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def files(self) -> set[str]:
        """What lies in ``published``."""
        return {path.stem for path in (self.store / "orders" / "published").glob("*")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The store, and a look at memory when the corpus has gone through."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield Place(tmp_path_factory.mktemp("hostile"))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MEMORY_MAXIMUM, f"{grown >> 20} MB"


def test_the_corpus_is_large_and_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert sum(PUBLISHED not in case.expected for case in CASES) >= 100
    assert sum(case.expected == {PUBLISHED} for case in CASES) >= 12


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=[case.name for case in CASES])
def test_what_arrives_gets_the_decision_that_it_deserves(place: Place, number: int, case: Case) -> None:
    folder = place.folder / f"delivered-{number}"
    folder.mkdir()
    frame = hostile.orders(number)
    delivery = case.write(folder, frame)
    there = {path.relative_to(place.folder) for path in folder.rglob("*")}
    started = perf_counter()
    with limited(LIMITS):
        became = _gate(place, delivery, f"case-{number}")
    assert perf_counter() - started < 20
    assert became & case.expected, f"{became}, expected {set(case.expected)}"
    assert place.files() == place.published.keys()
    if PUBLISHED in became:
        rows = pq.read_table(place.store / "orders" / "published" / f"case-{number}.parquet")
        assert "flipped" not in case.name or set(rows.column("order_id").to_pylist()) == set(frame["order_id"])
    assert {path.relative_to(place.folder) for path in folder.rglob("*")} == there, "it wrote a file"


def _gate(place: Place, delivery: str | Path, batch: str) -> set[str]:
    """What became of a delivery, through the real gate."""
    try:
        run = tg.gate(delivery, CONTRACT, store=place.store, batch_id=batch)
    except tg.UsageError:
        return {REFUSED}
    assert run.counts.delivered == run.counts.published + run.counts.quarantined
    checks = {finding.check for finding in run.findings if finding.severity.value == "critical"}
    if run.decision.value == "publish":
        place.published[batch] = run.id
        return {PUBLISHED}
    assert checks
    return checks


def test_the_store_still_works_afterwards(place: Place) -> None:
    run = tg.gate(hostile.orders(90_000, 200), CONTRACT, store=place.store, batch_id="afterwards")
    assert run.decision.value == "publish"
    place.published["afterwards"] = run.id
    assert place.files() == place.published.keys()
    assert not [path for path in (place.store / ".staging").iterdir() if path.is_dir()]
