"""What a mean hides, and what labels say before all have come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandera.pandas as pa

import tidegate as tg
from tests.bench.alarms.judging import generator
from tests.bench.alarms.rates import Rate
from tests.bench.labels.family import LENGTHS, judged
from tests.bench.labels.plan import Plan
from tests.bench.labels.worlds import DAY, NAMES, START, World
from tidegate_monitors.bias import biases
from tidegate_monitors.bias_cells import Key
from tidegate_monitors.bias_findings import Told, bias_findings
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.label_judgement import Question, judge
from tidegate_monitors.label_report import LabelReport

RATES, OPPOSITE, WANTED = (0.10, 0.22), (0.05, -0.05), 0.90
BATCHES, ASKED = 40, 1
LATEST = 7.0
AGES = (1, 2, 3, 5)
_BIASES = ("prediction_bias", "bucket_bias", "slice_bias", "masked_slice_bias")
CONTRACT = tg.Contract(
    name="late",
    version="1.0.0",
    owner="bench",
    schema=pa.DataFrameSchema(
        {
            "s": pa.Column(str),
            "score": pa.Column(float, pa.Check.in_range(0, 1)),
            "came": pa.Column(float, pa.Check.isin([0, 1]), nullable=True, metadata={"available": "P7D"}),
        }
    ),
    prediction="score",
    label="came",
    slices=("s",),
    label_delay=timedelta(days=LATEST),
)


@dataclass(frozen=True, slots=True)
class Masked:
    """Two slices that are off by opposite amounts, so that the mean of all rows is right.

    Attributes:
        rate: The base rate.
        batches: Batches that are judged.
        told: Judgements that say ``masked_slice_bias``.
        both: Judgements that name both slices.
        overall: Judgements in which all rows alarm: what a look at the mean alone would find.
    """

    rate: float
    batches: int
    told: Rate
    both: Rate
    overall: Rate


def masked(plan: Plan) -> Iterator[Masked]:
    """Each base rate over each number of batches."""
    for rate in RATES:
        world, rng = World(rate), generator("masked", str(rate))
        counts = {length: [0, 0, 0] for length in LENGTHS}
        for _ in range(plan.masked):
            history = world.cohorts(max(LENGTHS), rng, predictions=OPPOSITE)
            for length, count in counts.items():
                for place, hit in enumerate(_said(history[-length:])):
                    count[place] += hit
        for length, count in counts.items():
            yield Masked(rate, length, *(Rate(hits, plan.masked) for hits in count))


def _said(history: Sequence[Cohort]) -> tuple[bool, bool, bool]:
    found = judged(history, ())
    table = {Key(bias.slice, bias.bucket): bias for bias in biases(history, WHOLE, binary=True)}
    checks = {alarm.check for alarm in bias_findings(Told(CONTRACT, table, history[-1].edges, None), found, ())}
    keys = {item.key for item in found if item.alarms}
    both = {Key(name, None) for name in NAMES[: len(OPPOSITE)]} <= keys
    return "masked_slice_bias" in checks, both, Key(None, None) in keys


@dataclass(frozen=True, slots=True)
class Immature:
    """The latest batch, some days after it, by a model that is right.

    Attributes:
        promised: Days after which the contract says that labels are complete; they are after seven.
        age: Days since the end of the batch.
        come: Share of its labels that have come.
        naive: The bias of the rows that have a label, on average; the true one is 0.
        believed: Batches whose 95 % interval, made of those rows, does not hold 0.
        said: Judgements that give a bias.
        alarmed: Judgements that alarm of one.
        immature: Judgements that say ``immature_labels``.
    """

    promised: float
    age: int
    come: float
    naive: float
    believed: Rate
    said: Rate
    alarmed: Rate
    immature: Rate


def immature(plan: Plan) -> Iterator[Immature]:
    """The batch at several ages, with an honest promise and with one of three days."""
    for promised in (LATEST, 3.0):
        contract = tg.Contract(
            **{name: getattr(CONTRACT, name) for name in ("name", "version", "owner", "schema", "prediction", "label")},
            slices=CONTRACT.slices,
            label_delay=timedelta(days=promised),
        )
        for age in AGES:
            yield _at(age, promised, contract, plan.masked // 2)


def _at(age: int, promised: float, contract: tg.Contract, repetitions: int) -> Immature:
    world, rng = World(0.2), generator("immature", age)
    come, naive = [], []
    counts = dict.fromkeys(("believed", "said", "alarmed", "immature"), 0)
    for _ in range(repetitions):
        history = _arrived(world, age, rng)
        latest = biases(history[-1:], WHOLE, binary=True)[0]
        come.append(history[-1].labelled / history[-1].rows)
        naive.append(latest.bias)
        counts["believed"] += latest.low is not None and latest.high is not None and not latest.low <= 0 <= latest.high
        report = _judge(history, contract, age)
        counts["said"] += bool(report.outcomes)
        counts["alarmed"] += any(alarm.check in _BIASES for alarm in report.findings)
        counts["immature"] += any(alarm.check == "immature_labels" for alarm in report.findings)
    rates = {name: Rate(count, repetitions) for name, count in counts.items()}
    return Immature(promised, age, float(np.mean(come)), float(np.mean(naive)), **rates)


def _arrived(world: World, age: int, rng: np.random.Generator) -> list[Cohort]:
    """Batches with the labels that have come so many days after the last: zeros soon, ones late, all in seven days."""
    made = world.rows(BATCHES, rng)
    label = (rng.random(made.day.size) < made.truth).astype(np.float64)
    lag = LATEST * np.where(label > 0, rng.beta(3, 1.5, label.size), rng.beta(1, 8, label.size))
    since = age + (BATCHES - 1 - made.day)
    return world.summed(made, made.prediction, np.where(lag <= since, label, np.nan), BATCHES)


def _judge(history: Sequence[Cohort], contract: tg.Contract, age: int) -> LabelReport:
    asked = frozenset(cohort.batch for cohort in history[-ASKED:])
    now = START + BATCHES * DAY + timedelta(days=age)
    return judge(Question(contract, history, asked, (), now, lambda _: iter(()), lambda _: None))
