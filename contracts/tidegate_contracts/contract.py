"""The contract: plain pandera, and what pandera cannot say."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tidegate_contracts.alarm_budget import AlarmBudget
from tidegate_contracts.arguments import COLUMNS, names_in, parse
from tidegate_contracts.catalogue import is_advice
from tidegate_contracts.column import Column
from tidegate_contracts.dialect import fields_of, is_pattern, levels_of, schema_of
from tidegate_contracts.errors import ContractError
from tidegate_contracts.foreign_key import ForeignKey
from tidegate_contracts.identity import describe_schema, json_value
from tidegate_contracts.sample import Sample
from tidegate_contracts.severity import Severity
from tidegate_contracts.suppression import Suppression
from tidegate_contracts.upstream import Upstream


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a dataset promises.

    Only ``name``, ``version``, ``owner`` and ``schema`` are required; any pandera model or schema is valid, untouched.

    Args:
        name: The dataset, ``[a-z][a-z0-9_]{0,62}``.
        version: ``major.minor.patch``.
        owner: Who answers for the dataset.
        schema: A ``DataFrameModel`` or ``DataFrameSchema`` of ``pandera.pandas`` or ``pandera.polars``.
        contact: How to reach the owner.
        reviewed_on: When somebody last looked whether it is still right.
        key: Columns that identify a row together.
        entity: Columns that name whom or what a row is about; no entity may stand on both sides of a split.
        event_time: The column with the time at which a row's event happened.
        time_zone: The zone in which hours, days and naive times are read; None means UTC, and naive times stay naive.
        prediction_time: The column with the time at which the prediction was made; no feature may be later.
        features: Columns the model reads; by default all that are no key, time, prediction or label.
        prediction: The column with the model's prediction: a number, or a class.
        score: The column with the model's raw score before a calibrator; or a tuple of columns, the probability of each
            of ``classes`` in their order.
        model_version: The column that says which model scored a row.
        baseline: The column with what a simpler rule predicts.
        label: The column with what came true; not expected when a batch is gated.
        classes: The label's classes, or a mapping of each to the least and greatest share of rows it may have.
        decision_threshold: The prediction, in (0, 1), from which a case counts as positive.
        costs: What a false positive and a false negative cost, in one unit.
        floors: The least acceptable value of each metric of the model, such as ``{"recall": 0.6}``.
        bias_tolerance: The least prediction bias that matters, either way, in the label's unit, above zero.
        annotator: The column that says who gave a label.
        standardised: Columns scaled to mean 0 and standard deviation 1 on the training data.
        slices: Columns whose values name the subsets of rows that are watched one by one.
        cadence: How often a batch is expected.
        arrive_within: How long after the end of its window a batch may arrive.
        label_delay: How long after the event labels are complete.
        freshness: The greatest age of a batch's newest event.
        max_age: The greatest age of any row's event; older rows are set aside.
        volume: The least and greatest number of rows, or ``"learnt"`` from the reference's batches of the same season.
        scope: What the model was made for: a function from a data frame to one truth value a row, or a pandera check.
        upstream: What must be ready before a batch may be judged.
        references: Columns whose values must be keys of another table.
        population: For columns, the share of each category in the population that rows should represent.
        suppression: Whose rows must not be there.
        season: ``"day_of_week"`` where days of the week differ, ``"day_of_year"`` where also the times of the year do;
            None where nothing repeats.
        effect_floor: The least shift that matters, in standard deviations of the reference, above zero; what is proven
            and smaller is told and never more. A column's metadata may say another one.
        tolerance: The share of rows, in [0, 1), that may fail checks and be set aside while the rest is published.
        rows_min: The least number of rows in a batch.
        alarm_budget: How often statistics may alarm falsely. A contract that states one cannot be gated without an
            approved reference; one that states none is gated on its rules until a reference is approved.
        severity: The severity of a check's findings, by catalogue name.
        actions: What happens on ``info``, ``warning`` and ``critical``: ``pass``, ``quarantine``, ``halt``,
            ``fallback``; for people and for :mod:`lint <tidegate_contracts.lint>`.
        waived: Contract-time checks that do not apply here, by name, each with its reason.
        keep_sample: How many rows reports may keep; None keeps no row.
        failure_threshold: How many critical batches in a row open the breaker.
        cool_down: After how long an open breaker lets one batch probe; None waits for a person.
        on_monitor_error: What becomes of a batch when a check or statistic raises: ``"halt"`` gives no verdict and
            publishes nothing, ``"publish"`` publishes it whole and says ``verified: false``.
        shadow: Whether the gate only watches: it records what it would have done, and publishes every readable batch
            whole.
        path: Where it was loaded from (``path.py:name``); set by loading, no part of its identity.

    Raises:
        ContractError: An argument is wrong; the message says what was found and what is allowed.
    """

    name: str
    version: str
    owner: str
    schema: Any
    contact: str | None = None
    reviewed_on: date | None = None
    key: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()
    event_time: str | None = None
    time_zone: str | None = None
    prediction_time: str | None = None
    features: tuple[str, ...] | None = None
    prediction: str | None = None
    score: str | tuple[str, ...] | None = None
    model_version: str | None = None
    baseline: str | None = None
    label: str | None = None
    classes: tuple[Any, ...] | Mapping[Any, tuple[float, float]] = ()
    decision_threshold: float | None = None
    costs: tuple[float, float] | None = None
    floors: Mapping[str, float] = field(default_factory=dict)
    bias_tolerance: float = 0.02
    annotator: str | None = None
    standardised: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    cadence: timedelta | None = None
    arrive_within: timedelta | None = None
    label_delay: timedelta | None = None
    freshness: timedelta | None = None
    max_age: timedelta | None = None
    season: str | None = None
    tolerance: float = 0.0
    effect_floor: float = 0.02
    rows_min: int = 1
    volume: tuple[int, int] | str | None = None
    scope: Callable[[Any], Any] | None = None
    upstream: tuple[Upstream, ...] = ()
    references: tuple[ForeignKey, ...] = ()
    population: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    suppression: Suppression | None = None
    alarm_budget: AlarmBudget | None = None
    severity: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)
    keep_sample: Sample | None = None
    failure_threshold: int = 1
    cool_down: timedelta | None = None
    on_monitor_error: str = "halt"
    shadow: bool = False
    path: str | None = None

    if not TYPE_CHECKING:  # type checkers see the synthesised signature; people get errors with hints

        def __init__(self, **arguments: Any) -> None:
            for name, value in _complete(arguments).items():
                object.__setattr__(self, name, parse(name, value))
            self._validate()

    @cached_property
    def pandera_schema(self) -> Any:
        """The schema as pandera's ``DataFrameSchema``, the user's own object untouched."""
        return schema_of(self.schema)

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """All columns declared by name, in declared order, after the levels of the index; see :meth:`column`."""
        whole = self.pandera_schema.dtype
        fields_ = fields_of(self.pandera_schema).items()
        return MappingProxyType(
            {name: Column.of_pandera(name, item, whole) for name, item in fields_ if not is_pattern(item)}
        )

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], Any], ...]:
        columns = self.pandera_schema.columns.items()
        return tuple((re.compile(name), column) for name, column in columns if is_pattern(column))

    def pattern_of(self, name: str) -> Any:
        """The pandera column declared by the first pattern that a delivered column begins with; None for none."""
        return next((column for pattern, column in self._patterns if pattern.match(name)), None)

    def column(self, name: str) -> Column | None:
        """What is declared of a delivered column, by its name or by a pattern; None where nothing is."""
        if name in self.columns:
            return self.columns[name]
        found = self.pattern_of(name)
        return Column.of_pandera(name, found, self.pandera_schema.dtype) if found is not None else None

    def coerces(self, name: str) -> bool:
        """Whether the schema coerces a column itself."""
        field_ = fields_of(self.pandera_schema).get(name) or self.pattern_of(name)
        return field_ is not None and bool(field_.coerce or self.pandera_schema.coerce)

    @property
    def has_index(self) -> bool:
        """Whether the schema declares an index, which files keep among the columns."""
        return bool(levels_of(self.pandera_schema))

    @property
    def has_personal_key(self) -> bool:
        """Whether a row's key could name somebody, so that it is shown hashed only."""
        listed = self.suppression is not None and self.suppression.column in self.key
        return listed or any(self.columns[name].personal for name in self.key)

    def is_unique(self, name: str) -> bool:
        """Whether the schema itself says that a column has no value twice."""
        field_ = fields_of(self.pandera_schema).get(name)
        return field_ is not None and bool(field_.unique)

    @cached_property
    def later_columns(self) -> frozenset[str]:
        """Columns not expected when a batch is gated: the label, and those available only after the event."""
        later = {column.name for column in self.columns.values() if column.available > timedelta(0)}
        return frozenset(later | ({self.label} if self.label else set()))

    @cached_property
    def feature_columns(self) -> tuple[str, ...]:
        """The columns that the model reads and that are known at gate time."""
        if self.features is not None:
            return self.features
        roles = {*self.key, self.event_time, self.prediction, self.label, self.model_version, self.baseline}
        roles.update(self.score_columns)
        return tuple(name for name in self.columns if name not in roles and name not in self.later_columns)

    @property
    def score_columns(self) -> tuple[str, ...]:
        """The columns that ``score`` names."""
        return tuple(names_in(self.score))

    def is_watched(self, column: str) -> bool:
        """Whether a column may drift: its drift is not off, and it is not the model's version, which is to change."""
        return self.columns[column].drift != "off" and column != self.model_version

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of hours, days and windows."""
        return ZoneInfo(self.time_zone or "UTC")

    @cached_property
    def sha256(self) -> str:
        """The identity: a hash of the canonical JSON of all the contract says and of its custom checks' source."""
        text = json.dumps(self.describe(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def severity_of(self, check: str, default: Severity, column: str | None = None) -> Severity:
        """The severity of a finding: the column's ``drift`` word, else the contract's, else the default.

        Checks that only advise (priority 3) are never critical.
        """
        word = self.severity.get(check)
        if check in ("drift", "prediction_drift") and column is not None and column in self.columns:
            drift = self.columns[column].drift
            word = drift if drift not in (None, "off") else word
        severity = Severity(word) if word else default
        return Severity.WARNING if is_advice(check) and severity is Severity.CRITICAL else severity

    def effect_floor_of(self, column: str | None) -> float:
        """The least shift of a column that matters, in standard deviations of the reference."""
        own = self.columns[column].effect_floor if column is not None and column in self.columns else None
        return self.effect_floor if own is None else own

    def describe(self) -> dict[str, Any]:
        """All that the contract says, as JSON values."""
        schema = self.pandera_schema
        own = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("schema", "path")}
        return {
            **{name: json_value(value) for name, value in own.items()},
            "columns": [column.describe() for column in self.columns.values()],
            "schema": describe_schema(schema),
        }

    def _validate(self) -> None:
        """What one argument cannot know of itself: the columns that others name."""
        if not self.columns and not self.pandera_schema.columns:
            raise ContractError(f"contract {self.name!r}: the schema declares no columns")
        for argument, names_of in COLUMNS.items():
            for name in names_of(getattr(self, argument)):
                if not isinstance(name, str) or name not in self.columns:
                    close = get_close_matches(str(name), self.columns, n=1)
                    raise ContractError(
                        f"contract {self.name!r}: {argument} names an unknown column",
                        found=repr(name),
                        allowed=", ".join(self.columns),
                        hint=f"did you mean {close[0]!r}?" if close else None,
                    )
        if isinstance(self.score, tuple) and len(self.score) != len(self.classes):
            raise ContractError(
                f"contract {self.name!r}: score names a column for each class",
                found=f"{len(self.score)} columns and {len(self.classes)} classes",
                allowed="as many columns as classes, in their order",
                hint="name the classes in classes=(…); one raw score before a calibrator is score='column'",
            )
        for name in self.slices:
            if self.columns[name].personal:
                raise ContractError(
                    "slices names a personal column",
                    found=repr(name),
                    hint="its values would reach metrics and reports",
                )


def _complete(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with defaults for what is left out; refuses unknown and missing ones."""
    known = {item.name: item for item in fields(Contract)}
    for unknown in arguments.keys() - known.keys():
        close = get_close_matches(unknown, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else None
        raise ContractError("unknown contract argument", found=repr(unknown), allowed=", ".join(known), hint=hint)
    for name in ("name", "version", "owner", "schema"):
        if name not in arguments:
            raise ContractError(
                f"contract argument {name!r} is missing", hint="name, version, owner and schema are required"
            )
    defaults = {
        name: item.default_factory() if item.default_factory is not MISSING else item.default
        for name, item in known.items()
    }
    return defaults | dict(arguments)
