"""What should have come by now. The clock asks, never a batch's own run: what is missing has none."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Alert, Urgency
from tidegate_flows.alert_rules.case import Case, elsewhere, of
from tidegate_flows.alert_rules.growth import grown
from tidegate_flows.alert_rules.promql import BY, counted, known, looked_up, owned

_SHOP = {"dataset": "orders", "owner": "shop"}
_DUE = of("next_batch_due_timestamp_seconds")
_EVERY = of("expected_interval_seconds")
_LATE = of("findings_total", check="late_batch", severity="warning")
_DONE = of("batch_last_completed_timestamp_seconds")
_NEWEST, _ALLOWED = of("event_time_max_timestamp_seconds"), of("max_staleness_seconds")
_MONTH = 30 * 24 * 60
_OF_HOSTS = "batch_last_completed|batch_last_published|label_last|quarantine_oldest|breaker_last_transition"
_CLOCKS = f'{{__name__=~"tidegate_({_OF_HOSTS})_timestamp_seconds"}}'
_LAST = looked_up("time() - max(tidegate_batch_last_completed_timestamp_seconds{SAME})", "humanizeDuration")

BATCH_MISSING = Alert(
    name="TidegateBatchMissing",
    urgency=Urgency.TICKET,
    expr=owned(f"time() - {known('tidegate_next_batch_due_timestamp_seconds')} > 0"),
    wait="5m",
    summary="{{ $labels.dataset }}: the next batch was due {{ $value | humanizeDuration }} ago",
    description=(
        "By its contract a batch of {{ $labels.dataset }} was due {{ $value | humanizeDuration }} ago, and none has "
        f"come. The last verdict was {_LAST} ago."
    ),
    cases=(
        Case("due, and the wait is over", {_DUE: 1200, _DONE: 300}, 30, (_SHOP,), remembered=True),
        Case("due a second before a look", {_DUE: 1499, _DONE: 300}, 30, (_SHOP,)),
        Case("due just now", {_DUE: 1200}, 25),
        Case("not due yet", {_DUE: 3600}, 30),
        Case("it came within the wait", {_DUE: [(0, 1200), (30, 9000)]}, 30),
    ),
)

FEED_STOPPED = Alert(
    name="TidegateFeedStopped",
    urgency=Urgency.PAGE,
    expr=owned(
        f"time() - {known('tidegate_next_batch_due_timestamp_seconds')}\n"
        f"> on ({BY}) {known('tidegate_expected_interval_seconds')}"
    ),
    wait="5m",
    summary="{{ $labels.dataset }}: no batch for a whole interval after one was due",
    description=(
        "A batch of {{ $labels.dataset }} was due {{ $value | humanizeDuration }} ago, and so was the one after it: "
        "one is expected every "
        f"{looked_up('max(tidegate_expected_interval_seconds{SAME})', 'humanizeDuration')}. The last verdict was "
        f"{_LAST} ago."
    ),
    cases=(
        Case("two are due, and the wait is over", {_DUE: 1200, _EVERY: 3600}, 90, (_SHOP,), remembered=True),
        Case("one is due, the second just now", {_DUE: 1200, _EVERY: 3600}, 85),
        Case(
            "another dataset's interval is shorter",
            {_DUE: 1200, _EVERY: 36000, of("expected_interval_seconds", "parcels"): 60},
            90,
        ),
    ),
)

BATCH_LATE = Alert(
    name="TidegateBatchLate",
    urgency=Urgency.INFO,
    expr=owned(grown("findings_total", "1d", where='check="late_batch"')),
    summary=f"{{{{ $labels.dataset }}}}: {counted('batch', 'batches')} late or missing within a day",
    description=(
        f"{counted('time', 'times')} within a day a batch of {{{{ $labels.dataset }}}} came after its time, "
        "or `tidegate "
        "watch` found that none had come. What came was judged as any other."
    ),
    cases=(
        Case("the first ever, whose series was not there", {_LATE: [(30, 1)]}, 60, (_SHOP,)),
        Case("one more", {_LATE: [(0, 3), (30, 4)]}, 60, (_SHOP,), remembered=True),
        Case("the exporter is new, the ledger is not", {_LATE: 3}, 60),
        Case("another finding", {of("findings_total", check="volume", severity="warning"): [(30, 1)]}, 60),
        Case("more than a day ago", {_LATE: [(0, 3), (60, 4)]}, 1560, step=60),
        Case("within a day", {_LATE: [(0, 3), (60, 4)]}, 1440, (_SHOP,), step=60),
    ),
)

NEVER_SEEN = Alert(
    name="TidegateDatasetNeverSeen",
    urgency=Urgency.TICKET,
    expr=owned(
        f"{known('tidegate_contract_info')}\n"
        f"unless on ({BY}) {known('tidegate_batch_last_completed_timestamp_seconds')}"
    ),
    wait="1d",
    summary="{{ $labels.dataset }}: not one batch has ever come",
    description=(
        "The ledger has known the contract of {{ $labels.dataset }} for a day, and not one batch of it has had a "
        "verdict. What never came is missed by nothing that compares it with what came before."
    ),
    cases=(
        Case("for a day", {}, 1440, (_SHOP,), step=20, lacks=(_DONE,)),
        Case("for less", {}, 1420, step=20, lacks=(_DONE,)),
        Case("one came", {}, 1500, step=20),
        Case(
            "another dataset's batch is not this one's",
            {of("batch_last_completed_timestamp_seconds", "letters"): 0},
            1440,
            (_SHOP,),
            step=20,
            lacks=(_DONE,),
        ),
    ),
)

DATASET_ABANDONED = Alert(
    name="TidegateDatasetAbandoned",
    urgency=Urgency.INFO,
    expr=owned(
        f"time() - {known('tidegate_batch_last_completed_timestamp_seconds')} > 2592000\n"
        f"unless on ({BY}) {known('tidegate_expected_interval_seconds')}"
    ),
    summary="{{ $labels.dataset }}: no batch for {{ $value | humanizeDuration }}",
    description=(
        "The last batch of {{ $labels.dataset }} came {{ $value | humanizeDuration }} ago, and its contract "
        "declares no "
        "cadence, so that nothing else tells. Either it is no longer sent, or nobody gates it."
    ),
    cases=(
        Case("thirty days", {_DONE: (30 - _MONTH) * 60 - 1}, 30, (_SHOP,), remembered=True),
        Case(
            "others have a cadence",
            {
                _DONE: (30 - _MONTH) * 60 - 1,
                of("expected_interval_seconds", "parcels"): 60,
                elsewhere("expected_interval_seconds"): 60,
            },
            30,
            (_SHOP,),
        ),
        Case("thirty days to the second", {_DONE: (30 - _MONTH) * 60}, 30),
        Case("it has a cadence, and other alerts", {_DONE: (30 - _MONTH) * 60 - 1, _EVERY: 9e9}, 30),
    ),
)

DATA_STALE = Alert(
    name="TidegateDataStale",
    urgency=Urgency.PAGE,
    expr=owned(
        f"time() - {known('tidegate_event_time_max_timestamp_seconds')}\n"
        f"> on ({BY}) (\n"
        f"  {known('tidegate_max_staleness_seconds')} + on ({BY}) {known('tidegate_expected_interval_seconds')}\n)"
    ),
    wait="5m",
    summary="{{ $labels.dataset }}: the newest published event is {{ $value | humanizeDuration }} old",
    description=(
        "The newest event published of {{ $labels.dataset }} is {{ $value | humanizeDuration }} old; its contract "
        f"allows {looked_up('max(tidegate_max_staleness_seconds{SAME})', 'humanizeDuration')} when a batch arrives, "
        f"and expects one every {looked_up('max(tidegate_expected_interval_seconds{SAME})', 'humanizeDuration')}. "
        "Whoever reads it now reads the past."
    ),
    cases=(
        Case(
            "older than allowed, and the wait is over",
            {_NEWEST: 0, _ALLOWED: 300, _EVERY: 900},
            30,
            (_SHOP,),
            remembered=True,
        ),
        Case(
            "older than allowed just now",
            {_NEWEST: 0, _ALLOWED: 300, _EVERY: 900},
            25,
        ),
        Case("nothing is promised", {_NEWEST: -9e9, _EVERY: 900}, 30),
        Case("no cadence: nobody knows when newer events should come", {_NEWEST: -9e9, _ALLOWED: 300}, 30),
        Case(
            "another dataset promises more",
            {
                _NEWEST: 0,
                _ALLOWED: 7200,
                _EVERY: 900,
                of("max_staleness_seconds", "parcels"): 60,
                of("expected_interval_seconds", "parcels"): 60,
            },
            30,
        ),
    ),
)

TIMESTAMP_AHEAD = Alert(
    name="TidegateTimestampAhead",
    urgency=Urgency.TICKET,
    expr=owned(
        f"{known(_CLOCKS)} - time() > 300\nor\n{known('tidegate_event_time_max_timestamp_seconds')} - time() > 86400"
    ),
    wait="5m",
    summary="{{ $labels.dataset }}: a timestamp lies {{ $value | humanizeDuration }} in the future",
    description=(
        "Of {{ $labels.dataset }} the ledger holds a time that is {{ $value | humanizeDuration }} ahead of "
        "Prometheus' clock. Until it is past, its data cannot be found stale, and a missing batch is told an interval "
        "late at most."
    ),
    cases=(
        Case("a host's clock is ahead", {_DONE: [(0, 0), (30, 2101), (35, 2401)]}, 35, (_SHOP,)),
        Case("by five minutes at most", {_DONE: [(0, 0), (30, 2100), (35, 2400)]}, 35),
        Case("for a moment", {_DONE: [(0, 0), (35, 9e6)]}, 35),
        Case("labels of tomorrow", {of("label_last_timestamp_seconds"): 9e6}, 35, (_SHOP,), remembered=True),
        Case("events of the day after", {_NEWEST: 2100 + 86401}, 35, (_SHOP,)),
        Case(
            "events of tomorrow, such as flights that are scheduled",
            {_NEWEST: [(0, 0), (30, 1800 + 86400), (35, 2100 + 86400)]},
            35,
        ),
        Case("what is to come", {_DUE: 9e6, of("override_until_timestamp_seconds"): 9e6}, 35),
    ),
)

ALERTS = (
    BATCH_MISSING,
    FEED_STOPPED,
    BATCH_LATE,
    NEVER_SEEN,
    DATASET_ABANDONED,
    DATA_STALE,
    TIMESTAMP_AHEAD,
)
