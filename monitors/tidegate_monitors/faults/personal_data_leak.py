"""Personal data in a column that is for something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from tidegate_contracts.checksum import iban, luhn

KINDS = ("email", "phone", "card", "iban")


def personal_data_leak(table: Any, column: str, kind: str, rows: int, rng: np.random.Generator) -> Any:
    """Some values replaced by made-up personal data of a kind, as a form with a free field collects it."""
    texts = table.column(column).to_pylist()
    for row in rng.choice(table.num_rows, rows, replace=False):
        texts[row] = _made_up(kind, rng)
    return table.set_column(table.column_names.index(column), column, pa.array(texts, table.column(column).type))


def _made_up(kind: str, rng: np.random.Generator) -> str:
    digits = "".join(map(str, rng.integers(0, 10, 18)))
    if kind == "email":
        return f"user{digits[:6]}@example.com"
    if kind == "phone":
        return f"call +49 30 {digits[:7]}"
    if kind == "card":
        return next(number for last in range(10) if luhn([number := f"4{digits[:14]}{last}"])[0])
    return next(number for check in range(100) if iban([number := f"DE{check:02}{digits}"])[0])
