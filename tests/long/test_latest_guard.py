"""Two years of batches in which nothing happens: what may enter the latest blocks never makes the gate stricter.

Whatever is left out of the latest blocks makes the rest look calmer than the world is; then more stands out, more is
left out, and so on: a ratchet. Here the real gate says what enters.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from scipy.stats import beta, hypergeom

import tidegate as tg
from tidegate_flows import reference
from tidegate_flows.place import at

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("calm batches")]  # one worker makes them once

ROWS, BLOCKS, BATCHES, REFERENCES = 120, 30, 730, 3
START = datetime(2022, 1, 1, tzinfo=UTC)
PROMISED = 1 / (BLOCKS + 1)
NAMES = ("x0", "x1", "x2")
CONTRACT = tg.Contract(
    name="calm",
    version="1.0.0",
    owner="tests",
    schema=pa.DataFrameSchema(
        {"at": pa.Column("datetime64[us, UTC]"), **{name: pa.Column(float) for name in NAMES}}, strict=True
    ),
    event_time="at",
    cadence=timedelta(days=1),
)


def _day(number: int, rng: np.random.Generator) -> pd.DataFrame:
    """One batch of independent normal numbers."""
    seconds = number * 86_400 + np.arange(ROWS) * (86_400 // ROWS)
    times = (pd.Timestamp(START) + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us, UTC]")
    return pd.DataFrame({"at": times, **{name: rng.normal(size=ROWS) for name in NAMES}})


def _with_reference(folder: Path, rng: np.random.Generator) -> Path:
    """A store with an approved reference."""
    paths = [folder / f"reference-{number:02}.parquet" for number in range(BLOCKS)]
    for number, path in enumerate(paths):
        _day(number, rng).to_parquet(path, index=False)
    with at(folder / "store") as place:
        built = reference.build(place, CONTRACT, paths)
        reference.approve(place, CONTRACT.name, built.sha256, by="test", reason="nothing happens here")
    return folder / "store"


def _stand_out(folder: Path, seed: int) -> Iterator[bool]:
    """Of each batch in order, whether anything in it exceeds; all of them are published."""
    rng = np.random.default_rng(seed)
    store = _with_reference(folder, rng)
    for number in range(BLOCKS, BLOCKS + BATCHES):
        run = tg.gate(_day(number, rng), CONTRACT, store=store, batch_id=f"d{number:03}", as_of="window")
        assert run.decision is tg.Decision.PUBLISH
        yield any(finding.check == "drift" for finding in run.findings)


@pytest.fixture(scope="module")
def stood_out(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Whether each batch stands out; shape (references, batches)."""
    rows = [list(_stand_out(tmp_path_factory.mktemp("calm"), seed)) for seed in range(REFERENCES)]
    return np.array(rows)


def test_no_more_batches_stand_out_than_are_promised(stood_out: np.ndarray) -> None:
    hits, batches = int(stood_out.sum()), stood_out.size
    upper = float(beta.ppf(0.95, hits + 1, batches - hits))  # Clopper and Pearson, one-sided
    assert hits / batches <= 1.2 * PROMISED, (hits, batches)
    assert upper <= 1.2 * PROMISED, (hits, batches, upper)


def test_they_do_not_become_more_with_time(stood_out: np.ndarray) -> None:
    third = BATCHES // 3
    first, last = int(stood_out[:, :third].sum()), int(stood_out[:, -third:].sum())
    size = REFERENCES * third
    by_chance = float(hypergeom.sf(last - 1, 2 * size, first + last, size))  # Fisher's test, one-sided
    assert by_chance > 0.05, (first, last)
