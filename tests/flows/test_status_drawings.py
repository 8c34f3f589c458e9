"""Drawings of few batches, and of batches with long names: letters keep their size, and names do not overlap."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate_flows.status.heat_map import heat_map, heat_of
from tidegate_flows.status.record import Record
from tidegate_flows.status.sized import names_below
from tidegate_flows.status.volume_plot import volume_plot
from tidegate_monitors.breaker import Decision

_TICK = re.compile(r'<text x="([\d.]+)" y="[\d.]+" class="tick">([^<]*)')


def _clear(drawn: str, width: float) -> int:
    """How many names there are, none over another or beyond the drawing at seven pixels a letter."""
    spans = [(float(x) - len(text) * 3.5, float(x) + len(text) * 3.5) for x, text in _TICK.findall(drawn)]
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    assert all(start >= -0.1 and end <= width + 0.1 for start, end in spans)
    return len(spans)


@pytest.mark.parametrize("many", [1, 8, 13, 60])
@pytest.mark.parametrize("name", ["2013-04-{:02}", "a-batch-with-quite-a-long-name-{:04}", "{}"])
def test_names_below_a_drawing_do_not_overlap_and_a_unit_is_a_pixel(many: int, name: str) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    names = [name.format(index) for index in range(many)]
    warm = heat_of([(one, {"amount": (0.5, "location")}) for one in reversed(names)])
    assert warm is not None
    records = [
        Record(index, str(index), one, Decision.PUBLISH, start + timedelta(days=index), None, 10, 0)
        for index, one in enumerate(names)
    ]
    for drawn in (heat_map("heat", warm), volume_plot("volume", records[::-1])):
        size = re.match(r'<svg width="(\d+)" role="img" viewBox="0 0 (\d+) ', drawn)
        assert size is not None
        assert size[1] == size[2]
        assert 1 <= _clear(drawn, float(size[1])) <= many


def test_of_names_that_start_alike_the_end_is_told() -> None:
    names = [f"flights-of-the-day-2013-04-{day:02}" for day in (1, 2)]
    drawn = "".join(names_below(names, [100.0, 300.0], 10, 400))
    assert [text for _, text in _TICK.findall(drawn)] == ["…-day-2013-04-01", "…-day-2013-04-02"]


@given(st.lists(st.text("abc", min_size=1, max_size=40), max_size=40), st.floats(1, 80))
def test_the_first_name_is_always_there(names: list[str], step: float) -> None:
    places = [10 + index * step for index in range(len(names))]
    drawn = "".join(names_below(names, places, 10, 4000))
    assert _clear(drawn, 4000) >= min(len(names), 1)
