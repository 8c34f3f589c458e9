"""Tables: the answers of several queries side by side, a row for each combination of their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.builders.table import Panel
from grafana_foundation_sdk.models.common import TableCellHeight
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from tidegate_flows.dashboards.face import Face, Steps, mappings, thresholds
from tidegate_flows.dashboards.question import Question


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column.

    Attributes:
        title: Its heading; empty for a column that is not shown.
        source: A label; or PromQL whose labels are among those of the first query.
        unit: Grafana's name of the unit; empty for text.
        steps: The background's colour by value; empty for none.
        words: What numbers are called.
        link: Where a click leads; empty for nowhere.
        width: In pixels; 0 for what is left.
        decimals: How many are shown; None for as many as fit.
    """

    title: str
    source: str
    unit: str = ""
    steps: Steps = ()
    words: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    link: str = ""
    width: int = 0
    decimals: int | None = None

    @property
    def asks(self) -> bool:
        """Whether it is a query's value, and not a label."""
        return not self.source.isidentifier()

    def properties(self) -> list[DynamicConfigValue]:
        """What is so of this column alone."""
        found: dict[str, object] = {"noValue": "–"} if self.asks else {}
        if self.unit:
            found["unit"] = self.unit
        if self.decimals is not None:
            found["decimals"] = self.decimals
        if self.steps:
            found["thresholds"] = thresholds(self.steps).build()
            found["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
        if self.words:
            found["mappings"] = mappings(self.words, self.steps)
        if self.link:
            found["links"] = [{"title": "Open this dataset", "url": self.link, "targetBlank": False}]
        if self.width:
            found["custom.width"] = self.width
        return [DynamicConfigValue(id_val=key, value=value) for key, value in found.items()]


def table(face: Face, *columns: Column, sort: str = "", descending: bool = False) -> Panel:
    """A table of what is so now.

    Args:
        face: What it looks like.
        columns: Its columns, in their order.
        sort: The heading of the column that it is sorted by.
        descending: Whether the largest stands first.
    """
    asked = [column for column in columns if column.asks]
    names = dict(
        zip(asked, (["Value"] if len(asked) == 1 else [f"Value #{_name(n)}" for n in range(len(asked))]), strict=True)
    )
    questions = [Question(column.source, kind="table", name=_name(number)) for number, column in enumerate(asked)]
    panel = replace(face, interval="1m").on(Panel(), questions).cell_height(TableCellHeight.SM).filterable(True)
    if len(asked) > 1:
        panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(_organised({names.get(column, column.source): column.title for column in columns}))
    for column in columns:
        if column.title and (properties := column.properties()):
            panel.override_by_name(column.title, properties)
    return panel.sort_by([TableSortByFieldState().display_name(sort).desc(descending)]) if sort else panel


def _organised(titles: Mapping[str, str]) -> DataTransformerConfig:
    """Shown in this order under these headings; without time, and without what has no heading."""
    return DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": dict.fromkeys(("Time", *(name for name, title in titles.items() if not title)), True),
            "indexByName": {name: place for place, name in enumerate(titles)},
            "renameByName": {name: title for name, title in titles.items() if title and title != name},
        },
    )


def _name(number: int) -> str:
    """A, B, C, …: a query's name."""
    return chr(ord("A") + number)
