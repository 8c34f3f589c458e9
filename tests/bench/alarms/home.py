"""Where the bench keeps what it does not commit: its environment, and what it made of the data sets."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[3]


def home() -> Path:
    """The bench's own virtual environment; ``TIDEGATE_BENCH_HOME`` names another place."""
    return Path(os.environ.get("TIDEGATE_BENCH_HOME", ROOT / ".venv-bench"))


def cache(*parts: str) -> Path:
    """A place in the bench's cache; its folder is made."""
    place = home().joinpath("cache", *parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def interpreter() -> Path:
    """The Python of the bench's own environment."""
    return home() / "bin" / "python"


def packaged(path: str) -> Path:
    """A file of a package in the bench's environment, by its path in site-packages; the package is not imported."""
    found = sorted(home().glob(f"lib/python3*/site-packages/{path}"))
    if not found:
        raise FileNotFoundError(f"{path} is not installed in {home()}: run `make bench-alarms`")
    return found[0]
