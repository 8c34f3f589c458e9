"""What a model says must be what it was asked for: a probability, a class, a finite number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.bounds import allowed_values, edges
from tidegate_contracts.categories import categories_of
from tidegate_contracts.clauses import Subject, clause
from tidegate_contracts.contract import Contract
from tidegate_contracts.outcome import Outcome, classes_of, outcome_of
from tidegate_contracts.reasons import Broken
from tidegate_contracts.types import LogicalType

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SUM_TOLERANCE = 1e-6
"""How far the probabilities of one row may be from a sum of 1, for each class."""

_PROBABILITY = "a probability, 0 <= p <= 1"
_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
_CLASSES = (LogicalType.INTEGER, LogicalType.BOOLEAN, LogicalType.TEXT, LogicalType.CATEGORY)


@clause
def invalid_predictions(subject: Subject) -> Iterator[Broken]:
    """Predictions that are infinite, no probability of one of two classes, or none of the classes; and class scores.

    A row that gives each class a probability (``score=(…)``) gives all or none; they lie in [0, 1] and sum to 1.

    What the schema refuses by its own checks is not blamed again. So a missing prediction is here only where another
    class of the same row has one: ``missing_values`` speaks of it, or the schema allows it with ``nullable``.
    """
    name = subject.contract.prediction
    values = subject.values(name)
    if name is not None and values is not None and name not in subject.contract.later_columns:
        for rule, wrong in _of_prediction(values, subject.contract):
            yield from _blamed(wrong, values, rule, name, subject.contract)
    if isinstance(subject.contract.score, tuple):
        yield from _of_scores(subject, subject.contract.score)


def _of_prediction(values: Any, contract: Contract) -> Iterator[tuple[str, Mask]]:
    """What a prediction has to be, and where it is not; missing ones are nowhere wrong."""
    declared = contract.columns[contract.prediction or ""].type.logical
    outcome, classes = outcome_of(contract), classes_of(contract)
    if contract.label is None and (classes or contract.decision_threshold is not None):
        outcome = Outcome.CLASSES if len(classes) > 2 else Outcome.BINARY
    if declared in _NUMBERS:
        numbers = _numbers(values)
        yield "finite", np.isinf(numbers)
        if outcome is Outcome.BINARY:
            own = [item for item in classes if isinstance(item, int | float)]
            rule = _PROBABILITY if set(own) <= {0, 1} else "a probability or a class"
            yield rule, np.isfinite(numbers) & ~_is_probability(numbers) & ~np.isin(numbers, own)
            return
    alike = str if declared in (LogicalType.TEXT, LogicalType.CATEGORY) else int
    if outcome is not Outcome.NUMBER and declared in _CLASSES and any(isinstance(item, alike) for item in classes):
        yield "one of the classes", _is_no_class(values, classes)


def _of_scores(subject: Subject, names: tuple[str, ...]) -> Iterator[Broken]:
    columns = {name: values for name in names if (values := subject.values(name)) is not None}
    if not all(pa.types.is_floating(item.type) or pa.types.is_integer(item.type) for item in columns.values()):
        return
    numbers = {name: _numbers(values) for name, values in columns.items()}
    spoilt = np.zeros(subject.batch.rows, dtype=bool)
    for name, column in numbers.items():
        outside = ~np.isnan(column) & ~_is_probability(column)
        spoilt |= outside
        yield from _blamed(outside, columns[name], _PROBABILITY, name, subject.contract)
    if len(columns) < len(names):
        return  # a column that is not there has its reason
    together = np.stack(list(numbers.values()))
    gaps = np.isnan(together)
    partly = np.asarray(gaps.any(axis=0) & ~gaps.all(axis=0))
    for place, name in enumerate(names):
        if not subject.contract.columns[name].nullable:
            partly &= ~gaps[place]  # missing_values has told it
        partly[subject.batch.unparsed.get(name, [])] = False
    listed = ", ".join(names)
    if partly.any():
        rule = f"a probability for each class or for none ({listed})"
        yield Broken("invalid_predictions", rule, None, np.flatnonzero(partly))
    with np.errstate(invalid="ignore"):
        off = np.abs(together.sum(axis=0) - 1) > SUM_TOLERANCE * len(names)
    rows = np.flatnonzero(off & ~spoilt)
    if rows.size:
        yield Broken("invalid_predictions", f"probabilities sum to 1 ({listed})", None, rows)


def _blamed(wrong: Mask, values: Any, rule: str, name: str, contract: Contract) -> Iterator[Broken]:
    rows = np.flatnonzero(wrong & ~_refused_by_schema(values, contract, name)) if wrong.any() else np.zeros(0)
    if rows.size:
        yield Broken("invalid_predictions", rule, name, rows.astype(np.int64))


def _refused_by_schema(values: Any, contract: Contract, name: str) -> Mask:
    """Which values of a column its own categories, ``isin`` or bounds refuse already; shape (rows,)."""
    found = np.zeros(len(values), dtype=bool)
    for known in (allowed_values(contract, name), categories_of(contract.columns[name].type.native)):
        if known:
            found |= _is_no_class(values, tuple(known))
    if contract.columns[name].type.logical in _NUMBERS:
        numbers = _numbers(values)
        low, high = edges(contract, name)
        found |= numbers < (-np.inf if low is None else low)
        found |= numbers > (np.inf if high is None else high)
    return found


def _is_probability(numbers: Floats) -> Mask:
    return np.asarray((numbers >= 0) & (numbers <= 1), dtype=bool)


def _is_no_class(values: Any, classes: tuple[Any, ...]) -> Mask:
    """Where a value is there and is none of some; each different value is looked at once."""
    encoded = values.dictionary_encode().unify_dictionaries().combine_chunks()
    known = set(classes)
    strange = [item is not None and item == item and item not in known for item in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, len(strange)).to_numpy(zero_copy_only=False)
    found: Mask = np.asarray([*strange, False], dtype=bool)[codes]
    return found


def _numbers(values: Any) -> Floats:
    """As floats, missing as NaN."""
    return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
