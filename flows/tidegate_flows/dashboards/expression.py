"""What the panels ask Prometheus.

Two exporters of one ledger say the same: ``max`` by what is left of the labels counts it once. Counters live in the
ledger, and a batch a day is too few for ``rate``: :func:`growth` compares a counter with what it was.
"""

from __future__ import annotations

from dataclasses import dataclass

INTERVAL = "$__interval"


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
        """By how much a counter grew in a window, summed by some of its labels.

        A series that was not there when the window began counts from zero if its ledger could be read then, and else
        from the first that is known of it.
        """
        series, up = self.series(name, more), f"last_over_time(tidegate_ledger_up{{{self.job}}}[1h] offset {window})"
        grown = (
            f"{series} - (last_over_time({series}[1h] offset {window})"
            f" or 0 * {series} and on (job) {up} == 1"
            f" or min_over_time({series}[{window}]))"
        )
        keys = ", ".join(dict.fromkeys(("job", "dataset", *LABELS.get(name, ()))))
        return f"sum by ({by}) (max by ({keys}) (clamp_min({grown}, 0)))"


def told(expr: str, *labels: str) -> str:
    """With a word for each of these labels where it is empty: no series is nameless, no row of a table lacks one."""
    for label in labels:
        expr = f'label_replace({expr}, "{label}", "{WHOLE[label]}", "{label}", "")'
    return expr


WHOLE = {"column": "the whole table", "slice": "all rows", "bucket": "all predictions"}
"""What an empty label means."""
LABELS = {
    "batches_total": ("decision",),
    "findings_total": ("check", "severity"),
    "breaker_transitions_total": ("to",),
    "shadow_batches_total": ("would",),
    "label_rows_total": ("outcome",),
    "monitor_errors_total": ("monitor",),
    "batch_duration_seconds_bucket": ("le",),
    "stage_duration_seconds_sum": ("stage",),
    "stage_duration_seconds_count": ("stage",),
}
"""By counter its labels beside the dataset."""
FLEET = Scope('job=~"$job"')
DATASET = Scope('job="$job"', 'dataset="$dataset"')
