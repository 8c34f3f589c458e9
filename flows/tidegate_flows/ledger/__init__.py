"""The durable record: one file a noun, functions of a connection inside one transaction."""

from tidegate_flows.ledger.ledger import Ledger
from tidegate_flows.ledger.pairing import pair

__all__ = ["Ledger", "pair"]
