"""The audit can be given to others as FHIR, with ids alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import fhirkit
import pytest
from support.hospital import Hospital

from api.fhir.audit_events import make_audit_event
from api.store.audit import list_entries
from api.store.tables import AuditRow


def test_every_row_is_a_valid_event(hospital: Hospital) -> None:
    hospital.get("Appointment/own")
    assert hospital.desk.cancel("own").status_code == 200
    assert hospital.desk.ask("GET", "/v1/scenarios", headers=hospital.headers).status_code == 403
    with hospital.desk.context.database.reading() as session:
        rows = list_entries(session, count=1000)
    events = [make_audit_event(row) for row in rows]
    assert [fhirkit.validate(json.dumps(event)) for event in events] == [[]] * len(events)
    told = {(event["subtype"][0]["code"], event["action"], event["outcome"]) for event in events}
    assert {("fhir.read", "R", "0"), ("booking.cancel", "U", "0"), ("GET /v1/scenarios", "U", "8")} <= told
    assert not any(name in json.dumps(events) for name in ('"Pat"', '"Quin"'))


@pytest.mark.parametrize(
    ("action", "code"), [("patient.find", "R"), ("intake.take", "C"), ("client.end", "D"), ("visit.pin", "U")]
)
def test_an_action_is_one_of_fhir(action: str, code: str) -> None:
    row = AuditRow(
        sequence=1,
        at=datetime(2026, 11, 30, tzinfo=UTC),
        actor="dana",
        role="admin",
        action=action,
        object_kind="",
        object_id="",
        outcome="allowed",
        detail={},
        previous_hash="",
        hash="",
    )
    assert make_audit_event(row)["action"] == code
