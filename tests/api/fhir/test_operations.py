"""Hospital systems find, hold, book, move and cancel: ranked, explained, all or none, and as safely as a desk does."""

from __future__ import annotations

import json
from typing import Any

import fhirkit
import pytest
from support.clients import furnish_client, parameters, refer_to
from support.hospital import Hospital
from support.service import bearer

from api.fhir.reading import find_faults
from api.store.audit import list_entries
from api.store.queries import requests

WEEK = {"start": {"valueDateTime": "2026-11-30"}, "end": {"valueDateTime": "2026-12-04"}}
CONSULT = {**WEEK, "visit_type": {"valueString": "consult"}, "patient_reference": refer_to("Patient", "pat")}
NEW = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "new-1"}],
    "name": [{"family": "Doe", "given": ["Jo"]}],
}


MORNING = {
    "startTime": {"valueDateTime": "2026-12-02T10:00:00-05:00"},
    "endTime": {"valueDateTime": "2026-12-02T12:00:00-05:00"},
}
"""Times by the names that others have for them."""


def operate(hospital: Hospital, name: str, **given: Any) -> Any:
    """Return the answer to an operation, which is a valid Bundle, or an outcome."""
    answer = hospital.ask("POST", f"Appointment/${name}", parameters(**given))
    assert fhirkit.validate(answer.text) == []
    assert list(find_faults(answer.json()["resourceType"], answer.json())) == []
    return answer


def find(hospital: Hospital, **given: Any) -> list[dict[str, Any]]:
    """Return the appointments that are proposed, best first."""
    answer = operate(hospital, "find", **(CONSULT | given))
    assert answer.status_code == 200, answer.text
    return matches(answer)


def matches(answer: Any) -> list[dict[str, Any]]:
    """Return the appointments of an answer; as many as it says."""
    bundle = answer.json()
    shown = [entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == "match"]
    assert bundle["total"] == len(shown)
    return shown


def issues(answer: Any) -> list[dict[str, Any]]:
    """Return what an answer tells beside."""
    bundle = answer.json()
    if bundle["resourceType"] == "OperationOutcome":
        return list(bundle["issue"])
    outcomes = [entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == "outcome"]
    return [issue for outcome in outcomes for issue in outcome["issue"]]


def told(appointment: dict[str, Any]) -> dict[str, Any]:
    """Return what a proposal tells of itself."""
    (offer,) = appointment["extension"]
    return {part["url"]: next(value for key, value in part.items() if key != "url") for part in offer["extension"]}


def book(hospital: Hospital, identifier: str) -> Any:
    return operate(hospital, "book", appointment_reference=refer_to("Appointment", identifier))


def hold(hospital: Hospital, identifier: str, **given: Any) -> Any:
    return operate(hospital, "hold", appointment_reference=refer_to("Appointment", identifier), **given)


def rebook(hospital: Hospital, resource: dict[str, Any], **headers: str) -> Any:
    """Send an appointment as it is wanted."""
    body = {"resourceType": "Parameters", "parameter": [{"name": "appointment-resource", "resource": resource}]}
    return hospital.ask("POST", "Appointment/$book", body, **headers)


def test_places_are_ranked_and_explained(hospital: Hospital) -> None:
    shown = find(hospital, _count={"valueInteger": 3})
    assert [appointment["status"] for appointment in shown] == ["proposed"] * 3
    offers = [told(appointment) for appointment in shown]
    assert [offer["rank"] for offer in offers] == [1, 2, 3]
    assert [offer["cost"] for offer in offers] == sorted(offer["cost"] for offer in offers)
    assert all(offer["moves"] == offer["notifiedMoves"] == 0 and "reason" in offer for offer in offers)
    assert hospital.find("Appointment?patient=pat") == ["own"], "finding changes nothing"


def test_a_found_place_is_held_and_then_absent_for_others(hospital: Hospital) -> None:
    first = find(hospital, _count={"valueInteger": 50})[0]
    (held,) = matches(hold(hospital, first["id"]))
    assert (held["status"], held["start"]) == ("pending", first["start"])
    places = {(one["start"], str(one["participant"][1:3])) for one in find(hospital, _count={"valueInteger": 50})}
    assert (first["start"], str(first["participant"][1:3])) not in places
    other = bearer(furnish_client(hospital.desk.context.database, hospital.desk.clock(), name="other"))
    refused = hospital.desk.ask(
        "POST",
        "/fhir/r4/Appointment/$book",
        parameters(appointment_reference=refer_to("Appointment", first["id"])),
        other,
    )
    assert refused.json()["total"] == 0 and issues(refused)[0]["severity"] == "fatal"
    (booked,) = matches(book(hospital, first["id"]))
    assert booked["status"] == "booked" and booked["id"] == held["id"]
    assert matches(book(hospital, held["id"])) == [booked], "again gives the same answer"


def test_a_place_that_somebody_else_has_taken_is_refused(hospital: Hospital) -> None:
    first, second = find(hospital)[0], find(hospital, patient_reference=refer_to("Patient", "quin"))[0]
    assert first["start"] == second["start"] and first["participant"][1:] == second["participant"][1:]
    before = hospital.find("Appointment?")
    assert matches(book(hospital, first["id"]))
    refused = hold(hospital, second["id"])
    assert refused.status_code == 200 and matches(refused) == []
    assert (issues(refused)[0]["severity"], issues(refused)[0]["code"]) == ("fatal", "not-found")
    assert len(hospital.find("Appointment?")) == len(before) + 1, "what is refused leaves nothing behind"


def test_a_hold_ends_and_takes_what_only_it_asked_for_along(hospital: Hospital) -> None:
    (held,) = matches(hold(hospital, find(hospital)[0]["id"]))
    hospital.desk.clock.pass_by(minutes=11)
    assert matches(book(hospital, held["id"])) == []
    find(hospital)
    with hospital.desk.context.database.reading() as session:
        assert requests.get_visit(session, held["id"]).state == "withdrawn"
    assert hospital.get(f"Appointment/{held['id']}")["status"] == "cancelled"


def test_a_hold_lasts_as_long_as_is_asked_but_days_at_most(hospital: Hospital) -> None:
    first, second = find(hospital)[:2]
    (held,) = matches(hold(hospital, first["id"], held_until={"valueDateTime": "2026-11-30T20:00:00Z"}))
    assert held["extension"][-1]["extension"][0]["valueInstant"] == "2026-11-30T20:00:00+00:00"
    assert matches(hold(hospital, second["id"], held_until={"valueDateTime": "2026-11-29T20:00:00Z"})) == []


def test_a_proposal_is_forgotten_after_some_minutes(hospital: Hospital) -> None:
    first = find(hospital)[0]
    hospital.desk.clock.pass_by(minutes=16)
    assert matches(book(hospital, first["id"])) == []


def test_a_visit_that_waits_finds_its_place(hospital: Hospital) -> None:
    given = {"appointment_reference": refer_to("Appointment", "own-waiting"), "patient_reference": refer_to("Patient", "rae")}
    shown = find(hospital, **given)
    (booked,) = matches(book(hospital, shown[0]["id"]))
    assert (booked["id"], booked["status"]) == ("own-waiting", "booked")
    again = operate(hospital, "find", **(CONSULT | given))
    assert matches(again) == [] and "has a place already" in issues(again)[0]["diagnostics"]


def test_somebody_new_is_taken_in_with_the_place_and_not_before(hospital: Hospital) -> None:
    given: dict[str, Any] = {**WEEK, "visit_type": {"valueString": "consult"}, "patient_resource": {"resource": NEW}}
    shown = matches(operate(hospital, "find", **given))
    assert hospital.find("Patient?name=doe") == []
    (booked,) = matches(book(hospital, shown[0]["id"]))
    assert hospital.find("Patient?name=doe") == ["new-1"]
    assert booked["participant"][0]["actor"]["reference"] == "Patient/new-1"


@pytest.mark.parametrize(
    ("given", "start"),
    [
        (
            {
                "startTime": {"valueDateTime": "2026-12-02T10:00:00-05:00"},
                "endTime": {"valueDateTime": "2026-12-02T12:00:00-05:00"},
            },
            "2026-12-02T1",
        ),
        ({"practitioner": refer_to("Practitioner", "ana")}, "2026-"),
        ({"location_reference": refer_to("Location", "si.boston")}, "2026-"),
    ],
)
def test_what_is_asked_for_holds(hospital: Hospital, given: dict[str, Any], start: str) -> None:
    usual = {name: value for name, value in CONSULT.items() if not (name in WEEK and "startTime" in given)}
    shown = matches(operate(hospital, "find", **(usual | given)))
    assert shown and all(one["start"].startswith(start) for one in shown)
    wanted = [value["valueReference"]["reference"] for value in given.values() if "valueReference" in value]
    if "Practitioner/ana" in wanted:
        assert all(one["participant"][1]["actor"]["reference"] == "PractitionerRole/ana" for one in shown)


def test_why_there_is_none_is_told_without_anybody_else(hospital: Hospital) -> None:
    given = {"start": {"valueDateTime": "2026-12-01T09:00:00-05:00"}, "end": {"valueDateTime": "2026-12-01T09:20:00-05:00"}}
    answer = operate(hospital, "find", **(CONSULT | given))
    assert matches(answer) == [] and issues(answer)
    assert all(issue["severity"] == "information" for issue in issues(answer))
    assert not any(patient in json.dumps(issues(answer)) for patient in ("quin", "sol", "tam"))


def test_harmless_parameters_are_told_not_to_be_looked_at(hospital: Hospital) -> None:
    answer = operate(hospital, "find", **CONSULT, reason={"valueString": "pain"})
    assert matches(answer) and issues(answer)[0]["severity"] == "information"


@pytest.mark.parametrize(
    "given",
    [
        {"start": {"valueDateTime": "tomorrow"}},
        {"start": {"valueDateTime": "2026-12-09"}},
        {"visit_type": {"valueString": "nothing"}},
        {"practitioner": refer_to("Practitioner", "nobody")},
        {"location_reference": refer_to("Location", "nowhere")},
        {"patient_reference": refer_to("Group", "pat")},
        {"_count": {"valueString": "many"}},
        {"patient_reference": {}, "patient_resource": {"resource": {"resourceType": "Patient", "colour": "red"}}},
    ],
)
def test_a_search_that_makes_no_sense_is_refused(hospital: Hospital, given: dict[str, Any]) -> None:
    answer = hospital.ask("POST", "Appointment/$find", parameters(**{k: v for k, v in (CONSULT | given).items() if v}))
    assert 400 <= answer.status_code < 500 and answer.json()["resourceType"] == "OperationOutcome", answer.text


def test_an_appointment_is_moved_and_cancelled_by_its_version(hospital: Hospital) -> None:
    own = hospital.get("Appointment/own")
    wanted = own | {"start": "2026-12-02T09:00:00-05:00", "end": "2026-12-02T09:40:00-05:00"}
    without = {name: value for name, value in wanted.items() if name != "meta"}
    assert rebook(hospital, without).status_code == 428
    (moved,) = matches(rebook(hospital, wanted))
    assert (moved["start"], moved["meta"]["versionId"]) == ("2026-12-02T09:00:00-05:00", "1.2")
    assert rebook(hospital, wanted).status_code == 412
    refused = rebook(hospital, moved | {"start": "2026-12-05T09:00:00-05:00", "end": "2026-12-05T09:40:00-05:00"})
    assert matches(refused) == [] and any("details" in issue for issue in issues(refused)), "it breaks rules"
    (cancelled,) = matches(rebook(hospital, without | {"status": "cancelled"}, if_match='W/"1.2"'))
    assert cancelled["status"] == "cancelled"
    assert cancelled["cancelationReason"]["coding"][0]["code"] == "prov"
    with hospital.desk.context.database.reading() as session:
        actions = [row.action for row in list_entries(session, object_id="own") if row.actor == "client:hospital"]
    assert actions == ["fhir.read", "booking.move", "fhir.move", "booking.cancel", "fhir.cancel"]


def test_what_became_of_it_is_noted_with_the_version_alone(hospital: Hospital) -> None:
    hospital.desk.clock.pass_by(days=1, hours=2)
    status = [{"op": "replace", "path": "/status", "value": "checked-in"}]
    assert hospital.ask("PATCH", "Appointment/own", status).status_code == 428
    assert hospital.ask("PATCH", "Appointment/own", status, if_match='W/"1.7"').status_code == 412
    arrived = hospital.ask("PATCH", "Appointment/own", status, if_match='W/"1.1"')
    assert arrived.json()["status"] == "arrived" and arrived.headers["etag"] == 'W/"1.2"'
    done = hospital.ask("PUT", "Appointment/own", arrived.json() | {"status": "fulfilled"}, if_match='W/"1.2"')
    assert done.json()["status"] == "fulfilled"
    assert hospital.ask("PUT", "Appointment/own", done.json() | {"status": "noshow"}, if_match='W/"1.3"').status_code == 409
    moved = [{"op": "replace", "path": "/start", "value": "2026-12-02T09:00:00-05:00"}]
    assert hospital.ask("PATCH", "Appointment/own", moved, if_match='W/"1.3"').status_code == 422


def test_scopes_bound_what_may_be_done(hospital: Hospital) -> None:
    secret = furnish_client(hospital.desk.context.database, hospital.desk.clock(), "system/Appointment.cs", name="narrow")
    narrow = Hospital(hospital.desk, bearer(secret))
    own = hospital.get("Appointment/own")
    assert rebook(narrow, own | {"status": "cancelled"}).status_code == 403
    answer = narrow.ask("POST", "Appointment/$find", parameters(**CONSULT, maxMoves={"valueInteger": 2}))
    assert answer.status_code == 403
    assert find(narrow)
