"""A group's session is an appointment without patients, and each seat in it one of its patient alone; both are only read."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import fhirkit
import pytest
from support import factories
from support.clients import parameters, refer_to
from support.factories import at, group, session, visit
from support.hospital import Hospital, hospital_at
from support.samples import MONDAY_AT_EIGHT

from api.fhir.ids import make_id
from api.fhir.reading import find_faults
from api.store.queries import programmes

SESSION, SOL, TAM = "coping.2026-12", "coping.2026-12.sol", "coping.2026-12.tam"
BOOKING = "/v1/groups/coping/booking"
WANG = {"location": "wang", "room": "wang-group", "team": ["ben"]}


def list_actors(resource: dict[str, Any]) -> list[str]:
    return [participant["actor"]["reference"] for participant in resource["participant"]]


def change(hospital: Hospital, method: str, body: Any = None) -> None:
    """Change the session at the clinic's desk."""
    desk = hospital.desk
    answer = desk.ask(method, BOOKING, body, **{"If-Match": desk.ask("GET", BOOKING).headers["etag"]})
    assert answer.status_code == 200, answer.text


def write_to(hospital: Hospital, *patients: str) -> None:
    """Let patients be told by mail of what changes."""
    for patient in patients:
        path = f"/v1/patients/{patient}/contact"
        version = hospital.desk.ask("GET", path).headers["etag"]
        body = {"email": f"{patient}@home.example"}
        assert hospital.desk.ask("PUT", path, body, **{"If-Match": version}).status_code == 200


def test_a_session_has_its_team_and_place_and_no_patient(reader: Hospital) -> None:
    shown = reader.get(f"Appointment/{SESSION}")
    assert (shown["status"], shown["start"]) == ("booked", "2026-12-03T09:00:00-05:00")
    assert list_actors(shown) == ["PractitionerRole/ben", "Location/wang-group", "HealthcareService/workshop"]
    assert shown["requestedPeriod"] == [{"start": "2026-12-01T00:00:00-05:00", "end": "2026-12-31T23:59:59-05:00"}]
    assert "supportingInformation" not in shown and "priority" not in shown


def test_a_seat_has_its_patient_alone_and_names_the_session(reader: Hospital) -> None:
    seat, meeting = reader.get(f"Appointment/{SOL}"), reader.get(f"Appointment/{SESSION}")
    assert list_actors(seat) == ["Patient/sol"]
    assert seat["supportingInformation"] == [{"reference": f"Appointment/{SESSION}"}]
    same = ("status", "start", "end", "serviceType")
    assert {name: seat[name] for name in same} == {name: meeting[name] for name in same}
    assert "tam" not in json.dumps(seat) and reader.ask("GET", "Appointment/coping.2026-12.rae").status_code == 404


@pytest.mark.parametrize("identifier", [SESSION, SOL])
def test_each_is_valid_and_has_a_version_and_a_history(reader: Hospital, identifier: str) -> None:
    answer = reader.ask("GET", f"Appointment/{identifier}")
    assert fhirkit.validate(answer.text) == [] == list(find_faults("Appointment", answer.json()))
    assert answer.headers["etag"] == 'W/"1"' and answer.json()["meta"]["versionId"] == "1"
    assert reader.get(f"Appointment/{identifier}/_history/1") == answer.json()
    history = reader.get(f"Appointment/{identifier}/_history")
    assert fhirkit.validate(json.dumps(history)) == [] and history["entry"][0]["resource"] == answer.json()
    assert reader.ask("GET", f"Appointment/{identifier}/_history/1.1").status_code == 404


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (f"_id={SOL},own", [SOL, "own"]),
        (f"identifier={SESSION}", [SESSION]),
        ("patient=Patient/sol", [SOL, "foreign-waiting"]),
        ("patient.identifier=tam", [TAM]),
        ("date=2026-12-03", [SESSION, SOL, TAM]),
        ("date=2026-12-02", []),
        ("date=2026-12-03&status=booked&patient=sol", [SOL]),
        ("date=2026-12-03&status=cancelled,fulfilled", []),
        ("practitioner=Practitioner/ben", [SESSION]),
        ("practitioner=Practitioner/ana&service-type=workshop", []),
        ("location=Location/wang-group", [SESSION]),
        ("location=Location/si.boston&service-type=workshop", [SESSION]),
        ("service-type=workshop", [SESSION, SOL, TAM]),
        ("service-type=workshop&_lastUpdated=ge2030-01-01", []),
        ("service-type=workshop&_lastUpdated=lt2030-01-01", [SESSION, SOL, TAM]),
        ("service-type=workshop&based-on=ServiceRequest/none", []),
    ],
)
def test_sessions_and_seats_are_found_beside_visits(reader: Hospital, query: str, ids: list[str]) -> None:
    assert reader.find(f"Appointment?{query}") == ids
    assert reader.find(f"Appointment?{query}&_count=1") == ids
    assert reader.get(f"Appointment?{query}")["total"] == len(ids)


def test_pages_of_any_size_have_every_appointment_once(reader: Hospital) -> None:
    every = reader.find("Appointment")
    assert {SESSION, SOL, TAM, "own", "own-waiting"} < set(every) and len(every) == len(set(every))
    for count in range(1, len(every) + 1):
        assert reader.find(f"Appointment?_count={count}") == every


def test_whoever_takes_part_comes_along(reader: Hospital) -> None:
    def list_included(identifier: str) -> set[str]:
        bundle = reader.get(f"Appointment?_id={identifier}&_include=Appointment:actor")
        included = [entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == "include"]
        return {f"{resource['resourceType']}/{resource['id']}" for resource in included}

    assert list_included(SOL) == {"Patient/sol"}
    assert list_included(SESSION) >= {"PractitionerRole/ben", "Location/wang-group", "HealthcareService/workshop"}
    assert not [reference for reference in list_included(SESSION) if reference.startswith("Patient/")]


def test_what_the_desk_moves_has_a_new_version(hospital: Hospital) -> None:
    change(hospital, "PATCH", {"start": at("TH 09:40"), **WANG})
    for identifier in (SESSION, SOL):
        shown = hospital.get(f"Appointment/{identifier}")
        assert (shown["start"], shown["meta"]["versionId"]) == ("2026-12-03T09:40:00-05:00", "2")
        assert hospital.ask("GET", f"Appointment/{identifier}/_history/1").status_code == 404


def test_what_the_desk_calls_off_is_cancelled_with_the_seats_that_were_told(hospital: Hospital) -> None:
    write_to(hospital, "sol")
    change(hospital, "PATCH", {"start": at("TH 09:40"), **WANG})
    change(hospital, "DELETE")
    for identifier in (SESSION, SOL):
        shown = hospital.get(f"Appointment/{identifier}")
        assert fhirkit.validate(json.dumps(shown)) == []
        reason = shown["cancelationReason"]["coding"][0]["code"]
        assert (shown["status"], reason, shown["meta"]["versionId"]) == ("cancelled", "prov", "3")
    assert hospital.find("Appointment?status=cancelled") == [SESSION, SOL]
    assert hospital.find("Appointment?status=booked&service-type=workshop") == []
    assert hospital.ask("GET", f"Appointment/{TAM}").status_code == 404, "nobody was told of it, and it is no more"


def test_a_seat_that_is_given_back_is_cancelled_alone(hospital: Hospital) -> None:
    write_to(hospital, "sol", "tam")
    change(hospital, "PATCH", {"start": at("TH 09:40"), **WANG})
    assert hospital.desk.ask("DELETE", "/v1/groups/coping/attendees/sol").status_code == 204
    assert hospital.find("Appointment?status=cancelled") == [SOL]
    assert hospital.find("Appointment?patient=sol&status=cancelled") == [SOL]
    assert {SESSION, TAM} <= set(hospital.find("Appointment?status=booked"))


@pytest.mark.parametrize("identifier", [SESSION, SOL])
def test_the_desk_alone_changes_a_session_and_its_seats(hospital: Hospital, identifier: str) -> None:
    shown = hospital.get(f"Appointment/{identifier}")
    reference = {"appointment_reference": refer_to("Appointment", identifier)}
    cancelled = shown | {"status": "cancelled"}
    patch = [{"op": "replace", "path": "/status", "value": "arrived"}]
    find = {"start": {"valueDateTime": "2026-11-30"}, "end": {"valueDateTime": "2026-12-04"}}
    find |= {"patient_reference": refer_to("Patient", "sol"), **reference}
    refused = [
        hospital.ask("POST", "Appointment/$find", parameters(**find)),
        hospital.ask("POST", "Appointment/$hold", parameters(**reference)),
        hospital.ask("POST", "Appointment/$book", parameters(**reference)),
        hospital.ask("POST", "Appointment/$book", parameters(appointment_resource={"resource": shown})),
        hospital.ask("POST", "Appointment/$book", parameters(appointment_resource={"resource": cancelled})),
        hospital.ask("PUT", f"Appointment/{identifier}", cancelled, If_Match='W/"1"'),
        hospital.ask("PATCH", f"Appointment/{identifier}", patch, If_Match='W/"1"'),
    ]
    for answer in refused:
        assert answer.status_code == 403, answer.text
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome" and "desk" in outcome["issue"][0]["diagnostics"]
    assert hospital.get(f"Appointment/{identifier}") == shown


def test_the_same_is_done_with_a_visit(hospital: Hospital) -> None:
    """The control: what the other test sends is good."""
    shown = hospital.get("Appointment/own") | {"status": "cancelled"}
    answer = hospital.ask("PUT", "Appointment/own", shown, If_Match='W/"1.1"')
    assert answer.status_code == 200, answer.text


def test_an_instant_of_a_session_is_that_of_its_booking(reader: Hospital) -> None:
    told = reader.desk.ask("GET", BOOKING).json()["start"]
    assert datetime.fromisoformat(reader.get(f"Appointment/{SESSION}")["start"]).replace(tzinfo=None) == datetime.fromisoformat(
        told
    )


def test_who_came_has_fulfilled_it_and_who_did_not_is_a_noshow(hospital: Hospital) -> None:
    booking = hospital.get(f"Appointment/{SESSION}")["identifier"][1]["value"]
    later = hospital.desk.clock() + timedelta(days=4)
    with hospital.desk.context.database.writing() as store:
        programmes.note_attendance(store, booking, {"sol": True, "tam": False}, later)
    shown = {identifier: hospital.get(f"Appointment/{identifier}") for identifier in (SESSION, SOL, TAM)}
    assert [one["status"] for one in shown.values()] == ["fulfilled", "fulfilled", "noshow"]
    assert {one["meta"]["versionId"] for one in shown.values()} == {"2"}, "what changes has another version"
    assert all(fhirkit.validate(json.dumps(one)) == [] for one in shown.values())
    assert hospital.find("Appointment?status=fulfilled") == [SESSION, SOL]
    assert hospital.find("Appointment?status=noshow") == [TAM]
    assert hospital.find("Appointment?_lastUpdated=ge2026-12-04") == [SESSION, SOL, TAM]


def test_ids_that_do_not_fit_or_are_shared_are_told_apart(store_url: str) -> None:
    """A patient's id that FHIR does not take is hashed with the session's; what has the id of a visit is the visit."""
    asked = factories.scenario(
        visit("coping.2026-12", "pat"), group("coping", "sol"), group("ways:out", "tam"), group("walks-2026-12", "rae")
    )
    stands = [session("coping", "TH 09:00", "sol"), session("ways:out", "TU 09:00", "tam")]
    plan = factories.plan(asked, *stands, session("walks-2026-12", "WE 09:00", "rae"))
    with hospital_at(store_url, asked, plan, MONDAY_AT_EIGHT) as hospital:
        assert list_actors(hospital.get(f"Appointment/{SESSION}"))[0] == "Patient/pat"
        assert hospital.find(f"Appointment?_id={SESSION}") == [SESSION]
        hashed, seat = make_id("ways:out.2026-12"), make_id("ways:out.2026-12.tam")
        assert hospital.get(f"Appointment/{seat}")["supportingInformation"] == [{"reference": f"Appointment/{hashed}"}]
        assert hospital.get(f"Appointment/{hashed}")["identifier"][0]["value"] == "ways:out.2026-12"
        assert hospital.find(f"Appointment?_id={seat}") == [seat]
        every = [SESSION, SOL, "walks-2026-12", "walks-2026-12.rae", hashed, seat]
        assert [hospital.find(f"Appointment?_count={count}") for count in (1, 2, 9)] == [every] * 3
