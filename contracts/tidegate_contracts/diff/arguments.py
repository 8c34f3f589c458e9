"""How the arguments of two contracts differ, each by its own rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from tidegate_contracts.alarm_budget import AlarmBudget
from tidegate_contracts.arguments import COLUMNS
from tidegate_contracts.contract import Contract
from tidegate_contracts.diff.change import Change, Side, breaking, loosening, semantic, tightening, words
from tidegate_contracts.identity import json_value, strict_json
from tidegate_contracts.metric import METRICS
from tidegate_contracts.severity import Severity

Rule = Callable[[str, Any, Any], Iterator[Change]]

NO_CHANGE = ("name", "version", "schema", "path")
"""Arguments without a rule: another name is another dataset, the version is what a diff asks for, the schema is
compared by itself, and the path is no part of a contract."""


def changes(old: Contract, new: Contract, renamed: Mapping[str, str]) -> Iterator[Change]:
    """How the arguments differ.

    Args:
        old: The contract that was.
        new: The contract that is to be.
        renamed: The new names of columns that were only renamed; to name them anew is no change of an argument.
    """
    for item in fields(Contract):
        if item.name in NO_CHANGE:
            continue
        before, after = getattr(old, item.name), getattr(new, item.name)
        if item.name in COLUMNS:
            before = _renamed(before, renamed)
        if json_value(before) != json_value(after):
            found = list(RULES.get(item.name, _meaning(Side.BOTH))(item.name, before, after))
            yield from found or [words(item.name, before, after)]


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A value that names columns, with their new names."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, tuple):
        return tuple(_renamed(item, names) for item in value)
    if isinstance(value, Mapping):
        return {_renamed(key, names): item for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        own = [item.name for item in fields(value) if item.name in ("column", "columns")]
        return replace(value, **{name: _renamed(getattr(value, name), names) for name in own})
    return value


def _words(name: str, old: Any, new: Any) -> Iterator[Change]:
    yield words(name, old, new)


def _meaning(side: Side) -> Rule:
    def rule(name: str, old: Any, new: Any) -> Iterator[Change]:
        yield semantic(name, old, new, None, side)

    return rule


def _key(name: str, old: Any, new: Any) -> Iterator[Change]:
    """With a first key rows must differ by it; without one, nobody can name rows any more; another names others."""
    if not old:
        yield tightening(name, None, new)
    elif not new:
        yield breaking(name, old, None, None, Side.CONSUMER)
    else:
        yield breaking(name, old, new)


def _limit(name: str, old: Any, new: Any, *, tighter: int, unset: float) -> Iterator[Change]:
    """A number; ``tighter`` is 1 if more is tighter and −1 if less is; ``unset`` is what None stands for."""
    before, after = (unset if value is None else _number(value) for value in (old, new))
    if before != after:
        yield (tightening if (after - before) * tighter > 0 else loosening)(name, old, new)


def _number(value: Any) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value.one_in if isinstance(value, AlarmBudget) else value)


def _members(name: str, old: Any, new: Any) -> Iterator[Change]:
    """The more there are, the more is held against the data."""
    lost = [item for item in old if item not in new]
    gained = [item for item in new if item not in old]
    if gained:
        yield tightening(name, None, gained)
    if lost:
        yield loosening(name, lost, None)


def _presence(name: str, old: Any, new: Any) -> Iterator[Change]:
    """One demand that only equals itself."""
    if new is not None:
        yield tightening(name, old, new)
    if old is not None:
        yield loosening(name, old, new)


def _volume(name: str, old: Any, new: Any) -> Iterator[Change]:
    pairs = [value if isinstance(value, tuple) else None for value in (old, new)]
    if pairs[0] is None or pairs[1] is None:
        yield from _presence(name, old, new)
    else:
        yield from _interval(name, pairs[0], pairs[1])


def _interval(name: str, old: tuple[float, float], new: tuple[float, float]) -> Iterator[Change]:
    if new[0] > old[0] or new[1] < old[1]:
        yield tightening(name, old, new)
    if new[0] < old[0] or new[1] > old[1]:
        yield loosening(name, old, new)


def _classes(name: str, old: Any, new: Any) -> Iterator[Change]:
    """Without any, each label passes; a class without bounds may have any share of the rows."""
    before, after = (value if isinstance(value, Mapping) else dict.fromkeys(value, (0, 1)) for value in (old, new))
    if not before or not after:
        yield (loosening if before else tightening)(name, old, new)
        return
    lost, gained = before.keys() - after.keys(), after.keys() - before.keys()
    if lost:
        yield tightening(name, sorted(lost, key=repr), None)
    if gained:
        yield loosening(name, None, sorted(gained, key=repr))
    for item in before.keys() & after.keys():
        yield from _interval(f"{name}[{item!r}]", before[item], after[item])


def _by_key(name: str, old: Mapping[Any, Any], new: Mapping[Any, Any], *, rule: Rule) -> Iterator[Change]:
    for key in sorted({*old, *new}, key=str):
        if strict_json(old.get(key)) != strict_json(new.get(key)):
            yield from rule(f"{name}[{key!r}]", old.get(key), new.get(key))


def _floors(name: str, old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Change]:
    """A higher floor asks for more; of errors, where less is better, a lower one does."""
    for key in sorted({*old, *new}):
        more_is_better = key not in METRICS or METRICS[key].more_is_better
        yield from (_more if more_is_better else _less)(f"{name}[{key!r}]", old.get(key), new.get(key))


def _population(name: str, old: Any, new: Any) -> Iterator[Change]:
    """Shares of another population are another meaning, not more or less of the same."""
    yield from _presence(name, old, new) if old is None or new is None else _meaning(Side.BOTH)(name, old, new)


def _severity(name: str, old: Any, new: Any) -> Iterator[Change]:
    """What a check has by default is not known here: to state ``warning`` may be more or less than it."""
    before, after = ((0, 2) if word is None else (Severity(word).rank,) * 2 for word in (old, new))
    if after[1] > before[0]:
        yield tightening(name, old, new)
    if after[0] < before[1]:
        yield loosening(name, old, new)


def _on_monitor_error(name: str, old: str, new: str) -> Iterator[Change]:
    """A batch of which nothing is known is stopped, or it is let through."""
    yield (tightening if new == "halt" else loosening)(name, old, new)


_less = partial(_limit, tighter=-1, unset=math.inf)
_more = partial(_limit, tighter=1, unset=-math.inf)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **dict.fromkeys(("owner", "contact", "reviewed_on", "waived"), _words),
        **dict.fromkeys(("actions", "keep_sample"), _meaning(Side.NONE)),
        **dict.fromkeys(("decision_threshold", "costs", "features", "season"), _meaning(Side.CONSUMER)),
        **dict.fromkeys(
            ("entity", "event_time", "time_zone", "prediction_time", "prediction", "label", "annotator"),
            _meaning(Side.BOTH),
        ),
        **dict.fromkeys(("score", "model_version", "baseline"), _meaning(Side.BOTH)),
        "key": _key,
        **dict.fromkeys(("cadence", "arrive_within", "label_delay", "freshness", "max_age"), _less),
        **dict.fromkeys(("tolerance", "effect_floor", "bias_tolerance", "failure_threshold"), _less),
        "alarm_budget": _less,  # the rarer a false alarm may be, the more passes
        "rows_min": _more,
        "on_monitor_error": _on_monitor_error,
        "shadow": _less,  # in shadow everything passes
        "cool_down": partial(_limit, tighter=1, unset=math.inf),  # None waits for a person
        **dict.fromkeys(("slices", "standardised", "upstream", "references"), _members),
        **dict.fromkeys(("scope", "suppression"), _presence),
        "volume": _volume,
        "classes": _classes,
        "floors": _floors,
        "severity": partial(_by_key, rule=_severity),
        "population": partial(_by_key, rule=_population),
    }
)
"""The rule of each argument. What has none yet counts as another meaning."""
