"""The shape of the house: one direction, no cycles, names, the public face, and the wheel."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import grimp
import pytest

import tidegate

ROOT = Path(__file__).parents[1]
PACKAGES = ("tidegate", "tidegate_flows", "tidegate_monitors", "tidegate_contracts")


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = grimp.build_graph(*PACKAGES)
    for module in sorted(graph.modules):
        for imported in graph.find_modules_directly_imported_by(module):
            # a registry is a package that finds its own files; its files import it, never each other's registry
            chain = graph.find_shortest_chain(imported, module)
            assert chain is None, f"{module} → {' → '.join(chain)}"


def test_rooms_import_in_one_direction() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_public_face_names_what_type_checkers_see_and_imports_nothing_until_asked() -> None:
    tree = ast.parse(Path(tidegate.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == tidegate._HOMES
    assert list(tidegate.__all__) == sorted(seen)
    for name in tidegate.__all__:
        assert getattr(tidegate, name) is not None
    program = "import sys, tidegate; sys.exit(bool({'pandas', 'pandera', 'prefect', 'numpy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_gate_imports_neither_prefect_nor_evidently_nor_great_expectations() -> None:
    program = (
        "import sys, tidegate as tg; tg.gate, tg.check, tg.join_labels;"
        "sys.exit(bool({'prefect', 'evidently', 'great_expectations'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_cap_on_a_dependency_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    dev = block[block.index("dev = [") : block.index("\n]", block.index("dev = ["))]
    for line in block.replace(dev, "").splitlines():
        if re.search(r'"[a-z-]+(\[[a-z]+\])?[<>=]', line):
            assert "#" in line, line


def test_constraints_name_no_host_and_fit_the_ranges() -> None:
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert not [line for line in lines if "://" in line or "@" in line]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lower = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    for text in [*project["dependencies"], *(item for extra in extras for item in extra)]:
        requirement = Requirement(text)
        if requirement.name != "tidegate":
            version = lower[requirement.name.lower().replace("_", "-")]
            assert requirement.specifier.contains(version), text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_the_wheel_holds_only_our_four_packages_with_their_types(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert top == set(PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)


def test_the_wheel_lives_beside_a_users_own_flows_and_contracts(wheel: Path, tmp_path: Path) -> None:
    site, project = tmp_path / "site", tmp_path / "project"
    zipfile.ZipFile(wheel).extractall(site)
    for folder, word in (("flows", "etl"), ("contracts", "orders")):
        (project / folder).mkdir(parents=True)
        (project / folder / "__init__.py").touch()
        (project / folder / f"{word}.py").write_text(f"NAME = {word!r}\n")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import flows.etl, contracts.orders, tidegate, tidegate_flows.gate, tidegate_contracts.contract\n"
        "assert flows.etl.NAME == 'etl' and contracts.orders.NAME == 'orders'\n"
        "assert tidegate.__file__.startswith(sys.argv[1]), tidegate.__file__\n"
        "assert tidegate.Contract is tidegate_contracts.contract.Contract\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(site)], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_docstring_examples_hold() -> None:
    modules = [
        str(path)
        for folder in ("contracts", "monitors", "flows")
        for path in (ROOT / folder).rglob("*.py")
        if ">>>" in path.read_text(encoding="utf-8")
    ]
    assert len(modules) >= 8
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--doctest-modules", "-q", "-p", "no:cacheprovider", *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
