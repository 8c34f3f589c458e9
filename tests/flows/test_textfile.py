"""The textfile: for the node exporter, which is another user."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.settings import resolve
from tidegate_flows.textfile import write_textfile

Make = Callable[..., pd.DataFrame]


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def gated(store: Path, contract: tg.Contract, make_orders: Make) -> Path:
    tg.gate(make_orders(1), contract, store=store)
    return store


@pytest.mark.parametrize("strict", [0o022, 0o027, 0o077])
def test_everybody_may_read_it_whatever_the_umask(gated: Path, tmp_path: Path, strict: int) -> None:
    path = tmp_path / "tidegate.prom"
    with umask(strict):
        for _ in range(2):
            write_textfile(resolve(store=gated), path)
            assert path.stat().st_mode & 0o777 == 0o644
            path.chmod(0o600)
    assert "tidegate_ledger_up 1" in path.read_text()


def test_one_that_cannot_be_written_is_named_as_it_was_given(gated: Path, tmp_path: Path) -> None:
    for path, why in ((tmp_path / "no" / "x.prom", "No such file"), (gated, "directory")):
        with pytest.raises(StoreError) as raised:
            write_textfile(resolve(store=gated), path)
        assert raised.value.what == f"the textfile {path} cannot be written"
        assert why in str(raised.value.found)
        assert "store" not in str(raised.value).replace(str(path), "")
    assert not list(tmp_path.glob(".*"))


def test_of_no_store_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no ledger here"):
        write_textfile(resolve(store=tmp_path), tmp_path / "x.prom")
    assert not (tmp_path / "x.prom").exists()
