"""A suite of Great Expectations as the source of a contract file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate_contracts.arguments import COLUMNS, parse
from tidegate_contracts.catalogue import CATALOGUE
from tidegate_contracts.errors import ContractError
from tidegate_contracts.suite import NotSaidError, Suite, SuiteColumn

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


def from_suite(document: Mapping[str, Any], name: str | None = None) -> tuple[str, list[str]]:
    """A suite's document as the source of a contract file, and what the contract does not say.

    Args:
        document: What ``ExpectationSuite.to_json_dict`` gives; it may come from anywhere.
        name: The dataset's name; by default the suite's own, as far as it can be one.

    Raises:
        ContractError: It is no suite, or names no column.
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
    arguments = {"name": parse("name", name if name is not None else _slug(title))}
    arguments |= _kept(document, suite, lost) | _rows(suite) | _severity(words, lost)
    return _source(title, arguments, suite), lost


def _slug(text: str) -> str:
    found = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (found if found[:1].isalpha() else f"dataset_{found}")[:63].rstrip("_")


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


def _source(title: str, arguments: Mapping[str, Any], suite: Suite) -> str:
    """The contract file; every text in it stands as a literal."""
    names = [*(suite.ordered or ()), *(name for name in suite.columns if name not in (suite.ordered or ()))]
    together = [names_ for names_ in suite.together if tuple(names_) != arguments.get("key")]
    whole = [f"    unique={together[0]!r},"] if together else []
    whole += ["    strict=True,"] if suite.strict else []
    whole += ["    ordered=True,"] if suite.ordered is not None else []
    return "\n".join(
        [
            repr(f"From the suite {title!r} of Great Expectations: read it, and say who owns it."),
            "",
            "import pandas as pd",
            "import pandera.pandas as pa",
            "",
            "import tidegate as tg",
            "",
            "schema = pa.DataFrameSchema(",
            "    {",
            *(line for name in names for line in _column(name, suite.columns[name])),
            "    },",
            *whole,
            ")",
            "",
            "contract = tg.Contract(",
            *(f"    {name}={value!r}," for name, value in arguments.items()),
            "    schema=schema,",
            ")",
            "",
        ]
    )


def _column(name: str, column: SuiteColumn) -> Iterator[str]:
    words = [repr(column.dtype)] if column.dtype is not None else []
    words += ["nullable=True"] if column.nullable else []
    words += ["unique=True"] if column.unique else []
    if not column.checks:
        yield f"        {name!r}: pa.Column({', '.join(words)}),"
        return
    yield f"        {name!r}: pa.Column("
    yield from (f"            {word}," for word in words)
    yield "            checks=["
    times = (column.dtype or "").startswith(("datetime64", "timestamp", "date"))
    for check, arguments in column.checks:
        said = ", ".join(f"{word}={_literal(value, times=times)}" for word, value in arguments.items())
        yield f"                pa.Check.{check}({said}),"
    yield "            ],"
    yield "        ),"


def _literal(value: Any, *, times: bool) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(item, times=times) for item in value)}]"
    return f"pd.Timestamp({value!r})" if times and isinstance(value, str) else repr(value)
