"""The report of batches that are let go of, looked at in shadow, called like a page, or kept beside another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from markdown_it import MarkdownIt

import tidegate as tg
from tests.flows.status_site import browser, words
from tidegate_flows import by_hand, readmission
from tidegate_flows.cli.exits import run as command
from tidegate_flows.cli.report import report
from tidegate_flows.pages.verdict_markdown import cell
from tidegate_flows.pages.verdict_words import headline, steps
from tidegate_flows.place import at
from tidegate_flows.prefect_artifacts import batches_table, page_of, run_table, target_of
from tidegate_flows.report.written import Wanted, _targets, page_beside_verdict, write_look, write_report
from tidegate_monitors.breaker import Decision

Make = Callable[..., pd.DataFrame]
WHO: Mapping[str, str] = {"by": "ann", "reason": "looked at"}


def told(store: Path, contract: Path, batch: str) -> tuple[str, str]:
    """The sentence of a report, and what it has one do."""
    with at(store) as place:
        view = write_report(place, tg.load_contract(contract), batch, Wanted()).view
    return headline(view), " ".join(step.command or step.what for step in steps(view))


def let_go(store: Path, batch: str) -> None:
    with at(store) as place:
        readmission.discard(place, "orders", batch, **WHO)


def some_bad(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame.index[:3], "amount"] = -1.0
    return frame


# what is let go of ------------------------------------------------------------------------------------------------


def test_a_held_batch_that_is_let_go_of_waits_for_nothing(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    with at(store) as place:
        tg.gate(make_orders(1), path, store=store, batch_id="before")
        by_hand.trip(place, "orders", **WHO)
    assert tg.gate(make_orders(2), path, store=store, batch_id="a").decision is Decision.HOLD
    said, does = told(store, path, "a")
    assert said == "Held: it passes, and its 200 rows wait until the breaker closes."
    waits = "It passes, and waits until the breaker closes."
    assert waits in words(browser(store).get("/datasets/orders/batches/a"))
    let_go(store, "a")
    said, does = told(store, path, "a")
    assert said == "Held, and discarded before the breaker closed, though it passes: none of its 200 rows is published."
    assert "breaker close" not in does
    page = words(browser(store).get("/datasets/orders/batches/a"))
    assert waits not in page
    assert "It passes, but was discarded before the breaker closed: nothing of it is published." in page


def test_rows_that_are_let_go_of_cannot_be_shown_or_released(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(some_bad(make_orders(1)), path, store=store, batch_id="some").require_published()
    assert "quarantine release orders some" in told(store, path, "some")[1]
    broke = "Published without 3 rows that broke the contract"
    assert f"{broke}. " in words(browser(store).get("/datasets/orders/batches/some"))
    let_go(store, "some")
    assert "quarantine" not in told(store, path, "some")[1]
    assert f"{broke} and are discarded. " in words(browser(store).get("/datasets/orders/batches/some"))


def test_a_refused_batch_that_is_let_go_of_is_said_to_be_gone(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1).assign(amount=-1.0), path, store=store, batch_id="a")
    gone = "and what was kept back has been discarded"
    assert gone not in words(browser(store).get("/datasets/orders/batches/a"))
    let_go(store, "a")
    assert gone in words(browser(store).get("/datasets/orders/batches/a"))
    assert gone in told(store, path, "a")[0]


# shadow -----------------------------------------------------------------------------------------------------------


def test_a_look_under_a_shadow_says_what_the_gate_then_does(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Make, tmp_path: Path
) -> None:
    shadow, plain = make_contract(shadow=True), make_contract()
    frames = {
        "good": make_orders(1),
        "some": some_bad(make_orders(2)),
        "bad": make_orders(3).assign(amount=-1.0),
    }
    said = {
        "good": "All 200 rows would be published because the contract is in shadow; without that they would be, too; ",
        "some": "without that those that broke the contract would be set aside; ",
        "bad": "without that it would be quarantined because of impossible_values on amount",
    }
    for name, frame in frames.items():
        file = tmp_path / f"{name}.parquet"
        frame.to_parquet(file, index=False)
        done, passed = write_look(shadow, str(file), None, Wanted(to_file=False))
        seen, run = done.view.run, tg.gate(file, shadow, store=store)
        assert (seen.decision, seen.would, seen.counts) == (run.decision, run.would, run.counts)
        assert said[name] in headline(done.view)
        assert passed == (name != "bad"), "as tidegate check has it"
        clean = write_look(plain, str(file), None, Wanted(to_file=False))[0].view
        assert clean.run.would is None
        assert "shadow" not in headline(clean) + "".join(step.what for step in steps(clean))


def test_a_file_that_cannot_be_read_is_refused_in_shadow_too(
    store: Path, make_contract: Callable[..., tg.Contract], tmp_path: Path
) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 no more")
    shadow = make_contract(shadow=True)
    run = tg.gate(tmp_path / "torn.parquet", shadow, store=store)
    looked = write_look(shadow, str(tmp_path / "torn.parquet"), None, Wanted(to_file=False))[0].view
    assert (looked.run.decision, looked.run.counts) == (run.decision, run.counts)
    assert headline(looked) == "It would be quarantined because of unreadable: nothing of it would be published."
    with at(store) as place:
        kept = write_report(place, shadow, "torn", Wanted()).view
    assert headline(kept) == "Quarantined because of unreadable: nothing of it is published."


# names of files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", ["labels", "Labels", "b.evidently", "B.Evidently"])
def test_no_batch_is_called_like_another_page(batch: str, tmp_path: Path) -> None:
    taken = {"labels.html", "b.html", "b.evidently.html"}
    files, beside = _targets(Wanted("both"), tmp_path, batch)
    names = {path.name.casefold() for path, _ in files} | {beside.name.casefold()}
    assert len(names) == 3
    assert not names & taken
    assert _targets(Wanted(), tmp_path, "2013-04-10")[0] == [(tmp_path / "2013-04-10.html", ".html")]


def test_a_batch_called_labels_leaves_the_page_of_labels_as_it_is(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="labels")
    theirs = store / "orders" / "reports" / "labels.html"
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("of labels")
    told(store, path, "labels")
    assert theirs.read_text() == "of labels"
    assert "orders / labels" in theirs.with_name("labels~.html").read_text()


def test_what_is_written_is_what_was_asked_for_whatever_the_file_is_called(
    store: Path,
    contract_file: Callable[..., Path],
    make_orders: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command("report")(report)
    app.command("nothing")(lambda: None)
    page, text = "<!DOCTYPE html>", "### orders / a"
    for file, form, begins in (
        ("x.txt", "md", text),
        ("x.html", "md", text),
        ("x.md", "html", page),
        ("y.txt", None, page),
        ("y.md", None, text),
        ("y.html", None, page),
    ):
        asked = ["--format", form] if form else []
        assert command(app, ["report", str(path), "a", "--store", str(store), "-o", file, *asked]) == 0
        assert (tmp_path / file).read_text().startswith(begins), (file, form)
    capsys.readouterr()
    assert command(app, ["report", str(path), "a", "--store", str(store), "-o", "z.txt", "--format", "both"]) == 0
    assert {p.name: p.read_text()[:5] for p in tmp_path.glob("z.*")} == {"z.html": page[:5], "z.md": text[:5]}


# Prefect and Markdown ---------------------------------------------------------------------------------------------


def test_the_page_of_other_bytes_under_a_known_id_is_theirs(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a").require_published()
    other = tg.gate(make_orders(2), path, store=store, batch_id="a")
    assert other.decision is Decision.QUARANTINE
    with at(store) as place:
        own = page_beside_verdict(place, tg.load_contract(path), "a")
    assert own is not None
    before, target = own.read_text(), target_of(other, str(store), page_of(other, str(store)))
    assert target is not None
    page = next(own.parent.glob("a~*.html"))
    assert target == page.resolve().as_uri()
    assert (other.id in page.read_text(), own.read_text()) == (True, before)
    key = page.stem
    assert f"tidegate quarantine show orders '{key}'" in run_table(other)
    assert f"| {cell(key)} |" in batches_table("orders", [other.to_dict()])


def test_a_target_without_a_page_is_the_published_file_and_then_what_is_kept(
    store: Path, contract: tg.Contract, make_orders: Make
) -> None:
    good = tg.gate(make_orders(1), contract, store=store, batch_id="a").require_published()
    bad = tg.gate(make_orders(2).assign(amount=-1.0), contract, store=store, batch_id="b")
    assert good.published is not None
    assert page_of(good, str(store)) is None, "no file of the contract is known"
    assert target_of(good, str(store), None) == good.published.resolve().as_uri()
    assert target_of(bad, str(store), None) == (store / "orders" / "quarantine" / "b").resolve().as_uri()


@pytest.mark.more
def test_what_prefect_shows_imports_no_server_and_no_evidently() -> None:
    program = (
        "import json, sys, tidegate_flows.prefect_artifacts\n"
        "heavy = {'starlette', 'uvicorn', 'evidently', 'prefect', 'great_expectations', 'tidegate_flows.status'}\n"
        "print(json.dumps(sorted(heavy & sys.modules.keys())))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_table_of_batches_holds_whatever_checks_are_called() -> None:
    document: dict[str, Any] = {
        "batch": "a",
        "decision": "publish",
        "state": "closed",
        "verified": True,
        "would": None,
        "rows": {"in": 1, "published": 1},
        "findings": [{"check": "a|b\n@all", "severity": "warning"}],
    }
    line = batches_table("orders", [document]).splitlines()[-1]
    assert line.replace("\\|", "").count("|") == 7
    assert "@" not in line


@pytest.mark.parametrize("name", ["see #12", "owner/repo#12", "GH-12", "gh-7", "$x^2$", "$`x`$", "$$x$$"])
def test_no_name_refers_to_an_issue_or_is_a_formula(name: str) -> None:
    text = cell(name)
    rendered = MarkdownIt("commonmark").render(text)
    assert "#" not in rendered, "a site links it even where it is escaped"
    assert "gh-" not in rendered.casefold()
    assert text.count("$") == text.count("\\$")
    assert cell("hash") == "hash"
    assert cell("high-5") == "high-5"


def test_the_child_begins_no_other_program() -> None:
    program = (
        "import os\n"
        "from tidegate_flows.evidently_child import close_ways_out\n"
        "close_ways_out()\n"
        "for way in (lambda: os.fork() or os._exit(0), lambda: os.posix_spawn('/bin/true', ['true'], {}),\n"
        "            lambda: os.forkpty()[0] or os._exit(0), lambda: os.execv('/bin/true', ['true'])):\n"
        "    try:\n"
        "        way()\n"
        "    except PermissionError as error:\n"
        "        assert 'is refused here' in str(error)\n"
        "    else:\n"
        "        raise SystemExit('it went out')\n"
        "raise SystemExit(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 7
