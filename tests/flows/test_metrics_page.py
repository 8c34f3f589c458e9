"""docs/metrics.md and the exporter say the same."""

from __future__ import annotations

import re
from pathlib import Path

from tidegate_flows.exposition import PREFIX
from tidegate_monitors.metrics import distributions, families, health
from tidegate_monitors.metrics_snapshot import Snapshot

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(tidegate_\w+)` \| (\w+) \| ([^|]*) \| (.*?\.) ?([^|]*)\|$", re.MULTILINE)


def exported() -> dict[str, tuple[str, str, str]]:
    """By name the type, the labels and the meaning of all that is exported."""
    nothing = Snapshot("0.1.0", {})
    found = [*families(nothing), *distributions(nothing), *health(up=True, seconds=0.1)]
    return {
        f"{PREFIX}{item.name}{'_total' if item.kind == 'counter' else ''}": (
            item.kind,
            ", ".join(f"`{label}`" for label in item.labels),
            item.help,
        )
        for item in found
    }


def test_the_page_lists_every_metric_with_its_type_labels_and_meaning_and_no_other() -> None:
    listed = {name: (kind, labels.strip(), text) for name, kind, labels, text, _ in ROW.findall(PAGE.read_text())}
    assert listed == exported()


def test_no_metric_is_named_in_the_page_that_is_not_exported() -> None:
    named = set(re.findall(r"\btidegate_[a-z_]*[a-z]", PAGE.read_text()))
    suffixed = {f"{name}{suffix}" for name in exported() for suffix in ("", "_bucket", "_count", "_sum")}
    assert named <= suffixed
