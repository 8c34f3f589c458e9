"""The tables of the page of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate_flows.pages.label_view import OutcomeView, alarms
from tidegate_flows.pages.markup import NAME_MAXIMUM, Figures, exact, number, said, table
from tidegate_monitors.bias import Bias
from tidegate_monitors.bias_by_month import MonthBias
from tidegate_monitors.bias_cells import Key
from tidegate_monitors.bias_findings import describe

_HEADS = ("bias", "95 % interval", "rows", "prediction", "label", "shrunk", "detectable", "evidence")
_CALIBRATION = {
    "ece": ("calibration error", "mean distance of prediction and label over the buckets; 0 is right"),
    "slope": ("slope", "1 is right; below 1 predictions are too extreme"),
    "intercept": ("intercept", "0 is right"),
    "brier": ("Brier score", "mean squared difference of prediction and label"),
    "reliability": ("reliability", "the part of it that calibration would save; 0 is right"),
    "resolution": ("resolution", "how far buckets come out differently; the greater the better"),
    "uncertainty": ("uncertainty", "what always saying the base rate would score"),
    "within": ("within buckets", "the rest, from what happens within buckets"),
}
_SKILL = {
    "n": ("rows", "with a label"),
    "threshold": ("threshold", "the prediction from which a case is called"),
    "base_rate": ("base rate", "the share of positives"),
    "accuracy": ("accuracy", "the share of rows rightly called"),
    "majority": ("majority", "the accuracy of always naming the commonest class"),
    "brier_skill": ("Brier skill", "against always saying the base rate; at most 1, and 0 is no skill"),
    "true_positives": ("true positives", "positives called"),
    "false_positives": ("false positives", "negatives called"),
    "false_negatives": ("false negatives", "positives not called"),
    "true_negatives": ("true negatives", "negatives not called"),
    "precision": ("precision", "the share of calls that came true"),
    "recall": ("recall", "the share of positives called"),
    "f1": ("F1", "the harmonic mean of precision and recall"),
    "roc_auc": ("ROC AUC", "the chance that a positive has a greater prediction than a negative"),
    "mae": ("mean absolute error", "in the label's unit"),
    "rmse": ("root mean squared error", "in the label's unit"),
    "mean_error": ("mean error", "mean prediction − mean label"),
    "r2": ("R²", "1 − squared error ÷ variance of labels; at most 1"),
}


def biases_table(view: OutcomeView, edges: Sequence[float], batches: int, figures: Figures) -> str:
    """All rows, buckets, slices, and the buckets of slices that alarm."""
    slices = [bias for mine in view.slices.values() for bias in mine]
    rows = [
        [_named(describe(Key(bias.slice, bias.bucket), edges), bias), *_numbers(bias, figures)]
        for bias in (view.overall, *view.buckets, *slices, *view.crossed)
    ]
    whose = f" of class {said(view.name, NAME_MAXIMUM)}" if view.name else ""
    return table(f"Prediction bias{whose} over {batches} batches", ("of which rows", *_HEADS), rows, kind="numbers")


def months_table(months: Sequence[MonthBias], figures: Figures) -> str:
    """All rows by calendar month."""
    rows = [
        [f"{item.month:%Y-%m}", f"{item.batches}", *_numbers(item.overall, figures, judged=False)] for item in months
    ]
    return table("Prediction bias by month", ("month", "batches", *_HEADS[:5], _HEADS[-1]), rows, kind="numbers")


def calibration_table(view: OutcomeView) -> str:
    """How predictions lie to labels."""
    return _meanings("Calibration", _CALIBRATION, view.calibration)


def skill_table(skill: Mapping[str, Any]) -> str:
    """What the model is good for."""
    return _meanings("Skill over the same batches", _SKILL, skill)


def findings_list(findings: Sequence[Mapping[str, Any]]) -> str:
    """What asks for attention, the worst first."""
    items = [
        f'<li><span class="badge {said(finding["severity"])}">{said(finding["severity"])}</span> '
        f"<strong>{said(finding['check'], NAME_MAXIMUM)}</strong>: {said(finding['message'])}</li>"
        for finding in findings
    ]
    return f'<ol class="findings">{"".join(items)}</ol>'


def _named(name: str, bias: Bias) -> str:
    mark = ' <span class="badge warning">alarm</span>' if alarms(bias) else ""
    return said(name, NAME_MAXIMUM) + mark


def _numbers(bias: Bias, figures: Figures, *, judged: bool = True) -> list[str]:
    more = [exact(bias.shrunk, figures.bias(bias.shrunk)), number(bias.minimum_detectable, 2)] if judged else []
    return [
        exact(bias.bias, figures.bias(bias.bias)),
        figures.span(bias.low, bias.high),
        f"{bias.n:,}",
        exact(bias.mean_prediction, figures.mean(bias.mean_prediction)),
        exact(bias.mean_label, figures.mean(bias.mean_label)),
        *more,
        bias.evidence.value,
    ]


def _meanings(caption: str, names: Mapping[str, tuple[str, str]], values: Mapping[str, Any]) -> str:
    rows = [
        [name, exact(values[key], number(values[key], 4)), meaning]
        for key, (name, meaning) in names.items()
        if key in values
    ]
    return table(caption, ("measure", "value", "what it is"), rows, kind="worded")
