"""What had no verdict, because a monitor failed; and what was published all the same."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Alert, Urgency
from tidegate_flows.alert_rules.case import Case, here, of
from tidegate_flows.alert_rules.growth import grown
from tidegate_flows.alert_rules.promql import BY, counted, owned

_SHOP = {"dataset": "orders", "owner": "shop"}

MONITOR_FAILING = Alert(
    name="TidegateMonitorFailing",
    urgency=Urgency.TICKET,
    expr=owned(grown("monitor_errors_total", "6h", by=f"{BY}, monitor")),
    summary=f"{{{{ $labels.dataset }}}}: the monitor {{{{ $labels.monitor }}}} failed {counted('time', 'times')}",
    description=(
        f"A check or statistic of {{{{ $labels.dataset }}}} raised {counted('time', 'times')} within six hours, under "
        "{{ $labels.monitor }}. That is our failure or the contract's code's, never the data's: without a verdict "
        "nothing is published, unless the contract says otherwise."
    ),
    cases=(
        Case(
            "once",
            {of("monitor_errors_total", monitor="gate"): [(0, 7), (30, 8)]},
            60,
            ({**_SHOP, "monitor": "gate"},),
            remembered=True,
        ),
        Case(
            "the first time of a monitor whose series was not there",
            {of("monitor_errors_total", monitor="custom"): [(30, 1)]},
            60,
            ({**_SHOP, "monitor": "custom"},),
            remembered=True,
        ),
        Case(
            "the first time, hardly six hours ago, beside other exporters",
            {
                of("monitor_errors_total", monitor="custom"): [(30, 1)],
                here("ledger_up", "two"): 1,
                'tidegate_ledger_up{job="tidegate-test",instance="one"}': 1,
            },
            380,
            ({**_SHOP, "monitor": "custom"},),
        ),
        Case("the first time, long ago", {of("monitor_errors_total", monitor="custom"): [(30, 1)]}, 395),
        Case("long ago", {of("monitor_errors_total", monitor="gate"): [(0, 7), (30, 8)]}, 395),
        Case(
            "hardly six hours ago",
            {of("monitor_errors_total", monitor="gate"): [(0, 7), (30, 8)]},
            380,
            ({**_SHOP, "monitor": "gate"},),
        ),
        Case("the exporter is new, the ledger is not", {of("monitor_errors_total", monitor="gate"): 7}, 60),
        Case(
            "the ledger is read for the first time, beside another that was read before",
            {of("monitor_errors_total", monitor="gate"): [(60, 7)], here("ledger_up"): [(0, 0), (60, 1)]},
            60,
        ),
        Case("the exporter is hours old, the ledger is older", {of("monitor_errors_total", monitor="gate"): 7}, 300),
        Case(
            "hours ago, and Prometheus is not much older",
            {of("monitor_errors_total", monitor="gate"): [(0, 7), (30, 8)]},
            300,
            ({**_SHOP, "monitor": "gate"},),
        ),
        Case(
            "while the exporter was down, for less than an hour when the six hours began",
            {
                of("monitor_errors_total", monitor="gate"): [(0, 7), (40, None), (120, 8)],
                here("ledger_up"): [(0, 1), (40, None), (120, 1)],
            },
            445,
            ({**_SHOP, "monitor": "gate"},),
        ),
        Case(
            "while the exporter was down, for more than an hour when the six hours began: nobody knows when",
            {
                of("monitor_errors_total", monitor="gate"): [(0, 7), (30, None), (150, 8)],
                here("ledger_up"): [(0, 1), (30, None), (150, 1)],
            },
            490,
        ),
    ),
)

UNVERIFIED_PUBLISHED = Alert(
    name="TidegateUnverifiedPublished",
    urgency=Urgency.TICKET,
    expr=owned(grown("unverified_batches_total", "1d")),
    summary=f"{{{{ $labels.dataset }}}}: {counted('batch was', 'batches were')} published unverified",
    description=(
        f"Of {{{{ $labels.dataset }}}} {counted('batch was', 'batches were')} published within a day although "
        "a monitor "
        'failed, because the contract says on_monitor_error="publish". Nobody vouches for them.'
    ),
    cases=(
        Case("one", {of("unverified_batches_total"): [(0, 0), (30, 1)]}, 60, (_SHOP,), remembered=True),
        Case(
            "the first of a dataset, whose series was not there",
            {of("unverified_batches_total"): [(30, 1)]},
            60,
            (_SHOP,),
        ),
        Case("none", {of("unverified_batches_total"): 3}, 60),
        Case("more than a day ago", {of("unverified_batches_total"): [(0, 0), (60, 1)]}, 1560, step=60),
        Case("within a day", {of("unverified_batches_total"): [(0, 0), (60, 1)]}, 1440, (_SHOP,), step=60),
    ),
)

ALERTS = (MONITOR_FAILING, UNVERIFIED_PUBLISHED)
