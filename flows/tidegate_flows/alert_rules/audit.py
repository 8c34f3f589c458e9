"""Whether the audit only grows."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate_flows.alert_rules.alert import Alert, Urgency
from tidegate_flows.alert_rules.case import Case, Values, elsewhere, here, of
from tidegate_flows.alert_rules.promql import BY, counted, owned

_SHOP = {"dataset": "orders", "owner": "shop"}
_LEDGER = here("ledger_up")
_ENTRIES, _TEST_ENTRIES = of("audit_entries"), elsewhere("audit_entries")
_OTHER_HEAD: Mapping[str, Values] = {
    of("audit_head_info", sha256="aa"): [(0, 1), (20, None)],
    of("audit_head_info", sha256="bb"): [(20, 1)],
    _ENTRIES: 9,
}


def _away(until: int, head: str, *, grown: int = 0, **labels: str) -> Mapping[str, Values]:
    """What is read when the exporter, perhaps another, is back after a while; the head was ``aa``."""
    before = {of("audit_head_info", sha256="aa"): 1, _ENTRIES: 9, _LEDGER: 1}
    after = {
        of("audit_head_info", sha256=head, **labels): 1,
        of("audit_entries", **labels): 9 + grown,
        here("ledger_up", **labels): 1,
    }
    found: dict[str, list[tuple[int, float | None]]]
    found = {name: [(0, value), (10, None)] for name, value in before.items()}
    for name, value in after.items():
        found[name] = [*found.get(name, ()), (until, value)]
    return found


AUDIT_BACKWARDS = Alert(
    name="TidegateAuditWentBackwards",
    urgency=Urgency.PAGE,
    expr=owned(
        f"max by ({BY}) (max_over_time(tidegate_audit_entries[1d])) - max by ({BY}) (tidegate_audit_entries) > 0\n"
        "or\n"
        f"max by ({BY}) (max_over_time(tidegate_audit_entries[1d])) > 0\n"
        f"  unless on ({BY}) tidegate_audit_entries\n"
        "  and on (job) max by (job) (tidegate_ledger_up) == 1"
    ),
    wait="1m",
    summary=f"{{{{ $labels.dataset }}}}: {counted('entry of the audit is', 'entries of the audit are')} gone",
    description=(
        f"The audit of {{{{ $labels.dataset }}}} lacks {counted('entry', 'entries')} that it had within the "
        "last day. Entries "
        "are only ever added: the ledger was restored from a backup, replaced by another, or cut."
    ),
    cases=(
        Case("one entry less", {_ENTRIES: [(0, 9), (2, 8)]}, 3, (_SHOP,), step=1),
        Case("for a moment, between two exporters", {_ENTRIES: [(0, 9), (2, 8), (3, 9)]}, 3, step=1),
        Case("as many as before", {_ENTRIES: 9}, 5, step=1),
        Case("more", {_ENTRIES: [(0, 9), (2, 10)]}, 5, step=1),
        Case("one entry less for hardly a minute", {_ENTRIES: [(0, 9), (2, 8)]}, 2, step=1),
        Case(
            "one exporter lags behind the other",
            {_ENTRIES: [(0, 9), (2, 10)], of("audit_entries", instance="two"): 9},
            5,
            step=1,
        ),
        Case("the dataset is gone from a ledger that is up", {_ENTRIES: [(0, 1), (2, None)]}, 4, (_SHOP,), step=1),
        Case("the exporter is down", {_ENTRIES: [(0, 9), (2, None)], _LEDGER: [(0, 1), (2, None)]}, 5, step=1),
        Case("the ledger is down", {_ENTRIES: [(0, 9), (2, None)], _LEDGER: [(0, 1), (2, 0)]}, 5, step=1),
        Case("a dataset that never had an entry is gone", {_ENTRIES: [(0, 0), (2, None)]}, 5, step=1),
        Case(
            "another dataset goes on",
            {_ENTRIES: [(0, 9), (2, None)], of("audit_entries", "parcels"): 9, _TEST_ENTRIES: 9},
            5,
            (_SHOP,),
            step=1,
        ),
        Case("cut more than a day ago", {_ENTRIES: [(0, 9), (60, 8)]}, 1560, step=60),
        Case("cut within a day", {_ENTRIES: [(0, 9), (60, 8)]}, 1440, (_SHOP,), step=60),
        Case("gone more than a day ago", {_ENTRIES: [(0, 9), (60, None)]}, 1560, step=60),
        Case("gone within a day", {_ENTRIES: [(0, 9), (60, None)]}, 1440, (_SHOP,), step=60),
    ),
)

AUDIT_REWRITTEN = Alert(
    name="TidegateAuditRewritten",
    urgency=Urgency.PAGE,
    expr=owned(
        f"max by ({BY}) (\n"
        f"  max by ({BY}, sha256) (tidegate_audit_head_info)\n"
        f"  unless max by ({BY}, sha256) (last_over_time(tidegate_audit_head_info[1d] offset 10m))\n"
        f"  and on ({BY}) (\n"
        f"    max by ({BY}) (tidegate_audit_entries)\n"
        f"    == max by ({BY}) (last_over_time(tidegate_audit_entries[1d] offset 10m))\n"
        "  )\n"
        ")"
    ),
    keep="1d",
    summary="{{ $labels.dataset }}: the last entry of the audit is another one",
    description=(
        "The audit of {{ $labels.dataset }} had as many entries when it was read before, and another last hash: an "
        "entry was changed, or one was cut and another written."
    ),
    cases=(
        Case("another head", _OTHER_HEAD, 20, (_SHOP,)),
        Case("it goes on for a day", _OTHER_HEAD, 1465, (_SHOP,)),
        Case("and then ends", _OTHER_HEAD, 1480),
        Case("written after it grew", {**_OTHER_HEAD, _ENTRIES: [(0, 8), (10, 9)]}, 20, (_SHOP,)),
        Case(
            "one more entry, and none of another exporter, dataset or ledger",
            {
                **_OTHER_HEAD,
                _ENTRIES: [(0, 9), (20, 10)],
                of("audit_entries", instance="two"): 9,
                of("audit_entries", "parcels"): 9,
                _TEST_ENTRIES: 9,
            },
            25,
        ),
        Case("the same head", {of("audit_head_info", sha256="aa"): 1, _ENTRIES: 9}, 60),
        Case("an exporter that is new", {of("audit_head_info", sha256="aa"): [(20, 1)], _ENTRIES: [(20, 9)]}, 25),
        Case("written while the exporter was away", _away(60, "bb"), 60, (_SHOP,)),
        Case("the exporter was away, and the head is the same", _away(60, "aa"), 60),
        Case("it grew while the exporter was away", _away(60, "bb", grown=1), 60),
        Case("written, and the exporter has moved", _away(60, "bb", instance="two"), 60, (_SHOP,)),
        Case("the exporter has moved, and the head is the same", _away(60, "aa", instance="two"), 60),
        Case("the exporter is another pod, and the head is the same", _away(60, "aa", pod="p2"), 60),
        Case("written while it was away for twenty hours", _away(1200, "bb"), 1200, (_SHOP,), step=60),
        Case("away for twenty hours, and the head is the same", _away(1200, "aa"), 1200, step=60),
        Case("written while it was away for more than a day", _away(1620, "bb"), 1620, step=60),
        Case(
            "back to what it was more than a day ago",
            {
                of("audit_head_info", sha256="aa"): [(0, 1), (60, None), (1800, 1)],
                of("audit_head_info", sha256="bb"): [(60, 1), (1800, None)],
                _ENTRIES: 9,
            },
            1800,
            (_SHOP,),
            step=60,
        ),
    ),
)

ALERTS = (AUDIT_BACKWARDS, AUDIT_REWRITTEN)
