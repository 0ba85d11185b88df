"""The secrets by which callers are known, and how they are kept: as hashes only.

A secret says by its prefix what it is: ``cws_`` a session, ``cwt_`` a program's token, ``cwa_`` that of a hospital system,
``cwl_`` a patient's link, ``cwf_`` a feed. Sessions, tokens and staff's feeds are 256 random bits, so a plain hash of them
cannot be searched for. A link and a patient's feed are signed instead: they name their state in the store, and a key that the
database does not have vouches for it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken

SESSION, TOKEN, CLIENT, LINK, FEED = "cws_", "cwt_", "cwa_", "cwl_", "cwf_"

MAX_CHARACTERS = 200
"""Longest secret that is looked at."""


def make_secret(prefix: str) -> str:
    """Make a session's or token's secret."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Return what is kept of a session's or token's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


MAX_LIFE = timedelta(days=400)
"""Longest life of what is good without a log-in: patients' links, and feeds."""


class Signer:
    """Vouches with one key for what was handed out: links, the states of a log-in elsewhere, kept answers."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._box = Fernet(urlsafe_b64encode(self._derived("answers")))

    @property
    def fingerprint(self) -> str:
        """What tells this key from others, and nothing else of it."""
        return self._derived("fingerprint").hex()[:32]

    def link(self, identifier: str, visit: str) -> str:
        """Return the secret of a patient's link."""
        return f"{LINK}{identifier}.{self.signature('link', identifier, visit)}"

    def link_id(self, secret: str) -> str:
        """Return which link a secret claims to be; :meth:`is_link` says whether it is."""
        return secret.removeprefix(LINK).partition(".")[0]

    def is_link(self, secret: str, identifier: str, visit: str) -> bool:
        """Say whether a secret is that of a link."""
        return secret.startswith(f"{LINK}{identifier}.") and self.is_signature(
            secret.partition(".")[2], "link", identifier, visit
        )

    def feed(self, identifier: str, patient: str) -> str:
        """Return the secret of a patient's own feed."""
        return f"{FEED}{identifier}.{self.signature('feed', identifier, patient)}"

    def is_feed(self, secret: str, identifier: str, patient: str) -> bool:
        """Say whether a secret is that of a patient's feed."""
        return secret.startswith(f"{FEED}{identifier}.") and self.is_signature(
            secret.partition(".")[2], "feed", identifier, patient
        )

    def signature(self, purpose: str, *parts: str) -> str:
        """Sign parts for one purpose; lengths go with them, so that no two lists of parts look alike."""
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return urlsafe_b64encode(hmac.digest(self._derived(purpose), text.encode(), "sha256")).decode().rstrip("=")

    def is_signature(self, signature: str, purpose: str, *parts: str) -> bool:
        """Say whether a signature is the one of these parts, in constant time."""
        return hmac.compare_digest(signature.encode(), self.signature(purpose, *parts).encode())

    def sealed(self, content: bytes) -> bytes:
        """Encrypt what is kept for a while."""
        return self._box.encrypt(content)

    def opened(self, content: bytes) -> bytes | None:
        """Decrypt what :meth:`sealed` made; None when another key did."""
        try:
            return self._box.decrypt(content)
        except InvalidToken:
            return None

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self._key, purpose.encode(), "sha256")
