"""A document of the standard as the draft of a contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tidegate_contracts.duration import parse_duration
from tidegate_contracts.errors import ContractError
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.imported import Draft, DraftColumn, fitting_name, in_order
from tidegate_contracts.odcs.customs import arguments, customs
from tidegate_contracts.odcs.node import Lost, Node, shown
from tidegate_contracts.odcs.read_column import column_of
from tidegate_contracts.odcs.words import SCHEMA_FLAGS, SLA

KIND = "DataContract"
TITLE = "A contract made of a document of the Open Data Contract Standard."
_UNITS: Mapping[str, timedelta] = {
    **dict.fromkeys(("us", "microsecond", "microseconds"), timedelta(microseconds=1)),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), timedelta(milliseconds=1)),
    **dict.fromkeys(("s", "sec", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "min", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hr", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "wk", "week", "weeks"), timedelta(weeks=1)),
    **dict.fromkeys(("mo", "month", "months"), timedelta(days=31)),
    **dict.fromkeys(("y", "yr", "year", "years"), timedelta(days=366)),
}
"""Units of durations; months and years have no length and are read as the longest that there are."""

_SYNONYMS = {"fy": "frequency", "ly": "latency", "re": "retention"}


def from_odcs(document: Mapping[str, Any], *, table: str | None = None, name: str | None = None) -> Draft:
    """A document of the Open Data Contract Standard 3 as the draft of a contract.

    Args:
        document: The document, as plain values.
        table: Which of its schema objects; the first by default.
        name: The name of the contract; by default the document's own.

    Raises:
        ContractError: It is none, or says what no contract can be; the message says where.
    """
    lost = Lost()
    root = Node(dict(document), "", lost)
    _must_be_ours(root)
    chosen = _chosen(root, table)
    ours, others = customs(root)
    for other in others:
        lost.unread(f"customProperties: {shown(other)}")
    columns = _columns(chosen)
    said = {
        "name": name or _name(root, chosen),
        "version": _version(root),
        "owner": _owner(root),
        **_contact(root),
        **_key(chosen, columns),
        **_agreements(root, columns),
        **arguments(ours, "customProperties"),
    }
    quality, unique = _quality(chosen)
    for key in ours.keys() - said.keys():
        lost.unread(f"customProperties: tidegate.{shown(key)[1:-1]}")
    schema = {**_purpose(root), **_schema(chosen), **({"unique": unique} if unique else {})}
    said |= quality | _references(chosen)
    _tell_rest(root, chosen)
    draft = Draft(TITLE, tuple(column for column, _ in columns), schema, in_order(said), lost.lines)
    draft.contract()
    return draft


def _must_be_ours(root: Node) -> None:
    kind, version = root.text("kind"), root.text("apiVersion")
    if kind != KIND:
        raise ContractError("kind", found=shown(kind), allowed=repr(KIND), hint="this is no data contract")
    if version is None or not re.fullmatch(r"v3\.\d+\.\d+", version):
        raise ContractError("apiVersion", found=shown(version), allowed="v3 of the standard, such as 'v3.1.0'")


def _chosen(root: Node, wanted: str | None) -> Node:
    """The schema object that is asked for, else the first; the others are told."""
    tables = root.nodes("schema")
    names = [item.needed_text("name") for item in tables]
    if not tables:
        raise ContractError("schema", found="no object", allowed="at least one with properties")
    if wanted is not None and wanted not in names:
        raise ContractError("no such schema object", found=shown(wanted), allowed=", ".join(map(shown, names)))
    chosen = tables[names.index(wanted) if wanted is not None else 0]
    for item, name in zip(tables, names, strict=True):
        if item is not chosen:
            root.lost.tell(f"schema object {shown(name)}: a contract is of one table; ask for it by --object")
    return chosen


def _columns(chosen: Node) -> list[tuple[DraftColumn, int | None]]:
    """The columns, each with its position in the primary key."""
    found: dict[str, tuple[DraftColumn, int | None]] = {}
    for number, node in enumerate(chosen.nodes("properties")):
        position = node.value("primaryKeyPosition")
        is_key = node.flag("primaryKey")
        if is_key and position is not None and (not isinstance(position, int) or isinstance(position, bool)):
            raise ContractError(node.at("primaryKeyPosition"), found=shown(position), allowed="a whole number")
        column = column_of(node)
        if column.name in found:
            raise ContractError(f"{chosen.at('properties')}: a name stands there twice", found=shown(column.name))
        rank = position if isinstance(position, int) and position > 0 else number + 1
        found[column.name] = (column, rank if is_key else None)
    if not found:
        raise ContractError(chosen.at("properties"), found="no property", allowed="at least one")
    return list(found.values())


def _name(root: Node, chosen: Node) -> str:
    """The document's name, or the object's where there are several; made to fit."""
    several = len(root.nodes("schema")) > 1
    said = (None if several else root.text("name")) or chosen.needed_text("name")
    root.text("name")
    fits = fitting_name(said)
    if fits != said:
        root.lost.tell(f"name: {shown(said)} became {fits!r}; --name gives another")
    return fits


def _version(root: Node) -> str:
    """The version as major.minor.patch."""
    said = root.needed_text("version")
    match = re.fullmatch(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?((?<=\d)[-+][0-9A-Za-z.-]+)?", said)
    if match is None:
        raise ContractError("version", found=shown(said), allowed="major.minor.patch, such as '1.0.0'")
    major, minor, patch, rest = match.groups()
    fits = f"{major}.{minor or 0}.{patch or 0}{rest or ''}"
    if fits != said:
        root.lost.tell(f"version: {shown(said)} became {fits!r}")
    return fits


def _owner(root: Node) -> str:
    """The team, else whoever is the owner in it, else its first member."""
    team = root.value("team")
    node = Node({"members": team} if isinstance(team, list) else team or {}, "team", root.lost)
    name, members = node.text("name"), node.nodes("members")
    people = [(member, member.needed_text("username"), (member.text("role") or "").lower()) for member in members]
    owners = [person for person in people if "owner" in person[2]] or people
    for member, username, _ in people:
        if name or username != owners[0][1]:
            root.lost.unread(member.where)
        else:
            member.tell_unread()
    node.tell_unread()
    if name or owners:
        return name or owners[0][1]
    root.lost.tell("owner: the document names no team; it became 'unknown'")
    return "unknown"


def _contact(root: Node) -> dict[str, str]:
    """The first channel of support, or its address where it is one for mail."""
    channels = root.nodes("support")
    for other in channels[1:]:
        root.lost.unread(other.where)
    if not channels:
        return {}
    channel, address = channels[0].needed_text("channel"), channels[0].value("url")
    mail = isinstance(address, str) and address.startswith("mailto:")
    channels[0].tell_unread()
    return {"contact": str(address).removeprefix("mailto:") if mail else channel}


def _key(chosen: Node, columns: list[tuple[DraftColumn, int | None]]) -> dict[str, Any]:
    ranked = [(rank, column.name) for column, rank in columns if rank is not None]
    ranks = [rank for rank, _ in ranked]
    if len(set(ranks)) < len(ranks):
        raise ContractError(f"{chosen.at('properties')}: two primaryKeyPositions are the same", found=sorted(ranks))
    return {"key": tuple(name for _, name in sorted(ranked))} if ranked else {}


def _agreements(root: Node, columns: list[tuple[DraftColumn, int | None]]) -> dict[str, Any]:
    """Durations among the service-level agreements, and the column of the time they speak of."""
    words = {word: argument for argument, word in SLA.items()}
    times = {column.name for column, _ in columns if column.dtype.logical == "time"}
    found: dict[str, Any] = {}
    for node in root.nodes("slaProperties"):
        said = node.needed_text("property")
        argument = words.get(_SYNONYMS.get(said.lower(), said.lower()))
        duration = _duration(node) if argument is not None and argument not in found else None
        if argument is None or duration is None:
            root.lost.tell(f"slaProperties: {shown(said)}")
            continue
        found[argument] = duration
        element = (node.text("element") or "").rsplit(".", 1)[-1]
        if element in times:
            found.setdefault("event_time", element)
        node.tell_unread()
    return found


def _duration(node: Node) -> timedelta | None:
    """A duration: a number and its unit, or ISO 8601."""
    value, unit = node.value("value"), node.text("unit")
    if unit is None:
        return parse_duration(value)
    length = _UNITS.get(unit.strip().lower())
    if length is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if length >= timedelta(days=31):
        node.lost.tell(f"{node.where}: a unit without a length; it became {length.days} days")
    node.value("valueExt")
    try:
        return length * value
    except OverflowError as error:
        raise ContractError(node.at("value"), found=shown(value), allowed="less than a billion days") from error


def _quality(chosen: Node) -> tuple[dict[str, Any], list[str]]:
    """Row counts as arguments, and the columns that are unique together."""
    found: dict[str, Any] = {}
    unique: list[str] = []
    for rule in chosen.nodes("quality"):
        kind, metric = rule.text("type") or "library", rule.value("metric") or rule.value("rule")
        names = (rule.node("arguments") or Node({}, rule.at("arguments"), rule.lost)).value("properties")
        if kind == "library" and metric == "rowCount" and (bounds := _row_count(rule)) and not bounds.keys() & found:
            found |= bounds
        elif kind == "library" and metric == "duplicateValues" and _is_zero(rule) and names and not unique:
            unique = _names(rule, names)
        else:
            rule.lost.tell(f"{rule.where}: a rule of type {kind!r}{f' with {metric!r}' if metric else ''}")
    return found, unique


def _is_zero(rule: Node) -> bool:
    return rule.value("mustBe") == 0 and rule.value("mustBe") is not False


def _names(rule: Node, names: Any) -> list[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ContractError(rule.at("arguments.properties"), found=shown(names), allowed="a list of property names")
    return names


def _row_count(rule: Node) -> dict[str, Any]:
    """The least number of rows, or the least and the greatest; nothing where the rule says neither."""
    between, exact = rule.value("mustBeBetween"), rule.value("mustBe")
    least, above = rule.value("mustBeGreaterOrEqualTo"), rule.value("mustBeGreaterThan")
    most, below = rule.value("mustBeLessOrEqualTo"), rule.value("mustBeLessThan")
    if (unit := rule.text("unit")) not in (None, "rows"):
        raise ContractError(rule.at("unit"), found=shown(unit), allowed="rows")
    if _is_count(least) or _is_count(above):
        return {"rows_min": least if _is_count(least) else above + 1}
    if _is_count(most) or (_is_count(below) and below > 0):
        return {"volume": (0, most if _is_count(most) else below - 1)}
    pair = between if between is not None else [exact, exact]
    return {"volume": tuple(pair)} if isinstance(pair, list) and len(pair) == 2 and all(map(_is_count, pair)) else {}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _schema(chosen: Node) -> dict[str, Any]:
    """Arguments of ``pandera.DataFrameSchema``."""
    ours, others = customs(chosen)
    found: dict[str, Any] = {name: ours.pop(name) for name in SCHEMA_FLAGS if name in ours}
    for name, value in found.items():
        if not isinstance(value, bool) and (name, value) != ("strict", "filter"):
            raise ContractError(f"{chosen.where}: tidegate.{name}", found=shown(value), allowed="true or false")
    for name in ours:
        chosen.lost.unread(f"{chosen.where}.customProperties: tidegate.{name}")
    texts = {"title": chosen.text("businessName"), "description": chosen.text("description")}
    metadata = {"metadata": others} if others else {}
    return found | {name: text for name, text in texts.items() if text is not None} | metadata


def _purpose(root: Node) -> dict[str, str]:
    """The document's purpose, which describes a table that has no description of its own."""
    said = root.value("description")
    node = Node({"purpose": said} if isinstance(said, str) else said or {}, "description", root.lost)
    purpose = node.text("purpose")
    node.tell_unread()
    return {"description": purpose} if purpose else {}


def _references(chosen: Node) -> dict[str, Any]:
    """Relationships whose table's file is known."""
    keys = []
    for node in chosen.nodes("relationships"):
        ours, _ = customs(node)
        origin, target = _ends(node, "from"), _ends(node, "to")
        if "table" in ours:
            keys.append(ForeignKey(tuple(origin), ours["table"], tuple(target)))
        else:
            node.lost.tell(f"{node.where}: where the other table lies is not said (tidegate.table)")
    return {"references": tuple(keys)} if keys else {}


def _ends(node: Node, key: str) -> list[str]:
    said = node.value(key)
    ends = said if isinstance(said, list) else [said]
    if not ends or not all(isinstance(end, str) for end in ends):
        raise ContractError(node.at(key), found=shown(said), allowed="table.column, or a list of them")
    return [end.replace("/", ".").rsplit(".", 1)[-1] for end in ends]


def _tell_rest(root: Node, chosen: Node) -> None:
    """What nobody has read."""
    for node, quiet in ((root, ("id",)), (chosen, ("logicalType", "physicalType"))):
        for key in quiet:
            node.value(key)
    if root.text("status") not in (None, "active"):
        root.lost.unread("status")
    if (identity := root.value("id")) not in (None, root.text("name")):
        root.lost.tell(f"id: {shown(identity)}")
    root.tell_unread()
    chosen.tell_unread()
