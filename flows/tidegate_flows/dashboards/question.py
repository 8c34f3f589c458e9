"""A question: what a panel asks, and what the answer is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True, slots=True)
class Question:
    """One query.

    Attributes:
        expr: PromQL.
        legend: What each series is called.
        kind: Over the time that is shown, or once at its end as a number or as the rows of a table.
        name: Tells the queries of a panel apart; in tables, the column is ``Value #NAME``.
    """

    expr: str
    legend: str = ""
    kind: Literal["range", "number", "table"] = "range"
    name: str = "A"

    def query(self) -> Dataquery:
        """As Grafana's."""
        shape = PromQueryFormat.TABLE if self.kind == "table" else PromQueryFormat.TIME_SERIES
        found = Dataquery().datasource(SOURCE).ref_id(self.name).expr(self.expr).format(shape)
        found = found.legend_format(self.legend or "__auto")
        return found.range() if self.kind == "range" else found.instant()
