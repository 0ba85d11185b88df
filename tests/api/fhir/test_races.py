"""Many hospital systems book one proposal at once, through two processes: one has it, all others hear why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import httpx2
import pytest
from sqlmodel import select
from support.clients import furnish_client, parameters, refer_to
from support.frontdesk import furnish
from support.hospital import ROOT, Hospital
from support.races import at_once, overlaps, two_processes
from support.samples import published_week
from support.service import Clock, bearer

from api.fhir.operations import PROPOSED
from api.store.columns import new_id
from api.store.database import Database
from api.store.queries import bookings, periods
from api.store.tables import ProposalRow

CLIENTS = 20
TRIES = 10
"""How often a system asks that is told to try again, since the database is busy."""

VISIT = "foreign-waiting"
FIND = parameters(
    start={"valueDateTime": "2026-11-30"},
    end={"valueDateTime": "2026-12-04"},
    appointment_reference=refer_to("Appointment", VISIT),
    patient_reference=refer_to("Patient", "sol"),
)


@dataclass(frozen=True)
class Competition:
    """Systems of hospitals, each by a name and a token of its own, before two processes of the service."""

    database: Database
    tokens: dict[str, str]
    processes: list[httpx2.Client]

    def ask(self, number: int, operation: str, body: object) -> httpx2.Response:
        """Ask for an operation as one of the systems."""
        token = list(self.tokens.values())[number]
        return self.processes[number % 2].post(f"{ROOT}/Appointment/${operation}", json=body, headers=bearer(token))

    def propose(self) -> bytes:
        """Return the best proposal for the visit, as it is kept."""
        best = self.ask(0, "find", FIND).json()["entry"][0]["resource"]["id"]
        with self.database.reading() as session:
            row = session.exec(select(ProposalRow).where(ProposalRow.id == best.removeprefix(PROPOSED))).one()
            return row.content

    def share(self, content: bytes) -> list[str]:
        """Let every system have a proposal of its own of the same places, and return their ids."""
        now, names = Clock().now + timedelta(days=1), {name: new_id() for name in self.tokens}
        with self.database.writing() as session:
            for name, identifier in names.items():
                row = ProposalRow(id=identifier, client_id=f"client:{name}", content=content, expires_at=now)
                session.add(row)
        return list(names.values())

    def book_at_once(self, identifiers: list[str]) -> Counter[str]:
        """Let every system book its proposal at the same moment, and count what they are told."""

        def book(number: int) -> str:
            wanted = parameters(appointment_reference=refer_to("Appointment", f"{PROPOSED}{identifiers[number]}"))
            for _ in range(TRIES):
                answer = self.ask(number, "book", wanted)
                if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    break
            return tell(answer)

        return Counter(at_once(book, CLIENTS))

    def clear(self) -> None:
        """Let the visit wait again."""
        with self.database.writing() as session:
            row = bookings.find_booking(session, ("visit", VISIT, ""))
            assert row is not None
            bookings.cancel(session, row.id, Clock().now)
            periods.touch(session, row.period_id)


def tell(answer: httpx2.Response) -> str:
    """Return what an answer says: the status of the appointment, or how bad the outcome is."""
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    (entry,) = bundle["entry"]
    resource = entry["resource"]
    assert bundle["total"] == (resource["resourceType"] == "Appointment")
    return str(resource["status"] if bundle["total"] else resource["issue"][0]["severity"])


def compete(database: Database, rounds: int) -> list[Counter[str]]:
    """Let all systems book the same places in each round."""
    asked, plan, now = published_week()
    clock = Clock()
    clock.now = now
    scheduler, _ = furnish(database, asked, plan, clock)
    tokens = {f"h-{number:02}": furnish_client(database, now, name=f"h-{number:02}") for number in range(CLIENTS)}
    told = []
    with two_processes(database.url.render_as_string(hide_password=False), scheduler, CLIENTS, now) as processes:
        competition = Competition(database, tokens, processes)
        content = competition.propose()
        for _ in range(rounds):
            told.append(competition.book_at_once(competition.share(content)))
            assert overlaps(database) == []
            competition.clear()
    return told


def test_of_many_systems_one_books_what_was_proposed_to_all(store: Database) -> None:
    assert compete(store, 1) == [Counter({"fatal": CLIENTS - 1, "booked": 1})]


@pytest.mark.heavy
def test_of_many_systems_one_books_what_was_proposed_to_all_each_time(store: Database) -> None:
    assert compete(store, 200) == [Counter({"fatal": CLIENTS - 1, "booked": 1})] * 200


@pytest.mark.parametrize(("microseconds", "told"), [(-1, "booked"), (0, "fatal")])
def test_a_hold_ends_at_its_instant(hospital: Hospital, microseconds: int, told: str) -> None:
    best = hospital.ask("POST", "Appointment/$find", FIND).json()["entry"][0]["resource"]["id"]
    wanted = parameters(appointment_reference=refer_to("Appointment", best))
    assert tell(hospital.ask("POST", "Appointment/$hold", wanted)) == "pending"
    hospital.desk.clock.now += timedelta(minutes=10, microseconds=microseconds)
    assert tell(hospital.ask("POST", "Appointment/$book", wanted)) == told
