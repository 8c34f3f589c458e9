"""The judgement in a line of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tidegate_flows.pages.label_view import OutcomeView
from tidegate_flows.pages.markup import Figures
from tidegate_monitors.bias import Bias
from tidegate_monitors.bias_interval import Evidence

_RANKS = ("critical", "warning")


def headline(document: Mapping[str, Any], outcomes: Sequence[OutcomeView], tolerance: float, figures: Figures) -> str:
    """What labels say of the model, and how many findings there are; plain text."""
    return f"{_judged(document, outcomes, tolerance, figures)} {_found(document)}"


def severity_of(document: Mapping[str, Any]) -> str:
    """The worst severity of the findings that matter; ``sound`` without any, ``unknown`` if nothing was judged."""
    if not document["batches"]:
        return "unknown"
    found = {finding["severity"] for finding in document["findings"]}
    return next((rank for rank in _RANKS if rank in found), "sound")


def _judged(document: Mapping[str, Any], outcomes: Sequence[OutcomeView], tolerance: float, figures: Figures) -> str:
    if not outcomes:
        told = document["maturity"]
        return (
            f"Nothing is judged yet: {told['share']:.1%} of the rows are settled, and a batch is judged from "
            f"{told['expected']:.1%} on."
        )
    worst, batches = outcomes[0], len(document["batches"])
    whose = (
        f"Of {len(outcomes)} classes {worst.name!r} is the farthest off: predictions" if worst.name else "Predictions"
    )
    many = f"{batches} batch{'es' if batches != 1 else ''}"
    return f"{whose} {_overall(worst.overall, many, tolerance, figures)}"


def _overall(bias: Bias, many: str, tolerance: float, figures: Figures) -> str:
    side = "above" if bias.bias > 0 else "below"
    off = f"are on average {figures.mean(abs(bias.bias))} {side} what came true"
    allowed = f"the tolerance of {tolerance:g}"
    if bias.low is None or bias.high is None or bias.evidence is Evidence.INSUFFICIENT:
        return f"{off}; {many} are too few to tell this from what batches do by themselves."
    reach = f"95 % from {figures.span(bias.low, bias.high)}"
    if bias.low > tolerance or bias.high < -tolerance:
        return f"{off}, more than {allowed} ({reach}, {many})."
    if -tolerance <= bias.low and bias.high <= tolerance:
        return f"are right on average, within {allowed}: off by {figures.bias(bias.bias)} ({reach}, {many})."
    return f"{off}; {many} leave open whether that is more than {allowed} ({reach})."


def _found(document: Mapping[str, Any]) -> str:
    loud = [finding for finding in document["findings"] if finding["severity"] in _RANKS]
    if not loud and not document["batches"]:
        return "Nothing can be said of the model."
    if not loud:
        return "No finding asks for anybody's attention."
    counts = Counter(finding["severity"] for finding in loud)
    many = " and ".join(
        f"{counts[rank]} {rank}{'' if rank == 'critical' or counts[rank] == 1 else 's'}"
        for rank in _RANKS
        if counts[rank]
    )
    checks = Counter(finding["check"] for finding in loud)
    which = ", ".join(check if times == 1 else f"{check} ({times})" for check, times in checks.items())
    return f"{many[0].upper()}{many[1:]}: {which}."
