"""The README's commands and Python run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import ROOT, TIDEGATE, Demo

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_every_command_of_the_readme_does_what_it_says(demo: Demo) -> None:
    environment = os.environ | {"PATH": f"{TIDEGATE.parent}{os.pathsep}{os.environ['PATH']}"}
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) >= 8
    for command in commands:
        if command.startswith(("make", "git", "pip", "tidegate demo")):
            continue  # the demo was told by the fixture; setting up is what CI does
        line, _, comment = command.partition("  # exits ")
        expected = int(comment or 0)
        done = subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=demo.folder.parent,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, (command, done.stdout, done.stderr)


def test_the_python_of_the_readme_runs(demo: Demo) -> None:
    for block in blocks("python"):
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=demo.folder.parent, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (block, done.stderr)


def test_every_link_and_command_named_in_the_readme_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if "://" not in target:
            assert (ROOT / target).exists(), target
    for command in set(re.findall(r"`tidegate ([a-z]+)(?: ([a-z]+))?", TEXT)):
        words = [word for word in command if word]
        done = subprocess.run([str(TIDEGATE), *words, "--help"], capture_output=True, text=True, check=False)
        if done.returncode:
            done = subprocess.run([str(TIDEGATE), words[0], "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, shlex.join(words)


def test_the_contract_shown_is_the_contract_that_runs() -> None:
    """The README shows a part of the demo's contract; each of its lines stands in the file."""
    from tidegate_flows.demo import data

    file = Path(data.__file__).with_name("flights.py").read_text(encoding="utf-8")
    shown = blocks("python")[0]
    for line in shown.splitlines():
        if line.strip() and not line.lstrip().startswith(("#", "...")):
            assert line.strip() in file, line
