"""People who opted out and are there all the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.reasons import Broken


@clause
def suppressed_people(subject: Subject) -> Iterator[Broken]:
    """Rows whose person stands on the ``suppression`` list."""
    suppression, suppressed = subject.contract.suppression, subject.circumstances.suppressed
    values = subject.values(suppression.column) if suppression is not None else None
    if suppression is None or suppressed is None or values is None:
        return
    people = pc.unique(values.drop_null())
    texts = people.cast(pa.string()).to_pylist()
    names = [_digest(text) for text in texts] if suppression.hashed else texts
    refused = people.filter(pa.array([name in suppressed for name in names], pa.bool_()))
    rows = np.flatnonzero(pc.is_in(values, value_set=refused).to_numpy())
    if rows.size:
        yield Broken("suppressed_people", f"nobody who stands in {suppression.file}", suppression.column, rows)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
