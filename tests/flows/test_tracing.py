"""Traces: what a span says of a batch, and that nobody waits for whoever collects them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

import pandas as pd
import pandera.pandas as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tidegate as tg
from tests.conftest import Orders
from tests.flows.conftest import Said
from tests.flows.loopback import loopback
from tidegate_contracts.errors import MonitorError
from tidegate_flows import tracing
from tidegate_monitors.metrics import STAGES


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, ReadableSpan]]:
    """Spans by name; of the batch gated last."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
    return lambda: {span.name: span for span in exporter.get_finished_spans()}


def test_a_batch_is_a_span_with_a_span_a_stage(
    spans: Callable[[], dict[str, ReadableSpan]],
    store: Path,
    contract: tg.Contract,
    make_orders: Callable[[int], pd.DataFrame],
) -> None:
    run = tg.gate(make_orders(1), contract, store=store, batch_id="2024-03-02")
    found = spans()
    assert tuple(found) == (*STAGES, "gate")
    gate = found["gate"]
    assert gate.attributes is not None
    assert gate.attributes["tidegate.run"] == run.id
    assert gate.attributes["tidegate.dataset"] == "orders"
    assert (gate.attributes["tidegate.batch"], gate.attributes["tidegate.decision"]) == ("2024-03-02", "publish")
    ends = [gate.start_time, *(found[stage].end_time for stage in STAGES), gate.end_time]
    assert all(a is not None and b is not None and a <= b for a, b in pairwise(ends))
    for stage in STAGES:
        parent = found[stage].parent
        assert parent is not None
        assert parent.span_id == gate.get_span_context().span_id
        assert (found[stage].attributes or {})["tidegate.run"] == run.id


def test_a_gate_without_a_verdict_is_an_error_that_tells_no_values(
    spans: Callable[[], dict[str, ReadableSpan]],
    store: Path,
    make_contract: Callable[..., tg.Contract],
    make_orders: Callable[[int], pd.DataFrame],
) -> None:
    class Raising(Orders):
        @pa.check("items")
        def raises(cls, values: Any) -> bool:  # noqa: N805 - pandera's checks are class methods
            raise ValueError(f"4711-private {len(values)}")

    with pytest.raises(MonitorError):
        tg.gate(make_orders(1), make_contract(schema=Raising), store=store)
    gate = spans()["gate"]
    assert not gate.status.is_ok
    assert gate.events == ()
    assert gate.status.description == "MonitorError"
    assert "4711" not in gate.to_json()


def test_a_failing_tracer_changes_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
    store: Path,
    contract: tg.Contract,
    make_orders: Callable[[int], pd.DataFrame],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> None:
        raise RuntimeError("no tracer")

    monkeypatch.setattr(tracing, "_tracer", broken)
    assert tg.gate(make_orders(1), contract, store=store, batch_id="a").decision.value == "publish"
    assert "the trace of a batch was not told: RuntimeError" in caplog.text


def test_somebody_s_broken_span_processor_changes_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
    store: Path,
    contract: tg.Contract,
    make_orders: Callable[[int], pd.DataFrame],
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(SpanProcessor):
        ended: ClassVar[list[str]] = []

        def on_end(self, span: ReadableSpan) -> None:
            self.ended.append(span.name)
            raise RuntimeError("4711-private")

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Broken())
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
    assert tg.gate(make_orders(1), contract, store=store, batch_id="a").decision.value == "publish"
    assert "gate" in Broken.ended, "the batch's own span ends all the same"
    assert "the trace of a batch was not told: RuntimeError" in caplog.text
    assert "4711" not in caplog.text
    with pytest.raises(tg.UsageError):
        tg.gate("/nowhere/x.parquet", contract, store=store)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"TIDEGATE_OTEL": "1"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "TIDEGATE_OTEL": "0"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"TIDEGATE_OTEL": "1", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_traces_are_made_where_the_environment_asks_for_them(environment: dict[str, str], wanted: bool) -> None:
    assert tracing.traces_wanted(environment) is wanted


@pytest.mark.more
def test_a_collector_gets_the_spans_before_the_command_ends(
    tidegate: Callable[..., Said],
    contract_file: Callable[..., Path],
    store: Path,
    tmp_path: Path,
    make_orders: Callable[[int], pd.DataFrame],
) -> None:
    path = tmp_path / "2024-03-02.parquet"
    make_orders(1).to_parquet(path, index=False)
    with loopback() as (url, taken):
        said = tidegate("gate", contract_file(), path, "--store", store, env={"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    assert (said.code, said.err) == (0, "")
    ((_, where, body),) = taken
    assert where == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    names = {span.name for scope in resource.scope_spans for span in scope.spans}
    assert names == {*STAGES, "gate"}
    service = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert service["service.name"] == "tidegate"


@pytest.mark.more
@pytest.mark.parametrize("fault", ["hangs", "is away"])
def test_a_collector_that_is_no_help_costs_three_seconds_and_no_verdict(
    fault: str,
    tidegate: Callable[..., Said],
    contract_file: Callable[..., Path],
    store: Path,
    tmp_path: Path,
    make_orders: Callable[[int], pd.DataFrame],
) -> None:
    path = tmp_path / "2024-03-02.parquet"
    make_orders(1).to_parquet(path, index=False)
    contract = contract_file()
    began = monotonic()
    assert tidegate("gate", contract, path, "--store", tmp_path / "usual").code == 0
    usual = monotonic() - began
    with loopback(hangs=True) as (url, _):
        there = url if fault == "hangs" else "http://127.0.0.1:9"
        began = monotonic()
        said = tidegate("gate", contract, path, "--store", store, "--json", env={"OTEL_EXPORTER_OTLP_ENDPOINT": there})
        took = monotonic() - began
    assert said.code == 0
    assert json.loads(said.out)["decision"] == "publish"
    assert said.err.count("WARNING tidegate.tracing: ") in (1, 2), said.err
    assert "Traceback" not in said.err
    assert took - usual < 15, "a collector that hangs does so for 20 seconds"


def test_nothing_of_it_is_imported_unless_asked_for() -> None:
    code = (
        "import sys, tidegate, tidegate_flows.gate as g\n"
        "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
