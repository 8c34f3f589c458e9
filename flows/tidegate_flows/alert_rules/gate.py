"""What the gate and its breaker did: stopped, held, set aside, or overridden."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Alert, Urgency
from tidegate_flows.alert_rules.case import Case, elsewhere, here, of
from tidegate_flows.alert_rules.growth import grown
from tidegate_flows.alert_rules.promql import BY, counted, known, looked_up, owned

_SHOP = {"dataset": "orders", "owner": "shop"}
_REFUSED = of("batches_total", decision="quarantine")
_UNTIL = of("override_until_timestamp_seconds")
_HELD = looked_up("max(tidegate_held_batches{SAME})", otherwise="0")
_ASIDE = looked_up("max(tidegate_quarantined_batches{SAME})", otherwise="0")
_OPEN = 'tidegate_breaker_state{state="open"}'
_OVERRIDDEN = f"{known('tidegate_override_until_timestamp_seconds')} > time()"
_GROWN = grown("batches_total", "1d", where='decision="quarantine"')
_WEEK = 7 * 24 * 60

BREAKER_OPEN = Alert(
    name="TidegateBreakerOpen",
    urgency=Urgency.PAGE,
    expr=owned(f"{known(_OPEN)} == 1\nunless on ({BY}) {_OVERRIDDEN}"),
    summary="{{ $labels.dataset }}: the breaker is open, and nothing new is published",
    description=(
        "The breaker of {{ $labels.dataset }} has been open for "
        f"{looked_up('time() - max(tidegate_breaker_last_transition_timestamp_seconds{SAME})', 'humanizeDuration')}. "
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
        Case(
            "Prometheus was killed, and another owner is new",
            {
                of("breaker_state", state="open"): 1,
                'tidegate:owner{job="tidegate",dataset="orders",owner="old"}': [(0, 1), (1, None)],
                'tidegate:owner{job="tidegate",dataset="orders",owner="zoe"}': [(0, 1), (1, None)],
            },
            3,
            (_SHOP,),
            step=1,
            killed=True,
        ),
        Case("overridden: good batches pass", {of("breaker_state", state="open"): 1, _UNTIL: 1201}, 20),
        Case("the override ends this second", {of("breaker_state", state="open"): 1, _UNTIL: 1200}, 20, (_SHOP,)),
        Case(
            "overridden, and the exporter is down",
            {
                of("breaker_state", state="open"): [(0, 1), (10, None)],
                _UNTIL: [(0, 9e6), (10, None)],
                here("ledger_up"): [(0, 1), (10, None)],
            },
            65,
        ),
        Case(
            "another dataset's override, and another ledger's",
            {
                of("breaker_state", state="open"): 1,
                of("override_until_timestamp_seconds", "parcels"): 9e6,
                elsewhere("override_until_timestamp_seconds"): 9e6,
            },
            20,
            (_SHOP,),
        ),
        Case(
            "the override is over, and no longer told",
            {of("breaker_state", state="open"): 1, _UNTIL: [(0, 9e6), (10, None)]},
            20,
            (_SHOP,),
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
    expr=owned(f"{_GROWN}\nand on ({BY}) {known('tidegate_quarantined_batches')} > 0"),
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

ALERTS = (
    BREAKER_OPEN,
    BATCHES_HELD,
    BATCH_QUARANTINED,
    QUARANTINE_AGEING,
    OVERRIDE_ACTIVE,
)
