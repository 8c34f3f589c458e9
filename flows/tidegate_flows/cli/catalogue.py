"""``catalogue``: every silent failure that has a name here, and whether it is caught yet."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate_contracts.catalogue import CATALOGUE, Stage
from tidegate_flows.cli import tables
from tidegate_flows.cli.options import Json, emit


def catalogue(
    stage: Annotated[Stage | None, typer.Option("--stage", help="Only what can be seen then.")] = None,
    as_json: Json = False,
) -> None:
    """Say what can be caught, at which stage, how much it matters, and what reports it."""
    from tidegate_flows.caught import caught

    known = caught()
    entries = [entry for entry in CATALOGUE.values() if stage is None or entry.stage is stage]
    if as_json:
        for entry in entries:
            by = [catcher.value for catcher in known.get(entry.name, ())]
            emit(
                {
                    "format": 1,
                    "id": entry.id,
                    "check": entry.name,
                    "stage": entry.stage.value,
                    "priority": entry.priority,
                    "caught": bool(by),
                    "by": by,
                    "pitfall": entry.pitfall,
                }
            )
        return
    tables.show(
        ("id", "check", "stage", "priority", "caught by", "pitfall"),
        [
            (e.id, e.name, e.stage.value, e.priority, ", ".join(known.get(e.name, ())) or "not yet", e.pitfall)
            for e in entries
        ],
    )
    typer.echo(f"\n{sum(entry.name in known for entry in entries)} of {len(entries)} are caught")
