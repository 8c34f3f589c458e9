"""What is told of biases: one finding for one cause, in a sentence with numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.bias import Bias
from tidegate_monitors.bias_alarms import Judged
from tidegate_monitors.bias_cells import Family, Key
from tidegate_monitors.bias_stream import SlowBias

_CHECKS = {
    Family.OVERALL: "prediction_bias",
    Family.BUCKET: "bucket_bias",
    Family.SLICE: "slice_bias",
    Family.CROSSED: "slice_bias",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What findings are made of.

    Attributes:
        contract: Gives severities and the tolerance.
        biases: The table.
        edges: Of the buckets.
        outcome: The class concerned; None for a number and for two classes.
        reference: Whether effects are held against those of a reference.
    """

    contract: Contract
    biases: Mapping[Key, Bias]
    edges: Sequence[float]
    outcome: str | None
    reference: bool = False


def bias_findings(told: Told, judged: Sequence[Judged], slow: Sequence[SlowBias]) -> Iterator[Alarm]:
    """The findings, folded.

    A slice or bucket that is off as all rows are, as far as can be told (its shrunk bias is within the tolerance of
    theirs), is folded into these, unless it was proven against the rest of its batches; a bucket of a slice is folded
    into the slice or the bucket. What the stream proves is told where the latest batches alone do not.
    """
    proven = {item.key: item for item in judged if item.alarms}
    lasting = {item.key: item for item in slow if item.alarms and item.key not in proven}
    keys = [*proven, *lasting]
    apart = {key for key, item in (proven | lasting).items() if item.contrasted}
    causes = {key: _cause(key, keys, told, apart) for key in keys}
    found = []
    for key in keys:
        if causes[key] is None:
            alarm = _proven(told, proven[key]) if key in proven else _lasting(told, lasting[key])
            folded = {_CHECKS[other.family] for other in keys if _root(other, causes) == key} - {alarm.check}
            found.append(replace(alarm, folded=tuple(sorted(folded))))
    yield from found
    yield from _masked(told, found)


def _cause(key: Key, keys: Sequence[Key], told: Told, apart: Collection[Key]) -> Key | None:
    """The larger cell whose finding already says it."""
    whole = Key(None, None)
    if key.family is Family.CROSSED:
        return next((other for other in (Key(key.slice, None), Key(None, key.bucket), whole) if other in keys), None)
    if key == whole or whole not in keys or key not in told.biases or key in apart:
        return None
    same = abs(told.biases[key].shrunk - told.biases[whole].shrunk) <= told.contract.bias_tolerance
    return whole if same else None


def _root(key: Key, causes: Mapping[Key, Key | None]) -> Key:
    """The cell whose finding says it in the end."""
    cause = causes[key]
    return key if cause is None else _root(cause, causes)


def _proven(told: Told, item: Judged) -> Alarm:
    over = f"over the last {item.window} batches"
    return _alarm(
        told, item.key, abs(item.effect), f"{_off(told, item, over)} (p = {item.p_value:.1g}){_all(told, item)}"
    )


def _lasting(told: Told, item: SlowBias) -> Alarm:
    over = f"for about {item.batches} batches, since {item.since!r},"
    return _alarm(told, item.key, abs(item.effect), f"{_off(told, item, over)}{_all(told, item)}")


def _off(told: Told, item: Judged | SlowBias, over: str) -> str:
    """How far off a cell is, since when, and from what."""
    beside = " beside the rest of their batches" if item.contrasted else ""
    before = ", less what the reference had" if told.reference else ""
    cell, allowed = describe(item.key, told.edges, told.outcome), told.contract.bias_tolerance
    return f"predictions of {cell} are {item.effect:+.3g} off {over}{beside}{before}; {allowed:g} is allowed"


def _alarm(told: Told, key: Key, score: float, message: str) -> Alarm:
    check = _CHECKS[key.family]
    severity = told.contract.severity_of(check, Severity.WARNING)
    return Alarm(
        check,
        severity,
        message,
        told.contract.prediction,
        slice=key.slice,
        score=score,
        threshold=told.contract.bias_tolerance,
    )


def _all(told: Told, item: Judged | SlowBias) -> str:
    """What the cell looks like over all batches that were judged."""
    bias = told.biases[item.key]
    reach = f", 95 % between {bias.low:+.3g} and {bias.high:+.3g}" if bias.low is not None else ""
    return (
        f". Over all batches judged: mean prediction {bias.mean_prediction:.3g}, mean label {bias.mean_label:.3g}, "
        f"bias {bias.bias:+.3g}{reach}; {bias.n:,} rows"
    )


def describe(key: Key, edges: Sequence[float], outcome: str | None = None) -> str:
    """A cell in words."""
    parts = [] if outcome is None else [f"class {outcome!r}"]
    if key.slice is not None:
        parts.append(f"slice {key.slice}")
    if key.bucket is not None:
        below = f"{edges[key.bucket - 1]:.3g} < " if key.bucket else ""
        above = f" ≤ {edges[key.bucket]:.3g}" if key.bucket < len(edges) else ""
        parts.append(f"bucket {key.bucket} ({below}prediction{above})")
    return " in ".join(reversed(parts)) if parts else "all rows"


def _masked(told: Told, found: Sequence[Alarm]) -> Iterator[Alarm]:
    """That a mean is right only because slices or buckets make up for one another."""
    whole = told.biases.get(Key(None, None))
    hidden = [alarm for alarm in found if alarm.check in ("slice_bias", "bucket_bias")]
    overall = any(alarm.check == "prediction_bias" for alarm in found)
    if whole is None or overall or not hidden or abs(whole.bias) > told.contract.bias_tolerance:
        return
    worst = max(hidden, key=lambda alarm: alarm.score or 0.0)
    what = f"slice {worst.slice}" if worst.slice is not None else "a bucket"
    yield Alarm(
        "masked_slice_bias",
        told.contract.severity_of("masked_slice_bias", Severity.WARNING),
        f"the mean of all predictions is right to {abs(whole.bias):.3g} and hides what is wrong: {what} is off by "
        f"{worst.score:.3g}{f', and {len(hidden) - 1} more cells are' if len(hidden) > 1 else ''}",
        told.contract.prediction,
        slice=worst.slice,
        score=worst.score,
        threshold=told.contract.bias_tolerance,
    )
