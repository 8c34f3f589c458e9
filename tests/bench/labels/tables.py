"""The measured rows as markdown tables."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.alarms.rates import Rate
from tests.bench.alarms.tables import share, table
from tests.bench.labels.coverage import BATCHES, Covered
from tests.bench.labels.family import ALPHAS, FamilyRate, exceeds
from tests.bench.labels.masked import Immature, Masked
from tests.bench.labels.power import Found
from tests.bench.labels.run_length import RunLength

_KINDS = {
    "constant": "Labels of 0 and 1, independent rows, one prediction for all",
    "varying": "Labels of 0 and 1, independent rows, predictions that vary",
    "normal": "Numbers, normal errors",
    "skewed": "Numbers, exponential errors",
}


def _marked(text: str, ok: bool) -> str:
    return text if ok else f"**{text}**"


def _word(ok: bool) -> str:
    return _marked("yes" if ok else "no", ok)


def intervals(found: Sequence[Covered]) -> str:
    """The share of intervals that hold the truth."""
    parts = [f"{sum(item.met for item in found)} of {len(found)} cells lie where they are wanted."]
    for kind, title in _KINDS.items():
        items = [item for item in found if item.kind == kind and not item.unequal]
        if items:
            parts.append(f"**{title}**\n\n{_grid(items)}")
    days = [item for item in found if item.day]
    if days:
        head = ("labels", "sd of days", "rows a batch", "batches", "sizes", "coverage")
        rows = [
            (
                f"0 and 1, base rate {share(item.rate)}" if item.rate else f"numbers, {item.kind} errors of sd 1",
                share(item.day),
                str(item.rows),
                str(item.batches),
                "unequal" if item.unequal else "equal",
                _marked(share(item.covered.share), item.met),
            )
            for item in days
        ]
        parts.append("**Days that move all their rows**\n\n" + table(head, rows))
    return "\n\n".join(parts)


def _grid(items: Sequence[Covered]) -> str:
    binary = bool(items[0].rate)
    places = list(dict.fromkeys((item.rate, item.rows) for item in items))
    cells = {(item.rate, item.rows, item.batches): item for item in items if not item.day}
    rows = [
        (
            *((share(rate),) if binary else ()),
            str(size),
            *(
                _marked(share(cell.covered.share), cell.met)
                for batches in BATCHES
                for cell in (cells[rate, size, batches],)
            ),
        )
        for rate, size in places
    ]
    words = ["1 batch", *(f"{batches} batches" for batches in BATCHES[1:])]
    return table((*(("base rate",) if binary else ()), "rows a batch", *words), rows)


def family(found: Sequence[FamilyRate]) -> str:
    """The share of judgements with an alarm."""
    head = ("batches", "reference", *(f"any, {_one_in(alpha)}" for alpha in ALPHAS))
    head = (*head, *(f"and larger than .02, {_one_in(alpha)}" for alpha in ALPHAS), "overall, bucket, slice, crossed")
    parts = []
    for world in dict.fromkeys(item.world for item in found):
        rows = [
            (
                str(item.batches),
                str(item.reference or "none"),
                *(_rate(item.alarms[alpha], alpha) for alpha in ALPHAS),
                *(_rate(item.material[alpha], alpha) for alpha in ALPHAS),
                ", ".join(str(count) for count in item.families.values()),
            )
            for item in found
            if item.world == world
        ]
        total = next(item for item in found if item.world == world).alarms[ALPHAS[0]].batches
        parts.append(f"**{world[0].upper()}{world[1:]}: {total} judgements a line**\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def _one_in(alpha: float) -> str:
    return f"1 in {round(1 / alpha)}"


def _rate(rate: Rate, limit: float) -> str:
    return _marked(share(rate.share), not exceeds(rate, limit))


def power(found: Sequence[Found]) -> str:
    """What was found of planted biases."""
    rows = [
        (
            item.how,
            item.by,
            share(item.rate),
            str(item.reference or "none"),
            str(item.within),
            share(item.found.share),
            _word(item.met),
        )
        for item in sorted(found, key=lambda item: (item.by, -("pred" in item.how)))
    ]
    return table(("what was done", "by", "base rate", "reference", "within", "found", "≥ .90"), rows)


def masked(found: Sequence[Masked]) -> str:
    """What was found of masked biases."""
    rows = [
        (
            share(item.rate),
            str(item.batches),
            share(item.told.share),
            share(item.both.share),
            share(item.overall.share),
        )
        for item in found
    ]
    return table(("base rate", "batches", "`masked_slice_bias`", "both slices named", "the mean alarms"), rows)


def immature(found: Sequence[Immature]) -> str:
    """What was said before all labels had come."""
    rows = [
        (
            f"{item.promised:g} days",
            str(item.age),
            share(item.come),
            f"{item.naive:+.3f}",
            share(item.believed.share),
            share(item.said.share),
            share(item.alarmed.share),
            share(item.immature.share),
        )
        for item in found
    ]
    head = ("`label_delay`", "age, days", "labels come", "bias of these", "its interval misses 0")
    return table((*head, "a bias is given", "and alarms", "`immature_labels`"), rows)


def run_length(found: Sequence[RunLength]) -> str:
    """How long the stream kept quiet."""
    rows = [
        (
            item.world,
            str(item.reference),
            f"{item.streams}",
            f"{item.batches:,}",
            str(item.proven),
            f"{item.mean:,.0f}" if item.proven else "–",
            f"{item.lower:,.0f}",
            f"{item.alarms} in {item.batches_to_alarm:,}",
            _word(item.met),
        )
        for item in found
    ]
    head = ("world", "reference", "streams", "batches", "proven", "batches to one", "at least (95 %)")
    return table((*head, "and larger than .02", "not provably under 200"), rows)
