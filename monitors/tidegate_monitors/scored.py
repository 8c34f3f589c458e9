"""Scored rows with their labels: how predictions and labels of any kind become the numbers that are summed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tidegate_contracts.batch import Window
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.outcome import Outcome, classes_of, outcome_of, positive_of
from tidegate_contracts.types import LogicalType, logical_type, plain_values
from tidegate_monitors.buckets import deciles
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.reference import Reference
from tidegate_monitors.tally import Rows, Sum, Tally, summable
from tidegate_monitors.threshold import threshold_of

MISSING = "(missing)"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What is known of each row's label, in the order of the rows.

    Attributes:
        label: A ``pyarrow`` array; null where there is none, or none yet.
        settled: Whether it is known what came true, or that nothing will; shape (rows,).
        changes: How often the label changed after it first came; shape (rows,).
    """

    label: Any
    settled: npt.NDArray[np.bool_]
    changes: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One question that predictions answer: the number, the greater of two classes, or one class against the rest.

    Attributes:
        name: The class; ``""`` for a number and for two classes.
        prediction: A number, or a probability; NaN where there is none.
        label: A number, or 0 and 1; NaN where there is none.
        called: Whether the case counts as positive.
        simple: What the simpler rule predicts; None where there is none.
    """

    name: str
    prediction: Floats
    label: Floats
    called: npt.NDArray[np.bool_]
    simple: Floats | None = None


def prediction_columns(contract: Contract) -> tuple[str, ...]:
    """The columns that pairs of predictions and labels are made of: the prediction, and each class' probability."""
    scores = contract.score_columns if outcome_of(contract) is Outcome.CLASSES else ()
    return tuple(dict.fromkeys(name for name in (contract.prediction, *scores) if name is not None))


def cohort_columns(contract: Contract) -> tuple[str, ...]:
    """The columns that a cohort is made of, besides the key."""
    more = (*contract.score_columns, contract.baseline, contract.model_version, *contract.slices)
    return tuple(dict.fromkeys(name for name in (*prediction_columns(contract), *more) if name is not None))


def edges_of(contract: Contract, reference: Reference | None) -> tuple[float, ...]:
    """The inner edges of the buckets of a contract's predictions; none where these are classes and no numbers."""
    if outcome_of(contract) is Outcome.CLASSES:
        return deciles(reference, *contract.score_columns)
    assert contract.prediction is not None  # noqa: S101 - labels are joined to predictions only
    if _names_classes(contract, contract.columns[contract.prediction].type.logical):
        return ()
    return deciles(reference, contract.prediction)


def cohort_of(
    batch: str,
    window: Window | None,
    published: Any,
    labels: Labels,
    contract: Contract,
    reference: Reference | None,
    ended: datetime | None = None,
) -> Cohort:
    """The cohort of one published batch.

    Args:
        batch: Its id.
        window: Its event times.
        published: A ``pyarrow.Table`` with :func:`cohort_columns`, of the contract's types.
        labels: What is known of its rows.
        contract: What was promised.
        reference: Fixes the buckets and which values have a slice of their own.
        ended: When the batch was decided on; used where it has no window.
    """
    edges = edges_of(contract, reference)
    slices = {name: _texts(published.column(name)) for name in contract.slices if name in published.column_names}
    raw = _floats(published.column(contract.score)) if isinstance(contract.score, str) else None
    known = reference.layout.slices if reference is not None else None
    tallies = {}
    for case in cases(published, labels.label, contract):
        rows = Rows(case.prediction, case.label, labels.settled, slices, case.called, raw, case.simple)
        tallies[case.name] = Tally.of(rows, edges, known)
    return Cohort(
        batch=batch,
        window=window,
        rows=int(published.num_rows),
        settled=int(labels.settled.sum()),
        labelled=len(labels.label) - int(labels.label.null_count),
        reversed=int((labels.changes > 0).sum()),
        edges=edges,
        tallies=MappingProxyType(tallies),
        confusion=_confusion(published, labels.label, contract),
        versions=_versions(published, contract),
        ended=window.end if window is not None else ended,
    )


def bias_of(cohort: Cohort) -> float | None:
    """Mean prediction less mean label of a cohort; None without labels, and for several classes."""
    tally = cohort.tallies.get(WHOLE)
    if tally is None or not tally.overall[Sum.N]:
        return None
    return float(tally.overall[Sum.DIFFERENCE] / tally.overall[Sum.N])


def cases(published: Any, label: Any, contract: Contract) -> Iterator[Case]:
    """The questions that some rows' predictions answer, with the labels: one, or for several classes one a class.

    Args:
        published: A ``pyarrow.Table`` with :func:`prediction_columns`, and the baseline where it is wanted.
        label: A ``pyarrow`` array of the rows' labels.
        contract: What was promised.
    """
    predicted = published.column(contract.prediction)
    simple = contract.baseline if contract.baseline in published.column_names else None
    outcome = outcome_of(contract)
    if outcome is Outcome.CLASSES:
        yield from _one_against_the_rest(published, label, contract, simple)
        return
    base = None if simple is None else _probability(published.column(simple), contract)
    prediction = _probability(predicted, contract)
    if outcome is Outcome.NUMBER:
        yield Case(WHOLE, prediction, _floats(label), np.zeros(len(prediction), dtype=bool), base)
        return
    threshold = threshold_of(contract)
    with np.errstate(invalid="ignore"):
        yield Case(WHOLE, prediction, _is(label, positive_of(contract)), prediction >= threshold, base)


def pairs_of(batch: str, published: Any, label: Any, contract: Contract) -> Iterator[Pairs]:
    """The pairs of some rows, those without a prediction or a label left out; for several classes one a class."""
    for case in cases(published, label, contract):
        both = np.isfinite(case.prediction) & np.isfinite(case.label)
        yield Pairs(batch, case.name, case.prediction[both], case.label[both], case.called[both])


def _one_against_the_rest(published: Any, label: Any, contract: Contract, simple: str | None) -> Iterator[Case]:
    classes = classes_of(contract)
    predicted = published.column(contract.prediction)
    called, true = _codes(predicted, classes), _codes(label, classes)
    has, present = _present(label), _present(predicted)
    base = None if simple is None else (_codes(published.column(simple), classes), _present(published.column(simple)))
    for index, name in enumerate(classes):
        if contract.score_columns and isinstance(contract.score, tuple):
            prediction = _floats(published.column(contract.score[index]))
        else:
            prediction = np.where(present, called == index, np.nan)
        rule = None if base is None else np.where(base[1], base[0] == index, np.nan)
        yield Case(str(name), prediction, np.where(has, true == index, np.nan), called == index, rule)


def _confusion(published: Any, label: Any, contract: Contract) -> tuple[tuple[int, ...], ...]:
    if outcome_of(contract) is not Outcome.CLASSES:
        return ()
    classes = classes_of(contract)
    called, true = _codes(published.column(contract.prediction), classes), _codes(label, classes)
    both = (called >= 0) & (true >= 0)
    size = len(classes)
    counts = np.bincount(called[both] * size + true[both], minlength=size * size).reshape(size, size)
    return tuple(map(tuple, counts.tolist()))


def _versions(published: Any, contract: Contract) -> Mapping[str, int]:
    name = contract.model_version
    if name is None or name not in published.column_names:
        return MappingProxyType({})
    texts, counts = np.unique(_texts(published.column(name)), return_counts=True)
    return MappingProxyType(dict(zip(texts.tolist(), counts.tolist(), strict=True)))


def _names_classes(contract: Contract, kind: LogicalType) -> bool:
    """Whether predictions of a kind are classes themselves, where there are two, and no probabilities."""
    if outcome_of(contract) is Outcome.NUMBER:
        return False
    if kind is LogicalType.INTEGER:
        return not {*classes_of(contract)} <= {0, 1}
    return kind in (LogicalType.TEXT, LogicalType.CATEGORY, LogicalType.BOOLEAN)


def _probability(values: Any, contract: Contract) -> Floats:
    """What was predicted as a number; for a class 1 where it is the greater of two."""
    if _names_classes(contract, logical_type(values.type)):
        return _is(values, positive_of(contract))
    return _floats(values)


def _is(values: Any, wanted: Any) -> Floats:
    """1 where a value is the wanted one, 0 where it is another, NaN where there is none."""
    return np.where(_present(values), _codes(values, (wanted,)) == 0, np.nan)


def _floats(values: Any) -> Floats:
    """A column as float64, NaN where there is no value, or one that is too large to be summed.

    Raises:
        UsageError: It holds no numbers.
    """
    kind = values.type
    if logical_type(kind) not in (LogicalType.BOOLEAN, LogicalType.INTEGER, LogicalType.NUMBER, LogicalType.ANY):
        raise UsageError("predictions and labels are numbers or classes", found=str(kind))
    whole = values.cast(pa.int8()) if pa.types.is_boolean(kind) else values
    numbers = pc.fill_null(whole.cast(pa.float64(), safe=False), float("nan"))
    found = np.asarray(numbers.to_numpy(zero_copy_only=False) if isinstance(numbers, pa.Array) else numbers.to_numpy())
    return np.where(summable(found), found, np.nan)


def _present(values: Any) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_valid(values))


def _codes(values: Any, classes: Sequence[Any]) -> npt.NDArray[np.int64]:
    """The place of each value among the classes; -1 for none of them."""
    place = {name: index for index, name in enumerate(classes)}
    distinct, codes = _encoded(values)
    table = np.array([*(place.get(value, -1) for value in distinct), -1], dtype=np.int64)
    return table[codes]


def _texts(values: Any) -> npt.NDArray[np.str_]:
    """A column as text."""
    distinct, codes = _encoded(values)
    return np.array([*(str(value) for value in distinct), MISSING])[codes]


def _encoded(values: Any) -> tuple[list[Any], npt.NDArray[np.int64]]:
    """The distinct values of a column, and the place of each row's among them; -1 where it has none."""
    plain = plain_values(values)
    distinct = pc.unique(plain.drop_null())
    places = pc.fill_null(pc.index_in(plain, value_set=distinct, skip_nulls=True), -1)
    return distinct.to_pylist(), np.asarray(places).astype(np.int64)
