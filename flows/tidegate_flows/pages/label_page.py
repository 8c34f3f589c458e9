"""The page of labels: what came true against what was predicted, for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tidegate_contracts.batch import iso
from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import UsageError
from tidegate_contracts.outcome import Outcome, outcome_of
from tidegate_flows import intake
from tidegate_flows.ledger import cohorts, label_reports
from tidegate_flows.ledger.label_reports import Kept
from tidegate_flows.pages.headline import headline, severity_of
from tidegate_flows.pages.label_sections import (
    Drawn,
    estimate_section,
    findings_section,
    outcome_section,
    skill_section,
)
from tidegate_flows.pages.label_view import OUTCOMES_MAXIMUM, OutcomeView, outcomes_of
from tidegate_flows.pages.markup import NAME_MAXIMUM, Figures, said
from tidegate_flows.pages.style import STYLE
from tidegate_flows.pages.whole import whole
from tidegate_flows.place import Place
from tidegate_flows.stores.local import replace_durably, writing
from tidegate_monitors.bias_by_month import bias_by_month
from tidegate_monitors.cohort import Cohort
from tidegate_monitors.maturity import is_mature

COHORTS_MAXIMUM = 1100
"""Three years of days."""


def write_label_page(
    place: Place, contract: Contract, target: Path | None = None, *, as_of: datetime | str | None = None
) -> Path:
    """Write the page of the latest judgement of a dataset's labels; gives where it is.

    Args:
        place: Where the labels were joined.
        contract: What was promised.
        target: The file; None for ``DATASET/reports/labels.html`` in the store.
        as_of: By when labels should have come; None for the time of the judgement.

    Raises:
        UsageError: No labels have been joined.
        StoreError: The ledger cannot be read, or the file cannot be written.
    """
    with place.ledger.read() as connection:
        kept = label_reports.load(connection, contract.name)
        known = cohorts.load(connection, contract.name, limit=COHORTS_MAXIMUM)
    if kept is None:
        raise UsageError(
            "there is no judgement to show", found=contract.name, hint="join labels first: tidegate labels"
        )
    now = intake.as_of(as_of, None, datetime.fromtimestamp(kept.at, UTC))
    path = place.store.place(contract.name, "reports") / "labels.html" if target is None else target.absolute()
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, label_page(kept, known, contract, now).encode())
    return path


def label_page(kept: Kept, known: Sequence[Cohort], contract: Contract, now: datetime) -> str:
    """The page, in one piece: no script, and nothing that is fetched from anywhere.

    Args:
        kept: The judgement.
        known: The cohorts of the dataset; over time the mature ones are shown.
        contract: What was promised.
        now: By when labels should have come.
    """
    document = kept.document
    outcomes, figures = outcomes_of(document), Figures.within(contract.bias_tolerance)
    ready = [item for item in known if is_mature(item, contract, now, document["maturity"]["expected"])]
    binary = outcome_of(contract) is not Outcome.NUMBER
    parts = [_top(kept, outcomes, contract, figures), findings_section(document["findings"])]
    for index, view in enumerate(outcomes):
        months = bias_by_month(ready, view.name, contract.zone, binary=binary)
        drawn = Drawn(view, months, tuple(document["edges"]), len(document["batches"]), contract, figures, binary)
        parts.append(outcome_section(drawn, f"o{index}"))
    parts += [_others(document["calibration"], outcomes), skill_section(document["skill"])]
    parts += [estimate_section(document["estimate"])]
    return whole(f"Labels of {contract.name}", "".join(parts), STYLE)


def _top(kept: Kept, outcomes: Sequence[OutcomeView], contract: Contract, figures: Figures) -> str:
    document = kept.document
    told, batches = document["maturity"], document["batches"]
    judged = iso(datetime.fromtimestamp(kept.at, UTC)) or ""
    facts = {
        "contract": f"{contract.name} {contract.version}",
        "batches judged": f"{len(batches)}, {batches[0]} to {batches[-1]}" if batches else "none",
        "rows with a label": f"{outcomes[0].overall.n:,}" if outcomes else "",
        "settled": f"{told['share']:.1%}, {told['expected']:.1%} expected",
        "judged": judged[:16].replace("T", " ") + " UTC",
    }
    if document["bounds"] is not None and not outcomes:
        facts["bias, whatever is missing"] = figures.span(*document["bounds"])
    listed = "".join(
        f"<div><dt>{name}</dt><dd>{said(value, 2 * NAME_MAXIMUM)}</dd></div>" for name, value in facts.items() if value
    )
    line = headline(document, outcomes, contract.bias_tolerance, figures)
    return (
        f"<header><h1>{said(contract.name)}: predictions against what came true</h1>"
        f'<p class="judgement" data-severity="{severity_of(document)}">{said(line)}</p>'
        f'<dl class="facts">{listed}</dl></header>'
    )


def _others(calibration: dict[str, object] | None, outcomes: Sequence[OutcomeView]) -> str:
    """That more classes are judged than are shown."""
    if len(outcomes) < OUTCOMES_MAXIMUM or calibration is None or len(calibration) == len(outcomes):
        return ""
    return (
        f'<p class="note">{len(outcomes)} of {len(calibration)} classes are shown, those with the largest bias; '
        "<code>tidegate labels --json</code> tells all.</p>"
    )
