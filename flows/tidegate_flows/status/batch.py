"""One batch: what was decided, everything that was found, and how it came to that."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from tidegate_contracts.errors import TidegateError
from tidegate_flows import reference as references
from tidegate_flows.ledger import cohorts
from tidegate_flows.ledger import runs as runs_of
from tidegate_flows.ledger.schema import runs
from tidegate_flows.pages.rows_plot import rows_plot
from tidegate_flows.pages.shape import shape_of
from tidegate_flows.pages.shape_plot import shape_plot
from tidegate_flows.place import Place
from tidegate_flows.report import signed
from tidegate_flows.status.dataset import known
from tidegate_flows.status.label_part import batch_plot
from tidegate_flows.status.profiled import profiled_columns
from tidegate_flows.status.record import Record, became, comparisons, document, of_batch
from tidegate_flows.status.refusal import UnknownError
from tidegate_flows.status.site import Site
from tidegate_monitors.finding import Finding
from tidegate_monitors.run import Run

_MEASURED = 20
_PLOTS_MAXIMUM = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with its drawing.

    Attributes:
        finding: What was found.
        plot: The column, in the reference and now; None where there is nothing to draw.
    """

    finding: Finding
    plot: str | None


def batch(site: Site, request: Request) -> Response:
    """The page of the run that speaks for a batch, or of an earlier one that ``?run=`` names."""
    dataset, name = request.path_params["dataset"], request.path_params["batch"]
    with site.to_read() as place:
        with place.ledger.read() as connection:
            item = known(connection, dataset, place.clock())
            earlier = of_batch(connection, dataset, name)
            record = _chosen(earlier, request.query_params.get("run"), name, dataset)
            run, measured = document(connection, record.run), comparisons(connection, record.run)
            text = connection.scalar(select(runs.c.profile).where(runs.c.run == record.run))
            source = connection.scalar(select(runs.c.source).where(runs.c.run == record.run))
            cohort = cohorts.find(connection, dataset, name)
            gone = became(connection, dataset, record) if "~" in name and earlier[0].superseded else None
            why = signed.revised(connection, runs_of.get(connection, (gone or record).run))
        shown, why_not = _findings(place, run, text, item.facts.get("personal", ()))
    told = sorted((one for one in measured if one.ratio is not None), key=lambda one: -(one.ratio or 0.0))
    return site.respond(
        request,
        "batch.html",
        item=item,
        now=item.now,
        record=record,
        run=run,
        shown=shown,
        why_not=why_not,
        measured=told[:_MEASURED],
        compared=len(told),
        runs=earlier,
        id=name.partition("~")[0],
        became=gone,
        signed=why,
        rows_plot=rows_plot("rows", run.counts),
        labels=cohort,
        label_plot=batch_plot(cohort),
        source=_source(source),
    )


def _chosen(found: Sequence[Record], run: str | None, name: str, dataset: str) -> Record:
    if not found:
        raise UnknownError(f"The ledger knows no batch {name!r} of {dataset}.")
    if run is None:
        return found[0]
    for record in found:
        if record.run == run:
            return record
    raise UnknownError(f"There is no such run of batch {name!r}.")


def _findings(place: Place, run: Run, profile: str | None, personal: Collection[str]) -> tuple[list[Shown], str | None]:
    """The findings with their drawings, of no column that is personal by now; and why a reference gives none."""
    columns = {item.column for item in run.findings if item.column is not None} - {*personal}
    plots: dict[str, str] = {}
    why_not = None
    if columns and run.reference is not None and profile is not None:
        try:
            against = references.load(place, run.dataset, run.reference)
        except TidegateError as error:
            against, why_not = None, error.what
        if against is not None:
            current = profiled_columns(profile, columns, against.layout.sha256)
            for index, column in enumerate(sorted(current)[:_PLOTS_MAXIMUM]):
                shape = shape_of(column, current[column], against)
                if shape is not None:
                    plots[column] = shape_plot(f"shape{index}", column, shape)
    return [
        Shown(one, plots.pop(one.column, None) if one.column is not None else None) for one in run.findings
    ], why_not


def _source(text: str | None) -> dict[str, object]:
    found: dict[str, object] = json.loads(text or "{}")
    return found
