"""Keys that a program of a hospital keeps at an address of its own: read when it comes in with one that is not known yet.

So a hospital changes its keys without a word to anybody. Only the registered address is read, by https, and rarely: what
somebody claims who has proven nothing yet makes this server ask no other.

References
----------
SMART App Launch 2.2, Client Authentication: Asymmetric (``jwks_url``, ``jku``).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from api.context import AppContext
from api.runtime.fetching import Address, Fetcher, Unfetchable, expect_https, resolve
from api.store.queries import clients
from api.store.tables import ClientRow
from scheduling.errors import Fault, InvalidFile

REST = timedelta(minutes=1)
"""Between two readings of one address."""

MAX_KEYS = 20

MAX_ID_CHARACTERS = 200
"""Of what names a client, or an assertion of theirs."""

log = logging.getLogger(__name__)


def fetch_key_set(context: AppContext, url: str) -> Mapping[str, Any]:
    """Return the keys at an address. Raises ``InvalidFile`` when it cannot be read."""
    try:
        content = _get_fetcher(context, expect_https(url).hostname or "").fetch(url).content
        document = json.loads(content or b"")
    except Unfetchable as error:
        raise InvalidFile("client", [Fault("jwks_url", str(error))]) from None
    except (ValueError, RecursionError):
        raise InvalidFile("client", [Fault("jwks_url", "holds no JSON")]) from None
    return document if isinstance(document, dict) else {}


def find_key_faults(key_set: Mapping[str, Any]) -> list[Fault]:
    """Return what keeps public keys from being used."""
    keys = key_set.get("keys") if isinstance(key_set, Mapping) else None
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        return [Fault("keys", f"must be a JSON Web Key Set with 1 to {MAX_KEYS} keys")]
    faults = []
    for number, key in enumerate(keys):
        place = f"keys[{number}]"
        if not isinstance(key, Mapping) or key.get("kty") not in ("RSA", "EC") or not isinstance(key.get("kid"), str):
            faults.append(Fault(place, "must be a public RSA or EC key with a kid"))
        elif "d" in key:
            faults.append(Fault(place, "is a private key: keep it, and give the public one"))
    if not faults:
        try:
            KeySet.import_key_set(cast("KeySetSerialization", dict(key_set)))
        except (JoseError, ValueError, KeyError, TypeError):
            faults.append(Fault("keys", "cannot be read as keys"))
    return faults


def refresh_keys(context: AppContext, assertion: str) -> None:
    """Read a client's keys again, where it signs by one that is not known and its keys have an address.

    What cannot be read changes nothing: the assertion is then refused as any other that no known key has signed.
    """
    client = _find_signer(context, assertion)
    if client is None or client.jwks_url is None:
        return
    try:
        keys = fetch_key_set(context, client.jwks_url)
        faults = find_key_faults(keys)
    except InvalidFile as error:
        keys, faults = {}, list(error.faults)
    if faults:
        log.warning("the keys of client %s cannot be read again: %s", client.id, faults[0].message)
    with context.database.writing() as session:
        row = clients.get_client(session, client.id)
        row.keys_read_at = context.clock()
        row.key_set = row.key_set if faults else dict(keys)
        session.add(row)


@dataclass(frozen=True)
class ClaimedSigner:
    """Who signed an assertion by which key, as it says itself: nothing of it is proven."""

    issuer: str
    header: Mapping[str, Any]


def read_claimed_signer(assertion: str) -> ClaimedSigner:
    """Read who an assertion says that it is from. Raises ``ValueError`` for whatever is no assertion."""
    try:
        claimed = jws.extract_compact(assertion.encode())
        issuer, header = json.loads(claimed.payload)["iss"], claimed.headers()
    except (JoseError, AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError("this is no signed assertion") from error
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    if not isinstance(issuer, str) or not issuer.isprintable() or len(issuer) > MAX_ID_CHARACTERS:
        raise ValueError("iss is no client")
    return ClaimedSigner(issuer, header)


def _find_signer(context: AppContext, assertion: str) -> ClientRow | None:
    """Return the client whose keys have to be read again for an assertion; None: there is none."""
    try:
        claimed = read_claimed_signer(assertion)
    except ValueError:
        return None
    kid = claimed.header.get("kid")
    with context.database.reading() as session:
        client = clients.find_client(session, claimed.issuer)
    if client is None or not client.is_active or client.jwks_url is None:
        return None
    is_known = any(key.get("kid") == kid for key in client.key_set.get("keys", ()))
    is_early = client.keys_read_at is not None and context.clock() - client.keys_read_at < REST
    return None if is_known or is_early else client


def _get_fetcher(context: AppContext, host: str) -> Fetcher:
    """Return what reads an address: one at a private network address only where the settings name its host."""
    if host.lower() not in context.settings.private_key_hosts:
        return context.fetcher

    def resolve_host(name: str, port: int) -> list[Address]:
        return resolve(name, port) if name == host else []

    return replace(context.fetcher, allowed=lambda address: True, resolve=resolve_host)
