"""A dashboard as the JSON that Grafana reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from tidegate_flows.dashboards.expression import Scope
from tidegate_flows.dashboards.face import Panel
from tidegate_flows.dashboards.question import SOURCE

_LABEL_VALUES = 1
_STEP = "10m"
_OF_INTERVALS = ("auto", "auto_min", "auto_count")
"""Fields of another kind of variable, which the SDK writes for all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A row of panels under a heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Document:
    """A dashboard.

    Attributes:
        uid: What links name; it never changes.
        title: Its title.
        text: What it is for.
        scope: Whose series it shows.
        parts: Its rows.
    """

    uid: str
    title: str
    text: str
    scope: Scope
    parts: Sequence[Part]

    def json(self) -> str:
        """The file."""
        found = json.loads(json.dumps(self._built().build(), cls=JSONEncoder))
        for number, panel in enumerate(found["panels"], start=1):
            panel["id"] = number
        for variable in found["templating"]["list"]:
            for field in _OF_INTERVALS:
                variable.pop(field, None)
        found["annotations"] = {"list": _marks(self.scope)}
        return json.dumps(found, indent=2, ensure_ascii=False) + "\n"

    def _built(self) -> Dashboard:
        found = Dashboard(self.title).uid(self.uid).description(self.text).tags(["tidegate"]).editable()
        found.time("now-30d", "now").refresh("1m").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR)
        found.variables([DatasourceVariable("datasource").label("Prometheus").type("prometheus"), *_chosen(self.scope)])
        link = DashboardLink("tidegate").type(DashboardLinkType.DASHBOARDS).tags(["tidegate"])
        found.link(link.keep_time(True).tooltip("The other dashboards of tidegate"))
        for part in self.parts:
            found.with_row(Row(part.title))
            for panel in part.panels:
                found.with_panel(panel)
        return found


def _chosen(scope: Scope) -> list[QueryVariable]:
    """What is chosen at the top: all ledgers or some; or one, and one of its datasets."""
    ledger = _variable("job", "Ledger", "tidegate_ledger_up")
    if not scope.dataset:
        whole = VariableOption(selected=True, text="All", value="$__all")
        return [ledger.multi(True).include_all(True).all_value(".+").current(whole)]
    return [ledger, _variable("dataset", "Dataset", f"tidegate_breaker_state{{{scope.job}}}")]


def _variable(name: str, label: str, series: str) -> QueryVariable:
    asked: dict[str, object] = {"qryType": _LABEL_VALUES, "query": f"label_values({series}, {name})", "refId": name}
    found = QueryVariable(name).label(label).datasource(SOURCE).query(asked)
    return found.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)


def _marks(scope: Scope) -> list[dict[str, Any]]:
    """The lines across all charts: changes of the breaker, and overrides. The SDK knows too few of their fields."""
    changed = f"{scope.growth('breaker_transitions_total', 'dataset, to')} > 0"
    overridden = f"{scope.growth('overrides_total', 'dataset')} > 0"
    return [
        _mark("Breaker", changed, "{{dataset}}: breaker {{to}}", "dataset,to", "#CC79A7"),
        _mark("Override", overridden, "{{dataset}}: the breaker was overridden", "dataset", "#E69F00"),
    ]


def _mark(name: str, expr: str, title: str, tags: str, shade: str) -> dict[str, Any]:
    return {
        "name": name,
        "datasource": SOURCE.to_json(),
        "enable": True,
        "hide": False,
        "iconColor": shade,
        "expr": expr,
        "step": _STEP,
        "titleFormat": title,
        "textFormat": "",
        "tagKeys": tags,
        "useValueForTime": False,
    }
