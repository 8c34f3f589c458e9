"""What labels said of published batches."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from tidegate_flows.ledger.schema import biases
from tidegate_monitors.bias import Bias


@dataclass(frozen=True, slots=True)
class Labelled:
    """One batch's labels.

    Attributes:
        batch: Its id.
        bias: The bias of its predictions.
        joined: How many of its rows a label file has named, with or without a label.
        joined_at: Store clock, seconds.
    """

    batch: str
    bias: Bias
    joined: int
    joined_at: float


def save(connection: Connection, dataset: str, item: Labelled) -> None:
    """Keep what is known of one batch's labels."""
    connection.execute(delete(biases).where(biases.c.dataset == dataset, biases.c.batch == item.batch))
    connection.execute(
        insert(biases).values(
            dataset=dataset,
            batch=item.batch,
            rows=item.bias.rows,
            joined=item.joined,
            n=item.bias.n,
            predictions=item.bias.predictions,
            labels=item.bias.labels,
            joined_at=item.joined_at,
        )
    )


def load(connection: Connection, dataset: str) -> dict[str, Labelled]:
    """What is known of all batches of a dataset, by batch id."""
    return {
        row.batch: Labelled(row.batch, Bias(row.rows, row.n, row.predictions, row.labels), row.joined, row.joined_at)
        for row in connection.execute(select(biases).where(biases.c.dataset == dataset).order_by(biases.c.batch))
    }
