"""``labels``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED, say
from tidegate_flows.cli.options import ContractPath, Json, LedgerUrl, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_flows.labelling import Labelled
    from tidegate_monitors.bias import Bias
    from tidegate_monitors.label_report import LabelReport


def labels(
    context: typer.Context,
    contract: ContractPath,
    files: Annotated[
        list[str], typer.Argument(metavar="LABELS…", help="Files with the contract's key and label columns.")
    ],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="When they came, ISO 8601; now unless told.")
    ] = None,
    crossed: Annotated[bool, typer.Option("--crossed", help="Show the buckets of each slice too.")] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", dir_okay=False, help="Write the page of the judgement here, as HTML."),
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Join labels that came later to what was published, and say how far predictions lie from them."""
    from tidegate_contracts.load import load_contract
    from tidegate_flows.intake import natural_id
    from tidegate_flows.labelling import label_at
    from tidegate_flows.pages.label_page import write_label_page
    from tidegate_flows.place import at

    loaded = load_contract(contract)
    with at(settings(context, store, ledger), must_exist=True) as place:
        found = label_at(place, sorted(files, key=lambda name: natural_id(Path(name))), loaded, as_of=as_of)
        if any(item.set_aside or item.conflicting_labels for item in found.deliveries):
            say(f"set aside, with their reasons: {place.store.place(loaded.name, 'labels') / 'quarantine'}")
        if report is not None:
            say(f"page: {write_label_page(place, loaded, report, as_of=as_of)}")
    if as_json:
        emit(found.to_dict())
    else:
        _show(found, crossed=crossed)
    raise typer.Exit(STOPPED if found.critical else PASSED)


def _show(found: Labelled, *, crossed: bool) -> None:
    report = found.report
    for name, value in found.to_dict()["joined"].items():
        if value or name in ("labels", "matched"):
            tables.line(f"{name.replace('_', ' '):20} {value:>10,}")
    refused = sum(item.refused for item in found.deliveries)
    if refused:
        tables.line(f"refused: {refused} of {len(found.deliveries)} deliveries; nothing of theirs was joined")
    tables.line(_maturity(report))
    for finding in found.findings:
        tables.line(f"  {finding.severity.value:8} {finding.check}: {finding.message}")
        if finding.kind != "violation" and finding.folded:
            tables.line(f"           with it: {', '.join(finding.folded)}")
    for name, item in report.outcomes.items():
        rows = [bias for bias in item.biases if crossed or bias.slice is None or bias.bucket is None]
        title = f"prediction bias{f' of class {name!r}' if name else ''}, {len(report.batches)} batches"
        tables.show(
            (
                "rows",
                "bias",
                "95 % interval",
                "evidence",
                "shrunk",
                "prediction",
                "label",
                "detectable",
                "of which rows",
            ),
            [_cells(bias, report) for bias in rows],
            title=title,
        )
        told = item.calibration
        tables.line(
            f"calibration error {tables.number(told.ece)}, slope {tables.number(told.slope)}, "
            f"intercept {tables.number(told.intercept)}, Brier score {tables.number(told.brier)}"
        )


def _maturity(report: LabelReport) -> str:
    told = report.maturity
    words = f"{told.share:.1%} of the rows of the batches named here are settled"
    if told.state == "mature":
        more = f", and {told.immature} batches of theirs are not yet" if told.immature else ""
        return f"mature: {words}{more}; {len(report.batches)} batches are judged, with those before"
    bounds = report.bounds
    reach = f"; whatever the others are, the bias is between {bounds[0]:+.3f} and {bounds[1]:+.3f}" if bounds else ""
    return f"immature: {words}, {told.expected:.1%} are expected{reach}"


def _cells(bias: Bias, report: LabelReport) -> tuple[object, ...]:
    from tidegate_monitors.bias_cells import Key
    from tidegate_monitors.bias_findings import describe

    interval = "–" if bias.low is None or bias.high is None else f"{bias.low:+.3f} … {bias.high:+.3f}"
    return (
        f"{bias.n:,}",
        f"{bias.bias:+.3f}",
        interval,
        bias.evidence.value,
        f"{bias.shrunk:+.3f}",
        tables.number(bias.mean_prediction),
        tables.number(bias.mean_label),
        tables.number(bias.minimum_detectable, 2),
        describe(Key(bias.slice, bias.bucket), report.edges),
    )
