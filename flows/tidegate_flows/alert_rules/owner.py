"""Who owns a dataset: each alert of one carries it, for routing."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Record
from tidegate_flows.alert_rules.case import Case, Values, here, of
from tidegate_flows.alert_rules.promql import BY, known, newest

_PARCELS = {"dataset": "parcels", "owner": "post"}
_TEST = {"job": "tidegate-test", "dataset": "orders", "owner": "lab"}


def _changed(before: str, after: str) -> dict[str, Values]:
    """Another owner since minute 10, and no answer at minute 20; one of the two comes first by the alphabet."""
    return {
        here("ledger_up"): [(0, 1), (20, None), (21, 1)],
        of("contract_info", version="1", owner=before): [(0, 1), (10, None)],
        of("contract_info", version="2", owner=after): [(10, 1), (20, None), (21, 1)],
    }


def _owned_by(name: str, what: str, series: dict[str, Values], at: int) -> Case:
    every = ({"dataset": "orders", "owner": name}, _PARCELS, _TEST)
    return Case(what, series, at, every, step=1, lacks=(of("contract_info")[:-1],))


OWNER = Record(
    "tidegate:owner",
    newest("owner", known("tidegate_contract_info", f"{BY}, owner", when=True))
    + f"\nor on ({BY})\n"
    + f'label_replace({known("tidegate_breaker_state")} >= bool 0, "owner", "nobody", "", "")',
    cases=(
        _owned_by("new", "another owner", _changed("old", "new"), 19),
        _owned_by("new", "another owner, and a scrape is missed", _changed("old", "new"), 20),
        _owned_by("a new", "another owner that comes first, and a scrape is missed", _changed("old", "a new"), 20),
        _owned_by("new", "another owner, and the next scrape is not missed", _changed("old", "new"), 21),
    ),
)
