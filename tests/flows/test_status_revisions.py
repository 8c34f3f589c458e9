"""Revisions on the status page: which stands, what became of one that waited, and who signed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.status_site import Browser, browser, words
from tests.flows.test_supersede import SIGNED
from tidegate_flows import by_hand
from tidegate_flows.place import at

Make = Callable[..., pd.DataFrame]


@pytest.fixture
def waited(store: Path, contract_file: Callable[..., Path], make_orders: Make) -> str:
    """The key under which a revision waited for the breaker, before another one took its place; `a` stands once."""
    path = contract_file()
    tg.gate(make_orders(1), path, store=store, batch_id="a")
    with at(store) as place:
        by_hand.trip(place, "orders", by="bob", reason="a rumour")
    return str(tg.gate(make_orders(1, 220), path, store=store, batch_id="a", **SIGNED).key)


def _closed(store: Path) -> Browser:
    with at(store) as place:
        by_hand.close(place, "orders", by="bob", reason="it was none")
    return browser(store)


def test_a_revision_that_waits_says_whose_it_would_be_and_who_signed(store: Path, waited: str) -> None:
    said = words(browser(store).get(f"/datasets/orders/batches/{waited}"))
    assert "It passes, and waits until the breaker closes." in said
    assert "2 of a , signed by ann: the source corrected it; it would be, but is not published" in said


def test_a_revision_that_waited_and_was_published_says_what_it_became(store: Path, waited: str) -> None:
    pages = _closed(store)
    page = pages.get(f"/datasets/orders/batches/{waited}")
    said = words(page)
    assert "became revision 2 of a ." in said
    assert "waits until the breaker closes" not in said
    assert "stands" not in said
    assert "2 of a , signed by ann: the source corrected it" in said
    link = re.search(r'href="(/datasets/orders/batches/a\?run=[^"]+)"', page.text)
    assert link is not None
    stands = words(pages.get(link[1]))
    assert "This is an earlier run" not in stands
    assert "2 of a , signed by ann: the source corrected it" in stands
    assert "revision 2 stands" in stands
    earlier = re.findall(
        r'href="(/datasets/orders/batches/a\?run=[^"]+)"', pages.get("/datasets/orders/batches/a").text
    )
    assert "All its rows were published, until a later run took its place." in words(pages.get(earlier[-1]))


def test_the_drawings_hold_only_what_stands_and_the_table_names_revisions(store: Path, waited: str) -> None:
    assert waited in browser(store).get("/datasets/orders").text.partition('id="h-runs"')[0]
    drawn, _, table = _closed(store).get("/datasets/orders").text.partition('id="h-runs"')
    assert f"{waited}:" not in drawn
    assert "hollow" not in drawn
    assert "The last batch: published" in drawn
    assert re.search(r">a</a> <span class=\"quiet\">revision 2</span></th>", table)
    assert re.search(
        rf">{waited}</a> <span class=\"quiet\">revision 2</span> <span class=\"quiet\">superseded</span>", table
    )


def test_a_revision_in_whose_place_another_came_says_so(
    store: Path, waited: str, contract_file: Callable[..., Path], make_orders: Make
) -> None:
    tg.gate(make_orders(1, 220)[:150], contract_file(), store=store, batch_id="a", **SIGNED)
    pages = _closed(store)
    assert "nothing of it stands: another revision of a took its place" in words(
        pages.get(f"/datasets/orders/batches/{waited}")
    )


def test_a_part_of_a_table_that_no_link_names_is_the_first(store: Path, waited: str) -> None:
    assert waited
    page = browser(store).get("/datasets/orders?page=abc")
    assert (page.status_code, "The last runs" in page.text) == (200, True)


def test_the_page_of_labels_leads_back(store: Path, waited: str) -> None:
    assert waited
    (store / "orders" / "reports").mkdir(exist_ok=True)
    (store / "orders" / "reports" / "labels.html").write_text("<html><body><main><h1>x</h1></main></body></html>")
    page = browser(store).get("/datasets/orders/labels")
    assert '<main><p><a href="/datasets/orders#h-labels">orders</a></p><h1>' in page.text
