"""Lineage of the gate: what went in, what came of it, and which checks it kept, told as OpenLineage's run events.

Here is only what is known of a batch; :mod:`tidegate_flows.lineage_event` puts it into OpenLineage's words, in the
thread of :mod:`tidegate_flows.lineage_sender`, so that no batch waits for a receiver or for the client's import.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import TidegateError
from tidegate_flows import lineage_sender
from tidegate_flows.lineage_moment import Assertion, Kind, Moment
from tidegate_flows.lineage_place import Named, of_delivery, of_folder, of_url
from tidegate_flows.log_context import current
from tidegate_flows.masking import Mask
from tidegate_flows.place import Place
from tidegate_monitors.breaker import Decision
from tidegate_monitors.finding import Finding
from tidegate_monitors.run import Run

_CONFIG = ("openlineage.yml", "~/.openlineage/openlineage.yml")
_SEVERITIES = {"critical": "error", "warning": "warn", "info": "info"}


def lineage_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment or a file of OpenLineage's says where events are to go."""
    if environment.get("OPENLINEAGE_DISABLED", "").lower() == "true":
        return False
    if any(environment.get(name) for name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")):
        return True
    if any(name.startswith("OPENLINEAGE__TRANSPORT") for name in environment):
        return True
    return any(Path(name).expanduser().is_file() for name in _CONFIG)


class Told:
    """Tells of one batch.

    Args:
        place: Where it is judged.
        contract: What was promised.
        delivery: What came.
    """

    def __init__(self, place: Place, contract: Contract, delivery: Any) -> None:
        self._place, self._dataset, self._run = place, contract.name, str(uuid4())
        self._namespace = os.environ.get("OPENLINEAGE_NAMESPACE") or "tidegate"
        self._source = of_delivery(delivery, contract.name, self._namespace)
        self._columns = tuple((item.name, str(item.type), item.description) for item in contract.columns.values())

    def start(self) -> None:
        """It came."""
        self._tell("START")

    def complete(self, run: Run) -> None:
        """It has a verdict, whichever."""
        self._tell("COMPLETE", run=run, assertions=_assertions(run.findings), outputs=self._outputs(run))

    def fail(self, error: BaseException) -> None:
        """There is no verdict. Words are told of our own errors only; those of others may hold values."""
        words = f": {error}" if isinstance(error, TidegateError) else ""
        self._tell("FAIL", error=Mask.of_environment()(f"{type(error).__name__}{words}"))

    def _tell(
        self,
        kind: Kind,
        *,
        run: Run | None = None,
        assertions: tuple[Assertion, ...] = (),
        outputs: tuple[Named, ...] = (),
        error: str | None = None,
    ) -> None:
        moment = Moment(
            kind,
            self._run,
            datetime.now(UTC),
            self._namespace,
            self._dataset,
            self._source,
            self._columns,
            batch=run.batch if run is not None else current().get("batch"),
            verdict=run,
            assertions=assertions,
            outputs=outputs,
            error=error,
        )
        lineage_sender.send(moment)

    def _outputs(self, run: Run) -> tuple[Named, ...]:
        """The places that readers know; which file of them is the version of the place.

        None for a delivery that came again: it wrote nothing.
        """
        if run.repeated:
            return ()
        store, bucket, found = self._place.store, self._place.bucket, []
        if run.decision is Decision.PUBLISH:
            found.append(of_folder(store.place(run.dataset, "published")))
            if bucket is not None:
                found.append(of_url(f"{bucket.url}/{run.dataset}/published"))
        if run.decision is not Decision.PUBLISH or run.counts.quarantined:
            found.append(of_folder(store.place(run.dataset, "quarantine")))
        return tuple(found)


def begin(place: Place, contract: Contract, delivery: Any) -> Told | None:
    """Begin to tell of a batch; None where nobody listens."""
    if not lineage_wanted():
        return None
    told = Told(place, contract, delivery)
    told.start()
    return told


def _assertions(findings: tuple[Finding, ...]) -> tuple[Assertion, ...]:
    """The contract as a whole, then what was found; what could not be judged is neither kept nor broken.

    Messages stay here: some name a category or a slice of the data.
    """
    told = [item.to_dict() for item in findings]
    broken = any(item["kind"] == "violation" for item in told)
    return (
        Assertion("contract", success=not broken),
        *(
            Assertion(
                item["check"],
                success=False,
                column=item["column"],
                severity=_SEVERITIES.get(item["severity"], "info"),
                score=item["score"],
                threshold=item["threshold"],
                failed=item["failed"],
            )
            for item in told
            if item["kind"] != "insufficient_evidence"
        ),
    )
