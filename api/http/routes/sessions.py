"""Coming in and leaving: sessions of staff, by password or by the identity provider."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Cookie, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.access.actor import AccessRole
from api.access.limits import get_network
from api.access.oidc import STATE_COOKIE, STATE_SECONDS, IdentityProvider, make_cookie
from api.access.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from api.context import AppContext
from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Acting, Reading, Shared
from api.http.errors import document_problems
from api.http.gate import get_address, get_cookie_name, is_foreign, make_router
from api.runtime.exceptions import Forbidden
from api.services.accounts import sessions as service
from api.services.accounts.sessions import LogInAttempt, OpenedSession
from scheduling.errors import UnknownId

router = make_router("sessions")

START_PAGE = "/"
FACTOR = "/v1/sessions/current/second-factor"


class LogIn(BaseModel):
    """The name and password of a local account."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "dana", "password": "a long pass phrase"}]}
    )

    name: str = Field(max_length=100)
    password: str = Field(max_length=MAX_CHARACTERS)
    code: str | None = Field(None, max_length=10, description="Of the second factor, where the account has one.")


class NewPassword(BaseModel):
    """The present and the wanted password."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"present": "a long pass phrase", "wanted": "another pass phrase"}]}
    )

    present: str = Field(max_length=MAX_CHARACTERS)
    wanted: str = Field(min_length=MIN_CHARACTERS, max_length=MAX_CHARACTERS)


WHO: JsonDict = {
    "account": "4be0643f",
    "role": "clinician",
    "provider": "physician-1",
    "visit": None,
    "needs_second_factor": False,
}


class Who(BaseModel):
    """Who somebody is to the service; ``needs_second_factor``: until there is one, all else is refused."""

    model_config = ConfigDict(json_schema_extra={"examples": [WHO]})

    account: str
    role: AccessRole
    provider: str | None
    visit: str | None
    needs_second_factor: bool


class Begun(BaseModel):
    """A session: send ``token`` as ``Authorization: Bearer …``, or keep the cookie that comes with it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": "cws_…", "role": "scheduler", "expires_at": "2026-11-30T20:00:00Z", "idle_minutes": 30}]
        }
    )

    token: str
    role: AccessRole
    expires_at: datetime
    idle_minutes: int


class OwnPassword(BaseModel):
    """The present password of one's own account."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": "a long pass phrase"}]})

    password: str = Field(max_length=MAX_CHARACTERS)


class SecondFactor(BaseModel):
    """A second factor that has begun: an app makes codes of the secret, which is told once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"secret": "JBSWY3DPEHPK3PXP", "address": "otpauth://totp/Clinicweave:dana?secret=JBSWY3DPEHPK3PXP"}]
        }
    )

    secret: str
    address: str


class Code(BaseModel):
    """A code of a second factor."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"code": "123456"}]})

    code: str = Field(min_length=6, max_length=10)


@router.post("/v1/sessions", status_code=HTTPStatus.CREATED, response_model=Begun, responses=document_problems(401, 403))
async def log_in(body: LogIn, request: Request, context: Shared) -> Response:
    """Log in to a local account."""
    if is_foreign(request):
        raise Forbidden("another site has sent this request")
    attempt = LogInAttempt(get_address(request), body.name, body.password, body.code)
    admitted = await context.hashing.run(lambda: service.log_in(context, attempt), get_network(attempt.address))
    begun = Begun(
        token=admitted.secret,
        role=AccessRole(admitted.account.role),
        expires_at=admitted.session.expires_at,
        idle_minutes=context.settings.session_idle_minutes,
    )
    return with_cookie(context, admitted, JSONResponse(begun.model_dump(mode="json"), HTTPStatus.CREATED))


@router.get("/v1/sessions/current")
async def who_am_i(actor: Acting) -> Who:
    """Tell who the caller is."""
    return Who(
        account=actor.id,
        role=actor.role,
        provider=actor.provider,
        visit=actor.visit,
        needs_second_factor=actor.is_confined,
    )


@router.delete("/v1/sessions/current", status_code=HTTPStatus.NO_CONTENT)
def log_out(call: Reading) -> Response:
    """End the session, or the token, of this request."""

    def act(session: Transaction) -> RouteResult:
        service.log_out(session, call.actor, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    response = call.write(act)
    settings = call.context.settings
    response.delete_cookie(get_cookie_name(settings), secure=settings.secure)
    return response


@router.put("/v1/sessions/current/password", status_code=HTTPStatus.NO_CONTENT)
async def change_password(body: NewPassword, request: Request, actor: Acting, context: Shared) -> Response:
    """Change one's own password; all sessions of the account end."""
    address = get_address(request)
    await context.hashing.run(
        lambda: service.change_password(context, actor, address, body.present, body.wanted), get_network(address)
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(FACTOR, status_code=HTTPStatus.CREATED, responses=document_problems(409, 412))
async def begin_second_factor(body: OwnPassword, request: Request, actor: Acting, context: Shared) -> SecondFactor:
    """Begin a second factor for one's own account, by its password; it counts once its first code is sent."""
    address = get_address(request)
    secret, for_apps = await context.hashing.run(
        lambda: service.begin_second_factor(context, actor, address, body.password), get_network(address)
    )
    return SecondFactor(secret=secret, address=for_apps)


@router.put(FACTOR, status_code=HTTPStatus.NO_CONTENT, responses=document_problems(409))
def confirm_second_factor(body: Code, call: Reading) -> Response:
    """Send the first code of a second factor: from now on each log-in needs one."""
    call.context.log_ins.take(f"second factor of {call.actor.id}")

    def act(session: Transaction) -> RouteResult:
        service.confirm_second_factor(session, call.context.signer, call.actor, body.code, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.get(
    "/v1/oidc/log-in", status_code=HTTPStatus.SEE_OTHER, response_class=RedirectResponse, responses=document_problems(404)
)
async def begin_elsewhere(request: Request, context: Shared) -> Response:
    """Send the browser to the identity provider."""
    address, begun = await context.asking.run(_identity_provider(context).begin, get_network(get_address(request)))
    response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        STATE_COOKIE,
        make_cookie(begun, context.signer),
        max_age=STATE_SECONDS,
        path="/v1/oidc",
        secure=context.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(
    "/v1/oidc/callback",
    status_code=HTTPStatus.SEE_OTHER,
    response_class=RedirectResponse,
    responses=document_problems(401, 404),
)
async def come_back(
    request: Request,
    context: Shared,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    begun: Annotated[str, Cookie(alias=STATE_COOKIE, max_length=4000, include_in_schema=False)] = "",
) -> Response:
    """Begin a session for somebody who has logged in at the identity provider."""
    provider, address = _identity_provider(context), get_address(request)
    admitted = await context.asking.run(
        lambda: service.log_in_by_provider(context, provider, address, begun, state, code), get_network(address)
    )
    response = with_cookie(context, admitted, RedirectResponse(START_PAGE, HTTPStatus.SEE_OTHER))
    response.delete_cookie(STATE_COOKIE, path="/v1/oidc")
    return response


def _identity_provider(context: AppContext) -> IdentityProvider:
    if context.identity_provider is None:
        raise UnknownId("identity provider", "none is set")
    return context.identity_provider


def with_cookie(context: AppContext, admitted: OpenedSession, response: Response) -> Response:
    """Return an answer that also gives the cookie of a session."""
    # Lax, not strict: the browser comes back from the identity provider by a link of another site. The gate asks further.
    response.set_cookie(
        get_cookie_name(context.settings),
        admitted.secret,
        max_age=context.settings.session_hours * 3600,
        secure=context.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return response
