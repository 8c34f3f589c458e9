"""A suite of Great Expectations as the draft of a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from tidegate_contracts.arguments import COLUMNS, parse
from tidegate_contracts.catalogue import CATALOGUE, is_advice
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import ContractError
from tidegate_contracts.imported import Draft, DraftCheck, DraftColumn, fitting_name, in_order
from tidegate_contracts.imported_type import Dtype
from tidegate_contracts.odcs.customs import arguments as decoded
from tidegate_contracts.odcs.plain import NoForm, unpaired
from tidegate_contracts.suite import NotSaidError, Suite, SuiteColumn, is_dtype
from tidegate_contracts.types import LogicalType

KEPT = tuple(item.name for item in fields(Contract) if item.name not in ("name", "schema", "path", "scope"))
"""Arguments of a contract that a suite keeps in its ``meta``, for the way back."""

SCHEMA_TEXTS, SCHEMA_FLAGS = ("title", "description"), ("coerce", "unique_column_names", "add_missing_columns")
"""What a schema says of a whole table, and a suite keeps in its ``meta``."""

_CHECKS: Mapping[str, str] = {
    "expect_column_values_to_not_be_null": "missing_values",
    "expect_column_values_to_be_in_set": "category_change",
    **dict.fromkeys(("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"), "duplicate_rows"),
    **dict.fromkeys(("expect_table_row_count_to_be_between", "expect_table_row_count_to_equal"), "volume"),
    **dict.fromkeys(
        (
            *("expect_column_to_exist", "expect_column_values_to_be_of_type"),
            *("expect_column_values_to_be_in_type_list", "expect_table_columns_to_match_set"),
            "expect_table_columns_to_match_ordered_list",
        ),
        "schema_mismatch",
    ),
}


def from_suite(document: Mapping[str, Any], name: str | None = None) -> Draft:
    """A suite's document as the draft of a contract.

    Args:
        document: What ``ExpectationSuite.to_json_dict`` gives; it may come from anywhere.
        name: The dataset's name; by default the suite's own, as far as it can be one.

    Raises:
        ContractError: It is no suite, names no column, or says what no contract can be.
    """
    expectations = document.get("expectations") if isinstance(document, Mapping) else None
    if not isinstance(expectations, list) or not all(isinstance(item, Mapping) for item in expectations):
        raise ContractError("no suite of Great Expectations", allowed="an object with a list of expectations")
    suite, lost = Suite(), list[str]()
    milder = _mapping(_ours(document).get("severity"))
    words = _taken(suite, expectations, milder, lost)
    if not suite.columns:
        raise ContractError("the suite names no columns", found=f"{len(expectations)} expectations")
    title = str(document.get("name", document.get("expectation_suite_name", "")))
    arguments = {"name": parse("name", name if name is not None else fitting_name(title))}
    kept = _kept(document, suite, lost)
    for column in suite.alone - {*(kept.get("key", ()) if len(kept.get("key", ())) == 1 else ())}:
        suite.columns[column].unique = True
    rows, severity = _rows(suite, kept), _severity(words, kept.pop("severity", {}), lost)
    arguments |= {key: value for key, value in kept.items() if key not in ("rows_min", "volume")} | rows | severity
    said = f"From the suite {title!r} of Great Expectations: read it, and say who owns it."
    columns = tuple(_columns(suite, _mapping(_ours(document).get("columns")), lost))
    schema = _schema(suite, arguments) | _schema_kept(_mapping(_ours(document).get("schema")))
    draft = Draft(said, columns, schema, in_order(arguments), tuple(lost))
    draft.contract()
    return draft


def _taken(suite: Suite, expectations: list[Any], milder: Mapping[str, Any], lost: list[str]) -> dict[str, set[str]]:
    """Take all expectations in; the severities that they state, by check."""
    words: dict[str, set[str]] = {}
    for item in expectations:
        kind, ours = str(item.get("type", item.get("expectation_type"))), _ours(item)
        check = str(ours.get("check", _CHECKS.get(kind, "impossible_values")))
        word = str(item.get("severity") or "critical")
        soft = ours.get("soft") is True and word == str(milder.get(check, "warning"))
        try:
            suite.take(kind, item.get("kwargs"), {**ours, "soft": soft})
        except NotSaidError as why:
            lost.append(f"{kind}{_of(item)}: {why}")
            continue
        words.setdefault(check, set()).update([] if soft else [word])
    return words


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _ours(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """What we wrote into a ``meta`` ourselves."""
    meta = item.get("meta")
    ours = meta.get("tidegate") if isinstance(meta, Mapping) else None
    return ours if isinstance(ours, Mapping) else {}


def _of(item: Mapping[str, Any]) -> str:
    arguments = item.get("kwargs")
    column = arguments.get("column") if isinstance(arguments, Mapping) else None
    return f" of column {column!r}" if isinstance(column, str) else ""


def _kept(document: Mapping[str, Any], suite: Suite, lost: list[str]) -> dict[str, Any]:
    """Arguments that the suite's ``meta`` kept, as far as they are allowed."""
    found: dict[str, Any] = {"version": "0.1.0", "owner": "unknown"}
    if suite.together:
        found["key"] = tuple(suite.together[0])
    for name, value in _ours(document).items():
        if name not in KEPT:
            continue
        try:
            plain = decoded({name: unpaired(value)}, "meta")[name]
            parsed = parse(name, plain)
            named = set(COLUMNS[name](parsed)) if name in COLUMNS else set()
        except (ContractError, NoForm, TypeError, ValueError, AttributeError):
            plain, named = None, set()
        if plain is None or not named <= suite.columns.keys():
            lost.append(f"{name} in the suite's meta: not a value that it may have")
        elif name != "key" or not suite.together or [*plain] in suite.together:
            found[name] = plain
    return found


def _rows(suite: Suite, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds of the number of rows: as they were kept, if these come to what the suite says, else the suite's."""
    volume, rows_min = kept.get("volume"), kept.get("rows_min", 1)
    bounds = volume if isinstance(volume, tuple) else (0, None)
    if (max(bounds[0], rows_min), bounds[1]) == (suite.least, suite.most):
        return {name: kept[name] for name in ("rows_min", "volume") if name in kept}
    if suite.most is not None:
        return {"rows_min": min(suite.least, 1), "volume": (suite.least, suite.most)}
    return {"rows_min": suite.least} if suite.least != 1 else {}


def _severity(words: Mapping[str, set[str]], kept: Mapping[str, str], lost: list[str]) -> dict[str, Any]:
    """Severities by check: as they were kept, but where all expectations of a check agree on another."""
    found = dict(kept)
    for check, said in words.items():
        word = found.get(check, "critical")
        if said <= {"warning" if check in CATALOGUE and is_advice(check) and word == "critical" else word}:
            continue
        if len(said) == 1 and check in CATALOGUE and said <= {"info", "warning"}:
            found[check] = next(iter(said))
        else:
            lost.append(f"severity of {check}: {', '.join(sorted(said))}; a contract has one severity for each check")
    return {"severity": found} if found else {}


def _schema(suite: Suite, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of ``pandera.DataFrameSchema``."""
    together = [names for names in suite.together if tuple(names) != arguments.get("key")]
    flags = {"strict": suite.strict, "ordered": suite.ordered is not None}
    return {**({"unique": together[0]} if together else {}), **{name: True for name, wanted in flags.items() if wanted}}


def _schema_kept(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What the suite's ``meta`` kept of the schema, as far as it is of its kind."""
    texts = {name: kept[name] for name in SCHEMA_TEXTS if isinstance(kept.get(name), str)}
    return texts | {name: True for name in SCHEMA_FLAGS if kept.get(name) is True} | _metadata(kept)


def _metadata(kept: Mapping[str, Any]) -> dict[str, Any]:
    metadata = _mapping(kept.get("metadata"))
    return {"metadata": unpaired({**metadata})} if metadata and all(isinstance(key, str) for key in metadata) else {}


def _dtype(said: SuiteColumn, kept: Mapping[str, Any]) -> Dtype:
    """The type that the suite says, else the one that its ``meta`` kept."""
    if said.dtype is not None:
        return Dtype(said.dtype)
    text = kept.get("dtype")
    if said.categories is not None or text == "category":
        return Dtype("category", said.categories, kept.get("ordered") is True)
    return Dtype(text if isinstance(text, str) and is_dtype(text) else None)


def _columns(suite: Suite, kept: Mapping[str, Any], lost: list[str]) -> Iterator[DraftColumn]:
    """The columns, in the order that is promised, then in the one in which they are named."""
    for name in dict.fromkeys((*(suite.ordered or ()), *suite.columns)):
        said, more = suite.columns[name], _mapping(kept.get(name))
        dtype = _dtype(said, more)
        checks = [_check(name, kind, arguments, dtype, lost) for kind, arguments in said.checks]
        flags = {"nullable": said.nullable, "unique": said.unique}
        wanted: dict[str, Any] = {flag: True for flag, is_wanted in flags.items() if is_wanted}
        wanted |= {"coerce": True} if more.get("coerce") is True else {}
        wanted |= {text: more[text] for text in SCHEMA_TEXTS if isinstance(more.get(text), str)} | _metadata(more)
        yield DraftColumn(name, dtype, tuple(check for check in checks if check is not None), wanted)


def _check(name: str, kind: str, arguments: Mapping[str, Any], dtype: Dtype, lost: list[str]) -> DraftCheck | None:
    """A check of a column's values, once pandera has taken it; texts are times where the column's values are."""
    try:
        check = DraftCheck(kind, {word: _timed(value, dtype) for word, value in arguments.items()})
        check.made()
    except (ValueError, TypeError, OverflowError):
        lost.append(f"{kind} of column {name!r}: its values make no check of this column")
        return None
    return check


def _timed(value: Any, dtype: Dtype) -> Any:
    if isinstance(value, list):
        return [_timed(item, dtype) for item in value]
    is_time = isinstance(value, str) and dtype.logical in (LogicalType.TIME, LogicalType.DATE)
    return dtype.moment(value) if is_time else value
