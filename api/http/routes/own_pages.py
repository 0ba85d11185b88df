"""The page of somebody of the staff, server-made: whole without a script."""

from __future__ import annotations

from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access.actor import AccessRole, Actor
from api.access.limits import get_network
from api.context import AppContext
from api.http.dependencies import Acting, Shared
from api.http.errors import document_problems
from api.http.gate import get_address, get_cookie_name, is_own_page, make_router
from api.http.routes.desk import PAGE_POLICY
from api.http.routes.feeds import make_feed_address
from api.http.routes.patient_pages import MAX_FORM_BYTES, Form, describe_form
from api.http.routes.sessions import with_cookie
from api.runtime.exceptions import CodeNeeded, Conflict, Forbidden, TooMany, Unauthenticated
from api.services.accounts import sessions
from api.services.accounts.sessions import LogInAttempt
from api.services.calendars import feeds, outside
from api.services.calendars.outside import NewCalendar
from api.services.pages.clinician import load_own_page, note_reading
from api.web import own_page as pages
from api.web import second_factor_page as factor_pages
from api.web.second_factor_page import ADDRESS as SECOND_FACTOR
from api.web.words import load_words
from scheduling.errors import InvalidFile

router = make_router("staff's pages")

Identifier = Annotated[str, Path(max_length=100)]
ADDRESS = "/me"
PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"example": "<!doctype html>…"}}}}
DONE: dict[int | str, dict[str, Any]] = {303: {"description": "It is done; the page shows it."}}


@router.get(SECOND_FACTOR, response_class=HTMLResponse, responses={**PAGE, **DONE})
def show_second_factor(request: Request, context: Shared) -> Response:
    """Return the page on which whoever is logged in sets up a second factor."""
    actor = _find_staff(context, request)
    if actor is None:
        return RedirectResponse(ADDRESS, HTTPStatus.SEE_OTHER)
    with context.database.reading() as session:
        own = sessions.get_second_factor(session, context.signer, actor)
    return _page(factor_pages.make_state_page(own.name, own.state, actor.is_confined))


@router.post(
    SECOND_FACTOR,
    response_class=HTMLResponse,
    responses={**PAGE, **document_problems(409, 412)},
    openapi_extra=describe_form(password="a long pass phrase"),
    max_body_size=MAX_FORM_BYTES,
)
async def begin_second_factor(request: Request, actor: Acting, context: Shared, form: Form) -> Response:
    """Begin a second factor by the account's password; its secret is told on the page that this answers with."""
    network_address, password = get_address(request), form.get("password", "")
    return await context.hashing.run(
        lambda: _begin_second_factor(context, actor, network_address, password), get_network(network_address)
    )


def _begin_second_factor(context: AppContext, actor: Actor, network_address: str, password: str) -> Response:
    try:
        begun = sessions.begin_second_factor(context, actor, network_address, password)
    except Unauthenticated:
        begun = None
    with context.database.reading() as session:
        own = sessions.get_second_factor(session, context.signer, actor)
    if begun is None:
        fault = load_words()["second_factor"]["wrong_password"]
        return _page(factor_pages.make_state_page(own.name, own.state, actor.is_confined, fault))
    return _page(factor_pages.make_set_up_page(own.name, *begun))


@router.post(
    f"{SECOND_FACTOR}/code",
    response_class=HTMLResponse,
    responses={**PAGE, **DONE},
    openapi_extra=describe_form(code="123456", secret="JBSWY3DPEHPK3PXP"),
    max_body_size=MAX_FORM_BYTES,
)
def confirm_second_factor(actor: Acting, context: Shared, form: Form) -> Response:
    """Take the first code of a second factor; one that is wrong is asked for again."""
    context.log_ins.take(f"second factor of {actor.id}")
    try:
        with context.database.writing() as session:
            code = form.get("code", "").replace(" ", "")[:10]
            sessions.confirm_second_factor(session, context.signer, actor, code, context.clock())
    except Conflict:
        with context.database.reading() as session:
            own = sessions.get_second_factor(session, context.signer, actor)
        # A session alone must not learn the secret that waits: who knows it could confirm it, and lock the owner out.
        if own.pending is None or not compare_digest(own.pending[0].encode(), form.get("secret", "").encode()):
            return RedirectResponse(SECOND_FACTOR, HTTPStatus.SEE_OTHER)
        return _page(factor_pages.make_set_up_page(own.name, *own.pending, load_words()["second_factor"]["wrong"]))
    return RedirectResponse(SECOND_FACTOR, HTTPStatus.SEE_OTHER)


@router.get(ADDRESS, response_class=HTMLResponse, responses={**PAGE, **DONE})
def show_own_page(request: Request, context: Shared) -> Response:
    """Return the page of whoever is logged in; else one on which to log in, or to set up what is missing for that."""
    actor = _find_staff(context, request)
    if actor is not None and actor.is_confined:
        return RedirectResponse(SECOND_FACTOR, HTTPStatus.SEE_OTHER)
    return _log_in_page(context) if actor is None else _own_page(context, actor)


@router.post(
    "/me/log-in",
    response_class=HTMLResponse,
    responses={**PAGE, **DONE, **document_problems(403)},
    openapi_extra=describe_form(name="clinician", password="a long pass phrase", code="123456"),
    max_body_size=MAX_FORM_BYTES,
)
async def log_in(request: Request, context: Shared, form: Form) -> Response:
    """Log in to a local account, and go to its page."""
    if not is_own_page(request):
        raise Forbidden("another site has sent this request")
    given = {name: form.get(name, "")[:1000] for name in ("name", "password", "code")}
    attempt = LogInAttempt(get_address(request), given["name"], given["password"], given["code"] or None)
    try:
        admitted = await context.hashing.run(lambda: sessions.log_in(context, attempt), get_network(attempt.address))
    except CodeNeeded:
        fault = "wrong_code" if attempt.code else "code_needed"
        return _log_in_page(context, load_words()["me"][fault], attempt.name, asks_for_code=True)
    except (Unauthenticated, TooMany):
        return _log_in_page(context, load_words()["me"]["wrong"], attempt.name)
    return with_cookie(context, admitted, RedirectResponse(ADDRESS, HTTPStatus.SEE_OTHER))


@router.post("/me/leaving", response_class=HTMLResponse, responses={**PAGE, **DONE})
def leave(actor: Acting, context: Shared) -> Response:
    """End the session."""
    with context.database.writing() as session:
        sessions.log_out(session, actor, context.clock())
    response = RedirectResponse(ADDRESS, HTTPStatus.SEE_OTHER)
    response.delete_cookie(get_cookie_name(context.settings), secure=context.settings.secure)
    return response


@router.post("/me/calendars", response_class=HTMLResponse, responses=PAGE)
def subscribe(actor: Acting, context: Shared) -> Response:
    """Make a calendar of one's own days; its address is told once, on the page that this answers with."""
    assert actor.provider is not None  # as every clinician is one
    with context.database.writing() as session:
        secret, row = feeds.add_feed(session, context.settings, actor, "provider", actor.provider, context.clock())
    url = make_feed_address(context.settings, row.kind, secret)
    return _page(pages.make_subscription_page(_get_clinic_name(context, actor), url))


@router.post("/me/calendars/{feed}/end", response_class=HTMLResponse, responses={**PAGE, **DONE})
def end_subscription(feed: Identifier, actor: Acting, context: Shared) -> Response:
    """End a calendar of one's own, from the next reading on."""
    with context.database.writing() as session:
        feeds.end_feed(session, actor, feed, context.clock())
    return RedirectResponse(ADDRESS, HTTPStatus.SEE_OTHER)


@router.post(
    "/me/outside-calendars",
    response_class=HTMLResponse,
    responses={**PAGE, **DONE},
    openapi_extra=describe_form(name="teaching", url="https://calendars.example/teaching.ics"),
    max_body_size=MAX_FORM_BYTES,
)
async def add_calendar(actor: Acting, context: Shared, form: Form) -> Response:
    """Read a calendar elsewhere from now on; what cannot be read is told on the page."""
    provider = actor.provider
    assert provider is not None
    now, new = context.clock(), NewCalendar(form.get("name", "")[:100] or "calendar", form.get("url", "")[:2000], None)
    try:
        calendar = await context.uploads.run(lambda: outside.read_calendar(context, new, now))
    except InvalidFile as error:
        return await run_in_threadpool(_own_page, context, actor, "; ".join(str(fault) for fault in error.faults))

    def add() -> None:
        with context.database.writing() as session:
            outside.add_calendar(session, context.settings, context.signer, actor, provider, calendar, now)

    await run_in_threadpool(add)
    return RedirectResponse(ADDRESS, HTTPStatus.SEE_OTHER)


@router.post("/me/outside-calendars/{outside}/end", response_class=HTMLResponse, responses={**PAGE, **DONE})
def end_calendar(actor: Acting, context: Shared, identifier: Annotated[str, Path(alias="outside", max_length=100)]) -> Response:
    """Read a calendar elsewhere no more."""
    with context.database.writing() as session:
        outside.end_calendar(session, actor, identifier, context.clock())
    return RedirectResponse(ADDRESS, HTTPStatus.SEE_OTHER)


def _find_staff(context: AppContext, request: Request) -> Actor | None:
    """Return who is logged in, of the staff; a patient has a page of their own."""
    secret = request.cookies.get(get_cookie_name(context.settings))
    if secret is None:
        return None
    try:
        actor = context.identify(secret)
    except Unauthenticated:
        return None
    return None if actor.role is AccessRole.PATIENT else actor


def _own_page(context: AppContext, actor: Actor, fault: str = "") -> Response:
    now = context.clock()
    with context.database.reading() as session:
        own = load_own_page(session, actor, now)
    if own.provider is not None:
        with context.database.writing() as session:
            note_reading(session, actor, now)
    return _page(pages.make_own_page(own, fault))


def _get_clinic_name(context: AppContext, actor: Actor) -> str:
    with context.database.reading() as session:
        return load_own_page(session, actor, context.clock()).clinic


def _log_in_page(context: AppContext, fault: str = "", name: str = "", asks_for_code: bool = False) -> Response:
    return _page(pages.make_log_in_page(fault, context.identity_provider is not None, name, asks_for_code))


def _page(text: str) -> Response:
    return HTMLResponse(text, headers={"Content-Security-Policy": PAGE_POLICY})
