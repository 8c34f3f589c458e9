"""How long the stages of one batch's way took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(slots=True)
class Stopwatch:
    """Counts time towards the stage that is over.

    Attributes:
        began: When it was started, by the performance counter.
        seconds: By stage.
        elsewhere: Seconds that were no work on the batch: waiting for another worker, or work on other batches.
    """

    began: float = field(default_factory=perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)
    elsewhere: float = 0.0
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        """Nothing was counted yet."""
        self._last = self.began

    @property
    def total(self) -> float:
        """Seconds of work since it was started."""
        return perf_counter() - self.began - self.elsewhere

    def over(self, stage: str) -> None:
        """A stage is over; the next begins."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is done within is no work on the batch, and belongs to no stage."""
        began = perf_counter()
        try:
            yield
        finally:
            spent = perf_counter() - began
            self.elsewhere += spent
            self._last += spent
