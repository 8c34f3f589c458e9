"""What of the catalogue is caught here: read from the registries, and from short lists where there is none.

A test reads the source of all packages, so that nothing is claimed that no code reports, and nothing is reported that
is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType


class Catcher(StrEnum):
    """What reports a check: parts of the gate, or ``labels``, ``lint``, ``diff`` and ``check-split``."""

    SCHEMA = "schema"
    CLAUSE = "clause"
    RULE = "rule"
    STATISTIC = "statistic"
    GATE = "gate"
    LINT = "lint"
    DIFF = "diff"
    SPLIT = "check-split"
    LABELS = "labels"


OUTSIDE_REGISTRIES: Mapping[Catcher, tuple[str, ...]] = MappingProxyType(
    {
        Catcher.SCHEMA: (
            "schema_mismatch",
            "missing_values",
            "duplicate_rows",
            "category_change",
            "unknown_labels",
            "impossible_values",
            "broken_invariant",
        ),
        Catcher.STATISTIC: ("prediction_drift", "insufficient_evidence"),
        Catcher.GATE: (
            "redelivered_batch",
            "rewritten_history",
            "error_budget_burn",
            "slow_poisoning",
            "season_mistaken",
            "reference_contamination",
            "base_rate_gap",
            "feedback_loop",
            "silent_monitor",
        ),
        Catcher.LABELS: ("prediction_bias", "bucket_bias", "slice_bias", "masked_slice_bias", "immature_labels"),
        Catcher.SPLIT: ("holdout_reuse",),
        Catcher.DIFF: ("breaking_schema_change", "semantic_change"),
    }
)
"""What is reported outside a registry: pandera's findings, statistics under another name, what the gate
remembers, and what two versions of a contract differ in."""


def caught() -> Mapping[str, tuple[Catcher, ...]]:
    """The checks that are reported here, by name, each with all that reports it."""
    found: dict[str, set[Catcher]] = {}
    for catcher, name in _reported():
        found.setdefault(name, set()).add(catcher)
    return MappingProxyType({name: tuple(item for item in Catcher if item in found[name]) for name in sorted(found)})


def _reported() -> Iterator[tuple[Catcher, str]]:
    from tidegate_contracts.clauses import clauses
    from tidegate_contracts.lint import checks
    from tidegate_monitors.label_rules import label_rules
    from tidegate_monitors.rules import rules
    from tidegate_monitors.split import audits
    from tidegate_monitors.statistics import statistics

    yield from ((catcher, name) for catcher, names in OUTSIDE_REGISTRIES.items() for name in names)
    yield from ((Catcher.CLAUSE, name) for name in clauses())
    yield from ((Catcher.RULE, name) for name in rules())
    yield from ((Catcher.LINT, name) for name in checks())
    yield from ((Catcher.SPLIT, name) for name in audits())
    yield from ((Catcher.LABELS, name) for name in label_rules())
    yield from ((Catcher.STATISTIC, item.check) for item in statistics().values() if item.family)
