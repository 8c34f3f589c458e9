"""The JSON of ``labels`` as a page looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate_monitors.bias import Bias
from tidegate_monitors.bias_interval import Evidence
from tidegate_monitors.cohort import WHOLE

OUTCOMES_MAXIMUM = 6
"""Classes that have plots and a table of their own."""
SLICES_MAXIMUM = 120
"""Slices on a page, of all classes together."""


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """One outcome: the label itself, or one of several classes against the rest.

    Attributes:
        name: The class; ``""`` for a number and for two classes.
        overall: The bias of all rows.
        buckets: From the lowest; empty without a reference.
        slices: By slicing column, the largest bias first, those with most rows where there are too many.
        crossed: Buckets of slices that alarm.
        left_out: How many slices have no place here.
        calibration: As the JSON has it.
    """

    name: str
    overall: Bias
    buckets: tuple[Bias, ...]
    slices: Mapping[str, tuple[Bias, ...]]
    crossed: tuple[Bias, ...]
    left_out: int
    calibration: Mapping[str, Any]


def outcomes_of(document: Mapping[str, Any]) -> tuple[OutcomeView, ...]:
    """The outcomes of a judgement, those with the largest bias first; none while labels are immature."""
    found: dict[str, list[Bias]] = {}
    for item in document["biases"]:
        found.setdefault(item["class"] or WHOLE, []).append(_bias(item))
    order = sorted(found, key=lambda name: -abs(found[name][0].bias))[:OUTCOMES_MAXIMUM]
    room = SLICES_MAXIMUM // max(1, len(order))
    told = document["calibration"] or {}
    return tuple(_outcome(name, found[name], told if name == WHOLE else told[name], room) for name in order)


def _outcome(name: str, biases: list[Bias], calibration: Mapping[str, Any], room: int) -> OutcomeView:
    margins = [bias for bias in biases if bias.slice is not None and bias.bucket is None]
    alarming = {id(bias) for bias in margins if alarms(bias)}
    kept = sorted(margins, key=lambda bias: (id(bias) not in alarming, -bias.n))[:room]
    slices: dict[str, list[Bias]] = {}
    for bias in sorted(kept, key=lambda bias: -bias.bias):
        slices.setdefault(column_of(bias)[0], []).append(bias)
    crossed = [bias for bias in biases if bias.slice is not None and bias.bucket is not None and alarms(bias)]
    return OutcomeView(
        name,
        biases[0],
        tuple(bias for bias in biases if bias.slice is None and bias.bucket is not None),
        {column: tuple(mine) for column, mine in sorted(slices.items())},
        tuple(sorted(crossed, key=lambda bias: -(bias.score_ratio or 0.0))[:room]),
        len(margins) - len(kept),
        calibration,
    )


def alarms(bias: Bias) -> bool:
    """Whether it is off by more than is allowed, and not by chance."""
    return bias.score_ratio is not None and bias.score_ratio > 1


def column_of(bias: Bias) -> tuple[str, str]:
    """The slicing column and the value of a slice."""
    column, _, value = (bias.slice or "").partition("=")
    return column, value


def _bias(item: Mapping[str, Any]) -> Bias:
    return Bias(
        slice=item["slice"],
        bucket=item["bucket"],
        outcome=item["class"],
        mean_prediction=item["mean_prediction"],
        mean_label=item["mean_label"],
        bias=item["bias"],
        shrunk=item["shrunk"],
        low=item["low"],
        high=item["high"],
        n=item["n"],
        evidence=Evidence(item["evidence"]),
        minimum_detectable=item["minimum_detectable"],
        score_ratio=item["score_ratio"],
    )
