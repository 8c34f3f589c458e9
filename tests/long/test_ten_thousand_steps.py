"""The simulated world for ten thousand steps: each a thing that happens, with all that a worker does between two."""

from __future__ import annotations

import pytest
from hypothesis import Phase

from tests.flows.test_simulated_world import ACTS, World, let_it_happen

pytestmark = pytest.mark.long


def test_whatever_happens_in_ten_thousand_steps_what_must_be_true_is_true() -> None:
    let_it_happen(worlds=170, steps=80, phases=[Phase.generate])  # what fails is told as it came
    told = f"{World.steps} steps, {World.durable} durable ones: {dict(sorted(World.happened.items()))}"
    print(told)  # noqa: T201 - figures, for -rP
    assert World.steps >= 10_000
    assert World.happened.keys() >= {"comes", "revises", "refused", *ACTS}
    assert sum(number for what, number in World.happened.items() if what.startswith("killed")) >= 50
