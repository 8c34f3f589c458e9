"""The settings in force, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate_contracts.errors import TidegateError
from tidegate_flows.doctor.examined import Examined
from tidegate_flows.ledger.ledger import address_of, shown
from tidegate_flows.settings import Setting, Settings
from tidegate_flows.url import masked

_ELSE = {"ledger": "ledger.db in the store", "publish": "nowhere else: files stay in the store"}


def examine(chosen: Settings) -> Iterator[Examined]:
    """Look at each setting; none is shown with a password."""
    for name in ("store", "ledger", "lease", "publish"):
        setting: Setting = getattr(chosen, name)
        try:
            text = _shown(name, setting.value)
            if name == "lease":
                _ = chosen.lease_seconds
        except TidegateError as error:
            yield Examined(f"setting {name}", "no", f"{error.what} ({setting.origin})", error.hint or _allowed(error))
            continue
        yield Examined(f"setting {name}", "ok", f"{text} ({setting.origin})")


def _shown(name: str, value: str) -> str:
    if not value:
        return _ELSE[name]
    if name == "ledger":
        return shown(address_of(value))
    return masked(value)


def _allowed(error: TidegateError) -> str | None:
    return f"allowed: {error.allowed}" if error.allowed is not None else None
