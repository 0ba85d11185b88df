"""Staff who log in elsewhere: OpenID Connect, the authorization code flow with PKCE.

The issuer says who somebody is, the account here says what they may do: without an account that has their subject nobody
comes in.

References
----------
OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 is left to the issuer.
"""

from __future__ import annotations

import json
import math
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, cast

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from api.access.credentials import Signer
from api.runtime.exceptions import Unauthenticated, Unavailable
from api.runtime.settings import Settings

STATE_COOKIE = "clinicweave_oidc"
STATE_SECONDS = 600
"""How long somebody may take to log in at the issuer."""

ANSWER_SECONDS = 5.0
BACK_OFF_SECONDS = (2.0, 60.0)
"""How long an issuer that did not answer is not asked again: at first, and at most; doubled by each failure."""

POOL_THREADS, POOL_PLACES = 2, 16
"""How many ask the issuer at once, and wait."""

NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
"""What an issuer has to say of itself (OpenID Connect Discovery 1.0, section 3)."""

LEEWAY_SECONDS = 60
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures of the issuer that are believed: none by a shared secret, and not ``none``."""


@dataclass(frozen=True, slots=True)
class PendingLogIn:
    """A log-in that has begun: kept by the browser in a signed cookie."""

    state: str
    nonce: str
    verifier: str
    until: int


class IdentityProvider:
    """The issuer of the staff's identities.

    Parameters
    ----------
    settings
        With issuer, client id and secret.
    transport
        How it is reached; tests give their own.
    clock
        Returns seconds that never run backwards.
    """

    def __init__(
        self,
        settings: Settings,
        transport: httpx2.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert settings.oidc_issuer is not None
        self.issuer = settings.oidc_issuer.rstrip("/")
        self._settings = settings
        self._transport = transport
        self._lock = Lock()
        self._metadata: dict[str, Any] = {}
        self._clock = clock
        self._failures = 0
        self._asked_again_at = -math.inf

    def begin(self) -> tuple[str, PendingLogIn]:
        """Return where to send the browser, and what to keep until it is back."""
        begun = PendingLogIn(generate_token(32), generate_token(32), generate_token(64), int(time.time()) + STATE_SECONDS)
        with self._client() as client:
            asked = {"acr_values": self._settings.oidc_acr} if self._settings.oidc_acr else {}
            address, _ = client.create_authorization_url(
                self._discovered()["authorization_endpoint"],
                **asked,
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return address, begun

    def subject(self, begun: PendingLogIn, state: str, code: str) -> str:
        """Return who has come back from the issuer with a code: the value of the claim that accounts are known by.

        Raises
        ------
        Unauthenticated
            When what came back is not the answer to what was begun, or the issuer does not vouch for it.
        Unavailable
            When the issuer does not answer.
        """
        if begun.state != state or begun.until < time.time():
            raise Unauthenticated("this log-in was not begun here, or took too long")
        try:
            provider = self._discovered()
            with self._asking(), self._client() as client:
                token = client.fetch_token(provider["token_endpoint"], code=code, code_verifier=begun.verifier)
                keys = KeySet.import_key_set(cast(KeySetSerialization, _read(client, provider["jwks_uri"])))
            return self._claim(token, keys, begun.nonce)
        except (AuthlibBaseError, JoseError, KeyError, TypeError, ValueError) as error:  # JSON of any shape may have come
            raise Unauthenticated("the identity provider does not vouch for this log-in") from error

    def _claim(self, token: dict[str, Any], keys: KeySet, nonce: str) -> str:
        decoded = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
        expected = {"iss": self._discovered()["issuer"], "aud": self._settings.oidc_client_id}
        options = {name: {"essential": True, "value": value} for name, value in expected.items()}
        params = {"nonce": nonce, "client_id": self._settings.oidc_client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(leeway=LEEWAY_SECONDS)
        wanted, present = self._settings.oidc_amr.split(), claims.get("amr", [])
        if self._settings.oidc_acr and claims.get("acr") not in self._settings.oidc_acr.split():
            raise Unauthenticated("the identity provider says that this log-in is not strong enough (acr)")
        if wanted and not (isinstance(present, list) and set(wanted) <= set(map(str, present))):
            raise Unauthenticated("the identity provider says that this log-in is not strong enough (amr)")
        return str(claims[self._settings.oidc_claim])

    def _discovered(self) -> dict[str, Any]:
        with self._lock:
            if not self._metadata:
                try:
                    with self._asking(), self._client() as client:
                        document = _read(client, f"{self.issuer}/.well-known/openid-configuration")
                except ValueError as error:
                    raise Unavailable("the identity provider does not answer") from error
                if not all(isinstance(document.get(name), str) for name in NEEDED):
                    raise Unavailable("the identity provider does not say where it is asked")
                if document["issuer"].rstrip("/") != self.issuer:
                    raise Unavailable("the identity provider calls itself by another name")
                self._metadata = document
            return self._metadata

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask the issuer, unless it has just not answered: who would wait for nothing hears so at once."""
        if self._clock() < self._asked_again_at:
            raise Unavailable("the identity provider does not answer")
        try:
            yield
        except httpx2.HTTPError as error:
            first, most = BACK_OFF_SECONDS
            self._asked_again_at = self._clock() + min(most, first * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            raise Unavailable("the identity provider does not answer") from error
        self._failures = 0

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self._settings.oidc_client_id,
            self._settings.oidc_client_secret.get_secret_value() or None,
            scope="openid",
            redirect_uri=f"{self._settings.public_url.rstrip('/')}/v1/oidc/callback",
            code_challenge_method="S256",
            timeout=ANSWER_SECONDS,
            transport=self._transport,
        )


def make_cookie(begun: PendingLogIn, signer: Signer) -> str:
    """Return the cookie of a log-in that has begun."""
    content = urlsafe_b64encode(json.dumps(asdict(begun)).encode()).decode()
    return f"{content}.{signer.signature('oidc', content)}"


def read_cookie(cookie: str, signer: Signer) -> PendingLogIn:
    """Return the log-in that a cookie tells of.

    Raises
    ------
    Unauthenticated
        When the cookie is none of ours.
    """
    content, _, signature = cookie.partition(".")
    if not signer.is_signature(signature, "oidc", content):
        raise Unauthenticated("this log-in was not begun here")
    return PendingLogIn(**json.loads(urlsafe_b64decode(content)))


def _read(client: OAuth2Client, address: str) -> dict[str, Any]:
    answer = client.request("GET", address, withhold_token=True)
    answer.raise_for_status()
    document = answer.json()
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document
