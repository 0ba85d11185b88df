"""A visit is booked, moved and cancelled by the service's own routes, by FHIR and by HL7: what comes of it is the same.

Each door has a store of its own; after every step the stores, the audit of the use cases, the mail and the calendars are held
against each other.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from sqlmodel import select
from support.clients import furnish_client, parameters, refer_to
from support.factories import at
from support.frontdesk import FrontDesk, front_desk
from support.hl7 import siu
from support.hospital import Hospital
from support.outbox import give_addresses, send_all
from support.partners import partner
from support.samples import published_week
from support.service import bearer

from api.hl7.acks import read_ack
from api.hl7.inbox import Inbox
from api.hl7.partners import Partners
from api.hl7.worker import InboxWorker
from api.services.calendars.contents import render_calendar
from api.store.audit import list_entries
from api.store.tables import BookingRow, OccupancyRow

VISIT, PATIENT = "own-waiting", "rae"
FIRST, SECOND = "WE 09:00", "TH 10:00"
USE_CASES = ("booking.", "visit.", "patient.")
LOOPBACK = "127.0.0.1"


class Door(ABC):
    """A way to book, move and cancel the visit."""

    def __init__(self, desk: FrontDesk) -> None:
        self.desk = desk

    @abstractmethod
    def book(self, start: str) -> None:
        """Give the visit its first place."""

    @abstractmethod
    def move(self, start: str) -> None:
        """Give it another one."""

    @abstractmethod
    def cancel(self) -> None:
        """Give it up."""


class OwnRoutes(Door):
    """The service's own JSON."""

    def book(self, start: str) -> None:
        assert self.desk.book(VISIT, start).status_code == 201

    def move(self, start: str) -> None:
        assert self.desk.move(VISIT, start).status_code == 200

    def cancel(self) -> None:
        assert self.desk.cancel(VISIT).status_code == 200


class Fhir(Door):
    """A hospital system that speaks FHIR."""

    def __init__(self, desk: FrontDesk) -> None:
        super().__init__(desk)
        self.hospital = Hospital(desk, bearer(furnish_client(desk.context.database, desk.clock())))

    def book(self, start: str) -> None:
        begin = f"{at(start)}:00-05:00"
        wanted = parameters(
            start={"valueDateTime": begin},
            end={"valueDateTime": begin.replace(":00:00-", ":40:00-")},
            appointment_reference=refer_to("Appointment", VISIT),
            patient_reference=refer_to("Patient", PATIENT),
            location_reference=refer_to("Location", "wang-exam-1"),
        )
        found = self.hospital.ask("POST", "Appointment/$find", wanted).json()["entry"][0]["resource"]["id"]
        taken = parameters(appointment_reference=refer_to("Appointment", found))
        assert self.hospital.ask("POST", "Appointment/$book", taken).json()["total"] == 1

    def move(self, start: str) -> None:
        begin = f"{at(start)}:00-05:00"
        self._send(start=begin, end=begin.replace(":00:00-", ":40:00-"))

    def cancel(self) -> None:
        self._send(status="cancelled")

    def _send(self, **changes: Any) -> None:
        wanted = self.hospital.get(f"Appointment/{VISIT}") | changes
        body = {"resourceType": "Parameters", "parameter": [{"name": "appointment-resource", "resource": wanted}]}
        assert self.hospital.ask("POST", "Appointment/$book", body).json()["total"] == 1


class Hl7(Door):
    """A hospital system that speaks HL7, and decides where visits stand."""

    def __init__(self, desk: FrontDesk) -> None:
        super().__init__(desk)
        hospital = partner(receive={"addresses": [LOOPBACK]}).changed(owner="ehr")
        partners = Partners.model_construct(listen=None, partners={"hospital": hospital})
        self.inbox = Inbox(desk.context, partners, lambda: None)
        self.worker, self.count = InboxWorker(desk.context, partners), 0

    def book(self, start: str) -> None:
        self._tell("S12", start)

    def move(self, start: str) -> None:
        self._tell("S13", start)

    def cancel(self) -> None:
        self._tell("S15", SECOND)

    def _tell(self, trigger: str, start: str) -> None:
        self.count += 1
        moment = re.sub(r"[-:T]", "", f"{at(start)}:00") + "-0500"
        text = siu(trigger, control_id=f"C-{self.count}", visit=VISIT, start=moment, minutes="40")
        text = text.replace("p-1^^^", f"{PATIENT}^^^") + "AIL|1||wang^wang-exam-1\rAIP|1||ana^^CLINICWEAVE\r"
        assert read_ack(self.inbox.receive(text.encode(), LOOPBACK)).code == "AA"
        self.worker.work_off()


DOORS: tuple[type[Door], ...] = (OwnRoutes, Fhir, Hl7)


@pytest.fixture
def doors(migrated_file: Path, tmp_path: Path) -> Iterator[list[Door]]:
    """Return the three doors, each before a store of its own."""
    asked, plan, now = published_week()
    with ExitStack() as stack:
        made = []
        for kind in DOORS:
            file = tmp_path / f"{kind.__name__}.db"
            copyfile(migrated_file, file)
            desk = stack.enter_context(front_desk(f"sqlite:///{file}", asked, plan, now))
            give_addresses(desk.context.database, now, PATIENT)
            made.append(kind(desk))
        yield made


def show(door: Door) -> dict[str, Any]:
    """Return what stands, what the use cases wrote down, what was mailed, and what the calendars show."""
    desk = door.desk
    desk.clock.pass_by(seconds=90)
    sent = send_all(desk.context.database, desk.clock())
    mail = [(claimed.invitation.patient_id, claimed.message.method, claimed.message.sequence) for claimed in sent]
    with desk.context.database.reading() as session:
        booking = session.exec(select(BookingRow).where(BookingRow.subject_id == VISIT)).one()
        taken = session.exec(select(OccupancyRow).where(OccupancyRow.booking_id == booking.id)).all()
        kept = booking.model_dump(exclude={"id", "updated_at", "publication_id"})
        audited = [row.action for row in list_entries(session, object_id=VISIT) if row.action.startswith(USE_CASES)]
        calendar = render_calendar(session, "provider", "ana", desk.clock()).decode()
    places = sorted((row.kind, row.position, row.resource_id, row.starts_at, row.ends_at) for row in taken)
    lines = [line for line in calendar.splitlines() if line.startswith(("DTSTART", "DTEND", "SUMMARY", "LOCATION", "STATUS"))]
    changes = [action for action in audited if action in ("booking.add", "booking.move", "booking.cancel")]
    return {"booking": kept, "taken": places, "mail": mail, "audit": changes, "calendar": lines}


def test_every_door_leads_to_the_same(doors: list[Door]) -> None:
    for step, act in (
        ("booked", lambda door: door.book(FIRST)),
        ("moved", lambda door: door.move(SECOND)),
        ("cancelled", lambda door: door.cancel()),
    ):
        for door in doors:
            act(door)
        first, *others = map(show, doors)
        assert first["mail"] and first["audit"], step
        for shown in others:
            assert shown == first, step
