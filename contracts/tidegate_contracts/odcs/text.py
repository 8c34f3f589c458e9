"""Documents as text: the only place that reads or writes YAML.

Reading is safe and bounded: no tags, no duplicate keys, few levels, and a document that aliases blow up is refused
before it is built. Words are read as YAML 1.2 reads them, so that the country ``NO`` is no boolean.
"""

from __future__ import annotations

import math
import re
from typing import Any

from tidegate_contracts.errors import ContractError

BYTES_MAXIMUM = 4 * 2**20
NODES_MAXIMUM = 200_000
LEVELS_MAXIMUM = 40

# YAML 1.2's core schema; PyYAML's own is 1.1's, in which yes, NO, on and 12:30 are no texts
_WORDS = {
    "tag:yaml.org,2002:null": (re.compile(r"~|null|Null|NULL|"), [*"~nN", ""]),
    "tag:yaml.org,2002:bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), [*"tTfF"]),
    "tag:yaml.org,2002:int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), [*"-+0123456789"]),
    "tag:yaml.org,2002:float": (
        re.compile(
            r"[-+]?(?:[0-9]*\.[0-9]+|[0-9]+\.?)[eE][-+]?[0-9]+|[-+]?(?:[0-9]*\.[0-9]+|[0-9]+\.)"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        [*"-+.0123456789"],
    ),
    "tag:yaml.org,2002:merge": (re.compile(r"<<"), ["<"]),
}
_SCALARS = ("str", "null", "bool", "int", "float")
_NUMBER_DIGITS = 400
_BREAKS = {"\x85", "\u2028", "\u2029", "\ufeff"}  # line breaks of YAML 1.1, which must be escaped to survive


def read(data: bytes) -> dict[str, Any]:
    """The document in a file's bytes: YAML, or JSON, which is YAML too.

    Raises:
        ContractError: It is too large or too deep, has tags or aliases that blow it up, or is no mapping.
    """
    if len(data) > BYTES_MAXIMUM:
        raise ContractError("the document is too large", found=f"{len(data)} bytes", allowed=f"{BYTES_MAXIMUM} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractError("the document is no text", found=f"no UTF-8 at byte {error.start}") from error
    document = _parse(text)
    if not isinstance(document, dict) or not document:
        raise ContractError("the document says nothing", found=_kind(document), allowed="a mapping of names to values")
    return document


def write(document: dict[str, Any]) -> str:
    """A document as YAML; texts that YAML 1.1 or 1.2 would read as something else are quoted."""
    import yaml  # type: ignore[import-untyped] # PyYAML ships no types

    class Dumper(yaml.SafeDumper):  # type: ignore[misc] # as above
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
            return True

        def represent_str(self, data: str) -> Any:
            style = '"' if _BREAKS & set(data) else None
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, Dumper.represent_str)
    for tag, (pattern, first) in _WORDS.items():
        Dumper.add_implicit_resolver(tag, re.compile(f"(?:{pattern.pattern})$"), first)
    text = yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)
    return str(text)


def _parse(text: str) -> Any:
    import yaml

    loader = None
    try:
        _bound(text)
        loader = _loader()(text)
        node = loader.get_single_node()
        _measure(node, {}, ())
        return None if node is None else _build(node, loader, {})
    except yaml.YAMLError as error:
        raise ContractError("the document is no YAML", found=_problem(error)) from error
    finally:
        if loader is not None:
            loader.dispose()


def _loader() -> Any:
    """PyYAML's safe loader with the words of YAML 1.2; libyaml's where it is there, which is ten times faster."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # PyYAML ships no types
        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own way

    for tag, (pattern, first) in _WORDS.items():
        Loader.add_implicit_resolver(tag, re.compile(f"(?:{pattern.pattern})$"), first)
    return Loader


def _bound(text: str) -> None:
    """Refuse too many nodes and levels while they stream by, before anything is built."""
    import yaml

    level = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
        level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if level > LEVELS_MAXIMUM:
            raise ContractError("the document is too deep", found=_line(event), allowed=f"{LEVELS_MAXIMUM} levels")
        if nodes > 2 * NODES_MAXIMUM:
            raise ContractError("the document has too many values", allowed=f"{NODES_MAXIMUM} values")


def _measure(node: Any, seen: dict[int, tuple[int, int]], above: tuple[int, ...]) -> tuple[int, int]:
    """How many values and levels a node stands for once its aliases are written out; each node is looked at once."""
    if id(node) in above:
        raise ContractError("the document holds itself", found=_line(node), hint="an alias names what it stands in")
    if id(node) not in seen:
        children = node.value if node is not None and not isinstance(node.value, str) else []
        flat = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        parts = [_measure(part, seen, (*above, id(node))) for part in flat]
        seen[id(node)] = 1 + sum(size for size, _ in parts), 1 + max((levels for _, levels in parts), default=0)
    size, levels = seen[id(node)]
    if size > NODES_MAXIMUM or levels > LEVELS_MAXIMUM:
        raise ContractError(
            "the document is too large once its aliases are written out",
            found=_line(node),
            allowed=f"{NODES_MAXIMUM} values on {LEVELS_MAXIMUM} levels",
        )
    return size, levels


def _build(node: Any, loader: Any, built: dict[int, Any]) -> Any:
    """The value of a node: texts, numbers, truth values, nothing, lists and mappings, and no other."""
    if id(node) not in built:
        built[id(node)] = _made(node, loader, built)
    return built[id(node)]


def _made(node: Any, loader: Any, built: dict[int, Any]) -> Any:
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    if kind == "map" and isinstance(node.value, list):
        return _mapping(node, loader, built)
    if kind == "seq" and isinstance(node.value, list):
        return [_build(item, loader, built) for item in node.value]
    text = node.value
    if not isinstance(text, str) or kind not in _SCALARS or (kind == "bool" and text.lower() not in ("true", "false")):
        raise ContractError(
            "the document has a tag", found=f"{node.tag!r}, {_line(node)}", allowed="no tags: plain values only"
        )
    if kind in ("int", "float"):
        return _number(node, kind)
    return {"null": None, "bool": text.lower() == "true"}.get(kind, text)


def _mapping(node: Any, loader: Any, built: dict[int, Any]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        if not isinstance(key, str) or key_node.tag.removeprefix("tag:yaml.org,2002:") not in _SCALARS:
            raise ContractError("a key is no text", found=_line(key_node), allowed="texts; no merge keys")
        if key in mapping:
            raise ContractError("a key stands there twice", found=f"{_short(key)}, {_line(key_node)}")
        mapping[key] = _build(value_node, loader, built)
    return mapping


def _number(node: Any, kind: str) -> int | float:
    """A finite number; what is beyond the range of floats is refused, as NaN is."""
    text = node.value.replace("_", "")
    if len(text) <= _NUMBER_DIGITS:
        try:
            value = int(text) if kind == "int" else float(text)
            if math.isfinite(float(value)):
                return value
        except (ValueError, OverflowError):
            pass
    raise ContractError(
        "a number cannot be meant", found=f"{_short(node.value)}, {_line(node)}", allowed="finite numbers below 1.8e308"
    )


def _line(node: Any) -> str:
    mark = getattr(node, "start_mark", None)
    return "nothing" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"


def _problem(error: Any) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "what cannot be read"
    return _short(problem, quote=False) + where


def _short(text: object, *, quote: bool = True) -> str:
    found = str(text)
    found = found if len(found) <= 60 else found[:60] + "…"
    return repr(found) if quote else found.replace("\n", " ")


def _kind(value: Any) -> str:
    return {"NoneType": "nothing", "list": "a list", "str": "a text", "dict": "an empty mapping"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )
