"""The names that OpenLineage knows places by: a namespace and a name, never with a user or password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tidegate_flows.intake import Query
from tidegate_flows.url import is_url, path_of, unsigned

_SAME = {"s3a": "s3", "gcs": "gs", "abfs": "abfss", "postgresql": "postgres"}
_OBJECTS = ("s3", "gs")
_AZURE = ("abfss", "az")


@dataclass(frozen=True, slots=True)
class Named:
    """A place.

    Attributes:
        namespace: Of the system that it lies in, such as ``s3://lake``; ``file`` for this host's own files.
        name: Within it.
    """

    namespace: str
    name: str


def of_delivery(delivery: Any, dataset: str, namespace: str) -> Named:
    """What came.

    Args:
        delivery: A path, a URL, a query or a frame.
        dataset: The contract's name, which a frame is named after: nobody knows where it came from.
        namespace: Of the job.
    """
    if isinstance(delivery, Query):
        return of_query(delivery)
    if isinstance(delivery, str) and is_url(delivery):
        return of_url(delivery)
    if isinstance(delivery, str | Path):
        return of_folder(Path(delivery))
    return Named(namespace, f"{dataset}.frame")


def of_folder(path: Path) -> Named:
    """A file or folder of this host."""
    return Named("file", str(path.absolute()))


def of_url(url: str) -> Named:
    """What lies behind a URL."""
    if url.lower().startswith("file://"):
        return of_folder(path_of(url))
    parts = urlsplit(unsigned(url))
    protocol, path = _SAME.get(parts.scheme.lower(), parts.scheme.lower()), unquote(parts.path)
    host = parts.netloc.rpartition("@")[2]
    if protocol in _AZURE and parts.username and parts.password is None:
        host = f"{parts.username}@{host}"  # the container, which is no user
    return Named(f"{protocol}://{host}", path.strip("/") if protocol in (*_OBJECTS, *_AZURE) else path or "/")


def of_query(query: Query) -> Named:
    """A table of a database; a query is named by the database alone: its words may hold values."""
    from sqlalchemy.engine import make_url

    url = make_url(query.url)
    kind = url.get_backend_name()
    if kind == "sqlite":
        return of_folder(Path(url.database or ""))
    host = f"{_SAME.get(kind, kind)}://{url.host or 'localhost'}:{url.port or 5432}"
    table = query.statement.strip()
    if not table.replace(".", "").replace("_", "").isalnum():
        return Named(host, url.database or "")
    return Named(host, f"{url.database}.{table if '.' in table else f'public.{table}'}")
