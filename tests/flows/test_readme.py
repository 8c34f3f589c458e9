"""The commands and the Python of the README and of every guide run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import ROOT, TIDEGATE, Demo

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]
README = ROOT / "README.md"
GUIDES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "flows" / "tidegate_flows" / "alert_rules" / "runbook.md"])
TEXT = README.read_text(encoding="utf-8")
WITHOUT_COMMANDS = ("intake", "pandera", "status")  # they explain, or run until they are stopped
documents = pytest.mark.parametrize("document", [README, *GUIDES], ids=lambda path: path.stem)


def blocks(document: Path, language: str) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def beside_the_demo(demo: Demo, tmp_path: Path) -> Path:
    """A folder of one's own with the demo in it, as a reader would have it."""
    shutil.copytree(demo.folder, tmp_path / demo.folder.name)
    return tmp_path


@pytest.mark.more
@documents
def test_every_command_does_what_it_says(document: Path, beside_the_demo: Path) -> None:
    environment = os.environ | {"PATH": f"{TIDEGATE.parent}{os.pathsep}{os.environ['PATH']}"}
    lines = [line for block in blocks(document, "console") for line in block.splitlines()]
    commands = [line[2:] for line in lines if line.startswith("$ ")]
    assert commands or document.stem in WITHOUT_COMMANDS
    for command in commands:
        if command.startswith(("make", "git", "pip", "tidegate demo")):
            continue  # the demo was told by the fixture; setting up is what CI does
        line, _, comment = command.partition("  # exits ")
        expected = int(comment or 0)
        done = subprocess.run(
            ["/bin/bash", "-c", line], cwd=beside_the_demo, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == expected, (command, done.stdout, done.stderr)


@documents
def test_the_python_runs(document: Path, beside_the_demo: Path) -> None:
    for block in blocks(document, "python"):
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=beside_the_demo, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (block, done.stderr)


def test_every_link_and_command_named_in_the_readme_exists() -> None:
    for document in (README, *GUIDES):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), target
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
    shown = blocks(README, "python")[0]
    for line in shown.splitlines():
        if line.strip() and not line.lstrip().startswith(("#", "...")):
            assert line.strip() in file, line
