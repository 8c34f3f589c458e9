"""The two dialects of pandera that a schema may be written in, and the parts that every schema has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from tidegate_contracts.errors import ContractError

UNNAMED_LEVEL = re.compile(r"__index_level_\d+__")
"""The column in which pandas' files keep a level of the index that has no name."""


class Dialect(StrEnum):
    """For which kind of frame a schema is written."""

    PANDAS = "pandas"
    POLARS = "polars"


def schema_of(model_or_schema: Any) -> Any:
    """A pandera model or schema as a schema; the user's own object untouched.

    Raises:
        ContractError: It is neither.
    """
    import pandera.pandas

    if isinstance(model_or_schema, pandera.pandas.DataFrameSchema):
        return model_or_schema
    if isinstance(model_or_schema, type) and issubclass(model_or_schema, pandera.pandas.DataFrameModel):
        return model_or_schema.to_schema()
    if ".polars." in type(model_or_schema).__module__ or _is_polars_model(model_or_schema):
        import pandera.polars

        if isinstance(model_or_schema, pandera.polars.DataFrameSchema):
            return model_or_schema
        if isinstance(model_or_schema, type) and issubclass(model_or_schema, pandera.polars.DataFrameModel):
            return model_or_schema.to_schema()
    raise ContractError(
        "contract argument 'schema'",
        found=repr(model_or_schema),
        allowed="a DataFrameModel or DataFrameSchema of pandera.pandas or pandera.polars",
    )


def _is_polars_model(model: Any) -> bool:
    return isinstance(model, type) and any(".polars." in kind.__module__ for kind in model.__mro__)


def dialect_of(schema: Any) -> Dialect:
    """The dialect of a schema."""
    return Dialect.POLARS if ".polars." in type(schema).__module__ else Dialect.PANDAS


def levels_of(schema: Any) -> Mapping[str, Any]:
    """The declared levels of the index by the columns that hold them in a file."""
    levels = getattr(schema.index, "indexes", [schema.index])
    return MappingProxyType(
        {
            level.name if level.name is not None else f"__index_level_{position}__": level
            for position, level in enumerate(levels)
            if level is not None
        }
    )


def fields_of(schema: Any) -> Mapping[str, Any]:
    """Everything that is declared like a column: the levels of the index, then the columns and patterns."""
    return MappingProxyType({**levels_of(schema), **schema.columns})


def is_pattern(field: Any) -> bool:
    """Whether a field's name is a pattern for names of columns."""
    return bool(getattr(field, "regex", False))
