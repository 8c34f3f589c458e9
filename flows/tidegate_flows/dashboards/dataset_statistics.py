"""How a dataset's batches differ from the reference, how much is missing, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate_flows.dashboards.colours import NEUTRAL, NOTICE
from tidegate_flows.dashboards.expression import DATASET as ONE
from tidegate_flows.dashboards.expression import worded
from tidegate_flows.dashboards.face import PLAIN, RATIO, Face, Panel
from tidegate_flows.dashboards.panels import grid, lines
from tidegate_flows.dashboards.question import Question
from tidegate_flows.dashboards.table import Column, table

_NONE = "No reference yet: nothing is compared"
_COLUMN = "{{column}}"


def drift() -> Sequence[Panel]:
    """Drift and volume."""
    heat = Face(
        "Drift by column",
        "A row a column, a cell six hours or more: the largest score over its threshold, of all slices and statistics. "
        "Blue is well, orange is from 0.8 on, vermilion is above 1 and alarms. One row turning: that column. All rows "
        "from one day on: another source, or a new season.",
        _NONE,
        "none",
        RATIO,
        width=24,
        height=10,
        decimals=2,
        interval="6h",
    )
    ratios = Face(
        "Drift by column, score over threshold",
        "The same as lines. Above the dashed line at 1 it alarms. Slowly climbing: build a new reference in time.",
        _NONE,
        "none",
        RATIO,
        12,
        decimals=2,
        low=0,
    )
    by_column = grid(heat, Question(worded(ONE.highest("drift_score_ratio", "column"), "column"), _COLUMN))
    return [
        by_column,
        lines(ratios, Question(worded(ONE.highest("drift_score_ratio", "column"), "column"), _COLUMN), limit=True),
        _scores(),
        *_slow_and_thin(),
        *_volume(),
    ]


def _scores() -> Panel:
    face = Face(
        "Scores of the last batch",
        "Each statistic of each column and slice, the worst first. The score is in the statistic's own unit; the ratio "
        "is what alarms above 1. The batch's report tells more.",
        _NONE,
        width=12,
    )
    by = "column, slice, statistic"
    return table(
        face,
        Column("Column", "column"),
        Column("Slice", "slice"),
        Column("Statistic", "statistic"),
        Column(
            "Score over threshold",
            worded(ONE.once("drift_score_ratio", by), "column", "slice"),
            "none",
            RATIO,
            decimals=2,
        ),
        Column("Score", worded(ONE.once("drift_score", by), "column", "slice"), "none", decimals=3),
        sort="Score over threshold",
        descending=True,
    )


def _slow_and_thin() -> Sequence[Panel]:
    slow = Face(
        "Slow drift by column",
        "What adds up over batches that each look well, over its threshold. Above 1, the dashed line, it alarms: "
        "somebody or something moves the data a little each day.",
        _NONE,
        "none",
        RATIO,
        12,
        decimals=2,
        low=0,
    )
    thin = Face(
        "Too little data to compare",
        "Columns of which a batch had too few values. That is neither a pass nor an alarm: drift there would not be "
        "seen. For days on: gate larger batches, or declare fewer slices.",
        "Every column had enough",
        "none",
        ((None, NEUTRAL), (1, NOTICE)),
        12,
        decimals=0,
        interval="6h",
        words={1: "too little"},
    )
    return [
        lines(slow, Question(worded(ONE.highest("stream_score_ratio", "column"), "column"), _COLUMN), limit=True),
        grid(thin, Question(worded(ONE.highest("insufficient_evidence", "column"), "column"), _COLUMN)),
    ]


def _volume() -> Sequence[Panel]:
    missing = Face(
        "Missing values by column",
        "The share of missing values of each batch. A step: a source stopped sending, or a join fails.",
        "No batch yet",
        "percentunit",
        width=12,
        low=0,
    )
    rows = Face(
        "Rows of each batch",
        "How large batches are. Half of the usual: a part did not come. Twice: it came twice.",
        "No batch yet",
        steps=PLAIN,
        width=12,
        low=0,
        colours={"rows": "#0072B2"},
    )
    return [
        lines(missing, Question(worded(ONE.highest("missing_ratio", "column"), "column"), _COLUMN)),
        lines(rows, Question(ONE.last("batch_rows"), "rows")),
    ]
