"""The judgement of some cohorts: what their labels say of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from types import MappingProxyType

from tidegate_contracts.contract import Contract
from tidegate_contracts.outcome import Outcome, outcome_of
from tidegate_contracts.severity import Severity
from tidegate_contracts.span import in_words
from tidegate_monitors.alarm import Alarm
from tidegate_monitors.bias import Bias, biases
from tidegate_monitors.bias_alarms import WINDOWS, Judged, judge_bias
from tidegate_monitors.bias_cells import Key
from tidegate_monitors.bias_findings import Told, bias_findings
from tidegate_monitors.bias_interval import BATCHES_MINIMUM
from tidegate_monitors.bias_stream import SlowBias, slow_bias
from tidegate_monitors.calibration import Calibration
from tidegate_monitors.cohort import WHOLE, Cohort
from tidegate_monitors.estimated import Estimated, estimated
from tidegate_monitors.label_report import LabelReport, OutcomeReport
from tidegate_monitors.label_rules import LabelEvidence, judge_labels, label_rules
from tidegate_monitors.maturity import Maturity, expected_share, is_due, is_mature
from tidegate_monitors.pairs import Pairs
from tidegate_monitors.panel import Panel
from tidegate_monitors.skill import skill_of
from tidegate_monitors.tally import Sum, Tally

ALPHA = 0.05
"""The rate of false alarms of one judgement where the contract states no budget."""
_STREAM_SHARE = 0.1


@dataclass(frozen=True)
class Question:
    """What a judgement is made of.

    Attributes:
        contract: What was promised.
        cohorts: Those that can be compared, in the order of their windows.
        asked: The ids of those that are asked about; the others are what came before and between.
        reference: The cohorts of the reference's own batches, where they had labels.
        now: The time by which labels should have come.
        pairs: Gives the rows of some batches, batch by batch, as often as it is asked.
        calm: Whether no input was found to drift in some batches; None if nobody looked.
    """

    contract: Contract
    cohorts: Sequence[Cohort]
    asked: frozenset[str]
    reference: Sequence[Cohort]
    now: datetime
    pairs: Callable[[Sequence[str]], Iterator[Pairs]]
    calm: Callable[[Sequence[str]], bool | None]

    @property
    def alpha(self) -> float:
        """The rate of false alarms of one judgement."""
        budget = self.contract.alarm_budget
        return ALPHA if budget is None else 1 / budget.one_in


def judge(question: Question) -> LabelReport:
    """Judge the mature cohorts: the latest 28, or all that are asked about where these are more.

    Nothing is computed of cohorts whose labels are not complete: those that come by their outcome, the good ones
    first, would shift every mean.

    False alarms: biases are judged at nine tenths of the contract's budget (1 in 20 judgements where it states none);
    the other rules share another such budget. The stream has the tenth that is left as a mean run length, for scores
    that are about normal: ten times the budget's number of batches go by on average before its first false alarm. That
    is no rate of one judgement, since judgements that follow one another look at much the same batches.
    """
    contract = question.contract
    due = [cohort for cohort in question.cohorts if is_due(cohort, contract, question.now)]
    expected = expected_share(due, contract)
    ready = [cohort for cohort in due if is_mature(cohort, contract, question.now, expected)]
    asked = [cohort for cohort in question.cohorts if cohort.batch in question.asked]
    asked_ready = [cohort for cohort in ready if cohort.batch in question.asked]
    maturity = Maturity.of(asked, asked_ready, expected)
    edges = question.cohorts[-1].edges if question.cohorts else ()
    if not asked_ready:
        return LabelReport(
            contract.name,
            maturity,
            edges=edges,
            bounds=_bounds(asked, contract),
            findings=(*_selective(question, due), _immature(maturity, contract, asked)),
        )
    window = ready[-max(WINDOWS[-1], len(asked_ready)) :]
    return _judged(question, ready, window, LabelReport(contract.name, maturity, edges=edges))


def _judged(question: Question, ready: Sequence[Cohort], window: Sequence[Cohort], report: LabelReport) -> LabelReport:
    contract = question.contract
    ids = tuple(cohort.batch for cohort in window)
    reference = [cohort for cohort in question.reference if cohort.edges == report.edges]
    evidence = LabelEvidence(
        tuple(window),
        tuple(reference),
        contract,
        question.alpha,
        question.calm(ids),
        lambda: question.pairs(ids),
    )
    outcomes, found = {}, []
    for name in window[-1].tallies:
        outcomes[name], alarms = _outcome(question, ready, evidence, name)
        found += alarms
    found += judge_labels(evidence)
    if len(window) < BATCHES_MINIMUM:
        found.append(_few(len(window), contract))
    return replace(
        report,
        batches=ids,
        bounds=_bounds(window, contract),
        outcomes=MappingProxyType(outcomes),
        skill=skill_of(window, contract, evidence.pairs),
        estimate=_estimate(question, evidence, calibrated=_calibrated(evidence, found)),
        findings=tuple(sorted(_once(found), key=lambda alarm: -alarm.severity.rank)),
    )


def _outcome(
    question: Question, ready: Sequence[Cohort], evidence: LabelEvidence, name: str
) -> tuple[OutcomeReport, list[Alarm]]:
    contract, binary = question.contract, evidence.outcome is not Outcome.NUMBER
    tolerance, alpha = contract.bias_tolerance, evidence.alpha
    judged: Sequence[Judged] = judge_bias(
        evidence.cohorts,
        evidence.reference,
        name,
        tolerance=tolerance,
        alpha=alpha * (1 - _STREAM_SHARE) / len(evidence.cohorts[-1].tallies),
        binary=binary,
    )
    slow: Sequence[SlowBias] = slow_bias(
        ready,
        evidence.reference,
        name,
        tolerance=tolerance,
        run_length=len(evidence.cohorts[-1].tallies) / (alpha * _STREAM_SHARE),
        binary=binary,
    )
    table = biases(evidence.cohorts, name, binary=binary)
    known = {Key(bias.slice, bias.bucket) for bias in table}
    judged = [item for item in judged if item.key in known]
    slow = [item for item in slow if item.key in known]
    table = _with_scores(table, judged, slow)
    told = Told(
        contract,
        {Key(b.slice, b.bucket): b for b in table},
        evidence.cohorts[-1].edges,
        name or None,
        bool(evidence.reference),
    )
    total = reduce(Tally.__add__, (cohort.tallies[name] for cohort in evidence.cohorts))
    calibration = Calibration.of(total, evidence.pairs, probability=binary, outcome=name)
    return OutcomeReport(table, calibration), list(bias_findings(told, judged, slow))


def _with_scores(table: Sequence[Bias], judged: Sequence[Judged], slow: Sequence[SlowBias]) -> tuple[Bias, ...]:
    """The table with what each cell's bias alarms at, and how near it is."""
    ratios = {item.key: item.ratio for item in judged}
    for item in slow:
        ratios[item.key] = max(ratios.get(item.key, 0.0), item.ratio)
    detectable = {item.key: item.detectable for item in judged}
    keys = [Key(bias.slice, bias.bucket) for bias in table]
    return tuple(
        replace(bias, minimum_detectable=detectable.get(key), score_ratio=ratios.get(key))
        for bias, key in zip(table, keys, strict=True)
    )


def _calibrated(evidence: LabelEvidence, found: Sequence[Alarm]) -> bool | None:
    """Whether predictions were found to be calibrated; None where the rule had too little to go by."""
    if any(alarm.check == "miscalibration" for alarm in found):
        return False
    panels = [Panel.of(evidence.cohorts, name, evidence.cohorts[-1].edges) for name in evidence.cohorts[-1].tallies]
    return True if all(panel.sound for panel in panels) else None


def _estimate(question: Question, evidence: LabelEvidence, *, calibrated: bool | None) -> Estimated | None:
    """Of the batches that wait for all of their labels."""
    if evidence.outcome is not Outcome.BINARY:
        return None
    edges = evidence.cohorts[-1].edges
    panel = Panel.of(question.cohorts, WHOLE, edges)
    threshold = question.contract.decision_threshold
    return estimated(panel, edges, calibrated=calibrated, calm=evidence.calm, threshold=threshold)


def _bounds(cohorts: Sequence[Cohort], contract: Contract) -> tuple[float, float] | None:
    """Between which values the bias of all scored rows lies, whatever the labels are that are missing: 0 or 1 each."""
    if outcome_of(contract) is not Outcome.BINARY or not cohorts:
        return None
    sums = reduce(Tally.__add__, (cohort.tallies[WHOLE] for cohort in cohorts)).overall
    rows = float(sums[Sum.ROWS])
    if not rows:
        return None
    highest = float(sums[Sum.SCORED] - sums[Sum.Y]) / rows
    return highest - float(rows - sums[Sum.N]) / rows, highest


def _selective(question: Question, due: Sequence[Cohort]) -> Iterator[Alarm]:
    """That labels are missing for some rows more than for others, of cohorts whose labels should be complete."""
    if len(due) >= BATCHES_MINIMUM:
        window = tuple(due[-WINDOWS[-1] :])
        evidence = LabelEvidence(window, tuple(question.reference), question.contract, question.alpha)
        yield from (a for a in label_rules()["selective_labels"](evidence) if a.kind == "alarm")


def _immature(maturity: Maturity, contract: Contract, asked: Sequence[Cohort]) -> Alarm:
    delay = f", {in_words(contract.label_delay)} after the end of their windows" if contract.label_delay else ""
    needed = f"batches are judged from {maturity.expected:.1%} on{delay}"
    labelled, settled, rows = (sum(getattr(c, name) for c in asked) for name in ("labelled", "settled", "rows"))
    come = f"labels of {labelled / rows if rows else 0.0:.1%} of the rows have come"
    if rows and settled == rows and not labelled:
        come, needed = f"none of the {rows:,} rows will have a label: all were said to have none", "nothing is judged"
    elif settled > labelled:
        come = f"{come}, and of {(settled - labelled) / rows:.1%} none will come"
    return Alarm(
        "immature_labels",
        contract.severity_of("immature_labels", Severity.INFO),
        f"{come}; {needed}",
        contract.label,
        score=maturity.share,
        threshold=maturity.expected,
        kind="insufficient_evidence",
    )


def _few(batches: int, contract: Contract) -> Alarm:
    return Alarm(
        "insufficient_evidence",
        Severity.INFO,
        f"{batches} batches have mature labels; below {BATCHES_MINIMUM} no bias can be told from what batches do by "
        f"themselves, and intervals take rows as independent",
        contract.prediction,
        kind="insufficient_evidence",
    )


def _once(alarms: Sequence[Alarm]) -> Iterator[Alarm]:
    """What is too little evidence told once, and not for every rule."""
    seen = False
    for alarm in alarms:
        if alarm.check == "insufficient_evidence":
            if not seen:
                yield alarm
            seen = True
        else:
            yield alarm
