"""``doctor``: is everything in place?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import NO_VERDICT, PASSED
from tidegate_flows.cli.options import Json, LedgerUrl, Store, emit, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate_flows.doctor import Examined


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
    """Say whether everything that a deployment needs is there, and how to mend what is not; 3 if something is wrong.

    Packages, disk, clock, settings, store, ledger, audit, bucket and Prefect; and the contracts, the exporter and the
    Prometheus that are named: one of those that does not answer is wrong, too. Nothing is changed, and nothing is
    waited for without end.
    """
    from tidegate_flows.doctor import examine
    from tidegate_flows.masking import Mask

    _require_address("--exporter", exporter)
    _require_address("--prometheus", prometheus)
    chosen = settings(context, store, ledger)
    mask = Mask.of_environment(chosen.ledger.value, chosen.publish.value, exporter or "", prometheus or "")
    found = []
    for item in examine(chosen, contracts or (), exporter=exporter, prometheus=prometheus):
        texts = {name: mask(text) if text else text for name, text in item.to_dict().items()}
        found.append(item)
        if as_json:
            emit({"format": 1, **texts})
    if not as_json:
        rows = [(i.what, i.state, mask(i.found), mask(i.hint or "")) for i in sorted(found, key=_grave)]
        tables.show(("what", "state", "found", "hint"), rows)
        tables.line(_summed(found))
    raise typer.Exit(NO_VERDICT if any(item.state == "no" for item in found) else PASSED)


def _require_address(option: str, value: str | None) -> None:
    from tidegate_contracts.errors import UsageError
    from tidegate_flows.url import masked

    if value is not None and not re.match(r"(?i)https?://[^/]", value):
        raise UsageError(option, found=repr(masked(value)), allowed="http://HOST:PORT or https://HOST")


def _grave(item: Examined) -> int:
    """What is wrong comes first, then what somebody should look at."""
    return {"no": 0, "warning": 1}.get(item.state, 2)


def _summed(found: Sequence[Examined]) -> str:
    wrong = [item.what for item in found if item.state == "no"]
    look = [item.what for item in found if item.state == "warning"]
    are = "1 thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
    words = f"{are} wrong: {', '.join(wrong)}" if wrong else "nothing is wrong"
    return f"{words}; to look at: {', '.join(look)}" if look else words
