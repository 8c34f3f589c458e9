"""The signals of what a delivery depends on: markers and manifests that lie beside it, in a folder or behind a URL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from tidegate_contracts.contract import Contract
from tidegate_contracts.errors import StoreError, UsageError
from tidegate_contracts.upstream import Upstream
from tidegate_flows.intake.regular import opened_anywhere
from tidegate_flows.url import file_system, is_url, masked, path_of

Answers = Mapping[str, int | str | None]

NOBODY: Answers = MappingProxyType({})
"""No upstream is asked."""

_MANIFEST_BYTES_MAXIMUM = 1 << 20


class Folder(Protocol):
    """Where a delivery lies."""

    def has(self, name: str) -> bool:
        """Whether something of this name is there."""

    def read(self, name: str) -> bytes:
        """The beginning of a file: as much as a manifest may have, and a byte more."""


def ask_upstream(contract: Contract, delivery: Any, batch: str) -> Answers:
    """Look at the markers and manifests that lie beside a delivery.

    Args:
        contract: Says which.
        delivery: The path or URL that was given, or a frame. In a folder of part files the signals lie within.
        batch: The batch's id, for ``{batch}`` in their names.

    Raises:
        UsageError: The delivery has no folder to look in; silence would read as ready.
        StoreError: A signal cannot be read.
    """
    signalling = [item for item in contract.upstream if item.has_signal]
    if not signalling:
        return NOBODY
    if not isinstance(delivery, str | Path):
        raise UsageError(
            f"contract {contract.name!r} waits for {signalling[0].name!r}, whose signal lies beside the delivery",
            found="a delivery without a folder",
            allowed="the path or URL of a file",
            hint="write the rows to a file beside its marker or manifest, and give its path",
        )
    text = str(delivery)
    local = Path(delivery) if not is_url(text) else path_of(text) if text.lower().startswith("file://") else None
    folder = _Local.of(local) if local is not None else _Remote.of(text)
    return MappingProxyType({item.name: _answer(item, folder, batch) for item in signalling})


def waiting(contract: Contract, findings: Any) -> Answers:
    """What upstream answered when a batch arrived, from the findings of that time: its bytes are still the same."""
    told = "it was not when the batch arrived; gate the delivery again once it is, or release the batch"
    refused = [item.rule for item in findings if item.check == "incomplete_upstream"]
    names = sorted((item.name for item in contract.upstream), key=len, reverse=True)
    # a rule begins with its upstream's name; of "orders" and "orders eu" it means the longer, if it begins so
    meant = (next((name for name in names if rule.startswith(f"{name} ")), None) for rule in refused)
    return MappingProxyType({name: told for name in meant if name is not None})


def _answer(upstream: Upstream, folder: Folder, batch: str) -> int | str | None:
    """The rows that a manifest states, None where there is none, or why the upstream is not ready."""
    for kind, name in (("marker", upstream.marker), ("manifest", upstream.manifest)):
        if name is not None and not folder.has(name.replace("{batch}", batch)):
            return f"its {kind} {name.replace('{batch}', batch)} is not there"
    if upstream.manifest is None:
        return None
    name = upstream.manifest.replace("{batch}", batch)
    return _rows(Path(name).name, folder.read(name), upstream.rows)


def _rows(name: str, content: bytes, key: str) -> int | str:
    try:
        manifest = json.loads(content) if len(content) <= _MANIFEST_BYTES_MAXIMUM else None
    except (ValueError, RecursionError):  # half-written, or not meant as one
        return f"its manifest {name} is no JSON"
    rows = manifest.get(key) if isinstance(manifest, dict) else None
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
        return f"its manifest {name} states no number of rows under {key!r}"
    return rows


@dataclass(frozen=True, slots=True)
class _Local:
    path: Path

    @classmethod
    def of(cls, delivery: Path) -> _Local:
        return cls(delivery if delivery.is_dir() else delivery.parent)

    def has(self, name: str) -> bool:
        try:
            return (self.path / name).exists()
        except (OSError, ValueError) as error:
            raise StoreError(f"{Path(name).name} cannot be looked for", found=str(error)) from error

    def read(self, name: str) -> bytes:
        try:
            with opened_anywhere(self.path / name) as file:
                return file.read(_MANIFEST_BYTES_MAXIMUM + 1)
        except OSError as error:
            raise StoreError(f"the manifest {Path(name).name} cannot be read", found=error.strerror) from error


@dataclass(frozen=True, slots=True)
class _Remote:
    system: Any
    path: str
    url: str

    @classmethod
    def of(cls, delivery: str) -> _Remote:
        system, path = file_system(delivery)
        if "://" in path:  # of HTTP alone: a query says nothing of what lies beside
            path = re.split(r"[?#]", path, maxsplit=1)[0]
        try:
            within = system.isdir(path)
        except Exception as error:  # noqa: BLE001 - every file system has its own, and their words may hold a password
            raise _unreadable(masked(delivery), error) from None
        return cls(system, path if within else path.rpartition("/")[0], masked(delivery))

    def has(self, name: str) -> bool:
        try:
            return bool(self.system.exists(f"{self.path}/{name}"))
        except Exception as error:  # noqa: BLE001 - as above
            raise _unreadable(f"{name} beside {self.url}", error) from None

    def read(self, name: str) -> bytes:
        try:
            with self.system.open(f"{self.path}/{name}", "rb") as file:
                return bytes(file.read(_MANIFEST_BYTES_MAXIMUM + 1))
        except Exception as error:  # noqa: BLE001 - as above
            raise _unreadable(f"{name} beside {self.url}", error) from None


def _unreadable(what: str, error: Exception) -> StoreError:
    return StoreError(f"{what} cannot be read", found=type(error).__name__)
