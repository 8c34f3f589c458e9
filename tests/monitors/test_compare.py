"""What a batch is held against: blocks that can be compared, and two references that must agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandera.pandas as pp
import pyarrow as pa
import pytest
from scipy.special import ndtri

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.errors import MonitorError
from tidegate_monitors.block import Block, size_step, thin
from tidegate_monitors.compare import ROWS_MINIMUM, compare, confirmed
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.layout import Layout, no_longer_held
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference
from tidegate_monitors.rules import Evidence, rules
from tidegate_monitors.statistics import Reads, statistic


def _contract(**columns: Any) -> tg.Contract:
    schema = pp.DataFrameSchema({name: pp.Column(kind, nullable=True) for name, kind in columns.items()})
    return tg.Contract(name="made", version="1.0.0", owner="lab", schema=schema)


def _reference(tables: list[Any], contract: tg.Contract, layout: Layout | None = None) -> Reference:
    batches = [Batch("made", f"b{i}", Source("b", ".parquet", "", 0), table, table) for i, table in enumerate(tables)]
    cells = layout or Layout.of(batches, contract)
    blocks = tuple(Block(batch.id, None, Profile.of(batch.table, cells)) for batch in batches)
    return Reference("made", contract.sha256, cells, blocks)


def _normal(rng: np.random.Generator, mean: float = 0.0, rows: int = 300) -> Any:
    return pa.table({"x": rng.normal(mean, 1, rows), "y": rng.normal(0, 1, rows)})


def test_an_alarm_needs_both_references_to_agree_on_the_side() -> None:
    contract, rng = _contract(x=float, y=float), np.random.default_rng(70)
    pinned = _reference([_normal(rng) for _ in range(20)], contract)
    risen = _reference([_normal(rng, 1.0) for _ in range(20)], contract, pinned.layout)

    def ratio(mean: float, latest: Reference | None) -> float:
        exact = pa.array(ndtri((np.arange(300) + 0.5) / 300) + mean)
        table = _normal(rng).set_column(0, "x", exact)
        found = compare(Profile.of(table, pinned.layout), pinned, contract, rng, latest=latest)
        return next(c.ratio or 0.0 for c in found if (c.column, c.statistic) == ("x", "location"))

    assert ratio(1.0, None) > 1  # the reference alone finds it odd
    for mean in (0.94, 0.98, 1.0, 1.02, 1.06):  # and the latest blocks do not, on whichever side of them it lies
        assert ratio(mean, risen) < 1
    assert ratio(-1.0, risen) > 1  # below both
    assert ratio(2.5, risen) > 1  # above both


def test_what_the_latest_blocks_cannot_say_does_not_confirm() -> None:
    one = Comparison("x", "location", "drift", 0.5, 1, threshold=0.1)
    assert [item.latest for item in confirmed([one], [])] == [0.0]
    assert [item.latest for item in confirmed([one], [replace(one, direction=-1)])] == [0.0]
    assert [item.ratio for item in confirmed([one], [replace(one, threshold=0.25)])] == [2.0]
    told = replace(one, threshold=None)
    assert confirmed([told], []) == [told]


def test_one_block_with_hardly_any_value_of_one_column_does_not_blind_the_others() -> None:
    contract, rng = _contract(x=float, y=float), np.random.default_rng(71)
    tables = []
    for _ in range(25):  # a column of which now more, now less is there
        y = np.where(rng.random(300) < rng.uniform(0.2, 0.9), np.nan, rng.normal(size=300))
        tables.append(_normal(rng).set_column(1, "y", pa.array(y, from_pandas=True)))
    gone = pa.array([0.1, 2.5] + [None] * 298, pa.float64())
    odd = [*tables[:-1], tables[-1].set_column(1, "y", gone)]
    thresholds = []
    for blocks in (tables, odd):
        reference = _reference(blocks, contract)
        found = compare(Profile.of(_normal(rng), reference.layout), reference, contract, rng)
        thresholds.append(next(c.threshold or 0.0 for c in found if (c.column, c.statistic) == ("x", "hellinger")))
    assert thresholds[1] < 1.5 * thresholds[0]


def test_names_that_are_mostly_new_every_time_are_no_change_of_categories() -> None:
    contract, rng = _contract(name=str), np.random.default_rng(72)

    def names(offset: int = 0) -> Any:
        return pa.table({"name": pa.array([f"n{number + offset}" for number in rng.zipf(1.25, 200) % 100_000])})

    reference = _reference([names() for _ in range(8)], contract)
    rule = rules()["category_change"]
    judged = [list(rule(Evidence(Profile.of(names(), reference.layout), reference, contract))) for _ in range(20)]
    assert sum(map(bool, judged)) == 0
    (other,) = rule(Evidence(Profile.of(names(10**6), reference.layout), reference, contract))
    assert other.severity.value == "critical"


def test_slices_of_whole_numbers_are_slices_too() -> None:
    contract = replace(_contract(store=int, x=float), slices=("store",))
    rng = np.random.default_rng(73)
    table = pa.table({"store": rng.integers(0, 3, 300), "x": rng.normal(size=300)})
    reference = _reference([table] * 5, contract)
    assert sorted(reference.layout.slices["store"]) == ["0", "1", "2"]
    assert sum(reference.blocks[0].profile.slices["store"].rows) == 300


@pytest.mark.parametrize(
    "changed",
    [
        lambda: _contract(x=float),
        lambda: _contract(x=float, y=str),
        lambda: tg.Contract(
            name="made",
            version="1.0.0",
            owner="lab",
            schema=pp.DataFrameSchema({"x": pp.Column(float), "y": pp.Column(float, metadata={"personal": True})}),
        ),
        lambda: tg.Contract(
            name="made",
            version="1.0.0",
            owner="lab",
            schema=pp.DataFrameSchema({"x": pp.Column(float), "y": pp.Column(float, metadata={"available": "P1D"})}),
        ),
    ],
    ids=["gone", "another kind", "personal now", "known later"],
)
def test_a_layout_that_counts_what_its_contract_hides_is_named(changed: Callable[[], tg.Contract]) -> None:
    contract, rng = _contract(x=float, y=float), np.random.default_rng(74)
    layout = _reference([_normal(rng)] * 5, contract).layout
    assert no_longer_held(layout, contract) == []
    assert no_longer_held(layout, changed()) == ["y"]


def test_a_statistic_that_no_gate_could_compute_is_refused_as_reported() -> None:
    with pytest.raises(MonitorError, match="cannot be computed for every batch"):
        statistic(reads=Reads.PAIR, check="drift", symmetric=True, reported=True)(lambda current, _: current)


def test_thinning_keeps_what_is_small_and_draws_the_same_again() -> None:
    rng = np.random.default_rng(75)
    counts = rng.integers(0, 50, (6, 40))
    for table in (counts, counts[:, :4]):
        drawn = thin(table, 60, np.random.default_rng(1))
        assert (drawn <= table).all()
        assert (drawn.sum(axis=-1) == np.minimum(table.sum(axis=-1), 60)).all()
    for rows in range(ROWS_MINIMUM, 5000, 37):
        assert rows / 1.1 < size_step(rows) <= rows
