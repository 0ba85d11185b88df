"""Logging in elsewhere: an issuer that vouches, and every way in which it does not."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from support.service import denials

from api.access.actor import AccessRole
from api.access.oidc import IdentityProvider
from api.context import AppContext
from api.runtime.settings import Settings
from api.services.accounts.accounts import SYSTEM, AccountChange, NewAccount, add_account, change_account

ISSUER = "https://login.example"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Issuer:
    """An identity provider; what it says can be bent."""

    key: RSAKey = field(default_factory=lambda: KEY)
    claims: dict[str, Any] = field(default_factory=dict)
    issuer: str = ISSUER
    is_up: bool = True
    asked: dict[str, str] = field(default_factory=dict)
    nonce: str = ""
    challenge: str = ""
    discovery: Any = None
    token: Any = None
    keys: Any = None

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not self.is_up:
            raise httpx2.ConnectError("down")
        answers = {
            "/.well-known/openid-configuration": self._discovery,
            "/keys": lambda _: self.keys or {"keys": [KEY.as_dict(private=False)]},
            "/token": self._token,
        }
        return httpx2.Response(200, json=answers[request.url.path](request))

    def _discovery(self, _: httpx2.Request) -> Any:
        return self.discovery or {
            "issuer": self.issuer,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }

    def _token(self, request: httpx2.Request) -> Any:
        self.asked = dict(parse_qsl(request.content.decode()))
        challenge = urlsafe_b64encode(hashlib.sha256(self.asked["code_verifier"].encode()).digest()).decode().rstrip("=")
        if (self.asked["code"], challenge) != ("good", self.challenge):
            return {"error": "invalid_grant"}
        now = int(time.time())
        told = {"iss": ISSUER, "sub": "s-1", "aud": "clinic", "iat": now, "exp": now + 60, "nonce": self.nonce} | self.claims
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, told, self.key)
        return self.token or {"access_token": "a", "token_type": "Bearer", "id_token": signed}


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    given = {"oidc_issuer": ISSUER, "oidc_client_id": "clinic", "oidc_client_secret": SecretStr("s3")}
    return settings.model_copy(update=given)


@pytest.fixture
def context(make: Callable[[Settings], AppContext], settings: Settings, issuer: Issuer) -> AppContext:
    context = make(settings)
    context.identity_provider = IdentityProvider(settings, httpx2.MockTransport(issuer))
    with context.database.writing() as session:
        add_account(session, SYSTEM, NewAccount("erin", AccessRole.SCHEDULER, subject="s-1"), None, ISSUER, context.clock())
    return context


def begin(client: TestClient, issuer: Issuer) -> str:
    """Begin to log in, and return the state with which the browser is sent to the issuer."""
    sent = client.get("/v1/oidc/log-in", follow_redirects=False)
    assert sent.status_code == 303 and sent.headers["location"].startswith(f"{ISSUER}/authorize?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", "clinic", "openid")
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/v1/oidc/callback"
    assert asked["code_challenge_method"] == "S256"
    issuer.nonce, issuer.challenge = asked["nonce"], asked["code_challenge"]
    return asked["state"]


def come_back(client: TestClient, state: str, code: str = "good") -> Any:
    return client.get("/v1/oidc/callback", params={"state": state, "code": code}, follow_redirects=False)


def test_whoever_the_issuer_vouches_for_comes_in(client: TestClient, issuer: Issuer) -> None:
    back = come_back(client, begin(client, issuer))
    assert (back.status_code, back.headers["location"]) == (303, "/")
    assert client.get("/v1/sessions/current").json()["role"] == "scheduler"


@pytest.mark.parametrize(
    "bent",
    [
        {"claims": {"sub": "s-2"}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": "another", "azp": "clinic"}},
        {"claims": {"aud": {"clinic": 1}}},
        {"claims": {"exp": "never"}},
        {"claims": {"amr": 5, "sub": ["s-1"]}},
        {"token": 5},
        {"token": ["id_token"]},
        {"token": {"access_token": "a"}},
        {"token": {"access_token": 5, "id_token": 5}},
        {"token": {"access_token": {}, "id_token": {}}},
        {"keys": 5},
        {"keys": {"keys": 5}},
        {"keys": {"keys": [5]}},
        {"keys": {"keys": [{"kty": []}]}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"nonce": "another"}},
        {"claims": {"exp": 1}},
        {"key": OTHER_KEY},
    ],
)
def test_nobody_comes_in_whom_the_issuer_does_not_vouch_for(client: TestClient, issuer: Issuer, bent: dict[str, Any]) -> None:
    state = begin(client, issuer)
    for name, value in bent.items():
        setattr(issuer, name, value)
    assert come_back(client, state).status_code == 401
    assert client.get("/v1/sessions/current").status_code == 401


@pytest.mark.parametrize(
    ("asked", "claims", "status"),
    [
        ({"oidc_acr": "silver gold"}, {"acr": "gold"}, 303),
        ({"oidc_acr": "silver gold"}, {"acr": "bronze"}, 401),
        ({"oidc_acr": "silver gold"}, {"acr": "silver gold"}, 401),
        ({"oidc_acr": "silver"}, {}, 401),
        ({"oidc_amr": "pwd mfa"}, {"amr": ["mfa", "pwd", "otp"]}, 303),
        ({"oidc_amr": "pwd mfa"}, {"amr": ["pwd"]}, 401),
        ({"oidc_amr": "mfa"}, {"amr": "mfa"}, 401),
        ({"oidc_amr": "mfa"}, {"amr": 7}, 401),
        ({"oidc_amr": "mfa"}, {}, 401),
        ({}, {}, 303),
    ],
)
def test_a_log_in_elsewhere_is_as_strong_as_is_asked_for(
    client: TestClient, context: AppContext, settings: Settings, issuer: Issuer, asked: Any, claims: Any, status: int
) -> None:
    context.identity_provider = IdentityProvider(settings.model_copy(update=asked), httpx2.MockTransport(issuer))
    state = begin(client, issuer)
    issuer.claims = claims
    assert come_back(client, state).status_code == status


def test_what_was_not_begun_here_is_not_ended_here(client: TestClient, context: AppContext, issuer: Issuer) -> None:
    state = begin(client, issuer)
    assert come_back(client, "another").status_code == 401
    assert come_back(client, state, "bad").status_code == 401
    assert client.get("/v1/oidc/callback", params={"error": "denied", "state": state}).status_code == 401
    client.cookies.clear()
    assert come_back(client, state).status_code == 401
    assert len(denials(context.database)) == 4


def test_a_made_up_cookie_is_not_believed(client: TestClient, issuer: Issuer) -> None:
    begin(client, issuer)
    forged = urlsafe_b64encode(json.dumps({"state": "x", "nonce": "n", "verifier": "v", "until": 9**12}).encode()).decode()
    client.cookies.clear()
    headers = {"cookie": f"clinicweave_oidc={forged}.signature"}
    answer = client.get("/v1/oidc/callback", params={"state": "x", "code": "good"}, headers=headers)
    assert (answer.status_code, issuer.asked) == (401, {})


def test_a_closed_account_does_not_come_in(client: TestClient, context: AppContext, issuer: Issuer) -> None:
    with context.database.writing() as session:
        row = add_account(session, SYSTEM, NewAccount("fay", AccessRole.ADMIN, subject="s-3"), None, ISSUER, context.clock())
        change_account(session, SYSTEM, row.id, 1, AccountChange(is_active=False), None, context.clock())
    issuer.claims = {"sub": "s-3"}
    assert come_back(client, begin(client, issuer)).status_code == 401


def test_an_issuer_that_is_down_is_said_to_be(client: TestClient, issuer: Issuer) -> None:
    state = begin(client, issuer)
    issuer.is_up = False
    assert come_back(client, state).status_code == 503


def test_an_issuer_of_another_name_is_not_used(client: TestClient, issuer: Issuer) -> None:
    issuer.issuer = "https://evil.example"
    assert client.get("/v1/oidc/log-in", follow_redirects=False).status_code == 503


def test_without_an_issuer_there_is_no_such_log_in(client: TestClient, context: AppContext) -> None:
    context.identity_provider = None
    assert client.get("/v1/oidc/log-in").status_code == 404
    assert client.get("/v1/oidc/callback").status_code == 404


@pytest.mark.parametrize(
    "discovery",
    [
        5,
        {"issuer": None},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "authorization_endpoint": 5, "token_endpoint": f"{ISSUER}/token", "jwks_uri": f"{ISSUER}/keys"},
        {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": [], "jwks_uri": f"{ISSUER}/keys"},
    ],
    ids=str,
)
def test_an_issuer_that_does_not_say_where_to_go_is_not_there(client: TestClient, issuer: Issuer, discovery: Any) -> None:
    issuer.discovery = discovery
    assert client.get("/v1/oidc/log-in", follow_redirects=False).status_code == 503
