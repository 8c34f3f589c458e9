"""The child that runs Evidently: ``python -m tidegate_flows.evidently_child FOLDER``; it goes to no network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

_WAYS_OUT = frozenset(
    {
        "socket.connect",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
        "urllib.Request",
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "pty.spawn",
    }
)


def close_ways_out() -> None:
    """Refuse Python's calls that reach another machine or begin another program, for the rest of this process.

    It keeps a library from what it does by habit; it is no cell for code that means to get out.
    """

    def refuse(event: str, _arguments: tuple[object, ...]) -> None:
        if event in _WAYS_OUT:
            raise PermissionError(f"{event} is refused here")

    sys.addaudithook(refuse)


def report(folder: Path) -> None:
    """Make ``page.html`` of ``current.parquet`` and, where it is there, ``reference.parquet``."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report  # type: ignore[import-untyped] # it ships no types
    from evidently.presets import DataDriftPreset, DataSummaryPreset  # type: ignore[import-untyped] # likewise

    kinds: dict[str, str] = json.loads((folder / "kinds.json").read_text(encoding="utf-8"))
    definition = DataDefinition(
        **{f"{kind}_columns": [n for n, k in kinds.items() if k == kind] for kind in sorted(set(kinds.values()))}
    )
    current = Dataset.from_pandas(pd.read_parquet(folder / "current.parquet"), definition)
    if (folder / "reference.parquet").is_file():
        reference = Dataset.from_pandas(pd.read_parquet(folder / "reference.parquet"), definition)
        made = Report([DataDriftPreset(), DataSummaryPreset()]).run(current, reference)
    else:
        made = Report([DataSummaryPreset()]).run(current, None)
    made.save_html(str(folder / "page.html"))


if __name__ == "__main__":
    close_ways_out()
    report(Path(sys.argv[1]))
