"""The same null batches through every tool: a random split, and the batches that follow a reference in real order."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.bench.alarms.history import History
from tests.bench.alarms.home import cache, interpreter
from tests.bench.alarms.judging import exceeding, generator, places, with_layout_of
from tests.bench.alarms.peers.classic import tests
from tests.bench.alarms.plan import Plan
from tests.bench.alarms.rates import Rate
from tidegate_contracts.types import LogicalType

_NUMBERS = (LogicalType.INTEGER, LogicalType.NUMBER)
_WORDS = (LogicalType.TEXT, LogicalType.CATEGORY, LogicalType.BOOLEAN)
_CATEGORIES_MAXIMUM = 1_000  # as for our own cells: beyond it a column names things and has no distribution
TOOLS = (
    "tidegate",
    "tidegate, two in a row",
    "tests p < .05",
    "tests, Bonferroni",
    "PSI > .2",
    "Evidently, columns",
    "Evidently, dataset",
    "NannyML, univariate",
    "NannyML, multivariate",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One reference and the batches held against it.

    Attributes:
        kind: ``random`` or ``real order``.
        number: Which of its kind.
        reference: Numbers of batches.
        current: Numbers of batches, in order.
    """

    kind: str
    number: int
    reference: tuple[int, ...]
    current: tuple[int, ...]

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.kind.replace(' ', '-')}_{self.number}"


@dataclass(frozen=True, slots=True)
class Noise:
    """What one tool said about null batches of one dataset.

    Attributes:
        dataset: The dataset.
        kind: ``random`` or ``real order``.
        tool: One of :data:`TOOLS`.
        rate: Batches with at least one alarm.
        alarms: Alarms a batch, over all columns.
    """

    dataset: str
    kind: str
    tool: str
    rate: Rate
    alarms: float


def cases(history: History, plan: Plan) -> Iterator[Case]:
    """References of sixty batches: random ones, and runs with the batches that follow."""
    total, blocks = len(history.batches), plan.peer_blocks
    for number in range(plan.peer_references):
        order = generator("peers", history.name, number).permutation(total)
        current = order[blocks : blocks + plan.peer_tests]
        yield Case("random", number, _numbers(order[:blocks]), _numbers(np.sort(current)))
        start = int(number * max(total - blocks - plan.peer_tests, 0) / max(plan.peer_references - 1, 1))
        run = range(start, start + blocks + plan.peer_tests)
        yield Case("real order", number, _numbers(run[:blocks]), _numbers(run[blocks:]))


def _numbers(values: Sequence[int] | np.ndarray) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def columns(history: History) -> tuple[list[str], list[str]]:
    """Watched numbers and categories, without times, keys, personal data and columns with too many values."""
    contract = history.contract
    kept = [name for name in history.watched() if name not in contract.key and not contract.columns[name].personal]
    numbers = [name for name in kept if contract.columns[name].type.logical in _NUMBERS]
    words = [name for name in kept if contract.columns[name].type.logical in _WORDS]
    pooled = pa.concat_tables([batch.table.select(words) for batch in history.batches[::3]]) if words else None
    few = [name for name in words if pooled is not None and _distinct(pooled.column(name)) <= _CATEGORIES_MAXIMUM]
    return numbers, few


def _distinct(values: pa.ChunkedArray) -> int:
    return len(values.unique())


def noise(history: History, plan: Plan) -> list[Noise]:
    """All tools on all cases of a dataset."""
    numbers, categories = columns(history)
    found: dict[tuple[str, str], list[int]] = {}
    folder = cache("peers", f"{history.name}-{plan.name}", "columns.json").parent
    folder.mkdir(parents=True, exist_ok=True)
    told = {"numbers": numbers, "categories": categories}
    (folder / "columns.json").write_text(json.dumps(told), encoding="utf-8")
    for case in cases(history, plan):
        reference, currents = _write(history, case, folder, [*numbers, *categories])
        for rows in currents:
            judged = tests(reference, rows, numbers, categories)
            for tool, count in zip(TOOLS[2:5], (judged.at_level(), judged.corrected(), judged.unstable()), strict=True):
                found.setdefault((case.kind, tool), []).append(count)
        for tool, counts in zip(TOOLS[:2], _ours(history, case), strict=True):
            found.setdefault((case.kind, tool), []).extend(counts)
    for tool in ("evidently", "nannyml"):
        for key, counts in _foreign(tool, folder).items():
            found.setdefault(key, []).extend(counts)
    return [
        Noise(history.name, kind, tool, Rate(sum(c > 0 for c in counts), len(counts)), float(np.mean(counts)))
        for (kind, tool), counts in found.items()
    ]


def _write(history: History, case: Case, folder: Path, names: list[str]) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The rows of a case as files for the tools that run elsewhere, and as frames."""
    frames = {
        number: history.batches[number].table.select(names).to_pandas().assign(batch=f"{number:05d}")
        for number in (*case.reference, *case.current)
    }
    for side in ("reference", "current"):
        frame = pd.concat([frames[number] for number in getattr(case, side)], ignore_index=True)
        frame.to_parquet(folder / f"{case.name}.{side}.parquet", index=False)
    reference = pd.concat([frames[number] for number in case.reference], ignore_index=True)
    return reference, [frames[number] for number in case.current]


def _ours(history: History, case: Case) -> tuple[list[int], list[int]]:
    """Exceedances of each batch, and those that are the second in a row."""
    made = with_layout_of(history, case.reference, case.current)
    reference, rng = made.reference(case.reference), generator("peers", "ours", history.name, case.name)
    single, double = [], []
    before: frozenset[object] = frozenset()
    for number in case.current:
        now = places(exceeding(made.profiles[number], reference, history.contract, rng), history)
        single.append(len({place[0] for place in now}))
        double.append(len({place[0] for place in now & before}))
        before = now
    return single, double


def _foreign(tool: str, folder: Path) -> dict[tuple[str, str], list[int]]:
    """What a tool in the bench's own environment says; nothing where it is not installed."""
    words = {"evidently": TOOLS[5:7], "nannyml": TOOLS[7:9]}[tool]
    if not interpreter().exists():
        return {}
    environment = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name(f"{tool}_defaults.py")
    done = subprocess.run([interpreter(), script, folder], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{tool} failed on {folder.name}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[tuple[str, str], list[int]] = {}
    for item in json.loads((folder / f"{tool}.json").read_text(encoding="utf-8")):
        kind = item["case"].rsplit("_", 1)[0].replace("-", " ")
        found.setdefault((kind, words[0]), []).append(item["columns"])
        found.setdefault((kind, words[1]), []).append(int(item["dataset"]))
    return found
