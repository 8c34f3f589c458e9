"""The measured rows as markdown tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.alarms.exchangeable import Exchangeable
from tests.bench.alarms.order import Ordered, Seasonal
from tests.bench.alarms.peers.comparing import TOOLS, Noise
from tests.bench.alarms.planted import Hostile, Planted
from tests.bench.alarms.rates import Rate
from tests.bench.alarms.shifts import Shift
from tests.bench.alarms.simulated import Power


@dataclass(frozen=True, slots=True)
class Facts:
    """What a dataset is.

    Attributes:
        dataset: Its short name.
        what: Its rows and batches.
        rows: How many rows.
        columns: Profiled columns.
        batches: How many batches.
        typical: The median number of rows in a batch.
        package: Where it came in.
        licence: Its licence.
    """

    dataset: str
    what: str
    rows: int
    columns: int
    batches: int
    typical: int
    package: str
    licence: str


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def share(value: float) -> str:
    """A share with three decimals, without its zero."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def _of(rate: Rate) -> str:
    return f"{share(rate.share)} ({rate.hits} of {rate.batches:,})" if rate.batches else "–"


def _word(ok: bool) -> str:
    return "yes" if ok else "**no**"


def _named(columns: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in columns) or "–"


def data(facts: Sequence[Facts]) -> str:
    """What the datasets are."""
    rows = [
        (f.dataset, f.what, f"{f.rows:,}", str(f.columns), str(f.batches), f"{f.typical:,}", f.package, f.licence)
        for f in facts
    ]
    return table(
        ("dataset", "a row, a batch", "rows", "columns", "batches", "rows a batch", "package", "licence"), rows
    )


def exchangeable(found: Sequence[Exchangeable]) -> str:
    """The rates of exchangeable batches, and all datasets together."""
    keys = list(dict.fromkeys((item.variant, item.blocks) for item in found))
    parts = []
    for variant, blocks in keys:
        items = [item for item in found if (item.variant, item.blocks) == (variant, blocks)]
        rows = [
            (
                item.dataset,
                str(len(item.spread.rates)),
                f"{item.spread.total.batches:,}",
                share(item.spread.total.share),
                share(item.spread.upper),
                share(item.spread.percentile_95),
                f"{item.spread.total.share / item.promised:.2f}",
            )
            for item in items
        ]
        ratio = float(np.mean([item.spread.total.share / item.promised for item in items]))
        title = f"**{variant}, {blocks} blocks: promised {share(1 / (blocks + 1))}; mean ratio {ratio:.2f}**"
        head = ("dataset", "references", "batches", "mean rate", "upper 95 %", "one reference in 20", "mean ÷ promised")
        parts.append(title + "\n\n" + table(head, rows))
    return "\n\n".join(parts)


def order(found: Sequence[Ordered]) -> str:
    """The rates in real order."""
    rows = [
        (
            item.dataset,
            str(item.blocks),
            "pinned and latest" if item.latest else "pinned",
            share(item.limit),
            _of(item.near),
            _word(item.near.share <= item.limit),
            _of(item.far),
            _word(item.far.share <= item.limit),
            _of(item.near_warnings),
            _of(item.far_warnings),
            _named(item.columns),
        )
        for item in sorted(found, key=lambda item: (item.latest, item.blocks))
    ]
    near, far = ("batches 1–30", "met"), ("batches 31–90", "met")
    head = (
        "dataset",
        "blocks",
        "held against",
        "2/(B+1)",
        *near,
        *far,
        "warnings 1–30",
        "warnings 31–90",
        "where most",
    )
    return table(head, rows)


def season(found: Sequence[Seasonal]) -> str:
    """The warnings against references that span the season."""
    names = ("single", "warnings", "slow")
    single, warned, slow = (sum((getattr(item, name) for item in found), Rate(0, 0)) for name in names)
    rows = [
        _seasonal_row(
            item.dataset,
            str(item.blocks),
            item.single,
            item.warnings,
            item.slow,
            _named(item.columns),
        )
        for item in found
    ]
    rows.append(_seasonal_row("all", "", single, warned, slow, ""))
    head = ("dataset", "blocks", "batches that exceed", "two in a row", "the stream", "upper 95 %", "≤ 1/300", "where")
    return table(head, rows)


def _seasonal_row(dataset: str, blocks: str, single: Rate, warned: Rate, slow: Rate, where: str) -> tuple[str, ...]:
    either = Rate(min(warned.hits + slow.hits, warned.batches), warned.batches)
    upper = share(either.upper)
    return (dataset, blocks, _of(single), _of(warned), _of(slow), upper, _word(either.upper <= 1 / 300), where)


def simulated(found: Sequence[Power]) -> str:
    """The power on simulated batches."""
    rows = [
        (item.what, item.by, _of(item.rate), f"{'≤' if item.below else '≥'} {share(item.wanted)}", _word(item.met))
        for item in found
    ]
    return table(("what was done", "found when", "share", "wanted", "met"), rows)


def shifts(found: Sequence[Shift]) -> str:
    """Printed and found sizes."""
    rows = [
        (
            item.dataset,
            item.column,
            item.how,
            f"{item.printed:.3f}",
            "–" if item.found is None else f"{item.found:.3f}",
            "–" if item.ratio is None else f"{item.ratio:.2f}",
            _word(item.ratio is not None and 0.75 <= item.ratio <= 1.25),
        )
        for item in found
    ]
    notes = []
    for how in ("added", "scores"):
        ratios = [item.ratio for item in found if item.how == how]
        within = sum(ratio is not None and 0.75 <= ratio <= 1.25 for ratio in ratios)
        known = [ratio for ratio in ratios if ratio is not None]
        middle = f"{float(np.median(known)):.2f}" if known else "–"
        notes.append(f"{how}: {within} of {len(ratios)} columns within ± 25 %, median ratio {middle}")
    head = ("dataset", "column", "how", "printed", "half found at", "ratio", "within ± 25 %")
    return "; ".join(notes) + ".\n\n" + table(head, rows)


def faults(found: Sequence[Planted | Hostile]) -> str:
    """What was found of planted faults, and what crashed."""
    planted = [item for item in found if isinstance(item, Planted)]
    hostile = [item for item in found if isinstance(item, Hostile)]
    rows = [
        (
            item.fault,
            item.dataset,
            _of(item.by_rule),
            _of(item.by_any),
            _of(item.twins),
            ", ".join(item.missed[:6]) + (" …" if len(item.missed) > 6 else "") or "–",
        )
        for item in sorted(planted, key=lambda item: item.fault)
    ]
    head = (
        "fault",
        "dataset",
        "found by a rule",
        "found by a rule or a statistic",
        "clean twins flagged",
        "no rule in",
    )
    worst = "\n".join(f"* {item.dataset}: {text}" for item in hostile for text in item.failures)
    tables = sum(item.tables for item in hostile)
    crashes = (
        f"{tables} tables with next to nothing in them, as batches and as references: {worst or 'nothing failed.'}"
    )
    return table(head, rows) + "\n\n" + crashes.replace(": * ", ":\n\n* ")


def peers(found: Sequence[Noise]) -> str:
    """The share of null batches with an alarm, by tool and dataset, for both kinds of null."""
    parts = []
    for kind, title in (("random", "Random splits"), ("real order", "The batches that follow, in real order")):
        for what, cell in (("share of batches with an alarm", _share), ("alarms a batch", _alarms)):
            parts.append(f"**{title}: {what}**\n\n" + _grid([item for item in found if item.kind == kind], cell))
    return "\n\n".join(parts)


def _share(item: Noise) -> str:
    return share(item.rate.share)


def _alarms(item: Noise) -> str:
    return f"{item.alarms:.2f}"


def _grid(found: Sequence[Noise], cell: Callable[[Noise], str]) -> str:
    datasets = list(dict.fromkeys(item.dataset for item in found))
    rows = []
    for tool in (tool for tool in TOOLS if any(item.tool == tool for item in found)):
        by = {item.dataset: item for item in found if item.tool == tool}
        rows.append((tool, *(cell(by[name]) if name in by else "–" for name in datasets)))
    return table(("tool", *datasets), rows)
