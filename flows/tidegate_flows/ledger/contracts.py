"""What the exporter and the status page must know of each dataset's contract."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from tidegate_contracts.contract import Contract
from tidegate_flows.ledger.schema import contracts


def save(connection: Connection, contract: Contract) -> None:
    """Keep a contract's public facts; the last one gated with is the one in force."""
    document = {
        "path": contract.path,
        "version": contract.version,
        "owner": contract.owner,
        "cadence": _seconds(contract.cadence),
        "arrive_within": _seconds(contract.arrive_within),
        "freshness": _seconds(contract.freshness),
        "label_delay": _seconds(contract.label_delay),
        "personal": sorted(name for name, column in contract.columns.items() if column.personal),
    }
    values = {"sha256": contract.sha256, "document": json.dumps(document)}
    mine = contracts.c.dataset == contract.name
    known = connection.execute(select(contracts.c.sha256, contracts.c.document).where(mine)).one_or_none()
    if known is not None and known._asdict() == values:
        return
    connection.execute(delete(contracts).where(mine))
    connection.execute(insert(contracts).values(dataset=contract.name, **values))


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def load(connection: Connection) -> dict[str, dict[str, Any]]:
    """The public facts of all contracts, by dataset."""
    rows = connection.execute(select(contracts).order_by(contracts.c.dataset))
    return {row.dataset: json.loads(row.document) for row in rows}
