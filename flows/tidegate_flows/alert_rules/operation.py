"""Whether there is anybody left to tell: exporter, ledger, audit, and the errors that each batch hides."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate_flows.alert_rules.alert import Alert, Record, Urgency
from tidegate_flows.alert_rules.case import Case, Values, elsewhere, here, of
from tidegate_flows.alert_rules.promql import BY, counted, grown, growth, indented, known, owned

_SHOP = {"dataset": "orders", "owner": "shop"}
_UP, _LEDGER = here("up"), here("ledger_up")
_ENTRIES = of("audit_entries")
_BURN = of("findings_total", check="error_budget_burn", severity="warning")
_TEST_ENTRIES = elsewhere("audit_entries")
_OTHER_HEAD: Mapping[str, Values] = {
    of("audit_head_info", sha256="aa"): [(0, 1), (20, None)],
    of("audit_head_info", sha256="bb"): [(20, 1)],
    _ENTRIES: 9,
}
_REFUSED, _PUBLISHED = of("batches_total", decision="quarantine"), of("batches_total", decision="publish")
_SPORADIC: Mapping[str, Values] = {
    _REFUSED: [(0, 6), (1080, 7), (10080, 8), (25920, 9)],
    _PUBLISHED: [(0, 20), (10080, 57)],
}

_STEADILY = range(360, 30601, 360)
_OTHERS: Mapping[str, Values] = {
    series: [(0, 0), *((minute, minute // 360 * each) for minute in _STEADILY)]
    for decision, each in (("quarantine", 1), ("publish", 99))
    for series in (of("batches_total", "parcels", decision=decision), elsewhere("batches_total", decision=decision))
}
"""Another dataset and another ledger's, of which many are refused but never one in twenty."""


def _decided(words: str, window: str) -> str:
    selector = f'tidegate_batches_total{{decision=~"{words}"}}'
    return f"sum by ({BY}) (\n{indented(growth(selector, window))}\n)"


RECORDS = (
    Record(
        "tidegate:owner",
        f"topk by ({BY}) (1, {known('tidegate_contract_info', f'{BY}, owner')})\n"
        f"or on ({BY})\n"
        f'label_replace({known("tidegate_breaker_state")} >= bool 0, "owner", "nobody", "", "")',
    ),
    Record("tidegate:batches_refused:30d", _decided("quarantine", "30d:6h")),
    Record("tidegate:batches_decided:30d", _decided("publish|quarantine", "30d:6h")),
    Record(
        "tidegate:batches_kept:ratio30d",
        "1 - tidegate:batches_refused:30d / (tidegate:batches_decided:30d > 0)",
        cases=(
            Case("three of forty refused", _SPORADIC, 26280, ({"dataset": "orders"},), step=360, value=0.925),
            Case("none decided is no number", {_REFUSED: 6, _PUBLISHED: 20}, 60),
        ),
    ),
)
"""Who owns a dataset; and how reliable it was, of the batches decided in thirty days."""

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
        'label_replace(absent(up{job=~"tidegate.*"}) unless on () tidegate_ledger_up, "job", "tidegate", "", "")'
    ),
    wait="1m",
    summary="The exporter {{ $labels.job }} is down: nothing is watched",
    description=(
        "Prometheus cannot scrape any exporter of the job {{ $labels.job }}. Gates go on judging batches, and nobody "
        "hears of it. For an hour the other alerts go by what was known before; after that they are silent."
    ),
    cases=(
        Case("down", {_UP: [(0, 1), (2, 0)]}, 3, ({},), step=1),
        Case("down for a moment", {_UP: [(0, 1), (2, 0)]}, 2, step=1),
        Case("one of two is up", {_UP: 0, here("up", "two"): 1}, 5, step=1),
        Case("another job is down", {'up{job="node",instance="one"}': 0}, 5, step=1),
        Case(
            "no target is left",
            {_UP: [(0, 1), (2, None)], _LEDGER: [(0, 1), (2, None)], 'up{job="node",instance="one"}': 1},
            3,
            ({},),
            step=1,
            lacks=("up", "tidegate_ledger_up"),
        ),
        Case("metrics come by a file", {_LEDGER: 1}, 5, step=1, lacks=("up",)),
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

ERROR_BUDGET_BURN = Alert(
    name="TidegateErrorBudgetBurn",
    urgency=Urgency.TICKET,
    expr=owned(
        "tidegate:batches_refused:30d / tidegate:batches_decided:30d > 0.05\n"
        f"and on ({BY}) tidegate:batches_refused:30d >= 3\n"
        f"and on ({BY}) {_decided('quarantine', '3d:1h')} > 0"
    ),
    summary="{{ $labels.dataset }}: {{ $value | humanizePercentage }} of the batches of thirty days were refused",
    description=(
        "{{ $value | humanizePercentage }} of the batches of {{ $labels.dataset }} in the last thirty days were "
        "quarantined, three at least, and one within three days; one in twenty is what is put up with. "
        "Each was dealt with by itself; together they are a source that is not mended."
    ),
    cases=(
        Case("three of forty, one of them now", _SPORADIC, 26280, (_SHOP,), step=360),
        Case("hardly three days after the last", _SPORADIC, 29880, (_SHOP,), step=360),
        Case(
            "more than three days after the last",
            {**_SPORADIC, **_OTHERS, _PUBLISHED: [(0, 20), (10080, 57), (27000, 60)]},
            30600,
            step=360,
        ),
        Case("three of sixty", {**_SPORADIC, _PUBLISHED: [(0, 20), (10080, 77)]}, 26280, step=360),
        Case(
            "two of ten", {_REFUSED: [(0, 6), (9000, 8)], _PUBLISHED: [(0, 20), (9000, 28)], **_OTHERS}, 9360, step=360
        ),
        Case(
            "three of a dataset that was not there",
            {_REFUSED: [(1080, 3)], _PUBLISHED: [(1080, 20)]},
            1440,
            (_SHOP,),
            step=360,
        ),
        Case(
            "two of them more than thirty days ago",
            {_REFUSED: [(0, 0), (1080, 2), (45000, 3)], _PUBLISHED: [(0, 0), (1080, 10)]},
            45360,
            step=360,
        ),
        Case("the exporter is new, the ledger is not", {_REFUSED: 9, _PUBLISHED: 20}, 60),
        Case(
            "down for less than an hour",
            {_REFUSED: [(0, 6), (30, 9), (60, None)], _PUBLISHED: [(0, 20), (60, None)], _LEDGER: [(0, 1), (60, None)]},
            90,
            (_SHOP,),
        ),
        Case(
            "down for longer",
            {_REFUSED: [(0, 6), (30, 9), (60, None)], _PUBLISHED: [(0, 20), (60, None)], _LEDGER: [(0, 1), (60, None)]},
            125,
        ),
    ),
)

TOLERANCE_BURN = Alert(
    name="TidegateToleranceBurn",
    urgency=Urgency.TICKET,
    expr=owned(grown('tidegate_findings_total{check="error_budget_burn",severity=~"warning|critical"}', "1d")),
    summary="{{ $labels.dataset }}: rows are set aside batch after batch",
    description=(
        f"{counted('batch', 'batches')} of {{{{ $labels.dataset }}}} within a day ended fourteen in which "
        "rows were set aside in at least every other batch, and took half of what the contract tolerates."
    ),
    cases=(
        Case("the first, whose series was not there", {_BURN: [(30, 1)]}, 60, (_SHOP,)),
        Case("one more", {_BURN: [(0, 3), (30, 4)]}, 60, (_SHOP,), remembered=True),
        Case("the exporter is new, the ledger is not", {_BURN: 3}, 60),
        Case(
            "only information",
            {of("findings_total", check="error_budget_burn", severity="info"): [(0, 3), (30, 4)]},
            60,
        ),
        Case("another finding", {of("findings_total", check="volume", severity="warning"): [(0, 3), (30, 4)]}, 60),
        Case("more than a day ago", {_BURN: [(0, 3), (60, 4)]}, 1560, step=60),
        Case("within a day", {_BURN: [(0, 3), (60, 4)]}, 1440, (_SHOP,), step=60),
    ),
)

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
        "  (tidegate_audit_head_info unless tidegate_audit_head_info offset 10m)\n"
        "  and on (job, instance, dataset) tidegate_audit_entries == tidegate_audit_entries offset 10m\n"
        ")"
    ),
    keep="1d",
    summary="{{ $labels.dataset }}: the last entry of the audit is another one",
    description=(
        "The audit of {{ $labels.dataset }} has as many entries as ten minutes ago and another last hash: an entry was "
        "changed, or one was cut and another written."
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
    ),
)

ALERTS = (
    WATCHDOG,
    EXPORTER_DOWN,
    TEXTFILE_OLD,
    LEDGER_DOWN,
    SERIES_DROPPED,
    TOLERANCE_BURN,
    AUDIT_BACKWARDS,
    AUDIT_REWRITTEN,
)
BURNING = (ERROR_BUDGET_BURN,)
