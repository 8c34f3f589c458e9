"""The judgement of labels that were joined: what the store knows of a model, held together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import MonitorError, TidegateError
from tidegate_contracts.severity import Severity
from tidegate_contracts.span import in_words
from tidegate_flows import label_store
from tidegate_flows.labels import comparable
from tidegate_flows.ledger import cohorts, counters, label_reports, runs
from tidegate_flows.place import Place
from tidegate_flows.reference import approved
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.label_judgement import Question, judge
from tidegate_monitors.label_report import LabelReport
from tidegate_monitors.maturity import USUAL_SHARE, Maturity

_INPUT_DRIFT = frozenset({"drift", "joint_drift", "slow_poisoning", "category_change", "unit_change"})
_LOUD = frozenset({"warning", "critical"})


def judge_at(place: Place, contract: Contract, asked: Iterable[str], now: datetime) -> LabelReport:
    """Judge the mature cohorts of a dataset, and keep the judgement for metrics and the page.

    Args:
        place: Where the labels were joined.
        contract: What was promised.
        asked: The batches that are asked about.
        now: By when labels should have come.

    Raises:
        StoreError: The store cannot be read or written.
        MonitorError: A statistic raised; nothing was kept.
    """
    named = frozenset(asked)
    if not named:
        return _nothing(contract)
    reference = approved(place, contract)
    question = Question(
        contract=contract,
        cohorts=comparable(place, contract, reference, now=now, asked=named),
        asked=named,
        reference=reference.cohorts if reference is not None else (),
        now=now,
        pairs=lambda batches: label_store.pairs(place, contract.name, batches, contract),
        calm=lambda batches: _calm(place, contract.name, batches),
    )
    try:
        report = judge(question)
    except TidegateError:
        raise
    except Exception as error:  # whatever a statistic does, it is our failure; its words may hold values
        raise MonitorError("a statistic of the labels raised", found=type(error).__name__) from error
    report = replace(report, findings=(*report.findings, *_overdue(place, contract, now)))
    with place.ledger.begin() as connection:
        if label_reports.save(connection, contract.name, report.to_dict(), at=place.seconds):
            for finding in report.findings:
                word = finding.severity.value
                counters.bump(connection, "findings_total", contract.name, check=finding.check, severity=word)
    return report


def _overdue(place: Place, contract: Contract, now: datetime) -> Iterator[Alarm]:
    """That labels of published batches should be complete, and none has come."""
    if contract.label_delay is None:
        return
    with place.ledger.read() as connection:
        waiting = cohorts.unlabelled(connection, contract.name, ended=(now - contract.label_delay).timestamp())
    if waiting.batches:
        names = repr(waiting.first) if waiting.batches == 1 else f"{waiting.first!r} to {waiting.last!r}"
        yield Alarm(
            "immature_labels",
            contract.severity_of("immature_labels", Severity.WARNING),
            f"{waiting.batches} published batches ({names}) have no label although {in_words(contract.label_delay)} "
            f"have passed since the end of their windows",
            contract.label,
            score=float(waiting.batches),
            threshold=0.0,
        )


def _nothing(contract: Contract) -> LabelReport:
    """What is said where a delivery named no published row; what was judged before still stands."""
    message = "no row of a published batch was named, so that nothing was judged"
    alarm = Alarm("insufficient_evidence", Severity.INFO, message, contract.label, kind="insufficient_evidence")
    return LabelReport(contract.name, Maturity.of((), (), USUAL_SHARE), findings=(alarm,))


def _calm(place: Place, dataset: str, batches: Sequence[str]) -> bool | None:
    """Whether no run of these batches warned of its inputs; None where none was held against a reference."""
    with place.ledger.read() as connection:
        documents = _documents(connection, dataset, batches)
    held = [document for document in documents if document["reference"] is not None]
    if not held:
        return None
    loud = [
        finding
        for document in held
        for finding in document["findings"]
        if finding["severity"] in _LOUD and (finding["check"] in _INPUT_DRIFT or _INPUT_DRIFT & {*finding["folded"]})
    ]
    return not loud


def _documents(connection: Connection, dataset: str, batches: Sequence[str]) -> list[dict[str, Any]]:
    rows = (runs.speaking_for(connection, dataset, batch) for batch in batches)
    return [json.loads(row.document) for row in rows if row is not None]
