"""Two columns that bear one word and mean two things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tidegate_contracts.column import Column
from tidegate_contracts.contract import Contract
from tidegate_contracts.lint import Subject, asks
from tidegate_contracts.violation import Violation


@dataclass(frozen=True, slots=True)
class _Declared:
    """A column of one of the contracts.

    Attributes:
        contract: The contract.
        column: What it says of the column.
    """

    contract: Contract
    column: Column

    @property
    def term(self) -> str | None:
        """The term that it defines, if it states one."""
        return _plain(self.column.metadata.get("term")) or None

    def differences(self, other: _Declared, *, same_term: bool) -> list[str]:
        """In what two definitions differ; columns that share only a name are asked for their units alone."""
        found, here, there = [], self.column, other.column
        if same_term and _plain(here.description) != _plain(there.description):
            found.append("description")
        if _plain(here.unit) != _plain(there.unit) and (same_term or None not in (here.unit, there.unit)):
            found.append(f"unit ({here.unit!r} and {there.unit!r})")
        if same_term and here.type.logical is not there.type.logical:
            found.append(f"type ({here.type.logical.value} and {there.type.logical.value})")
        return found


@asks("one description, unit and type for one term, and one unit for one name, in all contracts read together")
def conflicting_definition(subject: Subject) -> Iterator[Violation]:
    """A term is defined in two ways, or columns of one name count in two units.

    Columns of one name may be described differently, because names such as ``id`` are everywhere; those that state
    different terms are different things.
    """
    own = [_Declared(subject.contract, column) for column in subject.columns.values()]
    by_term: dict[str, list[_Declared]] = {}
    by_name: dict[str, list[_Declared]] = {}
    for declared in (*own, *_beside(subject)):
        by_name.setdefault(declared.column.name, []).append(declared)
        if declared.term is not None:
            by_term.setdefault(declared.term, []).append(declared)
    for here in own:
        alike = by_term.get(here.term, []) if here.term is not None else []
        namesakes = (item for item in by_name[here.column.name] if None in (here.term, item.term))
        pairs = [*((item, True) for item in alike), *((item, False) for item in namesakes)]
        for there, same_term in pairs:
            differences = here.differences(there, same_term=same_term) if there is not here else []
            if differences:
                word = f"the term {here.term!r}" if same_term else "its name"
                place = f"{there.contract.name}.{there.column.name}"
                message = f"shares {word} with {place}, but has another {', another '.join(differences)}"
                yield subject.violation("conflicting_definition", message, here.column.name)


def _beside(subject: Subject) -> Iterator[_Declared]:
    for contract in subject.others:
        for column in Subject(contract, (), subject.today).columns.values():
            yield _Declared(contract, column)


def _plain(text: object) -> str:
    """A text without what does not change its meaning: case, spacing, a full stop."""
    return " ".join(str(text if text is not None else "").split()).rstrip(".").casefold()
