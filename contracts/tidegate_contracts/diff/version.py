"""Versions of a contract, by semantic versioning (https://semver.org, 2.0.0)."""

from __future__ import annotations

from typing import Any

from tidegate_contracts.diff.change import Bump


def numbers(version: str) -> tuple[int, int, int]:
    """The three numbers of a version, without what follows them.

    >>> numbers("1.2.3-rc.1+build")
    (1, 2, 3)
    """
    core = version.partition("+")[0].partition("-")[0]
    major, minor, patch = (int(part) for part in core.split("."))
    return major, minor, patch


def precedence(version: str) -> tuple[Any, ...]:
    """A key that orders versions: a pre-release comes before its release, and what was built makes no difference.

    >>> precedence("1.0.0-rc.2") < precedence("1.0.0-rc.10") < precedence("1.0.0") == precedence("1.0.0+linux")
    True
    """
    before = version.partition("+")[0].partition("-")[2]
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".")] if before else []
    return (*numbers(version), not before, parts)


def raised(version: str, bump: Bump) -> str:
    """The next version. Before 1.0.0 the minor number takes the part of the major one, and the patch all other parts.

    >>> raised("1.4.2", Bump.MAJOR), raised("1.4.2", Bump.MINOR), raised("1.4.2", Bump.PATCH)
    ('2.0.0', '1.5.0', '1.4.3')
    >>> raised("0.4.2", Bump.MAJOR), raised("0.4.2", Bump.MINOR)
    ('0.5.0', '0.4.3')
    """
    major, minor, patch = numbers(version)
    if major == 0:
        return f"0.{minor + 1}.0" if bump is Bump.MAJOR else f"0.{minor}.{patch + 1}"
    match bump:
        case Bump.MAJOR:
            return f"{major + 1}.0.0"
        case Bump.MINOR:
            return f"{major}.{minor + 1}.0"
        case _:
            return f"{major}.{minor}.{patch + 1}"


def tells(old: str, new: str, bump: Bump) -> bool:
    """Whether a new version tells its readers of a change: higher, and for a major one in the leading number.

    >>> tells("1.4.2", "1.5.0", Bump.MAJOR), tells("1.4.2", "2.0.0", Bump.MAJOR), tells("0.4.2", "0.5.0", Bump.MAJOR)
    (False, True, True)
    """
    if bump is not Bump.MAJOR:
        return precedence(new) > precedence(old)
    return numbers(new)[: 1 if numbers(old)[0] else 2] > numbers(old)[: 1 if numbers(old)[0] else 2]
