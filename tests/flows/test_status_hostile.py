"""The status page over names that were meant to break it, through a real ledger."""

from __future__ import annotations

import html
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from sqlalchemy import insert

import tidegate as tg
from tests.flows.status_site import Browser, browser
from tidegate_flows import reference
from tidegate_flows.ledger.schema import breakers
from tidegate_flows.place import at

SCRIPT = "<script>alert('x')</script>"
COLUMNS = (
    SCRIPT,
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "../../etc/passwd",
    "r\u202eevil\u0000\u001b[31m",
    "naïve ☃ 列 " + "x" * 300,
    "javascript:alert(1)",
)
BATCHES = (SCRIPT, "a/b?c=d#e%2e%2e", "ü" * 40, "x" * 400, "'; DROP TABLE runs; --")


class Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets += [value or "" for name, value in attrs if name in ("href", "src", "action")]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose columns, batches, slices and keys have hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    schema = pa.DataFrameSchema(
        {
            "key": pa.Column(str, unique=True),
            "by": pa.Column(str),
            **{name: pa.Column(float, pa.Check.ge(0, error=SCRIPT)) for name in COLUMNS},
        }
    )
    contract = tg.Contract(
        name="evil", version="1.0.0", owner=SCRIPT, schema=schema, key=("key",), slices=("by",), tolerance=0.5
    )
    frames = {name: _frame(seed) for seed, name in enumerate(BATCHES)}
    with at(folder / "store") as place:
        paths = []
        for seed in range(6):
            paths.append(folder / f"r{seed}.parquet")
            _frame(100 + seed).to_parquet(paths[-1], index=False)
        built = reference.build(place, contract, paths)
        reference.approve(place, "evil", built.sha256, by=SCRIPT, reason=SCRIPT)
    for name, frame in frames.items():
        for column in COLUMNS:
            frame.loc[:2, column] = -1.0
        tg.gate(frame, contract, store=folder / "store", batch_id=name)
    tg.gate(_frame(50).assign(**{SCRIPT: 1.0}), contract, store=folder / "store", batch_id="last")
    return folder / "store"


def _frame(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = 200
    frame = pd.DataFrame({"key": [f"{SCRIPT}{seed}-{i}" for i in range(rows)], "by": rng.choice([SCRIPT, "b"], rows)})
    for name in COLUMNS:
        frame[name] = rng.exponential(1.0, rows)
    return frame


@pytest.fixture
def pages(hostile: Path) -> Browser:
    return browser(hostile)


def test_no_name_becomes_an_element_an_attribute_or_a_way_out(pages: Browser) -> None:
    seen, waiting, scripts = set[str](), ["/"], 0
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        page = pages.get(path)
        assert page.status_code == 200, path
        if not page.headers["content-type"].startswith("text/html"):
            continue
        tags = Tags()
        tags.feed(page.text)
        scripts += page.text.count("<script")
        assert page.text.count("<script") == 1, path  # ours
        assert not tags.names & {"iframe", "object", "embed", "base", "foreignobject"}
        assert not [name for name in tags.attributes if name.startswith("on") or name == "style"], path
        assert all(target.startswith(("/", "#")) for target in tags.targets), path
        assert not re.search("[\u202e\u0000\u001b]", page.text), path
        assert "49" not in re.findall(r"\{\{ 7 \* 7 \}\}|>49<", page.text)
        waiting += [html.unescape(target).partition("#")[0] for target in tags.targets if target.startswith("/")]
    assert len(seen) > 10


def test_hostile_columns_are_shown_as_text_and_drawn(pages: Browser) -> None:
    text = pages.get("/datasets/evil/batches/last").text + pages.get("/datasets/evil").text
    assert "&lt;script&gt;alert(&#39;x&#39;)" in text or "&lt;script&gt;alert(&#x27;x&#x27;)" in text
    assert 'role="img"' in text


def test_what_somebody_asks_for_is_shown_as_text(pages: Browser) -> None:
    for path in (
        f"/datasets/{quote(SCRIPT, safe='')}",
        f"/datasets/evil/batches/{quote(SCRIPT, safe='')}",
        f"/{quote(SCRIPT)}",
    ):
        page = pages.get(path)
        assert page.status_code == 404
        assert page.text.count("<script") == 1


def test_a_dataset_of_any_name_in_the_ledger_is_shown_as_text(hostile: Path, tmp_path: Path) -> None:
    shutil.copytree(hostile, tmp_path / "store")
    name = '"><script>alert(1)'
    with at(tmp_path / "store") as place, place.ledger.begin() as connection:
        connection.execute(insert(breakers).values(dataset=name, state="open", failures=1, cause=SCRIPT, tripped=False))
    pages = browser(tmp_path / "store")
    page = pages.get("/")
    assert page.text.count("<script") == 1
    link = re.search(r'href="(/datasets/%22[^"]*)"', page.text)
    assert link is not None
    for rest in ("", "/quarantine", "/audit", "/references"):
        page = pages.get(link[1] + rest)
        assert page.status_code == 200
        assert page.text.count("<script") == 1


def test_row_keys_of_personal_columns_are_shown_as_hashes_only(tmp_path: Path) -> None:
    schema = pa.DataFrameSchema(
        {"mail": pa.Column(str, unique=True, metadata={"personal": True}), "a": pa.Column(float, pa.Check.ge(0))}
    )
    contract = tg.Contract(name="people", version="1.0.0", owner="o", schema=schema, key=("mail",), tolerance=0.5)
    frame = pd.DataFrame({"mail": [f"ann{i}@example.com" for i in range(20)], "a": [-5.25] + [1.0] * 19})
    run = tg.gate(frame, contract, store=tmp_path / "store", batch_id="one")
    assert run.findings
    pages = browser(tmp_path / "store")
    for path in ("/", "/datasets/people", "/datasets/people/batches/one", "/datasets/people/quarantine"):
        text = pages.get(path).text
        assert "example.com" not in text
        assert "5.25" not in text
