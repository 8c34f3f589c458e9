"""What labels say of a model, one file each, found by this registry.

A rule is a pure function of the evidence, which holds sums of mature cohorts and, where a formula needs them, their
rows one batch at a time. It gives no alarm where nothing is wrong. Adding one is adding a file here with one function
under :func:`label_rule`, named as the catalogue names its check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from tidegate_contracts.contract import Contract
from tidegate_contracts.outcome import Outcome, outcome_of
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.pairs import Pairs, no_pairs


@dataclass(frozen=True)
class LabelEvidence:
    """What a rule may look at.

    Attributes:
        cohorts: The mature cohorts that are judged, in the order of their windows; the latest last.
        reference: The cohorts of the reference's own batches, where they had labels; may be empty.
        contract: What was promised.
        alpha: How often the alarms of one judgement may be false, in (0, 1).
        calm: Whether no input was found to drift in the runs of these batches; None if nobody looked.
        pairs: Gives the rows of the judged cohorts, batch by batch, as often as it is asked.
    """

    cohorts: tuple[Cohort, ...]
    reference: tuple[Cohort, ...]
    contract: Contract
    alpha: float = 0.05
    calm: bool | None = None
    pairs: Callable[[], Iterator[Pairs]] = field(default=no_pairs, compare=False)

    @cached_property
    def outcome(self) -> Outcome:
        """What is predicted."""
        return outcome_of(self.contract)


LabelRule = Callable[[LabelEvidence], Iterable[Alarm]]
_REGISTRY: dict[str, LabelRule] = {}


def label_rule(function: LabelRule) -> LabelRule:
    """Register a rule under the name of its function, which is the catalogue's name of its check."""
    _REGISTRY[function.__name__] = function
    return function


@cache
def label_rules() -> Mapping[str, LabelRule]:
    """All rules by name, in alphabetical order."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_REGISTRY.items())))


def judge_labels(evidence: LabelEvidence) -> Iterator[Alarm]:
    """The alarms of all rules."""
    for function in label_rules().values():
        yield from function(evidence)
