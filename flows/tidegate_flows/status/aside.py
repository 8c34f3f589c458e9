"""What is kept back of a dataset: why, and how it comes back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from starlette.requests import Request
from starlette.responses import Response

from tidegate_contracts.severity import Severity
from tidegate_flows.place import Place
from tidegate_flows.status.act import DISCARD, RELEASE
from tidegate_flows.status.dataset import known
from tidegate_flows.status.paging import before
from tidegate_flows.status.record import Record, documents, kept_back
from tidegate_flows.status.site import Site
from tidegate_monitors.finding import Finding
from tidegate_monitors.run import Run

_PAGE = 15
_REASONS_MAXIMUM = 8
_BYTES_MAXIMUM = 4 << 20
VERBS = ("release", "replay", "discard")


@dataclass(frozen=True, slots=True)
class Aside:
    """One batch that is kept back.

    Attributes:
        record: The run that speaks for it.
        findings: Why, by the verdict.
        reasons: How many rows fail which clause: the rows, the check and the clause, the heaviest first.
        note: What there is to say of the reasons.
        commands: What brings it back or lets it go, by verb.
    """

    record: Record
    findings: Sequence[Finding]
    reasons: Sequence[tuple[int, str, str]]
    note: str
    commands: dict[str, str]


def aside(site: Site, request: Request) -> Response:
    """The page."""
    dataset, start = request.path_params["dataset"], before(request)
    with site.to_read() as place:
        with place.ledger.read() as connection:
            item = known(connection, dataset, place.clock())
            table = kept_back(connection, dataset, _PAGE + 1, before=start)
            told = documents(connection, table[:_PAGE])
        found = [_aside(site, place, dataset, record, told[record.run]) for record in table[:_PAGE]]
    return site.respond(
        request,
        "quarantine.html",
        item=item,
        now=item.now,
        found=found,
        acts=(RELEASE, DISCARD),
        first=start is None,
        more=table[_PAGE - 1].seq if len(table) > _PAGE else None,
    )


def _aside(site: Site, place: Place, dataset: str, record: Record, run: Run) -> Aside:
    reasons, note = _reasons(place.store.place(dataset, "quarantine") / record.batch / "reasons.parquet")
    findings = [finding for finding in run.findings if finding.severity is not Severity.INFO]
    if record.kind == "partial":
        findings = [finding for finding in findings if finding.kind == "violation"]
    return Aside(record, findings, reasons, note, _commands(site, dataset, record.batch))


def _reasons(path: Path) -> tuple[list[tuple[int, str, str]], str]:
    """The reasons of a batch, counted; and what there is to say of them."""
    try:
        if path.stat().st_size > _BYTES_MAXIMUM:
            return [], "There are too many reasons to count here: tidegate quarantine show does."
        table = pq.read_table(path, columns=["check", "rule", "row"])
    except FileNotFoundError:
        return [], "Its reasons are not in their place yet, or were taken away."
    except (OSError, pa.ArrowException):
        return [], "Its reasons cannot be read."
    counted = table.group_by(["check", "rule"]).aggregate([("row", "count")]).to_pylist()
    found = sorted(((item["row_count"], item["check"], item["rule"]) for item in counted), reverse=True)
    more = len(found) - _REASONS_MAXIMUM
    return found[:_REASONS_MAXIMUM], f"{more} more clauses fail." if more > 0 else ""


def _commands(site: Site, dataset: str, batch: str) -> dict[str, str]:
    tail = f"--by WHO --reason WHY --store {shlex.quote(site.settings.store.value)}"
    return {verb: f"tidegate quarantine {verb} {shlex.quote(dataset)} {shlex.quote(batch)} {tail}" for verb in VERBS}
