"""Prometheus' own tools, in the tests of alert rules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tidegate_flows.alert_rules.alert import Alert

_PACKAGES = {"amtool": "prometheus-alertmanager", "promtool": "prometheus"}


def require(program: str) -> str:
    """The path of a real component; skips with its reason where it is not there, unless CI requires it."""
    found = shutil.which(program)
    if found is None:
        package = _PACKAGES.get(program, program)
        if os.environ.get("TIDEGATE_REQUIRE_ALL"):
            pytest.fail(f"{program} is required here and not installed")
        pytest.skip(f"{program} is not installed (Debian: apt-get install {package})")
    return found


def said_by(program: str, *arguments: str, folder: Path) -> tuple[int, str]:
    """What a tool ends with and says."""
    command = [require(program), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + done.stderr


def results(folder: Path, files: Iterable[str]) -> list[tuple[int, str]]:
    """``promtool test rules`` of several files, two at a time."""
    require("promtool")
    with ThreadPoolExecutor(2) as pool:
        return [*pool.map(lambda name: said_by("promtool", "test", "rules", name, folder=folder), files)]


_ON = re.compile(r"\b(on|group_left) \(([^()]*)\)")
_SAME = re.compile(
    r"or\n\s+max by \([^)]*\) \(last_over_time\([^\n]*\n?[^\n]*== 1"
    r"|clamp_min\(\n[\s\S]*?\), 0\n\s*\)"
)
_MEMORY_AND_STEPS = {"1h", "5m"}
_WINDOW = re.compile(r"(?:\[|offset )(\w+)")
_COMPARED = {">": (">=", "<"), ">=": (">", "<"), "==": ("!=",), "<": ("<=", ">")}
_SETS = {"unless": "and", "and": "unless", "or": "and"}
_UNITS = {"m": 1, "h": 60, "d": 1440}


def mutants(alert: Alert, *, wholly: bool) -> Iterator[tuple[str, Alert]]:
    """Each threshold, comparison, window, join, matcher and wait of an alert changed, one at a time.

    Args:
        alert: The alert.
        wholly: Also within what `known` and `growth` wrote, which is the same in all alerts.
    """
    for what, expr in _of_expression(alert.expr, wholly=wholly):
        yield what, replace(alert, expr=expr)
    if alert.wait:
        yield "no wait", replace(alert, wait="")
        yield "twice the wait", replace(alert, wait=_times(alert.wait, 2))
    if alert.keep:
        yield "not kept", replace(alert, keep="")
        yield "kept twice as long", replace(alert, keep=_times(alert.keep, 2))


def _of_expression(expr: str, *, wholly: bool) -> Iterator[tuple[str, str]]:
    bare = _blanked(expr)
    for length in sorted({found[1] for found in _WINDOW.finditer(bare)} - _MEMORY_AND_STEPS):
        for by in (2, 0.5):
            yield f"{length} × {by}", re.sub(rf"(\[|offset ){length}\b", rf"\g<1>{_times(length, by)}", expr)
    for found in sorted({found[0] for found in re.finditer(r'(?<=[{,])\w+[=~!]+"[^"]*"', expr)}):
        if "__name__" not in found:
            yield f"without {found}", expr.replace(found, "").replace("{,", "{").replace(",}", "}")
    if not wholly:
        bare = _SAME.sub(lambda same: re.sub(r"[^\n]", "_", same[0]), bare)
    for found in re.finditer(r"(?<=\s)(>=|==|>|<)(?=\s)", bare):
        yield from (_put(expr, found, other) for other in _COMPARED[found[0]])
    for found in re.finditer(r"(?<![\w.:\[(-])\d+(\.\d+)?(?![\w.:\]])", bare):
        number = float(found[0])
        yield from (_put(expr, found, repr(other)) for other in ((1.0,) if number == 0 else (number * 1.5, number / 2)))
    for found in re.finditer(r"(?<=\[)\w+|(?<=offset )\w+", bare):
        yield from (_put(expr, found, _times(found[0], factor)) for factor in (2, 0.5))
    for found in re.finditer(r"\b(unless|and|or)\b", bare):
        yield _put(expr, found, _SETS[found[0]])
    for found in _ON.finditer(bare):
        names = [name for name in found[2].split(", ") if name]
        for name in names:
            yield _put(expr, found, f"{found[1]} ({', '.join(other for other in names if other != name)})")


def _blanked(expr: str) -> str:
    """The expression with texts blanked, so that nothing in them is taken for an operator or a number."""
    return re.sub(r'"[^"]*"', lambda found: "_" * len(found[0]), expr)


def _put(expr: str, found: re.Match[str], other: str) -> tuple[str, str]:
    line = expr[: found.start()].count("\n") + 1
    return f"line {line}: {found[0]} → {other or 'nothing'}", expr[: found.start()] + other + expr[found.end() :]


def _times(duration: str, factor: float) -> str:
    return f"{int(int(duration[:-1]) * _UNITS[duration[-1]] * factor)}m"
