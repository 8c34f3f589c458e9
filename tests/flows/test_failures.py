"""What happens when things break: nothing is published that was not decided, and nothing is lost."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

import tidegate as tg
from tests.flows.conftest import TIDEGATE
from tests.flows.invariants import Invariants
from tidegate_flows import readmission
from tidegate_flows.cli.app import app
from tidegate_flows.cli.exits import run
from tidegate_flows.ledger import Ledger, audit, counters, runs
from tidegate_flows.place import at
from tidegate_flows.recover import recover

Make = Callable[..., pd.DataFrame]


def test_a_decision_that_could_not_be_carried_out_is_finished_later(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    (store / "orders").mkdir(parents=True)
    (store / "orders" / "published").write_text("in the way")
    with pytest.raises(tg.StoreError):
        tg.gate(make_orders(1), contract, store=store, batch_id="a")
    (store / "orders" / "published").unlink()
    with at(store) as place:
        assert recover(place) == 1
        assert recover(place) == 0
    again = tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    assert len(again.rows()) == 200
    assert list((store / ".staging").iterdir()) == []


def test_a_worker_killed_at_any_moment_leaves_a_store_that_the_next_one_finishes(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    path, batch = contract_file(), tmp_path / "day.parquet"
    make_orders(1).to_parquet(batch, index=False)
    program = (
        "import json, os, sys\n"
        "import pandas, pandera.pandas, tidegate as tg, tidegate_flows.gate\n"  # once: each death is a fork
        "def die(real):\n"
        "    def step(*a, **k):\n"
        "        global left\n"
        "        left -= 1\n"
        "        if not left: os._exit(9)\n"
        "        return real(*a, **k)\n"
        "    return step\n"
        "codes = []\n"
        "for left in range(1, 40):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        os.fsync, os.rename, code, place = die(os.fsync), die(os.rename), 1, f'{sys.argv[3]}/{left}'\n"
        "        try:\n"
        "            code = int(tg.gate(sys.argv[1], sys.argv[2], store=place).decision is not tg.Decision.PUBLISH)\n"
        "        finally:\n"
        "            os._exit(code)\n"
        "    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "    if codes[-1] != 9: break\n"
        "print(json.dumps(codes))\n"
    )
    done = _python(program, batch, path, store)
    codes = json.loads(done.stdout)
    assert len(codes) > 4, "a run has several durable steps"
    assert codes == [9] * (len(codes) - 1) + [0], done.stderr
    for step in range(1, len(codes) + 1):
        place = store / str(step)
        second = tg.gate(batch, path, store=place)
        assert second.decision is tg.Decision.PUBLISH
        assert second.published is not None
        assert second.published.read_bytes() == batch.read_bytes()
        assert [p.name for p in (place / "orders" / "published").iterdir()] == ["day.parquet"]
        with at(place) as here:
            Invariants(here, "orders", "order_id").look_at_rest()


def test_a_full_disk_gives_no_verdict_and_the_same_command_works_when_there_is_room(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    path, batch = contract_file(), tmp_path / "day.parquet"
    make_orders(1, 5000).to_parquet(batch, index=False)
    tg.gate(make_orders(2), path, store=store, batch_id="before")

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    full = subprocess.run(
        [str(TIDEGATE), "gate", str(path), str(batch), "--store", str(store)],
        capture_output=True,
        text=True,
        preexec_fn=little_room,
        check=False,
    )
    assert full.returncode == 3, full.stderr
    assert "hint:" in full.stderr
    assert "Traceback" not in full.stderr
    assert not (store / "orders" / "published" / "day.parquet").exists()
    tg.gate(batch, path, store=store).require_published()


def test_two_at_once_on_the_same_batch_decide_it_once(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path
) -> None:
    path, batch = contract_file(), tmp_path / "day.parquet"
    make_orders(1).to_parquet(batch, index=False)
    command = [str(TIDEGATE), "gate", str(path), str(batch), "--store", str(store), "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [worker.communicate(timeout=120) for worker in both]
    assert [worker.returncode for worker in both] == [0, 0, 0], said
    assert len({json.loads(out)["run"] for out, _ in said}) == 1
    with at(store) as place, place.ledger.begin() as connection:
        assert len(runs.history(connection, "orders")) == 1


def test_no_update_is_lost_between_four_processes(store: Path) -> None:
    with at(store):
        pass
    program = (
        "import sys\n"
        "from tidegate_flows.place import at\n"
        "from tidegate_flows.ledger import counters\n"
        "with at(sys.argv[1]) as place:\n"
        "    for _ in range(50):\n"
        "        with place.ledger.begin() as connection:\n"
        "            counters.bump(connection, 'tries', 'orders')\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, str(store)]) for _ in range(4)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0, 0, 0]
    with at(store) as place, place.ledger.begin() as connection:
        assert [value for *_, value in counters.totals(connection)] == [200]


def test_a_zombie_that_lost_its_lease_cannot_commit(store: Path, contract: tg.Contract, make_orders: Make) -> None:
    from tidegate_flows.ledger import batches

    with at(store) as place:
        with place.ledger.begin() as connection:
            zombie = batches.claim(connection, "orders", "a", "00", now=0.0, lease=1.0)
        tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
        assert isinstance(zombie, batches.Claim)
        with pytest.raises(tg.StoreError, match="taken over"), place.ledger.begin() as connection:
            batches.settle(connection, zombie, "late")


def test_a_ledger_of_a_newer_format_is_refused(store: Path) -> None:
    with at(store) as place, place.ledger.begin() as connection:
        connection.execute(text("UPDATE ledger_format SET version = 99"))
    with pytest.raises(tg.StoreError, match="newer"):
        Ledger.open("", store)


def test_a_published_file_that_is_not_the_one_that_was_checked_is_never_put_in_place(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    (store / "orders").mkdir(parents=True)
    (store / "orders" / "published").write_text("in the way")
    with pytest.raises(tg.StoreError):
        tg.gate(make_orders(1), contract, store=store, batch_id="a")
    (store / "orders" / "published").unlink()
    staged = next((store / ".staging").glob("*/batch.parquet"))
    staged.write_bytes(staged.read_bytes() + b"x")
    with at(store) as place, pytest.raises(tg.StoreError, match="not the file that was checked"):
        recover(place)
    assert list((store / "orders" / "published").iterdir()) == []


@pytest.mark.parametrize("meanwhile", ["nothing", "the breaker opens"])
def test_a_batch_of_which_other_rows_were_let_go_of_stays_published_when_it_comes_again(
    store: Path, contract: tg.Contract, make_orders: Make, meanwhile: str
) -> None:
    frame = make_orders(1)
    frame.loc[[3, 7], "amount"] = -1.0
    first = tg.gate(frame, contract, store=store, batch_id="a").require_published()
    with at(store) as place:
        readmission.discard(place, "orders", "a", by="ann", reason="two orders of a test customer")
    if meanwhile == "the breaker opens":
        tg.gate(make_orders(2).assign(amount=-1.0), contract, store=store, batch_id="b")
    again = tg.gate(frame, contract, store=store, batch_id="a")
    assert (again.id, again.repeated, again.decision) == (first.id, True, tg.Decision.PUBLISH)
    with at(store) as place, place.ledger.read() as connection:
        told = [entry["event"] for entry in audit.entries(connection, "orders") if entry["batch"] == "a"]
    assert told == ["batch.published", "batch.discarded"]


def _python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"TIDEGATE_LEASE": "1"},
        check=False,
    )


@pytest.mark.parametrize("command", ["gate", "recover", "status"])
def test_a_store_that_has_lost_its_ledger_is_not_begun_anew(
    store: Path, contract_file: Callable[..., Path], make_orders: Make, tmp_path: Path, command: str,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path, batch = contract_file(), tmp_path / "a.parquet"
    make_orders(1).to_parquet(batch, index=False)
    tg.gate(batch, path, store=store).require_published()
    for left in store.glob("ledger.db*"):
        left.unlink()
    words = {"gate": ["gate", path, batch], "recover": ["recover"], "status": ["breaker", "status"]}[command]
    assert run(app, [*map(str, words), "--store", str(store)]) == 3
    said = capfd.readouterr().err
    assert "this store has lost its ledger" in said
    assert "a.parquet, and no ledger.db" in said
    assert not (store / "ledger.db").exists()
