"""``demo``: the whole story on a year of real flights."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import say

if TYPE_CHECKING:
    from tidegate_flows.demo.decay import Decay
    from tidegate_flows.demo.story import Day

_DAYS_MAXIMUM = 275


def demo(
    days: Annotated[int, typer.Option("--days", min=1, max=_DAYS_MAXIMUM, help="Days from 2013-04-01 on.")] = 60,
    folder: Annotated[Path, typer.Option("--dir", help="Where to put contract, data and store.")] = Path(
        "tidegate-demo"
    ),
) -> None:
    """Gate real flights out of New York City day by day, with four planted incidents."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tidegate_contracts.load import load_contract
    from tidegate_flows.demo import story
    from tidegate_flows.demo.decay import decay_of
    from tidegate_flows.pages.label_page import write_label_page
    from tidegate_flows.place import at

    started, folder, store = perf_counter(), folder.absolute(), folder.absolute() / ".tidegate"
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=tables.console(stderr=True)) as progress:
        task = progress.add_task("reading a year of flights, training on January", total=None)
        contract, places = story.prepare(folder, days)
        progress.update(task, description="building the reference from February and March")
        with at(str(store)) as place:
            reference = story.build_reference(place, contract, places["reference"], places["reference_labels"])
        progress.update(task, description="starting Prefect's embedded server", total=days + 1, completed=0)

        def advance(message: str) -> None:
            progress.update(task, advance=1, description=message)

        state = story.gate_days(contract, store, places, days, advance)
        progress.update(task, description=f"flow gate-backlog: {state}", total=days, completed=days)
    with at(str(store)) as place:
        lines, changes = story.days_of(place, "flights"), story.transitions(place, "flights")
        loaded = load_contract(contract)
        decay = decay_of(place, loaded)
        page = write_label_page(place, loaded) if decay is not None else None
    _tell_days(lines, changes)
    if decay is not None:
        _tell_decay(decay)
    _tell_next(folder, contract, reference, lines, page)
    say(f"{len(lines)} deliveries in {perf_counter() - started:.0f} s")


def _tell_days(lines: list[Day], changes: list[dict[str, Any]]) -> None:
    tables.show(
        ("day", "rows", "decision", "breaker", "bias", "findings", "planted"),
        [
            (
                line.batch,
                line.rows,
                " → ".join(line.decisions) if len(line.decisions) > 1 else line.decisions[0],
                line.state,
                "–" if line.bias is None else f"{line.bias:+.3f}",
                line.findings,
                line.planted or "",
            )
            for line in lines
        ],
        title="Flights out of New York City, 2013, day by day; planted: our four faults, all else is nature's",
    )
    typer.echo("\nWhat the breaker did, and why:")
    for change in changes:
        event = change["event"].removeprefix("breaker.")
        tables.line(f"  {change['at'][:16].replace('T', ' ')} UTC  {event:9} {change['reason']}")


def _tell_decay(decay: Decay) -> None:
    typer.echo()
    tables.show(
        ("of which rows", "rows", *decay.heads, "all days", "95 % interval"),
        decay.rows(),
        title="Prediction bias of a model of January, month by month; in brackets the reference's months; "
        "*: 0 is not in the 95 % interval",
    )


def _tell_next(folder: Path, contract: Path, reference: str, lines: list[Day], page: Path | None) -> None:
    here = _shown(folder)
    store = f"{here}/.tidegate"
    typer.echo(f"\nReference {reference[:12]}: {here}/reference, approved by demo")
    typer.echo(f"Published:   {store}/flights/published/")
    typer.echo(f"Quarantined: {store}/flights/quarantine/  (each with reasons.parquet and manifest.json)")
    if page is not None:
        typer.echo(f"Labels:      {_shown(page)}  (open it in a browser)")
    typer.echo("\nTry next:")
    stopped = [line.batch for line in lines if line.decisions[-1] == "quarantine"]
    shown = f"show flights {stopped[-1]}" if stopped else "list"
    typer.echo(f"  tidegate quarantine {shown} --store {store}")
    target = f"{here}/deliveries/2013-04-10.parquet"
    typer.echo(f"  tidegate check {_shown(contract)} {target} --reference {reference[:12]} --store {store}")
    typer.echo(f"  tidegate serve --store {store}   # then open http://127.0.0.1:9464, the status page")


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
