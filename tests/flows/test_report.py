"""The report of a batch: the decision first, whole, safe and small whatever comes, and true to the run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import tidegate as tg
from tests.flows.test_label_page import HOSTILE, Reader
from tidegate_contracts.batch import Source
from tidegate_contracts.errors import UsageError
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_flows import by_hand, look, readmission, reference
from tidegate_flows.cli.exits import run as command
from tidegate_flows.cli.report import report
from tidegate_flows.pages import verdict_markdown as markdown
from tidegate_flows.pages import verdict_page as html
from tidegate_flows.pages.verdict_markdown import verdict_markdown
from tidegate_flows.pages.verdict_page import verdict_page
from tidegate_flows.pages.verdict_view import ColumnLine, ReasonLine, VerdictView
from tidegate_flows.pages.verdict_words import headline, steps
from tidegate_flows.place import at
from tidegate_flows.report.written import Wanted, page_beside_verdict, write_look, write_report
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.breaker import Decision, State
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.run import Rows, Run

Make = Callable[..., pd.DataFrame]
WHO = {"by": "ann", "reason": "looked at"}
NOW = datetime(2024, 3, 22, 12, tzinfo=UTC)
SECRET = 98_765.4321


def dearer(frame: pd.DataFrame) -> pd.DataFrame:
    """Cents for euros, which no clause of the contract forbids."""
    return frame.assign(amount=frame["amount"] * 100)


@pytest.fixture
def wide(contract_file: Callable[..., Path]) -> Path:
    """The contract of orders without a bound on amounts, so that only the reference can tell."""
    path = contract_file()
    path.write_text(path.read_text().replace("ge=0, le=10_000", "ge=0"))
    return path


def told(where: Path, contract: Path, batch: str, **wanted: Any) -> tuple[str, str, VerdictView]:
    """The page and the Markdown of a batch, from where they were written."""
    with at(where) as place:
        done = write_report(place, tg.load_contract(contract), batch, Wanted("both", contract=str(contract), **wanted))
    assert [path.suffix for path in done.files] == [".html", ".md"]
    page, text = (path.read_text(encoding="utf-8") for path in done.files)
    return page, text, done.view


def run_of(findings: tuple[Any, ...] = (), **other: Any) -> Run:
    usual: dict[str, Any] = {
        "id": "00000000-0000-4000-8000-000000000000",
        "dataset": "orders",
        "batch": "a",
        "contract_version": "1.0.0",
        "contract_sha256": "c" * 64,
        "decision": Decision.QUARANTINE,
        "state": State.OPEN,
        "verified": True,
        "counts": Rows(10, 0, 10),
        "findings": findings,
        "reference": "r" * 64,
        "at": NOW,
        "window": None,
        "seconds": 0.2,
    }
    return Run(**(usual | other))


def test_a_fault_is_told_with_what_to_do_and_its_clean_twin_is_not(
    with_reference: Path, wide: Path, make_orders: Make
) -> None:
    bad = tg.gate(dearer(make_orders(30)), wide, store=with_reference, batch_id="bad")
    assert "unit_change" in {finding.check for finding in bad.findings}
    page, text, _ = told(with_reference, wide, "bad", store="somewhere")
    said = "Quarantined because of unit_change on amount: none of its 200 rows is published."
    assert page.index(said) < page.index("What to do next") < page.index('<ol class="verdict">')
    assert text.splitlines()[2] == f"**{said}**"
    for told_ in (page, text):
        for finding in bad.findings:
            assert finding.check in told_
        for verb in (
            "quarantine show",
            "quarantine replay",
            "quarantine release",
            "quarantine discard",
            "breaker close",
        ):
            assert f"tidegate {verb} orders" in told_
        assert "--by WHO --reason WHY --store somewhere" in told_
    assert {bad.contract_sha256, bad.reference, bad.id} <= set(re.findall(r"[0-9a-f-]{36,64}", page))
    assert "amount: reference and this batch" in page
    assert "Filled: the reference. Line: this batch." in page
    with at(with_reference) as place:
        by_hand.close(place, "orders", **WHO)
    good = tg.gate(make_orders(31), wide, store=with_reference, batch_id="good")
    assert good.decision is Decision.PUBLISH
    page, text, view = told(with_reference, wide, "good")
    assert "Published: all 200 rows;" in page
    assert "critical</span>" not in page
    assert "quarantine release" not in page + text
    assert "closed since" in page
    assert view.breaker is not None


def test_it_is_well_formed_and_asks_for_nothing_from_anywhere(
    with_reference: Path, wide: Path, make_orders: Make
) -> None:
    tg.gate(dearer(make_orders(30)), wide, store=with_reference, batch_id="bad")
    page, _, _ = told(with_reference, wide, "bad")
    read = Reader(page)
    assert len(page.encode()) < 100_000
    assert not {"script", "img", "iframe", "object", "form"} & {*read.tags}
    assert read.of("href") == ["data:,"]
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert not re.search(r"://|url\(|@import", page)
    assert "default-src 'none'" in page
    levels = [int(tag[1]) for tag in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert read.tags.count("caption") == read.tags.count("table") >= 1
    names = [value for value in read.of("id") if value]
    assert len(names) == len(set(names))
    assert {name for value in read.of("aria-labelledby") for name in (value or "").split()} <= set(names)


def test_rows_add_up_and_reasons_are_counted_until_they_are_let_go(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path, frame = contract_file(), make_orders(1)
    frame.loc[[5, 9, 11], "amount"] = [SECRET, SECRET, -1.0]
    tg.gate(frame, path, store=store, batch_id="a").require_published()
    page, text, view = told(store, path, "a")
    assert "Published without 3 of its 200 rows, which broke the contract." in page
    assert "| rows | 200 in = 197 published + 3 quarantined + 0 held |" in text
    assert [(one.check, one.column, one.rows) for one in view.reasons] == [
        ("impossible_values", "amount", 2),
        ("impossible_values", "amount", 1),
    ]
    assert "have the rows checked again" in text
    assert "reference build" in text, "it was held against none"
    assert "98765" not in page + text
    with at(store) as place:
        readmission.discard(place, "orders", "a", **WHO)
    page, text, view = told(store, path, "a")
    assert "Published without 3 of its 200 rows, which broke the contract and are discarded." in page
    assert view.reasons == []


def test_no_value_of_a_row_and_nothing_of_a_personal_column_is_told(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path = contract_file()
    path.write_text(
        path.read_text()
        .replace(
            "note: str = pa.Field(nullable=True)", 'note: str = pa.Field(nullable=True, metadata={"personal": True})'
        )
        .replace("ge=0, le=10_000", "ge=0")
    )
    frames = [make_orders(day).assign(note="Maria") for day in range(6)]
    contract = tg.load_contract(path)
    with at(store) as place:
        for day, frame in enumerate(frames):
            frame.loc[7, "amount"] = SECRET
            frame.to_parquet(store / f"{day}.parquet")
        built = reference.build(place, contract, sorted(store.glob("*.parquet")))
        reference.approve(place, "orders", built.sha256, **WHO)
    changed = make_orders(9).assign(note="Lukas", country="DE")
    changed.loc[3, "amount"] = 10 * SECRET
    tg.gate(changed, path, store=store, batch_id="a")
    page, text, view = told(store, path, "a")
    assert "country" in view.shapes
    assert not re.search(r"Maria|Lukas|98765\.4|987654", page + text)
    assert "note" not in view.shapes
    assert any(one.name == "note" for one in view.columns), "how much of it is missing may be known"


def test_held_batches_say_what_they_wait_for(with_reference: Path, wide: Path, make_orders: Make) -> None:
    tg.gate(make_orders(30), wide, store=with_reference, batch_id="before")
    with at(with_reference) as place:
        by_hand.trip(place, "orders", by="ann", reason="the source is <b>odd</b>")
    tg.gate(make_orders(31), wide, store=with_reference, batch_id="a")
    page, text, view = told(with_reference, wide, "a")
    assert headline(view) == "Held: it passes, and its 200 rows wait until the breaker closes."
    assert "because of ann: the source is &lt;b&gt;odd&lt;/b&gt;" in page
    assert r"\<b\>odd" in text
    assert "tidegate breaker close orders" in text


def test_a_file_is_looked_at_as_check_does_and_nothing_is_stored(
    with_reference: Path, wide: Path, make_orders: Make, tmp_path: Path
) -> None:
    dearer(make_orders(30)).to_parquet(tmp_path / "bad.parquet", index=False)
    before = sorted(with_reference.rglob("*"))
    contract = tg.load_contract(wide)
    with at(with_reference) as place:
        against = reference.approved(place, contract)
        wanted = Wanted("both", tmp_path / "out", contract="orders.py")
        done, passed = write_look(contract, str(tmp_path / "bad.parquet"), against, wanted, place=place)
    verdict = look.check(str(tmp_path / "bad.parquet"), contract, against)
    assert (done.view.run.findings, passed) == (verdict.findings, verdict.passed)
    assert sorted(with_reference.rglob("*")) == before
    page = (tmp_path / "out" / "bad.html").read_text()
    assert "It would be quarantined because of unit_change on amount: none of its 200 rows would be published." in page
    assert "nothing is stored" in page
    assert "compare" in page, "stages are timed"
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 no more")
    done, passed = write_look(contract, str(tmp_path / "torn.parquet"), against, wanted)
    assert not passed
    assert headline(done.view) == "It would be quarantined because of unreadable: nothing of it would be published."


def hostile(name: str) -> VerdictView:
    """A view in which everything that comes from outside has an odd name."""
    findings = (
        Violation("impossible_values", name, Severity.CRITICAL, name, name, 3, (name,) * 5),
        Alarm("drift", Severity.WARNING, name, name, f"{name}={name}", 2.0, 1.0, (name,)),
    )
    worst = Comparison(name, "psi", "drift", 2.0, threshold=1.0, slice=f"{name}={name}")
    run = run_of(findings, batch=name, contract_version=name, casts={name: name}, coerced={name: 2})
    return VerdictView(
        run,
        NOW,
        batch=name,
        contract=name,
        store=name,
        source=Source(name, ".csv", "s" * 64, 3),
        columns=[ColumnLine(name, (0.1, None), worst)],
        reasons=[ReasonLine("impossible_values", name, name, 3)],
        unseen=name,
        evidently=name,
        alone=name,
    )


@pytest.mark.parametrize("name", [*HOSTILE, "javascript:alert(1)", "|\n# a\n|", "`x` *y* ![z](http://e.vil)", "\udcff"])
def test_hostile_names_stay_text_on_the_page(name: str) -> None:
    page = verdict_page(hostile(name))
    read = Reader(page.encode("utf-8", "strict").decode())
    assert not {"script", "img"} & {*read.tags}
    assert not [key for key, _ in read.attributes if key.startswith("on")]
    assert all((link or "").startswith("data:") or ":" not in (link or "") for link in read.of("href"))
    assert "\x1b" not in page
    assert "\u202e" not in page


def safe_markdown(view: VerdictView) -> None:
    """Whether a reader of Markdown finds our own tables, lists and bold words, and nothing else."""
    text = verdict_markdown(view)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {token.type for token in tokens}
    inner = {child.type for token in tokens for child in token.children or ()}
    assert not kinds & {"html_block", "fence", "blockquote_open", "hr"}
    assert inner <= {"text", "strong_open", "strong_close", "text_special", "softbreak"}
    assert kinds & {"heading_open"}
    for found in re.findall(r"(?ms)^\|.*?(?=^$|\Z)", text):
        lines = found.strip().splitlines()
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", one)) for one in lines}) == 1
    assert sum(token.type == "table_open" for token in tokens) == 4
    assert "@" not in re.sub(r"(?m)^ {7}.*$", "", text)


@given(name=st.text(min_size=1, max_size=40) | st.sampled_from(HOSTILE) | st.text("|\\`*_~[]<>&@!#-+1. \n", min_size=1))
def test_whatever_names_hold_the_markdown_has_only_our_own_markup(name: str) -> None:
    safe_markdown(hostile(name))


def test_links_and_mentions_are_disarmed() -> None:
    text = verdict_markdown(hostile("@all see https://e.vil or www.e.vil"))
    body = re.sub(r"(?m)^ {7}.*$", "", text)  # commands are code
    assert "://" not in body
    assert "www.e" not in body
    assert "＠all" in body


def test_two_thousand_columns_and_ten_thousand_findings_stay_below_a_megabyte() -> None:
    long = "<&'\"" * 200
    findings = tuple(
        Violation("impossible_values", long, Severity.CRITICAL, long, f"{i}{long}", 3, (long,) * 5)
        for i in range(10_000)
    )
    names = [f"{index}{long}" for index in range(2000)]
    view = VerdictView(
        run_of(findings, casts=dict.fromkeys(names, long)),
        NOW,
        columns=[ColumnLine(n, (0.5, 0.5), Comparison(n, "psi", "drift", 2.0, threshold=1.0)) for n in names],
        reasons=[ReasonLine("impossible_values", long, name, 1) for name in names],
    )
    page, text = verdict_page(view), verdict_markdown(view)
    Reader(page)
    assert len(page.encode()) < html.BYTES_MAXIMUM
    assert len(text.encode()) < markdown.BYTES_MAXIMUM
    left = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) more \w+, ", page)]
    assert len(left) == 4
    assert left[0] + page.count('<span class="badge critical">') == 10_000
    assert re.search(r"\n9[\d]{3} more findings are left out here\.\n", text)


def test_the_sentence_fits_each_kind_of_run() -> None:
    published = {"decision": Decision.PUBLISH, "counts": Rows(10, 10), "state": State.CLOSED}
    silent = Alarm("silent_monitor", Severity.WARNING, "a monitor failed")
    said = {
        "Published: all 10 rows; nothing was found.": run_of(**published),
        "Published without a verdict: a monitor failed, and nobody vouches for its 10 rows.": run_of(
            (silent,), **published, verified=False
        ),
        "All 10 rows are published because the contract is in shadow: it would have been quarantined.": run_of(
            **published, would="quarantine"
        ),
        "Published, but none of its 10 rows passed.": run_of(decision=Decision.PUBLISH, counts=Rows(10, 0, 10)),
        "Published: its one row; nothing was found.": run_of(**(published | {"counts": Rows(1, 1)})),
    }
    for sentence, run in said.items():
        assert headline(VerdictView(run, NOW)).replace("it would have been quarantined: ", "it would") == sentence
    assert [step.what for step in steps(VerdictView(run_of(**published), NOW))] == ["Nothing."]
    unjudged = [step.what for step in steps(VerdictView(run_of((silent,), **published, verified=False), NOW))]
    assert "read the gate's log" in unjudged[0]
    assert not [what for what in unjudged if "reference" in what], "nothing is known of it that one could build upon"
    gone = VerdictView(run_of(), NOW, discarded=True)
    assert "has been discarded: none of its 10 rows is published." in headline(gone)


# the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def told_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run the command in this process; gives its code, and what it said on either side."""
    app = typer.Typer()
    app.command("report")(report)
    app.command("nothing")(lambda: None)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        code = command(app, ["report", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def test_the_command_writes_where_prefect_looks_and_where_it_is_told(
    with_reference: Path, wide: Path, make_orders: Make, told_by: Callable[..., Any], tmp_path: Path
) -> None:
    tg.gate(dearer(make_orders(30)), wide, store=with_reference, batch_id="bad")
    code, out, _ = told_by(wide, "bad", "--store", with_reference)
    usual = with_reference / "orders" / "reports" / "bad.html"
    assert (code, usual.is_file()) == (0, True)
    assert out.splitlines()[1].strip() == str(usual)
    (tmp_path / "dir").mkdir()
    code, out, _ = told_by(wide, "bad", "--store", with_reference, "--format", "both", "-o", "dir", "--json")
    document = json.loads(out)
    assert document["files"] == [str(tmp_path / "dir" / "bad.html"), str(tmp_path / "dir" / "bad.md")]
    assert (document["format"], document["decision"], document["evidently"]) == (1, "quarantine", None)
    assert told_by(wide, "bad", "--store", with_reference, "-o", "own.html")[0] == 0
    assert (tmp_path / "own.html").read_text().count("<!DOCTYPE html>") == 1
    code, out, _ = told_by(wide, "bad", "--store", with_reference, "--format", "md", "-o", "-")
    assert out.startswith("### orders / bad\n")
    dearer(make_orders(30)).to_parquet(tmp_path / "file.parquet", index=False)
    code, out, _ = told_by(wide, "file.parquet", "--store", with_reference)
    assert (code, (tmp_path / "file.html").is_file()) == (1, True)


def test_wrong_use_is_one_clear_message(
    with_reference: Path, wide: Path, make_orders: Make, told_by: Callable[..., Any]
) -> None:
    tg.gate(make_orders(30), wide, store=with_reference, batch_id="a")
    for arguments, what in {
        (wide, "nowhere", "--store", with_reference): "no batch 'nowhere' of 'orders'",
        (wide, "nowhere"): "neither a store nor such a file",
        (wide, "a", "--store", with_reference, "--format", "pdf"): "html, md, both",
        (wide, "a", "--store", with_reference, "-o", "-"): "--format md",
        (wide, "a", "--store", with_reference, "--reference", "x"): "are for files",
    }.items():
        code, out, err = told_by(*arguments)
        assert (code, out) == (2, ""), err
        assert what in err


def test_a_page_that_cannot_be_written_leaves_the_verdict_as_it_is(
    with_reference: Path, wide: Path, make_orders: Make, caplog: pytest.LogCaptureFixture
) -> None:
    run = tg.gate(make_orders(30), wide, store=with_reference, batch_id="a")
    contract = tg.load_contract(wide)
    with at(with_reference) as place:
        page = page_beside_verdict(place, contract, "a")
        assert page == with_reference / "orders" / "reports" / "a.html"
        shutil.rmtree(page.parent)
        page.parent.touch()
        assert page_beside_verdict(place, contract, "a") is None
        assert page_beside_verdict(place, contract, "never came") is None
    assert "no page of batch orders/a" in caplog.text
    assert run.decision is Decision.PUBLISH


def test_an_unknown_batch_is_wrong_use(with_reference: Path, wide: Path) -> None:
    with at(with_reference) as place, pytest.raises(UsageError, match="no batch 'b'"):
        write_report(place, tg.load_contract(wide), "b", Wanted())


def test_a_reference_that_is_gone_leaves_the_rest_of_the_page(
    with_reference: Path, wide: Path, make_orders: Make
) -> None:
    run = tg.gate(dearer(make_orders(30)), wide, store=with_reference, batch_id="bad")
    assert run.reference is not None
    path = with_reference / "orders" / "references" / f"{run.reference}.json"
    path.write_text(path.read_text().replace('"dataset"', '"datasets"'))
    from tidegate_flows.reference import _verified

    _verified.cache_clear()
    page, _, view = told(with_reference, wide, "bad")
    assert view.shapes == {}
    assert "No column is drawn: " in page
    assert "unit_change" in page


# what somebody signed for -------------------------------------------------------------------------------------------


def test_a_release_says_who_and_why_and_that_it_was_critical_and_builds_no_reference(
    with_reference: Path, wide: Path, make_orders: Make
) -> None:
    tg.gate(dearer(make_orders(30)), wide, store=with_reference, batch_id="bad")
    with at(with_reference) as place:
        readmission.release(place, "orders", "bad", by="you", reason="cents <b>are</b> ok")
    page, text, view = told(with_reference, wide, "bad")
    said = r"Released by you on \d{4}-\d\d-\d\d \(cents <b>are</b> ok\), although unit_change on amount was critical"
    assert re.match(said + ": all 200 rows are published\\.$", headline(view))
    assert "cents &lt;b&gt;are" in page
    assert r"cents \<b\>are" in text
    for told_ in (page, text):
        assert "Look at the critical findings below" in told_
        assert "warnings below" not in told_
        assert "reference build" not in told_
    with at(with_reference) as place:
        by_hand.close(place, "orders", **WHO)
    tg.gate(make_orders(31), wide, store=with_reference, batch_id="good")
    assert told(with_reference, wide, "good")[2].signed is None


def test_rows_that_somebody_released_are_told_and_the_batch_is_not_called_released(
    store: Path, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    path, frame = contract_file(), make_orders(1)
    frame.loc[[5, 9], "amount"] = -1.0
    tg.gate(frame, path, store=store, batch_id="a").require_published()
    with at(store) as place:
        readmission.release(place, "orders", "a", **WHO)
    _, text, view = told(store, path, "a")
    assert headline(view).startswith("Published: all 200 rows;")
    assert "| released | rows of it, by ann on 20" in text


def test_while_the_breaker_is_open_every_page_says_how_it_closes(
    with_reference: Path, wide: Path, make_orders: Make
) -> None:
    tg.gate(make_orders(30), wide, store=with_reference, batch_id="a")
    closed = [step.command for step in steps(told(with_reference, wide, "a", store="s")[2])]
    with at(with_reference) as place:
        by_hand.trip(place, "orders", **WHO)
    shut = [step.command for step in steps(told(with_reference, wide, "a", store="s")[2])]
    assert set(shut) - set(closed) == {
        "tidegate quarantine list orders --store s",
        "tidegate breaker probe orders --by WHO --reason WHY --store s",
        "tidegate breaker close orders --by WHO --reason WHY --store s",
    }
    assert not any("breaker" in (command or "") for command in closed)


def test_a_revision_is_followed_from_refused_to_published_and_superseded(
    with_reference: Path, wide: Path, make_orders: Make, told_by: Callable[..., Any]
) -> None:
    first, second, third = make_orders(30), make_orders(30).iloc[1:], make_orders(30).iloc[2:]
    signed: dict[str, Any] = {"supersede": True, "by": "bob", "reason": "the shop resent it"}
    tg.gate(first, wide, store=with_reference, batch_id="a")
    key = tg.gate(second, wide, store=with_reference, batch_id="a").key
    assert key is not None
    commands = " | ".join(step.command or "" for step in steps(told(with_reference, wide, key)[2]))
    assert "FILE --supersede --by WHO --reason WHY" in commands
    assert "breaker close" in commands
    assert "quarantine re" not in commands, "a release is refused, and a replay finds the same again"
    assert tg.gate(second, wide, store=with_reference, batch_id="a", **signed).decision is Decision.HOLD
    page, text, view = told(with_reference, wide, key)
    assert headline(view).startswith("Held as revision 2: it passes")
    for told_ in (page, text):
        assert "2, signed by bob: the shop resent it" in told_
    with at(with_reference) as place:
        by_hand.close(place, "orders", **WHO)
    code, out, err = told_by(wide, key, "--store", with_reference, "--format", "md", "-o", "-")
    assert (code, "Published as revision 2" in out) == (0, True)
    assert re.search(r"\| revision \| 2, signed by bob on [-0-9]+: the shop resent it \|", out)
    assert f"{key} stands as a, revision 2" in err
    tg.gate(third, wide, store=with_reference, batch_id="a", **signed | {"by": "eve"})
    code, _, err = told_by(wide, key, "--store", with_reference)
    assert (code, "its bytes were held, and superseded since: revision 3 of 'a' stands" in err) == (2, True)
    assert "3, signed by eve on" in told(with_reference, wide, "a")[1]
