"""The machine: its disk, its limits, its clock and its words."""

from __future__ import annotations

import locale
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tidegate_flows.doctor.examined import Examined, State

_MIB = 1 << 20
_LITTLE, _TOO_LITTLE = 1024 * _MIB, 64 * _MIB
_FEW, _TOO_FEW = 10_000, 100
_FILES, _TOO_FEW_FILES = 1024, 128
_YEARS = range(2026, 2100)
_ZONE = "Europe/Berlin"  # any that a contract may name


def _open_files() -> int:
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


@dataclass(frozen=True, slots=True)
class Facts:
    """What the system says of itself.

    Attributes:
        disk: ``os.statvfs`` of where the store is, or will be.
        files: The most files that a process may have open.
        now: The time by its clock.
        zone: The value of ``TZ``; None where it is not set.
        encodings: By what it is of.
    """

    disk: Any
    files: int = field(default_factory=_open_files)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    zone: str | None = field(default_factory=lambda: os.environ.get("TZ"))
    encodings: tuple[tuple[str, str], ...] = field(
        default_factory=lambda: (
            ("file names", sys.getfilesystemencoding()),
            ("files", locale.getpreferredencoding(False)),
            ("stdout", sys.stdout.encoding or "none"),
        )
    )

    @classmethod
    def of(cls, folder: Path) -> Facts:
        """Those of this process, and of the disk that a folder lies on, or will."""
        there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        return cls(os.statvfs(there))


def examine(folder: Path, facts: Facts | None = None) -> Iterator[Examined]:
    """Look at the machine.

    Args:
        folder: Where the store is, or will be.
        facts: What the system says; None for this one.
    """
    known = facts or Facts.of(folder)
    yield from _disk(known.disk)
    yield _counted("open files", known.files, _FILES, _TOO_FEW_FILES, "ulimit -n 4096, or LimitNOFILE= of the service")
    plausible = known.now.year in _YEARS
    yield Examined(
        "clock",
        "ok" if plausible else "no",
        f"{known.now:%Y-%m-%d %H:%M:%S} UTC",
        None if plausible else "set the machine's clock (timedatectl set-ntp true): ages and leases go by it",
    )
    yield _zone(known.zone)
    yield _encoding(known.encodings)


def _disk(disk: Any) -> Iterator[Examined]:
    free = disk.f_bavail * disk.f_frsize
    hint = "make room where the store is: staged, published and quarantined files lie there"
    state: State = "no" if free < _TOO_LITTLE else "warning" if free < _LITTLE else "ok"
    if disk.f_blocks:
        yield Examined("disk space", state, f"{free // _MIB} MiB free", None if state == "ok" else hint)
    else:
        yield Examined("disk space", "ok", "not counted by this file system")
    if disk.f_files:
        yield _counted("disk inodes", disk.f_favail, _FEW, _TOO_FEW, "remove small files where the store is")
    else:
        yield Examined("disk inodes", "ok", "not limited by this file system")


def _counted(what: str, number: int, few: int, too_few: int, hint: str) -> Examined:
    state: State = "no" if number < too_few else "warning" if number < few else "ok"
    shown = "no limit" if number == sys.maxsize else str(number)
    return Examined(what, state, shown, None if state == "ok" else f"at least {few}: {hint}")


def _zone(named: str | None) -> Examined:
    try:
        ZoneInfo(_ZONE)
    except KeyError:
        return Examined("time zone", "no", "no time zones are known here", "pip install tzdata, or the system's tzdata")
    if named:
        try:
            ZoneInfo(named.removeprefix(":"))
        except (KeyError, ValueError, OSError):
            return Examined(
                "time zone", "warning", f"TZ={named} is no known zone", "TZ=UTC, or a name as Europe/Berlin"
            )
    return Examined("time zone", "ok", f"{named or '/'.join(dict.fromkeys(time.tzname))}; the ledger is in UTC")


def _encoding(encodings: tuple[tuple[str, str], ...]) -> Examined:
    wrong = [f"{what}: {name}" for what, name in encodings if name.lower().replace("-", "").replace("_", "") != "utf8"]
    if not wrong:
        return Examined("encoding", "ok", "utf-8")
    return Examined("encoding", "warning", ", ".join(wrong), "LC_ALL=C.UTF-8 or PYTHONUTF8=1 in the environment")
