"""Statistics of other packages: found by their entry points, or refused by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tidegate_contracts.errors import MonitorError
from tidegate_monitors import statistics as registry
from tidegate_monitors.statistics import GROUP, statistics
from tidegate_monitors.testing import conforms

SOUND = '''
import numpy as np
from tidegate_monitors.statistics import Reads, shares, statistic

@statistic(reads=Reads.CELLS, check="drift", symmetric=True, bound=1.0)
def largest_gap(current, reference):
    """The largest difference of the shares of one cell, in [0, 1].

    Source: C. P. Quesenberry and D. C. Hurst (1964), Technometrics 6(2), 191-195.

    >>> float(largest_gap(np.array([1.0, 1.0]), np.array([2.0, 0.0])))
    0.5
    """
    return np.abs(shares(current) - shares(reference)).max(axis=-1)
'''

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """A package ``elsewhere`` with one module and one entry point, on the path for one test."""
    before = dict(registry._REGISTRY)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(code: str, entry: str) -> None:
        (tmp_path / "elsewhere.py").write_text(code, encoding="utf-8")
        info = tmp_path / "elsewhere-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\nlargest_gap = {entry}\n", encoding="utf-8")
        statistics.cache_clear()

    yield write
    sys.modules.pop("elsewhere", None)
    registry._REGISTRY.clear()
    registry._REGISTRY.update(before)
    statistics.cache_clear()


@pytest.mark.parametrize("entry", ["elsewhere", "elsewhere:largest_gap"], ids=["a module", "a function"])
def test_a_statistic_of_an_installed_package_is_found_and_held_to_the_same_promises(
    install: Install, entry: str
) -> None:
    install(SOUND, entry)
    found = statistics()
    assert len(found) == 27
    assert list(found) == sorted(found)
    conforms(found["largest_gap"])


@pytest.mark.parametrize(
    ("code", "entry", "said"),
    [
        ("import nowhere_at_all", "elsewhere", "ModuleNotFoundError"),
        ("1 / 0", "elsewhere", "ZeroDivisionError"),
        (SOUND, "elsewhere:smallest_gap", "AttributeError"),
        ("x = 1", "elsewhere", "registers nothing"),
        ("def largest_gap(current, reference): ...", "elsewhere:largest_gap", "registers nothing"),
        (SOUND.replace("def largest_gap", "def psi"), "elsewhere", "two statistics are called 'psi'"),
    ],
    ids=["import", "code", "name", "empty", "undecorated", "name taken"],
)
def test_a_broken_entry_point_is_an_error_that_names_it(install: Install, code: str, entry: str, said: str) -> None:
    install(code, entry)
    with pytest.raises(MonitorError) as caught:
        statistics()
    for word in ("'largest_gap'", "of elsewhere", said, entry):
        assert word in str(caught.value), str(caught.value)


def test_a_name_that_was_taken_from_ours_stays_ours(install: Install) -> None:
    install(SOUND.replace("def largest_gap", "def psi"), "elsewhere")
    with pytest.raises(MonitorError):
        statistics()
    assert registry._REGISTRY["psi"].score.__module__ == "tidegate_monitors.statistics.psi"
