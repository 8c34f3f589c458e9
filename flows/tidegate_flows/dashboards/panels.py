"""The kinds of panels that the dashboards are made of."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as Timeline
from grafana_foundation_sdk.builders.statushistory import Panel as Grid
from grafana_foundation_sdk.builders.timeseries import Panel as Chart
from grafana_foundation_sdk.models.common import (
    BarAlignment,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import FieldColorModeId

from tidegate_flows.dashboards.face import LIMIT, Face, colour, thresholds
from tidegate_flows.dashboards.question import Question

DAY = "1d"


def number(face: Face, expr: str) -> Stat:
    """One number now, on the colour of its threshold."""
    panel = face.on(Stat(), [Question(expr, kind="number")])
    panel.color_mode(BigValueColorMode.BACKGROUND_SOLID).graph_mode(BigValueGraphMode.NONE)
    return panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))


def lines(face: Face, *questions: Question, limit: bool = False) -> Chart:
    """Steps, since a value holds until the next batch.

    Args:
        face: What it looks like.
        questions: What is asked.
        limit: Whether a line is drawn at 1, above which it alarms.
    """
    panel = face.on(Chart(), questions).draw_style(GraphDrawStyle.LINE)
    panel.line_interpolation(LineInterpolation.STEP_AFTER).line_width(2).show_points(VisibilityMode.NEVER)
    panel.color_scheme(colour(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    if limit:
        panel.thresholds(thresholds(LIMIT))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return panel.legend(_legend("lastNotNull", "max")).tooltip(_every())


def bars(face: Face, *questions: Question) -> Chart:
    """What happened in each day: the bar stands before the end of its day."""
    panel = face.on(Chart(), questions).draw_style(GraphDrawStyle.BARS).interval(DAY)
    panel.bar_alignment(BarAlignment.BEFORE).bar_width_factor(0.8).fill_opacity(90).line_width(0)
    panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).show_points(VisibilityMode.NEVER)
    panel.color_scheme(colour(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    return panel.legend(_legend("sum")).tooltip(_every())


def timeline(face: Face, *questions: Question) -> Timeline:
    """Which state there was when, a row a series, the state's word in it."""
    panel = face.on(Timeline(), questions).show_value(VisibilityMode.AUTO).merge_values(True)
    panel.row_height(0.8).fill_opacity(90).line_width(0)
    return panel.legend(common.VizLegendOptions().show_legend(False)).tooltip(_one())


def grid(face: Face, *questions: Question) -> Grid:
    """A heat map: a row a series, a cell a stretch of time, its colour by the thresholds."""
    panel = face.on(Grid(), questions).max_data_points(120).show_value(VisibilityMode.NEVER)
    panel.row_height(0.9).col_width(0.95).fill_opacity(90).line_width(0).per_page(25)
    return panel.legend(common.VizLegendOptions().show_legend(False)).tooltip(_one())


def _legend(*calculations: str) -> common.VizLegendOptions:
    found = common.VizLegendOptions().show_legend(True).placement(LegendPlacement.BOTTOM)
    return found.display_mode(LegendDisplayMode.TABLE).calcs([*calculations])


def _every() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)


def _one() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(TooltipDisplayMode.SINGLE)
