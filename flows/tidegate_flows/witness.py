"""Whoever is told how a batch goes through the gate: its logs, traces and lineage. None of them changes a verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_flows import log_context
from tidegate_flows.lineage import Told
from tidegate_flows.lineage import begin as told_of
from tidegate_flows.place import Place
from tidegate_flows.stopwatch import Stopwatch
from tidegate_flows.tracing import Traced, traced
from tidegate_monitors.run import Run

logger = logging.getLogger("tidegate.witness")


class Witness:
    """Tells of one batch.

    Args:
        span: Its trace.
        told: What is told of its lineage; None where nobody listens.
    """

    def __init__(self, span: Traced | None, told: Told | None) -> None:
        self._span, self._told = span, told

    def saw(self, run: Run) -> Run:
        """There is a verdict; gives it back."""
        if self._span is not None:
            _safely("trace", self._span.saw, run)
        if self._told is not None:
            _safely("lineage", self._told.complete, run)
        return run

    def failed(self, error: BaseException) -> None:
        """There is none."""
        if self._span is not None:
            _safely("trace", self._span.failed, error)
        if self._told is not None:
            _safely("lineage", self._told.fail, error)


@contextmanager
def witnessed(place: Place, contract: Contract, delivery: Any, watch: Stopwatch) -> Iterator[Witness]:
    """What is done within is told of.

    Args:
        place: Where it is judged.
        contract: What was promised.
        delivery: What came.
        watch: Counts its stages, started now.
    """
    with log_context.begun(dataset=contract.name):
        stack = ExitStack()
        span = _safely("trace", stack.enter_context, traced(contract.name, watch))
        told = _safely("lineage", told_of, place, contract, delivery)
        witness = Witness(span, told)
        try:
            yield witness
        except BaseException as error:
            witness.failed(error)
            raise
        finally:
            _safely("trace", stack.close)


def _safely(what: str, tell: Callable[..., Any], *arguments: Any) -> Any:
    """Tell, and go on if that fails; the words of what is raised may hold values."""
    try:
        return tell(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever another's package makes of it, the verdict stands
        logger.warning("the %s of a batch was not told: %s", what, type(error).__name__)
        return None
