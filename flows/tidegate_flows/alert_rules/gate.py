"""What the gate and its breaker did: stopped, held, set aside, overridden, or let through unchecked."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Alert, Urgency
from tidegate_flows.alert_rules.case import Case, elsewhere, here, of
from tidegate_flows.alert_rules.promql import BY, counted, grown, known, owned, told

_SHOP = {"dataset": "orders", "owner": "shop"}
_REFUSED = of("batches_total", decision="quarantine")
_HELD = told("max(tidegate_held_batches{SAME})", otherwise="0")
_ASIDE = told("max(tidegate_quarantined_batches{SAME})", otherwise="0")
_OPEN = 'tidegate_breaker_state{state="open"}'
_REFUSALS = 'tidegate_batches_total{decision="quarantine"}'
_WEEK = 7 * 24 * 60

BREAKER_OPEN = Alert(
    name="TidegateBreakerOpen",
    urgency=Urgency.PAGE,
    expr=owned(f"{known(_OPEN)} == 1"),
    summary="{{ $labels.dataset }}: the breaker is open, and nothing new is published",
    description=(
        "The breaker of {{ $labels.dataset }} has been open for "
        f"{told('time() - max(tidegate_breaker_last_transition_timestamp_seconds{SAME})', 'humanizeDuration')}. "
        f"Good batches held: {_HELD}; in quarantine, wholly or partly: {_ASIDE}. "
        "What was published before is as good as it was; readers get nothing newer."
    ),
    cases=(
        Case(
            "open in one scrape",
            {
                of("breaker_state", state="closed"): [(0, 1), (5, 0)],
                of("breaker_state", state="open"): [(0, 0), (5, 1)],
                of("breaker_last_transition_timestamp_seconds"): [(5, 180)],
                of("held_batches"): 2,
                of("quarantined_batches"): 1,
            },
            5,
            (_SHOP,),
            remembered=True,
        ),
        Case("closed again", {of("breaker_state", state="open"): [(0, 1), (10, 0)]}, 10),
        Case("half open: a probe is under way", {of("breaker_state", state="half_open"): 1}, 10),
        Case(
            "two exporters of one ledger alert once",
            {of("breaker_state", state="open"): 1, of("breaker_state", instance="two", state="open"): 1},
            5,
            (_SHOP,),
        ),
        Case(
            "an exporter that moved says that it is closed; what the one before said is over",
            {
                of("breaker_state", state="open"): [(0, 1), (5, None)],
                of("breaker_state", instance="two", state="open"): [(5, 0)],
            },
            10,
        ),
        Case(
            "a dataset of which no contract is known has no owner, and alerts all the same",
            {of("breaker_state", "letters", state="open"): 1},
            5,
            ({"dataset": "letters", "owner": "nobody"},),
        ),
        Case(
            "two exporters know different versions and one owner",
            {
                of("breaker_state", state="open"): 1,
                of("contract_info", instance="two", version="1.1.0", owner="shop"): 1,
            },
            5,
            (_SHOP,),
        ),
        Case(
            "while two exporters disagree who the owner is, one of them is told",
            {
                of("breaker_state", state="open"): 1,
                of("contract_info", instance="two", version="1.1.0", owner="warehouse"): 1,
            },
            5,
            ({"dataset": "orders"},),
            whoever=True,
        ),
    ),
)

BATCHES_HELD = Alert(
    name="TidegateBatchesHeld",
    urgency=Urgency.TICKET,
    expr=owned(f"{known('tidegate_held_batches')} > 0"),
    wait="1h",
    summary=f"{{{{ $labels.dataset }}}}: {counted('good batch waits', 'good batches wait')}",
    description=(
        f"Of {{{{ $labels.dataset }}}} {counted('batch has', 'batches have')} been held for an hour and "
        "longer: good data "
        "that waits for the breaker."
    ),
    cases=(
        Case("one for an hour", {of("held_batches"): [(0, 0), (5, 1)]}, 65, (_SHOP,), remembered=True),
        Case("one for less than an hour", {of("held_batches"): [(0, 0), (5, 1)]}, 60),
        Case("none for long", {of("held_batches"): 0}, 90),
        Case("released and held again", {of("held_batches"): [(0, 1), (45, 0), (50, 1)]}, 100),
    ),
)

BATCH_QUARANTINED = Alert(
    name="TidegateBatchQuarantined",
    urgency=Urgency.TICKET,
    expr=owned(f"{grown(_REFUSALS, '1d')}\nand on ({BY}) {known('tidegate_quarantined_batches')} > 0"),
    summary=f"{{{{ $labels.dataset }}}}: {counted('batch was', 'batches were')} refused in a day",
    description=(
        f"Of {{{{ $labels.dataset }}}} {counted('batch was', 'batches were')} quarantined within a day and "
        "not published. "
        f"In quarantine now, wholly or partly: {_ASIDE}."
    ),
    cases=(
        Case(
            "one more than an hour ago",
            {_REFUSED: [(0, 3), (30, 4)], of("quarantined_batches"): 1},
            90,
            (_SHOP,),
            remembered=True,
        ),
        Case("the exporter is new, the ledger is not", {_REFUSED: 4, of("quarantined_batches"): 4}, 90),
        Case(
            "the first batch of a dataset, refused: the series begins at 1",
            {
                of("batches_total", "new", decision="quarantine"): [(30, 1)],
                of("quarantined_batches", "new"): [(30, 1)],
                of("breaker_state", "new", state="open"): [(30, 1)],
            },
            60,
            ({"dataset": "new", "owner": "nobody"},),
        ),
        Case(
            "after a restart of the exporter nothing has grown",
            {
                _REFUSED: [(0, 4), (30, None), (50, 4)],
                of("quarantined_batches"): 4,
                here("ledger_up"): [(0, 1), (30, None), (50, 1)],
            },
            60,
        ),
        Case(
            "refused while the exporter was down",
            {
                _REFUSED: [(0, 4), (30, None), (300, 5)],
                of("quarantined_batches"): 4,
                here("ledger_up"): [(0, 1), (30, None), (300, 1)],
            },
            305,
            (_SHOP,),
        ),
        Case("it was dealt with", {_REFUSED: [(0, 3), (30, 4)], of("quarantined_batches"): [(0, 1), (60, 0)]}, 90),
        Case("a day later", {_REFUSED: [(0, 3), (60, 4)], of("quarantined_batches"): 1}, 1560, step=60),
        Case("within a day", {_REFUSED: [(0, 3), (60, 4)], of("quarantined_batches"): 1}, 1440, (_SHOP,), step=60),
        Case(
            "a batch that was published",
            {of("batches_total", decision="publish"): [(0, 3), (30, 4)], of("quarantined_batches"): 1},
            60,
        ),
        Case(
            "another dataset's quarantine is not this one's",
            {
                _REFUSED: [(0, 3), (30, 4)],
                of("quarantined_batches"): 0,
                of("quarantined_batches", "parcels"): 1,
                elsewhere("quarantined_batches"): 1,
            },
            60,
        ),
    ),
)

QUARANTINE_AGEING = Alert(
    name="TidegateQuarantineAgeing",
    urgency=Urgency.TICKET,
    expr=owned(f"time() - {known('tidegate_quarantine_oldest_timestamp_seconds')} > 604800"),
    summary="{{ $labels.dataset }}: a batch has waited {{ $value | humanizeDuration }} for somebody to look",
    description=(
        "The oldest batch of {{ $labels.dataset }} in quarantine or held was decided "
        "{{ $value | humanizeDuration }} ago, "
        "and nobody has released, replayed or discarded it. "
        f"In quarantine, wholly or partly: {_ASIDE}; held: {_HELD}."
    ),
    cases=(
        Case(
            "a week and a little",
            {
                of("quarantine_oldest_timestamp_seconds"): (30 - _WEEK) * 60 - 1,
                of("quarantined_batches"): 2,
                of("held_batches"): 0,
            },
            30,
            (_SHOP,),
            remembered=True,
        ),
        Case("a week to the second", {of("quarantine_oldest_timestamp_seconds"): (30 - _WEEK) * 60}, 30),
        Case("somebody looked", {of("quarantine_oldest_timestamp_seconds"): [(0, -9e6), (30, None)]}, 30),
    ),
)

OVERRIDE_ACTIVE = Alert(
    name="TidegateOverrideActive",
    urgency=Urgency.TICKET,
    expr=owned(f"{known('tidegate_override_until_timestamp_seconds')} - time() > 0"),
    wait="1d",
    summary="{{ $labels.dataset }}: the breaker has been overridden for more than a day",
    description=(
        "Batches of {{ $labels.dataset }} have passed a breaker that is not closed for more than a day, because "
        "somebody allowed it; the override goes on for {{ $value | humanizeDuration }}."
    ),
    cases=(
        Case(
            "a day of an override",
            {of("override_until_timestamp_seconds"): [(20, 1e6)]},
            1460,
            (_SHOP,),
            step=20,
            remembered=True,
        ),
        Case("hardly a day", {of("override_until_timestamp_seconds"): [(20, 1e6)]}, 1440, step=20),
        Case("a second is left", {of("override_until_timestamp_seconds"): 1460 * 60 + 1}, 1460, (_SHOP,), step=20),
        Case("it ended by itself", {of("override_until_timestamp_seconds"): 1460 * 60}, 1460, step=20),
    ),
)

MONITOR_FAILING = Alert(
    name="TidegateMonitorFailing",
    urgency=Urgency.TICKET,
    expr=owned(grown("tidegate_monitor_errors_total", "6h", f"{BY}, monitor")),
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
    ),
)

UNVERIFIED_PUBLISHED = Alert(
    name="TidegateUnverifiedPublished",
    urgency=Urgency.TICKET,
    expr=owned(grown("tidegate_unverified_batches_total", "1d")),
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

ALERTS = (
    BREAKER_OPEN,
    BATCHES_HELD,
    BATCH_QUARANTINED,
    QUARANTINE_AGEING,
    OVERRIDE_ACTIVE,
    MONITOR_FAILING,
    UNVERIFIED_PUBLISHED,
)
