"""Who may come in: accounts, sessions, tokens, patients' links; and the answers kept for repeated requests.

Of a secret only its SHA-256 is kept, hexadecimal; of a password only its argon2 hash.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, LargeBinary, UniqueConstraint
from sqlmodel import Field

from api.store.columns import TableRow, Utc
from api.store.tables.people import ROLE, Role


class AccountRow(TableRow, table=True):
    """A member of staff: a local account has a password, one of an identity provider its issuer and subject.

    After ``failures`` wrong passwords in a row, wherever they came from, an account rests until ``rests_until``: nobody logs in
    from an address that is new to it. ``totp_secret`` is that of its second factor, sealed, and ``totp_step`` the last
    half minute whose code it has taken; ``totp_pending`` is one that is not confirmed yet.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="one_account_for_each_identity"),
        CheckConstraint("role IN ('scheduler', 'clinician', 'patient', 'admin')", name="account_role"),
    )

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    role: Role = Field(sa_type=ROLE)
    provider_id: str | None = Field(default=None, foreign_key="providers.id")
    password_hash: str | None = None
    issuer: str | None = None
    subject: str | None = None
    is_active: bool = True
    failures: int = 0
    rests_until: datetime | None = Field(default=None, sa_type=Utc)
    totp_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    totp_step: int | None = None
    totp_pending: bytes | None = Field(default=None, sa_type=LargeBinary)
    version: int = 1
    created_at: datetime = Field(sa_type=Utc)


class LogInSourceRow(TableRow, table=True):
    """A network address from which somebody has tried to log in to an account: whoever guesses locks out that address alone.

    ``known_since`` is when a log-in from it first succeeded; null before.
    """

    __tablename__ = "log_in_sources"

    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    address: str = Field(primary_key=True)
    failures: int = 0
    rests_until: datetime | None = Field(default=None, sa_type=Utc)
    known_since: datetime | None = Field(default=None, sa_type=Utc)
    changed_at: datetime = Field(sa_type=Utc, index=True)


class EmergencyAccessRow(TableRow, table=True):
    """A patient whom a clinician has opened in need, until ``ends_at``, who is none of theirs. ``reason`` is for the admin."""

    __tablename__ = "emergency_accesses"

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="accounts.id", index=True)
    patient_id: str = Field(foreign_key="patients.id")
    reason: str
    begun_at: datetime = Field(sa_type=Utc, index=True)
    ends_at: datetime = Field(sa_type=Utc)


class SigningKeyRow(TableRow, table=True):
    """The fingerprint of the key that signs for this store: one row."""

    __tablename__ = "signing_keys"

    fingerprint: str = Field(primary_key=True)
    noted_at: datetime = Field(sa_type=Utc)


class SessionRow(TableRow, table=True):
    """A log-in: good until it is revoked, expires, or is idle for too long."""

    __tablename__ = "sessions"

    id: str = Field(primary_key=True)
    secret_hash: str = Field(unique=True)
    account_id: str = Field(foreign_key="accounts.id", index=True)
    created_at: datetime = Field(sa_type=Utc)
    last_seen_at: datetime = Field(sa_type=Utc)
    expires_at: datetime = Field(sa_type=Utc)
    revoked_at: datetime | None = Field(default=None, sa_type=Utc)


class TokenRow(TableRow, table=True):
    """A token of another program, which acts for an account."""

    __tablename__ = "tokens"

    id: str = Field(primary_key=True)
    name: str
    secret_hash: str = Field(unique=True)
    account_id: str = Field(foreign_key="accounts.id", index=True)
    created_at: datetime = Field(sa_type=Utc)
    expires_at: datetime | None = Field(default=None, sa_type=Utc)
    last_used_at: datetime | None = Field(default=None, sa_type=Utc)
    revoked_at: datetime | None = Field(default=None, sa_type=Utc)


class PatientLinkRow(TableRow, table=True):
    """A signed link given to a patient, for one visit; the signature is in the link, what became of it is here."""

    __tablename__ = "patient_links"

    id: str = Field(primary_key=True)
    visit_id: str = Field(foreign_key="visits.id", index=True)
    created_by: str
    created_at: datetime = Field(sa_type=Utc)
    expires_at: datetime = Field(sa_type=Utc)
    last_used_at: datetime | None = Field(default=None, sa_type=Utc)
    revoked_at: datetime | None = Field(default=None, sa_type=Utc)


class IdempotencyRow(TableRow, table=True):
    """The answer to a request, kept in the transaction that did what was asked, and given again to the same request."""

    __tablename__ = "idempotency_keys"

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_digest: str
    status: int
    headers: dict[str, str] = Field(sa_type=JSON)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=Utc, index=True)
