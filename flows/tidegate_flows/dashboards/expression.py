"""What the panels ask Prometheus.

Two exporters of one ledger say the same: ``max`` by what is left of the labels counts it once. What a counter grew by
is asked as the alert rules ask it (:mod:`tidegate_flows.alert_rules.growth`).
"""

from __future__ import annotations

from dataclasses import dataclass

from tidegate_flows.alert_rules.growth import growth

INTERVAL = "$__interval"
_STEP = "5m"
"""How far apart moments of a window are looked at."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose series a dashboard shows.

    Attributes:
        job: Which ledgers, as a matcher.
        dataset: Which datasets, as a matcher; empty for all.
    """

    job: str
    dataset: str = ""

    def series(self, name: str, more: str = "") -> str:
        """The selector of a metric; ``more`` are further matchers."""
        return f"tidegate_{name}{{{','.join(part for part in (self.job, self.dataset, more) if part)}}}"

    def once(self, name: str, by: str = "job, dataset", more: str = "") -> str:
        """A gauge, of however many exporters."""
        return f"max by ({by}) ({self.series(name, more)})"

    def highest(self, name: str, by: str = "job, dataset", more: str = "") -> str:
        """The highest value of a gauge since the point before, so that none is lost between two points."""
        return f"max by ({by}) (max_over_time({self.series(name, more)}[{INTERVAL}]))"

    def last(self, name: str, by: str = "job, dataset", more: str = "") -> str:
        """The last value of a gauge since the point before."""
        return f"max by ({by}) (last_over_time({self.series(name, more)}[{INTERVAL}]))"

    def age(self, name: str) -> str:
        """How long ago a moment was, in seconds."""
        return f"time() - {self.once(name)}"

    def state(self, window: str = "") -> str:
        """The breaker's state as a number: 0 closed, 1 half open, 2 open; the worst of a window."""
        half, opened = (self.series("breaker_state", f'state="{state}"') for state in ("half_open", "open"))
        if window:
            half, opened = f"max_over_time({half}[{window}])", f"max_over_time({opened}[{window}])"
        return f"clamp_max(max by (job, dataset) ({half}) + 2 * max by (job, dataset) ({opened}), 2)"

    def growth(self, name: str, by: str, window: str = INTERVAL, more: str = "") -> str:
        """By how much a counter grew in a window, summed by some of its labels."""
        where = ",".join(part for part in (self.job, self.dataset, more) if part)
        return f"sum by ({by}) ({growth(name, window, _STEP, where=where, ledgers=self.job)})"


def worded(expr: str, *labels: str) -> str:
    """With a word for each of these labels where it is empty: no series is nameless, no row of a table lacks one."""
    for label in labels:
        expr = f'label_replace({expr}, "{label}", "{WHOLE[label]}", "{label}", "")'
    return expr


WHOLE = {"column": "the whole table", "slice": "all rows", "bucket": "all predictions"}
"""What an empty label means."""
FLEET = Scope('job=~"$job"')
DATASET = Scope('job="$job"', 'dataset="$dataset"')
