"""``diff``: what a new contract changes, and whether its version tells of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import PASSED, STOPPED
from tidegate_flows.cli.options import Json, emit

if TYPE_CHECKING:
    from tidegate_contracts.diff import Diff
    from tidegate_flows.against import Compared, Held, Refusal


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The contract that was: path.py[:name].")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The contract that is to be: path.py[:name].")],
    more: Annotated[list[str] | None, typer.Argument(metavar="DATA", hidden=True)] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="DATA…", help="Batches to hold against both: parquet or CSV files."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what NEW changes, whom it breaks, and which version tells of it."""
    from tidegate_contracts.diff import diff as compared
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.load import load_contract
    from tidegate_flows.against import compare

    if more and not against:
        raise UsageError("more than two contracts", found=" ".join(more), hint="batches go behind --against")
    contracts = load_contract(old), load_contract(new)
    found = compared(*contracts)
    batches = [compare(batch, *contracts) for batch in [*(against or []), *(more or [])]]
    if as_json:
        emit({"format": 1, **found.to_dict(), "against": [batch.to_dict() for batch in batches]})
    else:
        _show(contracts[0].name, found)
        _show_batches(batches)
    raise typer.Exit(PASSED if found.passed else STOPPED)


def _show(dataset: str, found: Diff) -> None:
    columns = ("class", "column", "what", "old", "new", "breaks")
    if found.changes:
        tables.show(
            columns,
            [
                (
                    change.kind.value,
                    change.column or "–",
                    change.what,
                    _said(change.old),
                    _said(change.new),
                    change.breaks,
                )
                for change in found.changes
            ],
        )
    tables.line(f"{dataset} {found.old} → {found.new}: {_sentence(found)}")


def _sentence(found: Diff) -> str:
    if not found.changes:
        return "nothing changes"
    count = f"{len(found.changes)} change{'s' if len(found.changes) > 1 else ''}"
    if found.untold:
        kinds = " and ".join(dict.fromkeys(change.kind.value for change in found.untold))
        return f"{count}; {kinds} changes need a new version: at least {found.suggested_version}"
    if not found.is_enough:
        return f"{count}; {found.suggested_version} would tell of all of them"
    return f"{count}; the version tells of {'them' if len(found.changes) > 1 else 'it'}"


def _show_batches(batches: list[Compared]) -> None:
    if not batches:
        return
    typer.echo()
    tables.show(
        ("batch", "rows", "old", "new", "newly refused", "newly passed", "newly broken"),
        [
            (b.batch, b.rows, _fate(b.old), _fate(b.new), b.newly_refused, b.newly_passed, b.newly_broken)
            for b in batches
        ],
    )
    refusals = [refusal for batch in batches for refusal in batch.by]
    for place in dict.fromkeys((refusal.check, refusal.column, refusal.rule) for refusal in refusals):
        _show_clause([item for item in refusals if (item.check, item.column, item.rule) == place])
    tables.line(_outcome(batches))


def _show_clause(refusals: list[Refusal]) -> None:
    """One clause that refuses, over all batches."""
    first, times = refusals[0], f"{len(refusals)} batch{'es' if len(refusals) > 1 else ''}"
    where = f"column {first.column!r}" if first.column else "the table"
    rows = sum(refusal.rows or 0 for refusal in refusals)
    count = f"{rows} rows in {times}" if rows else f"{times} as a whole"
    examples = [key for refusal in refusals for key in refusal.examples][:3]
    shown = f", such as {', '.join(examples)}" if examples else ""
    tables.line(f"  {first.check}: {where}: {first.rule}: {count}{shown}")


def _outcome(batches: list[Compared]) -> str:
    """What the new contract would do to these batches, in one sentence."""
    refused, passed = sum(b.newly_refused for b in batches), sum(b.newly_passed for b in batches)
    touched = sum(b.newly_refused > 0 or (b.old.decision, b.new.decision) == ("publish", "quarantine") for b in batches)
    parts = [f"{refused} rows in {touched} of {len(batches)} batches pass now and would be refused"] if touched else []
    parts += [f"{passed} rows are refused now and would pass"] if passed else []
    shut = [b for b in batches if b.old.decision == "quarantine"]
    if shut:  # no row of them could be refused anew, so it is told which break a clause anew
        where = f"{len(shut)} of {len(batches)} batches"
        parts.append(f"OLD refuses {where} as a whole; there, {sum(b.newly_broken for b in shut)} rows break only NEW")
    return "; ".join(parts) or "each row of these batches fares as before"


def _fate(held: Held) -> str:
    partial = held.decision == "publish" and held.quarantined
    return f"{held.decision}, {held.quarantined} set aside" if partial else held.decision


def _said(value: Any) -> str:
    """A value in a cell; long ones are cut, the JSON has them whole."""
    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"
