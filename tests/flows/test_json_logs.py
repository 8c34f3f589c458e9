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
from tidegate_flows import by_hand, json_logs, log_context, readmission
from tidegate_flows.cli import exits
from tidegate_flows.cli.app import app
from tidegate_flows.gate import gate_at
from tidegate_flows.ledger import runs
from tidegate_flows.masking import Mask, secrets_of
from tidegate_flows.place import at

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


class _Heard(logging.Handler):
    """What was said, with what it was about."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, dict[str, str]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.getMessage(), dict(log_context.current())))


def test_a_decision_is_logged_with_its_own_batch_and_run_and_leaves_nothing_behind(
    store: Path,
    contract: tg.Contract,
    make_orders: Callable[[int], pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = _Heard()
    monkeypatch.setattr(logging.getLogger("tidegate.gate"), "handlers", [heard])
    caplog.set_level(logging.INFO, "tidegate.gate")
    bad = make_orders(4).assign(country="Atlantis")
    with at(store) as place, log_context.bound(dataset="another", run="another"):
        run = {"b1": gate_at(place, make_orders(1), contract, batch_id="b1").id}
        by_hand.trip(place, "orders", by="ann", reason="a look")
        gate_at(place, make_orders(2), contract, batch_id="b2")
        by_hand.close(place, "orders", by="ann", reason="all well")
        run["b3"] = gate_at(place, make_orders(3), contract, batch_id="b3").id  # releases b2 first
        gate_at(place, bad, contract, batch_id="b4")
        readmission.replay(place, "orders", "b4", by="ann", reason="once more", contract=contract)
        assert log_context.current() == {"dataset": "another", "run": "another"}
    with at(store) as place, place.ledger.read() as connection:
        known = {item.batch: item.run for item in runs.current(connection, "orders")}
    told = [(text.split(":")[0], about) for text, about in heard.lines]
    assert [text for text, _ in told] == ["orders/b1", "orders/b2", "orders/b2", "orders/b3", "orders/b4", "orders/b4"]
    for text, about in told:
        assert f"{about['dataset']}/{about['batch']}" == text
    assert [told[place][1]["run"] for place in (0, 2, 3, 5)] == [run["b1"], known["b2"], run["b3"], known["b4"]]
    assert len({about["run"] for _, about in told}) == 6


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


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://u:pa/ss@h/db", "pa/ss"),
        ("postgresql://u:pa#ss@h/db", "pa#ss"),
        ("postgresql://u:pa?ss@h/db", "pa?ss"),
        ("postgresql://u:pass#1@h/db?x=1", "pass#1"),
        ("postgresql+psycopg://u:p%2Fa@h/db", "p/a"),
        ("postgresql://h/db?user=u&password=hunter2", "hunter2"),
    ],
)
def test_a_password_of_the_ledger_is_known_whichever_characters_it_has(url: str, secret: str) -> None:
    mask = Mask.of_environment(environment={"TIDEGATE_LEDGER": url})
    assert mask(f"authentication failed with {secret}") == "authentication failed with ***"
    assert secret not in mask(f"cannot open {url} now")
    assert secret not in Mask()(f"cannot open {url} now"), "also where nobody knows it by its value"
    assert mask(f"cannot open {url} now").endswith(" now")


def test_masking_leaves_ordinary_text_alone() -> None:
    text = "orders/2024-03-01: published, breaker closed; file:///srv/a/b.parquet s3://lake/a?versionId=7 key=4 a@b"
    assert Mask()(text) == text
    for path in ("s3://lake/a@b/x", "s3://lake/T10:00/a@b", "https://h:8443/x?mail=1"):
        assert Mask()(path) == path
    for url in ("no url", "postgresql://[::1", "http://h:4200/api", "s3://lake/a?versionId=7"):
        assert secrets_of(url) == frozenset()


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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("gate", "--nope"), "error: No such option: --nope"),
        (("--nope",), "error: No such option: --nope"),
        (("nosuch",), "error: No such command 'nosuch'; hint: tidegate --help"),
        (("lint", "nowhere.py"), "error: no contract file"),
    ],
)
def test_a_command_that_is_wrong_is_told_as_an_error_on_one_line(
    arguments: tuple[str, ...],
    told: str,
    lines: Callable[[], list[dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exits, "_as_logs", False)
    monkeypatch.setenv("TIDEGATE_LOG_JSON", "1")
    assert exits.run(app, arguments) == 2
    said = capsys.readouterr()
    (line,) = [json.loads(line) for line in said.err.splitlines()]
    assert (said.out, lines()) == ("", []), "they are said where logs go now"
    assert (line["level"], line["logger"]) == ("error", "tidegate.cli")
    assert line["event"].startswith(told)


@pytest.mark.parametrize(
    ("said", "level"),
    [
        (("error:   no store", "hint:    name one"), "error"),
        (("warning: orders/a: unverified",), "warning"),
        (("stopped",), "info"),
        (("errors are none",), "info"),
    ],
)
def test_how_grave_it_is_follows_what_is_said(
    said: tuple[str, ...], level: str, lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exits, "_as_logs", True)
    exits.say(*said)
    assert [line["level"] for line in lines()] == [level]


def test_structlog_is_not_imported_without_being_asked_for() -> None:
    code = "import sys, tidegate_flows.cli.app, tidegate; sys.exit('structlog' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert tg.gate is not None
