"""Infinities, as a database can be asked about them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pyarrow as pa

from tidegate_contracts.contract import Contract
from tidegate_contracts.expectation import Expectation
from tidegate_flows.sql.fit import Fit


def finite(seen: Fit, contract: Contract) -> Iterator[Expectation]:
    """One expectation for each column of floating-point numbers; told of, because a contract may mean infinities."""
    for name, column in seen.table.columns.items():
        if column.arrow is None or name in seen.mismatches or name in contract.later_columns:
            continue
        declared = contract.column(name)
        kind = declared.type.arrow if declared is not None and declared.type.arrow is not None else column.arrow
        if pa.types.is_floating(kind):
            bounds = {"column": name, "min_value": -sys.float_info.max, "max_value": sys.float_info.max}
            yield Expectation("non_finite", "finite", name, "expect_column_values_to_be_between", bounds, soft=True)
