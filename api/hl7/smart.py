"""Our tokens at partners' FHIR servers (SMART Backend Services): we sign who we are by a key that they know.

References
----------
SMART App Launch 2.2, Backend Services and Client Authentication: Asymmetric; RFC 7523, section 3.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from api.hl7.client import Unanswered
from api.hl7.fhir_requests import FhirRequests
from api.hl7.partners import Fhir
from scheduling.errors import Fault, InvalidFile

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "system/Appointment.crus system/Patient.rs"
"""What we ask for, in the words of version 2; a server of version 1 gives what it knows of them."""

ASSERTION_SECONDS = 240
"""How long what we sign is good: SMART allows 300 s, and clocks differ."""

USUAL_TOKEN_SECONDS = 300
SPARE_SECONDS = 30
"""A token is used no more so long before it ends."""

OAUTH_ERRORS = ("invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "unauthorized_client")
"""What may be wrong, by RFC 6749, section 5.2; nothing else that a server says is shown."""

ALGORITHMS = {"RSA": "RS384", "EC": "ES384"}


def load_key(file: Path) -> RSAKey | ECKey:
    """Return our private key: a JSON Web Key with its ``kid``. Raises ``InvalidFile``."""
    try:
        key = import_key(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
        raise InvalidFile(str(file), [Fault("", f"is no JSON Web Key: {type(error).__name__}")]) from None
    if not isinstance(key, RSAKey | ECKey) or not key.is_private or not key.kid:
        raise InvalidFile(str(file), [Fault("", "must be a private RSA or EC key with a kid")])
    return key


class TokenSource:
    """Gives the header by which a server knows us; it asks for a token when there is none, or it ends soon."""

    def __init__(self, requests: FhirRequests, fhir: Fhir, folder: Path) -> None:
        self._requests, self._fhir = requests, fhir
        self._key = None if fhir.key is None else load_key(folder / fhir.key)
        self._token, self._ends_at = "", 0.0

    async def get_headers(self) -> dict[str, str]:
        """Return the header; none where the server asks for no token. Raises ``Unanswered``."""
        if self._key is None:
            return {}
        if time.monotonic() >= self._ends_at:
            await self._renew(self._key)
        return {"Authorization": f"Bearer {self._token}"}

    def forget(self) -> None:
        """Ask for another token next time."""
        self._ends_at = 0.0

    async def _renew(self, key: RSAKey | ECKey) -> None:
        address = self._fhir.token_url or await self._find_token_url()
        form = {
            "grant_type": "client_credentials",
            "scope": SCOPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": make_assertion(key, str(self._fhir.client), address),
        }
        answer = await self._requests.send("POST", address, form=form)
        token = answer.document.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token.isascii() or not token.isprintable():
            reason = str(answer.document.get("error", ""))[:60]
            raise Unanswered(
                f"no token is given: {answer.status} {reason if reason.isascii() and reason.isprintable() else ''}"
            )
        lasts = answer.document.get("expires_in", USUAL_TOKEN_SECONDS)
        seconds = lasts if isinstance(lasts, int | float) else USUAL_TOKEN_SECONDS
        self._token, self._ends_at = token, time.monotonic() + max(0.0, seconds - SPARE_SECONDS)

    async def _find_token_url(self) -> str:
        answer = await self._requests.send("GET", f"{self._fhir.url}/.well-known/smart-configuration")
        address = answer.document.get("token_endpoint")
        if answer.status != 200 or not isinstance(address, str):
            raise Unanswered("its .well-known/smart-configuration names no token_endpoint; token_url can")
        if not Fhir.is_safe(address):
            raise Unanswered("its token_endpoint is no https address")
        return address


def make_assertion(key: RSAKey | ECKey, client: str, address: str) -> str:
    """Return who we are, signed, for a token endpoint; good for once, and for some minutes."""
    algorithm, now = ALGORITHMS[key.key_type], int(time.time())
    claims = {"iss": client, "sub": client, "aud": address, "iat": now, "exp": now + ASSERTION_SECONDS, "jti": str(uuid4())}
    return jwt.encode({"alg": algorithm, "typ": "JWT", "kid": key.kid}, claims, key, algorithms=[algorithm])
