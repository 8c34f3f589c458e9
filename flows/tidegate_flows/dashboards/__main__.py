"""``python -m tidegate_flows.dashboards DIR`` writes the dashboards."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from tidegate_contracts.errors import StoreError


def main(arguments: list[str]) -> int:
    """Write the files into a folder; 0, 2 for wrong use, or 3 where they cannot be written."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m tidegate_flows.dashboards DIR\n")
        return 2
    if find_spec("grafana_foundation_sdk") is None:
        sys.stderr.write("dashboards are built with another package: pip install 'tidegate[dashboards]'\n")
        return 2
    from tidegate_flows.dashboards.files import files
    from tidegate_flows.stores.local import replace_durably, writing

    folder = Path(arguments[0])
    try:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in files().items():
                replace_durably(folder / name, text.encode())
                sys.stdout.write(f"{folder / name}\n")
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
