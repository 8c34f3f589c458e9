"""The rules: things that are simply wrong, one file each, found by this registry.

A rule is a pure function of the evidence. It reads profiles only and gives no alarm where nothing is wrong; most are
critical. Adding one is adding a file here with one function under :func:`rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from tidegate_contracts.batch import Window
from tidegate_contracts.contract import Contract
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.profile import Profile
from tidegate_monitors.reference import Reference


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule may look at.

    Attributes:
        current: The batch's profile.
        reference: What it is held against.
        contract: What was promised.
        window: The batch's event times; None where it has none.
    """

    current: Profile
    reference: Reference
    contract: Contract
    window: Window | None = None

    def watched(self) -> Iterator[str]:
        """The columns whose values are watched: all profiled ones that may drift."""
        return filter(self.contract.is_watched, self.reference.layout.cells)


Rule = Callable[[Evidence], Iterable[Alarm]]
_REGISTRY: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Register a rule under the name of its function, which is the catalogue's name of its check."""
    _REGISTRY[function.__name__] = function
    return function


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by name, in alphabetical order."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_REGISTRY.items())))


def judge(evidence: Evidence) -> Iterator[Alarm]:
    """The alarms of all rules."""
    for function in rules().values():
        yield from function(evidence)
