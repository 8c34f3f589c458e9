"""One column as a contract declares it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from tidegate_contracts.duration import parse_duration
from tidegate_contracts.errors import ContractError
from tidegate_contracts.identity import clause, stable_repr
from tidegate_contracts.types import DeclaredType, declared_type

DRIFT_WORDS = ("critical", "warning", "info", "off")


@dataclass(frozen=True, slots=True)
class Column:
    """A column's meaning and type, read from pandera's own arguments.

    Attributes:
        name: The column's name.
        type: Its declared type.
        nullable: Whether missing values are allowed.
        description: What it means.
        unit: The unit of its values, from ``metadata["unit"]``.
        available: How long after the event its value is known, from ``metadata["available"]`` (ISO 8601 duration).
        personal: Whether it holds personal data, from ``metadata["personal"]``; its values are then never shown.
        effect_floor: The least shift that matters, in standard deviations of the reference, from
            ``metadata["effect_floor"]``; None leaves it to the contract.
        drift: The severity of a confirmed drift alarm, from ``metadata["drift"]``; None leaves it to the contract.
        clauses: Its pandera checks in words.
    """

    name: str
    type: DeclaredType
    nullable: bool
    description: str | None = None
    unit: str | None = None
    available: timedelta = timedelta(0)
    personal: bool = False
    drift: str | None = None
    effect_floor: float | None = None
    clauses: tuple[str, ...] = field(default=())
    metadata: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of_pandera(cls, name: str, column: Any, dtype: Any = None) -> Column:
        """Read a pandera column or level of an index.

        Args:
            name: What it is called in a file.
            column: The pandera object.
            dtype: The data type that the schema declares for all columns at once, if any.

        Raises:
            ContractError: ``metadata`` holds a word that means nothing here.
        """
        metadata = dict(column.metadata or {})
        drift = metadata.get("drift")
        if drift is not None and drift not in DRIFT_WORDS:
            raise ContractError(f"column {name!r}: metadata 'drift'", found=repr(drift), allowed=", ".join(DRIFT_WORDS))
        return cls(
            name=name,
            type=declared_type(dtype if dtype is not None else column.dtype),
            nullable=bool(column.nullable),
            description=column.description,
            unit=metadata.get("unit"),
            available=_duration(name, metadata.get("available")),
            personal=bool(metadata.get("personal", False)),
            drift=drift,
            effect_floor=_effect(name, metadata.get("effect_floor")),
            clauses=tuple(clause(check) for check in column.checks),
            metadata=MappingProxyType(metadata),
        )

    def describe(self) -> dict[str, Any]:
        """All that the column says, as JSON values, for the contract's identity."""
        return {
            "name": self.name,
            "type": str(self.type),
            "nullable": self.nullable,
            "description": self.description,
            "clauses": list(self.clauses),
            "metadata": {key: _plain(value) for key, value in sorted(self.metadata.items())},
        }


def _duration(name: str, text: Any) -> timedelta:
    """An ISO 8601 duration; months and years have no length and are refused."""
    if text is None:
        return timedelta(0)
    duration = parse_duration(text)
    if duration is not None:
        return duration
    raise ContractError(
        f"column {name!r}: metadata 'available'", found=repr(text), allowed="an ISO 8601 duration such as 'P1D'"
    )


def _effect(name: str, value: Any) -> float | None:
    """A number above zero, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        allowed = "standard deviations of the reference, above zero"
        raise ContractError(f"column {name!r}: metadata 'effect_floor'", found=repr(value), allowed=allowed)
    return float(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else stable_repr(value)
