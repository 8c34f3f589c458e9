"""What the tests of flows share: a store with an approved reference, the command line, and the demo, told once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.status_site import Browser, browser
from tidegate_flows import reference
from tidegate_flows.place import at

ROOT = Path(__file__).parents[2]
TIDEGATE = Path(sys.executable).with_name("tidegate")

CONTRACT_FILE = """
from datetime import timedelta
import pandas as pd
import pandera.pandas as pa
import tidegate as tg

class Orders(pa.DataFrameModel):
    order_id: str = pa.Field(unique=True)
    placed: pd.DatetimeTZDtype = pa.Field(dtype_kwargs={"unit": "us", "tz": "UTC"})
    country: str = pa.Field(isin=["DE", "FR", "IT"])
    amount: float = pa.Field(ge=0, le=10_000)
    items: int = pa.Field(ge=1)
    note: str = pa.Field(nullable=True)
    score: float = pa.Field(ge=0, le=1)
    returned: float = pa.Field(isin=[0, 1], nullable=True, metadata={"available": "P1D"})
    class Config:
        strict = True

contract = tg.Contract(
    name="orders", version="1.0.0", owner="shop", schema=Orders, key=("order_id",), event_time="placed",
    prediction="score", label="returned", slices=("country",), tolerance=0.02, EXTRA
)
"""


@pytest.fixture
def contract_file(tmp_path: Path) -> Callable[..., Path]:
    """Write the contract of orders to a file, with more arguments in Python."""

    def write(extra: str = "", name: str = "orders.py") -> Path:
        path = tmp_path / "contracts" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(CONTRACT_FILE.replace("EXTRA", extra))
        return path

    return write


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where a store will be."""
    return tmp_path / "store"


@pytest.fixture(scope="session")
def _approved(
    tmp_path_factory: pytest.TempPathFactory,
    make_contract: Callable[..., tg.Contract],
    make_orders: Callable[..., pd.DataFrame],
) -> Path:
    """The store of :func:`with_reference`, made once."""
    folder, contract, paths = tmp_path_factory.mktemp("approved"), make_contract(), []
    for day in range(20):
        paths.append(folder / f"reference-{day:02}.parquet")
        make_orders(day).to_parquet(paths[-1], index=False)
    with at(folder / "store") as place:
        built = reference.build(place, contract, paths)
        reference.approve(place, contract.name, built.sha256, by="test", reason="twenty good days")
    return folder / "store"


@pytest.fixture
def with_reference(store: Path, _approved: Path) -> Path:
    """A store with an approved reference of twenty days of orders."""
    shutil.copytree(_approved, store)
    return store


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str


@pytest.fixture
def tidegate(tmp_path: Path) -> Callable[..., Said]:
    """Run the command line as a user would, in a process of its own."""

    def run(*arguments: Any, cwd: Path = tmp_path, env: dict[str, str] | None = None) -> Said:
        done = subprocess.run(
            [str(TIDEGATE), *map(str, arguments)],
            cwd=cwd,
            env=os.environ | (env or {}),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@dataclass(frozen=True)
class Demo:
    """The demo as it was told."""

    folder: Path
    out: str
    err: str
    code: int

    @property
    def store(self) -> Path:
        """Its store."""
        return self.folder / ".tidegate"

    @property
    def contract(self) -> Path:
        """Its contract."""
        return self.folder / "contracts" / "flights.py"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, told once for all tests that look at it."""
    where = tmp_path_factory.mktemp("demo")
    done = subprocess.run([str(TIDEGATE), "demo"], cwd=where, capture_output=True, text=True, timeout=500, check=False)
    return Demo(where / "tidegate-demo", done.stdout, done.stderr, done.returncode)


@pytest.fixture(scope="session")
def gated(
    tmp_path_factory: pytest.TempPathFactory,
    _approved: Path,
    make_contract: Callable[..., tg.Contract],
    make_orders: Callable[..., pd.DataFrame],
) -> Path:
    """A store in which one batch passed, one lost some rows, one broke, and one is held."""
    store, contract = tmp_path_factory.mktemp("status") / "store", make_contract()
    shutil.copytree(_approved, store)
    some = make_orders(31)
    some.loc[some.index[:3], "amount"] = -1.0
    tg.gate(make_orders(30), contract, store=store, batch_id="good")
    tg.gate(some, contract, store=store, batch_id="some")
    tg.gate(make_orders(32).assign(score=0.3), contract, store=store, batch_id="bad")
    tg.gate(make_orders(33), contract, store=store, batch_id="waits")
    return store


@pytest.fixture
def pages(gated: Path) -> Browser:
    """Its status page."""
    return browser(gated)
