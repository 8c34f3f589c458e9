"""What all pages have in common: the place they read, their frame, and the headers they are sent with."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from tidegate_flows.answer_headers import HEADERS
from tidegate_flows.ledger_reader import PATIENCE
from tidegate_flows.pages.markup import NAME_MAXIMUM, TEXT_MAXIMUM, number, short
from tidegate_flows.pages.style import STYLE
from tidegate_flows.place import Place, at
from tidegate_flows.plain import plain
from tidegate_flows.settings import Settings
from tidegate_flows.status import when
from tidegate_flows.status.room import Room
from tidegate_flows.status.sessions import Session, Sessions
from tidegate_flows.version import VERSION

COOKIE = "tidegate_session"


@dataclass(frozen=True, slots=True)
class Site:
    """One status page.

    Attributes:
        settings: Where the store and the ledger are.
        sessions: Who may act; None where nobody may.
        clock: Where the time comes from; None for the ledger's.
        tls: Whether browsers reach it by HTTPS, through a proxy.
        reading: Room for pages that read the ledger.
        acting: Room for what is done by hand, which may take long.
    """

    settings: Settings
    sessions: Sessions | None = None
    clock: Callable[[], datetime] | None = None
    tls: bool = False
    reading: Room = field(default_factory=lambda: Room(8, 5.0))
    acting: Room = field(default_factory=lambda: Room(4, 10.0))

    @contextmanager
    def to_read(self) -> Iterator[Place]:
        """The place of work, open for a page, which nobody waits for long.

        Raises:
            UsageError: There is no store.
            StoreError: It cannot be opened in time.
        """
        with at(self.settings, clock=self.clock, read_only=True, patience=PATIENCE) as found:
            yield found

    @contextmanager
    def to_act(self) -> Iterator[Place]:
        """The place of work, open for what is done by hand, which may take its time.

        Raises:
            UsageError: There is no store.
            StoreError: It cannot be opened or written.
        """
        with at(self.settings, clock=self.clock, must_exist=True) as found:
            yield found

    def session(self, request: Request) -> Session | None:
        """Whose request it is, where it is somebody's who may act."""
        return self.sessions.find(request.cookies.get(COOKIE)) if self.sessions is not None else None

    def respond(self, request: Request, template: str, *, status: int = 200, **facts: object) -> Response:
        """A page.

        Args:
            request: What was asked.
            template: Which page.
            status: The status of HTTP.
            facts: What it tells.
        """
        session = self.session(request)
        frame = {
            "link": partial(link, request),
            "static": {name: f"{link(request, 'static', name)}?v={item.tag}" for name, item in statics().items()},
            "store": self.settings.store.value,
            "version": VERSION,
            "actions": self.sessions is not None,
            "session": session,
            "notices": _taken(session),
            "got": request.method in ("GET", "HEAD"),
        }
        text = _environment().get_template(template).render(frame | facts)
        return Response(text, status, dict(HEADERS), "text/html")


def link(request: Request, *parts: str) -> str:
    """The address of a page, every part of it encoded."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return f"{root}/" + "/".join(quote(part, safe="") for part in parts)


@dataclass(frozen=True, slots=True)
class Static:
    """A file that pages refer to.

    Attributes:
        content: Its bytes.
        kind: What it is, for browsers.
        tag: A short hash: with it in its address a browser may keep it for ever.
    """

    content: bytes
    kind: str
    tag: str


@lru_cache(maxsize=1)
def statics() -> dict[str, Static]:
    """The files that there are, by name."""
    folder = files("tidegate_flows.status") / "static"
    found = {
        "status.css": (f"{STYLE}\n{(folder / 'status.css').read_text(encoding='utf-8')}", "text/css"),
        "status.js": ((folder / "status.js").read_text(encoding="utf-8"), "text/javascript"),
        "gate.svg": ((folder / "gate.svg").read_text(encoding="utf-8"), "image/svg+xml"),
    }
    return {
        name: Static(text.encode(), kind, hashlib.sha256(text.encode()).hexdigest()[:12])
        for name, (text, kind) in found.items()
    }


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tidegate_flows.status"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "stamp": when.stamp,
        "ago": when.ago,
        "number": number,
        "cut": _cut,
        "quoted": lambda text: shlex.quote(str(text)),  # in commands that are copied
        "name": lambda text: short(plain(text), NAME_MAXIMUM),
        "drawn": Markup,  # of drawings, whose texts are escaped where they are drawn
    }
    return made


def _shown(value: object) -> object:
    """What a template writes: visible characters only, and no URL's password; escaped after this."""
    return value if isinstance(value, (Markup, int, float)) else plain(value)


def _cut(text: object) -> str:
    return short(plain(text), TEXT_MAXIMUM)


def _taken(session: Session | None) -> list[tuple[str, str]]:
    """What a session has to be told, which is told once."""
    found = []
    while session is not None and session.notices:
        found.append(session.notices.popleft())
    return found
