"""All metrics once: for the node exporter's textfile collector, or for a look."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from tidegate_contracts.errors import StoreError
from tidegate_flows.exporter import Exporter
from tidegate_flows.exposition import Pages
from tidegate_flows.settings import Settings
from tidegate_flows.stores.local import replace_durably
from tidegate_monitors.metrics import health

_MODE = 0o644
"""The node exporter is another user than whoever writes."""


def write_textfile(settings: Settings, path: Path) -> None:
    """Write all metrics to a file for the node exporter's textfile collector, by one rename; everybody may read it.

    Raises:
        UsageError: There is no store.
        StoreError: The ledger cannot be read, or the file not be written.
    """
    text = once(settings)
    try:
        replace_durably(path, text, _MODE)
    except OSError as error:
        raise StoreError(
            f"the textfile {path} cannot be written",
            found=error.strerror or str(error),
            hint="name a file in a folder that is there and can be written",
        ) from error


def once(settings: Settings) -> bytes:
    """The page in the classic text format; a page that says only "ledger down" is for scrapes.

    Raises:
        UsageError: There is no store.
        StoreError: The ledger cannot be read.
    """
    started = perf_counter()
    found = Exporter(settings).of_ledger()
    return Pages().page([*found, *health(up=True, seconds=perf_counter() - started)])[0]
