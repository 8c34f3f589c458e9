"""What is secret in a text that leaves for logs, traces and other programs, left out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

HIDDEN = "***"
_LEAST = 3
"""A password of fewer characters is in every other word; it is left out of URLs all the same."""
_USER = re.compile(r"(?<=://)(?:[^/:\s'\"]*:[^\s'\"]*|[^/\s'\"]*)@")
"""Up to the last @: a password may have any character in it, and is told by the colon before it."""
_TELLING = r"(?:passw|pwd|secret|token|sig|credential|api_?key|accesskey)"
_QUERY = re.compile(rf"(?i)(?<=[?&;])([^=&;\s'\"]*{_TELLING}[^=&;\s'\"]*=)[^&;\s'\"]+")
_NAMED = re.compile(r"(?i)\b((?:ssl)?password|passwd|pwd)\s*=\s*(?:'[^']*'|\"[^\"]*\"|[^\s&;,'\"]+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_WHOLE = re.compile(r"(?i)(PASSWORD|SECRET|TOKEN|API_?KEY)$")
_OURS = ("TIDEGATE_", "PREFECT_", "OPENLINEAGE")
_NOT_SECRET = ("TIDEGATE_TOKEN_FILE",)


class Mask:
    """Leaves out users and passwords of URLs, secrets in their queries, and secrets that are known by their value.

    Args:
        secrets: Values that are left out wherever they stand.
    """

    def __init__(self, secrets: frozenset[str] = frozenset()) -> None:
        forms = {form for item in secrets for form in (item, quote(item, safe=""), unquote(item))}
        self._secrets = sorted((form for form in forms if len(form) >= _LEAST), key=len, reverse=True)

    @classmethod
    def of_environment(cls, *urls: str, environment: Mapping[str, str] | None = None) -> Mask:
        """A mask that knows the passwords of all URLs in the environment, and of others.

        Args:
            urls: Other URLs, such as that of an option.
            environment: The environment; None for the process's own.
        """
        variables = os.environ if environment is None else environment
        ours = {name: value for name, value in variables.items() if name.startswith(_OURS)}
        secrets = {value for name, value in ours.items() if _WHOLE.search(name) and name not in _NOT_SECRET}
        return cls(frozenset(secrets).union(*(secrets_of(text) for text in (*ours.values(), *urls))))

    def __call__(self, text: str) -> str:
        """The text without them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _QUERY.sub(rf"\1{HIDDEN}", _USER.sub("…@", text))
        return _BEARER.sub(rf"\1 {HIDDEN}", _NAMED.sub(rf"\1={HIDDEN}", text))


def secrets_of(url: str) -> frozenset[str]:
    """The passwords in a URL, and in its query; none without one.

    A database's URL may have a ``/``, ``#`` or ``?`` in its password, where others end: both readings count.
    """
    if "://" not in url:
        return frozenset()
    query = parse_qsl(url.partition("?")[2])
    found = [value for name, value in query if re.search(_TELLING, name, re.IGNORECASE)]
    return frozenset(item for item in (*found, _of_place(url), _of_database(url)) if item)


def _of_place(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None


def _of_database(url: str) -> str | None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).password
    except (ArgumentError, ValueError):
        return None
