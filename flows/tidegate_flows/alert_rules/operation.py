"""Whether there is anybody left to tell: Prometheus, exporter, ledger."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Alert, Urgency
from tidegate_flows.alert_rules.case import Case, Values, here

_UP, _LEDGER = here("up"), here("ledger_up")
_OTHER = {"job": "tidegate-other"}
_OTHER_UP = 'up{job="tidegate-other",instance="one"}'
_NODE = 'up{job="node",instance="one"}'
_PUSHED = 'tidegate_breaker_state{job="etl",dataset="orders",state="closed"}'
_ALL = ("up", "tidegate_")


def _gone(minute: int, *series: str) -> dict[str, Values]:
    """Series of value 1 that are no longer there from a minute on."""
    return {name: [(0, 1), (minute, None)] for name in series}


WATCHDOG = Alert(
    name="TidegateWatchdog",
    urgency=Urgency.INFO,
    expr="vector(1)",
    summary="Prometheus evaluates tidegate's rules, and Alertmanager hears of it",
    description="This always fires. Whatever receives it should wake somebody when it no longer does.",
    cases=(Case("always", {}, 5, ({},), lacks=("up", "tidegate_")),),
)

EXPORTER_DOWN = Alert(
    name="TidegateExporterDown",
    urgency=Urgency.PAGE,
    expr=(
        'max by (job) (up{job=~"tidegate.*"}) == 0\n'
        "or\n"
        'max by (job) (last_over_time(up{job=~"tidegate.*"}[1d])) unless on (job) up\n'
        "or\n"
        "label_replace(\n"
        '  absent_over_time(up{job=~"tidegate.*"}[1d])\n'
        '  unless on () {__name__=~"tidegate_ledger_up|tidegate_breaker_state"},\n'
        '  "job", "tidegate", "", ""\n'
        ")"
    ),
    wait="1m",
    summary="The exporter {{ $labels.job }} is down: nothing is watched",
    description=(
        "Prometheus cannot scrape any exporter of the job {{ $labels.job }}, or knows of none. Gates go on judging "
        "batches, and nobody hears of it. For an hour the other alerts go by what was known before; after that they "
        "are silent."
    ),
    cases=(
        Case("down", {_UP: [(0, 1), (2, 0)]}, 3, ({},), step=1),
        Case("down for a moment", {_UP: [(0, 1), (2, 0)]}, 2, step=1),
        Case("one of two is up", {_UP: 0, here("up", "two"): 1}, 5, step=1),
        Case("another job is down", {'up{job="node",instance="one"}': 0}, 5, step=1),
        Case("no target is left", {**_gone(2, _UP, _LEDGER), _NODE: 1}, 3, ({},), step=1, lacks=_ALL),
        Case("no target is left for a moment", {**_gone(2, _UP, _LEDGER), _NODE: 1}, 2, step=1, lacks=_ALL),
        Case("none is left for longer than a day", {**_gone(60, _UP), _NODE: 1}, 1800, ({},), step=60, lacks=_ALL),
        Case(
            "none is left, and the last was of another job",
            {**_gone(60, _OTHER_UP), _NODE: 1},
            1380,
            (_OTHER,),
            step=60,
            lacks=_ALL,
        ),
        Case("there never was a target", {_NODE: 1}, 5, ({},), step=1, lacks=_ALL),
        Case("metrics come by a file", {_LEDGER: 1, _NODE: 1}, 5, step=1, lacks=_ALL),
        Case("gauges come by a Pushgateway", {_PUSHED: 1, _NODE: 1}, 5, step=1, lacks=_ALL),
        Case("of two ledgers one has no target", _gone(2, _OTHER_UP), 3, (_OTHER,), step=1),
        Case("of two ledgers one has no target for a moment", {_OTHER_UP: [(0, 1), (2, None), (3, 1)]}, 4, step=1),
        Case("a ledger's target has another address", {**_gone(2, _UP), here("up", "two"): [(2, 1)]}, 5, step=1),
        Case("of two ledgers one has had no target for a day", _gone(60, _OTHER_UP), 1440, (_OTHER,), step=60),
        Case("a ledger was given up more than a day ago", _gone(60, _OTHER_UP), 1620, step=60),
        Case("another job has no target", _gone(2, _NODE), 5, step=1),
    ),
)

TEXTFILE_OLD = Alert(
    name="TidegateTextfileOld",
    urgency=Urgency.TICKET,
    expr='time() - max by (job, instance) (node_textfile_mtime_seconds{file=~".*tidegate.*"}) > 900',
    wait="5m",
    summary="The metrics file on {{ $labels.instance }} is {{ $value | humanizeDuration }} old",
    description=(
        "`tidegate metrics --textfile` has not written its file on {{ $labels.instance }} for "
        "{{ $value | humanizeDuration }}: the node exporter repeats what was true then."
    ),
    cases=(
        Case(
            "old",
            {'node_textfile_mtime_seconds{job="node",instance="a",file="tidegate.prom"}': 0},
            25,
            ({"job": "node", "instance": "a"},),
        ),
        Case("just too old", {'node_textfile_mtime_seconds{job="node",instance="a",file="tidegate.prom"}': 0}, 20),
        Case("another file", {'node_textfile_mtime_seconds{job="node",instance="a",file="disks.prom"}': 0}, 60),
    ),
)

LEDGER_DOWN = Alert(
    name="TidegateLedgerDown",
    urgency=Urgency.PAGE,
    expr="max by (job) (tidegate_ledger_up) == 0",
    wait="1m",
    summary="The ledger of {{ $labels.job }} cannot be read",
    description=(
        "The exporter of {{ $labels.job }} runs and cannot read its ledger. Gates that cannot either end with exit "
        "code 3 and publish nothing. For an hour the other alerts go by what was known before."
    ),
    cases=(
        Case("down", {_LEDGER: [(0, 1), (2, 0)]}, 3, ({},), step=1),
        Case("down for a moment", {_LEDGER: [(0, 1), (2, 0)]}, 2, step=1),
        Case("up", {}, 5, step=1),
        Case("one of two exporters reaches it", {_LEDGER: 0, here("ledger_up", "two"): 1}, 5, step=1),
    ),
)

SERIES_DROPPED = Alert(
    name="TidegateSeriesDropped",
    urgency=Urgency.TICKET,
    expr="max by (job) (tidegate_series_dropped) > 0",
    wait="15m",
    summary="{{ $labels.job }}: {{ $value | humanize }} series are left out",
    description=(
        "The exporter of {{ $labels.job }} leaves out {{ $value | humanize }} series to keep its page bounded: what "
        "they would have said alerts nobody."
    ),
    cases=(
        Case("one", {here("series_dropped"): [(0, 0), (5, 1)]}, 20, ({},)),
        Case("one for a moment", {here("series_dropped"): [(0, 0), (5, 1)]}, 15),
        Case("none", {}, 60),
    ),
)

ALERTS = (
    WATCHDOG,
    EXPORTER_DOWN,
    TEXTFILE_OLD,
    LEDGER_DOWN,
    SERIES_DROPPED,
)
