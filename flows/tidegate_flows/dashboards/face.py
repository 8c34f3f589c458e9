"""What all panels have: a title, words, a unit, thresholds, and what is written where nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as Timeline
from grafana_foundation_sdk.builders.statushistory import Panel as Grid
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Chart
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from tidegate_flows.dashboards.colours import BAD, GOOD, NEUTRAL, NOTICE, STATES
from tidegate_flows.dashboards.question import SOURCE, Question

Panel = Stat | Timeline | Grid | Table | Chart
P = TypeVar("P", Stat, Timeline, Grid, Table, Chart)
Steps = Sequence[tuple[float | None, str]]

PLAIN: Steps = ((None, NEUTRAL),)
NONE_IS_GOOD: Steps = ((None, GOOD), (1, BAD))
NONE_IS_BEST: Steps = ((None, GOOD), (1, NOTICE))
RATIO: Steps = ((None, GOOD), (0.8, NOTICE), (1, BAD))
"""Score over threshold: above 1 it alarms."""
LIMIT: Steps = ((None, GOOD), (1, BAD))
STATE: Steps = ((None, STATES["closed"]), (1, STATES["half_open"]), (2, STATES["open"]))
STATE_WORDS = {0: "closed", 1: "half open", 2: "open"}


@dataclass(frozen=True, slots=True)
class Face:
    """What a panel looks like.

    Attributes:
        title: Its title.
        text: What it shows, and when to act.
        none: What is written where there is no data.
        unit: Grafana's name of the unit.
        steps: From which value on which colour; the first has none.
        width: Of 24.
        height: In Grafana's units.
        decimals: How many are shown; None for as many as fit.
        words: What numbers are called.
        colours: By the series' name.
        interval: The least time between two points.
        low: Where the axis begins; None for where the data does.
        high: Where it ends.
    """

    title: str
    text: str
    none: str
    unit: str = "short"
    steps: Steps = PLAIN
    width: int = 8
    height: int = 8
    decimals: int | None = None
    words: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    colours: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    interval: str = "10m"
    low: float | None = None
    high: float | None = None

    def on(self, panel: P, questions: Sequence[Question]) -> P:
        """Put it on a panel, with its queries."""
        panel.title(self.title).description(self.text).datasource(SOURCE).no_value(self.none)
        panel.unit(self.unit).thresholds(thresholds(self.steps)).color_scheme(colour(FieldColorModeId.THRESHOLDS))
        panel.height(self.height).span(self.width).interval(self.interval)
        panel.mappings(mappings(self.words, self.steps))
        for question in questions:
            panel.with_target(question.query())
        if self.decimals is not None:
            panel.decimals(self.decimals)
        if self.low is not None:
            panel.min(self.low)
        if self.high is not None:
            panel.max(self.high)
        for name, shade in self.colours.items():
            panel.override_by_name(name, [fixed(shade)])
        return panel


def thresholds(steps: Steps) -> ThresholdsConfig:
    """Thresholds in the unit of the values."""
    found = [Threshold(value=least, color=shade) for least, shade in steps]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found)


def colour(mode: FieldColorModeId) -> FieldColor:
    """Where colours come from."""
    return FieldColor().mode(mode)


def fixed(shade: str) -> DynamicConfigValue:
    """One colour, whatever the value."""
    return DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": shade})


def mappings(words: Mapping[int, str], steps: Steps) -> list[ValueMapping]:
    """What numbers are called, each in the colour of its threshold."""
    if not words:
        return []
    options: dict[str, ValueMappingResult] = {}
    for number, word in words.items():
        shade = next(shade for least, shade in reversed(steps) if least is None or number >= least)
        options[str(number)] = ValueMappingResult(text=word, color=shade, index=len(options))
    return [ValueMap(options)]
