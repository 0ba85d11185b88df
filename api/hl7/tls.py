"""TLS by the certificates that ``partners.toml`` names."""

from __future__ import annotations

import ssl
from pathlib import Path

from api.hl7.partners import Tls
from scheduling.errors import Fault, InvalidFile


def server_tls(tls: Tls | None, folder: Path) -> ssl.SSLContext | None:
    """Return how partners are spoken to that connect; where authorities are named, each needs a certificate of theirs.

    Raises
    ------
    InvalidFile
        When a certificate cannot be used.
    """
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if tls.authorities is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return _loaded(context, tls, folder)


def client_tls(tls: Tls | None, folder: Path) -> ssl.SSLContext | None:
    """Return how a partner is spoken to that we connect to. Raises ``InvalidFile``."""
    return None if tls is None else _loaded(ssl.create_default_context(), tls, folder)


def _loaded(context: ssl.SSLContext, tls: Tls, folder: Path) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if tls.authorities is not None:
            context.load_verify_locations(folder / tls.authorities)
        if tls.certificate is not None:
            context.load_cert_chain(folder / tls.certificate, None if tls.key is None else folder / tls.key)
    except (ssl.SSLError, OSError) as error:
        raise InvalidFile("partners", [Fault("tls", f"a certificate or key cannot be used: {error.strerror}")]) from None
    return context
