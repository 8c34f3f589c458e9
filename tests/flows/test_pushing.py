"""Pushing to a Pushgateway, and to what is none."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import tidegate as tg
from tests.flows.conftest import Said
from tests.flows.loopback import OK, Answer, Asked, loopback
from tests.flows.test_exporter import parse, value
from tidegate_contracts.errors import UsageError
from tidegate_flows.pushing import push, require_url
from tidegate_flows.settings import resolve


def refusing(status: int, only: str) -> Callable[[Asked], Answer]:
    """A gateway that answers some paths with a status."""
    return lambda asked: Answer(status) if asked.path.endswith(only) else OK


def slow(_: Asked) -> Answer:
    time.sleep(0.4)
    return OK


@pytest.fixture
def two_datasets(
    store: Path, make_contract: Callable[..., tg.Contract], make_orders: Callable[..., pd.DataFrame]
) -> Path:
    for name in ("orders", "visits"):
        tg.gate(make_orders(1), make_contract(name=name), store=store)
    return store


def test_each_dataset_is_pushed_as_a_group_of_gauges(two_datasets: Path) -> None:
    with loopback() as (url, taken):
        done = push(resolve(store=two_datasets), f"{url}/", job="etl")
    assert (done.datasets, done.taken, done.refused) == (2, 2, None)
    assert [(method, path) for method, path, _ in taken] == [
        ("PUT", "/metrics/job/etl/dataset/orders"),
        ("PUT", "/metrics/job/etl/dataset/visits"),
    ]
    for name, (_, _, body) in zip(("orders", "visits"), taken, strict=True):
        found = parse(body.decode())
        assert value(found, "batch_rows", dataset=name) == 200
        assert value(found, "breaker_state", dataset=name, state="open") == 0
        assert all(dict(labels)["dataset"] == name for _, labels in found)
        assert not any(metric.endswith(("_total", "_bucket", "_count", "_sum")) for metric, _ in found)


def test_a_gateway_that_is_not_well_is_a_warning_and_no_failure(
    two_datasets: Path, tidegate: Callable[..., Said]
) -> None:
    with loopback(refusing(500, "")) as (url, _):
        said = tidegate("metrics", "--push", url, "--store", two_datasets)
    assert (said.code, said.out) == (0, "")
    assert said.err == f"warning: {url} did not take the metrics of 2 datasets: HTTP 500\n"


def test_a_dataset_that_is_refused_stops_none_of_the_others_and_they_are_counted(
    two_datasets: Path, tidegate: Callable[..., Said]
) -> None:
    with loopback(refusing(400, "/orders")) as (url, taken):
        said = tidegate("metrics", "--push", url, "--store", two_datasets)
    assert [path.rpartition("/")[2] for _, path, _ in taken] == ["orders", "visits"]
    assert said.err == f"warning: {url} took the metrics of only 1 of 2 datasets: HTTP 400\n"


def test_a_job_may_be_called_anything(two_datasets: Path) -> None:
    with loopback() as (url, taken):
        assert push(resolve(store=two_datasets), url, job="a/b").refused is None
    assert taken[0][1] == f"/metrics/job@base64/{base64.urlsafe_b64encode(b'a/b').decode()}/dataset/orders"


def test_a_gateway_that_hangs_costs_three_seconds_at_most(two_datasets: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        done = push(resolve(store=two_datasets), f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - started < 4.5
    assert done.refused is not None


def test_a_gateway_that_answers_each_dataset_slowly_is_given_up_as_soon(two_datasets: Path) -> None:
    with loopback(slow) as (url, _):
        started = time.monotonic()
        assert push(resolve(store=two_datasets), url, seconds=0.6).refused is not None
        assert time.monotonic() - started < 3


def test_where_nobody_listens_it_says_so(two_datasets: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "refused" in str(push(resolve(store=two_datasets), f"http://127.0.0.1:{port}").refused)


@pytest.mark.parametrize(
    "url",
    ["", "pushgateway:9091", "ftp://host/", "http://", "http://host:99999", "http://ann:secret@host", "http://h?a=b"],
)
def test_what_is_no_address_of_a_pushgateway_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        require_url(url)
    assert "secret" not in str(refused.value)


def test_without_a_ledger_there_is_nothing_to_push(tmp_path: Path) -> None:
    with loopback() as (url, taken), pytest.raises(UsageError):
        push(resolve(store=tmp_path / "none"), url)
    assert not taken
