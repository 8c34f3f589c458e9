"""The doors of those who may act: signing in with the token, and the forms of the pages."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tidegate_contracts.errors import ContractError, StoreError, TidegateError, UsageError
from tidegate_flows.answer_headers import HEADERS
from tidegate_flows.place import Place
from tidegate_flows.status.act import breaker_act, quarantine_act
from tidegate_flows.status.refusal import Endpoint, logger, refused, told
from tidegate_flows.status.sent_form import FormError, sent_form
from tidegate_flows.status.sessions import LENGTH, Session
from tidegate_flows.status.site import COOKIE, Site, link

Act = Callable[[Place, Request, Mapping[str, str]], str]
_COMMAND = re.compile(r"--[a-z]|\btidegate [a-z]")
_READ_ONLY = "This page only reads. To act from it, start it with tidegate serve --allow-actions."
_STALE = "The form is not of this session: sign in, open the page again and send it from there."


def login(site: Site, request: Request) -> Response:
    """The page on which the token is shown."""
    if site.sessions is None:
        return told(site, request, 403, "Nobody may act here", _READ_ONLY)
    return site.respond(request, "login.html", wrong=None)


def signing_in(site: Site) -> Endpoint:
    """What the form of that page is sent to."""

    async def handle(site: Site, request: Request, sent: Mapping[str, str]) -> Response:
        sessions = site.sessions
        if sessions is None or sessions.wearied:
            why = "Too many tokens were wrong; wait a minute."
            return site.respond(request, "login.html", status=429, wrong=why)
        name = sessions.begin(sent.get("token", ""))
        if name is None:
            logger.warning("a wrong token was shown on the status page")
            return site.respond(request, "login.html", status=403, wrong="This is not the token.")
        sessions.end(request.cookies.get(COOKIE))
        response = _back(link(request))
        response.set_cookie(
            COOKIE,
            name,
            max_age=LENGTH,
            httponly=True,
            samesite="strict",
            secure=site.tls or request.url.scheme == "https",
            path=f"{request.scope.get('root_path', '')}/",
        )
        return response

    return _posted(site, handle)


def signing_out(site: Site) -> Endpoint:
    """The end of a session."""

    async def handle(site: Site, request: Request, sent: Mapping[str, str]) -> Response:
        if _session(site, request, sent) is None:
            return told(site, request, 403, "This form is not accepted", _STALE)
        if site.sessions is not None:
            site.sessions.end(request.cookies.get(COOKIE))
        response = _back(link(request))
        response.delete_cookie(COOKIE, path=f"{request.scope.get('root_path', '')}/", httponly=True, samesite="strict")
        return response

    return _posted(site, handle)


def acting(site: Site, *, kept: bool) -> Endpoint:
    """What the forms are sent to: those of a breaker, or those of what is kept back."""

    async def handle(site: Site, request: Request, sent: Mapping[str, str]) -> Response:
        session = _session(site, request, sent)
        if session is None:
            return told(site, request, 403, "This form is not accepted", _STALE)
        parts = ("datasets", request.path_params["dataset"], *(("quarantine",) if kept else ()))
        try:
            session.notices.append(("Done", await site.acting.do(partial(_done, site, request, sent))))
        except StoreError:
            raise
        except (UsageError, ContractError) as error:  # refused before anything was written down
            session.notices.append(("Not done", _in_words(error)))
        except TidegateError as error:
            session.notices.append(("It failed", f"Whether it was done stands in the audit: {_in_words(error)}"))
        return _back(link(request, *parts))

    return _posted(site, handle)


def _in_words(error: TidegateError) -> str:
    """An error in the words of a page, on which nobody types commands or options."""
    what = error.what.replace("--by", "Who").replace("--reason", "Why")
    more = {"found: ": error.found, "allowed: ": error.allowed, "": error.hint}
    told = [f"{name}{value}" for name, value in more.items() if value is not None and not _COMMAND.search(str(value))]
    return "; ".join([what, *told])


def _done(site: Site, request: Request, sent: Mapping[str, str]) -> str:
    dataset, batch = request.path_params["dataset"], request.path_params.get("batch")
    with site.to_act() as place:
        done = breaker_act(place, dataset, sent) if batch is None else quarantine_act(place, dataset, batch, sent)
    logger.info("by hand, from the status page: %r, signed by %r", done, sent.get("by"))
    return done


def _posted(site: Site, handle: Callable[[Site, Request, Mapping[str, str]], Awaitable[Response]]) -> Endpoint:
    """A handler of a form: never without a token, never from another origin, and its errors are pages."""

    async def endpoint(request: Request) -> Response:
        if site.sessions is None:
            return told(site, request, 403, "Nobody may act here", _READ_ONLY)
        if _strange(request):
            return told(site, request, 403, "This form is not accepted", "It came from another site.")
        try:
            return await handle(site, request, await sent_form(request))
        except FormError as error:
            return told(site, request, 400, "This form is not accepted", str(error))
        except Exception as error:  # noqa: BLE001 - whatever happens, the reader gets a page and the log the reason
            return refused(site, request, error)

    return endpoint


def _strange(request: Request) -> bool:
    """Whether a browser says that another site sent this."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    try:
        return origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host")
    except ValueError:  # no address at all
        return True


def _session(site: Site, request: Request, sent: Mapping[str, str]) -> Session | None:
    """The session of a form that brings back what its page was given."""
    session = site.session(request)
    brought = sent.get("csrf", "").encode("utf-8", "surrogatepass")
    return session if session is not None and secrets.compare_digest(brought, session.csrf.encode()) else None


def _back(where: str) -> RedirectResponse:
    """To a page, so that a reload sends nothing twice."""
    return RedirectResponse(where, status_code=303, headers=dict(HEADERS))
