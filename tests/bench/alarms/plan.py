"""How much is measured: enough for the tables, or just enough to see that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of a run.

    Attributes:
        name: ``full`` or ``quick``.
        batches: At most so many batches of a dataset, the first ones; None for all.
        blocks: Sizes of random references.
        references: Random references of each size.
        tests: Batches held against each of them, at most.
        thin_references: Random references for thinned batches and for a near-constant column.
        thin_tests: Batches held against each of them, at most.
        own_references: Random references with a layout of their own.
        starts: Runs of consecutive reference batches.
        offsets: References that span the season.
        shift_columns: Numeric columns into which shifts are put, of each dataset.
        shift_tests: Batches into which they are put.
        fault_tests: Batches into which faults are put.
        peer_blocks: Batches in a reference for other tools.
        peer_references: References of each kind for other tools.
        peer_tests: Batches held against each of them.
        simulations: Simulated references.
    """

    name: str
    batches: int | None
    blocks: tuple[int, ...]
    references: int
    tests: int
    thin_references: int
    thin_tests: int
    own_references: int
    starts: int
    offsets: int
    shift_columns: int
    shift_tests: int
    fault_tests: int
    peer_blocks: int
    peer_references: int
    peer_tests: int
    simulations: int


FULL = Plan(
    name="full",
    batches=None,
    blocks=(30, 60, 90),
    references=40,
    tests=12,
    thin_references=40,
    thin_tests=6,
    own_references=2,
    starts=3,
    offsets=3,
    shift_columns=3,
    shift_tests=12,
    fault_tests=3,
    peer_blocks=60,
    peer_references=3,
    peer_tests=10,
    simulations=40,
)
QUICK = Plan(
    name="quick",
    batches=136,
    blocks=(30, 60),
    references=4,
    tests=10,
    thin_references=2,
    thin_tests=8,
    own_references=1,
    starts=1,
    offsets=1,
    shift_columns=1,
    shift_tests=6,
    fault_tests=1,
    peer_blocks=30,
    peer_references=1,
    peer_tests=4,
    simulations=3,
)
