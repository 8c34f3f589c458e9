"""A case: what the exporter said, minute by minute, and which alerts must be firing then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

Values = float | Sequence[tuple[int, float | None]]
"""A value that never changes, or pairs of a minute and the value from then on; None while the series is not there."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case for an alert.

    Attributes:
        name: A sentence.
        series: Series and their values, besides those of a healthy exporter with one dataset.
        at: The minute at which is looked.
        fires: The labels, besides name, urgency and job, of each alert that must be firing; none for a near miss.
        step: Minutes between two scrapes and two evaluations.
        lacks: Beginnings of series of the healthy exporter that are not there.
        value: What a series that is recorded must be; 1 is an alert that fires.
        whoever: Whether the owner is not looked at.
        remembered: Whether the alert must outlast an exporter that is down, for an hour and no longer; and one that
            has moved, where a counter says it.
        killed: Whether series end as when Prometheus is killed: with no marker, and are found for five minutes more.
    """

    name: str
    series: Mapping[str, Values]
    at: int
    fires: tuple[Mapping[str, str], ...] = ()
    step: int = 5
    lacks: tuple[str, ...] = ()
    value: float = 1
    whoever: bool = False
    remembered: bool = False
    killed: bool = False

    def all_series(self) -> dict[str, Values]:
        """The healthy exporter's series and those of the case."""
        healthy = {name: value for name, value in HEALTHY.items() if not name.startswith(self.lacks or ("\0",))}
        return healthy | dict(self.series)

    def twins(self) -> tuple[Case, ...]:
        """The case itself, and what must come of it when the exporter goes away, or no longer says so."""
        if not self.remembered:
            return (self,)
        every = self.all_series().items()
        silent = {name: _ending(values, self.at) if _OUR_JOB in name else values for name, values in every}
        moved = (self._moved(),) if any("_total{" in name for name in self.series) else ()
        soon, later = self.at + 60 - self.step, self.at + 60 + 2 * self.step
        down = replace(self, series=silent, lacks=("up", "tidegate_"))
        gauges = {name: _ending(values, self.at) for name, values in self.series.items() if "_total{" not in name}
        over = replace(self, series={**self.series, **gauges}, at=self.at + self.step, fires=())
        return (
            self,
            replace(down, name=f"{self.name}; the exporter is down", at=soon),
            replace(down, name=f"{self.name}; down for long", at=later, fires=()),
            *((replace(over, name=f"{self.name}; no longer"),) if gauges else ()),
            *moved,
        )

    def _moved(self) -> Case:
        """What must still be so when another exporter of the ledger has told the same for more than an hour."""
        ours = {name: values for name, values in self.all_series().items() if _HERE in name}
        before = {name: _ending(values, self.at) for name, values in ours.items()}
        since = {name.replace(_HERE, _THERE): _from(values, self.at) for name, values in ours.items()}
        later = self.at + 60 + 2 * self.step
        return replace(
            self, name=f"{self.name}; the exporter has moved", series={**self.series, **before, **since}, at=later
        )


def of(metric: str, dataset: str = "orders", instance: str = "one", **labels: str) -> str:
    """A series of one dataset, as the exporter's page and the scrape give it."""
    return here(metric, instance, dataset=dataset, **labels)


def here(metric: str, instance: str = "one", **labels: str) -> str:
    """A series of the exporter itself."""
    every = {"job": "tidegate", "instance": instance, **labels}
    inside = ",".join(f'{name}="{value}"' for name, value in every.items())
    return f"{'' if metric == 'up' else 'tidegate_'}{metric}{{{inside}}}"


def elsewhere(metric: str, **labels: str) -> str:
    """A series of the dataset of the same name in another ledger, from an exporter of the same name."""
    every = {"job": "tidegate-test", "instance": "one", "dataset": "orders", **labels}
    inside = ",".join(f'{name}="{value}"' for name, value in every.items())
    return f"tidegate_{metric}{{{inside}}}"


def _ending(values: Values, minute: int) -> Values:
    """The same until a minute, and nothing after it."""
    pairs: list[tuple[int, float | None]] = [(0, values)] if isinstance(values, int | float) else [*values]
    return [*(pair for pair in pairs if pair[0] <= minute), (minute + 1, None)]


def _from(values: Values, minute: int) -> Values:
    """Nothing until a minute, and after it what is so then."""
    pairs: list[tuple[int, float | None]] = [(0, values)] if isinstance(values, int | float) else [*values]
    return [(minute + 1, next(value for since, value in reversed(pairs) if since <= minute))]


HEALTHY: Mapping[str, Values] = {
    here("up"): 1,
    here("ledger_up"): 1,
    here("series_dropped"): 0,
    of("contract_info", version="1.0.0", owner="shop"): 1,
    of("breaker_state", state="closed"): 1,
    of("breaker_state", state="open"): 0,
    of("breaker_state", state="half_open"): 0,
    of("batch_last_completed_timestamp_seconds"): 0,
    of("contract_info", "parcels", version="1.0.0", owner="post"): 1,
    of("breaker_state", "parcels", state="closed"): 1,
    of("batch_last_completed_timestamp_seconds", "parcels"): 0,
    'up{job="tidegate-test",instance="three"}': 1,
    'tidegate_ledger_up{job="tidegate-test",instance="three"}': 1,
    'tidegate_contract_info{job="tidegate-test",instance="three",dataset="orders",version="1.0.0",owner="lab"}': 1,
    'tidegate_breaker_state{job="tidegate-test",instance="three",dataset="orders",state="closed"}': 1,
    'tidegate_batch_last_completed_timestamp_seconds{job="tidegate-test",instance="three",dataset="orders"}': 0,
}
"""An exporter that is up and says that all is well with two datasets, and one of another ledger that knows one too."""
_OUR_JOB = 'job="tidegate",'
_HERE, _THERE = (f'{_OUR_JOB}instance="{instance}"' for instance in ("one", "moved"))
