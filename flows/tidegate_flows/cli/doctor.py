"""``doctor``: is everything in place?"""

from __future__ import annotations

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import NO_VERDICT, PASSED
from tidegate_flows.cli.options import Json, LedgerUrl, Store, emit, settings


def doctor(context: typer.Context, store: Store = None, ledger: LedgerUrl = None, as_json: Json = False) -> None:
    """Say where each setting comes from, what is installed, and whether the store can be used."""
    from tidegate_flows.doctor import examine

    found = list(examine(settings(context, store, ledger)))
    if as_json:
        for item in found:
            emit({"format": 1, **item.to_dict()})
    else:
        tables.show(("what", "state", "found", "hint"), [(i.what, i.state, i.found, i.hint or "") for i in found])
    raise typer.Exit(NO_VERDICT if any(item.state == "no" for item in found) else PASSED)
