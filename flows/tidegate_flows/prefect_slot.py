"""One slot a dataset: who gates it waits in Prefect's line, and not inside a run, if somebody made such a limit.

The limit is ``tidegate-DATASET`` and is made by you. It keeps workers from waiting on one another; what keeps a batch
from being decided on twice is the ledger, so without the limit, or without the server, the run goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread

from tidegate_flows.prefect_patience import Patience

logger = logging.getLogger("tidegate.prefect")

_LEASE_SECONDS = 60.0  # after which the slot of a run that was killed is free again
_LOOK_SECONDS = 5.0  # while it waits in line, between two looks at whether the server is still there


@contextmanager
def slot(dataset: str, patience: Patience) -> Iterator[None]:
    """Hold the dataset's slot, if there is one to hold."""
    name = f"tidegate-{dataset}"
    if not patience.attempt(f"look for the limit {name}", lambda: _exists(name)):
        yield
        return
    held, done = Event(), Event()
    keeper = Thread(
        target=copy_context().run, args=(_keep, name, held, done), name="tidegate-prefect-slot", daemon=True
    )
    keeper.start()
    try:
        while not held.wait(_LOOK_SECONDS) and patience.reaches():
            patience.renew()
        yield
    finally:
        done.set()
        patience.attempt(f"give the slot of {name} back", keeper.join)


def _keep(name: str, held: Event, done: Event) -> None:
    """Hold the slot from ``held`` to ``done``, in a thread of its own: a server that hangs must not hang the gate."""
    from prefect.concurrency.sync import concurrency

    try:
        with concurrency(name, occupy=1, lease_duration=_LEASE_SECONDS):
            held.set()
            done.wait()
    except Exception as error:  # noqa: BLE001 - the ledger is the lock, whatever becomes of the slot
        logger.warning("the slot of %s was not held throughout: %s", name, type(error).__name__)
    finally:
        held.set()


def _exists(name: str) -> bool:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            return bool(client.read_global_concurrency_limit_by_name(name).active)
        except ObjectNotFound:
            return False
