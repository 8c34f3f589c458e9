"""What is owed to Prefect's server, and for how long a batch waits for it: a few seconds, then it goes on without.

Verdicts are in the ledger. Events, artifacts and slots are for people who look at Prefect, so a server that is away or
slow costs a batch at most :data:`SECONDS`, and is then left alone for the rest of the flow run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import copy_context
from threading import Thread
from time import monotonic
from typing import TypeVar

logger = logging.getLogger("tidegate.prefect")

SECONDS = 5.0  # for one batch, in all
Told = TypeVar("Told")


class Patience:
    """How long Prefect's server is still waited for.

    Args:
        seconds: For one batch, in all.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.left = seconds

    @property
    def lost(self) -> bool:
        """Whether the server is waited for no more in this flow run."""
        return self.left <= 0

    def renew(self) -> None:
        """A new batch has a wait of its own, unless the server kept the last one waiting in vain."""
        if not self.lost:
            self.left = self.seconds

    def attempt(self, what: str, act: Callable[[], Told]) -> Told | None:
        """Do something with the server in what is left of the time; None if it failed or did not end.

        It is done in a thread of its own, since a server that accepts and never answers cannot be interrupted. What
        has not ended by then may still end later, and nobody waits for it.

        Args:
            what: What is attempted, for the log, where it follows "could not".
            act: Does it; sees the flow run that we are in.
        """
        if self.lost:
            return None
        answers: list[Told] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                answers.append(act())
            except Exception as error:  # noqa: BLE001 - whatever Prefect does, a verdict stands
                errors.append(error)

        thread = Thread(target=copy_context().run, args=(run,), name="tidegate-prefect", daemon=True)
        started = monotonic()
        thread.start()
        thread.join(self.left)
        self.left -= monotonic() - started
        if errors:
            logger.warning("could not %s: %s", what, _said(errors[0]))
            self.left = 0.0 if _is_away(errors[0]) else self.left
        elif not answers:
            self.left = 0.0
            logger.warning("could not %s: no answer within %g s; going on without Prefect's server", what, self.seconds)
        return answers[0] if answers else None

    def reaches(self) -> bool:
        """Whether the server answers."""
        return self.attempt("reach Prefect's server", _reach) is True


def _reach() -> bool:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client.api_healthcheck()
    if found is not None:
        raise found
    return True


def _is_away(error: Exception) -> bool:
    """Whether it is the server that does not answer, rather than something it said, or our store."""
    from httpx import TransportError

    return isinstance(error, TransportError | OSError) or "reach API" in str(error)


def _said(error: Exception) -> str:
    first = str(error).strip().splitlines()
    return f"{type(error).__name__}: {first[0]}" if first else type(error).__name__
