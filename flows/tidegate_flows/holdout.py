"""How often a test set was looked at: counted in the audit, so that nobody forgets a look."""

from __future__ import annotations

import math

from tidegate_contracts.contract import Contract
from tidegate_contracts.severity import Severity
from tidegate_flows.ledger import audit
from tidegate_flows.place import Place
from tidegate_monitors.alarm import Alarm

_CHECK = "holdout_reuse"
_EVENT = "holdout.looked"


def looked(place: Place, contract: Contract, *, train: str, test: str) -> int:
    """Write down that TEST was looked at with TRAIN; the same two again are no new look.

    Args:
        place: Whose audit keeps it.
        contract: What the split was held against.
        train: The sha256 of TRAIN's bytes.
        test: The fingerprint of TEST's rows.

    Returns:
        With how many different TRAINs it was looked at so far, this one included.
    """
    with place.ledger.begin() as connection:
        entries = audit.entries(connection, contract.name)
        seen = {item["reason"] for item in entries if (item["event"], item["batch"]) == (_EVENT, test)}
        words = f"with TRAIN {train}"
        if words not in seen:
            audit.append(connection, contract.name, _EVENT, at=place.clock(), batch=test, reason=words)
    return len(seen | {words})


def reused(contract: Contract, looks: int, allowed: int) -> Alarm | None:
    """The alarm that TEST was looked at more often than is allowed; None while it was not.

    Of k models of the same worth the best looks better than it is by up to sqrt(2 ln k) standard errors of the test on
    average, if it is chosen by that test. The score is the number of looks; the threshold is how many are allowed.

    Source: S. Boucheron, G. Lugosi, P. Massart (2013), Concentration Inequalities, theorem 2.5 (the expected maximum of
    k normal variables).
    """
    if looks <= allowed:
        return None
    return Alarm(
        _CHECK,
        contract.severity_of(_CHECK, Severity.WARNING),
        f"TEST was looked at with {looks} different TRAINs, and {allowed} are allowed: the best of {looks} models of "
        f"the same worth seems better by up to {math.sqrt(2 * math.log(looks)):.1f} standard errors of the test",
        score=float(looks),
        threshold=float(allowed),
    )
