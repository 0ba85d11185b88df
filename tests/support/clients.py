"""Programs of hospital systems in tests: a token that lasts, and what may be signed by a key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from api.access.credentials import CLIENT, hash_secret, make_secret
from api.services.accounts.accounts import SYSTEM
from api.services.accounts.clients import LETTERS, TYPES, add_client, expand_scopes
from api.store.database import Database
from api.store.tables import ClientTokenRow

HOSPITAL = "hospital"
EVERYTHING = tuple(f"system/{kind}.{LETTERS}" for kind in TYPES)
KEY = ECKey.generate_key("P-384", {"kid": "first", "use": "sig", "alg": "ES384"}, private=True, auto_kid=False)
OTHER_KEY = ECKey.generate_key("P-384", {"kid": "first"}, private=True, auto_kid=False)


def key_set(*keys: ECKey | RSAKey) -> dict[str, Any]:
    """Return the public keys as a client registers them."""
    return {"keys": [key.as_dict(private=False) for key in keys or (KEY,)]}


def furnish_client(database: Database, now: datetime, *scopes: str, name: str = HOSPITAL) -> str:
    """Let a client come in, and return a token of it that lasts for days."""
    wanted = scopes or EVERYTHING
    secret = make_secret(CLIENT)
    with database.writing() as session:
        add_client(session, SYSTEM, name, key_set(), wanted, now)
        row = ClientTokenRow(
            id=f"token-of-{name}",
            secret_hash=hash_secret(secret),
            client_id=name,
            scopes=sorted(expand_scopes(wanted)),
            expires_at=now + timedelta(days=9),
        )
        session.add(row)
    return secret


def sign(claims: dict[str, Any], key: ECKey | RSAKey = KEY, **header: Any) -> str:
    """Return an assertion."""
    algorithm = header.setdefault("alg", "ES384")
    return jwt.encode({"typ": "JWT", "kid": key.kid, **header}, claims, key, algorithms=[algorithm])


def parameters(**given: dict[str, Any]) -> dict[str, Any]:
    """Return what an operation of FHIR is given; ``_`` in a name stands for ``-``."""
    listed = [{"name": name if name.startswith("_") else name.replace("_", "-"), **value} for name, value in given.items()]
    return {"resourceType": "Parameters", "parameter": listed}


def refer_to(kind: str, identifier: str) -> dict[str, Any]:
    """Return a reference as a parameter has it."""
    return {"valueReference": {"reference": f"{kind}/{identifier}"}}
