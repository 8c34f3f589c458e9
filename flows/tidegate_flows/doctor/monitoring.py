"""Whoever watches: the exporter, and Prometheus with our rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, func, select

from tidegate_contracts.errors import TidegateError
from tidegate_flows.doctor.bounded import document
from tidegate_flows.doctor.examined import Examined, told
from tidegate_flows.ledger.schema import audit, runs
from tidegate_flows.ledger_reader import LedgerReader
from tidegate_flows.settings import Settings
from tidegate_flows.url import masked

_LATE = 60.0
_LAST = re.compile(r'^tidegate_batch_last_completed_timestamp_seconds\{dataset="([^"]*)"\} (\S+)', re.MULTILINE)
_HEAD = re.compile(r'^tidegate_audit_head_info\{dataset="([^"]*)",(?:[^}]*,)?sha256="([0-9a-f]+)"', re.MULTILINE)
_ALWAYS = "tidegate_ledger_up"  # told while the ledger cannot be read, too
_UP = re.compile(r"^tidegate_ledger_up (\S+)", re.MULTILINE)
_RULES = "deploy/prometheus/*.rules.yaml"
_CONFIGURATION = "deploy/prometheus/prometheus.yaml"
_JOB = "tidegate"  # with which each job begins that the rules are about


def exporter(url: str, chosen: Settings | None) -> Iterator[Examined]:
    """Look at whether the exporter answers, and tells of the ledger that we have.

    Args:
        url: Where it answers, with or without ``/metrics``.
        chosen: The settings in force; None where their ledger cannot be read.
    """
    what, shown = "exporter", masked(url)
    try:
        page = str(document(url if url.endswith("/metrics") else f"{url.rstrip('/')}/metrics"))
    except TidegateError as error:
        yield Examined(what, "no", f"{shown}: {told(error)}", "start tidegate serve there, or correct the address")
        return
    up = _UP.search(page)
    if up is None:
        yield Examined(what, "no", f"{shown} is no exporter of ours", "the address of tidegate serve, port 9464")
    elif float(up[1]) != 1:
        yield Examined(
            what, "no", f"{shown} cannot read its ledger", "its own log says why; its store and ledger are set?"
        )
    else:
        yield _fresh(page, shown, chosen)


def _fresh(page: str, shown: str, chosen: Settings | None) -> Examined:
    if chosen is None:
        return Examined("exporter", "ok", f"{shown} answers")
    told = {name: float(value) for name, value in _LAST.findall(page)}
    reader = LedgerReader(chosen)
    hint = "it reads another store or ledger: give it the same TIDEGATE_STORE and TIDEGATE_LEDGER"
    behind = [name for name, last in reader.ask(_newest).items() if told.get(name, float("-inf")) < last - _LATE]
    if behind:
        words = f"{shown} knows nothing of the newest batches of {', '.join(sorted(behind))}"
        return Examined("exporter", "no", words, hint)
    heads = dict(_HEAD.findall(page))
    strange = sorted(name for name, head in heads.items() if not reader.ask(partial(_has_entry, name, head)))
    if strange:
        words = f"{shown} tells of an audit of {', '.join(strange)} that this ledger does not have"
        return Examined("exporter", "no", words, hint)
    many = f"{len(told)} dataset{'' if len(told) == 1 else 's'}"
    return Examined("exporter", "ok", f"{shown}: {many}, as the ledger has them")


def _has_entry(dataset: str, head: str, connection: Connection) -> bool:
    query = select(audit.c.seq).where(audit.c.dataset == dataset, audit.c.sha256 == head).limit(1)
    return connection.scalar(query) is not None


def _newest(connection: Connection) -> dict[str, float]:
    """When the batch that came last was decided on, by dataset: what was judged again since is no arrival."""
    last = select(func.max(runs.c.seq)).where(runs.c.arrival).group_by(runs.c.dataset)
    query = select(runs.c.dataset, runs.c.completed_at).where(runs.c.seq.in_(last))
    return {name: float(last) for name, last in connection.execute(query)}


def prometheus(url: str) -> Iterator[Examined]:
    """Look at whether Prometheus has our rules, scrapes our exporter, and tells somebody of alerts.

    Args:
        url: Where it answers.
    """
    base, shown = url.rstrip("/"), masked(url)
    try:
        rules = _data(document(f"{base}/api/v1/rules"))
        scraped = _data(document(f"{base}/api/v1/query?query={quote(_ALWAYS)}"))
        known = {rule["name"]: rule for group in rules["groups"] for rule in group["rules"]}
        targets = [item["metric"] for item in scraped["result"]]
        called = [item["url"] for item in _data(document(f"{base}/api/v1/alertmanagers"))["activeAlertmanagers"]]
    except TidegateError as error:
        yield Examined("prometheus", "no", f"{shown}: {told(error)}", "start it, or correct the address")
        return
    except (KeyError, TypeError):
        yield Examined("prometheus", "no", f"{shown} is no Prometheus", "its address, such as http://127.0.0.1:9090")
        return
    yield _rules(known)
    yield _scraped(targets)
    yield _called(called)


def _scraped(targets: list[dict[str, str]]) -> Examined:
    what = "prometheus target"
    if not targets:
        return Examined(what, "no", "scrapes no exporter of ours", f"a job for port 9464, as in {_CONFIGURATION}")
    unwatched = sorted({target.get("job", "") for target in targets if not target.get("job", "").startswith(_JOB)})
    if unwatched:
        hint = f"a job whose name begins with {_JOB}; docs/deploy.md relabels that of a pod"
        found = f"no rule watches an exporter whose job is {', '.join(map(repr, unwatched))}"
        return Examined(what, "warning", found, hint)
    return Examined(what, "ok", f"scrapes {', '.join(target.get('instance', '?') for target in targets)}")


def _called(urls: list[str]) -> Examined:
    what = "prometheus alertmanager"
    if not urls:
        return Examined(what, "no", "alerts reach nobody: it knows of none", f"alerting:, as in {_CONFIGURATION}")
    return Examined(what, "ok", f"alerts go to {', '.join(map(masked, urls))}")


def _data(answer: Any) -> Any:
    return answer["data"]


def _rules(known: dict[str, Any]) -> Examined:
    from tidegate_flows.alert_rules.groups import alerts

    ours = [alert.name for alert in alerts()]
    missing = [name for name in ours if name not in known]
    ill = [name for name in ours if name in known and known[name].get("health") == "err"]
    if missing or ill:
        word = f"{len(missing)} of {len(ours)} missing: {', '.join(missing[:5])}" if missing else ""
        words = [word, f"cannot be evaluated: {', '.join(ill[:5])}" if ill else ""]
        return Examined("prometheus rules", "no", "; ".join(filter(None, words)), f"rule_files: [{_RULES}], and reload")
    return Examined("prometheus rules", "ok", f"all {len(ours)}")
