"""The reliability diagram: what was predicted, and what came true, by bucket of predictions."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate_flows.pages.axis import Axis
from tidegate_flows.pages.drawing import box, dot, drawing, group, line, words
from tidegate_flows.pages.interval_plot import look, told
from tidegate_flows.pages.markup import Figures
from tidegate_monitors.bias import Bias

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM, _ROWS = 420, 48, 408, 12, 300, 46
_BAR = 7


def reliability_plot(name: str, title: str, buckets: Sequence[Bias], figures: Figures, *, bounded: bool) -> str:
    """The drawing of at least one bucket.

    The interval of a bucket's mean label is that of its bias, laid around its mean prediction.

    Args:
        name: Of the drawing, unique on its page.
        title: What it is.
        buckets: From below.
        figures: How numbers are written.
        bounded: Whether predictions and labels lie in [0, 1].
    """
    values = [0.0] if bounded else []
    for bias in buckets:
        values += [bias.mean_prediction, bias.mean_label, *(_reach(bias) or ())]
    values = [min(max(value, 0.0), 1.0) for value in values] if bounded else values
    x, y = Axis.over(values, _LEFT, _RIGHT), Axis.over(values, _BOTTOM, _TOP)
    body = []
    for value, text in y.ticks:
        body.append(line(_LEFT, y.at(value), _RIGHT, y.at(value), "grid"))
        body.append(words(_LEFT - 8, y.at(value) + 4, text, "name tick"))
        body.append(line(x.at(value), _TOP, x.at(value), _BOTTOM, "grid"))
        body.append(words(x.at(value), _BOTTOM + _ROWS + 27, text, "tick"))
    body.append(line(x.at(x.low), y.at(y.low), x.at(x.high), y.at(y.high), "ideal"))
    body.append(words(_RIGHT - 74, _TOP + 16, "as predicted", "tick end"))
    body.append(words(_LEFT + 6, _TOP + 16, "mean label ↑", "tick start"))
    body.append(words(_RIGHT, _BOTTOM + _ROWS + 43, "mean prediction →", "tick end"))
    floor, most = _BOTTOM + _ROWS + 10, max(bias.n for bias in buckets)
    body += [line(_LEFT, floor, _RIGHT, floor, "zero"), words(_LEFT + 6, _BOTTOM + 20, "rows", "tick start")]
    for bias in buckets:
        body.append(_bucket(bias, x, y, figures, (floor, most)))
    description = (
        f"{len(buckets)} buckets; the lowest predicts {figures.mean(buckets[0].mean_prediction)} where "
        f"{figures.mean(buckets[0].mean_label)} came true, "
        f"the highest {figures.mean(buckets[-1].mean_prediction)} where {figures.mean(buckets[-1].mean_label)} did."
    )
    return drawing(name, _WIDTH, _BOTTOM + _ROWS + 52, title, description, body)


def _bucket(bias: Bias, x: Axis, y: Axis, figures: Figures, bar: tuple[float, int]) -> str:
    here, body, reach = x.at(bias.mean_prediction), [], _reach(bias)
    if reach is not None:
        body.append(line(here, y.at(reach[0]), here, y.at(reach[1]), "reach"))
    body.append(dot(here, y.at(bias.mean_label), "dot"))
    tall = max(1.0, _ROWS * 0.8 * bias.n / bar[1])
    body.append(box(here - _BAR / 2, bar[0] - tall, _BAR, tall, "bar"))
    return group(told(f"bucket {bias.bucket}", bias, figures), body, look(bias))


def _reach(bias: Bias) -> tuple[float, float] | None:
    """The interval of the mean label."""
    if bias.low is None or bias.high is None:
        return None
    return bias.mean_prediction - bias.high, bias.mean_prediction - bias.low
