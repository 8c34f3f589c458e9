"""The words that writing and reading a document share."""

from __future__ import annotations

SLA = {"cadence": "frequency", "arrive_within": "latency", "freshness": "freshness", "max_age": "retention"}
"""Our durations that the standard has a word for."""

SCHEMA_FLAGS = ("strict", "ordered", "coerce", "unique_column_names", "add_missing_columns")
"""What pandera says of a whole table and the standard does not."""

WORDS = ("unit", "available", "personal", "purpose", "term", "drift", "effect_floor")
"""Column metadata that means something here."""


def is_address(term: object) -> bool:
    """Whether a term is an address on the web."""
    return isinstance(term, str) and term.startswith(("https://", "http://"))
