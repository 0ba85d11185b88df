"""What an operator should know of a service that runs, though it serves: another key than the store's, an open audit."""

from __future__ import annotations

import logging

from api.context import AppContext
from api.store.audit_protection import is_protected
from api.store.queries import signing_keys

log = logging.getLogger(__name__)

OTHER_KEY = "the key that signs is not the one of this store: links, feeds of patients and second factors of before do not hold"
OPEN_AUDIT = "the database's role of this service may change the audit; clinicweave audit protect tells how to prevent it"
NO_TLS = "CLINICWEAVE_PUBLIC_URL is no https address: passwords and patients' data go unencrypted"


def warn(context: AppContext, accepts_key: bool = False) -> None:
    """Find what is to be warned of, and keep it for who asks whether the service is ready; each is logged once.

    Parameters
    ----------
    accepts_key
        Whether the present key is the store's from now on.
    """
    fingerprint = context.signer.fingerprint
    with context.database.writing() as session:
        known = signing_keys.note_fingerprint(session, fingerprint, context.clock(), accepts_key)
    found = {
        OTHER_KEY: known != fingerprint,
        OPEN_AUDIT: is_protected(context.database) is False,
        NO_TLS: not context.settings.is_private,
    }
    context.warnings[:] = [warning for warning, holds in found.items() if holds]
    for warning in context.warnings:
        log.warning("%s", warning)
