"""Which dataset, batch and run the work at hand is about, for whoever logs or traces it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_context: ContextVar[Mapping[str, str]] = ContextVar("tidegate_log_context", default=_NOTHING)


@contextmanager
def bound(**names: str) -> Iterator[None]:
    """Within the block more is known of what the work is about; what :func:`bind` adds is forgotten at its end."""
    with begun(**{**_context.get(), **names}):
        yield


@contextmanager
def begun(**names: str) -> Iterator[None]:
    """Like :func:`bound`, for work of its own: what was known before counts for nothing within the block."""
    token = _context.set(MappingProxyType(names))
    try:
        yield
    finally:
        _context.reset(token)


def bind(**names: str) -> None:
    """Know more, until the end of the block that :func:`bound` or :func:`begun` began."""
    _context.set(MappingProxyType({**_context.get(), **names}))


def current() -> Mapping[str, str]:
    """What is known: some of ``dataset``, ``batch`` and ``run``."""
    return _context.get()
