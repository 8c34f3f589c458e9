"""Contracts: whether they load, what they lack, and what the ledger knows of their datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import TidegateError
from tidegate_contracts.severity import Severity
from tidegate_flows.breaker_now import breaker_now
from tidegate_flows.doctor.examined import Examined, State, told
from tidegate_flows.ledger import breakers
from tidegate_flows.pasted import SIGNED, pasted, way_out
from tidegate_flows.pasted import named as named_store
from tidegate_flows.settings import Settings
from tidegate_monitors.breaker import State as BreakerState


def _build(path: str, chosen: Settings | None) -> str:
    store = named_store(chosen) if chosen is not None else None
    return pasted("reference", "build", path, "BATCH…", signed=f"--approve {SIGNED}", store=store)


def examine(named: Sequence[str], chosen: Settings | None, *, readable: bool = True) -> Iterator[Examined]:
    """Look at each contract, read beside the others.

    Args:
        named: Each ``path.py[:name]``.
        chosen: The settings in force; None where there is no ledger to ask.
        readable: Whether what is not there is known not to be: a ledger that cannot be read may have it.
    """
    from tidegate_contracts.load import load_contract

    loaded: dict[str, Contract] = {}
    for path in named:
        try:
            loaded[path] = load_contract(path)
        except TidegateError as error:
            yield Examined(f"contract {path}", "no", told(error), error.hint or _mend(path))
    yield from _linted(loaded)
    for path, contract in loaded.items():
        if chosen is not None:
            yield from _known(path, contract, chosen)
        elif readable:
            yield Examined(f"reference of {contract.name}", *_missing(path, contract, None))


def _mend(path: str) -> str:
    file = path.rpartition(":")[0] if ".py:" in path else path
    return pasted("lint", path) if Path(file).is_file() else "name a file that is there, from the folder that one is in"


def _linted(loaded: dict[str, Contract]) -> Iterator[Examined]:
    from tidegate_contracts.lint import lint

    contracts = list(loaded.values())
    for contract, linted in zip(contracts, lint(contracts, datetime.now(UTC).date()), strict=True):
        worst = {finding.severity for finding in linted.findings}
        state: State = "warning" if worst & {Severity.CRITICAL, Severity.WARNING} else "ok"
        checks = ", ".join(dict.fromkeys(finding.check for finding in linted.findings))
        yield Examined(
            f"contract {contract.name}",
            state,
            f"{contract.version}, owner {contract.owner}{f'; {checks}' if checks else ''}",
            None if state == "ok" else pasted("lint", next(path for path in loaded if loaded[path] is contract)),
        )


def _known(path: str, contract: Contract, chosen: Settings) -> Iterator[Examined]:
    """The reference in force and the breaker, as the ledger has them."""
    from tidegate_flows.place import at
    from tidegate_flows.reference import approved

    what = f"reference of {contract.name}"
    try:
        with at(chosen, read_only=True) as place:
            with place.ledger.read() as connection:
                breaker = breaker_now(breakers.load(connection, contract.name), place.clock())
                why = breakers.why(connection, contract.name, breaker)
            reference = approved(place, contract)
    except TidegateError as error:
        yield Examined(what, "no", told(error), error.hint or _build(path, chosen))
        return
    yield (
        Examined(what, "ok", reference.sha256[:12]) if reference else Examined(what, *_missing(path, contract, chosen))
    )
    shut = breaker.state is not BreakerState.CLOSED
    yield Examined(
        f"breaker of {contract.name}",
        "warning" if shut else "ok",
        f"{breaker.state.value}, because of {why}" if shut else "closed",
        way_out(contract.name, named_store(chosen)) if shut else None,
    )


def _missing(path: str, contract: Contract, chosen: Settings | None) -> tuple[State, str, str]:
    if contract.alarm_budget is not None:
        return "no", "none is approved, and the contract states an alarm budget", _build(path, chosen)
    return "warning", "none is approved: no drift is seen", _build(path, chosen)
