"""Resources that break a rule of FHIR are refused with an outcome that names the place, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from support.hl7 import find_peers
from support.hospital import Hospital

from api.fhir.reading import find_faults
from api.store.columns import TableRow

SHARED = find_peers().parent


def list_files(folder: str) -> list[Path]:
    """Return the example files of a folder beside the project, none where it is absent."""
    return sorted((SHARED / folder).glob("*.json"))


BAD, GOOD = list_files("inputs/fhir/bad"), [*list_files("inputs/fhir/good"), *list_files("peers/ihe-iti-scheduling")]
IS_ABSENT = pytest.mark.skipif(not BAD, reason="the example resources beside the project are not there")


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def list_requests(resource: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield every request by which a resource could come in."""
    kind = resource["resourceType"]
    parameter = {"name": "appointment-resource", "resource": resource}
    yield "POST", "Appointment/$book", {"resourceType": "Parameters", "parameter": [parameter]}
    if kind == "Appointment":
        yield "PUT", "Appointment/own", resource
    elif kind == "Bundle":
        yield "POST", "", resource
    else:
        yield "POST", kind, resource


def dump(hospital: Hospital) -> dict[str, list[str]]:
    """Return every row but those of the audit."""
    with hospital.desk.context.database.reading() as session:
        tables = [table for table in TableRow.metadata.sorted_tables if table.name != "audit"]
        return {table.name: sorted(map(repr, session.exec(select(*table.columns)))) for table in tables}


@IS_ABSENT
def test_every_bad_resource_is_refused_and_nothing_is_stored(hospital: Hospital) -> None:
    assert len(BAD) == 27
    before = dump(hospital)
    for file in BAD:
        for method, path, body in list_requests(read(file)):
            answer = hospital.ask(method, path, body)
            assert 400 <= answer.status_code < 500, (file.name, method, path, answer.text)
            assert answer.json()["resourceType"] == "OperationOutcome", file.name
    assert dump(hospital) == before


@IS_ABSENT
@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_resource_is_refused_for_one_fault(file: Path) -> None:
    resource = read(file)
    faults = list(find_faults(resource["resourceType"], resource))
    assert faults, file.name
    assert all(fault.message for fault in faults)


@IS_ABSENT
@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_resource_is_not(file: Path) -> None:
    resource = read(file)
    assert list(find_faults(resource["resourceType"], resource)) == []


HOLDER = {"actor": {"reference": "Patient/pat"}, "status": "accepted"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "status": "booked",
    "start": "2026-12-01T09:00:00-05:00",
    "end": "2026-12-01T09:45:00-05:00",
    "participant": [HOLDER],
}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": "no-show"}, "status"),
        ({"end": None}, "end"),
        ({"description": ""}, "description"),
        ({"slot": []}, "slot"),
        ({"end": "2026-12-01T08:00:00-05:00"}, "end"),
        ({"requestedPeriod": [{"start": "2026-12-02", "end": "2026-12-01"}]}, "requestedPeriod[0]"),
        ({"participant": [{"status": "accepted"}]}, "participant[0]"),
        ({"participant": [{"actor": {"reference": "Observation/1"}, "status": "accepted"}]}, "participant[0].actor.reference"),
        ({"cancelationReason": {"text": "x"}}, "cancelationReason"),
        ({"cancellationReason": {"text": "x"}}, "cancellationReason"),
        ({"minutesDuration": 0}, "minutesDuration"),
        ({"extension": [{"url": "u", "valueString": "x", "extension": [{"url": "v", "valueString": "y"}]}]}, "extension[0]"),
        ({"extension": [{"url": "u"}]}, "extension[0]"),
        ({"modifierExtension": [{"url": "u", "valueBoolean": True}]}, "modifierExtension"),
        ({"participant": [{**HOLDER, "modifierExtension": [{"url": "u"}]}]}, "participant[0].modifierExtension"),
        ({"implicitRules": "http://example.org/rules"}, "implicitRules"),
        ({"start": 5}, "start"),
        ({"start": "2026-12-01T09:00:00"}, "start"),
        ({"minutesDuration": "30"}, "minutesDuration"),
        ({"minutesDuration": True}, "minutesDuration"),
        ({"participant": {**HOLDER}}, "participant"),
        ({"comment": " "}, "comment"),
        ({"id": "x" * 65}, "id"),
        ({"contained": [{"resourceType": "Zork", "id": "a"}]}, ""),
        ({"contained": [{"resourceType": "Patient", "id": "a", "contained": [{"resourceType": "Patient"}]}]}, "contained[0]"),
        ({"contained": [{"resourceType": "Patient", "id": "a", "meta": {"versionId": "1"}}]}, "contained[0]"),
        ({"participant": [{"actor": {"reference": "#a"}, "status": "accepted"}]}, "contained"),
        ({"participant": [{"actor": {"type": "Observation"}, "status": "accepted"}]}, "participant[0].actor.type"),
        ({"participant": [{**HOLDER, "actor": {"reference": "Patient/a", "type": "Device"}}]}, "participant[0].actor.type"),
        ({"identifier": [{"system": "no address", "value": "a"}]}, "identifier[0].system"),
        ({"text": {"status": "generated", "div": f"{DIV}<script>a</script></div>"}}, "text.div"),
    ],
)
def test_faults_are_named_by_place(change: dict[str, Any], place: str) -> None:
    assert list(find_faults("Appointment", APPOINTMENT)) == []
    faults = list(find_faults("Appointment", APPOINTMENT | change))
    assert faults[0].path == place


@pytest.mark.parametrize(
    ("kind", "resource", "place"),
    [
        ("Patient", {"active": "true"}, "active"),
        ("Patient", {"multipleBirthInteger": "2"}, "multipleBirthInteger"),
        ("Patient", {"telecom": [{"value": "1"}]}, "telecom[0]"),
        ("Patient", {"contact": [{"gender": "male"}]}, "contact[0]"),
        ("ServiceRequest", {"doNotPerform": True}, "doNotPerform"),
    ],
)
def test_faults_of_other_types_are_named_by_place(kind: str, resource: dict[str, Any], place: str) -> None:
    needed = (
        {"status": "active", "intent": "order", "subject": {"reference": "Patient/pat"}} if kind == "ServiceRequest" else {}
    )
    assert list(find_faults(kind, {"resourceType": kind, "id": "a", **needed})) == []
    faults = list(find_faults(kind, {"resourceType": kind, **needed, **resource}))
    assert faults[0].path == place


@pytest.mark.parametrize("operation", ["$find", "$hold", "$book"])
@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "appointment-resource", "resource": {"resourceType": "Zork"}},
        {"name": "nobody-knows-it", "resource": {"resourceType": "Zork"}},
        {"name": "appointment-reference", "valueInteger": 5},
        {"name": "appointment-reference", "valueReference": {"reference": "Patient/pat"}},
        {"name": "appointment-reference", "valueReference": {"display": "the next one"}},
    ],
)
def test_what_an_operation_cannot_read_is_a_bad_request(reader: Hospital, operation: str, parameter: dict[str, Any]) -> None:
    answer = reader.ask("POST", f"Appointment/{operation}", {"resourceType": "Parameters", "parameter": [parameter]})
    assert 400 <= answer.status_code < 500 and answer.json()["resourceType"] == "OperationOutcome", answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_object_that_names_something_twice_is_refused(reader: Hospital, method: str) -> None:
    twice = json.dumps(APPOINTMENT | {"id": "own"}).replace(
        '"status": "accepted"', '"status": "accepted", "status": "declined"'
    )
    headers = {**reader.headers, "If-Match": 'W/"1.1"', "Content-Type": "application/fhir+json"}
    answer = reader.desk.client.request(method, "/fhir/r4/Appointment/own", content=twice, headers=headers)
    assert answer.status_code == 422 and "twice" in answer.text


def test_what_is_nested_without_end_is_refused() -> None:
    nested: dict[str, Any] = {"url": "u", "valueString": "x"}
    for _ in range(500):
        nested = {"url": "u", "extension": [nested]}
    assert list(find_faults("Appointment", APPOINTMENT | {"extension": [nested]}))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b'{"resourceType":"Parameters","parameter":NaN}', "no JSON"),
        (b'{"resourceType":"Parameters","parameter":1e999}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[" * 500 + b"]" * 500, "nests deeper"),
        (b'{"resourceType":"Parameters","resourceType":"Parameters"}', "names something twice"),
        (b'{"resourceType":"Parameters","id":"\\u0000"}', "cannot be kept"),
        (b'{"resourceType":"Parameters","id":"\\ud800"}', "cannot be kept"),
        (b'{"resourceType":"Parameters","id":"\xed\xa0\x80"}', "no JSON"),
    ],
)
def test_a_body_that_is_no_document_is_refused_in_words(reader: Hospital, body: bytes, words: str) -> None:
    headers = {**reader.headers, "Content-Type": "application/fhir+json"}
    answer = reader.desk.client.post("/fhir/r4/Appointment/$find", content=body, headers=headers)
    assert answer.status_code == 422 and answer.json()["resourceType"] == "OperationOutcome"
    assert words in answer.json()["issue"][0]["diagnostics"]
