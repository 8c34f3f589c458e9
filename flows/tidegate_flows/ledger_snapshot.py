"""Snapshots of the ledger for metrics: what did not change since the one before is not read again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tidegate_flows.breaker_now import breaker_now
from tidegate_flows.ledger import breakers, contracts, counters, standings
from tidegate_flows.ledger.standings import Arrived, Documents, Standing
from tidegate_flows.plain import plain
from tidegate_flows.version import VERSION
from tidegate_monitors.breaker import Breaker
from tidegate_monitors.comparison import Comparison
from tidegate_monitors.metric_family import Histogram, Labels
from tidegate_monitors.metrics import COUNTERS, DURATION_BOUNDS
from tidegate_monitors.metrics_snapshot import Dataset, Snapshot
from tidegate_monitors.observed import Observed
from tidegate_monitors.profile import Profile

logger = logging.getLogger("tidegate.exporter")

_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading a document raises that another version wrote."""

Biases = Mapping[tuple[str, str], tuple[float, float | None]]


class Snapshots:
    """Takes snapshots one after the other, of one ledger.

    What was parsed is kept by what it was parsed from: the documents of a run, which never change, by the run's id,
    and a judgement of labels by its text. So a snapshot is right whoever has written meanwhile.
    """

    def __init__(self) -> None:
        self._observed: dict[str, Observed] = {}
        self._judged: dict[str, tuple[str, tuple[Biases, float | None]]] = {}

    def take(self, connection: Connection, now: datetime) -> Snapshot:
        """The ledger as one transaction sees it.

        Args:
            connection: That transaction.
            now: The time by the ledger's clock.
        """
        facts, states = contracts.load(connection), breakers.all_of(connection)
        standing = standings.of_all(connection)
        arrived = standings.arrived(connection, [it.arrived for it in standing.values() if it.arrived is not None])
        self._observe(
            connection, {arrived[it.arrived].run: name for name, it in standing.items() if it.arrived is not None}
        )
        judged, slow = standings.judgements(connection), standings.slow_drifts(connection)
        datasets = {}
        for name, it in standing.items():
            biases, calibration, maturity = self._labels(name, judged.get(name))
            last = arrived.get(it.arrived) if it.arrived is not None else None
            datasets[name] = Dataset(
                breaker=breaker_now(states.get(name, Breaker()), now),
                **_promised(connection, name, facts.get(name, {}), it),
                **_runs(it, last),
                observed=self._observed.get(last.run) if last is not None else None,
                stream=slow.get(name, {}),
                biases=biases,
                calibration=calibration,
                maturity=maturity,
                audit_entries=it.audit_entries,
                audit_head=it.audit_head,
            )
        return _counted(connection, datasets)

    def _observe(self, connection: Connection, last: Mapping[str, str]) -> None:
        """Have what the last batches looked like, and forget the ones before; ``last`` are their datasets by run."""
        known = {run: observed for run, observed in self._observed.items() if run in last}
        for run, kept in standings.documents(connection, last.keys() - known.keys()).items():
            try:
                known[run] = _observed(last[run], kept)
            except _UNREADABLE as error:  # all else can be told
                logger.warning("run %s cannot be read: %s", run, type(error).__name__)
        self._observed = known

    def _labels(self, name: str, judged: tuple[str, float] | None) -> tuple[Biases, float | None, float | None]:
        if judged is None:
            self._judged.pop(name, None)
            return {}, None, None
        text, share = judged
        known = self._judged.get(name)
        if known is None or known[0] != text:
            known = self._judged[name] = (text, _judged(name, text))
        return *known[1], share


def _judged(dataset: str, text: str) -> tuple[Biases, float | None]:
    """The biases and the calibration error of a judgement of labels; none of one that another version wrote."""
    try:
        told = json.loads(text)
        return _biases(told), _calibration_error(told)
    except _UNREADABLE as error:
        logger.warning("the judgement of labels of %s cannot be read: %s", plain(dataset), type(error).__name__)
        return {}, None


def _promised(connection: Connection, name: str, facts: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    """What the contract says, and by when the next batch must be there by the rule of the schedule."""
    cadence, last = facts.get("cadence"), standing.window_last
    if cadence is not None and last is not None and last > (standing.last_published or 0.0) + cadence:
        last = standings.window_believed(connection, name, cadence)  # it may end later than anything that has happened
    due = last + cadence + (facts.get("arrive_within") or 0.0) if cadence is not None and last is not None else None
    return {
        "version": facts.get("version", ""),
        "owner": facts.get("owner", ""),
        "cadence": cadence,
        "arrive_within": facts.get("arrive_within"),
        "freshness": facts.get("freshness"),
        "label_delay": facts.get("label_delay"),
        "next_due": due,
    }


def _runs(standing: Standing, last: Arrived | None) -> dict[str, Any]:
    return {
        "last_completed": last.completed_at if last is not None else None,
        "rows": last.rows if last is not None else None,
        "last_published": standing.last_published,
        "event_time_max": standing.event_time_max,
        "label_last": standing.labelled,
        "quarantined": standing.quarantined,
        "held": standing.held,
        "quarantine_oldest": standing.oldest,
    }


def _observed(dataset: str, kept: Documents) -> Observed:
    return Observed.of(
        dataset,
        map(Comparison.from_dict, json.loads(kept.comparisons)),
        Profile.from_dict(json.loads(kept.profile)) if kept.profile is not None else None,
        (finding["severity"] for finding in json.loads(kept.run)["findings"]),
    )


def _biases(told: Mapping[str, Any]) -> Biases:
    """By slice and bucket; one of several classes stands before the slice."""
    found = {}
    for item in told["biases"]:
        parts = [] if item["class"] is None else [f"class={item['class']}"]
        parts += [] if item["slice"] is None else [item["slice"]]
        bucket = "" if item["bucket"] is None else str(item["bucket"])
        found[",".join(parts), bucket] = (item["bias"], item["score_ratio"])
    return found


def _calibration_error(told: Mapping[str, Any]) -> float | None:
    """The greatest of all classes."""
    items = told["calibration"] or {}
    errors = [item["ece"] for item in ([items] if "ece" in items else items.values())]
    return max((error for error in errors if error is not None), default=None)


def _counted(connection: Connection, datasets: Mapping[str, Dataset]) -> Snapshot:
    """What was counted; a counter that no metric tells is left out."""
    totals: dict[str, dict[Labels, float]] = {}
    buckets: dict[str, dict[str, float]] = {}
    parts: dict[str, dict[tuple[str, str], float]] = {"sum": {}, "count": {}}
    for name, dataset, labels, value in counters.totals(connection):
        short = name.removesuffix("_total")
        if short in COUNTERS:
            values = (dataset, *(labels.get(label, "") for label in COUNTERS[short][1][1:]))
            totals.setdefault(short, {})[values] = value
        elif name == "batch_duration_seconds_bucket":
            buckets.setdefault(dataset, {})[labels.get("le", "+Inf")] = value
        elif name in ("batch_duration_seconds_sum", "stage_duration_seconds_sum"):
            parts["sum"][dataset, labels.get("stage", "")] = value
        elif name == "stage_duration_seconds_count":
            parts["count"][dataset, labels.get("stage", "")] = value
    durations = {
        name: Histogram([*_cumulated(found)], parts["sum"].get((name, ""), 0.0)) for name, found in buckets.items()
    }
    stages = {key: Histogram([("+Inf", count)], parts["sum"].get(key, 0.0)) for key, count in parts["count"].items()}
    return Snapshot(VERSION, datasets, totals, durations, stages)


def _cumulated(counts: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    total = 0.0
    for limit in [*(str(bound) for bound in DURATION_BOUNDS), "+Inf"]:
        total += counts.get(limit, 0.0)
        yield limit, total
