"""What the model said of the same entities in the batch before, held against the features of this one."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, StoreError
from tidegate_contracts.severity import Severity
from tidegate_contracts.types import LogicalType, plain_values
from tidegate_flows.ledger import counters, runs
from tidegate_flows.place import Place
from tidegate_flows.published import Published
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.feedback_loop import PAIRS_MINIMUM, Echo, feedback_loop

logger = logging.getLogger("tidegate.gate")

_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)


def feedback(place: Place, batch: Batch, contract: Contract) -> tuple[Alarm, ...]:
    """The features of a batch that are the entities' own predictions in the batch published last before it.

    Only for contracts with ``entity`` and a ``prediction`` that is a number. Of an entity with several rows the last
    one of then and the first one of now are taken, in the order of event time.

    Args:
        place: Where the batches were published.
        batch: The batch in question.
        contract: What was promised.

    Raises:
        MonitorError: The comparison failed.
        StoreError: The ledger cannot be used.
    """
    there = set(batch.table.column_names) - batch.mismatches.keys()
    features = [name for name in contract.feature_columns if name in there and _is_number(contract, name)]
    features = [name for name in features if name not in contract.entity]
    scored = contract.prediction is not None and _is_number(contract, contract.prediction)
    if not contract.entity or not scored or not features or not set(contract.entity) <= there:
        return ()
    with place.ledger.read() as connection:
        end = batch.window.end.timestamp() if batch.window else None
        row = runs.published_before(connection, contract.name, batch.id.partition("~")[0], end)
    if row is None:
        return ()
    published = Published(tuple(place.store.root / path for path in json.loads(row.files)), contract)
    try:
        earlier = published.columns(_known(contract, [*contract.entity, *features, str(contract.prediction)]))
    except StoreError as error:  # what the gate must know of this batch does not hang on it
        logger.warning("%s/%s: not held against batch %s: %s", contract.name, batch.id, row.batch, error)
        with place.ledger.begin() as connection:
            counters.bump(connection, "monitor_errors_total", contract.name, monitor="feedback_loop")
        return (_not_looked_at(row.batch, contract),)
    current = batch.table.select([name for name in batch.table.column_names if name in there])
    try:
        both = _joined(current, earlier, contract)
        if len(both) < PAIRS_MINIMUM:
            return ()
        echoes = (Echo(name, _floats(both[f"{name} now"]), _before(both, name)) for name in features)
        return tuple(feedback_loop(echoes, _floats(both[f"{contract.prediction} then"]), row.batch, contract))
    except Exception as error:  # our failure and never a pass; its words may hold values
        raise MonitorError("the search for a feedback loop raised", found=type(error).__name__) from error


def _not_looked_at(batch: str, contract: Contract) -> Alarm:
    """That the search did not happen, so that its silence is not taken for good news."""
    message = (
        f"whether a feature is what the model said of the same {', '.join(contract.entity)} before could not be looked "
        f"at: what was published of batch {batch!r} cannot be read"
    )
    return Alarm("insufficient_evidence", Severity.INFO, message, kind="insufficient_evidence")


def _joined(current: Any, earlier: Any, contract: Contract) -> pd.DataFrame:
    """One row for each entity that both tables have, with the columns ``NAME now`` and ``NAME then``."""
    now = _one_each(current, earlier.column_names, contract, keep="first").add_suffix(" now")
    return now.join(_one_each(earlier, earlier.column_names, contract, keep="last").add_suffix(" then"), how="inner")


def _one_each(table: Any, names: Sequence[str], contract: Contract, *, keep: Literal["first", "last"]) -> pd.DataFrame:
    """The first or the last row of each entity, by entity; rows without one are left out."""
    entity, time = list(contract.entity), contract.event_time
    columns = {name: plain_values(table.column(name)) for name in names if name in table.column_names}
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    if time in columns:
        frame = frame.sort_values(time, kind="stable")
    return frame.dropna(subset=entity).drop_duplicates(subset=entity, keep=keep).set_index(entity)


def _known(contract: Contract, names: Sequence[str]) -> list[str]:
    """Some columns and the event time, each once."""
    return list(dict.fromkeys([*names, *([contract.event_time] if contract.event_time else [])]))


def _before(both: pd.DataFrame, name: str) -> npt.NDArray[np.float64] | None:
    then = _floats(both[f"{name} then"])
    return then if np.isfinite(then).any() else None


def _floats(values: Any) -> npt.NDArray[np.float64]:
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def _is_number(contract: Contract, name: str) -> bool:
    return contract.columns[name].type.logical in _NUMBERS
