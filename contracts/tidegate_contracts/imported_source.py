"""The draft of a contract that another tool's document led to, as a Python file that makes the contract."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.imported import Draft, DraftCheck, DraftColumn
from tidegate_contracts.imported_type import Dtype
from tidegate_contracts.source import (
    Group,
    Named,
    Part,
    call,
    docstring,
    imports,
    keywords,
    laid_out,
    listed,
    literal,
    mapped,
    part_of,
    pattern,
)

_SHORT = {
    "greater_than_or_equal_to": "ge",
    "greater_than": "gt",
    "less_than_or_equal_to": "le",
    "less_than": "lt",
    "equal_to": "eq",
    "not_equal_to": "ne",
}


def source_of(draft: Draft) -> str:
    """The draft as the text of a Python file; the same draft gives the same text."""
    columns = mapped(((column.name, _column(column)) for column in draft.columns), split=True)
    schema = call("pa.DataFrameSchema", [columns, *keywords(draft.schema)], split=True)
    arguments = keywords(draft.arguments)
    contract = call("tg.Contract", [*arguments[:3], "schema=schema", *arguments[3:]], split=True)
    body = "\n\n".join(laid_out(item) for item in (Named("schema = ", schema), Named("contract = ", contract)))
    return "\n".join([docstring(draft.title), "", *imports(body), "", body, ""])


def _column(column: DraftColumn) -> Group:
    checks = [_check(check) for check in column.checks]
    named = [Named("checks=", listed(checks))] if checks else []
    return call("pa.Column", [*_dtype(column.dtype), *named, *keywords(column.arguments)])


def _check(check: DraftCheck) -> Group:
    made = {name: pattern(value) if name == "pattern" else part_of(value) for name, value in check.arguments.items()}
    parts: list[Part] = [*made.values()]
    if len(made) > 1 or check.kind == "str_length":  # one length without its name may mean any of three
        parts = [Named(f"{name}=", part) for name, part in made.items()]
    return call(f"pa.Check.{_SHORT.get(check.kind, check.kind)}", parts)


def _dtype(dtype: Dtype) -> Iterator[Part]:
    if dtype.categories is not None:
        yield call("pd.CategoricalDtype", [part_of([*dtype.categories]), Named("ordered=", literal(dtype.ordered))])
    elif dtype.arrow is not None:
        name, arguments = dtype.arrow
        yield call("pd.ArrowDtype", [call(f"pyarrow.{name}", map(part_of, arguments))])
    elif dtype.text is not None:
        yield literal(dtype.text)
