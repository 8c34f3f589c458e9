"""The token that whoever acts on the status page must know."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate_contracts.errors import UsageError

VARIABLE = "TIDEGATE_TOKEN"
_LENGTH_MINIMUM = 16
_BYTES_MAXIMUM = 4096


@dataclass(frozen=True, slots=True)
class ActionToken:
    """A token and where it came from.

    Attributes:
        value: The token; never shown in messages or logs, but once if it was made for this process alone.
        origin: Its file, the environment variable, or ``new``.
        made: Whether it did not exist before.
    """

    value: str
    origin: str
    made: bool = False

    def __repr__(self) -> str:
        """Without the token."""
        return f"ActionToken(origin={self.origin!r}, made={self.made})"


def action_token(file: Path | None, environment: Mapping[str, str] = os.environ) -> ActionToken:
    """The token in a file, which is made if it is not there; else of the environment; else a new one.

    Raises:
        UsageError: The file can be neither read nor made, others may read it, or the token is too short.
    """
    if file is not None:
        return _of_file(file)
    if environment.get(VARIABLE):
        return ActionToken(_checked(environment[VARIABLE], VARIABLE), VARIABLE)
    return ActionToken(secrets.token_urlsafe(32), "new", made=True)


def _of_file(file: Path) -> ActionToken:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return ActionToken(_checked(_read(file), str(file)), str(file))
    except OSError as error:
        raise UsageError(f"the token's file {file} cannot be made", found=error.strerror) from error
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(f"{token}\n")
    return ActionToken(token, str(file), made=True)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as source:
            content, mode = source.read(_BYTES_MAXIMUM), os.fstat(source.fileno()).st_mode
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(f"the token's file {file} cannot be read", found=reason) from error
    if mode & 0o007:
        raise UsageError(f"everybody can read the token's file {file}", hint=f"chmod 600 {file}")
    return text


def _checked(text: str, origin: str) -> str:
    token = text.strip()
    if len(token) < _LENGTH_MINIMUM or not token.isprintable() or not token.isascii():
        raise UsageError(
            f"the token of {origin}",
            found=f"{len(token)} characters",
            allowed=f"at least {_LENGTH_MINIMUM} visible ASCII characters",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return token
