"""The buckets of predictions: deciles from a reference's counts alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_monitors.block import Block
from tidegate_monitors.buckets import DECILES, deciles
from tidegate_monitors.layout import Layout
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference


@pytest.fixture(scope="module")
def refer(make_contract: Callable[..., tg.Contract]) -> Callable[..., Reference]:
    """Make a reference of some blocks of predictions."""
    contract = make_contract(key=(), prediction="score", slices=())

    def make(*blocks: np.ndarray, **others: np.ndarray) -> Reference:
        batches = []
        for number, values in enumerate(blocks):
            columns = {"score": pa.array(values, pa.float64())}
            columns |= {name: pa.array(more, pa.float64()) for name, more in others.items()}
            table = pa.table(columns)
            batches.append(Batch("orders", str(number), Source("", ".parquet", "", 0), table, table))
        layout = Layout.of(batches, contract)
        parts = tuple(Block(item.id, None, Profile.of(item.table, layout)) for item in batches)
        return Reference("orders", contract.sha256, layout, parts)

    return make


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["uniform", "beta", "normal", "rounded", "two", "spiked", "wide"]),
    sizes=st.lists(st.integers(300, 3000), min_size=1, max_size=4),
)
def test_a_decile_has_its_rank_to_within_a_256th(
    refer: Callable[..., Reference], seed: int, kind: str, sizes: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    draw: dict[str, Callable[[int], np.ndarray]] = {
        "uniform": rng.random,
        "beta": lambda n: rng.beta(0.3, 4, n),
        "normal": lambda n: rng.normal(1e6, 3, n),
        "rounded": lambda n: np.round(rng.random(n), 1),
        "two": lambda n: (rng.random(n) < 0.3).astype(float),
        "spiked": lambda n: np.where(rng.random(n) < 0.45, 0.25, rng.random(n)),
        "wide": lambda n: np.exp(rng.normal(0, 8, n)),
    }
    blocks = [draw[kind](size) for size in sizes]
    found = deciles(refer(*blocks), "score")
    values = np.sort(np.concatenate(blocks))
    assert list(found) == sorted(set(found))
    assert 1 <= len(found) <= 9
    off = 1 / 256 + 1 / min(sizes)  # the grid of a block is no finer than its rows
    exact = np.quantile(values, DECILES)
    for share, truth in zip(DECILES, exact, strict=True):
        near = [
            edge
            for edge in found
            if np.searchsorted(values, edge, "left") / len(values) - off
            <= share
            <= np.searchsorted(values, edge, "right") / len(values) + off
        ]
        assert near, (share, truth, found)


def test_the_deciles_of_many_rows_are_numpys(refer: Callable[..., Reference]) -> None:
    values = np.random.default_rng(1).beta(2, 6, 20_000)
    found = deciles(refer(values[:12_000], values[12_000:]), "score")
    ranks = np.searchsorted(np.sort(values), found) / len(values)
    np.testing.assert_allclose(ranks, DECILES, atol=1 / 256)
    np.testing.assert_allclose(found, np.quantile(values, DECILES), atol=0.005)


def test_a_value_that_holds_several_tenths_is_one_edge(refer: Callable[..., Reference]) -> None:
    values = np.r_[np.full(500, 0.2), np.linspace(0.21, 1, 500)]
    found = deciles(refer(values), "score")
    assert found[0] == 0.2
    assert len(found) == 5


def test_the_deciles_of_two_columns_are_those_of_all_their_values(refer: Callable[..., Reference]) -> None:
    rng = np.random.default_rng(2)
    score, amount = rng.random(4000), rng.random(4000) ** 3
    found = deciles(refer(score, amount=amount), "score", "amount")
    both = np.sort(np.r_[score, amount])
    np.testing.assert_allclose(np.searchsorted(both, found) / both.size, DECILES, atol=1 / 256 + 1e-3)


def test_there_are_no_edges_without_numbers_or_without_a_reference(refer: Callable[..., Reference]) -> None:
    reference = refer(np.linspace(0, 1, 50))
    assert deciles(None, "score") == ()
    assert deciles(reference) == ()
    assert deciles(reference, "country") == ()
    assert deciles(reference, "score", "no such column") == ()
