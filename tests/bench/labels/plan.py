"""How much is measured: enough for the tables, or just enough to see that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of a run.

    Attributes:
        name: ``full`` or ``quick``.
        intervals: Repetitions of each interval.
        families: Histories of each simulated world that are judged at every length, with every reference.
        windows: Judgements of the flights in each way, for each reference.
        shuffles: Times the slices of the flights are shuffled within their days.
        powers: Repetitions of each planted bias.
        masked: Repetitions of each masked bias, and of late labels.
        streams: Streams of 200 batches.
        stream_batches: Batches of one.
    """

    name: str
    intervals: int
    families: int
    windows: int
    shuffles: int
    powers: int
    masked: int
    streams: int
    stream_batches: int


FULL = Plan(
    name="full",
    intervals=2_000,
    families=400,
    windows=300,
    shuffles=30,
    powers=300,
    masked=200,
    streams=20,
    stream_batches=200,
)
QUICK = Plan(
    name="quick",
    intervals=100,
    families=10,
    windows=10,
    shuffles=2,
    powers=10,
    masked=10,
    streams=2,
    stream_batches=60,
)
