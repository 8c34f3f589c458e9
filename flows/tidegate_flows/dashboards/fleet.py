"""All datasets at a glance: which of them wants somebody now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidegate_flows.dashboards.colours import BAD, DECISIONS, GOOD, NOTICE
from tidegate_flows.dashboards.document import Document, Part
from tidegate_flows.dashboards.expression import FLEET as ALL
from tidegate_flows.dashboards.face import (
    NONE_IS_BEST,
    NONE_IS_GOOD,
    RATIO,
    STATE,
    STATE_WORDS,
    Face,
    Panel,
)
from tidegate_flows.dashboards.panels import bars, lines, number, timeline
from tidegate_flows.dashboards.question import Question
from tidegate_flows.dashboards.table import Column, table

OPEN = (
    "/d/tidegate-dataset?var-datasource=${datasource}&var-job=${__data.fields.job}"
    "&var-dataset=${__data.fields.dataset}&${__url_time_range}"
)
SILENT = "No exporter is scraped"
_FIRING = 'ALERTS{alertname=~"Tidegate.+",alertstate="firing"}'
_WATCHDOG = 'ALERTS{alertname="TidegateWatchdog",alertstate="firing"}'
_NOT_CLOSED = 'state!="closed"'
_SMALL = Face("", "", SILENT, width=4, height=4, decimals=0)


def fleet() -> Document:
    """The dashboard."""
    text = "Every dataset's breaker, age, held batches, drift and bias in one table; click a name for the dataset."
    parts = (
        Part("Now", [*_numbers(), _datasets()]),
        Part("What wants attention", [_alerts(), _breakers()]),
        Part("Batches", _batches()),
        Part("Drift and labels", _statistics()),
        Part("Exporter and ledger", _operation()),
    )
    return Document("tidegate-fleet", "tidegate / Fleet", text, ALL, parts)


def _numbers() -> Sequence[Panel]:
    known = replace(
        _SMALL, title="Datasets", text="Datasets that the ledgers know. Fewer than before: a ledger is gone."
    )
    closed = replace(
        _SMALL,
        title="Breakers not closed",
        text="Open or half open: batches wait or are stopped, unless an override lets good ones pass. See the table.",
        steps=NONE_IS_GOOD,
    )
    aside = replace(
        _SMALL,
        title="In quarantine",
        text="Batches set aside, partly or wholly. Each wants a decision.",
        steps=NONE_IS_BEST,
    )
    held = replace(
        _SMALL,
        title="Held",
        text="Good batches that wait for their breaker. They go on when it closes.",
        steps=NONE_IS_BEST,
    )
    return [
        number(known, f"count({ALL.state()})"),
        number(closed, f"sum({ALL.once('breaker_state', more=_NOT_CLOSED)})"),
        number(aside, f"sum({ALL.once('quarantined_batches')})"),
        number(held, f"sum({ALL.once('held_batches')})"),
        *_urgent(),
    ]


def _urgent() -> Sequence[Panel]:
    overdue = replace(
        _SMALL,
        title="Overdue",
        text="Datasets whose next batch should be there by now. Ask the source.",
        steps=NONE_IS_GOOD,
        none="No cadence is declared",
    )
    firing = replace(
        _SMALL,
        title="Alerts firing",
        text="Alerts of tidegate in Prometheus, without the one that always fires. See the list below.",
        steps=NONE_IS_GOOD,
        none="The alert rules are not loaded",
    )
    return [
        number(overdue, f"sum({ALL.once('next_batch_due_timestamp_seconds')} < bool time())"),
        number(firing, f"count({_FIRING}) - count({_WATCHDOG})"),
    ]


def _datasets() -> Panel:
    face = Face(
        "Datasets",
        "One row a dataset, as of now. Blue is well, orange wants a look, vermilion wants somebody now. Drift, slow "
        "drift and bias are scores over their thresholds: above 1 they alarm. Click a name to see the dataset.",
        "No dataset: no exporter is scraped, or its ledger is empty",
        width=24,
        height=10,
    )
    columns = (
        Column("dataset", "dataset", link=OPEN),
        Column("Breaker", ALL.state(), "none", STATE, STATE_WORDS, width=90),
        Column("Last published", ALL.age("batch_last_published_timestamp_seconds"), "s", decimals=1),
        Column("Overdue by", f"{ALL.age('next_batch_due_timestamp_seconds')} > 0", "s", ((None, BAD),), decimals=1),
        Column("Quarantined", ALL.once("quarantined_batches"), "none", NONE_IS_BEST),
        Column("Held", ALL.once("held_batches"), "none", NONE_IS_BEST),
        Column("Drift", ALL.once("drift_score_ratio"), "none", RATIO, decimals=2),
        Column("Slow drift", ALL.once("stream_score_ratio"), "none", RATIO, decimals=2),
        Column("Bias", ALL.once("prediction_bias_score_ratio"), "none", RATIO, decimals=2),
        Column("Labels settled", ALL.once("label_maturity_ratio"), "percentunit", decimals=0),
        Column(
            "Override ends in", f"{ALL.once('override_until_timestamp_seconds')} - time() > 0", "s", ((None, NOTICE),)
        ),
        Column("Contract", "version"),
        Column("Owner", "owner"),
        Column("", ALL.once("contract_info", "job, dataset, version, owner"), "none"),
        Column("job", "job"),
    )
    return table(face, *columns, sort="Breaker", descending=True)


def _alerts() -> Panel:
    face = Face(
        "Alerts that fire",
        "What Prometheus says now. `page` wakes somebody, `ticket` waits for the morning, `info` is only told. The "
        "runbook has a section for each name.",
        "No alert fires, or the alert rules are not loaded",
        width=12,
        height=8,
    )
    columns = (
        Column("Alert", "alertname"),
        Column("Severity", "severity", width=90),
        Column("dataset", "dataset"),
        Column("Owner", "owner"),
        Column(
            "Firing", f"count by (alertname, severity, dataset, owner) ({_FIRING} unless {_WATCHDOG})", "none", width=80
        ),
    )
    return table(face, *columns, sort="Severity")


def _breakers() -> Panel:
    face = Face(
        "Breakers",
        "Each dataset's breaker over time, the worst of each stretch. Open for long: see the dataset's findings, then "
        "`tidegate breaker status`; during an override good batches pass all the same.",
        SILENT,
        unit="none",
        steps=STATE,
        words=STATE_WORDS,
        width=12,
    )
    return timeline(face, Question(ALL.state("$__interval"), "{{dataset}}"))


def _batches() -> Sequence[Panel]:
    verdicts = Face(
        "Batches by decision and day",
        "What became of the batches of each day, of all datasets. Today's bar comes at midnight. Several in quarantine "
        "on one day: look for what their sources have in common.",
        "No batch in this time",
        width=12,
        decimals=0,
        low=0,
        colours=DECISIONS,
    )
    waiting = Face(
        "Waiting for somebody",
        "Batches in quarantine and held, by dataset. A line that only climbs: nobody looks at this quarantine.",
        SILENT,
        width=12,
        decimals=0,
        low=0,
    )
    kept = f"{ALL.highest('quarantined_batches')} + on (job, dataset) {ALL.highest('held_batches')}"
    return [
        bars(verdicts, Question(ALL.growth("batches_total", "decision"), "{{decision}}")),
        lines(waiting, Question(kept, "{{dataset}}")),
    ]


def _statistics() -> Sequence[Panel]:
    def ratio(title: str, text: str, none: str) -> Face:
        return Face(title, f"{text} Above 1, the dashed line, it alarms.", none, "none", RATIO, 6, decimals=2, low=0)

    settled = Face(
        "Labels settled",
        "The share of rows whose labels can no longer change, in the batches that labels named last. Bias says little "
        "where it is small.",
        "No labels yet",
        "percentunit",
        width=6,
        low=0,
        high=1,
    )
    return [
        lines(
            ratio(
                "Drift, the worst column", "The largest score over its threshold of each dataset.", "No reference yet"
            ),
            Question(ALL.highest("drift_score_ratio"), "{{dataset}}"),
            limit=True,
        ),
        lines(
            ratio("Slow drift, the worst column", "What adds up over batches, over its threshold.", "No reference yet"),
            Question(ALL.highest("stream_score_ratio"), "{{dataset}}"),
            limit=True,
        ),
        lines(
            ratio(
                "Prediction bias, the worst",
                "The largest bias of a slice or bucket, over what alarms.",
                "No labels yet",
            ),
            Question(ALL.highest("prediction_bias_score_ratio"), "{{dataset}}"),
            limit=True,
        ),
        lines(settled, Question(ALL.last("label_maturity_ratio"), "{{dataset}}")),
    ]


def _operation() -> Sequence[Panel]:
    up = Face(
        "Exporter and ledger",
        "Whether Prometheus reaches each exporter, and it its ledger. Down: nothing here is current. Gates go on, or "
        "end with exit code 3.",
        SILENT,
        "none",
        ((None, BAD), (1, GOOD)),
        width=12,
        height=7,
        words={0: "down", 1: "up"},
    )
    failing = Face(
        "Our own failures by day",
        "Monitors that raised, and batches published unverified. Not the data's fault: read the logs of that day.",
        SILENT,
        width=12,
        height=7,
        decimals=0,
        low=0,
    )
    slow = Face(
        "Reading the ledger", "How long a scrape takes. Near the scrape timeout: prune the ledger.", SILENT, "s"
    )
    dropped = Face(
        "Series left out",
        "Above 0 some columns or slices are missing here and in the alerts: declare fewer slices, or serve with a "
        "larger `--series`.",
        SILENT,
        steps=NONE_IS_GOOD,
        decimals=0,
        low=0,
    )
    versions = Face("Versions", "Which version each exporter runs.", SILENT)
    alive = f"min by (job) (min_over_time(up{{{ALL.job}}}[$__interval]))"
    read = f"min by (job) (min_over_time({ALL.series('ledger_up')}[$__interval]))"
    return [
        timeline(up, Question(alive, "{{job}} exporter"), Question(read, "{{job}} ledger", name="B")),
        bars(
            failing,
            Question(ALL.growth("monitor_errors_total", "dataset, monitor"), "{{dataset}}: {{monitor}}"),
            Question(ALL.growth("unverified_batches_total", "dataset"), "{{dataset}}: unverified", name="B"),
        ),
        lines(slow, Question(ALL.highest("collect_duration_seconds", "job, instance"), "{{job}} {{instance}}")),
        lines(dropped, Question(ALL.highest("series_dropped", "job"), "{{job}}")),
        table(
            versions,
            Column("Ledger", "job"),
            Column("Exporter", "instance"),
            Column("Version", "version"),
            Column("", ALL.once("build_info", "job, instance, version"), "none"),
        ),
    ]
