"""The audits of labelled data that is split in two, one file each, found by this registry.

An audit is a pure function of a :class:`Split`. It yields what is wrong and nothing where all is well. Adding one is
adding a file here with one function under :func:`audit`, named after its check in the catalogue. A count of rows that
break a rule is a violation; a statistical conclusion is an alarm, and needs both significance and an effect that
matters, because on many rows everything is significant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError
from tidegate_contracts.instants import instants
from tidegate_contracts.reasons import Keys
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.codes import Codes
from tidegate_monitors.finding import Finding
from tidegate_monitors.folds import folds
from tidegate_monitors.target import Target

CRITICAL_SHARE = 0.01
"""The share of TEST rows from which rows on both sides invalidate an evaluation."""
P_MAXIMUM = 1e-4
"""The p-value above which a difference is taken for chance, after correction for how many were looked at."""
DEVIATE_MINIMUM = 4.0
"""The same for a normal deviate."""

NO_TIME = int(np.iinfo(np.int64).min)
"""Stands where a time is missing."""

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """TRAIN and TEST as audits look at them.

    Attributes:
        train: The rows that a model learns from, brought to the contract's types.
        test: The rows that it is judged by.
        contract: What the columns mean.
        expected_test: The fingerprint that TEST must have, or its beginning; None accepts any.
        seed: Of all random choices.
    """

    train: Batch
    test: Batch
    contract: Contract
    expected_test: str | None = None
    seed: int = 0
    _codes: dict[str, Codes] = field(default_factory=dict, repr=False, compare=False)

    def has(self, name: str | None) -> bool:
        """Whether a column is on both sides and of its declared type."""
        return name is not None and all(
            name in side.table.column_names and name not in side.mismatches for side in (self.train, self.test)
        )

    def codes(self, name: str) -> Codes:
        """A column of both sides as whole numbers, computed once."""
        if name not in self._codes:
            self._codes[name] = Codes.of(self.train.table.column(name), self.test.table.column(name))
        return self._codes[name]

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The features that the contract names, or by default all columns without another role."""
        named = self.contract.features
        roles = {self.contract.prediction_time, self.contract.annotator}
        return named if named is not None else tuple(n for n in self.contract.feature_columns if n not in roles)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that can be looked at."""
        return tuple(name for name in self.wanted if self.has(name))

    @cached_property
    def target(self) -> Target | None:
        """The label; None where there is none on both sides."""
        name = self.contract.label
        if name is None or not self.has(name):
            return None
        found = Target.of(name, self.codes(name), self.contract)
        return found if found.train_known.size else None

    @cached_property
    def fold(self) -> Rows:
        """For each labelled row of TRAIN, its fold."""
        return folds(self.target.train_known.size if self.target else 0, np.random.default_rng(self.seed))

    def times(self, name: str | None) -> tuple[Rows, Rows] | None:
        """Instants of both sides in microseconds since 1970, ``NO_TIME`` where missing; None where it has no times."""
        if name is None or not self.has(name):
            return None
        both = [instants(side.table.column(name), self.contract.zone) for side in (self.train, self.test)]
        if any(values is None for values in both):
            return None
        train, test = (
            np.asarray(pc.fill_null(values.cast(pa.int64()), NO_TIME).to_numpy(), dtype=np.int64) for values in both
        )
        return train, test

    def local(self, times: Rows) -> pd.DatetimeIndex:
        """Instants in the contract's zone."""
        return pd.DatetimeIndex(pd.to_datetime(times, unit="us", utc=True)).tz_convert(self.contract.zone)

    def violation(
        self,
        check: str,
        rule: str,
        default: Severity,
        message: str,
        column: str | None = None,
        rows: Rows | None = None,
        *,
        side: Batch | None = None,
    ) -> Violation:
        """A clause that rows broke; ``rows`` are positions in ``side``, by default in TEST."""
        severity = self.contract.severity_of(check, default, column)
        key = self.contract.key
        keys = Keys((side or self.test).table, key, personal=any(self.contract.columns[name].personal for name in key))
        examples = tuple(text for text in keys.of(rows[:5]) if text is not None) if rows is not None else ()
        failed = None if rows is None else int(rows.size)
        return Violation(check, rule, severity, message, column, failed, examples)

    def alarm(
        self,
        check: str,
        default: Severity,
        message: str,
        column: str | None = None,
        *,
        score: float | None = None,
        threshold: float | None = None,
        slice: str | None = None,  # noqa: A002 - the name that findings have for it
        folded: tuple[str, ...] = (),
    ) -> Alarm:
        """A statistical conclusion."""
        severity = self.contract.severity_of(check, default, column)
        return Alarm(check, severity, message, column, slice, score, threshold, folded)


Audit = Callable[[Split], Iterable[Finding]]
_REGISTRY: dict[str, Audit] = {}


def audit(function: Audit) -> Audit:
    """Register an audit under the name of its function, which is the catalogue's name of its check."""
    _REGISTRY[function.__name__] = function
    return function


def insufficient(message: str, column: str | None = None) -> Alarm:
    """Neither a pass nor an alarm: what could not be looked at."""
    return Alarm("insufficient_evidence", Severity.INFO, message, column, kind="insufficient_evidence")


@cache
def audits() -> Mapping[str, Audit]:
    """All audits by name, in alphabetical order."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_REGISTRY.items())))


def findings(split: Split) -> tuple[Finding, ...]:
    """What all audits say, the worst first.

    Raises:
        MonitorError: An audit raised.
    """
    found: list[Finding] = []
    for name, function in audits().items():
        try:
            found += function(split)
        except Exception as error:  # whatever an audit does, it is our failure and never a pass
            raise MonitorError(f"the audit {name} raised", found=type(error).__name__) from error
    return tuple(sorted(found, key=lambda finding: (-finding.severity.rank, finding.kind != "violation")))


def share(count: int, rows: int, of: str = "TEST") -> str:
    """A count of rows in words, such as ``12 of 340 rows of TEST (3.53%)``."""
    return f"{count} of {rows} rows of {of} ({count / max(rows, 1):.2%})"


def worst_above(part: float, bound: float = CRITICAL_SHARE) -> Severity:
    """Critical from a share of rows on, a warning below."""
    return Severity.CRITICAL if part >= bound else Severity.WARNING
