"""Custom properties: what is ours among them, and arguments of a contract from their document values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, timedelta
from functools import partial
from typing import Any

from tidegate_contracts.alarm_budget import AlarmBudget
from tidegate_contracts.contract import Contract
from tidegate_contracts.duration import parse_duration
from tidegate_contracts.errors import ContractError
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.odcs.node import Node, shown
from tidegate_contracts.odcs.plain import PREFIX, NoForm, unpaired
from tidegate_contracts.sample import Sample
from tidegate_contracts.suppression import Suppression
from tidegate_contracts.upstream import Upstream


def customs(node: Node) -> tuple[dict[str, Any], dict[str, Any]]:
    """The custom properties of a mapping: ours without their prefix, and the others.

    Raises:
        ContractError: One stands there twice, or has no name.
    """
    ours: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for item in node.nodes("customProperties"):
        name = item.needed_text("property")
        target, key = (ours, name.removeprefix(PREFIX)) if name.startswith(PREFIX) else (others, name)
        if key in target:
            raise ContractError(f"{node.at('customProperties')}: a property stands there twice", found=shown(name))
        try:
            target[key] = unpaired(item.value("value"))
        except NoForm as reason:
            raise ContractError(f"{item.where}.value of {shown(name)}", found=str(reason)) from reason
        item.tell_unread()
    return ours, others


def arguments(ours: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Arguments of a contract from our custom properties; the contract itself checks what they hold.

    Raises:
        ContractError: A value is not of its argument's kind.
    """
    kinds = {item.name: str(item.type) for item in fields(Contract) if item.name not in ("schema", "path")}
    found: dict[str, Any] = {}
    for name, value in ours.items():
        if name in kinds:
            decode = _KINDS.get(kinds[name])
            found[name] = decode(f"{where}: {PREFIX}{name}", value) if decode is not None else _frozen(value)
    return found


def _duration(where: str, value: Any) -> timedelta:
    duration = parse_duration(value)
    if duration is None:
        raise ContractError(where, found=shown(value), allowed="an ISO 8601 duration such as 'PT6H'")
    return duration


def _day(where: str, value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ContractError(where, found=shown(value), allowed="a day such as '2024-01-31'") from error


def _made(kind: type, where: str, value: Any) -> Any:
    """A value of one of our classes from its fields; the class itself checks what they hold."""
    allowed = [item.name for item in fields(kind)]
    if not isinstance(value, dict) or not value.keys() <= set(allowed):
        raise ContractError(where, found=shown(value), allowed=f"a mapping with {', '.join(allowed)}")
    try:
        return kind(**{name: _frozen(item) for name, item in value.items()})
    except (TypeError, ValueError) as error:
        raise ContractError(where, found=shown(value), allowed=f"what {kind.__name__} takes") from error


def _all_made(kind: type, where: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ContractError(where, found=shown(value), allowed="a list")
    return tuple(_made(kind, where, item) for item in value)


def _frozen(value: Any) -> Any:
    """Lists as the tuples that arguments are."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, dict) else value


_KINDS: Mapping[str, Callable[[str, Any], Any]] = {
    "timedelta | None": _duration,
    "date | None": _day,
    "tuple[Upstream, ...]": partial(_all_made, Upstream),
    "tuple[ForeignKey, ...]": partial(_all_made, ForeignKey),
    "Suppression | None": partial(_made, Suppression),
    "AlarmBudget | None": partial(_made, AlarmBudget),
    "Sample | None": partial(_made, Sample),
}
"""How values are read, by the annotation of their argument; all others are taken as they are."""
