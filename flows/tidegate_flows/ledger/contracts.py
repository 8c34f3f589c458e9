"""What the exporter must know of each dataset's contract."""

from __future__ import annotations

import json
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
        "cadence": contract.cadence.total_seconds() if contract.cadence else None,
        "arrive_within": contract.arrive_within.total_seconds() if contract.arrive_within else None,
    }
    known = connection.scalar(select(contracts.c.document).where(contracts.c.dataset == contract.name))
    if known == json.dumps(document):
        return
    connection.execute(delete(contracts).where(contracts.c.dataset == contract.name))
    connection.execute(
        insert(contracts).values(dataset=contract.name, sha256=contract.sha256, document=json.dumps(document))
    )


def load(connection: Connection) -> dict[str, dict[str, Any]]:
    """The public facts of all contracts, by dataset."""
    rows = connection.execute(select(contracts).order_by(contracts.c.dataset))
    return {row.dataset: json.loads(row.document) for row in rows}
