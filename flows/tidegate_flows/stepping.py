"""One more batch for the stream: read, stepped and kept in the transaction that decides on the batch."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from tidegate_contracts.batch import Window
from tidegate_contracts.contract import Contract
from tidegate_flows.ledger import references, streams
from tidegate_flows.watched import watch_of
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.reference import Reference
from tidegate_monitors.slow_alarms import slow_alarms
from tidegate_monitors.stream import ratios, step


def stepped(
    connection: Connection,
    contract: Contract,
    reference: Reference | None,
    levels: Mapping[str, float | None],
    batch: str,
    window: Window | None,
    *,
    now: float,
    steps: bool,
) -> tuple[Alarm, ...]:
    """What the stream says with this batch in it.

    Args:
        connection: The transaction that decides.
        contract: Whose.
        reference: What levels are held against; nothing is said without one.
        levels: Of the batch, by column.
        batch: The batch's id.
        window: Its event times; one that ends before the last one seen does not step the stream.
        now: The store's clock, seconds: a time of the future, which one wrong row can hold, ends nothing.
        steps: False where the batch is no arrival, or has something critical: the stream then keeps what it has.
    """
    if reference is None or references.in_force(connection, contract.name) != reference.sha256:
        return ()  # somebody has approved another one since the batch was looked at
    watch = watch_of(reference, contract)
    stream, last = streams.load(connection, contract.name, reference.sha256)
    end = min(window.end.timestamp(), now) if window is not None else None
    late = end is not None and last is not None and end < last
    if steps and not late:
        stream = step(stream, watch, levels, batch)
        streams.save(connection, contract.name, stream, end if end is not None else last, ratios(stream, watch))
    return tuple(slow_alarms(stream, watch, reference, contract))
