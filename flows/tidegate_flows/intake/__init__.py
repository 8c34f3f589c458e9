"""The intake: what arrives is staged, decoded in a process of its own, and brought to the contract's types.

Nothing else in the house opens bytes that somebody else wrote.
"""

from tidegate_flows.decoder.limits import Limits, limited
from tidegate_flows.intake.decoding import decode
from tidegate_flows.intake.names import SUFFIXES, natural_id, suffix_of
from tidegate_flows.intake.sql import Query, stage_sql
from tidegate_flows.intake.staged import Staged, UnreadableError
from tidegate_flows.intake.staging import stage
from tidegate_flows.intake.window import as_of, breaker_time
from tidegate_flows.url import masked

__all__ = [
    "SUFFIXES",
    "Limits",
    "Query",
    "Staged",
    "UnreadableError",
    "as_of",
    "breaker_time",
    "decode",
    "limited",
    "masked",
    "natural_id",
    "stage",
    "stage_sql",
    "suffix_of",
]
