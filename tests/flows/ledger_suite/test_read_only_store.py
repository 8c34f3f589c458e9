"""A store that can only be read, as a pod mounts it: whatever reads is served, and an act is refused in words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import TIDEGATE
from tests.flows.status_site import TOKEN, browser
from tidegate_contracts.errors import StoreError
from tidegate_flows import serving
from tidegate_flows.downstream import require_closed
from tidegate_flows.ledger import audit
from tidegate_flows.place import at
from tidegate_flows.settings import resolve

Make = Callable[..., pd.DataFrame]
PAGES = ("", "/batches/bad", "/quarantine", "/audit", "/references")
MOUNTED = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" "$0" && exec "$@"'


def filled(store: Path, ledger: str, contract: Path, make_orders: Make) -> Path:
    """One batch that passed, and one that broke."""
    tg.gate(make_orders(1), str(contract), store=store, ledger=ledger, batch_id="good")
    tg.gate(make_orders(2).assign(country="Atlantis"), str(contract), store=store, ledger=ledger, batch_id="bad")
    return contract


def in_read_only(store: Path, *command: object) -> list[str]:
    """A command that sees a store on a file system that is read-only, for itself alone."""
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    return [*own, "sh", "-c", MOUNTED, str(store), *map(str, command)]


@contextmanager
def serving_it(store: Path, ledger: str) -> Iterator[tuple[str, list[str]]]:
    """``tidegate serve`` that sees the store read-only; its address, and what it said first."""
    command = in_read_only(store, TIDEGATE, "serve", "--port", 0, "--store", store, "--allow-actions")
    variables = os.environ | {"TIDEGATE_LEDGER": ledger, "TIDEGATE_TOKEN": TOKEN}
    running = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said: list[str] = []
    try:
        assert running.stderr is not None
        while not (said and said[-1].startswith("metrics on")):
            line = running.stderr.readline()
            assert line, said
            said.append(line.strip())
        yield said[-1].split()[2].removesuffix("/metrics,"), said
    finally:
        running.terminate()
        running.communicate(timeout=30)


def test_who_only_reads_makes_nothing_in_the_store(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    filled(store, "", contract_file(), make_orders)
    (store / ".staging").rmdir()
    pages = browser(store)
    for page in PAGES:
        assert pages.get(f"/datasets/orders{page}").status_code == 200, page
    assert serving.not_ready(resolve(store=store)) is None
    with pytest.raises(tg.Halted):
        require_closed("orders", store=store)
    assert not (store / ".staging").exists()
    with at(store, must_exist=True):
        assert (store / ".staging").exists()


def test_a_store_that_must_be_written_and_cannot_be_is_told(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with at(store):
        pass
    monkeypatch.setattr(os, "access", lambda *_: False)
    with at(store, read_only=True):
        pass
    with pytest.raises(StoreError, match=r"the store cannot be written at .*\.staging"), at(store, must_exist=True):
        pass


@pytest.mark.more
def test_of_a_store_on_a_read_only_file_system_every_page_is_shown_and_an_act_is_refused_in_words(
    postgres_url: str, store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    store.mkdir()
    if shutil.which("unshare") is None or subprocess.run(in_read_only(store, "true"), check=False).returncode:
        pytest.skip("nothing may be mounted here")
    contract = filled(store, postgres_url, contract_file(), make_orders)
    with serving_it(store, postgres_url) as (url, said), httpx.Client(base_url=url, timeout=20) as client:
        assert not [line for line in said if line.startswith("warning")]
        for page in ("/", "/readyz", "/metrics", *(f"/datasets/orders{each}" for each in PAGES)):
            assert client.get(page).status_code == 200, page
        assert client.post("/login", data={"token": TOKEN}).status_code == 303
        found = re.search(r'name="csrf" value="([^"]+)"', client.get("/datasets/orders").text)
        assert found is not None
        sent = {"act": "close", "by": "ann", "reason": "it is well", "csrf": found[1]}
        page = client.post("/datasets/orders/breaker", data=sent)
        assert page.status_code == 503
        assert "It failed." in page.text
        assert "the store cannot be written at" in page.text
        assert "a read-only file system" in page.text
    for command in (
        ("report", contract, "bad", "--format", "md", "-o", "-"),
        ("breaker", "status"),
        ("quarantine", "show", "orders", "bad"),
        ("audit", "verify"),
    ):
        whole = in_read_only(store, TIDEGATE, *command, "--store", store)
        done = subprocess.run(
            whole, env=os.environ | {"TIDEGATE_LEDGER": postgres_url}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stderr)
    with at(store, ledger=postgres_url, read_only=True) as place, place.ledger.read() as connection:
        assert "ann" not in [entry["by"] for entry in audit.entries(connection, "orders")]
