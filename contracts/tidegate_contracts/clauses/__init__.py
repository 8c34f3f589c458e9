"""The clauses that pandera is not asked about, one file each, found by this registry.

A clause is a pure function of a subject. It yields what is broken and nothing where all is well. Adding one is adding
a file here with one function under :func:`clause`, named after its check in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from tidegate_contracts.batch import Batch
from tidegate_contracts.circumstances import Circumstances
from tidegate_contracts.contract import Contract
from tidegate_contracts.reasons import Broken


@dataclass(frozen=True, slots=True)
class Subject:
    """What a clause may look at.

    Attributes:
        batch: The rows, brought to the contract's types.
        contract: What was promised.
        circumstances: What is known besides the rows.
    """

    batch: Batch
    contract: Contract
    circumstances: Circumstances

    def values(self, column: str | None) -> Any:
        """A delivered column of its declared type as a ``pyarrow.ChunkedArray``; None where there is none such."""
        if column is None or column not in self.batch.table.column_names or column in self.batch.mismatches:
            return None
        return self.batch.table.column(column)


Clause = Callable[[Subject], Iterable[Broken]]
_REGISTRY: dict[str, Clause] = {}
_OF_ALL_ROWS: set[str] = set()


def clause(function: Clause) -> Clause:
    """Register a clause under the name of its function, which is the catalogue's name of its check."""
    _REGISTRY[function.__name__] = function
    return function


def clause_of_all_rows(function: Clause) -> Clause:
    """Register a clause that may be broken by the rows that are left when others are set aside: it is asked again."""
    _OF_ALL_ROWS.add(function.__name__)
    return clause(function)


@cache
def clauses() -> Mapping[str, Clause]:
    """All clauses by name, in alphabetical order."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return MappingProxyType(dict(sorted(_REGISTRY.items())))


def broken_clauses(subject: Subject, *, of_all_rows: bool = False) -> Iterator[Broken]:
    """What all clauses say, or only those that speak of all rows together."""
    for name, function in clauses().items():
        if not of_all_rows or name in _OF_ALL_ROWS:
            yield from function(subject)
