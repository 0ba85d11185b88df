"""The gate before every route: who asks, and whether the access table lets them. Nothing of a route runs before it.

It is the class of every route, not a dependency that a route might forget, and not a middleware that would have to guess the
route. Who asks is known before a byte of the body is read, and no body is read any further than its route takes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope

from api.access.actor import NOBODY, UNKNOWN, AccessRole, Actor
from api.access.credentials import hash_secret
from api.access.limits import get_network
from api.access.owners import find_ids, get_kind, is_opened_in_need, is_own
from api.access.table import Access, Scope, get_line, list_methods
from api.context import AppContext, get_context
from api.http.errors import document_outcomes, document_problems, is_fhir
from api.runtime.exceptions import Forbidden, Unauthenticated
from api.runtime.settings import Settings
from api.store import audit
from scheduling.errors import Fault, InvalidFile
from scheduling.names import compose_id

COOKIE = "clinicweave_session"
HOST_ONLY = "__Host-"
"""The prefix of a cookie that browsers take by TLS alone, for this host and all its paths (RFC 6265bis, section 4.1.3.2)."""

BEARER = "bearer "
READING = ("GET", "HEAD", "OPTIONS")
NULS_IN_ADDRESS = ("\0", "%00")
NULS_IN_BODY = (b"\0", rb"\u0000")
SURROGATE_IN_BODY = re.compile(rb"\\u[dD][89a-fA-F]")
BINARY = "application/octet-stream"

MAX_BODY_BYTES = 256 * 1024
"""Longest body of a route that does not give its own bound: a session's attendance, 500 ids of the longest, with room."""

MAX_LENGTH_DIGITS = 15
"""Digits of a length that is looked at as a number."""

MAX_LOGGED_ID = 100
"""Characters of an id, which anybody may make up, that the audit keeps."""


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What the gate has to know of a request.

    Attributes
    ----------
    is_unasked : bool
        Whether it changes something, and nothing says that a page of ours has sent it.
    """

    address: str
    bearer: str | None
    cookie: str | None
    is_unasked: bool
    ids: tuple[tuple[str, str], ...]

    @property
    def secret(self) -> str | None:
        """The secret by which the caller wants to be known."""
        return self.bearer or self.cookie


class GuardedRoute(APIRoute):
    """A route behind the gate; one that the access table does not have cannot be made.

    Its option ``max_body_size`` bounds its bodies, in bytes; the setting ``max_body_bytes`` bounds those of every route.
    ``query_names`` are query parameters that it reads of the request itself.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.max_body_bytes: int = options.pop("max_body_size", None) or MAX_BODY_BYTES
        self._read_elsewhere: frozenset[str] = options.pop("query_names", frozenset())
        lines = [get_line(method, path) for method in options.get("methods") or ("GET",)]
        document = document_outcomes if is_fhir(path) else document_problems
        options["responses"] = {**document(*_problems(lines)), **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request; one by another method learns all that the path takes, whichever routes they are of.

        A public page tells its head too (RFC 9110, section 9.3.2), as programs ask that look where a link leads.
        """
        methods = self.methods or ()
        if scope["method"] == "HEAD" and "GET" in methods and get_line("GET", self.path).public:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if scope["method"] not in methods:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(list_methods(self.path))})
        if "patient" in scope["path_params"]:
            scope["path_params"]["patient"] = compose_id(scope["path_params"]["patient"])
        most = min(self.max_body_bytes, scope["app"].state.context.settings.max_body_bytes)
        await super().handle(scope, _bounded(receive, Headers(scope=scope), most), send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request: the gate, then the route."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            line = get_line(request.method, self.path)
            if not line.public:
                asked = _asked(request, line)
                actor = request.state.actor = await run_in_threadpool(admit, get_context(request), line, asked)
                if line.body:
                    inside = replace(asked, ids=_ids_in_body(line, await _document(request)))
                    await run_in_threadpool(expect_allowed, get_context(request), line, inside, actor)
            await self._expect_storable(request)
            if not line.public:
                self._expect_known_parameters(request)
            if "idempotency-key" in request.headers:
                request.state.digest = await _digest(request)
            return await answer(request)

        return guarded

    def _expect_known_parameters(self, request: Request) -> None:
        """Refuse what a route does not look at, as an unknown key of a body: a filter that is ignored shows everybody.

        Public addresses are given to programs of others, which may add parameters of their own (RFC 6749, section 4.1.2).
        """
        unknown = sorted(request.query_params.keys() - self._parameters)
        if unknown:
            known = f"one of {', '.join(sorted(self._parameters))}" if self._parameters else "this takes none"
            faults = [Fault(f"query.{name[:MAX_LOGGED_ID]}", f"is an unknown parameter; {known}") for name in unknown]
            raise InvalidFile("query", faults)

    @cached_property
    def _parameters(self) -> frozenset[str]:
        """The names of the query parameters that the route takes."""
        declared = (field.alias for dependant in _walk(self.dependant) for field in dependant.query_params)
        return self._read_elsewhere.union(declared)

    async def _expect_storable(self, request: Request) -> None:
        """Refuse the one character that PostgreSQL cannot keep in a text, before it turns up as an error of the database.

        A body that is no text, such as a workbook, is full of it; what reads such a body answers for the texts in it.
        """
        places = {"path": request.url.path, "query": request.url.query}
        wrong = [place for place, text in places.items() if any(nul in text for nul in NULS_IN_ADDRESS)]
        if self.body_field is not None and getattr(self.body_field.field_info, "media_type", None) != BINARY:
            body = await request.body()
            wrong += ["body"] if any(nul in body for nul in NULS_IN_BODY) else []
            if _has_half_a_character(body):
                raise InvalidFile("request", [Fault("body", "half of a surrogate pair is no character")])
        if wrong:
            raise InvalidFile("request", [Fault(wrong[0], "a NUL character cannot be kept")])


def _has_half_a_character(body: bytes) -> bool:
    """Return whether a text of a JSON body cannot be written down (RFC 8259, section 8.2)."""
    if SURROGATE_IN_BODY.search(body):
        try:
            json.dumps(json.loads(body), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return True
        except (ValueError, RecursionError):  # the route's own validation says what is wrong with it
            return False
    return False


def _walk(dependant: Dependant) -> Iterator[Dependant]:
    """Yield what a route asks for: its own parameters, and those of all that it depends on."""
    yield dependant
    for dependency in dependant.dependencies:
        yield from _walk(dependency)


def make_router(tag: str) -> APIRouter:
    """Make a router whose routes stand behind the gate; paths are written in full, as in the access table."""
    return APIRouter(route_class=GuardedRoute, tags=[tag])


def admit(context: AppContext, line: Access, asked: AccessRequest) -> Actor:
    """Let somebody pass, or write down who was not.

    Raises
    ------
    Unauthenticated, Forbidden, TooMany
        When they may not.
    """
    try:
        actor = _known(context, asked)
    except Unauthenticated as refusal:
        # Guessing secrets is limited like guessing passwords; so is how fast strangers can make the audit grow.
        context.log_ins.take(f"guess from {get_network(asked.address)}")
        _deny(context, line, asked, UNKNOWN, NOBODY, str(refusal))
        raise
    if asked.bearer is None and asked.is_unasked:
        _deny(context, line, asked, actor.id, actor.role, "not sent by a page of ours")
        raise Forbidden("with a cookie, a change has to come from a page of this service")
    expect_allowed(context, line, asked, actor)
    return actor


def expect_allowed(context: AppContext, line: Access, asked: AccessRequest, actor: Actor) -> None:
    """Refuse what somebody may not do, or not to what is asked for, and write it down. Raises ``Forbidden``."""
    if not _may(context, actor, line, asked):
        _deny(context, line, asked, actor.id, actor.role, "not in the access table")
        raise Forbidden("this is not allowed with this role, or not on this object")


def _known(context: AppContext, asked: AccessRequest) -> Actor:
    if asked.secret is None:
        raise Unauthenticated("no credential came with the request")
    context.requests.take(hash_secret(asked.secret))
    return context.identify(asked.secret)


def _may(context: AppContext, actor: Actor, line: Access, asked: AccessRequest) -> bool:
    if not line.may(actor):
        return False
    scope = line.roles.get(actor.role)
    if line.needs and actor.role is AccessRole.SYSTEM and line.needs not in actor.scopes:
        return False
    if scope is not Scope.OWN:
        return scope is Scope.ANY
    with context.database.reading() as session:
        return all(
            is_own(session, actor, kind, identifier)
            or (line.method in READING and is_opened_in_need(session, actor, kind, identifier, context.clock()))
            for kind, identifier in asked.ids
        )


def _deny(context: AppContext, line: Access, asked: AccessRequest, actor: str, role: str, reason: str) -> None:
    kind, identifier = asked.ids[0] if asked.ids else ("", "")
    entry = audit.AuditEntry(
        actor=actor,
        role=role,
        action=f"{line.method} {line.path}",
        object_kind=kind,
        object_id=identifier[:MAX_LOGGED_ID],
        outcome="denied",
        detail={"reason": reason},
    )
    with context.database.writing() as session:
        audit.append(session, entry, context.clock())


def _asked(request: Request, line: Access) -> AccessRequest:
    given = request.headers.get("authorization", "")
    return AccessRequest(
        address=get_address(request),
        bearer=given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else None,
        cookie=request.cookies.get(get_cookie_name(get_context(request).settings)),
        is_unasked=request.method not in READING and not is_own_page(request),
        ids=tuple((kind, request.path_params[kind]) for kind in line.named_in_path),
    )


def _ids_in_body(line: Access, body: Any) -> tuple[tuple[str, str], ...]:
    return tuple((get_kind(body, kind), identifier) for place, kind in line.body for identifier in find_ids(body, place))


def get_address(request: Request) -> str:
    """Return the caller's network address."""
    return request.client.host if request.client else "unknown"


def get_cookie_name(settings: Settings) -> str:
    """Return the name of the cookie that holds a session's secret."""
    return f"{HOST_ONLY}{COOKIE}" if settings.secure else COOKIE


def is_own_page(request: Request) -> bool:
    """Return whether a browser says that a page of this service has sent a request.

    Fetch metadata goes before ``Origin``: that is ``null`` for a form of a page that names no referrer.

    References
    ----------
    W3C, Fetch Metadata Request Headers, section 2.3 (Sec-Fetch-Site).
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    own = urlsplit(get_context(request).settings.public_url)
    ours = (f"{own.scheme}://{own.netloc}", f"{request.url.scheme}://{request.url.netloc}")
    return request.headers.get("origin") in ours


def is_foreign(request: Request) -> bool:
    """Return whether a page of another site made a browser send this: browsers say so, and programs say nothing."""
    said = request.headers.get("origin") is not None or request.headers.get("sec-fetch-site", "none") != "none"
    return said and not is_own_page(request)


async def _document(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError):  # no JSON, no text, or a number of more digits than Python reads
        return None  # the route's own validation says what is wrong with it


def _bounded(receive: Receive, headers: Headers, most_bytes: int) -> Receive:
    """Return what receives a body and refuses, with 413, to receive more of it than so many bytes."""
    said = headers.get("content-length", "")
    is_longer = said.isdecimal() and (len(said) > MAX_LENGTH_DIGITS or int(said) > most_bytes)
    left = -1 if is_longer else most_bytes

    async def bounded() -> Message:
        nonlocal left
        if left >= 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if left >= 0:
                return message
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {most_bytes:,} bytes here")

    return bounded


def _without_body(send: Send) -> Send:
    """Return what sends the head of an answer alone."""

    async def sent(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return sent


async def _digest(request: Request) -> str:
    """Return the hash of all that makes two requests the same."""
    target = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(target.encode() + await request.body()).hexdigest()


def _problems(lines: list[Access]) -> list[int]:
    """Return the statuses of problems with which any route of these lines may answer."""
    known = [] if all(line.public for line in lines) else [401, 403]
    named = [404] if any(line.named_in_path for line in lines) else []
    body = [400, 413] if any(line.method in ("POST", "PUT", "PATCH") for line in lines) else []
    return sorted([*known, *named, *body, 422, 429, 503])
