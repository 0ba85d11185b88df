"""A canary's name in every field of a patient: it appears where that patient reads, and nowhere else."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from calendars.appointments import resolve_appointment
from calendars.exports import export_all, make_entry
from calendars.feeds import NOTICES
from calendars.invites import list_messages
from calendars.mail import make_mail, make_subject
from calendars.mailbox import Mailbox
from calendars.uids import Uids
from scheduling.plan import Plan
from scheduling.scenario import Scenario

CANARIES = {"patient-0007": "Quillfeather", "patient-0011": "Okonkwo", "patient-0013": "Underhill"}
CLINIC = Mailbox("appointments@clinic.example", "Center for Pain Medicine")


@pytest.fixture
def marked(scenario_with: Callable[[Callable[[dict[str, Any]], object]], Scenario]) -> Scenario:
    """Return the clinic with each patient's canary in their id, their name and their visits' ids."""

    def mark(content: dict[str, Any]) -> None:
        whole = json.dumps(content)
        for patient, canary in CANARIES.items():
            whole = whole.replace(f'"{patient}"', f'"{canary}"')
        for visit, canary in zip(("visit-1", "visit-2", "visit-3"), CANARIES.values(), strict=True):
            whole = whole.replace(f'"{visit}"', f'"{canary}-visit"')
        content.clear()
        content.update(json.loads(whole))

    return scenario_with(mark)


@pytest.fixture
def marked_plan(plan: Plan) -> Plan:
    canaries = list(CANARIES.values())
    visits = tuple(one.changed(visit=f"{canary}-visit") for one, canary in zip(plan.visits, canaries, strict=True))
    return plan.changed(visits=visits, groups=(plan.groups[0].changed(attendees=tuple(canaries[:2])),))


def seen_in(content: bytes) -> set[str]:
    text = content.decode().replace("\r\n ", "").casefold()
    return {canary for canary in CANARIES.values() if canary.casefold() in text}


def test_no_canary_is_in_any_calendar_of_staff_or_patients(
    marked: Scenario, marked_plan: Plan, uids: Uids, stamp: datetime
) -> None:
    written = dict(export_all(marked, marked_plan, uids, stamp))
    assert {name: seen_in(content) for name, content in written.items() if seen_in(content)} == {}
    assert sum(content.count(b"BEGIN:VEVENT") for content in written.values()) > 15, "control: there is something in them"


def test_no_canary_is_in_any_notice_of_any_kind_of_feed(
    marked: Scenario, marked_plan: Plan, uids: Uids, stamp: datetime
) -> None:
    for item in marked_plan.items(marked):
        entry = make_entry(marked, item, uids, stamp)
        for kind, notice in NOTICES.items():
            assert seen_in(repr(notice(marked.clinic.name, marked.clinic.timezone, entry)).encode()) == set(), kind


def mails(scenario: Scenario, plan: Plan) -> dict[str, list[bytes]]:
    """Return every mail of a publication, of a change of all of it and of its cancellation, by patient."""
    found: dict[str, list[bytes]] = {patient: [] for patient in scenario.patients_by_id}
    now = datetime.fromisoformat("2026-11-20T07:30:00+00:00")
    for item in plan.items(scenario):
        for patient in item.patients:
            box = Mailbox(f"{patient.casefold()}@example.org", scenario.patients_by_id[patient].name)
            begin, end = scenario.grid.utc(item.booking.start), scenario.grid.utc(item.booking.end)
            place = scenario.locations[item.booking.location]
            one, later = (
                resolve_appointment(
                    scenario.clinic.name,
                    scenario.clinic.timezone,
                    item.service,
                    place,
                    begin + timedelta(days=days),
                    end + timedelta(days=days),
                )
                for days in (0, 1)
            )
            told = {}
            for standing in ({"u": (box, one)}, {"u": (box, later)}, {}):
                (message,) = list_messages(told, standing, now)
                told = {"u": message.to_invitation()}
                assert seen_in(make_subject(message).encode()) == set()
                found[patient].append(make_mail(message, CLINIC))
    return found


def test_a_canary_is_in_no_subject_and_in_its_own_patients_mail_alone(marked: Scenario, marked_plan: Plan) -> None:
    for patient, written in mails(marked, marked_plan).items():
        assert written
        for content in written:
            mail = message_from_bytes(content, policy=policy.default)
            parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
            everything = b"\n".join([content, *(part for part in parts if isinstance(part, bytes))])
            assert seen_in(everything) == {patient}, "control: their own name is found"
            assert seen_in(str(mail["Subject"]).encode()) == seen_in(str(mail["Message-ID"]).encode()) == set()


def test_control_a_canary_behind_folding_and_other_capitals_is_seen() -> None:
    assert seen_in(b"SUMMARY:OKON\r\n KWO") == {"Okonkwo"}
    assert seen_in(b64decode(b"T2tvbmt3bw==")) == {"Okonkwo"}
