"""A property of the standard as the draft of a column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tidegate_contracts.errors import ContractError
from tidegate_contracts.imported import DraftCheck, DraftColumn
from tidegate_contracts.imported_type import Dtype
from tidegate_contracts.odcs.checks import (
    ARGUMENTS,
    BOUNDS,
    ENGINE,
    EXTRAS,
    NUMBERS,
    TIMES,
    option_checks,
    pattern_check,
)
from tidegate_contracts.odcs.customs import customs
from tidegate_contracts.odcs.node import Node, shown
from tidegate_contracts.odcs.types import dtype_of
from tidegate_contracts.odcs.words import WORDS, is_address
from tidegate_contracts.types import LogicalType

_PERSONAL = ("personal", "pii", "personal data", "personally identifiable information")
_TYPES = ("string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean", "map", "vector")
_BOUNDS = tuple(option for option, _ in BOUNDS.values())
_TEXTS = ("minLength", "maxLength", "pattern")
_SCALARS = (str, int, float)


def column_of(node: Node) -> DraftColumn:
    """The draft of a column.

    Raises:
        ContractError: The property is none by the standard, or says what cannot be.
    """
    name = node.needed_text("name")
    node.where = f"{node.where.rsplit('[', 1)[0]}[{shown(name)}]"
    ours, others = customs(node)
    options = node.node("logicalTypeOptions") or Node({}, node.at("logicalTypeOptions"), node.lost)
    dtype = _dtype(node, options, ours)
    checks = [*_option_checks(options, dtype), *_allowed(node, dtype)]
    unique, nullable = node.flag("unique"), not node.flag("required")
    for rule in node.nodes("quality"):
        found = _rule(rule, dtype)
        unique, nullable = unique or found == "unique", nullable and found != "required"
        checks += [found] if isinstance(found, DraftCheck) else []
    arguments = {
        **{key: True for key, wanted in (("nullable", nullable), ("unique", unique)) if wanted},
        **_flags(ours, node.where),
        **{key: text for key, text in (("title", node.text("businessName")), ("description", node.text("description")))
           if text is not None},
        **_metadata(node, ours, others),
    }  # fmt: skip
    for part in (options, node):
        part.tell_unread()
    return DraftColumn(name, dtype, tuple(checks), arguments)


def _dtype(node: Node, options: Node, ours: dict[str, Any]) -> Dtype:
    logical, physical = node.text("logicalType"), node.text("physicalType")
    if logical is not None and logical not in _TYPES:
        raise ContractError(node.at("logicalType"), found=shown(logical), allowed=", ".join(_TYPES))
    zone = {key: options.value(key) for key in ("timezone", "defaultTimezone") if options.value(key) is not None}
    dtype, is_whole = dtype_of(logical, physical, zone, node.where)
    categories, ordered = ours.pop("categories", None), ours.pop("ordered", False)
    if dtype.text == "category":
        return _category(f"{node.where}: tidegate.categories", categories, ordered)
    if dtype.logical is LogicalType.DURATION:
        options.value("format")
    if physical is not None and not is_whole:
        node.lost.unread(node.at("physicalType"))
    if dtype.text is None and logical is not None and not is_whole:
        node.lost.tell(f"{node.where}: values of type {logical!r} are not checked")
    return dtype


def _category(where: str, categories: Any, ordered: Any) -> Dtype:
    """A categorical type, with its categories where they are said."""
    if categories is None and isinstance(ordered, bool):
        return Dtype("category", None, ordered)
    if (
        not isinstance(categories, list)
        or not isinstance(ordered, bool)
        or not all(isinstance(item, _SCALARS) for item in categories)
        or len(set(categories)) < len(categories)
    ):
        raise ContractError(where, found=shown(categories), allowed="a list of different texts or numbers")
    return Dtype("category", tuple(categories), ordered)


def _option_checks(options: Node, dtype: Dtype) -> Iterator[DraftCheck]:
    """The checks that the options mean for a column of this type; those of another type stay unread."""
    logical = dtype.logical
    names = _BOUNDS if logical in (*NUMBERS, *TIMES) else _TEXTS if logical is LogicalType.TEXT else ()
    found = {name: value for name in names if (value := options.value(name)) is not None}
    for name, value in found.items():
        fits, allowed = _fits(name, value, logical)
        if not fits:
            raise ContractError(options.at(name), found=shown(value), allowed=allowed)
        if logical in TIMES:
            found[name] = _moment(options.at(name), value, dtype)
    for kind, arguments in option_checks(found):
        yield _check(options.where, kind, arguments)


def _fits(name: str, value: Any, logical: LogicalType) -> tuple[bool, str]:
    """Whether an option's value is of its kind, and what is."""
    if name == "pattern":
        return isinstance(value, str), "a regular expression"
    if name in _TEXTS:
        return _is_whole(value), "a whole number from 0 up"
    if logical in TIMES:
        return isinstance(value, str), "a time in ISO 8601"
    return isinstance(value, int | float) and not isinstance(value, bool), "a number"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _moment(where: str, text: str, dtype: Dtype) -> Any:
    """A bound of a time in the column's own zone."""
    try:
        return dtype.moment(text)
    except (ValueError, TypeError, OverflowError) as error:
        raise ContractError(where, found=shown(text), allowed="a time in ISO 8601") from error


def _timed(where: str, value: Any, dtype: Dtype) -> Any:
    """A value, or values, of a check: texts are times where the column's values are."""
    if isinstance(value, list):
        return [_timed(where, item, dtype) for item in value]
    return _moment(where, value, dtype) if isinstance(value, str) and dtype.logical in TIMES else value


def _allowed(node: Node, dtype: Dtype) -> Iterator[DraftCheck]:
    """The values of ``enum``, which the standard has from 3.2 on."""
    values = []
    for item in node.nodes("enum"):
        values.append(item.value("value"))
        item.tell_unread()
    if values:
        yield _isin(node.at("enum"), values, dtype)


def _isin(where: str, values: Any, dtype: Dtype) -> DraftCheck:
    """Allowed values; that values may be missing is the column's own word."""
    if not isinstance(values, list) or not all(isinstance(value, _SCALARS) or value is None for value in values):
        raise ContractError(where, found=shown(values), allowed="a list of texts and numbers")
    present = [value for value in values if value is not None]
    if not present:
        raise ContractError(where, found=shown(values), allowed="at least one value")
    return DraftCheck("isin", {"allowed_values": _timed(where, present, dtype)})


def _rule(rule: Node, dtype: Dtype) -> DraftCheck | str | None:
    """The check that a quality rule means, ``unique``, ``required``, or None where it has no check here."""
    kind = rule.text("type") or "library"
    if kind == "custom" and rule.value("engine") == ENGINE:
        return _custom(rule, dtype)
    metric = rule.value("metric") or rule.value("rule")
    limit = rule.value("mustBe")
    if kind == "library" and limit == 0 and not isinstance(limit, bool):
        if metric == "duplicateValues":
            return "unique"
        if metric == "nullValues":
            return "required"
        if metric == "invalidValues":
            return _valid(rule, dtype)
    rule.lost.tell(f"{rule.where}: a rule of type {kind!r}{f' with {metric!r}' if metric else ''}")
    return None


def _valid(rule: Node, dtype: Dtype) -> DraftCheck | None:
    arguments = rule.node("arguments") or Node({}, rule.at("arguments"), rule.lost)
    values, pattern = arguments.value("validValues"), arguments.text("pattern")
    if (values is None) == (pattern is None):
        rule.lost.tell(f"{rule.where}: a rule with neither or both of validValues and pattern")
        return None
    arguments.tell_unread()
    if pattern is None:
        return _isin(arguments.at("validValues"), values, dtype)
    return _check(arguments.where, *pattern_check(pattern))


def _custom(rule: Node, dtype: Dtype) -> DraftCheck:
    """A check that pandera brings with it, as we write it."""
    said = rule.node("implementation") or Node({}, rule.at("implementation"), rule.lost)
    kind = said.needed_text("check")
    if kind not in ARGUMENTS:
        raise ContractError(said.at("check"), found=shown(kind), allowed=", ".join(ARGUMENTS))
    node = said.node("arguments") or Node({}, said.at("arguments"), rule.lost)
    arguments = dict(node.items())
    for name, value in arguments.items():
        scalars = value if isinstance(value, list) else [value]
        if name not in ARGUMENTS[kind] or not all(isinstance(item, _SCALARS) for item in scalars):
            allowed = f"{', '.join(ARGUMENTS[kind])}: texts, numbers or lists of them"
            raise ContractError(node.where, found=f"{shown(name)}: {shown(value)}", allowed=allowed)
        arguments[name] = _timed(node.where, value, dtype)
    extras = {name: said.value(name) for name in EXTRAS if said.value(name) is not None}
    for name, value in extras.items():
        if not isinstance(value, str if EXTRAS[name] is None else bool):
            raise ContractError(said.at(name), found=shown(value), allowed="a text, or true or false")
    said.tell_unread()
    return _check(node.where, kind, {**arguments, **extras})


def _check(where: str, kind: str, arguments: dict[str, Any]) -> DraftCheck:
    """A check, once pandera has taken its arguments and its pattern is one."""
    check = DraftCheck(kind, arguments)
    try:
        if "pattern" in arguments:
            re.compile(arguments["pattern"])
        check.made()
    except (ValueError, TypeError, OverflowError, re.error, RecursionError) as error:
        raise ContractError(where, found=f"{kind} with {shown(arguments)}", allowed=f"what is one: {error}") from error
    return check


def _flags(ours: dict[str, Any], where: str) -> dict[str, Any]:
    """Arguments of ``pandera.Column`` under our prefix."""
    found = {}
    for name, kind in (("required", bool), ("coerce", bool), ("regex", bool), ("default", object)):
        if name not in ours:
            continue
        value = ours.pop(name)
        if not isinstance(value, kind) or (name == "default" and not isinstance(value, _SCALARS)):
            raise ContractError(f"{where}: tidegate.{name}", found=shown(value), allowed="true or false, or a value")
        found[name] = value
    return found


def _metadata(node: Node, ours: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """The column's metadata: our words, and other custom properties where they are none of our words."""
    metadata = {name: ours.pop(name) for name in WORDS if name in ours}
    for definition in node.nodes("authoritativeDefinitions"):
        address = definition.needed_text("url")
        if "term" not in metadata and is_address(address) and definition.text("type") == "businessDefinition":
            metadata["term"] = address
            definition.tell_unread()
        else:
            node.lost.unread(definition.where)
    classification = node.text("classification")
    if classification is not None and classification.lower() in _PERSONAL:
        metadata["personal"] = True
    elif classification is not None:
        node.lost.unread(node.at("classification"))
    for name, value in others.items():
        if name in WORDS:
            node.lost.unread(f"{node.where}.customProperties: {name}")
        else:
            metadata[name] = value
    for name in ours:
        node.lost.unread(f"{node.where}.customProperties: tidegate.{name}")
    return {"metadata": metadata} if metadata else {}
