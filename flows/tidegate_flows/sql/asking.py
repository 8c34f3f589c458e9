"""Great Expectations, asked in the database."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, StoreError, UsageError
from tidegate_flows.sql.address import EXTRA
from tidegate_flows.sql.clause import Clause
from tidegate_flows.sql.table import Table

_LOST = ("OperationalError", "InterfaceError", "DisconnectionError")


def ask(
    connection: Connection, table: Table, view: Any, clauses: Sequence[Clause], rows: Any, contract: Contract
) -> Any:
    """What Great Expectations says: an ``ExpectationSuiteValidationResult`` with one result for each clause.

    Args:
        connection: A read-only transaction; all queries about rows run in it.
        table: The table.
        view: The query that gives its columns as the contract's types see them.
        clauses: What is asked.
        rows: The bounds of the number of rows, as keyword arguments.
        contract: What was promised; it names the suite.

    Raises:
        UsageError: Great Expectations is not installed.
        StoreError: The database was lost meanwhile.
        MonitorError: A query failed; that is never a violation.
    """
    with quiet():
        suite = _suite(clauses, rows, contract)
        # `validate` would keep one expectation of each type for a column, and drop the others in silence
        results = _validator(connection, table, view).graph_validate(
            configurations=suite.expectation_configurations,
            runtime_configuration={"result_format": {"result_format": "BASIC", "partial_unexpected_count": 0}},
        )
        result = _result(results, contract)
    for item in result.results:
        _require_answer(item)
    return result


def counts(result: Any, clauses: Sequence[Clause]) -> list[int]:
    """How many rows broke each clause."""
    found = {item.expectation_config.meta["tidegate"]["clause"]: item.result for item in result.results}
    return [int(found[number]["unexpected_count"] or 0) for number in range(len(clauses))]


def row_bounds_kept(result: Any) -> bool:
    """Whether the number of rows lies within its bounds."""
    found = (item for item in result.results if item.expectation_config.meta["tidegate"]["clause"] == "rows")
    return bool(next(found).success)


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings and no log lines of Great Expectations; what matters is in its results."""
    logger, nowhere = logging.getLogger("great_expectations"), logging.NullHandler()
    propagated = logger.propagate
    logger.addHandler(nowhere)
    logger.propagate = False  # a level would not do: loggers below it set their own while they are imported
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.propagate = propagated
        logger.removeHandler(nowhere)


def _suite(clauses: Sequence[Clause], rows: Any, contract: Contract) -> Any:
    try:
        from great_expectations.core import ExpectationSuite
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed", hint=EXTRA) from None

    said = [
        {
            "type": clause.expectation.kind,
            "kwargs": dict(clause.arguments),
            "meta": {"tidegate": {"clause": number, "rule": clause.expectation.rule}},
            "severity": clause.severity.value,
        }
        for number, clause in enumerate(clauses)
    ]
    meta = {"tidegate": {"clause": "rows"}}
    said.append({"type": "expect_table_row_count_to_be_between", "kwargs": rows, "meta": meta})
    return ExpectationSuite(name=contract.name, expectations=said)


def _result(results: list[Any], contract: Contract) -> Any:
    from great_expectations.core import ExpectationSuiteValidationResult

    kept = sum(bool(item.success) for item in results)
    statistics = {
        "evaluated_expectations": len(results),
        "successful_expectations": kept,
        "unsuccessful_expectations": len(results) - kept,
        "success_percent": 100 * kept / len(results),
    }
    return ExpectationSuiteValidationResult(
        success=kept == len(results),
        results=results,
        suite_name=contract.name,
        statistics=statistics,
        meta={"run_id": {"run_name": contract.name, "run_time": datetime.now(UTC)}},
    )


def _validator(connection: Connection, table: Table, view: Any) -> Any:
    """A validator whose queries all run in one transaction, with no context on disk and no progress bars."""
    import great_expectations
    from great_expectations.core.batch import Batch
    from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.validator.validator import Validator

    class Engine(SqlAlchemyExecutionEngine):
        """Great Expectations' engine on a transaction that is already open."""

        @contextmanager
        def get_connection(self) -> Iterator[Connection]:
            yield connection

    great_expectations.get_context(mode="ephemeral").enable_analytics(False)
    engine = Engine(engine=connection.engine, create_temp_table=False)
    data: Any = SqlAlchemyBatchData(  # a batch says that it takes a class, and takes an instance
        execution_engine=engine,
        selectable=view,
        create_temp_table=False,
        source_table_name=table.name,
        source_schema_name=table.schema,
    )
    validator = Validator(execution_engine=engine, batches=[Batch(data=data)])
    validator.metrics_calculator.show_progress_bars = False
    return validator


def _require_answer(item: Any) -> None:
    """A broken engine is reported as ``success=False``: only ``exception_info`` tells it from a violation.

    Raises:
        StoreError: The database was lost.
        MonitorError: Any other exception.
    """
    info = item.exception_info or {}
    nested = [info, *(part for part in info.values() if isinstance(part, dict))]
    raised = next((part for part in nested if part.get("raised_exception")), None)
    if raised is None:
        return
    config = item.expectation_config
    kinds = re.findall(r"^([A-Za-z_][\w.]*(?:Error|Exception))\b", str(raised.get("exception_traceback")), re.MULTILINE)
    kind = kinds[-1].rpartition(".")[2] if kinds else "an exception"
    where = config.kwargs.get("column") or ", ".join(config.kwargs.get("column_list", ())) or "the table"
    if kind in _LOST or any(name.rpartition(".")[2] in _LOST for name in kinds):
        raise StoreError("the database was lost while it was asked", found=f"{config.type} on {where}: {kind}")
    raise MonitorError(
        "Great Expectations could not ask the database",
        found=f"{config.type} on {where}: {kind}",
        hint="this is no verdict on the data",
    )
