"""Where things are: options over ``TIDEGATE_*`` over ``[tool.tidegate]`` in a pyproject.toml over defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate_contracts.errors import UsageError

LEAST_LEASE = 60.0
"""Seconds that a claimed batch is left to its worker at least, where nobody says how many."""
LEARNT_LEASE = f"twice the longest recent run, at least {LEAST_LEASE:g}, at most 3600"
DEFAULTS: Mapping[str, str] = {"store": ".tidegate", "ledger": "", "lease": LEARNT_LEASE, "publish": ""}


@dataclass(frozen=True, slots=True)
class Setting:
    """One value and where it came from.

    Attributes:
        value: The value, as text.
        origin: ``option``, the environment variable, the pyproject.toml, or ``default``.
    """

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their origins.

    Attributes:
        store: The folder that holds files and, by default, the ledger.
        ledger: The ledger's URL; empty means ``ledger.db`` in the store.
        lease: Seconds after which a claimed batch may be taken over; by default twice the dataset's longest recent
            run, at least 60 and at most 3600.
        publish: The URL that published files are put to as well; empty means that they stay in the store.
    """

    store: Setting
    ledger: Setting
    lease: Setting
    publish: Setting

    @property
    def learns_lease(self) -> bool:
        """Whether nobody has set the lease, so that it follows how long runs take."""
        return self.lease.origin == "default"

    @property
    def lease_seconds(self) -> float:
        """The lease in seconds, at least 1; the least one, where it is learnt."""
        if self.learns_lease:
            return LEAST_LEASE
        try:
            seconds = float(self.lease.value)
        except ValueError:
            seconds = 0.0
        if not 1 <= seconds <= 86_400:
            raise UsageError(f"lease ({self.lease.origin})", found=repr(self.lease.value), allowed="1 to 86400 seconds")
        return seconds


def resolve(*, store: str | Path | None = None, ledger: str | None = None, folder: Path | None = None) -> Settings:
    """The settings in force for a process that works in ``folder`` (default: the current one)."""
    options = {"store": None if store is None else str(store), "ledger": ledger}
    project, path = _project(folder or Path.cwd())
    found = {}
    for name, default in DEFAULTS.items():
        option, variable = options.get(name), f"TIDEGATE_{name.upper()}"
        if option is not None:
            found[name] = Setting(option, "option")
        elif os.environ.get(variable):
            found[name] = Setting(os.environ[variable], variable)
        elif name in project:
            found[name] = Setting(str(project[name]), str(path))
        else:
            found[name] = Setting(default, "default")
    return Settings(**found)


def _project(folder: Path) -> tuple[Mapping[str, object], Path | None]:
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            try:
                table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("tidegate", {})
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise UsageError(f"{path} cannot be read", found=str(error)) from error
            unknown = table.keys() - DEFAULTS.keys()
            if unknown:
                raise UsageError(
                    f"[tool.tidegate] in {path}", found=", ".join(sorted(unknown)), allowed=", ".join(DEFAULTS)
                )
            return table, path
    return {}, None
