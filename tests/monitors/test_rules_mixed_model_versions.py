"""A model that the reference never saw: told of, and held against nobody."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

import numpy as np
import pandera.pandas as pr
import pyarrow as pa
import pytest

import tidegate as tg
from tidegate_contracts.batch import Batch, Source
from tidegate_contracts.severity import Severity
from tidegate_monitors.compare import compare
from tidegate_monitors.faults.mixed_model_versions import mixed_model_versions as mixed
from tidegate_monitors.layout import Layout
from tidegate_monitors.levels import streamed
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Block, Reference
from tidegate_monitors.rules import Evidence, judge

DAYS = [date(2013, 4, 10), date(2013, 9, 4)]


def versioned(table: Any, version: str = "gbm-7") -> Any:
    """A table that says which model scored it."""
    return table.append_column("model", pa.array([version] * table.num_rows))


@pytest.fixture(scope="module")
def contract(flights_contract: tg.Contract) -> tg.Contract:
    own = {item.name: getattr(flights_contract, item.name) for item in fields(flights_contract)}
    schema = flights_contract.pandera_schema.add_columns({"model": pr.Column(str)})
    return tg.Contract(**(own | {"schema": schema, "model_version": "model"}))


@pytest.fixture(scope="module")
def known(deliveries: dict[date, Any], contract: tg.Contract) -> Reference:
    """Twenty days of February, scored by one model."""
    batches = [
        Batch("flights", str(day), Source(f"{day}.parquet", ".parquet", "", 0), table, table)
        for day, table in ((day, versioned(deliveries[day])) for day in deliveries if day.month == 2)
    ][:20]
    layout = Layout.of(batches, contract)
    blocks = tuple(Block(item.id, None, Profile.of(item.table, layout)) for item in batches)
    return Reference("flights", contract.sha256, layout, blocks)


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_rows_of_an_unknown_version_are_information_and_no_category_change(
    share: float, day: date, deliveries: dict[date, Any], known: Reference, contract: tg.Contract
) -> None:
    table = versioned(deliveries[day])
    new = mixed(table, "model", "gbm-8", share, np.random.default_rng(1))
    found = [item for item in judge(Evidence(Profile.of(new, known.layout), known, contract)) if item.column == "model"]
    assert [(item.check, item.severity) for item in found] == [("mixed_model_versions", Severity.INFO)]
    assert f"{round(share * table.num_rows)} of {table.num_rows} rows" in found[0].message
    clean = judge(Evidence(Profile.of(table, known.layout), known, contract))
    assert [item for item in clean if item.column == "model"] == []


def test_a_new_version_is_no_drift(deliveries: dict[date, Any], known: Reference, contract: tg.Contract) -> None:
    profile = Profile.of(versioned(deliveries[DAYS[0]], "gbm-8"), known.layout)
    found = compare(profile, known, contract, np.random.default_rng(2))
    assert "model" not in {item.column for item in found}
    assert "model" not in streamed(known, contract)
    assert "model" not in known.layout.joint
