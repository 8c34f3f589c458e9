"""What all expressions are made of, so that each trap is avoided in one place.

* A gauge that is gone is no gauge that is well: what an exporter said last counts for an hour while it is down
  (:func:`known`). While it is up, what it no longer says is over.
* ``job`` stands for a ledger and ``instance`` for nothing: two exporters of one ledger, or one that moved, alert once
  and lose nothing of what was before.
* What a counter was is asked of all exporters of its ledger at once (:mod:`~tidegate_flows.alert_rules.growth`).
* No threshold is a NaN, and none is a contract's: those are metrics themselves, joined by dataset.
"""

from __future__ import annotations

MEMORY = "1h"
BY = "job, dataset"


def known(selector: str, by: str = BY, *, when: bool = False) -> str:
    """The value of a gauge, or what it was when the exporter or its ledger went down in the last hour.

    Args:
        selector: The gauge.
        by: By which labels.
        when: Instead of what it was then, when it last was so, which tells the newest of several.
    """
    before = f"max_over_time(timestamp({selector})[{MEMORY}:1m])" if when else f"last_over_time({selector}[{MEMORY}])"
    return (
        f"(\n  max by ({by}) ({selector})\n"
        f"or\n  max by ({by}) ({before}) unless on (job) max by (job) "
        "(tidegate_ledger_up) == 1\n)"
    )


def newest(label: str, values: str) -> str:
    """The one label of the highest value for each dataset; 1."""
    return f"group by ({BY}, {label}) (topk by ({BY}) (1, {values}))"


def owned(expr: str) -> str:
    """With the owner of each dataset among the labels, for routing.

    A Prometheus that was killed leaves the former owner for five minutes beside one that is new; no dataset has two.
    """
    owner = newest("owner", "timestamp(tidegate:owner)")
    return f"(\n{indented(expr)}\n)\n* on ({BY}) group_left (owner) {owner}"


def indented(expr: str) -> str:
    """Two spaces further in."""
    return "\n".join(f"  {line}" for line in expr.splitlines())


def counted(one: str, many: str) -> str:
    """The alert's value and what it counts, such as ``1 batch was`` and ``2 batches were``."""
    return f"{{{{ $value | humanize }}}} {{{{ if eq $value 1.0 }}}}{one}{{{{ else }}}}{many}{{{{ end }}}}"


def looked_up(query: str, how: str = "humanize", otherwise: str = "?", labels: str = "job,dataset") -> str:
    """A number for a description, looked up when the alert fires; ``query`` has ``SAME`` for the alert's own labels."""
    names = labels.split(",")
    same = ",".join(f"{name}=%q" for name in names)
    arguments = " ".join(f"$labels.{name}" for name in names)
    return (
        f"{{{{ with printf `{query.replace('SAME', same)}` {arguments} | query }}}}"
        f"{{{{ . | first | value | {how} }}}}{{{{ else }}}}{otherwise}{{{{ end }}}}"
    )
