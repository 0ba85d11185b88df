"""Referrals come in by FHIR as by every other door: all of a transaction or none, and nobody twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fhirkit
import pytest
from sqlmodel import select
from support.hospital import Hospital
from support.samples import REFERRAL, world

from api.access.actor import AccessRole
from api.store.tables import ClientTokenRow

KIND = "https://clinicweave.example/fhir/CodeSystem/referral-kind"
ROBIN = {
    "resourceType": "Patient",
    "identifier": [{"value": "mrn-8"}],
    "name": [{"text": "Robin Other"}],
    "birthDate": "1970-02-03",
}


@pytest.fixture
def clinic(sqlite_url: str) -> Iterator[Hospital]:
    """Return a hospital system before a clinic over months."""
    with world(sqlite_url, months=True) as here:
        yield Hospital(here.desk, here.headers(AccessRole.SYSTEM, {}))


def order(code: str = "follow-up", **more: Any) -> dict[str, Any]:
    """Return a referral."""
    return {**REFERRAL, "code": {"coding": [{"system": KIND, "code": code}]}, **more}


def transaction(*resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a transaction that creates resources, each at an address."""
    entries = [
        {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for url, one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def test_a_referral_becomes_an_episode_that_can_be_read(clinic: Hospital) -> None:
    answer = clinic.ask("POST", "ServiceRequest", order(priority="urgent", requester={"display": "Dr Primary"}))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["location"].endswith(f"/fhir/r4/ServiceRequest/{made['id']}") and fhirkit.validate(answer.text) == []
    assert (made["status"], made["priority"], made["subject"]) == ("active", "urgent", {"reference": "Patient/mrn-7"})
    assert clinic.get(f"ServiceRequest/{made['id']}") == made
    assert clinic.find("ServiceRequest?patient=Patient/mrn-7") == [made["id"]]
    assert clinic.desk.ask("GET", f"/v1/episodes/{made['id']}").json()["referrer"] == "Dr Primary"
    again = clinic.ask("POST", "ServiceRequest", order())
    assert again.status_code == 422 and "mrn-7" not in clinic.find("Appointment?patient=x")


def test_one_with_a_key_is_taken_once(clinic: Hospital) -> None:
    first, second = (clinic.ask("POST", "ServiceRequest", order(), idempotency_key="one") for _ in range(2))
    assert first.status_code == second.status_code == 201 and first.json() == second.json()


def test_a_transaction_takes_all_or_none(clinic: Hospital) -> None:
    subject = {"reference": "urn:uuid:robin"}
    good = order("new-patient-chronic", subject=subject)
    bad = transaction(("urn:uuid:robin", ROBIN), ("urn:uuid:a", good), ("urn:uuid:b", order("nothing", subject=subject)))
    refused = clinic.ask("POST", "", bad)
    assert refused.status_code == 422 and refused.json()["issue"][0]["expression"] == ["Bundle.entry[2].resource.code"]
    assert clinic.find("Patient?identifier=mrn-8") == []
    answer = clinic.ask("POST", "", transaction(("urn:uuid:robin", ROBIN), ("urn:uuid:a", good)))
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "transaction-response" and fhirkit.validate(answer.text) == []
    assert clinic.find("Patient?identifier=mrn-8") == ["mrn-8"]
    assert len(clinic.find("ServiceRequest?patient=mrn-8")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        order("nothing"),
        order("group"),
        order(status="revoked"),
        order(status="nonsense"),
        order(intent="option"),
        order(colour="red"),
        order(subject={"reference": "Patient/nobody"}, contained=[{"resourceType": "Patient", "id": "other"}]),
        order(subject={"display": "somebody"}),
        order(contained=[{"resourceType": "Patient", "id": "who", "name": [{"text": "No Number"}]}]),
        order(contained=[{"resourceType": "Patient", "id": "who", "identifier": [{"value": "x" * 200}]}]),
        order("pump-refill"),
        ROBIN,
        [],
        transaction(("urn:uuid:a", ROBIN)),
        transaction(("urn:uuid:a", {"resourceType": "Device"})),
        {"resourceType": "Bundle", "type": "batch"},
    ],
)
def test_what_cannot_be_taken_in_is_refused_by_both_doors(clinic: Hospital, wrong: Any) -> None:
    for path in ("ServiceRequest", ""):
        answer = clinic.ask("POST", path, wrong)
        assert 400 <= answer.status_code < 500 and answer.json()["resourceType"] == "OperationOutcome", answer.text
    assert clinic.find("ServiceRequest?") == []


def test_a_transaction_with_a_patient_needs_the_scope_to_create_one(clinic: Hospital) -> None:
    with clinic.desk.context.database.writing() as session:
        for token in session.exec(select(ClientTokenRow)):
            token.scopes = ["ServiceRequest.c"]
            session.add(token)
    answer = clinic.ask(
        "POST", "", transaction(("urn:uuid:robin", ROBIN), ("urn:uuid:a", order(subject={"reference": "urn:uuid:robin"})))
    )
    assert answer.status_code == 403
    assert "Patient.c" in answer.json()["issue"][0]["diagnostics"]
