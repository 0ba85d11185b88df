"""What hospital systems read and find: every resource is valid, and shows no patient's name but Patient."""

from __future__ import annotations

import json
from typing import Any

import fhirkit
import pytest
from support.hospital import Hospital

from api.fhir.searching import SEARCHES
from api.services.weeks import directory
from api.store.audit import list_entries

SLOTS = "Slot?schedule=Schedule/ana&start=ge2026-11-30&start=lt2026-12-05"
NAMES = ("Pat", "Quin", "Rae", "Sol", "Tam")
SESSION = ["coping.2026-12", "coping.2026-12.sol", "coping.2026-12.tam"]
"""A session of a group and its two seats."""


def list_all(reader: Hospital) -> dict[str, Any]:
    """Return a search of every type, of all that there is."""
    return {kind: reader.get(SLOTS if kind == "Slot" else kind) for kind in SEARCHES}


def test_every_answer_is_valid(reader: Hospital) -> None:
    bundles = list_all(reader)
    assert all(fhirkit.validate(json.dumps(bundle)) == [] for bundle in bundles.values())
    for kind, bundle in bundles.items():
        for entry in bundle.get("entry", ()):
            alone = reader.get(f"{kind}/{entry['resource']['id']}")
            assert alone == entry["resource"]
    assert fhirkit.validate(json.dumps(reader.get("metadata"))) == []


def test_the_validator_refuses_what_is_wrong(reader: Hospital) -> None:
    shown = reader.get("Appointment/own")
    assert fhirkit.validate(json.dumps(shown)) == []
    for wrong in ({"colour": "red"}, {"participant": []}, {"start": "2026-12-01T09:00:00"}):
        assert fhirkit.validate(json.dumps(shown | wrong)) != [], wrong


def test_no_name_of_a_patient_is_anywhere_but_in_patient(reader: Hospital) -> None:
    bundles = list_all(reader)
    assert all(f'"{name}"' in json.dumps(bundles["Patient"]) for name in NAMES)
    for kind in bundles.keys() - {"Patient"}:
        assert not any(f'"{name}"' in json.dumps(bundles[kind]) for name in NAMES), kind


def test_an_appointment_is_a_visit_and_its_booking(reader: Hospital) -> None:
    shown = reader.get("Appointment/own")
    assert shown["status"] == "booked"
    assert (shown["start"], shown["end"]) == ("2026-12-01T09:00:00-05:00", "2026-12-01T09:40:00-05:00")
    assert [participant["actor"]["reference"] for participant in shown["participant"]] == [
        "Patient/pat",
        "PractitionerRole/ana",
        "Location/wang-exam-1",
        "HealthcareService/followup",
    ]
    assert shown["meta"]["versionId"] == "1.1"
    waiting = reader.get("Appointment/own-waiting")
    assert waiting["status"] == "waitlist" and "start" not in waiting and "profile" not in waiting["meta"]
    assert waiting["priority"] == 2


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [*SESSION, "foreign", "foreign-waiting", "own", "own-waiting"]),
        ("_id=own,foreign", ["foreign", "own"]),
        ("identifier=https://clinicweave.example/fhir/id/appointment|own", ["own"]),
        ("patient=Patient/pat", ["own"]),
        ("patient.identifier=quin", ["foreign"]),
        ("status=waitlist", ["foreign-waiting", "own-waiting"]),
        ("status=booked,waitlist&patient=pat,rae", ["own", "own-waiting"]),
        ("date=2026-12-01", ["foreign", "own"]),
        ("date=gt2026-12-01", SESSION),
        ("date=gt2026-12-03", []),
        ("date=2026-12", [*SESSION, "foreign", "own"]),
        ("date=2026", [*SESSION, "foreign", "own"]),
        ("date=sa2026-11", [*SESSION, "foreign", "own"]),
        ("date=eb2026-12", []),
        ("date=ge2026-12-01&date=lt9999-12-30", [*SESSION, "foreign", "own"]),
        ("date=ge2026-12-01T15:00:00Z", [*SESSION, "foreign"]),
        ("date=ge2026-12-01&date=lt2026-12-01T09:30", ["own"]),
        ("date=le2026-12-01T09:00:00-05:00", ["own"]),
        ("practitioner=Practitioner/dee", ["foreign"]),
        ("practitioner=PractitionerRole/dee&patient=pat", []),
        ("location=Location/wang-exam-2", ["foreign"]),
        ("location=Location/si.boston&service-type=followup", ["foreign", "own"]),
        ("service-type=consult", []),
        ("based-on=ServiceRequest/none", []),
        ("_lastUpdated=ge2030-01-01", []),
        ("_id=own&_id=foreign", []),
    ],
)
def test_appointments_are_found_by_what_is_asked(reader: Hospital, query: str, ids: list[str]) -> None:
    assert reader.find(f"Appointment?{query}") == ids
    assert reader.find(f"Appointment?{query}&_count=1") == ids
    form = reader.desk.client.post(
        "/fhir/r4/Appointment/_search",
        content=query.replace("+", "%2B"),
        headers=reader.headers | {"content-type": "application/x-www-form-urlencoded"},
    )
    assert form.status_code == 200 and form.json()["total"] == len(ids)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("Patient?name=pat", ["pat"]),
        ("Patient?identifier=pat", ["pat"]),
        ("Patient?_id=nobody", []),
        ("Practitioner?name=an", ["ana"]),
        ("Location?partof=Location/bu.west&_count=1", ["west-exam"]),
        ("HealthcareService?identifier=consult", ["consult"]),
        ("Schedule?actor=PractitionerRole/ana", ["ana"]),
        ("PractitionerRole?practitioner=Practitioner/ana", ["ana"]),
        ("ServiceRequest?patient=Patient/pat&status=active", []),
        ("Slot?schedule=ana&start=2026-12-01", ["ana.202612011400-202612011440"]),
        ("Slot?schedule=ana&start=2026-12-01&status=busy-tentative", []),
    ],
)
def test_others_are_found_too(reader: Hospital, query: str, ids: list[str]) -> None:
    assert [identifier for identifier in reader.find(query) if not ids or identifier in ids] == ids


def test_what_comes_along_is_asked_for(reader: Hospital) -> None:
    bundle = reader.get("Appointment?_id=own&_include=Appointment:patient&_include=Appointment:location")
    told = [(entry["search"]["mode"], entry["resource"]["resourceType"]) for entry in bundle["entry"]]
    assert told == [("match", "Appointment"), ("include", "Patient"), ("include", "Location")]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Appointment?patiant=pat", 422, "invalid"),
        ("Appointment?date=tomorrow", 422, "invalid"),
        ("Appointment?date=2026-02-30", 422, "invalid"),
        ("Appointment?date=2026-13", 422, "invalid"),
        ("Appointment?status=no-show", 422, "invalid"),
        ("Appointment?patient=Group/1", 422, "invalid"),
        ("Appointment?_include=Appointment:slot", 422, "invalid"),
        ("Appointment?_after=zzz", 422, "invalid"),
        ("Appointment?_count=many", 422, "invalid"),
        ("Appointment?patient=%00", 422, "invalid"),
        ("Slot?schedule=ana", 422, "invalid"),
        ("Slot?start=2026-12-01", 422, "invalid"),
        ("Slot?schedule=ana&start=ge2026-01-01&start=lt2026-12-01", 422, "invalid"),
        ("Appointment/none", 404, "not-found"),
        ("Patient/none", 404, "not-found"),
        ("Slot/ana.202612011400-202612011500", 404, "not-found"),
        ("Appointment/own/_history/9.9", 404, "not-found"),
        ("Appointment/o:n", 422, "invalid"),
        ("Appointment?_format=xml", 406, "not-supported"),
        ("Condition", 404, "not-found"),
    ],
)
def test_what_is_wrong_is_told_as_an_outcome(reader: Hospital, path: str, status: int, code: str) -> None:
    answer = reader.ask("GET", path)
    assert answer.status_code == status, answer.text
    outcome = answer.json()
    assert (outcome["resourceType"], outcome["issue"][0]["code"]) == ("OperationOutcome", code)
    assert answer.headers["content-type"] == "application/fhir+json" and fhirkit.validate(answer.text) == []


@pytest.mark.parametrize("accept", ["application/fhir+json; fhirVersion=5.0", "application/fhir+xml"])
def test_no_other_form_or_version_is_spoken(reader: Hospital, accept: str) -> None:
    assert reader.ask("GET", "Appointment", accept=accept).status_code == 406
    assert reader.ask("GET", "Appointment", accept="application/fhir+json; fhirVersion=4.0").status_code == 200


def test_a_version_is_told_by_headers_and_can_be_read(reader: Hospital) -> None:
    answer = reader.ask("GET", "Appointment/own/_history/1.1")
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1.1"' and answer.headers["last-modified"].endswith("GMT")


def test_a_history_is_the_present_version(reader: Hospital) -> None:
    bundle = reader.get("Appointment/own/_history")
    assert fhirkit.validate(json.dumps(bundle)) == []
    assert [entry["resource"] for entry in bundle["entry"]] == [reader.get("Appointment/own")]
    assert (bundle["type"], bundle["total"]) == ("history", 1)
    assert reader.ask("GET", "Appointment/nobody/_history").status_code == 404


def test_what_was_read_is_in_the_audit(hospital: Hospital) -> None:
    hospital.get("Appointment/own")
    hospital.get("Appointment?patient=pat")
    with hospital.desk.context.database.reading() as session:
        told = [(row.actor, row.action, row.object_kind, row.object_id) for row in list_entries(session)]
    assert ("client:hospital", "fhir.read", "Appointment", "own") in told
    assert ("client:hospital", "fhir.search", "Appointment", "") in told


def test_the_capabilities_are_exactly_what_is(reader: Hospital) -> None:
    document = reader.desk.client.get("/openapi.json").json()
    told = {resource["type"]: resource for resource in reader.get("metadata")["rest"][0]["resource"]}
    for kind, resource in told.items():
        codes = {interaction["code"] for interaction in resource["interaction"]}
        one = document["paths"][f"/fhir/r4/{kind}/{{resource}}"]
        whole = document["paths"][f"/fhir/r4/{kind}"]
        methods = {"read": "get" in one, "update": "put" in one, "patch": "patch" in one}
        methods |= {"search-type": "get" in whole, "create": "post" in whole}
        versions = f"/fhir/r4/{kind}/{{resource}}/_history"
        methods |= {"history-instance": versions in document["paths"], "vread": f"{versions}/{{vid}}" in document["paths"]}
        assert codes == {code for code, is_there in methods.items() if is_there}, kind
        names = {parameter["name"] for parameter in whole["get"]["parameters"]} - {"_count", "_after", "_include"}
        assert names - {"_format", "_pretty"} == {parameter["name"] for parameter in resource["searchParam"]}
    operations = {path.rpartition("$")[2] for path in document["paths"] if "$" in path}
    assert {operation["name"] for operation in told["Appointment"].get("operation", ())} == operations


FREE = "Slot?schedule=Schedule/ana,Schedule/dee&start=ge2026-12-01&start=lt2026-12-02&status=free"


def test_free_slots_are_what_the_solver_finds_for_a_service(reader: Hospital) -> None:
    shown = [entry["resource"] for entry in reader.get(f"{FREE}&service-type=consult")["entry"]]
    assert {slot["status"] for slot in shown} == {"free"}
    assert {slot["schedule"]["reference"] for slot in shown} <= {"Schedule/ana", "Schedule/dee"}
    assert {slot["serviceType"][0]["coding"][0]["code"] for slot in shown} == {"consult"}
    for slot in shown:
        assert fhirkit.validate(json.dumps(slot)) == []
    taken = reader.get(f"{SLOTS}&status=busy")["entry"]
    busy = {(one["resource"]["schedule"]["reference"], one["resource"]["start"]) for one in taken}
    assert busy and not busy & {(slot["schedule"]["reference"], slot["start"]) for slot in shown}


@pytest.mark.parametrize("query", ["", "&service-type=nothing", "&service-type=consult,followup"])
def test_nobody_is_free_for_just_anything(reader: Hospital, query: str) -> None:
    answer = reader.ask("GET", f"{FREE}{query}")
    assert answer.status_code == 422 and "service-type" in answer.text


def test_who_does_not_work_here_is_never_free(reader: Hospital) -> None:
    assert reader.find(FREE.replace("Schedule/ana,Schedule/dee", "Schedule/nobody") + "&service-type=consult") == []


def test_a_search_for_many_ids_lists_what_is_known_once_and_only_for_ids_that_were_made(
    reader: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, list_ids = [0], directory.list_patient_ids

    def count(session: Any) -> list[str]:
        listed[0] += 1
        return list_ids(session)

    monkeypatch.setattr(directory, "list_patient_ids", count)
    own, made = ",".join(f"p-{number}" for number in range(100)), ",".join(f"x.{number}" for number in range(100))
    for path, times in ((f"Appointment?patient={own}", 0), (f"Appointment?patient={made}", 1)):
        listed[0] = 0
        assert reader.ask("GET", path).status_code == 200
        assert listed == [times]
    too_many = reader.ask("GET", f"Appointment?patient={own}&patient={made}&patient=ana")
    assert too_many.status_code == 422
    assert "more than 200 values" in too_many.text
