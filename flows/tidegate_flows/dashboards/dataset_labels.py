"""What labels say of a dataset's predictions, once they come."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders.timeseries import Panel as Chart
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from tidegate_flows.dashboards.colours import OUTCOMES
from tidegate_flows.dashboards.expression import DATASET as ONE
from tidegate_flows.dashboards.expression import worded
from tidegate_flows.dashboards.face import RATIO, Face, Panel
from tidegate_flows.dashboards.panels import bars, lines
from tidegate_flows.dashboards.question import Question
from tidegate_flows.dashboards.table import Column, table

_NONE = "No labels yet"
_WHOLE = 'slice="",bucket=""'
_BUCKETS = 'slice="",bucket!=""'
_SLICES = 'slice!="",bucket=""'


def labels() -> Sequence[Panel]:
    """Predictions and labels."""
    ratio = Face(
        "Prediction bias, score over threshold",
        "The bias as a whole and the worst of buckets and slices, over what alarms. Above 1, the dashed line, it "
        "alarms: see below which, and hold the model back or calibrate it again.",
        _NONE,
        "none",
        RATIO,
        12,
        decimals=2,
        low=0,
    )
    worst = [
        ("the worst of all", ""),
        ("as a whole", _WHOLE),
        ("the worst bucket", _BUCKETS),
        ("the worst slice", _SLICES),
    ]
    asked = [
        Question(ONE.highest("prediction_bias_score_ratio", more=more), legend, name="ABCD"[place])
        for place, (legend, more) in enumerate(worst)
    ]
    return [lines(ratio, *asked, limit=True), _biases(), *_by(), *_quality()]


def _biases() -> Panel:
    face = Face(
        "Bias of each slice and bucket",
        "Of the batches judged last: mean prediction less mean label, and its score over what alarms. Without a ratio "
        "there were too few labels to judge.",
        _NONE,
        width=12,
    )
    by = "slice, bucket"
    return table(
        face,
        Column("Slice", "slice"),
        Column("Bucket", "bucket"),
        Column(
            "Score over threshold",
            worded(ONE.once("prediction_bias_score_ratio", by), "slice", "bucket"),
            "none",
            RATIO,
            decimals=2,
        ),
        Column("Bias", worded(ONE.once("prediction_bias", by), "slice", "bucket"), "none", decimals=4),
        sort="Score over threshold",
        descending=True,
    )


def _by() -> Sequence[Panel]:
    def bias(title: str, text: str) -> Face:
        return Face(
            title, f"{text} Above 0 predictions are too high, below 0 too low.", _NONE, "none", width=12, decimals=3
        )

    return [
        lines(
            bias(
                "Bias by bucket of predictions", "Mean prediction less mean label where predictions are small, … large."
            ),
            Question(ONE.last("prediction_bias", "bucket", _BUCKETS), "{{bucket}}"),
            Question(ONE.last("prediction_bias", more=_WHOLE), "as a whole", name="B"),
        ),
        lines(
            bias("Bias by slice", "Mean prediction less mean label of each named part of the rows."),
            Question(ONE.last("prediction_bias", "slice", _SLICES), "{{slice}}"),
            Question(ONE.last("prediction_bias", more=_WHOLE), "as a whole", name="B"),
        ),
    ]


def _quality() -> Sequence[Panel]:
    calibration = Face(
        "Calibration error",
        "How far predictions are from what happens at each level, on average. A step up after a new model: its "
        "probabilities are not what they say.",
        _NONE,
        "none",
        decimals=3,
        low=0,
        colours={"calibration error": "#0072B2"},
    )
    settled = Face(
        "Labels settled",
        "The share of rows whose labels can no longer change, in the batches that labels named last. Low: too early to "
        "judge, or labels stopped coming.",
        _NONE,
        "percentunit",
        low=0,
        high=1,
        colours={"settled": "#0072B2"},
    )
    rows = Face(
        "Rows of labels by day",
        "What became of each row of the labels' deliveries; points are some of the matched. Many unknown: their keys "
        "are not the batches'. Reversed or conflicting: ask the labels' source.",
        "No labels in this time",
        decimals=0,
        low=0,
        colours=OUTCOMES,
    )
    return [
        lines(calibration, Question(ONE.last("calibration_error"), "calibration error")),
        lines(settled, Question(ONE.last("label_maturity_ratio"), "settled")),
        _beside(bars(rows, Question(f"{ONE.growth('label_rows_total', 'outcome')} > 0", "{{outcome}}"))),
    ]


def _beside(panel: Chart) -> Chart:
    """With what is some of the matched rows drawn as points, and not piled on them."""
    for outcome in ("reversed", "early"):
        points = {
            "custom.drawStyle": "points",
            "custom.pointSize": 9,
            "custom.stacking": {"mode": "none", "group": "A"},
        }
        shown = {**points, "custom.showPoints": "always"}
        panel.override_by_name(outcome, [DynamicConfigValue(id_val=key, value=value) for key, value in shown.items()])
    return panel
