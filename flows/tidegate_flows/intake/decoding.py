"""From staged bytes to a batch in the contract's types."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidegate_contracts.batch import Batch
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError
from tidegate_contracts.types import plain_values, reconcile
from tidegate_flows.decoder.decoded import require_types
from tidegate_flows.decoder.json_lines import KIND
from tidegate_flows.decoder.limits import in_force
from tidegate_flows.decoder.parts import SUFFIX as PARTS
from tidegate_flows.intake.json_cells import kind_of, reconcile_json, undeclared
from tidegate_flows.intake.names import SUFFIXES
from tidegate_flows.intake.range_index import with_range_index
from tidegate_flows.intake.received import tables_in
from tidegate_flows.intake.staged import Staged, UnreadableError
from tidegate_flows.intake.window import window_of

_CSV = (".csv", ".csv.gz")


def decode(staged: Staged, contract: Contract, *, text: bool | None = None) -> Batch:
    """Read a staged delivery and bring it to the contract's types.

    Bytes that somebody else wrote are decoded in a process of their own.

    Args:
        staged: The delivery.
        contract: Says which types.
        text: Whether cells of text are to be parsed; None asks the format.

    Raises:
        UnreadableError: It is not what its name says.
        MonitorError: It could not be decoded for reasons of our own.
    """
    suffix = staged.source.suffix
    if suffix.removesuffix(PARTS) not in SUFFIXES:
        raise UnreadableError(f"format {suffix or '(none)'}; allowed: {', '.join(SUFFIXES)}")
    try:
        found = [_own(staged)] if staged.own else tables_in(staged.path, suffix)
        table = _one([_valid(table) for table in found])
        if len(found) == 1:
            table = with_range_index(table, found[0].schema.metadata, contract)
    except MemoryError:
        raise MonitorError("no memory is left for the rows", hint="try again with smaller batches") from None
    except (pa.ArrowException, ValueError) as error:
        raise UnreadableError(f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}") from None
    return _reconciled(staged, contract, table, text=text)


def _own(staged: Staged) -> Any:
    """The rows of a parquet file that this process wrote itself.

    Raises:
        MonitorError: It cannot be read back.
    """
    try:
        with pq.ParquetFile(staged.path, page_checksum_verification=True) as file:
            in_force().check_shape(file.metadata.num_rows, file.metadata.num_columns)
            return file.read()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise MonitorError("the staged rows cannot be read back", found=why, hint="try again") from error


def _valid(table: Any) -> Any:
    """A table whose every offset, index and text is sound, without metadata that is not ours.

    Raises:
        UnreadableError: It is not, or a column name appears twice.
        ValueError: Likewise.
    """
    in_force().check_shape(table.num_rows, table.num_columns)
    require_types(table.schema)
    table.validate(full=True)
    fields = []
    for field in table.schema:
        name, _ = field.name, getattr(field.type, "tz", None)  # text that is no UTF-8 shows only when it is read
        kind = (field.metadata or {}).get(KIND)
        fields.append(pa.field(name, field.type, metadata={KIND: kind} if kind is not None else None))
    names = [field.name for field in fields]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UnreadableError(f"column names appear twice: {', '.join(sorted(twice))}")
    _require_dates(table)
    sound = pa.Table.from_arrays(table.columns, schema=pa.schema(fields)) if fields else table
    return _singles(sound.unify_dictionaries())


def _singles(table: Any) -> Any:
    """A table whose halves are singles, which hold each of them exactly: little can be computed with halves."""
    for index, field in enumerate(table.schema):
        if pa.types.is_float16(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.float32()))
    return table


def _require_dates(table: Any) -> None:
    """Refuse dates that no calendar here can hold: whoever turns them into Python's would stumble.

    Raises:
        UnreadableError: There are some.
    """
    for field, values in zip(table.schema, table.columns, strict=True):
        if pa.types.is_date(field.type):
            try:
                pc.min_max(values).as_py()
            except (ValueError, OverflowError):
                raise UnreadableError(f"column {field.name!r} holds dates outside the years 1 to 9999") from None


def _one(tables: list[Any]) -> Any:
    """The parts as one table; their columns must be the same.

    Raises:
        UnreadableError: They are not.
    """
    first, *others = tables
    names = first.column_names
    for number, other in enumerate(others, start=2):
        strange = set(names) ^ set(other.column_names)
        if strange:
            raise UnreadableError(f"part {number} has other columns than part 1: {', '.join(sorted(strange))}")
    if not others:
        return first
    try:
        return pa.concat_tables([_comparable(table.select(names)) for table in tables], promote_options="permissive")
    except pa.ArrowException:
        raise UnreadableError("the parts have columns of the same name and of different types") from None


def _comparable(table: Any) -> Any:
    """A part without what may differ between parts of one table: dictionaries."""
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(field.type.value_type))
    return table


def _reconciled(staged: Staged, contract: Contract, delivered: Any, *, text: bool | None) -> Batch:
    table, form = delivered, staged.source.suffix.removesuffix(PARTS)
    casts, mismatches, unparsed = {}, {}, {}
    for index, field in enumerate(delivered.schema):
        declared, values, kind = contract.column(field.name), delivered.column(index), kind_of(field)
        if text is None and "json" not in form:
            kind = None  # only our own reader of JSON says so
        if declared is None:
            table = table.set_column(index, field.name, plain_values(undeclared(values, kind)))
            continue
        if kind is not None:
            column = reconcile_json(values, kind, declared.type, contract.time_zone)
        else:
            parse = form in _CSV if text is None else text
            as_text = parse and pa.types.is_string(values.type)
            column = reconcile(values, declared.type, text=as_text, time_zone=contract.time_zone)
        table = table.set_column(index, field.name, column.values)
        if column.cast:
            casts[field.name] = column.cast
        if column.mismatch:
            mismatches[field.name] = column.mismatch
        if column.unparsed is not None:
            unparsed[field.name] = column.unparsed
    return Batch(
        dataset=contract.name,
        id=staged.id,
        source=staged.source,
        table=table,
        delivered=delivered,
        window=window_of(table, contract),
        casts=casts,
        mismatches=mismatches,
        unparsed=unparsed,
    )
