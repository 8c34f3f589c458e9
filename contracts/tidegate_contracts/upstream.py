"""What a batch depends on, and how one sees that it is ready."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate_contracts.errors import ContractError


@dataclass(frozen=True, slots=True)
class Upstream:
    """Something that must be finished before a batch may be judged.

    Paths are relative to the folder of the delivery, and ``{batch}`` in them stands for the batch's id.

    Attributes:
        name: What it is called.
        marker: A file that is there once it is finished, such as ``_SUCCESS``.
        manifest: A JSON file that says how many rows there should be.
        rows: The key of that number in the manifest.
    """

    name: str
    marker: str | None = None
    manifest: str | None = None
    rows: str = "rows"

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ContractError("upstream: name", found=repr(self.name), allowed="what it is called")
        for argument in ("marker", "manifest"):
            value = getattr(self, argument)
            if value is not None and (not isinstance(value, str) or not value):
                raise ContractError(f"upstream {self.name!r}: {argument}", found=repr(value), allowed="a file's path")
        if not isinstance(self.rows, str) or not self.rows:
            raise ContractError(f"upstream {self.name!r}: rows", found=repr(self.rows), allowed="a key of the manifest")

    @property
    def has_signal(self) -> bool:
        """Whether one can see that it is ready."""
        return self.marker is not None or self.manifest is not None
