"""What is written down: the audit, and tasks for staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, String
from sqlmodel import Field

from api.store.columns import TableRow, Utc

Outcome = Literal["allowed", "denied"]


class AuditRow(TableRow, table=True):
    """One read or write of patient data, or one denial. Ids only. The database refuses to change or remove a row.

    ``hash`` is the SHA-256 of the row with ``previous_hash``, the hash of the row before, so that a row cannot be changed,
    removed or put in without breaking all that follow.
    """

    __tablename__ = "audit"
    __table_args__ = (
        CheckConstraint("outcome IN ('allowed', 'denied')", name="audit_outcome"),
        Index("ix_audit_object", "object_kind", "object_id"),
    )

    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Utc, index=True)
    actor: str = Field(index=True)
    role: str
    action: str
    object_kind: str
    object_id: str
    outcome: Outcome = Field(sa_type=String(8))
    detail: dict[str, Any] = Field(sa_type=JSON)
    previous_hash: str
    hash: str = Field(unique=True)


class TaskRow(TableRow, table=True):
    """Something that a member of staff has to look at. ``words`` are what a patient has written, sealed."""

    __tablename__ = "tasks"

    id: str = Field(primary_key=True)
    kind: str
    subject_kind: str
    subject_id: str
    detail: dict[str, Any] = Field(sa_type=JSON)
    words: bytes | None = Field(default=None, sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=Utc, index=True)
    done_at: datetime | None = Field(default=None, sa_type=Utc)
    done_by: str | None = None
    version: int = 1
