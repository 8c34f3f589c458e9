"""``reference build``, ``approve``, ``list``, ``show`` and ``diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.options import By, ContractPath, Json, LedgerUrl, Reason, Store, emit, settings

if TYPE_CHECKING:
    from tidegate_monitors.reference_diff import ColumnDiff

app = typer.Typer(help="What batches are held against.", no_args_is_help=True)


@app.command()
def build(
    context: typer.Context,
    contract: ContractPath,
    batches: Annotated[list[str], typer.Argument(metavar="BATCH…", help="Files, or ids of published batches.")],
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="LABELS",
            help="Labels of these batches, if they come apart: a file, or a folder of files; may be repeated.",
        ),
    ] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Put it in force at once; takes --by and --reason.")
    ] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who approves.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Build a reference from batches, one block each, and say what a gate with it can and cannot see."""
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.load import load_contract
    from tidegate_flows import reference
    from tidegate_flows.place import at

    if approve and not (by and reason):
        raise UsageError("an approval names who and why", allowed="--approve --by WHO --reason WHY")
    loaded = load_contract(contract)
    with at(settings(context, store, ledger)) as place:
        built = reference.build(place, loaded, batches, labels or ())
        if approve and by and reason:
            reference.approve(place, loaded.name, built.sha256, by=by, reason=reason)
    facts = reference.describe(built, loaded)
    if as_json:
        emit(facts)
    else:
        _show(facts)
        what = (
            f"in force, approved by {by}"
            if approve
            else f"not in force: tidegate reference approve {contract} {built.sha256[:12]} --by WHO --reason WHY"
            + (f" --store {store}" if store else "")
        )
        tables.line(what)


@app.command()
def approve(
    context: typer.Context,
    contract: ContractPath,
    sha256: Annotated[str, typer.Argument(metavar="SHA", help="The beginning of the reference's hash.")],
    by: By,
    reason: Reason,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """Put a reference in force."""
    from tidegate_contracts.load import load_contract
    from tidegate_flows import reference
    from tidegate_flows.place import at

    dataset = load_contract(contract).name
    with at(settings(context, store, ledger), must_exist=True) as place:
        whole = reference.approve(place, dataset, sha256, by=by, reason=reason)
    if as_json:
        emit({"format": 1, "dataset": dataset, "reference": whole, "by": by, "reason": reason})
    else:
        tables.line(f"{dataset}: reference {whole[:12]} is in force, approved by {by}")


@app.command("list")
def listing(
    context: typer.Context, contract: ContractPath, store: Store = None, ledger: LedgerUrl = None, as_json: Json = False
) -> None:
    """All references of a contract's dataset, oldest first."""
    from tidegate_contracts.load import load_contract
    from tidegate_flows.ledger import references
    from tidegate_flows.place import at

    dataset = load_contract(contract).name
    with at(settings(context, store, ledger), read_only=True) as place, place.ledger.read() as connection:
        found = references.listed(connection, dataset)
    columns = ("sha256", "blocks", "built_at", "approved_at", "approved_by", "reason", "in_force")
    if as_json:
        for item in found:
            emit(
                {
                    "format": 1,
                    "dataset": dataset,
                    "reference": item["sha256"],
                    **{name: item[name] for name in columns[1:]},
                }
            )
    elif found:
        short = [
            {**item, "sha256": item["sha256"][:12], "in_force": "yes" if item["in_force"] else ""} for item in found
        ]
        tables.show(columns, [["–" if item[name] is None else item[name] for name in columns] for item in short])
    else:
        tables.line(f"{dataset}: no references yet: tidegate reference build {contract} BATCH…")


@app.command()
def show(
    context: typer.Context,
    contract: ContractPath,
    sha256: Annotated[
        str | None, typer.Argument(metavar="SHA", help="The beginning of its hash; else the one in force.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """What a gate with a reference can and cannot see."""
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.load import load_contract
    from tidegate_flows import reference
    from tidegate_flows.place import at

    loaded = load_contract(contract)
    with at(settings(context, store, ledger), read_only=True) as place:
        found = reference.load(place, loaded.name, sha256) if sha256 else reference.approved(place, loaded)
    if found is None:
        raise UsageError(f"no approved reference of {loaded.name!r}", hint="tidegate reference build … --approve")
    facts = reference.describe(found, loaded)
    if as_json:
        emit(facts)
    else:
        _show(facts)


@app.command()
def diff(
    context: typer.Context,
    contract: ContractPath,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The beginning of a reference's hash.")],
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help="The beginning of another's; else the one in force.")
    ] = None,
    store: Store = None,
    ledger: LedgerUrl = None,
    as_json: Json = False,
) -> None:
    """How a reference differs from an older one: its blocks, and each column."""
    from tidegate_contracts.errors import UsageError
    from tidegate_contracts.load import load_contract
    from tidegate_flows import reference
    from tidegate_flows.place import at
    from tidegate_monitors.reference_diff import reference_diff

    loaded = load_contract(contract)
    with at(settings(context, store, ledger), read_only=True) as place:
        before = reference.load(place, loaded.name, old)
        after = reference.load(place, loaded.name, new) if new else reference.approved(place, loaded)
    if after is None:
        raise UsageError(
            f"no approved reference of {loaded.name!r}", hint="name two: tidegate reference diff C OLD NEW"
        )
    found = reference_diff(before, after)
    if as_json:
        emit({"dataset": loaded.name, **found.to_dict()})
        return
    blocks = f"{len(found.came)} blocks came, {len(found.went)} went, {len(found.changed)} have other rows"
    blocks += f", {found.same} are the same"
    tables.line(f"{loaded.name}: {found.old[:12]} → {found.new[:12]}; {blocks}")
    columns = ("column", "shift (sd)", "spread (ln)", "Hellinger", "missing", "categories that came", "that went")
    tables.show(columns, [_difference(item) for item in found.columns])


def _difference(item: ColumnDiff) -> tuple[str, ...]:
    if item.only is not None:
        return (f"{item.column} (only in the {item.only} one)", *("–",) * 6)
    numbers = (tables.number(value) for value in (item.shift, item.spread, item.hellinger, item.missing))
    return item.column, *numbers, " ".join(item.came), " ".join(item.went)


def _show(facts: dict[str, Any]) -> None:
    tables.line(
        f"{facts['dataset']}: reference {facts['reference'][:12]}, {facts['blocks']} blocks, {facts['rows']} rows; "
        f"one false alarm in {facts['achievable_one_in']} exchangeable batches at best; "
        f"season covered: {'yes' if facts['season_covered'] else 'no, so slow drift is told as information only'}"
    )
    if facts["labelled_share"]:
        tables.line(f"{facts['labelled_share']:.1%} of the rows have a label: biases are held against theirs")
    tables.show(
        ("column", "smallest shift that half of batches reveal", "independent rows that it is worth"),
        [(item["column"], _shift(item), _rows(item["effective_rows"])) for item in facts["columns"]],
    )


def _shift(item: dict[str, Any]) -> str:
    """A shift with its unit; where no batch could be so far away, that it cannot be seen by itself."""
    if item["minimum_detectable_shift"] is None:
        return "– (only missing values are watched)"
    if not item["reachable"]:
        return "cannot be seen: the reference's own batches differ as much"
    unit = "sd" if item["unit"] == "sd" else "Hellinger distance"
    return f"{tables.number(item['minimum_detectable_shift'])} {unit}"


def _rows(number: int | None) -> str:
    return "–" if number is None else str(number)
