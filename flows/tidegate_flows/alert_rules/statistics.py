"""What statistics and labels say. Scores are over their thresholds already: 1 is where a contract's alarm begins."""

from __future__ import annotations

from tidegate_flows.alert_rules.alert import Alert, Urgency
from tidegate_flows.alert_rules.case import Case, elsewhere, of
from tidegate_flows.alert_rules.growth import grown
from tidegate_flows.alert_rules.promql import BY, known, looked_up, owned

_SHOP = {"dataset": "orders", "owner": "shop"}
_AMOUNT = {**_SHOP, "column": "amount"}
_CONFIRMED = 'check=~"drift|joint_drift|missingness_jump|prediction_drift|volume",severity=~"warning|critical"'
_WORST = (
    "{{ with printf `topk(1, tidegate_drift_score_ratio{job=%q,dataset=%q,column=%q})` $labels.job $labels.dataset "
    '$labels.column | query }}{{ . | first | label "statistic" }}{{ else }}?{{ end }}'
)
_RATIO = f"{known('tidegate_drift_score_ratio', f'{BY}, column')} > 1"
_DELAY = of("label_delay_seconds")
_LABELS = of("label_last_timestamp_seconds")
_EVERY = of("expected_interval_seconds")
_PUBLICATIONS = 'tidegate_batches_total{decision="publish"}'
_PUBLISHED = of("batches_total", decision="publish")


def _score(value: float, statistic: str = "location", column: str = "amount") -> dict[str, float]:
    return {of("drift_score_ratio", column=column, slice="", statistic=statistic): value}


def _drift(severity: str = "warning", check: str = "drift", dataset: str = "orders") -> str:
    return of("findings_total", dataset, check=check, severity=severity)


UNUSUAL_BATCH = Alert(
    name="TidegateUnusualBatch",
    urgency=Urgency.INFO,
    expr=owned(_RATIO),
    summary="{{ $labels.dataset }}: the last batch stands out in {{ or $labels.column `the table` }}",
    description=(
        f"{_WORST} of {{{{ or $labels.column `the table` }}}} in {{{{ $labels.dataset }}}} is "
        f"{{{{ $value | humanize }}}} "
        "times what alarms. Once is information: one batch in (reference blocks + 1) does."
    ),
    cases=(
        Case("a little over", {**_score(1.01), **_score(0.2, "spread")}, 5, (_AMOUNT,), remembered=True),
        Case("at the threshold", _score(1.0), 5),
        Case("two statistics of one column alert once", {**_score(2), **_score(3, "spread")}, 5, (_AMOUNT,)),
        Case("two columns", {**_score(2), **_score(3, column="")}, 5, (_AMOUNT, _SHOP)),
    ),
)

DRIFT = Alert(
    name="TidegateDrift",
    urgency=Urgency.TICKET,
    expr=owned(f"{_RATIO}\nand on ({BY}) {grown('findings_total', '8d', '1h', where=_CONFIRMED)}"),
    summary="{{ $labels.dataset }}: {{ or $labels.column `the table` }} has drifted",
    description=(
        f"{_WORST} of {{{{ or $labels.column `the table` }}}} in {{{{ $labels.dataset }}}} is "
        f"{{{{ $value | humanize }}}} "
        "times what alarms, and a drift of this dataset was confirmed, by two batches in a row or by its size."
    ),
    cases=(
        Case("confirmed", {**_score(1.5), _drift(): [(0, 4), (30, 5)]}, 60, (_AMOUNT,), remembered=True),
        Case("confirmed for the first time", {**_score(1.5), _drift("critical"): [(30, 1)]}, 60, (_AMOUNT,)),
        Case("the last batch is as usual", {**_score(1.0), _drift(): [(0, 4), (30, 5)]}, 60),
        Case("seen once", {**_score(1.5), _drift("info"): [(0, 4), (30, 5)], _drift(): 2}, 60),
        Case("another check's warning", {**_score(1.5), _drift(check="late_batch"): [(0, 4), (30, 5)]}, 60),
        Case(
            "another dataset's drift, and another ledger's",
            {
                **_score(1.5),
                _drift(dataset="parcels"): [(0, 4), (30, 5)],
                elsewhere("findings_total", check="drift", severity="warning"): [(0, 4), (30, 5)],
                'tidegate_ledger_up{job="tidegate-test",instance="one"}': 1,
            },
            60,
        ),
        Case("confirmed within eight days", {**_score(1.5), _drift(): [(0, 4), (60, 5)]}, 11520, (_AMOUNT,), step=60),
        Case("confirmed before", {**_score(1.5), _drift(): [(0, 4), (60, 5)]}, 11640, step=60),
    ),
)

SLOW_POISONING = Alert(
    name="TidegateSlowPoisoning",
    urgency=Urgency.TICKET,
    expr=owned(f"{known('tidegate_stream_score_ratio', f'{BY}, column')} > 1"),
    summary="{{ $labels.dataset }}: {{ $labels.column }} drifts away in small steps",
    description=(
        "The evidence that {{ $labels.column }} of {{ $labels.dataset }} moves away from the reference, in steps too "
        "small for any one batch, is {{ $value | humanize }} times what alarms."
    ),
    cases=(
        Case("a little over", {of("stream_score_ratio", column="amount"): 1.01}, 5, (_AMOUNT,), remembered=True),
        Case("at the threshold", {of("stream_score_ratio", column="amount"): 1}, 5),
    ),
)

PREDICTION_BIAS = Alert(
    name="TidegatePredictionBias",
    urgency=Urgency.TICKET,
    expr=owned(f"{known('tidegate_prediction_bias_score_ratio', f'{BY}, slice, bucket')} > 1"),
    summary="{{ $labels.dataset }}: predictions are biased{{ with $labels.slice }} in {{ . }}{{ end }}",
    description=(
        "Predictions of {{ $labels.dataset }}"
        "{{ with $labels.slice }}, {{ . }}{{ end }}{{ with $labels.bucket }}, bucket {{ . }}{{ end }}, lie "
        + looked_up("tidegate_prediction_bias{SAME}", 'printf "%+.3f"', labels="job,dataset,slice,bucket")
        + " from their labels in the mean; the evidence is {{ $value | humanize }} times what alarms."
    ),
    cases=(
        Case(
            "a little over",
            {
                of("prediction_bias_score_ratio", slice="country=DE", bucket="9"): 1.01,
                of("prediction_bias", slice="country=DE", bucket="9"): 0.0625,
            },
            5,
            ({**_SHOP, "slice": "country=DE", "bucket": "9"},),
            remembered=True,
        ),
        Case("overall", {of("prediction_bias_score_ratio", slice="", bucket=""): 3}, 5, (_SHOP,)),
        Case("at the threshold", {of("prediction_bias_score_ratio", slice="", bucket=""): 1}, 5),
        Case("far off and without evidence", {of("prediction_bias", slice="", bucket=""): 0.4}, 5),
    ),
)

LABEL_STARVATION = Alert(
    name="TidegateLabelStarvation",
    urgency=Urgency.TICKET,
    expr=owned(
        f"time() - {known('tidegate_label_last_timestamp_seconds')}\n"
        f"> on ({BY}) (\n"
        f"  {known('tidegate_label_delay_seconds')} + on ({BY}) 3 * {known('tidegate_expected_interval_seconds')}\n"
        f")\nor\n"
        f"{known(_PUBLICATIONS)} * on ({BY}) {known('tidegate_expected_interval_seconds')}\n"
        f"> on ({BY}) (\n"
        f"  {known('tidegate_label_delay_seconds')} + on ({BY}) 3 * {known('tidegate_expected_interval_seconds')}\n"
        f")\nunless on ({BY}) {known('tidegate_label_last_timestamp_seconds')}"
    ),
    wait="1h",
    summary="{{ $labels.dataset }}: no labels for {{ $value | humanizeDuration }}",
    description=(
        "Labels of {{ $labels.dataset }} should be complete after "
        f"{looked_up('max(tidegate_label_delay_seconds{SAME})', 'humanizeDuration')}, and none have been joined for "
        "{{ $value | humanizeDuration }}. Without them nobody knows whether the predictions are any good."
    ),
    cases=(
        Case("none since", {_DELAY: 600, _EVERY: 200, _LABELS: 0}, 85, (_SHOP,), remembered=True),
        Case("none since, hardly an hour too long", {_DELAY: 600, _EVERY: 200, _LABELS: 0}, 80),
        Case("not one, ever", {_DELAY: 600, _EVERY: 200, _PUBLISHED: 7}, 60, (_SHOP,), remembered=True),
        Case(
            "not one, ever, while others have theirs",
            {
                _DELAY: 600,
                _EVERY: 200,
                _PUBLISHED: 7,
                of("label_last_timestamp_seconds", "parcels"): 0,
                elsewhere("label_last_timestamp_seconds"): 0,
            },
            60,
            (_SHOP,),
        ),
        Case("the published batches are too young", {_DELAY: 600, _EVERY: 200, _PUBLISHED: 6}, 60),
        Case("not one, for less than an hour", {_DELAY: 600, _EVERY: 200, _PUBLISHED: [(0, 1), (10, 9)]}, 65),
        Case(
            "batches that were refused need no labels",
            {_DELAY: 600, _EVERY: 200, of("batches_total", decision="quarantine"): 99},
            60,
        ),
        Case("they come", {_DELAY: 600, _EVERY: 200, _PUBLISHED: 99, _LABELS: 4800}, 80),
        Case("no labels are promised", {_EVERY: 200, _PUBLISHED: 99, _LABELS: 0}, 85),
    ),
)

INSUFFICIENT_EVIDENCE = Alert(
    name="TidegateInsufficientEvidence",
    urgency=Urgency.TICKET,
    expr=owned(f"{known('tidegate_insufficient_evidence', f'{BY}, column')} > 0"),
    wait="3d",
    summary="{{ $labels.dataset }}: {{ or $labels.column `the table` }} has had too little data for three days",
    description=(
        "In {{ or $labels.column `the table` }} of {{ $labels.dataset }} every batch of three days had too "
        "few values to be "
        "compared. That is neither a pass nor an alarm: drift in it would not be seen."
    ),
    cases=(
        Case(
            "three days",
            {of("insufficient_evidence", column="amount"): [(20, 1)]},
            4340,
            (_AMOUNT,),
            step=20,
            remembered=True,
        ),
        Case("hardly three days", {of("insufficient_evidence", column="amount"): [(60, 1)]}, 4320, step=60),
        Case(
            "one batch had enough",
            {of("insufficient_evidence", column="amount"): [(0, 1), (1980, None), (2100, 1)]},
            4440,
            step=60,
        ),
        Case("zeros", {of("insufficient_evidence", column="amount"): 0}, 4440, step=60),
    ),
)

ALERTS = (
    UNUSUAL_BATCH,
    SLOW_POISONING,
    PREDICTION_BIAS,
    LABEL_STARVATION,
    INSUFFICIENT_EVIDENCE,
)
CONFIRMED = (DRIFT,)
"""What looks back."""
