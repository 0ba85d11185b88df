"""Tokens of hospital systems: SMART Backend Services, and where they learn of it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from api.fhir.capability import make_smart_configuration
from api.http.dependencies import Shared
from api.http.fhir_requests import FORM, ROOT
from api.http.gate import get_address, make_router
from api.http.routes.examples import show_example
from api.http.routes.fhir import TOKEN_PATH
from api.services.accounts.clients import LETTERS, TOKEN_SECONDS, TYPES, TokenRefused, TokenRequest, give_token

router = make_router("fhir")

MAX_FORM_BYTES = 16 * 1024
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class AccessToken(BaseModel):
    """A token for some minutes, told once (RFC 6749, section 5.1)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"access_token": "cwa_…", "token_type": "bearer", "expires_in": 300, "scope": "system/Appointment.rs"}]
        }
    )

    access_token: str
    token_type: str = "bearer"
    expires_in: int = TOKEN_SECONDS
    scope: str


class TokenError(BaseModel):
    """Why there is none (RFC 6749, section 5.2)."""

    error: str
    error_description: str


async def read_token_request(request: Request) -> TokenRequest:
    """Read the form of a token request; of a field that comes twice, the last counts for nothing."""
    try:
        fields = parse_qsl((await request.body()).decode(), max_num_fields=50)
    except ValueError:
        fields = []
    names = [name for name, _ in fields]
    return TokenRequest.of({name: value for name, value in fields if names.count(name) == 1})


REFUSED: dict[int | str, dict[str, Any]] = {400: {"model": TokenError, "description": "It is not given."}}
FORM_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
                "example": {"grant_type": "client_credentials", "scope": "system/Appointment.rs", "client_assertion": "eyJ…"},
            }
        },
    }
}


@router.post(TOKEN_PATH, response_model=AccessToken, responses=REFUSED, openapi_extra=FORM_BODY, max_body_size=MAX_FORM_BYTES)
async def make_token(
    request: Request, context: Shared, asked: Annotated[TokenRequest, Depends(read_token_request)]
) -> Response:
    """Give a program of a hospital system a token for what it has signed by its key."""
    audience = context.settings.public_url.rstrip("/") + TOKEN_PATH
    try:
        granted = await run_in_threadpool(give_token, context, get_address(request), asked, audience)
    except TokenRefused as refusal:
        told = TokenError(error=refusal.error, error_description=refusal.description)
        return JSONResponse(told.model_dump(), 400, NOT_KEPT)
    token = AccessToken(access_token=granted.secret, scope=" ".join(granted.scopes))
    return JSONResponse(token.model_dump(), headers=NOT_KEPT)


CONFIGURATION: dict[int | str, dict[str, Any]] = show_example(make_smart_configuration("https://example.org" + TOKEN_PATH, ()))


@router.get(f"{ROOT}/.well-known/smart-configuration", responses=CONFIGURATION)
def get_smart_configuration(context: Shared) -> dict[str, Any]:
    """Return how programs get their tokens."""
    scopes = tuple(f"system/{kind}.{LETTERS}" for kind in TYPES)
    return make_smart_configuration(context.settings.public_url.rstrip("/") + TOKEN_PATH, scopes)
