"""The doctor: what a gate needs, whether it is there, and how to mend it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Literal

from tidegate_contracts.errors import TidegateError
from tidegate_flows.ledger.ledger import address_of, shown
from tidegate_flows.place import at
from tidegate_flows.settings import Settings


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at.

    Attributes:
        what: Its name.
        state: ``ok``; ``no`` where a gate cannot work so; ``absent`` where something optional is not there.
        found: What was found.
        hint: How to mend it.
    """

    what: str
    state: Literal["ok", "no", "absent"]
    found: str
    hint: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def examine(settings: Settings) -> Iterator[Examined]:
    """Look at Python, packages, settings and the store."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Examined("python", "ok" if sys.version_info >= (3, 11) else "no", python)
    yield from _packages()
    for name in ("store", "ledger", "lease"):
        setting = getattr(settings, name)
        text = setting.value or "ledger.db in the store"
        if name == "ledger" and setting.value:
            try:
                text = shown(address_of(setting.value))  # without its password
            except TidegateError as error:
                yield Examined("setting ledger", "no", error.what, error.hint)
                continue
        yield Examined(f"setting {name}", "ok", f"{text} ({setting.origin})")
    yield _store(settings)


def _packages() -> Iterator[Examined]:
    from packaging.requirements import Requirement

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
        fits = requirement.specifier.contains(found, prereleases=True)
        hint = None if fits else f"pip install '{requirement.name}{requirement.specifier}'"
        yield Examined(name, "ok" if fits else "no", found, hint)


def _store(settings: Settings) -> Examined:
    where = settings.store.value
    there = Path(where).is_dir() if settings.ledger.value else (Path(where) / "ledger.db").exists()
    if not there:
        return Examined("store", "absent", f"nothing at {where} yet", "the first gate or reference build makes it")
    try:
        with at(settings, must_exist=True):
            return Examined("store", "ok", where)
    except TidegateError as error:
        return Examined("store", "no", str(error), error.hint)
