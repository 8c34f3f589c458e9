"""What each alert says in the first of its cases, as it reaches a person."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, tuple[str, str]] = {
    "TidegateWatchdog": (
        "Prometheus evaluates tidegate's rules, and Alertmanager hears of it",
        "This always fires. Whatever receives it should wake somebody when it no longer does.",
    ),
    "TidegateExporterDown": (
        "The exporter tidegate is down: nothing is watched",
        "Prometheus cannot scrape any exporter of the job tidegate, or knows of none. Gates go on judging batches, and "
        "nobody hears of it. For an hour the other alerts go by what was known before; after that they are silent.",
    ),
    "TidegateTextfileOld": (
        "The metrics file on a is 25m 0s old",
        "`tidegate metrics --textfile` has not written its file on a for 25m 0s: the node exporter repeats "
        "what was true then.",
    ),
    "TidegateLedgerDown": (
        "The ledger of tidegate cannot be read",
        "The exporter of tidegate runs and cannot read its ledger. Gates that cannot either end with exit "
        "code 3 and publish nothing. For an hour the other alerts go by what was known before.",
    ),
    "TidegateSeriesDropped": (
        "tidegate: 1 series are left out",
        "The exporter of tidegate leaves out 1 series to keep its page bounded: what they would have said "
        "alerts nobody.",
    ),
    "TidegateToleranceBurn": (
        "orders: rows are set aside batch after batch",
        "1 batch of orders within a day ended fourteen in which rows were set aside in at least every other "
        "batch, and took half of what the contract tolerates.",
    ),
    "TidegateAuditWentBackwards": (
        "orders: 1 entry of the audit is gone",
        "The audit of orders lacks 1 entry that it had within the last day. Entries are only ever added: the "
        "ledger was restored from a backup, replaced by another, or cut.",
    ),
    "TidegateAuditRewritten": (
        "orders: the last entry of the audit is another one",
        "The audit of orders had as many entries when it was read before, and another last hash: an entry was "
        "changed, or one was cut and another written.",
    ),
    "TidegateBreakerOpen": (
        "orders: the breaker is open, and nothing new is published",
        "The breaker of orders has been open for 2m 0s. Good batches held: 2; in quarantine, wholly or "
        "partly: 1. What was published before is as good as it was; readers get nothing newer.",
    ),
    "TidegateBatchesHeld": (
        "orders: 1 good batch waits",
        "Of orders 1 batch has been held for an hour and longer: good data that waits for the breaker.",
    ),
    "TidegateBatchQuarantined": (
        "orders: 1 batch was refused in a day",
        "Of orders 1 batch was quarantined within a day and not published. In quarantine now, wholly or partly: 1.",
    ),
    "TidegateQuarantineAgeing": (
        "orders: a batch has waited 7d 0h 0m 1s for somebody to look",
        "The oldest batch of orders in quarantine or held was decided 7d 0h 0m 1s ago, and nobody has "
        "released, replayed or discarded it. In quarantine, wholly or partly: 2; held: 0.",
    ),
    "TidegateOverrideActive": (
        "orders: the breaker has been overridden for more than a day",
        "Batches of orders have passed a breaker that is not closed for more than a day, because somebody "
        "allowed it; the override goes on for 10d 13h 26m 40s.",
    ),
    "TidegateMonitorFailing": (
        "orders: the monitor gate failed 1 time",
        "A check or statistic of orders raised 1 time within six hours, under gate. That is our failure or "
        "the contract's code's, never the data's: without a verdict nothing is published, unless the contract"
        " says otherwise.",
    ),
    "TidegateUnverifiedPublished": (
        "orders: 1 batch was published unverified",
        "Of orders 1 batch was published within a day although a monitor failed, because the contract says "
        'on_monitor_error="publish". Nobody vouches for them.',
    ),
    "TidegateBatchMissing": (
        "orders: the next batch was due 10m 0s ago",
        "By its contract a batch of orders was due 10m 0s ago, and none has come. The last verdict was 25m 0s ago.",
    ),
    "TidegateFeedStopped": (
        "orders: no batch for a whole interval after one was due",
        "A batch of orders was due 1h 10m 0s ago, and so was the one after it: one is expected every 1h 0m "
        "0s. The last verdict was 1h 30m 0s ago.",
    ),
    "TidegateBatchLate": (
        "orders: 1 batch late or missing within a day",
        "1 time within a day a batch of orders came after its time, or `tidegate watch` found that none had "
        "come. What came was judged as any other.",
    ),
    "TidegateDatasetNeverSeen": (
        "orders: not one batch has ever come",
        "The ledger has known the contract of orders for a day, and not one batch of it has had a verdict. "
        "What never came is missed by nothing that compares it with what came before.",
    ),
    "TidegateDatasetAbandoned": (
        "orders: no batch for 30d 0h 0m 1s",
        "The last batch of orders came 30d 0h 0m 1s ago, and its contract declares no cadence, so that "
        "nothing else tells. Either it is no longer sent, or nobody gates it.",
    ),
    "TidegateDataStale": (
        "orders: the newest published event is 30m 0s old",
        "The newest event published of orders is 30m 0s old; its contract allows 5m 0s when a batch arrives, "
        "and expects one every 15m 0s. Whoever reads it now reads the past.",
    ),
    "TidegateTimestampAhead": (
        "orders: a timestamp lies 5m 1s in the future",
        "Of orders the ledger holds a time that is 5m 1s ahead of Prometheus' clock. Until it is past, "
        "its data cannot be found stale, and a missing batch is told an interval late at most.",
    ),
    "TidegateUnusualBatch": (
        "orders: the last batch stands out in amount",
        "location of amount in orders is 1.01 times what alarms. Once is information: one batch in (reference"
        " blocks + 1) does.",
    ),
    "TidegateSlowPoisoning": (
        "orders: amount drifts away in small steps",
        "The evidence that amount of orders moves away from the reference, in steps too small for any one "
        "batch, is 1.01 times what alarms.",
    ),
    "TidegatePredictionBias": (
        "orders: predictions are biased in country=DE",
        "Predictions of orders, country=DE, bucket 9, lie +0.062 from their labels in the mean; the evidence "
        "is 1.01 times what alarms.",
    ),
    "TidegateLabelStarvation": (
        "orders: no labels for 1h 25m 0s",
        "Labels of orders should be complete after 10m 0s, and none have been joined for 1h 25m 0s. Without "
        "them nobody knows whether the predictions are any good.",
    ),
    "TidegateInsufficientEvidence": (
        "orders: amount has had too little data for three days",
        "In amount of orders every batch of three days had too few values to be compared. That is neither a "
        "pass nor an alarm: drift in it would not be seen.",
    ),
    "TidegateDrift": (
        "orders: amount has drifted",
        "location of amount in orders is 1.5 times what alarms, and a drift of this dataset was confirmed, by"
        " two batches in a row or by its size.",
    ),
    "TidegateErrorBudgetBurn": (
        "orders: 7.5% of the batches of thirty days were refused",
        "7.5% of the batches of orders in the last thirty days were quarantined, three at least, and one "
        "within three days; one in twenty is what is put up with. Each was dealt with by itself; together "
        "they are a source that is not mended.",
    ),
}
"""By name the summary and the description."""
