"""How reliable a dataset was: errors that each batch hides, and that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate_flows.alert_rules.alert import Alert, Record, Urgency
from tidegate_flows.alert_rules.case import Case, Values, elsewhere, here, of
from tidegate_flows.alert_rules.growth import grown, growth
from tidegate_flows.alert_rules.promql import BY, counted, indented, owned

_SHOP = {"dataset": "orders", "owner": "shop"}
_LEDGER = here("ledger_up")
_BURN = of("findings_total", check="error_budget_burn", severity="warning")
_REFUSED, _PUBLISHED = of("batches_total", decision="quarantine"), of("batches_total", decision="publish")
_SPORADIC: Mapping[str, Sequence[tuple[int, float]]] = {
    _REFUSED: [(0, 6), (1080, 7), (10080, 8), (25920, 9)],
    _PUBLISHED: [(0, 20), (10080, 57)],
}
_TWO_OF_TEN: Mapping[str, Values] = {_REFUSED: [(0, 6), (9000, 8)], _PUBLISHED: [(0, 20), (9000, 28)]}
_STEADILY = range(360, 30601, 360)
_OTHERS: Mapping[str, Values] = {
    series: [(0, 0), *((minute, minute // 360 * each) for minute in _STEADILY)]
    for decision, each in (("quarantine", 1), ("publish", 99))
    for series in (of("batches_total", "parcels", decision=decision), elsewhere("batches_total", decision=decision))
}
"""Another dataset and another ledger's, of which many are refused but never one in twenty."""


def _decided(words: str, window: str) -> str:
    grew = growth("batches_total", window, "1h", where=f'decision=~"{words}"')
    return f"sum by ({BY}) (\n{indented(grew)}\n)"


def _told_by(instance: str, series: Mapping[str, Values]) -> dict[str, Values]:
    """The same series of another exporter."""
    return {name.replace('instance="one"', f'instance="{instance}"'): values for name, values in series.items()}


_MOVED: Mapping[str, Values] = {
    **{name: [*values, (26280, None)] for name, values in _SPORADIC.items()},
    **_told_by("two", {_REFUSED: [(26280, 9)], _PUBLISHED: [(26280, 57)], _LEDGER: [(26280, 1)]}),
    _LEDGER: [(0, 1), (26280, None)],
}
_MOVED_IN_PEACE: Mapping[str, Values] = {
    **_MOVED,
    _REFUSED: [(0, 9), (26280, None)],
    _PUBLISHED: [(0, 57), (26280, None)],
}

RECORDS = (
    Record(
        "tidegate:batches_refused:30d",
        _decided("quarantine", "30d"),
        cases=(
            Case(
                "two, told by two exporters",
                {**_TWO_OF_TEN, **_told_by("two", _TWO_OF_TEN)},
                9360,
                ({"dataset": "orders"},),
                step=360,
                value=2,
            ),
        ),
    ),
    Record("tidegate:batches_decided:30d", _decided("publish|quarantine", "30d")),
    Record(
        "tidegate:batches_kept:ratio30d",
        "1 - tidegate:batches_refused:30d / (tidegate:batches_decided:30d > 0)",
        cases=(
            Case("three of forty refused", _SPORADIC, 26280, ({"dataset": "orders"},), step=360, value=0.925),
            Case("none decided is no number", {_REFUSED: 6, _PUBLISHED: 20}, 60),
        ),
    ),
)
"""How reliable a dataset was, of the batches decided in thirty days."""

ERROR_BUDGET_BURN = Alert(
    name="TidegateErrorBudgetBurn",
    urgency=Urgency.TICKET,
    expr=owned(
        "tidegate:batches_refused:30d / tidegate:batches_decided:30d > 0.05\n"
        f"and on ({BY}) tidegate:batches_refused:30d >= 3\n"
        f"and on ({BY}) {_decided('quarantine', '3d')} > 0"
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
        Case("two of ten", {**_TWO_OF_TEN, **_OTHERS}, 9360, step=360),
        Case("two of ten, told by two exporters", {**_TWO_OF_TEN, **_told_by("two", _TWO_OF_TEN)}, 9360, step=360),
        Case(
            "three of forty, told by two exporters",
            {**_SPORADIC, **_told_by("two", _SPORADIC)},
            26280,
            (_SHOP,),
            step=360,
        ),
        Case("three of forty, and the exporter has moved", _MOVED, 26640, (_SHOP,), step=360),
        Case("the exporter has moved, and nothing was refused", _MOVED_IN_PEACE, 26640, step=360),
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
    expr=owned(grown("findings_total", "1d", where='check="error_budget_burn",severity=~"warning|critical"')),
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

ALERTS = (TOLERANCE_BURN,)
BURNING = (ERROR_BUDGET_BURN,)
