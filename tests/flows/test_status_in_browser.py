"""The status page in a real browser: for eyes, for keyboards, for readers of screens, and for nobody else."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.flows.conftest import Demo
from tests.flows.status_site import TOKEN
from tidegate_flows.serving import application, listen, serve
from tidegate_flows.settings import resolve

pytestmark = [pytest.mark.more, pytest.mark.xdist_group("demo")]
CHROMIUM = shutil.which("chromium")
PAGES = (
    "/",
    "/datasets/flights",
    "/datasets/flights?before=30",
    "/datasets/flights/batches/2013-04-10",
    "/datasets/flights/batches/2013-04-11",
    "/datasets/flights/quarantine",
    "/datasets/flights/audit",
    "/datasets/flights/references",
    "/datasets/flights/labels",
    "/runbook",
    "/login",
    "/nope",
)
WALKED = """() => {
  const shown = one => one.checkVisibility({visibilityProperty: true});
  const all = document.querySelectorAll('a[href],button,summary,input:not([type=hidden]),[tabindex="0"]');
  return [...all].filter(shown).length
}"""
AT = "() => { const all = [...document.querySelectorAll('*')]; return all.indexOf(document.activeElement) }"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser."""
    if CHROMIUM is None or find_spec("playwright") is None or find_spec("axe_playwright_python") is None:
        if os.environ.get("TIDEGATE_REQUIRE_ALL"):
            pytest.fail("chromium, playwright or axe-playwright-python is not installed")
        pytest.skip("chromium, playwright or axe-playwright-python is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The rules of accessibility, as a script."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@contextmanager
def served(store: Path) -> Iterator[str]:
    stop, socket = threading.Event(), listen("127.0.0.1", 0)
    port = socket.getsockname()[1]
    app = application(resolve(store=store), token=TOKEN)
    thread = threading.Thread(target=serve, args=(app, socket, stop))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join(30)


@pytest.fixture(scope="module")
def site(demo: Demo) -> Iterator[str]:
    """The page of the demo, served."""
    with served(demo.store) as address:
        yield address


class Witness:
    """What a page says to the console, and asks of others."""

    def __init__(self, page: Any, site: str) -> None:
        self.found: list[str] = []
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.found.append(str(error)))
        page.on("request", lambda request: self._asked(request.url, site))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 404" not in text:
            self.found.append(text)

    def _asked(self, url: str, site: str) -> None:
        if not url.startswith((f"{site}/", "data:")):
            self.found.append(f"asked {url}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_fit_for_readers_of_screens_and_asks_nobody_else(
    chromium: Any, axe: str, site: str, scheme: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    witness = Witness(page, site)
    for path in PAGES:
        page.goto(site + path)
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
        page.evaluate(axe)
        found = page.evaluate("() => axe.run({resultTypes: ['violations']})")
        bad = [
            (
                item["id"],
                item["impact"],
                [node["target"] for node in item["nodes"]][:3],
                item["nodes"][0]["failureSummary"],
            )
            for item in found["violations"]
            if item["impact"] in ("serious", "critical")
        ]
        assert not bad, (path, bad)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert witness.found == []
    context.close()


def test_what_is_unfit_is_told_so(chromium: Any, axe: str, site: str) -> None:
    page = chromium.new_page()
    page.goto(site + "/")
    page.evaluate(axe)
    page.evaluate("document.querySelector('.brand img').removeAttribute('alt')")
    page.evaluate("document.querySelector('.judgement').style.color = 'rgb(225, 225, 225)'")
    found = page.evaluate("() => axe.run({resultTypes: ['violations']})")
    assert {"image-alt", "color-contrast"} <= {item["id"] for item in found["violations"]}
    page.close()


def test_the_keyboard_reaches_all_and_what_it_reached_is_seen(chromium: Any, site: str) -> None:
    page = chromium.new_page()
    for path in PAGES[:9]:
        page.goto(site + path)
        reached: set[int] = set()
        for _ in range(600):
            page.keyboard.press("Tab")
            here = page.evaluate(AT)
            if here in reached or page.evaluate("document.activeElement === document.body"):
                break
            reached.add(here)
        assert len(reached) >= page.evaluate(WALKED), path
    page.goto(site + "/datasets/flights")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def test_all_is_there_without_scripts(chromium: Any, site: str) -> None:
    with_scripts, without = chromium.new_context(), chromium.new_context(java_script_enabled=False)
    one, other = with_scripts.new_page(), without.new_page()
    for path in PAGES:
        one.goto(site + path)
        other.goto(site + path)
        said = one.locator("main").inner_text().replace("\nCopy", "")
        assert other.locator("main").inner_text().split() == said.split(), path
    with_scripts.close()
    without.close()


def test_somebody_signs_in_trips_a_breaker_and_closes_it_by_hand(
    chromium: Any, axe: str, demo: Demo, tmp_path: Path
) -> None:
    shutil.copytree(demo.store, tmp_path / "store")
    with served(tmp_path / "store") as site:
        page = chromium.new_page()
        witness = Witness(page, site)
        page.goto(site + "/datasets/flights")
        page.get_by_role("link", name="Sign in to act").click()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        for verb, state in (("Trip the breaker", "open"), ("Close the breaker", "closed")):
            page.goto(site + "/datasets/flights")
            page.locator("summary", has_text=verb).click()
            form = page.locator("details", has=page.locator("summary", has_text=verb))
            form.get_by_label("Who").fill("ann")
            form.get_by_label("Why").fill("a drill")
            page.evaluate(axe)
            found = page.evaluate("() => axe.run({resultTypes: ['violations']})")
            assert not [item["id"] for item in found["violations"] if item["impact"] in ("serious", "critical")]
            form.get_by_role("button", name=verb).click()
            assert f"The breaker of flights is {state}" in page.locator(".notice").inner_text()
        page.goto(site + "/datasets/flights/audit")
        assert page.locator("td", has_text="a drill").count() == 2
        page.get_by_role("button", name="Sign out").click()
        assert page.get_by_role("link", name="Sign in to act").count() == 1
        assert witness.found == []
        page.close()
