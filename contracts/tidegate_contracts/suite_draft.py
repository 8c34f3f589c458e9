"""A suite of Great Expectations as the draft of a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate_contracts.arguments import COLUMNS, parse
from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.errors import ContractError
from tidegate_contracts.imported import Draft, DraftCheck, DraftColumn, fitting_name, in_order
from tidegate_contracts.imported_type import Dtype
from tidegate_contracts.suite import NotSaidError, Suite
from tidegate_contracts.types import LogicalType

KEPT = ("version", "owner", "contact", "key", "event_time", "time_zone", "prediction", "slices", "tolerance")
"""Arguments of a contract that a suite keeps in its ``meta``, for the way back."""

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
    suite, lost, words = Suite(), list[str](), dict[str, set[str]]()
    for item in expectations:
        kind = str(item.get("type", item.get("expectation_type")))
        try:
            suite.take(kind, item.get("kwargs"), _ours(item))
        except NotSaidError as why:
            lost.append(f"{kind}{_of(item)}: {why}")
            continue
        check = str(_ours(item).get("check", _CHECKS.get(kind, "impossible_values")))
        words.setdefault(check, set()).add(str(item.get("severity") or "critical"))
    if not suite.columns:
        raise ContractError("the suite names no columns", found=f"{len(expectations)} expectations")
    title = str(document.get("name", document.get("expectation_suite_name", "")))
    arguments = {"name": parse("name", name if name is not None else fitting_name(title))}
    arguments |= _kept(document, suite, lost) | _rows(suite) | _severity(words, lost)
    said = f"From the suite {title!r} of Great Expectations: read it, and say who owns it."
    columns = tuple(_columns(suite, lost))
    draft = Draft(said, columns, _schema(suite, arguments), in_order(arguments), tuple(lost))
    draft.contract()
    return draft


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
        plain = tuple(value) if isinstance(value, list) else value
        if not _is_allowed(name, plain, suite):
            lost.append(f"{name} in the suite's meta: not a value that it may have")
        elif name != "key" or not suite.together or [*plain] in suite.together:
            found[name] = plain
    return found


def _is_allowed(name: str, value: Any, suite: Suite) -> bool:
    """Whether an argument may have a value, and the columns that it names are there."""
    items = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(item, str | int | float) for item in items):
        return False
    try:
        parsed = parse(name, value)
    except ContractError:
        return False
    named = COLUMNS[name](parsed) if name in COLUMNS else ()
    return set(named) <= suite.columns.keys()


def _rows(suite: Suite) -> dict[str, Any]:
    if suite.most is not None:
        return {"rows_min": min(suite.least, 1), "volume": (suite.least, suite.most)}
    return {"rows_min": suite.least} if suite.least != 1 else {}


def _severity(words: Mapping[str, set[str]], lost: list[str]) -> dict[str, Any]:
    """Severities by check, where all expectations of a check agree on one."""
    found = {}
    for check, said in words.items():
        if said == {"critical"}:
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


def _columns(suite: Suite, lost: list[str]) -> Iterator[DraftColumn]:
    """The columns, in the order that is promised, then in the one in which they are named."""
    for name in dict.fromkeys((*(suite.ordered or ()), *suite.columns)):
        said = suite.columns[name]
        dtype = Dtype(said.dtype)
        checks = [_check(name, kind, arguments, dtype, lost) for kind, arguments in said.checks]
        flags = {"nullable": said.nullable, "unique": said.unique}
        wanted = {flag: True for flag, is_wanted in flags.items() if is_wanted}
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
