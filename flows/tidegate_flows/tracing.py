"""Traces of the gate: one span a batch, with a span a stage, where somebody has set up OpenTelemetry.

A trace is for people who look for where time went. Whether it arrives changes no verdict, and waits for nothing:
spans are sent by a thread of the SDK's own, and what is left at the end of the process has :data:`SECONDS`.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from time import time_ns
from typing import TYPE_CHECKING, Any

from tidegate_flows.log_context import current
from tidegate_flows.stopwatch import Stopwatch
from tidegate_monitors.run import Run

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

logger = logging.getLogger("tidegate.tracing")

SECONDS = 3.0
"""How long the end of the process waits for spans that were not sent yet."""
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FALSE = ("", "0", "false", "no", "off")


def traces_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment asks for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    wanted = environment.get("TIDEGATE_OTEL")
    if wanted is not None:
        return wanted.lower() not in _FALSE
    return any(environment.get(name) for name in _ENDPOINTS)


class Traced:
    """The span of one batch.

    Args:
        span: The span; None where nobody looks.
        watch: How long its stages took.
    """

    def __init__(self, span: Span | None, watch: Stopwatch) -> None:
        self._span, self._watch, self._began = span, watch, time_ns()

    def saw(self, run: Run) -> None:
        """The batch has a verdict."""
        if self._span is None:
            return
        facts = {
            "batch": run.batch,
            "run": run.id,
            "decision": run.decision.value,
            "state": run.state.value,
            "contract.version": run.contract_version,
            "rows": run.counts.delivered,
            "findings": len(run.findings),
            "repeated": run.repeated,
            "verified": run.verified,
        }
        self._span.set_attributes({f"tidegate.{name}": value for name, value in facts.items()})

    def failed(self, error: BaseException) -> None:
        """There is no verdict. The words of an error may hold values or a password, and are left out."""
        if self._span is None:
            return
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attributes({"error.type": type(error).__name__, **_named()})
        self._span.set_status(Status(StatusCode.ERROR, type(error).__name__))

    def end(self, tracer: Tracer | None) -> None:
        """The stages become spans, one after the other as they were; then the batch's own span ends."""
        if self._span is None or tracer is None:
            return
        from opentelemetry.trace import set_span_in_context

        above, start = set_span_in_context(self._span), self._began
        try:
            for stage, seconds in self._watch.seconds.items():
                end = start + round(seconds * 1e9)
                span = tracer.start_span(stage, context=above, start_time=start, attributes=_named())
                span.end(end_time=end)
                start = end
        finally:
            self._span.end()


@contextmanager
def traced(dataset: str, watch: Stopwatch) -> Iterator[Traced]:
    """The work within is one span, if anybody looks; spans that others begin within are its children.

    Args:
        dataset: Whose batch.
        watch: How long its stages take, started now.
    """
    tracer = _tracer()
    if tracer is None:
        yield Traced(None, watch)
        return
    from opentelemetry.trace import use_span

    span = tracer.start_span("gate", attributes={"tidegate.dataset": dataset})
    found = Traced(span, watch)
    try:
        with use_span(span, record_exception=False, set_status_on_exception=False):
            yield found
    finally:
        found.end(tracer)


def _named() -> dict[str, str]:
    return {f"tidegate.{name}": text for name, text in current().items()}


def _tracer() -> Tracer | None:
    """That of whoever uses us, if they have set one up; else our own, if the environment asks for one."""
    if "opentelemetry.sdk.trace" in sys.modules:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider

        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            return provider.get_tracer("tidegate")
    return _own() if traces_wanted() else None


@cache
def _own() -> Tracer | None:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        logger.warning("traces are wanted, and cannot be sent: pip install 'tidegate[otel]'")
        return None
    try:
        return tracer_to(OTLPSpanExporter(timeout=SECONDS))
    except Exception as error:  # noqa: BLE001 - whatever the exporter makes of its variables, a batch is not stopped
        logger.warning("traces are wanted, and cannot be sent: %s", type(error).__name__)
        return None


def tracer_to(exporter: SpanExporter) -> Tracer:
    """A tracer of our own that sends to an exporter, beside whatever tracing the program has."""
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from tidegate_flows.version import VERSION

    service = {SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME") or "tidegate", SERVICE_VERSION: VERSION}
    provider = TracerProvider(resource=Resource.create(service), shutdown_on_exit=False)
    _tell_once(exporter)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    atexit.register(end, provider)
    return provider.get_tracer("tidegate", VERSION)


def end(provider: Any, seconds: float = SECONDS) -> None:
    """Send what was not sent yet, and wait for that no longer than so many seconds."""
    thread = threading.Thread(target=provider.shutdown, name="tidegate-tracing", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        logger.warning("spans were not sent within %g s, and are lost", seconds)


def _tell_once(exporter: SpanExporter) -> None:
    """What an exporter says of a receiver that is away, at each try anew, is told once and in our words."""
    told = threading.Event()

    def once(record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING and not told.is_set():
            told.set()
            logger.warning("spans do not arrive where they are sent: %s", record.getMessage())
        return False

    logging.getLogger(type(exporter).__module__).addFilter(once)
