"""One file, staged: copied and hashed in one pass."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import BinaryIO

from tidegate_contracts.batch import Source, batch_id
from tidegate_flows.intake.names import kept_suffix, natural_id, recorded
from tidegate_flows.intake.regular import opened
from tidegate_flows.intake.staged import Staged
from tidegate_flows.stores.local import copy_hashed, writing


def stage_file(path: Path, folder: Path, name: str | None) -> Staged:
    """Copy a regular file into a folder of the store.

    Raises:
        UsageError: There is none.
        StoreError: It cannot be read or copied.
    """
    with opened(path) as source:
        return stage_stream(source, path, folder, name)


def stage_stream(source: BinaryIO, path: PurePath, folder: Path, name: str | None) -> Staged:
    """Copy an open file that is called so into a folder of the store."""
    suffix = kept_suffix(path)
    target = folder / f"batch{suffix}"
    with writing(folder):
        digest, size = copy_hashed(source, target)
    identity = batch_id(name if name is not None else natural_id(path))
    return Staged(target, Source(recorded(path.name), suffix, digest, size), identity)
