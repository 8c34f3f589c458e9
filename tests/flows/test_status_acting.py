"""What can be done from the status page, by whom, and that nobody else can."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update

import tidegate as tg
from tests.flows.conftest import CONTRACT_FILE
from tests.flows.status_site import TOKEN, Browser, browser, words
from tidegate_flows import by_hand, serving
from tidegate_flows.ledger import audit, breakers, contracts
from tidegate_flows.ledger.schema import contracts as contracts_table
from tidegate_flows.place import at
from tidegate_flows.settings import resolve
from tidegate_flows.status.sessions import LENGTH, Sessions
from tidegate_monitors.breaker import State

Make = Callable[..., pd.DataFrame]
SIGNED = {"by": "ann", "reason": "I looked"}


@pytest.fixture(scope="module")
def halted(tmp_path_factory: pytest.TempPathFactory, _approved: Path, make_orders: Make) -> Path:
    """A store with one batch that broke and one that is held, gated with a contract's file."""
    folder = tmp_path_factory.mktemp("acting")
    shutil.copytree(_approved, folder / "store")
    contract = folder / "orders.py"
    contract.write_text(CONTRACT_FILE.replace("EXTRA", ""))
    tg.gate(make_orders(32).assign(score=0.3), str(contract), store=folder / "store", batch_id="bad")
    tg.gate(make_orders(33), str(contract), store=folder / "store", batch_id="waits")
    return folder / "store"


@pytest.fixture
def copied(halted: Path, tmp_path: Path) -> Path:
    shutil.copytree(halted, tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def signed(copied: Path) -> Browser:
    pages = browser(copied, token=TOKEN)
    assert pages.sign_in().status_code == 303
    return pages


def state(store: Path) -> State:
    with at(store) as place, place.ledger.read() as connection:
        return breakers.load(connection, "orders").state


def events(store: Path) -> list[tuple[str, str | None, str | None]]:
    with at(store) as place, place.ledger.read() as connection:
        return [(item["event"], item["by"], item["reason"]) for item in audit.entries(connection, "orders")]


def test_without_a_token_there_is_no_form_and_nothing_can_be_sent(copied: Path) -> None:
    pages, before = browser(copied), events(copied)
    for path in ("/", "/datasets/orders", "/datasets/orders/quarantine"):
        assert "<form" not in pages.get(path).text
    for path in ("/login", "/logout", "/datasets/orders/breaker", "/datasets/orders/quarantine/bad"):
        page = pages.post(path, {"act": "close", "token": "", "csrf": "", **SIGNED})
        assert page.status_code == 403, path
        assert "This page only reads." in words(page)
    for path in ("/", "/datasets/orders", "/datasets/orders/audit", "/static/status.css", "/nope"):
        assert pages.post(path, {"act": "close"}).status_code == 405, path
    assert events(copied) == before


def test_who_has_not_signed_in_sees_no_form_of_an_act_and_can_send_none(copied: Path) -> None:
    pages, before = browser(copied, token=TOKEN), events(copied)
    assert 'name="act"' not in pages.get("/datasets/orders").text
    for csrf in ("", "x", "ü", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        sent = {"act": "close", "csrf": csrf, **SIGNED}
        assert pages.post("/datasets/orders/breaker", sent).status_code == 403
    assert events(copied) == before


def test_behind_a_proxy_with_tls_the_cookie_is_for_https_alone(copied: Path) -> None:
    for tls in (False, True):
        app = serving.application(resolve(store=copied), token=TOKEN, tls=tls)
        assert ("Secure" in Browser(app).sign_in().headers["set-cookie"]) is tls


@pytest.mark.parametrize("act", [{"act": "close"}, {"act": "override", "hours": "2"}])
def test_a_contract_file_that_is_broken_stops_an_act_before_it_is_done(
    signed: Browser, copied: Path, tmp_path: Path, act: dict[str, str]
) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('a secret')")
    with at(copied) as place, place.ledger.begin() as connection:
        facts = contracts.load(connection)["orders"] | {"path": f"{tmp_path / 'broken.py'}:contract"}
        connection.execute(update(contracts_table).values(document=json.dumps(facts)))
    before = events(copied)
    signed.post("/datasets/orders/breaker", act | {"csrf": signed.csrf("/datasets/orders")} | SIGNED)
    said = words(signed.get("/datasets/orders"))
    assert "Not done." in said
    assert "broken.py" in said
    assert (state(copied), events(copied)) == (State.OPEN, before)


def test_of_an_act_that_failed_on_its_way_nobody_says_that_nothing_was_done(
    signed: Browser, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise tg.MonitorError("a check of yours raised")

    monkeypatch.setattr(by_hand, "release", failing)  # after what was asked for was written down
    signed.post("/datasets/orders/breaker", {"act": "close", "csrf": signed.csrf("/datasets/orders"), **SIGNED})
    said = words(signed.get("/datasets/orders"))
    assert "It failed. Whether it was done stands in the audit: a check of yours raised" in said
    assert "Not done" not in said
    assert state(copied) is State.CLOSED


@pytest.mark.parametrize("token", ["", "a", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "ü" * 30])
def test_a_wrong_token_opens_no_session(copied: Path, token: str) -> None:
    pages = browser(copied, token=TOKEN)
    page = pages.sign_in(token)
    assert page.status_code == 403
    assert "set-cookie" not in page.headers
    assert TOKEN not in page.text


def test_after_ten_wrong_tokens_nobody_is_heard_for_a_while(copied: Path) -> None:
    pages = browser(copied, token=TOKEN)
    for _ in range(10):
        assert pages.sign_in("wrong").status_code == 403
    assert pages.sign_in(TOKEN).status_code == 429


def test_the_cookie_is_for_this_site_alone_and_is_not_the_token(copied: Path) -> None:
    cookie = browser(copied, token=TOKEN).sign_in().headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie


def test_a_session_ends_by_itself_and_when_somebody_signs_out(signed: Browser) -> None:
    now = [0.0]
    sessions = Sessions(TOKEN, clock=lambda: now[0])
    name = sessions.begin(TOKEN)
    assert sessions.find(name) is not None
    now[0] = LENGTH
    assert sessions.find(name) is None
    csrf = signed.csrf("/datasets/orders")
    kept = signed.cookies
    assert signed.post("/logout", {"csrf": csrf}).status_code == 303
    signed.cookies = kept  # whoever has copied the cookie has nothing either
    assert signed.post("/datasets/orders/breaker", {"act": "close", "csrf": csrf, **SIGNED}).status_code == 403


def test_a_form_of_another_session_or_site_is_refused(signed: Browser, copied: Path) -> None:
    before = events(copied)
    csrf = signed.csrf("/datasets/orders")
    sent = {"act": "close", "csrf": csrf, **SIGNED}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "http://[evil"},
        {"sec-fetch-site": "cross-site"},
    ):
        page = signed.post("/datasets/orders/breaker", sent, **headers)
        assert page.status_code == 403
        assert "It came from another site." in words(page)
    assert signed.post("/datasets/orders/breaker", sent | {"csrf": csrf[:-1]}).status_code == 403
    assert signed.ask("POST", "/datasets/orders/breaker", json=sent).status_code == 400
    assert signed.post("/datasets/orders/breaker", sent | {"reason": "x" * 20_000}).status_code == 400
    assert signed.post("/datasets/orders/breaker", {f"f{i}": "" for i in range(40)}).status_code == 400
    assert events(copied) == before


def test_closing_releases_what_was_held_signs_it_and_says_so_once(signed: Browser, copied: Path) -> None:
    sent = {"act": "close", "csrf": signed.csrf("/datasets/orders"), **SIGNED}
    page = signed.post("/datasets/orders/breaker", sent)
    assert (page.status_code, page.headers["location"]) == (303, "/datasets/orders")
    told = "The breaker of orders is closed; 1 held batches were judged again, 1 are published."
    assert told in words(signed.get("/datasets/orders"))
    assert told not in words(signed.get("/datasets/orders"))
    assert state(copied) is State.CLOSED
    assert ("breaker.closed", "ann", "I looked") in events(copied)


@pytest.mark.parametrize(
    ("sent", "after", "event"),
    [
        ({"act": "trip"}, State.OPEN, "breaker.tripped"),
        ({"act": "override", "hours": "2"}, State.OPEN, "breaker.overridden"),
        ({"act": "probe"}, State.CLOSED, "breaker.half_open"),
    ],
)
def test_the_other_acts_on_a_breaker_are_done_and_signed(
    signed: Browser, copied: Path, sent: dict[str, str], after: State, event: str
) -> None:
    csrf = signed.csrf("/datasets/orders")
    assert signed.post("/datasets/orders/breaker", sent | {"csrf": csrf} | SIGNED).status_code == 303
    assert "Done." in words(signed.get("/datasets/orders"))
    assert state(copied) is after
    assert [by for name, by, _ in events(copied) if name == event] == ["ann"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"act": "close", "by": " ", "reason": "x"}, "Who says nothing; found: ' '; it stays in the audit "),
        ({"act": "close", "by": "ann"}, "Why says nothing; found: ''; it stays in the audit "),
        ({"act": "close", "by": "tidegate", "reason": "x"}, "Who; found: 'tidegate'; allowed: a person; "),
        ({"act": "fly", **SIGNED}, "no such act"),
        ({"act": "override", "hours": "nan", **SIGNED}, "more than 0, at most 744"),
        ({"act": "override", "hours": "1e9", **SIGNED}, "more than 0, at most 744"),
        ({"act": "override", **SIGNED}, "more than 0, at most 744"),
    ],
)
def test_an_act_that_cannot_be_meant_changes_nothing_and_says_why(
    signed: Browser, copied: Path, sent: dict[str, str], why: str
) -> None:
    before = events(copied)
    signed.post("/datasets/orders/breaker", sent | {"csrf": signed.csrf("/datasets/orders")})
    said = words(signed.get("/datasets/orders"))
    assert "Not done." in said
    assert why in said
    assert "--" not in said.partition("Not done.")[2][: len(why) + 60]
    assert events(copied) == before


def test_what_is_kept_back_is_released_or_discarded_by_hand(signed: Browser, copied: Path) -> None:
    path = "/datasets/orders/quarantine"
    csrf = signed.csrf(path)
    signed.post(f"{path}/bad", {"act": "discard", "csrf": csrf, **SIGNED})
    assert "discarding cannot be undone" in words(signed.get(path))
    signed.post(f"{path}/bad", {"act": "discard", "sure": "yes", "csrf": csrf, **SIGNED})
    assert "what was kept back is deleted" in words(signed.get(path))
    signed.post(f"{path}/waits", {"act": "release", "csrf": csrf, **SIGNED})
    assert "rows are published now." in words(signed.get(path))
    assert [name for name, by, _ in events(copied) if by == "ann"] == ["batch.discarded", "batch.released"]
    signed.post(f"{path}/..%2f..", {"act": "discard", "sure": "yes", "csrf": csrf, **SIGNED})
    signed.post(f"{path}/nope", {"act": "discard", "sure": "yes", "csrf": csrf, **SIGNED})
    assert "is neither quarantined nor held" in words(signed.get(path))


def test_who_signs_with_markup_is_shown_as_text(signed: Browser) -> None:
    sent = {"act": "trip", "by": "<script>alert(1)</script>", "reason": '"><img src=x onerror=alert(1)>'}
    signed.post("/datasets/orders/breaker", sent | {"csrf": signed.csrf("/datasets/orders")})
    for path in ("/", "/datasets/orders", "/datasets/orders/audit"):
        text = signed.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in signed.get("/datasets/orders/audit").text
