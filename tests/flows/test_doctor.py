"""The doctor: what it says of the settings, and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tidegate_flows.doctor import Examined, examine
from tidegate_flows.settings import resolve


def of(what: str, store: Path, ledger: str | None = None) -> Examined:
    (found,) = (item for item in examine(resolve(store=store, ledger=ledger)) if item.what == what)
    return found


def test_a_password_in_the_ledgers_address_is_not_shown(store: Path) -> None:
    found = of("setting ledger", store, "postgresql://tidegate:hunter2@127.0.0.1:1/tidegate?connect_timeout=1")
    assert found.state == "ok"
    assert "hunter2" not in found.found
    assert "127.0.0.1:1/tidegate" in found.found


@pytest.mark.parametrize("address", ["mysql://tidegate:hunter2@db/tidegate", "hunter2"])
def test_an_address_that_names_no_ledger_is_told_and_not_shown(store: Path, address: str) -> None:
    found = of("setting ledger", store, address)
    assert found.state == "no"
    assert "hunter2" not in f"{found.found} {found.hint}"


def test_a_store_whose_ledger_is_a_database_is_there_where_its_folder_is(
    store: Path, contract: tg.Contract, make_orders: Callable[[int], pd.DataFrame]
) -> None:
    address = "postgresql://tidegate@127.0.0.1:1/tidegate?connect_timeout=1"
    assert of("store", store, address).state == "absent"
    assert of("store", store).state == "absent"
    tg.gate(make_orders(1), contract, store=store, batch_id="a")
    assert of("store", store).state == "ok"
    assert of("setting ledger", store).found == "ledger.db in the store (default)"
    assert of("store", store, address).state == "no", "the folder is there, and that database is not its ledger"
