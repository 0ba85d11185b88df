"""The gate before every route: who asks, and whether the access table lets them. Nothing of a route runs before it.

It is the class of every route, not a dependency that a route might forget, and not a middleware that would have to guess the
route. So even a body that is no JSON is first asked who brings it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from api.access.actor import NOBODY, UNKNOWN, Actor
from api.access.credentials import hashed
from api.access.owners import ids_at, kind_in, owns
from api.access.table import Access, Scope, line_for, methods_of
from api.context import AppContext, get_context
from api.http.errors import documented
from api.runtime.exceptions import Forbidden, Unauthenticated
from api.store import audit
from scheduling.errors import Fault, InvalidFile

COOKIE = "clinicweave_session"
BEARER = "bearer "
READING = ("GET", "HEAD", "OPTIONS")
NULS = {"path": ("\0", "%00"), "query": ("\0", "%00"), "body": ("\0", r"\u0000")}
MAX_LOGGED_ID = 100
"""Characters of an id, which anybody may make up, that the audit keeps."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the gate has to know of a request."""

    address: str
    bearer: str | None
    cookie: str | None
    is_foreign: bool
    ids: tuple[tuple[str, str], ...]

    @property
    def secret(self) -> str | None:
        """The secret by which the caller wants to be known."""
        return self.bearer or self.cookie


class Guarded(APIRoute):
    """A route behind the gate; one that the access table does not have cannot be made."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        lines = [line_for(method, path) for method in options.get("methods") or ("GET",)]
        options["responses"] = {**documented(*_problems(lines)), **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request; one by another method learns all that the path takes, whichever routes they are of."""
        if scope["method"] not in (self.methods or ()):
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(methods_of(self.path))})
        await super().handle(scope, receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request: the gate, then the route."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            line = line_for(request.method, self.path)
            if not line.public:
                body = await _document(request) if line.body else None
                request.state.actor = await run_in_threadpool(admit, get_context(request), line, _asked(request, line, body))
            await _expect_storable(request)
            if "idempotency-key" in request.headers:
                request.state.digest = await _digest(request)
            return await answer(request)

        return guarded


def guarded_router(tag: str) -> APIRouter:
    """Make a router whose routes stand behind the gate; paths are written in full, as in the access table."""
    return APIRouter(route_class=Guarded, tags=[tag])


def admit(context: AppContext, line: Access, asked: Asked) -> Actor:
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
        context.log_ins.take(f"guess from {asked.address}")
        _deny(context, line, asked, UNKNOWN, NOBODY, str(refusal))
        raise
    if not _may(context, actor, line, asked):
        _deny(context, line, asked, actor.id, actor.role, "not in the access table")
        raise Forbidden("this is not allowed with this role, or not on this object")
    return actor


def _known(context: AppContext, asked: Asked) -> Actor:
    if asked.secret is None:
        raise Unauthenticated("no credential came with the request")
    context.requests.take(hashed(asked.secret))
    actor = context.identify(asked.secret)
    if asked.bearer is None and asked.is_foreign:
        raise Unauthenticated("another site has sent this request")
    return actor


def _may(context: AppContext, actor: Actor, line: Access, asked: Asked) -> bool:
    scope = line.roles.get(actor.role)
    if scope is not Scope.OWN:
        return scope is Scope.ANY
    with context.database.reading() as session:
        return all(owns(session, actor, kind, identifier) for kind, identifier in asked.ids)


def _deny(context: AppContext, line: Access, asked: Asked, actor: str, role: str, reason: str) -> None:
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


def _asked(request: Request, line: Access, body: Any) -> Asked:
    given = request.headers.get("authorization", "")
    in_path = [(kind, request.path_params[kind]) for kind in line.named_in_path]
    in_body = [(kind_in(body, kind), identifier) for place, kind in line.body for identifier in ids_at(body, place)]
    return Asked(
        address=address_of(request),
        bearer=given[len(BEARER) :].strip() if given.lower().startswith(BEARER) else None,
        cookie=request.cookies.get(COOKIE),
        is_foreign=request.method not in READING and is_foreign(request),
        ids=(*in_path, *in_body),
    )


def address_of(request: Request) -> str:
    """Return the caller's network address."""
    return request.client.host if request.client else "unknown"


def is_foreign(request: Request) -> bool:
    """Say whether a page of another site made a browser send this: browsers name the page's origin, programs name none."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    own = urlsplit(get_context(request).settings.public_url)
    return origin not in (f"{own.scheme}://{own.netloc}", f"{request.url.scheme}://{request.url.netloc}")


async def _document(request: Request) -> Any:
    try:
        return await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None  # the route's own validation says what is wrong with it


async def _expect_storable(request: Request) -> None:
    """Refuse the one character that PostgreSQL cannot keep in a text, before it turns up as an error of the database."""
    places = {"path": request.url.path, "query": request.url.query, "body": (await request.body()).decode("latin-1")}
    for place, text in places.items():
        if any(nul in text for nul in NULS[place]):
            raise InvalidFile("request", [Fault(place, "a NUL character cannot be kept")])


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
