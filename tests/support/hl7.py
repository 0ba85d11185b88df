"""Sample HL7 messages: made here, and those of others beside the project."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.hl7.appointments import PartnerAppointment

NINE = datetime(2026, 11, 30, 14, tzinfo=UTC)
"""A Monday's 09:00 in New York."""

APPOINTMENT = PartnerAppointment(
    id="v-1",
    patient="pat",
    service="follow-up",
    starts_at=NINE,
    ends_at=NINE + timedelta(minutes=45),
    location="wang",
    room="wang-1",
    team=("ana", "ben"),
    supervisors=("dee",),
    equipment=("ultrasound",),
    priority="urgent",
)

EVIL_NAME = "O'Brien|A^B&C~D\\E<CR>PID|2||evil".replace("<CR>", "\r")
"""A name that begins fields, components and a segment where it is not escaped."""


def siu(trigger: str = "S12", *, control_id: str = "M1", visit: str = "v-1", status: str = "Booked", **fields: str) -> str:
    """Return a small scheduling message; ``fields`` replace SCH-1, SCH-9, TQ1-7 and MSH-3."""
    start, minutes = fields.get("start", "20261130093000-0600"), fields.get("minutes", "30")
    return "\r".join(
        (
            f"MSH|^~\\&|{fields.get('sender', 'EHR')}|HOSPITAL|CLINICWEAVE|CLINIC|20261129120000-0600||SIU^{trigger}^SIU_S12|"
            f"{control_id}|P|2.5.1",
            f"SCH|{fields.get('placer', '')}|{visit}^CLINICWEAVE||||Add|||{minutes}|min|||||||||||||||{status}",
            f"TQ1|||||||{start}",
            "PID|1||p-1^^^HOSPITAL^MR||Doe^Jane",
            "",
        )
    )


def find_peers() -> Path:
    """Return the folder of others' sample files, which may be absent."""
    return Path(os.environ.get("CLINICWEAVE_PEERS") or Path(__file__).parents[2].parent / "shared" / "peers")


def peers(folder: str, pattern: str = "*") -> list[Path]:
    """Return others' sample files; skips where they are not beside the project."""
    root = find_peers()
    if not (root / folder).is_dir():
        pytest.skip(f"the samples of {folder} are not beside the project; CLINICWEAVE_PEERS can name their folder")
    return sorted((root / folder).glob(pattern))
