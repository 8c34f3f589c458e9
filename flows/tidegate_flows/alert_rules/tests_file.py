"""The cases of alerts as ``promtool test rules`` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tidegate_flows.alert_rules.alert import Alert, Group, Record
from tidegate_flows.alert_rules.case import Case, Values
from tidegate_flows.alert_rules.said import SAID


def tests(
    groups: Sequence[Group], rule_files: Mapping[str, Sequence[Group]], runbook: str
) -> dict[int, dict[str, Any]]:
    """By minutes between evaluations a file of tests; cases that last for days are looked at less often.

    Args:
        groups: Whose cases.
        rule_files: The files that they need and the groups in them.
        runbook: The runbook's address.
    """
    order = [group.name for name in rule_files for group in rule_files[name]]
    rules: list[Alert | Record] = []
    for group in groups:
        rules += group.records
        rules += group.alerts
    every = [(rule, case) for rule in rules for case in twins(rule)]
    return {
        step: {
            "rule_files": list(rule_files),
            "evaluation_interval": f"{step}m",
            "group_eval_order": order,
            "tests": [test(rule, case, runbook) for rule, case in every if case.step == step],
        }
        for step in sorted({case.step for _, case in every})
    }


def twins(rule: Alert | Record) -> Iterable[Case]:
    """The cases of a rule and of an exporter that goes away in them."""
    return (twin for case in rule.cases for twin in case.twins())


def test(rule: Alert | Record, case: Case, runbook: str) -> dict[str, Any]:
    """One case of one rule."""
    found = {
        "name": f"{rule.name}: {case.name}",
        "interval": f"{case.step}m",
        "input_series": [
            {"series": series, "values": notation(values, case)} for series, values in case.all_series().items()
        ],
    }
    told = _annotations(rule, case, runbook) if isinstance(rule, Alert) else {}
    return {**found, **told, "promql_expr_test": [_series(rule, case)]}


def _series(rule: Alert | Record, case: Case) -> dict[str, Any]:
    """That exactly these fire, by the series that Prometheus keeps of it: labels alone, whatever they say."""
    name = "ALERTS" if isinstance(rule, Alert) else rule.name
    own = {"alertname": rule.name, "alertstate": "firing"} if isinstance(rule, Alert) else {}
    own |= {name: value for name, value in (rule.labels if isinstance(rule, Alert) else ()) if name == "dataset"}
    more = {"severity": rule.urgency.value, **dict(rule.labels)} if isinstance(rule, Alert) else {}
    job = _job(rule)
    if case.whoever:
        labels = {**own, **more, **job, **case.fires[0]}
        return {
            "expr": f"count without (owner) ({name}{_braced(own)})",
            "eval_time": f"{case.at}m",
            "exp_samples": [{"labels": _braced(labels), "value": case.value}],
        }
    return {
        "expr": f"{name}{_braced(own)}",
        "eval_time": f"{case.at}m",
        "exp_samples": [
            {"labels": f"{name}{_braced({**own, **more, **job, **labels})}", "value": case.value}
            for labels in case.fires
        ],
    }


def _annotations(alert: Alert, case: Case, runbook: str) -> dict[str, Any]:
    """All that an alert says, in the first case in which it fires."""
    if alert.name not in SAID or alert.labels or case is not next(case for case in alert.cases if case.fires):
        return {}
    summary, description = SAID[alert.name]
    labels = {"severity": alert.urgency.value, **dict(alert.labels), **_job(alert), **case.fires[0]}
    texts = {"summary": summary, "description": description, "runbook_url": f"{runbook}#{alert.anchor}"}
    told = {"exp_labels": labels, "exp_annotations": texts}
    return {"alert_rule_test": [{"eval_time": f"{case.at}m", "alertname": alert.name, "exp_alerts": [told]}]}


def _job(rule: Alert | Record) -> dict[str, str]:
    """The ledger that a rule speaks of; none for what is so of all of them."""
    of_all = isinstance(rule, Alert) and (rule.name == "TidegateWatchdog" or bool(rule.labels))
    return {} if of_all else {"job": "tidegate"}


def _braced(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()) + "}"


def notation(values: Values, case: Case) -> str:
    """Values in promtool's notation, one a step from minute 0 to the one that is looked at."""
    pairs: list[tuple[int, float | None]] = [(0, values)] if isinstance(values, int | float) else [*values]
    if pairs[0][0] > 0:
        pairs = [(0, None), *pairs]
    found: list[str] = []
    for (start, value), (end, _) in pairwise([*pairs, (case.at + 1, None)]):
        first, last = -(-start // case.step), -(-min(end, case.at + 1) // case.step)
        found += _repeated(value, last - first, marked=not case.killed and bool(found) and found[-1][0] != "_")
    return " ".join(found)


def _repeated(value: float | None, times: int, *, marked: bool) -> list[str]:
    if times < 1:
        return []
    if value is None:
        marker = ["stale"] if marked else []
        rest = times - len(marker)
        return [*marker, *([f"_x{rest}"] if rest else [])]
    number = repr(int(value)) if value == int(value) else repr(float(value))
    return [f"{number}+0x{times - 1}" if times > 1 else number]
