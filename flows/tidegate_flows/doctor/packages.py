"""Python, and the packages that were run together."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from tidegate_flows.doctor.examined import Examined, State

_TRAPS = {
    "sqlalchemy": "with another one Prefect's scheduler silently never schedules",
    "fastapi": "with another one Prefect's server dies at its first run",
}
_LEAST = (3, 11)


def examine(
    version: Callable[[str], str] = version, python: tuple[int, ...] = tuple(sys.version_info[:3])
) -> Iterator[Examined]:
    """Look at Python, and at each package that we require.

    Args:
        version: Which version of a package is installed.
        python: The version of Python.
    """
    from packaging.requirements import Requirement

    fits = python >= _LEAST
    yield Examined(
        "python", "ok" if fits else "no", ".".join(map(str, python)), None if fits else "Python 3.11 or newer"
    )
    for text in requires("tidegate") or ():
        requirement = Requirement(text)
        extra = re.search(r"extra == ['\"](\w+)['\"]", text)
        if requirement.name == "tidegate" or (extra and extra[1] in ("dev", "all")):
            continue
        name = requirement.name + (f" (extra {extra[1]})" if extra else "")
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wanted = f"tidegate[{extra[1]}]" if extra else requirement.name
            yield Examined(name, "absent" if extra else "no", "not installed", f"pip install '{wanted}'")
            continue
        yield _held_against(name, requirement, found, "warning" if extra else "no")


def _held_against(name: str, requirement: object, found: str, otherwise: State) -> Examined:
    from packaging.requirements import Requirement

    assert isinstance(requirement, Requirement)  # noqa: S101 - imported late, because it is needed here only
    if requirement.specifier.contains(found, prereleases=True):
        return Examined(name, "ok", found)
    trap = _TRAPS.get(requirement.name.lower())
    hint = f"pip install '{requirement.name}{requirement.specifier}'"
    return Examined(name, otherwise, found, f"{hint}: {trap}" if trap else hint)
