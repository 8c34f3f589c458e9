"""The bench sums many batches at once, and must sum what a tally sums."""

from __future__ import annotations

import numpy as np

from tests.bench.labels.worlds import NAMES, World
from tidegate_monitors.tally import Rows, Tally


def test_the_sums_of_many_batches_are_those_of_their_tallies() -> None:
    world = World(0.2, day=0.02, unequal=True)
    made = world.rows(3, np.random.default_rng(1))
    label = np.where(made.truth > 0.3, np.nan, (made.truth > 0.2).astype(np.float64))
    names = np.array([name.split("=")[1] for name in NAMES])
    for number, cohort in enumerate(world.summed(made, made.prediction, label, 3)):
        mine = made.day == number
        p, y = made.prediction[mine], label[mine]
        tally = Tally.of(Rows(p, y, np.isfinite(y), {"s": names[made.cell[mine]]}, p >= 0.5), world.edges)
        assert cohort.tallies[""].names == tally.names
        assert np.allclose(cohort.tallies[""].table, tally.table)
        assert (cohort.rows, cohort.labelled) == (mine.sum(), np.isfinite(y).sum())
