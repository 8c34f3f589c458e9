"""A ledger that is gone: its store's files are still there, and nobody knows any more what was decided."""

from __future__ import annotations

from pathlib import Path

from tidegate_contracts.errors import StoreError

_KINDS = ("published/*.parquet", "quarantine/*/manifest.json", "references/*.json")


def require_known(root: Path) -> None:
    """Refuse a folder with batches of a ledger that is not in it any more: a new one would begin with nothing decided.

    Raises:
        StoreError: It is such a folder.
    """
    if (root / "ledger.db").exists() or not root.is_dir():
        return
    left = next((path for kind in _KINDS for path in root.glob(f"*/{kind}")), None)
    if left is not None:
        raise StoreError(
            "this store has lost its ledger",
            found=f"{left.relative_to(root)}, and no ledger.db",
            hint="restore ledger.db from a copy (docs/ledger.md, Back-ups), then run tidegate recover; "
            "without a copy begin a new store in another folder",
        )
