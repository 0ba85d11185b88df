"""Who may come in: accounts, programs' tokens, and patients' links."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.concurrency import run_in_threadpool

from api.access.actor import AccessRole
from api.access.passwords import MAX_CHARACTERS, MIN_CHARACTERS, hash_password
from api.context import AppContext
from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Creating, Fetching, Reading
from api.http.errors import UNCHANGED, document_problems
from api.http.gate import make_router
from api.http.models import IsSet, ResponseModel
from api.http.pages import Paged
from api.services.accounts import accounts as service
from api.services.accounts.accounts import AccountChange, NewAccount

router = make_router("accounts")

MAX_DAYS = 3660
MAX_LINK_DAYS = 400
"""Longest that what a patient was given opens anything: a year, and some weeks to have another made."""

Identifier = Annotated[str, Path(max_length=100)]
Password = Annotated[str, Field(min_length=MIN_CHARACTERS, max_length=MAX_CHARACTERS)]

EXAMPLE: JsonDict = {
    "id": "4be0643f",
    "name": "dana",
    "role": "clinician",
    "provider": "physician-1",
    "subject": None,
    "active": True,
}

LINK_EXAMPLE: JsonDict = {
    "id": "9d1f",
    "created_by": "4be0643f",
    "created_at": "2026-11-20T09:00:00Z",
    "expires_at": "2027-01-20T09:00:00Z",
    "last_used_at": None,
    "revoked": False,
}


class AccountToMake(BaseModel):
    """An account to be made: with a password, or with the subject that the identity provider knows."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "dana", "role": "scheduler", "password": "a long pass phrase"}]},
    )

    name: str = Field(max_length=100)
    role: AccessRole
    provider: str | None = Field(None, max_length=200)
    password: Password | None = None
    subject: str | None = Field(None, min_length=1, max_length=200)


class AccountToChange(BaseModel):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"active": False}]})

    role: AccessRole | None = None
    provider: str | None = Field(None, max_length=200)
    password: Password | None = None
    active: bool | None = None
    unlock: bool = Field(False, description="Let it be logged in to again at once, after wrong passwords.")
    second_factor: Literal[False] | None = Field(None, description="False takes the second factor away, as of a lost phone.")


class Account(ResponseModel):
    """An account, without what it logs in by."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    name: str
    role: AccessRole
    provider: str | None = Field(validation_alias="provider_id")
    subject: str | None
    active: bool = Field(validation_alias="is_active")


class Accounts(ResponseModel):
    """A page of accounts."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[Account]
    next: str | None


class TokenToMake(BaseModel):
    """A token for a program that acts for an account."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "nightly report", "days": 90}]})

    name: str = Field(min_length=1, max_length=100)
    days: int | None = Field(None, ge=1, le=MAX_DAYS)


class Token(ResponseModel):
    """A token; ``secret`` is told once, when it is made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": "71c8", "name": "nightly report", "expires_at": "2027-02-20T09:00:00Z", "revoked": False}]
        }
    )

    id: str
    name: str
    expires_at: datetime | None
    revoked: IsSet = Field(validation_alias="revoked_at")


class Tokens(ResponseModel):
    """An account's tokens."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"id": "71c8", "name": "report", "expires_at": None, "revoked": True}]}]}
    )

    items: list[Token]


class NewToken(Token):
    """A token that was made, with its secret, which is told once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "71c8",
                    "name": "nightly report",
                    "expires_at": "2027-02-20T09:00:00Z",
                    "revoked": False,
                    "secret": "cwt_…",
                }
            ]
        }
    )

    secret: str


class LinkToMake(BaseModel):
    """How long a patient's link is to be good for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"days": 30}]})

    days: int | None = Field(None, ge=1, le=MAX_LINK_DAYS)


class PatientLink(ResponseModel):
    """A patient's link for one visit: ``url`` is its page; programs send ``secret`` as ``Authorization: Bearer …``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "9d1f",
                    "visit": "visit-0181",
                    "expires_at": "2027-01-20T09:00:00Z",
                    "secret": "cwl_…",
                    "url": "https://clinic.example/p/cwl_…",
                }
            ]
        }
    )

    id: str
    visit: str = Field(validation_alias="visit_id")
    expires_at: datetime
    secret: str
    url: str


class GivenLink(ResponseModel):
    """A patient's link, without its secret: who has made it, and whether it is in use."""

    model_config = ConfigDict(json_schema_extra={"examples": [LINK_EXAMPLE]})

    id: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked: IsSet = Field(validation_alias="revoked_at")


class GivenLinks(ResponseModel):
    """A visit's links."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [LINK_EXAMPLE]}]})

    items: list[GivenLink]


@router.get("/v1/accounts", response_model=Accounts)
def list_accounts(call: Reading, page: Paged) -> Response:
    """Return the accounts, a page at a time."""

    def act(session: Transaction) -> RouteResult:
        rows = service.list_accounts(session, page.after, page.count + 1)
        return RouteResult(page.of(Accounts, rows, lambda row: row.id))

    return call.read(act)


@router.post("/v1/accounts", status_code=HTTPStatus.CREATED, response_model=Account, responses=document_problems(409))
async def add_account(body: AccountToMake, call: Creating) -> Response:
    """Make an account."""
    password_hash = await _hash(call.context, body.password, body.name)
    issuer, now = call.context.settings.oidc_issuer, call.context.clock()

    def act(session: Transaction) -> RouteResult:
        new = NewAccount(body.name, body.role, body.provider, body.subject)
        row = service.add_account(session, call.actor, new, password_hash, issuer, now)
        return RouteResult(Account.of(row), HTTPStatus.CREATED, row.version, f"/v1/accounts/{row.id}")

    return await run_in_threadpool(call.create, act)


@router.get("/v1/accounts/{account}", response_model=Account, responses=UNCHANGED)
def get_account(account: Identifier, call: Fetching) -> Response:
    """Return an account."""

    def act(session: Transaction) -> RouteResult:
        row = service.get_account(session, account)
        return RouteResult(Account.of(row), version=row.version)

    return call.read(act)


@router.patch("/v1/accounts/{account}", response_model=Account, responses=document_problems(409, 412, 428))
async def change_account(account: Identifier, body: AccountToChange, call: Changing) -> Response:
    """Change an account; its sessions end."""
    version, now = call.expected_version(), call.context.clock()
    name = "" if body.password is None else await run_in_threadpool(service.get_name, call.context, account)
    password_hash = await _hash(call.context, body.password, name)
    change = AccountChange(body.role, body.provider, body.active, body.unlock, body.second_factor is False)

    def act(session: Transaction) -> RouteResult:
        row = service.change_account(session, call.actor, account, version, change, password_hash, now)
        return RouteResult(Account.of(row), version=row.version)

    return await run_in_threadpool(call.write, act)


@router.delete("/v1/accounts/{account}/sessions", status_code=HTTPStatus.NO_CONTENT)
def end_sessions(account: Identifier, call: Reading) -> Response:
    """End all sessions of an account, from the next request on."""

    def act(session: Transaction) -> RouteResult:
        service.end_sessions(session, call.actor, account, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.get("/v1/accounts/{account}/tokens", response_model=Tokens)
def list_tokens(account: Identifier, call: Reading) -> Response:
    """Return an account's tokens, those that have ended too."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(Tokens.model_validate({"items": service.list_tokens(session, account)}))

    return call.read(act)


@router.post("/v1/accounts/{account}/tokens", status_code=HTTPStatus.CREATED, response_model=NewToken)
def add_token(account: Identifier, body: TokenToMake, call: Creating) -> Response:
    """Make a token for a program."""
    now = call.context.clock()
    expires_at = now + timedelta(days=body.days or call.context.settings.token_days)

    def act(session: Transaction) -> RouteResult:
        secret, row = service.add_token(session, call.actor, account, body.name, expires_at, now)
        return RouteResult(NewToken.of(row, secret=secret), HTTPStatus.CREATED)

    return call.create(act)


@router.delete("/v1/tokens/{token}", status_code=HTTPStatus.NO_CONTENT)
def end_token(token: Identifier, call: Reading) -> Response:
    """End a token, from the next request on."""

    def act(session: Transaction) -> RouteResult:
        service.end_token(session, call.actor, token, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


@router.post("/v1/visits/{visit}/links", status_code=HTTPStatus.CREATED, response_model=PatientLink)
def add_link(visit: Identifier, body: LinkToMake, call: Creating) -> Response:
    """Make the link by which a patient acts on one visit."""
    now = call.context.clock()
    expires_at = now + timedelta(days=body.days or call.context.settings.link_days)
    public_url = call.context.settings.public_url.rstrip("/")

    def act(session: Transaction) -> RouteResult:
        secret, row = service.add_link(session, call.context.signer, call.actor, visit, expires_at, now)
        return RouteResult(PatientLink.of(row, secret=secret, url=f"{public_url}/p/{secret}"), HTTPStatus.CREATED)

    return call.create(act)


@router.get("/v1/visits/{visit}/links", response_model=GivenLinks)
def list_links(visit: Identifier, call: Reading) -> Response:
    """Return the links that were given for a visit, those that have ended too."""

    def act(session: Transaction) -> RouteResult:
        return RouteResult(GivenLinks.model_validate({"items": service.list_links(session, visit)}))

    return call.read(act)


@router.delete("/v1/links/{link}", status_code=HTTPStatus.NO_CONTENT)
def end_link(link: Identifier, call: Reading) -> Response:
    """End a patient's link, from the next request on."""

    def act(session: Transaction) -> RouteResult:
        service.end_link(session, call.actor, link, call.context.clock())
        return RouteResult(status=HTTPStatus.NO_CONTENT)

    return call.write(act)


async def _hash(context: AppContext, password: str | None, name: str) -> str | None:
    return None if password is None else await context.hashing.run(lambda: hash_password(password, name))
