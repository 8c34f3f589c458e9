"""``doctor``: is everything in place?"""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import NO_VERDICT, PASSED
from tidegate_flows.cli.options import Json, LedgerUrl, Store, emit, settings


def doctor(
    context: typer.Context,
    contracts: Annotated[
        list[str] | None, typer.Argument(metavar="[C]…", help="Contracts that are looked at too, each path.py[:name].")
    ] = None,
    exporter: Annotated[
        str | None, typer.Option("--exporter", metavar="URL", help="Where tidegate serve answers.")
    ] = None,
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", metavar="URL", help="Where Prometheus answers.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Say whether everything that a deployment needs is there, and how to mend what is not; 3 if a gate cannot work.

    Packages, disk, clock, settings, store, ledger, audit, bucket and Prefect; and the contracts, the exporter and the
    Prometheus that are named. Nothing is changed, and nothing is waited for without end.
    """
    from tidegate_flows.doctor import examine
    from tidegate_flows.masking import Mask

    chosen = settings(context, store, ledger)
    mask = Mask.of_environment(chosen.ledger.value, chosen.publish.value, exporter or "", prometheus or "")
    found = []
    for item in examine(chosen, contracts or (), exporter=exporter, prometheus=prometheus):
        texts = {name: mask(text) if text else text for name, text in item.to_dict().items()}
        found.append(item)
        if as_json:
            emit({"format": 1, **texts})
    if not as_json:
        rows = [(i.what, i.state, mask(i.found), mask(i.hint or "")) for i in found]
        tables.show(("what", "state", "found", "hint"), rows)
    raise typer.Exit(NO_VERDICT if any(item.state == "no" for item in found) else PASSED)
