"""Appointments stand once at a hospital's FHIR server, whatever it, the network and our process do meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.fhir_server import FhirServer, Reply, fhir_partner, fhir_server
from support.mllp import NOW
from support.partners import partner
from support.service import SECRET
from support.stored import StoredWeek

from api.background.mail.outbox_sender import RetryPolicy
from api.context import AppContext, create_context
from api.fhir.reading import expect_valid
from api.hl7.checking import check_partner
from api.hl7.client import Unanswered
from api.hl7.fhir_channel import FhirChannel
from api.hl7.fhir_requests import FhirRequests
from api.hl7.partners import Partner
from api.hl7.sender import PartnerSender
from api.runtime.settings import read_settings
from api.store.queries import bookings, hl7, tasks
from api.store.queries.people import get_patient_names

AT_ONCE = RetryPolicy(poll_interval=0.01, initial_backoff=0.0, max_backoff=0.0)


@pytest.fixture
def server() -> Iterator[FhirServer]:
    """Return a server that knows nothing yet."""
    with fhir_server() as running:
        yield running


@pytest.fixture
def hospital(server: FhirServer, tmp_path: Path) -> Partner:
    """Return the partner whose server it is."""
    return fhir_partner(partner(), server.url, tmp_path)


@pytest.fixture
def context(week: StoredWeek) -> AppContext:
    """Return what the processes of a service share, on the week's store."""
    return create_context(read_settings(secret=SECRET, database_url="sqlite://"), week.store, lambda: NOW)


def send_all(context: AppContext, hospital: Partner, folder: Path) -> int:
    """Let a new process send all that the partner is to know now."""

    async def work() -> int:
        assert hospital.fhir is not None
        sender = PartnerSender(context, "hospital", hospital, FhirChannel(hospital.fhir, folder), AT_ONCE)
        try:
            return await sender.send_due()
        finally:
            await sender.close()

    return asyncio.run(work())


def test_all_bookings_stand_there_once_and_are_sent_once(
    week: StoredWeek, server: FhirServer, context: AppContext, hospital: Partner, tmp_path: Path
) -> None:
    assert send_all(context, hospital, tmp_path) == 6
    assert len(server.appointments()) == 6
    assert {resource["status"] for resource in server.appointments().values()} == {"booked"}
    assert send_all(context, hospital, tmp_path) == 0
    for resource in server.appointments().values():
        expect_valid("Appointment", resource)


def test_no_name_goes_there(
    week: StoredWeek, server: FhirServer, context: AppContext, hospital: Partner, tmp_path: Path
) -> None:
    send_all(context, hospital, tmp_path)
    with week.store.reading() as session:
        patients = {row.patient_id for row in hl7.out_messages(session, "hospital", None, 10)}
        names = get_patient_names(session, sorted(patients))
    assert names
    assert not [name for name in names.values() if name and name in str(server.resources)]


def test_a_process_that_dies_after_the_request_creates_nothing_twice(
    week: StoredWeek, server: FhirServer, context: AppContext, hospital: Partner, tmp_path: Path
) -> None:
    def lose(method: str, path: str) -> None:
        if method == "POST" and "Appointment" in path:
            raise ConnectionAbortedError

    server.after = lose
    with pytest.raises(Unanswered):
        send_all(context, hospital, tmp_path)
    assert len(server.appointments()) == 1
    server.after = lambda method, path: None
    send_all(context, hospital, tmp_path)
    assert len(server.appointments()) == 6


def test_what_the_hospital_adds_stays_and_what_it_changes_meanwhile_is_looked_at_again(
    week: StoredWeek, server: FhirServer, context: AppContext, hospital: Partner, tmp_path: Path
) -> None:
    send_all(context, hospital, tmp_path)
    key, standing = next(item for item in server.resources.items() if item[1]["identifier"][0]["value"] == "v-1")
    server.resources[key] = {**standing, "comment": "bring the card", "meta": {"versionId": "7"}}
    raced: list[str] = []

    def race(method: str, path: str) -> Reply | None:
        if method == "PUT" and not raced:
            raced.append(path)
            server.resources[key] = {**server.resources[key], "meta": {"versionId": "8"}}
        return None

    server.before = race
    with week.store.writing() as session:
        row = bookings.find_booking(session, ("visit", "v-1", ""))
        assert row is not None
        row.state, row.version = "arrived", row.version + 1
        session.add(row)
    assert send_all(context, hospital, tmp_path) == 1
    changed = server.resources[key]
    assert raced and changed["status"] == "arrived" and changed["comment"] == "bring the card"
    assert changed["meta"]["versionId"] == "9"


@pytest.mark.parametrize(("status", "state"), [(422, "parked"), (500, "waiting")])
def test_what_the_server_refuses_is_put_aside_and_is_a_task(
    week: StoredWeek,
    server: FhirServer,
    context: AppContext,
    hospital: Partner,
    tmp_path: Path,
    status: int,
    state: str,
) -> None:
    refused: list[str] = []

    def refuse_first(method: str, path: str) -> Reply | None:
        if method == "POST" and path == "Appointment" and not refused:
            refused.append(path)
            return status, {}
        return None

    server.before = refuse_first
    send_all(context, hospital, tmp_path)
    with week.store.reading() as session:
        kept = hl7.out_messages(session, "hospital", state, 10)
        told = [row.kind for row in tasks.list_tasks(session, None, 10, False)]
    assert len(kept) == (1 if state == "parked" else 0)
    assert told == (["hl7-message-refused"] if state == "parked" else [])
    assert len(server.appointments()) == (5 if state == "parked" else 6)


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_server_that_lets_nobody_in_now_is_asked_again(
    week: StoredWeek, server: FhirServer, context: AppContext, hospital: Partner, tmp_path: Path, status: int
) -> None:
    server.before = lambda method, path: (status, {}) if path == "Appointment" else None
    with pytest.raises(Unanswered, match=str(status)):
        send_all(context, hospital, tmp_path)
    server.before = lambda method, path: None
    assert send_all(context, hospital, tmp_path) == 6


def test_a_token_that_has_ended_is_renewed(
    week: StoredWeek, server: FhirServer, context: AppContext, hospital: Partner, tmp_path: Path
) -> None:
    ended: list[str] = []

    def end_tokens(method: str, path: str) -> Reply | None:
        if method == "POST" and path == "Appointment" and len(server.appointments()) == 2 and not ended:
            ended.append(path)
            server.tokens.clear()
        return None

    server.before = end_tokens
    assert send_all(context, hospital, tmp_path) == 6
    assert server.asked.count("POST token") == 2


def test_patients_are_referred_to_as_the_server_knows_them(
    week: StoredWeek, server: FhirServer, context: AppContext, hospital: Partner, tmp_path: Path
) -> None:
    system = "urn:oid:1.2.3"
    known = hospital.changed(fhir=hospital.fhir.changed(patients=system)) if hospital.fhir else hospital
    server.resources["Patient", "p9"] = {
        "resourceType": "Patient",
        "id": "p9",
        "identifier": [{"system": system, "value": "pat"}],
    }
    send_all(context, known, tmp_path)
    actors = {name: resource["participant"][0]["actor"] for name, resource in server.appointments().items()}
    assert {actor["reference"] for actor in actors.values()} == {"Patient/p9"}
    with week.store.reading() as session:
        assert "pat" not in {row.patient_id for row in hl7.out_messages(session, "hospital", "parked", 10)}
        assert {row.kind for row in tasks.list_tasks(session, None, 10, False)} == {"hl7-message-refused"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "takes appointments"),
        ({"fhirVersion": "5.0.0"}, "does not speak FHIR 4.0.1"),
        ({"rest": []}, "no search-type, create, update"),
        ({"resourceType": "Patient"}, "see the url"),
    ],
)
def test_a_check_says_in_words_what_is_wrong(
    server: FhirServer, hospital: Partner, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    server.metadata = {**server.metadata, **change}

    async def look() -> list[tuple[bool, str]]:
        return [(one.is_fine, one.words) async for one in check_partner(hospital, None, tmp_path, NOW)]

    results = asyncio.run(look())
    assert words in results[0][1] and results[0][0] == (not change)
    assert results[1] == (True, "it answers a search of appointments with 200")
    assert server.asked.count("POST token") == 1


def test_an_answer_that_comes_in_drops_ends_in_time(hospital: Partner, tmp_path: Path) -> None:
    drops, ended = 0, asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal drops
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with suppress(ConnectionError):
            for drops in range(1000):  # noqa: B007
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.transport.abort()
        ended.set()

    async def ask() -> None:
        assert hospital.fhir is not None
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        requests = FhirRequests(hospital.fhir.changed(answer_seconds=0.3), tmp_path)
        with pytest.raises(Unanswered, match="in time"):
            await requests.send("GET", address)
        await requests.close()
        await ended.wait()
        server.close()

    asyncio.run(ask())
    assert 0 < drops < 500, "each drop came in time, the whole did not"
