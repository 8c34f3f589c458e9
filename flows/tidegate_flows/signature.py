"""Who decides something by hand, and why: nobody signs with nothing."""

from __future__ import annotations

from tidegate_contracts.errors import UsageError

THE_GATE = "tidegate"
"""Who signs what is done without a person."""


def require_signature(by: str, reason: str) -> None:
    """Refuse a decision that names nobody or no reason.

    Raises:
        UsageError: One of them is blank, as ``--by "$USER"`` is where that variable is not set, or is no text.
    """
    if by.strip().lower() == THE_GATE:
        raise UsageError("--by", found=repr(by), allowed="a person", hint="what the gate does by itself is signed so")
    for option, value in (("--by", by), ("--reason", reason)):
        if not value.strip():
            raise UsageError(
                f"{option} says nothing",
                found=repr(value),
                allowed="--by WHO --reason WHY",
                hint="it stays in the audit",
            )
        try:
            value.encode()
        except UnicodeEncodeError:  # bytes of a command line that are no UTF-8 come as lone surrogates
            raise UsageError(f"{option} is no text", found=ascii(value), allowed="UTF-8") from None
