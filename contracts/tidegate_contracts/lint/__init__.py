"""What is wrong with a contract before any data comes, one check a file, found by this registry.

A check is a pure function of a subject. It yields what it misses and nothing where all is well. Adding one is adding a
file here with one function under :func:`asks`, named after its check in the catalogue.

A finding's severity follows from the check's priority in the catalogue: 1 is critical, 2 a warning, 3 information;
some checks say less of a lesser fault. ``severity`` in the contract goes above both, and ``waived`` silences a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.column import Column
from tidegate_contracts.contract import Contract
from tidegate_contracts.dialect import fields_of
from tidegate_contracts.severity import Severity
from tidegate_contracts.violation import Violation

_SEVERITIES = {1: Severity.CRITICAL, 2: Severity.WARNING, 3: Severity.INFO}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check may look at.

    Attributes:
        contract: The contract in question.
        others: The contracts that are read beside it.
        today: The day from which ages are counted.
    """

    contract: Contract
    others: tuple[Contract, ...]
    today: date

    @property
    def columns(self) -> Mapping[str, Column]:
        """All declared columns by name; those declared by a pattern stand under it."""
        whole = self.contract.pandera_schema.dtype
        return {
            name: self.contract.columns.get(name) or Column.of_pandera(name, declared, whole)
            for name, declared in fields_of(self.contract.pandera_schema).items()
        }

    def pandera(self, column: str) -> Any:
        """What pandera holds of a column."""
        return fields_of(self.contract.pandera_schema)[column]

    def violation(
        self, check: str, message: str, column: str | None = None, default: Severity | None = None
    ) -> Violation:
        """A finding under a check's name.

        Args:
            check: The name.
            message: What is missing or wrong, and what would mend it.
            column: The column concerned, or None for the contract.
            default: Its severity where the contract says nothing else; None for the one of its priority.
        """
        usual = default if default is not None else _SEVERITIES[CATALOGUE[check].priority]
        severity = self.contract.severity_of(check, usual, column)
        told = message if column is None else f"column {column!r}: {message}"
        return Violation(check, checks()[check].asks, severity, told, column)


Function = Callable[[Subject], Iterable[Violation]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of contracts.

    Attributes:
        asks: What a contract must say, in one clause.
        function: What finds that it does not.
    """

    asks: str
    function: Function


@dataclass(frozen=True, slots=True)
class Linted:
    """What was found in one contract.

    Attributes:
        contract: The contract.
        findings: The gravest first, otherwise in the order of the catalogue.
        waived: The checks that the contract says do not apply, each with its reason.
    """

    contract: Contract
    findings: tuple[Violation, ...]
    waived: Mapping[str, str]

    @property
    def critical(self) -> bool:
        """Whether anything was found that must be mended."""
        return any(finding.severity is Severity.CRITICAL for finding in self.findings)


_REGISTRY: dict[str, Check] = {}


def asks(what: str) -> Callable[[Function], Function]:
    """Register a check under the name of its function, which is its name in the catalogue.

    Args:
        what: What a contract must say, in one clause.
    """

    def register(function: Function) -> Function:
        _REGISTRY[function.__name__] = Check(what, function)
        return function

    return register


@cache
def checks() -> Mapping[str, Check]:
    """All checks by name, in the order of the catalogue."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return MappingProxyType({name: _REGISTRY[name] for name in CATALOGUE if name in _REGISTRY})


def lint(contracts: Sequence[Contract], today: date) -> tuple[Linted, ...]:
    """Look at contracts one by one and beside each other, in the order given.

    Args:
        contracts: Those that are read together.
        today: The day from which reviews are counted.
    """
    subjects = (
        Subject(contract, (*contracts[:position], *contracts[position + 1 :]), today)
        for position, contract in enumerate(contracts)
    )
    return tuple(_linted(subject) for subject in subjects)


def _linted(subject: Subject) -> Linted:
    waived = subject.contract.waived
    found = sorted(_findings(subject, waived), key=lambda finding: -finding.severity.rank)
    return Linted(subject.contract, tuple(found), waived)


def _findings(subject: Subject, waived: Mapping[str, str]) -> Iterator[Violation]:
    for name, check in checks().items():
        if name not in waived:
            yield from check.function(subject)
