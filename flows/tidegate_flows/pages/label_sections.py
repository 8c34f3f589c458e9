"""The sections of the page of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_flows.pages.interval_plot import Line, interval_plot
from tidegate_flows.pages.label_tables import (
    biases_table,
    calibration_table,
    findings_list,
    months_table,
    skill_table,
)
from tidegate_flows.pages.label_view import OutcomeView, column_of
from tidegate_flows.pages.markup import NAME_MAXIMUM, Figures, figure, number, said
from tidegate_flows.pages.month_plot import month_plot
from tidegate_flows.pages.reliability_plot import reliability_plot
from tidegate_monitors.bias_by_month import MonthBias

MONTHS_MAXIMUM = 36
_LINES_MAXIMUM = 60
_HOLLOW = "hollow dots rest on fewer than 14 batches"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the section of one outcome is made of.

    Attributes:
        view: The outcome.
        months: Its biases over time.
        edges: The inner edges of the buckets.
        batches: How many were judged.
        contract: What was promised.
        figures: How numbers are written.
        bounded: Whether predictions and labels lie in [0, 1].
    """

    view: OutcomeView
    months: Sequence[MonthBias]
    edges: Sequence[float]
    batches: int
    contract: Contract
    figures: Figures
    bounded: bool


def findings_section(findings: Sequence[Mapping[str, Any]]) -> str:
    """What asks for attention."""
    if not findings:
        return ""
    return f'<section aria-labelledby="findings"><h2 id="findings">Findings</h2>{findings_list(findings)}</section>'


def outcome_section(drawn: Drawn, name: str) -> str:
    """The plots, the table and the calibration of one outcome."""
    view = drawn.view
    title = f"Class {said(view.name, NAME_MAXIMUM)} against the rest" if view.name else "Prediction and label"
    plots = "".join([*_by_prediction(drawn, name), _over_time(drawn, name), *_by_slice(drawn, name)])
    left = f'<p class="note">{view.left_out} slices with fewer rows are left out.</p>' if view.left_out else ""
    months = months_table(drawn.months[-MONTHS_MAXIMUM:], drawn.figures) if drawn.months else ""
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2><div class="plots">{plots}</div></section>'
        f'<section aria-labelledby="{name}-n"><h2 id="{name}-n">In numbers</h2>'
        f"{biases_table(view, drawn.edges, drawn.batches, drawn.figures)}{left}{months}"
        f"{calibration_table(view)}</section>"
    )


def skill_section(skill: Mapping[str, Any] | None) -> str:
    """What the model is good for."""
    return (
        ""
        if skill is None
        else f'<section aria-labelledby="skill"><h2 id="skill">Skill</h2>{skill_table(skill)}</section>'
    )


def estimate_section(estimate: Mapping[str, Any] | None) -> str:
    """What is to be expected of rows without a label."""
    if estimate is None or not estimate["rows"]:
        return ""
    told = f"{estimate['rows']:,} rows wait for their label; "
    if estimate["why_not"]:
        told += f"nothing is said of them: {estimate['why_not']}."
    else:
        low, high = estimate["accuracy"]
        told += (
            f"as far as predictions are calibrated for them, a mean label of {number(estimate['mean_label'])} is to be "
            f"expected, an accuracy between {number(low)} and {number(high)}, and a Brier score of "
            f"{number(estimate['brier'])}."
        )
    return f'<section aria-labelledby="waiting"><h2 id="waiting">Rows without a label</h2><p>{said(told)}</p></section>'


def _by_prediction(drawn: Drawn, name: str) -> list[str]:
    view, figures, tolerance = drawn.view, drawn.figures, drawn.contract.bias_tolerance
    if not view.buckets:
        return ['<p class="note">There are no buckets: no reference with predictions is in force.</p>']
    reliable = reliability_plot(
        f"{name}-reliable", "Reliability: mean label by mean prediction", view.buckets, figures, bounded=drawn.bounded
    )
    lines = [Line(_range(bias.bucket or 0, drawn.edges), bias) for bias in view.buckets]
    by_bucket = interval_plot(
        f"{name}-buckets", "Bias by bucket of predictions", lines, tolerance, figures, tells="buckets of predictions"
    )
    return [
        _plot(
            "Reliability",
            reliable,
            "By bucket of predictions: what came true over what was predicted, with 95 % intervals. On the dashed line "
            "predictions are right; below it too high. Bars: rows.",
        ),
        _plot(
            "Bias by prediction",
            by_bucket,
            f"Lines are 95 % intervals, the band is the tolerance of ±{tolerance:g}; {_HOLLOW}, arrows go on "
            "beyond the picture. What alarms, as the findings tell, is set off by colour and bold figures.",
        ),
    ]


def _by_slice(drawn: Drawn, name: str) -> list[str]:
    found = []
    for index, (column, biases) in enumerate(drawn.view.slices.items()):
        lines = [Line(column_of(bias)[1], bias) for bias in biases[:_LINES_MAXIMUM]]
        plot = interval_plot(
            f"{name}-slice{index}",
            f"Bias by {column}",
            lines,
            drawn.contract.bias_tolerance,
            drawn.figures,
            tells=f"slices by {column}",
        )
        found.append(_plot(f"Bias by {said(column, NAME_MAXIMUM)}", plot, "Likewise, from the highest to the lowest."))
    return found


def _over_time(drawn: Drawn, name: str) -> str:
    months = drawn.months[-MONTHS_MAXIMUM:]
    if not months:
        return ""
    plot = month_plot(f"{name}-months", "Bias by month", months, drawn.contract.bias_tolerance, drawn.figures)
    zone = drawn.contract.zone.key
    return _plot("Bias over time", plot, f"All batches with complete labels, by calendar month in {zone}; {_HOLLOW}.")


def _plot(title: str, drawing: str, caption: str) -> str:
    return f"<div><h3>{title}</h3>{figure(drawing, said(caption))}</div>"


def _range(bucket: int, edges: Sequence[float]) -> str:
    if bucket == 0:
        return f"≤ {edges[0]:.3g}"
    return f"> {edges[-1]:.3g}" if bucket == len(edges) else f"{edges[bucket - 1]:.3g} – {edges[bucket]:.3g}"
