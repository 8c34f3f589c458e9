"""What the audit says, told to Prefect as events: ``tidegate.breaker.opened`` and the like.

The dataset is the event's resource, ``tidegate.dataset.NAME``. An event's id follows from its audit entry's hash, and
Prefect's server keeps one of each id: so the same entry may be told twice. The server itself is asked which entry it
was told last; what was done since by hand, or in a run that died before it could tell, is told by the next one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from tidegate_flows.ledger.schema import audit
from tidegate_flows.place import at
from tidegate_flows.prefect_patience import Patience

PREFIX = "tidegate."
RESOURCE = "tidegate.dataset."
_CHAIN = "tidegate.chain"  # which ledger: two stores may have a dataset of one name
_MOST = 500  # entries that are told late; older ones are in the audit
_PAGE = 20  # of several that came at the same moment the last need not be the first


class Announcer:
    """Tells Prefect's server what came into a dataset's audit.

    Args:
        dataset: Whose audit.
        store: The folder that holds everything; None for the settings in force.
        patience: How long the server is waited for.
    """

    def __init__(self, dataset: str, store: str | None, patience: Patience) -> None:
        self.dataset = dataset
        self.store = store
        self.patience = patience
        self.told: int | None = patience.attempt(f"ask what it was told last of {dataset!r}", self._told_last)

    def announce(self) -> None:
        """Tell what the server was not told yet; it never raises, and the rest is told by a later run."""
        if self.told is not None:
            self.told = self.patience.attempt(f"tell Prefect of {self.dataset!r}", self._announce) or self.told

    def _told_last(self) -> int:
        """The number of the last entry that needs no telling."""
        with at(self.store) as place, place.ledger.read() as connection:
            chain, last = _chain(connection, self.dataset), _last(connection, self.dataset)
        if chain is None:
            return 0
        known = _known_to_server(self.dataset, chain)
        return last if known is None else max(known, last - _MOST)

    def _announce(self) -> int:
        from prefect.events import emit_event

        with at(self.store) as place, place.ledger.read() as connection:
            chain, entries = _chain(connection, self.dataset), _since(connection, self.dataset, self.told or 0)
        for entry in entries:
            emit_event(
                PREFIX + entry["event"],
                resource={
                    "prefect.resource.id": RESOURCE + self.dataset,
                    "prefect.resource.name": self.dataset,
                    _CHAIN: chain or "",
                },
                payload={name: entry[name] for name in ("seq", "at", "batch", "run", "by", "reason", "sha256")},
                id=UUID(entry["sha256"][:32], version=4),
            )
        return entries[-1]["seq"] if entries else self.told or 0


def _known_to_server(dataset: str, chain: str) -> int | None:
    """The number of the last entry that Prefect's server has an event of."""
    from prefect.client.orchestration import get_client
    from prefect.events.filters import EventFilter, EventNameFilter, EventOrder, EventResourceFilter
    from prefect.events.schemas.events import ResourceSpecification

    labels = ResourceSpecification.model_validate({"prefect.resource.id": RESOURCE + dataset, _CHAIN: chain})
    wanted = EventFilter(
        event=EventNameFilter(prefix=[PREFIX]),
        resource=EventResourceFilter(id=[RESOURCE + dataset], labels=labels),
        order=EventOrder.DESC,
    )
    with get_client(sync_client=True) as client:
        page = client.read_events(wanted, limit=_PAGE)
    return max((int(event.payload["seq"]) for event in page.events), default=None)


def _chain(connection: Connection, dataset: str) -> str | None:
    """The hash of the first entry of a dataset's audit: no two ledgers share it."""
    query = select(audit.c.sha256).where(audit.c.dataset == dataset).order_by(audit.c.seq).limit(1)
    return connection.scalar(query)


def _last(connection: Connection, dataset: str) -> int:
    return connection.scalar(select(func.max(audit.c.seq)).where(audit.c.dataset == dataset)) or 0


def _since(connection: Connection, dataset: str, seq: int) -> list[dict[str, Any]]:
    query = select(audit).where(audit.c.dataset == dataset, audit.c.seq > seq).order_by(audit.c.seq)
    return [dict(row) for row in connection.execute(query).mappings()]
