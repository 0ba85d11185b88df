"""What partners were told of bookings, and the HL7 messages that went out and came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, String, UniqueConstraint, text
from sqlmodel import Field

from api.store.columns import TableRow, Utc

OutState = Literal["sending", "waiting", "parked", "sent"]
InState = Literal["received", "done", "task", "refused"]


class MirrorRow(TableRow, table=True):
    """What a partner knows of a booking: ``told``, the appointment of each patient by id, as it was acknowledged.

    ``version`` is that of the booking which the partner is known to know; another one means that there may be news.
    """

    __tablename__ = "hl7_mirrors"

    partner: str = Field(primary_key=True)
    booking_id: str = Field(primary_key=True, foreign_key="bookings.id", index=True)
    version: int = 0
    told: dict[str, Any] = Field(sa_type=JSON)


class PlacerRow(TableRow, table=True):
    """The number that a partner gave to what it asked for: an episode or a visit."""

    __tablename__ = "hl7_placers"

    partner: str = Field(primary_key=True)
    subject_kind: str = Field(primary_key=True)
    subject_id: str = Field(primary_key=True)
    placer: str


class OutMessageRow(TableRow, table=True):
    """One message to a partner about one patient's booking; ``id`` is its MSH-10, ``tells`` the appointment that it says.

    It is made of this alone, so that it is the same however often it is sent. At most one of a partner is being sent: that
    which is ``sending``, and may have arrived. ``waiting`` is one that the partner has put off, ``parked`` one that it refused.
    """

    __tablename__ = "hl7_messages_out"
    __table_args__ = (
        Index(
            "one_sending_for_each_partner",
            "partner",
            unique=True,
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index("ix_hl7_messages_out_state", "partner", "state"),
        CheckConstraint("state IN ('sending', 'waiting', 'parked', 'sent')", name="hl7_out_state"),
    )

    id: str = Field(primary_key=True)
    partner: str
    booking_id: str = Field(foreign_key="bookings.id", index=True)
    patient_id: str = Field(foreign_key="patients.id")
    trigger: str
    tells: dict[str, Any] = Field(sa_type=JSON)
    state: OutState = Field(default="sending", sa_type=String(8))
    attempts: int = 0
    due_at: datetime = Field(sa_type=Utc)
    reason: str | None = None
    created_at: datetime = Field(sa_type=Utc, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)


class InMessageRow(TableRow, table=True):
    """One message of a partner; ``content`` is sealed, ``answer`` what was answered, and is answered again to the same message.

    ``parts_done`` counts what has been done of a message that asks for several things.
    """

    __tablename__ = "hl7_messages_in"
    __table_args__ = (
        UniqueConstraint("partner", "control_id", name="one_message_for_each_control_id"),
        Index("ix_hl7_messages_in_state", "state", "number"),
        CheckConstraint("state IN ('received', 'done', 'task', 'refused')", name="hl7_in_state"),
    )

    number: int | None = Field(default=None, primary_key=True)
    partner: str
    control_id: str
    digest: str
    kind: str
    content: bytes = Field(sa_type=LargeBinary)
    answer: bytes = Field(sa_type=LargeBinary)
    state: InState = Field(default="received", sa_type=String(8))
    parts_done: int = 0
    reason: str | None = None
    received_at: datetime = Field(sa_type=Utc, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)
