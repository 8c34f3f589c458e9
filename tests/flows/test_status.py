"""The status page: what the ledger says, for people."""

from __future__ import annotations

import html
import re
import shlex
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest
from sqlalchemy import select, update

import tidegate as tg
from tests.flows.status_site import Browser, browser, words
from tidegate_flows import by_hand
from tidegate_flows.ledger import contracts as contracts_of
from tidegate_flows.ledger.schema import audit, contracts, runs
from tidegate_flows.place import at
from tidegate_flows.settings import resolve
from tidegate_flows.status import routes
from tidegate_flows.status.dataset import timeline_of
from tidegate_flows.status.expected import expected
from tidegate_flows.status.glance import Glance, summary
from tidegate_flows.status.heat_map import heat_of, row_of
from tidegate_flows.status.record import Kept, Record, in_time, recent
from tidegate_flows.status.timeline import CHANGES_MAXIMUM, Change, spans
from tidegate_flows.status.when import stamp
from tidegate_monitors.breaker import Breaker, Decision, Override, State
from tidegate_monitors.comparison import Comparison

Make = Callable[..., pd.DataFrame]
PAGES = ("", "/batches/bad", "/batches/good", "/quarantine", "/audit", "/references")
ROOT = Path(__file__).parents[2]


def test_the_overview_says_in_a_sentence_what_needs_a_hand(pages: Browser) -> None:
    said = words(pages.get("/"))
    assert "orders is halted. 3 batches are kept back." in said
    assert "1 held, 1 quarantined, 1 published in part" in said
    assert "4 decisions, the oldest first: 1 published, 1 published in part, 1 quarantined, 1 held." in said


def test_each_page_has_one_first_heading_a_title_and_captions(pages: Browser) -> None:
    for path in ("/", *(f"/datasets/orders{rest}" for rest in PAGES)):
        page = pages.get(path)
        assert page.status_code == 200, path
        assert len(re.findall("<h1", page.text)) == 1, path
        assert page.text.count("<table") == page.text.count("<caption"), path
        for drawing in re.findall(r'<svg role="img".*?</svg>', page.text, re.DOTALL):
            ET.fromstring(drawing.replace("&nbsp;", " "))  # noqa: S314 - our own


def test_every_link_of_every_page_leads_to_a_page(pages: Browser) -> None:
    seen, waiting = set[str](), ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        page = pages.get(path)
        assert page.status_code == 200, path
        if page.headers["content-type"].startswith("text/html"):
            waiting += [link.partition("#")[0] for link in re.findall(r'(?:href|src)="(/[^"]*)"', page.text)]
    assert len(seen) > 12


def test_every_answer_is_sent_with_a_strict_policy_and_without_anything_inline(pages: Browser) -> None:
    for path in ("/", "/nope", "/static/status.css", *(f"/datasets/orders{rest}" for rest in PAGES)):
        page = pages.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "style=" not in page.text
        assert not re.search(r"<script(?! src=)|<style|\son\w+=|https?://(?!www.w3.org)", page.text), path


def test_the_rows_of_a_batch_add_up(pages: Browser) -> None:
    found = re.search(
        r"([\d,]+) in = ([\d,]+) published \+ ([\d,]+) quarantined \+ ([\d,]+) held",
        words(pages.get("/datasets/orders/batches/some")),
    )
    assert found is not None
    total, *parts = (int(text.replace(",", "")) for text in found.groups())
    assert total == sum(parts)
    assert parts[1] == 3


def test_a_batch_tells_its_findings_and_draws_the_column_against_the_reference(pages: Browser) -> None:
    page = pages.get("/datasets/orders/batches/bad")
    said = words(page)
    assert "Nothing of it is published: class_collapse on score" in said
    assert "score: reference and this batch" in page.text
    assert "explains too" in said


def test_a_batch_that_passed_has_no_finding_and_no_drawing_of_a_column(pages: Browser) -> None:
    page = pages.get("/datasets/orders/batches/good")
    assert "reference and this batch" not in page.text
    assert "All its rows are published" in words(page)


def test_the_quarantine_tells_reasons_counted_and_the_exact_commands(pages: Browser, gated: Path) -> None:
    said = words(pages.get("/datasets/orders/quarantine"))
    assert "3 batches are kept back: 1 held until the breaker closes." in said
    assert "impossible_values 3" in said
    for verb in ("release", "replay", "discard"):
        assert f"tidegate quarantine {verb} orders some --by WHO --reason WHY --store {gated}" in said


def test_the_audit_says_that_the_chain_holds_and_where_it_does_not(gated: Path, tmp_path: Path) -> None:
    shutil.copytree(gated, tmp_path / "store")
    pages = browser(tmp_path / "store")
    assert "entries hold." in words(pages.get("/datasets/orders/audit"))
    with at(tmp_path / "store") as place, place.ledger.begin() as connection:
        connection.execute(update(audit).where(audit.c.seq == 3).values(reason="nothing happened"))
    assert "Entry 3 is not as it was written" in words(pages.get("/datasets/orders/audit"))


def test_what_is_late_is_told_and_what_is_not_due_is_not() -> None:
    last = datetime(2026, 5, 1, tzinfo=UTC)
    facts = {"cadence": 86_400.0, "arrive_within": 21_600.0}
    due = last + timedelta(days=1, hours=6)
    for now, missing in ((due, 0), (due + timedelta(seconds=1), 1), (due + timedelta(days=2, hours=1), 3)):
        found = expected(facts, last, now)
        assert found is not None
        assert (found.due, found.missing) == (due, missing)
    assert expected({"cadence": None}, last, last) is None
    assert expected(facts, None, last) is None


def test_a_window_that_ends_with_the_calendar_has_no_next_batch_and_its_page_is_there(
    gated: Path, tmp_path: Path
) -> None:
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert expected({"cadence": 86_400.0}, last, datetime(2026, 5, 1, tzinfo=UTC)) is None
    shutil.copytree(gated, tmp_path / "store")
    for seconds in (last.timestamp(), 1e12, 1e300):  # the last two are in no calendar
        with at(tmp_path / "store") as place, place.ledger.begin() as connection:
            connection.execute(update(runs).values(event_end=seconds))
            connection.execute(update(contracts).values(document='{"cadence": 86400.0}'))
        for path in ("/", "/datasets/orders", "/datasets/orders/batches/good"):
            assert browser(tmp_path / "store").get(path).status_code == 200, (path, seconds)


def test_a_probe_does_not_pass_and_an_override_does() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    override = Override(now + timedelta(hours=1), "ann", "why")

    def of(name: str, breaker: Breaker) -> Glance:
        return Glance(name, {}, breaker, (), None, Kept(), None, now)

    probed = of("a", Breaker(State.HALF_OPEN, probe="one"))
    overridden = of("b", Breaker(State.HALF_OPEN, probe="one", override=override))
    closed = of("c", Breaker())
    assert summary([probed]) == "a does not pass yet. It is on probe."
    assert summary([overridden]) == "b passes. It is overridden."
    assert summary([probed, closed]) == "1 of 2 datasets passes. 1 is on probe."
    assert summary([overridden, closed]) == "All 2 datasets pass. 1 is overridden."
    assert summary([probed, overridden, closed, of("d", Breaker(State.OPEN))]) == (
        "1 of 4 datasets is halted: d. 1 is on probe. 1 is overridden."
    )


def test_commands_to_copy_are_quoted(gated: Path, tmp_path: Path) -> None:
    store = tmp_path / "my store; x"
    shutil.copytree(gated, store)
    pages = browser(store)
    for path in ("", "/quarantine", "/audit"):
        page = pages.get(f"/datasets/orders{path}")
        for command in re.findall(r'<pre class="command"><code>(.*?)</code>', page.text):
            assert shlex.split(html.unescape(command))[-1] == str(store), command
    (tmp_path / "an empty; store").mkdir()
    with at(tmp_path / "an empty; store"):
        pass
    said = words(browser(tmp_path / "an empty; store").get("/"))
    assert f"--store {shlex.quote(str(tmp_path / 'an empty; store'))}" in said


def test_a_column_that_became_personal_is_not_drawn_any_more(gated: Path, tmp_path: Path) -> None:
    shutil.copytree(gated, tmp_path / "store")
    schema = pa.DataFrameSchema({"id": pa.Column(int), "score": pa.Column(float, metadata={"personal": True})})
    contract = tg.Contract(name="orders", version="2.0.0", owner="shop", schema=schema, key=("id",))
    assert "Filled: the reference." in words(browser(tmp_path / "store").get("/datasets/orders/batches/bad"))
    with at(tmp_path / "store") as place, place.ledger.begin() as connection:
        contracts_of.save(connection, contract)
    page = browser(tmp_path / "store").get("/datasets/orders/batches/bad")
    assert page.status_code == 200
    assert "Filled: the reference." not in words(page)


def test_the_breaker_is_drawn_from_the_oldest_change_that_was_read() -> None:
    start, hour = datetime(2026, 5, 1, tzinfo=UTC), timedelta(hours=1)
    told = [
        Change(start + (CHANGES_MAXIMUM - index) * hour, "closed" if index % 2 == 0 else "opened", None, None, None)
        for index in range(CHANGES_MAXIMUM)
    ]
    early = Record(1, "run", "early", Decision.PUBLISH, start - 100 * hour, None, 10, 0)
    now = start + (CHANGES_MAXIMUM + 1) * hour
    drawn = timeline_of(told, [early], now)
    assert drawn is not None
    assert f"From {stamp(start + hour)} to" in drawn
    assert f"From {stamp(early.at)} to" in str(timeline_of(told[:4], [early], now))
    overridden = [Change(start, "overridden", None, "ann", "why")] * CHANGES_MAXIMUM
    assert timeline_of(overridden, [early], now) is None  # nothing is known of what it was


def test_a_page_that_came_by_a_form_is_not_loaded_again_by_itself(gated: Path) -> None:
    pages = browser(gated)
    assert '<html lang="en" data-got>' in pages.get("/").text
    assert '<html lang="en">' in pages.post("/login", {}).text
    assert "got && !touched" in pages.get("/static/status.js").text


def test_the_breaker_is_drawn_as_the_audit_has_it() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    hour = timedelta(hours=1)
    told = [
        Change(start + 3 * hour, "closed", "b", None, None),  # the newest first, and two at the same time
        Change(start + 3 * hour, "half_open", "b", None, None),
        Change(start + 2 * hour, "overridden", None, "ann", "why"),
        Change(start + hour, "opened", "a", None, None),
    ]
    found = [(span.state, (span.end - span.start) / hour) for span in spans(told, start, start + 5 * hour)]
    assert found == [("closed", 1), ("open", 2), ("closed", 2)]


def test_the_heat_of_a_batch_is_its_worst_statistic_and_slices_are_left_out() -> None:
    one = row_of(
        [
            Comparison("a", "location", "drift", 3.0, threshold=2.0),
            Comparison("a", "spread", "drift", 1.0, threshold=2.0),
            Comparison("a", "spread", "drift", 9.0, threshold=1.0, slice="country=DE"),
            Comparison(None, "row_count", "volume", 0.5, threshold=1.0),
            Comparison("b", "location", "drift", None, threshold=1.0),
        ]
    )
    found = heat_of([("two", {}), ("one", one)])
    assert found is not None
    assert found.batches == ("one", "two")
    assert found.columns == ("a", "(rows)")
    assert found.ratios == ((1.5, None), (0.5, None))
    assert found.worst == [("a", 1.5, "location", "one", 1)]


def test_those_come_first_that_need_a_hand(
    gated: Path, tmp_path: Path, make_contract: Callable[..., tg.Contract], make_orders: Make
) -> None:
    shutil.copytree(gated, tmp_path / "store")
    for name in ("alright", "beautiful"):
        tg.gate(make_orders(40), make_contract(name=name), store=tmp_path / "store", batch_id="one")
    said = words(browser(tmp_path / "store").get("/"))
    assert "1 of 3 datasets is halted: orders." in said
    assert said.index("1 held") < said.index("alright") < said.index("beautiful")
    with at(tmp_path / "store") as place:
        by_hand.override(place, "orders", timedelta(hours=2), by="ann", reason="we must")
    said = words(browser(tmp_path / "store").get("/"))
    assert "All 3 datasets pass. 1 is overridden." in said
    assert "by ann: we must" in said


def test_an_empty_store_says_how_to_begin(with_reference: Path) -> None:
    assert "No batch has been gated yet." in words(browser(with_reference).get("/"))


def test_a_long_history_is_read_a_page_at_a_time_and_fast(gated: Path, tmp_path: Path) -> None:
    shutil.copytree(gated, tmp_path / "store")
    with at(tmp_path / "store") as place, place.ledger.begin() as connection:
        row = dict(connection.execute(select(runs).where(runs.c.batch == "good")).mappings().one())
        del row["seq"]
        connection.execute(
            runs.insert(), [row | {"run": f"r{index}", "batch": f"b{index:05}"} for index in range(1200)]
        )
    pages = browser(tmp_path / "store")
    for path in ("/", *(f"/datasets/orders{rest}" for rest in PAGES[:-2])):
        pages.get(path)
        started = time.process_time()
        assert pages.get(path).status_code == 200
        assert time.process_time() - started < 0.4, path  # of a processor; reading all documents takes longer
    seen, path = set[str](), "/datasets/orders"
    for _ in range(3):
        page = pages.get(path)
        fresh = set(re.findall(r"/batches/(b\d+)", page.text.partition('id="h-runs"')[2]))
        assert len(fresh) == 50
        assert not fresh & seen
        seen |= fresh
        found = re.search(r'href="([^"]+)" rel="next"', page.text)
        assert found is not None
        path = found[1]


def test_a_batch_that_was_judged_again_is_drawn_once_and_listed_twice(gated: Path, tmp_path: Path) -> None:
    shutil.copytree(gated, tmp_path / "store")
    with at(tmp_path / "store") as place, place.ledger.begin() as connection:
        first = dict(connection.execute(select(runs).where(runs.c.batch == "good")).mappings().one())
        connection.execute(update(runs).where(runs.c.batch == "good").values(superseded=True))
        del first["seq"]
        connection.execute(runs.insert(), [first | {"run": "again"}])
        records = recent(connection, "orders", 10)
    assert [record.batch for record in records].count("good") == 2
    assert [record.batch for record in in_time(records)].count("good") == 1
    said = words(browser(tmp_path / "store").get(f"/datasets/orders/batches/good?run={first['run']}"))
    assert "This is an earlier run of the batch." in said


def test_a_token_that_can_be_guessed_is_refused(gated: Path) -> None:
    with pytest.raises(tg.UsageError, match="too short"):
        routes(resolve(store=gated), token="")


def test_no_page_is_kept_by_caches_but_the_style_is(pages: Browser) -> None:
    page = pages.get("/")
    assert page.headers["cache-control"] == "no-store"
    style = re.search(r'href="(/static/status.css[^"]*)"', page.text)
    assert style is not None
    assert "immutable" in pages.get(style[1]).headers["cache-control"]
    assert pages.get("/static/status.css").headers["cache-control"] == "no-cache"


@pytest.mark.more
def test_the_wheel_has_the_templates_and_the_style(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    folder = ROOT / "flows" / "tidegate_flows" / "status"
    for path in (*folder.glob("templates/*.html"), *folder.glob("static/*")):
        assert path.relative_to(ROOT / "flows").as_posix() in names
