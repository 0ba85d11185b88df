"""Programs of hospital systems: which there are, and how one proves who it is and gets a token (SMART Backend Services).

A client signs, by a key of its own, who it is and for whom that is meant; nobody else's key, no shared secret, and no
signature twice. What it gets is a secret for some minutes, which may do what was asked for of what the client may.

References
----------
SMART App Launch 2.2, Backend Services and Client Authentication: Asymmetric; RFC 7523, section 3; RFC 6749, section 5.2.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from sqlmodel import Session

from api.access.actor import NOBODY, UNKNOWN, AccessRole, Actor
from api.access.credentials import CLIENT, hash_secret, make_secret
from api.access.identity import OF_CLIENTS
from api.access.limits import get_network
from api.context import AppContext
from api.services.accounts.client_keys import MAX_ID_CHARACTERS, find_key_faults, read_claimed_signer, refresh_keys
from api.services.records import write_audit
from api.store import audit
from api.store.columns import new_id
from api.store.errors import AlreadyThere
from api.store.queries import clients
from api.store.tables import ClientRow, ClientTokenRow
from scheduling.errors import ClinicweaveError, Fault, InvalidFile

GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS384", "ES384")
"""Signatures that are believed: those that SMART asks every server for; none by a shared secret, and not ``none``."""

TOKEN_SECONDS = 300
ASSERTION_SECONDS = 300
"""Longest life of an assertion, s."""

LEEWAY_SECONDS = 10
"""How far clocks may differ."""

MAX_ASSERTION_CHARACTERS = 8_000

TYPES = (
    "Appointment",
    "HealthcareService",
    "Location",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Schedule",
    "ServiceRequest",
    "Slot",
)
"""Types of resources that there are scopes for."""

LETTERS = "crus"
"""What may be done with a type: create, read, update, search."""

V1_LETTERS = {"read": "rs", "write": "cu", "*": "crus"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
SCOPE = re.compile(r"system/(?P<type>[A-Za-z]+|\*)\.(?P<rights>read|write|\*|c?r?u?d?s?)")


class TokenRefused(ClinicweaveError):
    """A token that is not given; ``error`` is one of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        self.error, self.description = error, description
        super().__init__(error, description)

    def __str__(self) -> str:
        return self.description


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a client asks a token by, as it was sent."""

    grant_type: str
    assertion_type: str
    assertion: str
    scope: str

    @classmethod
    def of(cls, form: Mapping[str, str]) -> TokenRequest:
        """Read a form."""
        names = ("grant_type", "client_assertion_type", "client_assertion", "scope")
        return cls(*(form.get(name, "") for name in names))


@dataclass(frozen=True, slots=True)
class GrantedToken:
    """A token, told once, and what it may do, in the words of SMART."""

    secret: str
    scopes: tuple[str, ...]


def expand_scopes(scopes: Collection[str]) -> frozenset[str]:
    """Return what scopes allow, as ``Appointment.s``; what nobody knows here allows nothing."""
    allowed = set()
    for scope in scopes:
        match = SCOPE.fullmatch(scope)
        if match is not None and match["rights"]:
            letters = V1_LETTERS.get(match["rights"], match["rights"])
            types = TYPES if match["type"] == "*" else (match["type"],)
            allowed |= {f"{name}.{letter}" for name in types if name in TYPES for letter in letters if letter in LETTERS}
    return frozenset(allowed)


def write_scopes(allowed: Collection[str]) -> tuple[str, ...]:
    """Return scopes, one for each type, that allow exactly what is given."""
    letters = {name: "".join(letter for letter in LETTERS if f"{name}.{letter}" in allowed) for name in TYPES}
    return tuple(f"system/{name}.{rights}" for name, rights in letters.items() if rights)


def add_client(
    session: Session,
    by: Actor,
    identifier: str,
    key_set: Mapping[str, Any],
    scopes: Collection[str],
    now: datetime,
    jwks_url: str | None = None,
) -> ClientRow:
    """Let a program of a hospital system come in by its keys.

    Parameters
    ----------
    jwks_url
        Where the keys were read, and are read again when it comes in with another; None: there are no others.

    Raises
    ------
    InvalidFile
        When its name, keys or scopes cannot be used.
    AlreadyThere
        When there is one of that name.
    """
    faults = [
        Fault("scopes", f'"{scope}" is no scope of a type that is known here') for scope in scopes if not expand_scopes([scope])
    ]
    if not NAME.fullmatch(identifier):
        faults.append(Fault("name", "must be letters, digits and . _ -, at most 60"))
    if not scopes:
        faults.append(Fault("scopes", "a client without any could do nothing"))
    faults += find_key_faults(key_set)
    if faults:
        raise InvalidFile("client", faults)
    if clients.find_client(session, identifier) is not None:
        raise AlreadyThere(f'client "{identifier}"')
    read_at = None if jwks_url is None else now
    row = ClientRow(
        id=identifier,
        key_set=dict(key_set),
        jwks_url=jwks_url,
        keys_read_at=read_at,
        scopes=sorted(set(scopes)),
        created_at=now,
    )
    session.add(row)
    session.flush()
    write_audit(session, by, "client.add", "client", identifier, now, scopes=row.scopes)
    return row


def end_client(session: Session, by: Actor, identifier: str, now: datetime) -> None:
    """Let a client in no more; its tokens end at once. Raises ``UnknownId``."""
    row = clients.get_client(session, identifier)
    row.is_active = False
    row.version += 1
    session.add(row)
    clients.revoke_tokens(session, identifier)
    write_audit(session, by, "client.end", "client", identifier, now)


def give_token(context: AppContext, address: str, request: TokenRequest, audience: str) -> GrantedToken:
    """Give a client a token for what it has signed.

    Parameters
    ----------
    address
        The network address that asks: whoever fails too often is made to wait.
    audience
        The address of the token endpoint, for which an assertion has to be meant.

    Raises
    ------
    TokenRefused
        When it does not prove who it is, or asks for nothing that it may do.
    TooMany
        When this address has failed too often.
    """
    now = context.clock()
    if request.grant_type != GRANT_TYPE:
        raise TokenRefused("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}")
    refresh_keys(context, request.assertion[:MAX_ASSERTION_CHARACTERS])
    try:
        with context.database.writing() as session:
            clients.delete_expired(session, now)
            client = _verify(session, request, audience, now)
            return _open_token(session, client, request.scope, now)
    except TokenRefused as refusal:
        context.log_ins.take(f"token for {get_network(address)}")
        denial = audit.AuditEntry(UNKNOWN, NOBODY, "client.token", "client", "", "denied", {"reason": refusal.error})
        with context.database.writing() as session:
            audit.append(session, denial, now)
        raise


def _open_token(session: Session, client: ClientRow, wanted: str, now: datetime) -> GrantedToken:
    allowed = expand_scopes(wanted.split()) & expand_scopes(client.scopes)
    if not allowed:
        raise TokenRefused("invalid_scope", "the client is allowed nothing of what it asks for")
    secret = make_secret(CLIENT)
    row = ClientTokenRow(
        id=new_id(),
        secret_hash=hash_secret(secret),
        client_id=client.id,
        scopes=sorted(allowed),
        expires_at=now + timedelta(seconds=TOKEN_SECONDS),
    )
    session.add(row)
    actor = Actor(f"{OF_CLIENTS}{client.id}", AccessRole.SYSTEM, row.id)
    write_audit(session, actor, "client.token", "client", client.id, now)
    return GrantedToken(secret, write_scopes(allowed))


def _verify(session: Session, request: TokenRequest, audience: str, now: datetime) -> ClientRow:
    """Return the client that has signed an assertion. Raises ``TokenRefused``."""
    if request.assertion_type != ASSERTION_TYPE or len(request.assertion) > MAX_ASSERTION_CHARACTERS:
        raise TokenRefused("invalid_client", "a signed assertion of who asks is needed")
    try:
        claimed = read_claimed_signer(request.assertion)
        client = _find_claimed(session, claimed.issuer)
        if "kid" not in claimed.header or claimed.header.get("jku", client.jwks_url) != client.jwks_url:
            raise TokenRefused("invalid_client", "the header must name one of the client's registered keys")
        keys = KeySet.import_key_set(cast("KeySetSerialization", client.key_set))
        claims = jwt.decode(request.assertion, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise TokenRefused("invalid_client", "the assertion is not signed by a key of the client") from error
    expires_at = _check_claims(claims, client.id, audience, now)
    if not clients.use_assertion(session, client.id, claims["jti"], expires_at + timedelta(seconds=LEEWAY_SECONDS)):
        raise TokenRefused("invalid_client", "the assertion was used before")
    return client


def _find_claimed(session: Session, issuer: str) -> ClientRow:
    client = clients.find_client(session, issuer)
    if client is None or not client.is_active:
        raise TokenRefused("invalid_client", "the assertion is not signed by a key of the client")
    return client


def _check_claims(claims: Mapping[str, Any], client: str, audience: str, now: datetime) -> datetime:
    """Return until when an assertion is good. Raises ``TokenRefused``."""
    meant_for = claims.get("aud")
    if claims.get("iss") != client or claims.get("sub") != client:
        raise TokenRefused("invalid_client", "iss and sub must be the client")
    if audience not in (meant_for if isinstance(meant_for, list) else [meant_for]):
        raise TokenRefused("invalid_client", f"aud must be {audience}")
    identifier, expires = claims.get("jti"), claims.get("exp")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= MAX_ID_CHARACTERS:
        raise TokenRefused("invalid_client", "jti is needed")
    present = now.timestamp()
    if not isinstance(expires, int | float) or expires + LEEWAY_SECONDS <= present:
        raise TokenRefused("invalid_client", "the assertion has run out")
    if expires > present + ASSERTION_SECONDS + LEEWAY_SECONDS:
        raise TokenRefused("invalid_client", f"exp must be at most {ASSERTION_SECONDS} s ahead")
    for name in ("nbf", "iat"):
        begins = claims.get(name)
        if begins is not None and (not isinstance(begins, int | float) or begins > present + LEEWAY_SECONDS):
            raise TokenRefused("invalid_client", "the assertion is of the future")
    return datetime.fromtimestamp(expires, UTC)
