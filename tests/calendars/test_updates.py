"""The message about a changed appointment says what was and what is, or that only a detail has changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from calendars.appointments import Appointment
from calendars.invites import Invitation, make_message, make_scheduling_object
from calendars.mail import make_mail
from calendars.mailbox import Mailbox

NOW = datetime(2026, 11, 27, 16, tzinfo=UTC)
BEFORE = Appointment(
    starts_at=datetime(2026, 12, 1, 14, tzinfo=UTC),
    ends_at=datetime(2026, 12, 1, 15, tzinfo=UTC),
    building="Wang Building",
    within="Suite 340",
    address="15 Parkman Street, Boston",
    arrive_minutes=15,
    arrive_text=None,
    bring=("A list of your medicines.",),
    companion="You may come alone.",
    hold=(),
    recovery_minutes=0,
    timezone="America/New_York",
    clinic="Pain Center",
    phone="617-555-0100",
    clinicians=("Dr. Ada Moss",),
)
HOUR = timedelta(hours=1)


def text_of(**changed: Any) -> str:
    """Return the text of the mail that tells of a change."""
    known = Invitation("u1@clinic", Mailbox("pat@patients.example"), 0, NOW - HOUR, BEFORE)
    message = make_message(known, replace(BEFORE, **changed), NOW)
    assert message is not None
    mail = message_from_bytes(make_mail(message, Mailbox("clinic@clinic.example")), policy=policy.default)
    return str(mail.get_body(("plain",)).get_content())


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {"starts_at": BEFORE.starts_at + HOUR, "ends_at": BEFORE.ends_at + HOUR},
            "Time: Tuesday, December 1, 2026, 10:00 AM to 11:00 AM (before: Tuesday, December 1, 2026, 9:00 AM to 10:00 AM)",
        ),
        (
            {"building": "Waltham", "within": "", "address": "40 Second Avenue"},
            "Place: Waltham, 40 Second Avenue (before: Wang Building, Suite 340, 15 Parkman Street, Boston)",
        ),
        (
            {"ends_at": BEFORE.ends_at + HOUR, "clinicians": ("Dr. Ben Roe", "Cy Lund")},
            "With: Dr. Ben Roe, Cy Lund (before: Dr. Ada Moss)",
        ),
    ],
)
def test_a_new_time_place_or_person_is_told_with_the_one_before(changed: dict[str, Any], line: str) -> None:
    text = text_of(**changed)
    assert text.startswith("Your appointment has changed. It is now on ")
    assert line in text.splitlines()


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        (
            {"bring": ("Your glasses.",)},
            {"What to bring, new: Your glasses.", "What to bring, no longer: A list of your medicines."},
        ),
        ({"companion": "Bring somebody."}, {"Companion: Bring somebody. (before: You may come alone.)"}),
        ({"arrive_minutes": 30}, {"Arrival: 30 minutes before the start (before: 15 minutes before the start)"}),
        ({"hold": ("Do not eat.",)}, {"Medicines, food and drink beforehand, new: Do not eat."}),
    ],
)
def test_where_only_a_detail_has_changed_it_says_so(changed: dict[str, Any], lines: set[str]) -> None:
    text = text_of(**changed)
    assert text.startswith("A detail of your appointment on Tuesday, December 1, 2026, 9:00 AM has changed;")
    assert lines <= set(text.splitlines())
    assert not any(line.startswith(("Time:", "Place:")) for line in text.splitlines())


def invite(**changed: Any) -> list[str]:
    message = make_message(Invitation("u1@clinic", Mailbox("pat@patients.example")), replace(BEFORE, **changed), NOW)
    assert message is not None
    content = make_scheduling_object(message, Mailbox("clinic@clinic.example")).decode()
    return content.replace("\r\n ", "").splitlines()


def test_an_invite_has_the_place_on_a_map_the_desk_the_page_and_the_clinicians() -> None:
    lines = invite(geo=(42.363, -71.069), page="https://clinic.example/mine")
    assert {"GEO:42.363000;-71.069000", "CONTACT:617-555-0100", "URL:https://clinic.example/mine"} <= set(lines)
    description, *_of_alarms = [line for line in lines if line.startswith("DESCRIPTION:")]
    assert "With: Dr. Ada Moss" in description and "https://clinic.example/mine" in description
    (location,) = [line for line in lines if line.startswith("LOCATION:")]
    assert location.endswith("15 Parkman Street\\, Boston")


def test_control_what_is_not_known_is_left_out() -> None:
    lines = invite(phone="", clinicians=())
    assert not any(line.startswith(("GEO", "CONTACT", "URL")) or "With:" in line for line in lines)


def test_another_clinician_alone_is_no_news() -> None:
    known = Invitation("u1@clinic", Mailbox("pat@patients.example"), 0, NOW, BEFORE)
    assert make_message(known, replace(BEFORE, clinicians=("Dr. Ben Roe",)), NOW) is None


def test_what_was_told_is_kept_as_it_was_and_older_notes_are_read() -> None:
    told = replace(BEFORE, geo=(42.363, -71.069), page="https://clinic.example/mine")
    again = Appointment.from_document(told.document())
    assert (again, again.geo, again.clinicians, again.page) == (told, told.geo, told.clinicians, told.page)
    older = {key: value for key, value in told.document().items() if key not in ("geo", "clinicians", "page")}
    assert Appointment.from_document(older) == told
