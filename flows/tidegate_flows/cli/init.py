"""``init``: lay out a small project to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate_flows.cli import tables
from tidegate_flows.cli.exits import say
from tidegate_flows.cli.options import Json, emit

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_FILES = {
    "README.md": "README.md.template",
    "pyproject.toml": "pyproject.toml.template",
    ".gitignore": "gitignore.template",
    "contracts/example.py": "example.py.template",
    "data/2026-03-02.csv": "2026-03-02.csv",
    "data/2026-03-03.csv": "2026-03-03.csv",
}
"""Where each file of the starter goes."""
_NEXT = (
    "tidegate check contracts/example.py data/2026-03-02.csv",
    "tidegate gate contracts/example.py data/2026-03-02.csv data/2026-03-03.csv",
    "tidegate quarantine show orders 2026-03-03",
)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder; it is made if it is not there.")],
    as_json: Json = False,
) -> None:
    """Lay out a contract, a batch that keeps it and one that does not; no file is ever overwritten."""
    from tidegate_contracts.errors import StoreError

    _refuse_collisions(folder)
    try:
        for name, template in _FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write((_starter() / template).read_bytes())
    except OSError as error:
        raise StoreError(f"{error.filename or folder} cannot be written", found=error.strerror) from error
    if as_json:
        emit({"format": 1, "folder": str(folder), "files": list(_FILES), "next": list(_NEXT)})
        return
    for name in _FILES:
        tables.line(folder / name)
    say("next:")
    for command in (*(() if folder.absolute() == Path.cwd() else (f"cd {folder}",)), *_NEXT):
        say(f"  {command}")


def _refuse_collisions(folder: Path) -> None:
    """Nothing is written unless everything can be.

    Raises:
        UsageError: A file is there already, or something that is no folder is in the way of one.
    """
    from tidegate_contracts.errors import UsageError

    places = [folder / name for name in _FILES]
    there = [path for path in places if path.exists() or path.is_symlink()]
    parents = dict.fromkeys(parent for path in places for parent in (path.parent, folder))
    there += [parent for parent in parents if parent.exists() and not parent.is_dir()]
    if there:
        raise UsageError(
            f"{folder} holds files that init would write",
            found=", ".join(map(str, there)),
            allowed="a folder without them; other files may be there",
            hint="nothing was written; name another folder, or move these away",
        )


def _starter() -> Traversable:
    from importlib.resources import files

    return files("tidegate_flows") / "starter"
