"""The draft of a contract: plain values that another tool's document led to, checked by making the contract of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import ContractError
from tidegate_contracts.imported_type import Dtype


@dataclass(frozen=True, slots=True)
class DraftCheck:
    """A check that pandera brings with it.

    Attributes:
        kind: The method of ``pandera.Check``.
        arguments: Its arguments by name, among them ``name``, ``error``, ``ignore_na`` and ``raise_warning``.
    """

    kind: str
    arguments: Mapping[str, Any]

    def made(self) -> Any:
        """The ``pandera.Check``."""
        import pandera.pandas as pa

        return getattr(pa.Check, self.kind)(**self.arguments)


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """A column.

    Attributes:
        name: Its name, or the pattern of names where ``arguments`` says ``regex``.
        dtype: Its type.
        checks: Its checks.
        arguments: Arguments of ``pandera.Column`` that differ from its defaults, such as ``nullable``.
    """

    name: str
    dtype: Dtype
    checks: tuple[DraftCheck, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def made(self) -> Any:
        """The ``pandera.Column``."""
        import pandera.pandas as pa

        return pa.Column(self.dtype.value, checks=[check.made() for check in self.checks], **self.arguments)


@dataclass(frozen=True, slots=True)
class Draft:
    """A contract as plain values.

    Attributes:
        title: What it was made of: a sentence for people.
        columns: The columns, in order.
        schema: Arguments of ``pandera.DataFrameSchema`` that differ from its defaults, such as ``strict``.
        arguments: Arguments of the contract but its schema.
        lost: What the document said and a contract cannot say, one line each.
    """

    title: str
    columns: tuple[DraftColumn, ...]
    schema: Mapping[str, Any]
    arguments: Mapping[str, Any]
    lost: tuple[str, ...] = ()

    def contract(self) -> Contract:
        """The contract.

        Raises:
            ContractError: What the document says is no contract.
        """
        import pandera.pandas as pa
        from pandera.errors import SchemaDefinitionError, SchemaInitError

        try:
            columns = {column.name: column.made() for column in self.columns}
            schema = pa.DataFrameSchema(columns, **self.schema)
            contract = Contract(**self.arguments, schema=schema)
            contract.describe()  # columns and their metadata are parsed when they are read
        except (SchemaDefinitionError, SchemaInitError, TypeError, ValueError, OverflowError) as error:
            raise ContractError("the document makes no contract", found=str(error)[:200]) from error
        return contract


def in_order(said: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments in the contract's own order, but for those that say what is so anyway."""
    usual = {item.name: item.default for item in fields(Contract)}
    return {name: said[name] for name in usual if name in said and said[name] != usual[name]}


def fitting_name(text: str) -> str:
    """What another tool calls a dataset, made to fit as the name of a contract."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (name if name[:1].isalpha() else f"dataset_{name}")[:63].rstrip("_")
