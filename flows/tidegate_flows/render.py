"""Render what watches the metrics: alert rules with their tests, and what Prometheus and Alertmanager are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_flows.alert_rules.addresses import Addresses
from tidegate_flows.alert_rules.alert import Group
from tidegate_flows.alert_rules.declared import declared
from tidegate_flows.alert_rules.groups import FILES
from tidegate_flows.alert_rules.routing import routing
from tidegate_flows.alert_rules.rules_file import rules
from tidegate_flows.alert_rules.scraping import scraping
from tidegate_flows.alert_rules.tests_file import tests
from tidegate_flows.alert_rules.text import yaml_of
from tidegate_flows.exposition import safe
from tidegate_flows.stores.local import replace_durably

_MADE = "Rendered by `tidegate render`; render it again instead of editing it.\n"
_USUAL_STEP = 5
_MODE = 0o644
"""Prometheus and Alertmanager are other users than whoever renders."""


def render(contracts: Sequence[Contract], addresses: Addresses) -> dict[str, str]:
    """All files by their paths; the same for the same contracts, in whatever order.

    Raises:
        UsageError: Two contracts are of one dataset.
    """
    ordered = sorted(contracts, key=lambda contract: contract.name)
    twice = [name for name, times in Counter(contract.name for contract in ordered).items() if times > 1]
    if twice:
        raise UsageError("two contracts of one dataset", found=", ".join(twice), allowed="one contract a dataset")
    files: dict[str, tuple[Group, ...]] = dict(FILES)
    if ordered:
        files["tidegate.declared.rules.yaml"] = (declared(ordered),)
    found = {}
    for name, groups in files.items():
        found[name] = yaml_of(rules(groups, addresses.leads_to), f"{_MADE}{_about(name)}")
        needed = {other: files[other] for other in dict.fromkeys(("tidegate.rules.yaml", name))}
        needed = {name: groups} if name.startswith("tidegate.declared") else needed
        for step, document in tests(groups, needed, addresses.leads_to).items():
            found[_test_name(name, step)] = yaml_of(document, f"{_MADE}promtool test rules {_test_name(name, step)}")
    scraped = scraping([*files], exporter=addresses.exporter, alertmanager=addresses.alertmanager)
    found["prometheus.yaml"] = yaml_of(scraped, f"{_MADE}prometheus --config.file=prometheus.yaml")
    owners = sorted({safe(contract.owner) for contract in ordered})
    routes = routing(owners, webhook=addresses.webhook, heartbeat=addresses.heartbeat)
    told = yaml_of(routes, f"{_MADE}prometheus-alertmanager --config.file=alertmanager.yaml")
    return {
        **{f"prometheus/{name}": text for name, text in found.items()},
        "alertmanager/alertmanager.yaml": told,
    }


def _about(name: str) -> str:
    return f"promtool check rules {name}"


def _test_name(name: str, step: int) -> str:
    """The file of a file's tests: those of the usual step have no number in it."""
    return name.replace(".rules.", ".rules.test." if step == _USUAL_STEP else f".rules.{step}m.test.")


def write(files: Mapping[str, str], folder: Path, *, force: bool) -> list[str]:
    """Write what is not there as it should be; gives what was written.

    Raises:
        UsageError: A file is there and says something else; then nothing is written.
        StoreError: A file cannot be written.
    """
    try:
        changed = {name: text for name, text in files.items() if not _is(folder / name, text)}
        there = [name for name in changed if (folder / name).exists() or (folder / name).is_symlink()]
        if there and not force:
            raise UsageError(
                f"{folder} holds files that say something else",
                found=", ".join(there),
                allowed="files that are as they would be rendered, or none",
                hint="nothing was written; name another folder, or --force to write over them",
            )
        for name, text in changed.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_durably(path, text.encode(), _MODE)
    except OSError as error:
        raise StoreError(f"{error.filename or folder} cannot be written", found=error.strerror) from error
    return [*changed]


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def summary(files: Mapping[str, str], written: Sequence[str], folder: Path) -> dict[str, Any]:
    """What was done, as JSON values."""
    return {"format": 1, "folder": str(folder), "files": [*files], "written": [*written]}
