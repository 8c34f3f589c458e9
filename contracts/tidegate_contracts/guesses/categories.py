"""The few values of a column, where each comes often enough that a new one would be news."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.guesses.evidence import Evidence

_MOST = 20
_ROWS_EACH = 5
_ROWS_ON_AVERAGE = 10
_SHORT = 5
_RARER = 20
_LONGEST = 40
_WORDS_FOR_MISSING = ("", "-", "?", "na", "n/a", "nan", "null", "none", "nil", "unknown", "undefined")


def categories(evidence: Evidence) -> tuple[str, ...] | None:
    """The categories in alphabetical order; None where the values are too many, too seldom or too long to be some."""
    values, counts = evidence.counts
    if not 2 <= len(counts) <= _MOST or counts.min() < _ROWS_EACH or counts.mean() < _ROWS_ON_AVERAGE:
        return None
    if len(counts) > _SHORT and counts.min() < counts.mean() / _RARER:
        return None  # a long list with rare ones at its end has more of them that were not seen
    texts = sorted(values.to_pylist())
    return tuple(texts) if max(map(len, texts)) <= _LONGEST else None


def words_for_missing(evidence: Evidence) -> tuple[str, ...]:
    """The texts among a column's that look like a word for "missing", in alphabetical order."""
    bare = pc.utf8_lower(pc.utf8_trim_whitespace(evidence.counts[0]))
    found = evidence.counts[0].filter(pc.is_in(bare, pa.array(_WORDS_FOR_MISSING)))
    return tuple(sorted(found.to_pylist()))
