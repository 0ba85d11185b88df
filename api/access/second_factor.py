"""A second factor beside the password: codes of six digits that an app makes anew every half minute.

References
----------
RFC 6238 (TOTP), section 5.2: a code is taken once, and one step before and after is allowed for.
"""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest

import pyotp

from api.access.credentials import Signer
from api.store.tables import AccountRow

STEP_SECONDS = 30
STEPS_AROUND = 1
"""How far the clock of whoever logs in may be from ours."""

ISSUER = "Clinicweave"


def make_pending(signer: Signer, account: AccountRow) -> tuple[str, str]:
    """Give an account a second factor that waits for its first code; return its secret, and that as an address for apps."""
    secret = pyotp.random_base32()
    account.totp_pending = signer.sealed(secret.encode())
    return secret, _make_address(account, secret)


def find_pending(signer: Signer, account: AccountRow) -> tuple[str, str] | None:
    """Return the secret that waits for its first code, and that as an address for apps; None where none does."""
    opened = None if account.totp_pending is None else signer.opened(account.totp_pending)
    return None if opened is None else (opened.decode(), _make_address(account, opened.decode()))


def _make_address(account: AccountRow, secret: str) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name=ISSUER)


def confirm(signer: Signer, account: AccountRow, code: str, now: datetime) -> bool:
    """Make the pending second factor the one that counts, by its first code; return whether it was the right one."""
    step = _find_step(signer, account.totp_pending, code, now)
    if step is None:
        return False
    account.totp_secret, account.totp_pending, account.totp_step = account.totp_pending, None, step
    return True


def accept_code(signer: Signer, account: AccountRow, code: str, now: datetime) -> bool:
    """Take a code, and remember that it was taken; return whether it is right and new."""
    step = _find_step(signer, account.totp_secret, code, now)
    if step is None or step <= (account.totp_step or 0):
        return False
    account.totp_step = step
    return True


def _find_step(signer: Signer, sealed: bytes | None, code: str, now: datetime) -> int | None:
    """Return the step whose code it is; None when it is none of those around now."""
    secret = None if sealed is None else signer.opened(sealed)
    if secret is None:
        return None
    totp, present = pyotp.TOTP(secret.decode()), int(now.timestamp()) // STEP_SECONDS
    steps = range(present - STEPS_AROUND, present + STEPS_AROUND + 1)
    return next((step for step in steps if compare_digest(totp.generate_otp(step).encode(), code.encode())), None)
