"""JSON logs: what is on a line, and what never is."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tidegate as tg
from tests.flows.conftest import Said
from tidegate_contracts.errors import StoreError
from tidegate_flows import json_logs, log_context
from tidegate_flows.masking import Mask, password_of

LEDGER = "postgresql://tidegate:hunter%402@db.example.com/tidegate"
logger = logging.getLogger("tidegate.test")


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root, ours = logging.getLogger(), logging.getLogger("tidegate")
    before, level, our_level = root.handlers[:], root.level, ours.level
    stream = io.StringIO()
    root.handlers = []
    json_logs.configure(Mask.of_environment(environment={"TIDEGATE_LEDGER": LEDGER}), stream=stream)
    try:
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    finally:
        root.handlers = before
        root.setLevel(level)
        ours.setLevel(our_level)
        logging.captureWarnings(False)


def test_a_line_says_when_what_and_of_which_batch(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with log_context.bound(dataset="orders"):
        log_context.bind(batch="2024-03-01", run="r")
        logger.info("%s of %d: {done}", "published", 3)
    logger.warning("later")
    first, second = lines()
    assert list(first) == ["time", "level", "logger", "event", "dataset", "batch", "run"]
    assert first["event"] == "published of 3: {done}"
    assert (first["level"], first["logger"], first["batch"]) == ("info", "tidegate.test", "2024-03-01")
    assert first["time"].endswith("Z")
    assert list(second) == ["time", "level", "logger", "event"], "the block is over"


def test_what_others_say_by_the_way_is_left_out(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger("somebody.else").info("hello")
    logging.getLogger("somebody.else").warning("careful")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old\nways", stacklevel=1)
    assert [line["logger"] for line in lines()] == ["somebody.else", "py.warnings"]


def test_a_password_of_the_ledger_is_on_no_line(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logger.error("cannot reach %s", LEDGER)
    logger.error("the server said: password hunter@2 is wrong, and so is hunter%402")
    logger.error("failed", exc_info=StoreError("no ledger", found=LEDGER))
    logger.error("GET https://lake/x?X-Amz-Signature=abcdef0123&sv=1 password='s p' Authorization: Bearer abcdefghijk")
    text = json.dumps(lines())
    for secret in ("hunter", "abcdef0123", "s p'", "abcdefghijk"):
        assert secret not in text
    assert "sv=1" in text
    assert "db.example.com/tidegate" in text


def test_an_exception_is_one_line_and_a_strangers_words_are_left_out(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    try:
        try:
            int("4711-private")
        except ValueError as error:
            raise StoreError("the ledger cannot be used", hint="wait") from error
    except StoreError:
        logger.exception("failed")
    try:
        int("4711-private")
    except ValueError:
        logger.exception("a bug")
    ours, foreign = lines()
    assert ours["exception"].startswith("StoreError: the ledger cannot be used; hint: wait at test_json_logs.py:")
    assert ours["exception"].endswith("because of ValueError")
    assert foreign["exception"].startswith("ValueError at test_json_logs.py:")
    assert "4711-private" not in json.dumps([ours, foreign])


@given(st.text(), st.text())
def test_whatever_is_said_is_one_line_of_plain_json(said: str, batch: str) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        json_logs.configure(Mask(), stream=stream)
        with log_context.bound(batch=batch):
            logging.getLogger("tidegate.test").warning("%s", said)
    finally:
        root.handlers = before
        root.setLevel(level)
        logging.captureWarnings(False)
    (line,) = stream.getvalue().split("\n")[:-1]
    assert line.isascii()
    assert json.loads(line)["batch"] == Mask()(batch)


@given(st.text(st.characters(codec="utf-8"), min_size=8).filter(lambda text: text.strip() == text))
def test_no_known_secret_gets_through(secret: str) -> None:
    told = Mask(frozenset({secret}))(f"a {secret} b://u:{secret}@h/p")
    assert told.startswith("a *** b://") or secret not in told


def test_masking_leaves_ordinary_text_alone() -> None:
    text = "orders/2024-03-01: published, breaker closed; file:///srv/a/b.parquet s3://lake/a?versionId=7 key=4 a@b"
    assert Mask()(text) == text
    assert password_of("no url") is None
    assert password_of("postgresql://[::1") is None


@pytest.mark.more
def test_the_command_logs_json_and_its_results_stay_what_they_are(
    tidegate: Callable[..., Said],
    contract_file: Callable[..., Path],
    store: Path,
    tmp_path: Path,
    make_orders: Callable[[int], pd.DataFrame],
) -> None:
    path = tmp_path / "2024-03-02.parquet"
    make_orders(1).to_parquet(path, index=False)
    arguments = ("gate", contract_file(), path, "--store", store, "--json")
    said = tidegate("--log-json", *arguments)
    assert said.code == 0
    (told,) = [json.loads(line) for line in said.err.splitlines()]
    assert told["event"] == "orders/2024-03-02: published, breaker closed".replace("published", "publish")
    assert json.loads(said.out)["decision"] == "publish"
    again = tidegate(*arguments, env={"TIDEGATE_LOG_JSON": "1"})
    assert (again.code, again.err) == (0, ""), "the same bytes: nothing was decided, and nothing is told"
    assert tidegate(*arguments, env={"TIDEGATE_LOG_JSON": "perhaps"}).code == 2


def test_structlog_is_not_imported_without_being_asked_for() -> None:
    code = "import sys, tidegate_flows.cli.app, tidegate; sys.exit('structlog' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert tg.gate is not None
