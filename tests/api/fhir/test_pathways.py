"""The first visits of a pathway are found, held and booked together, all or none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from support.clients import parameters, refer_to
from support.hospital import Hospital
from support.samples import world

from api.access.actor import AccessRole
from api.services.bookings import decisions
from api.services.proposals import holding
from api.store.errors import DoubleBooked
from api.store.queries import episodes

START = {"start": {"valueDateTime": "2026-12-14"}, "end": {"valueDateTime": "2027-01-08"}}
ROBIN = {"resourceType": "Patient", "identifier": [{"value": "mrn-8"}], "name": [{"text": "Robin Other"}]}
TRIAL = {**START, "visit_type": {"valueString": "spinal-cord-stimulation"}, "patient_resource": {"resource": ROBIN}}


@pytest.fixture
def clinic(sqlite_url: str) -> Iterator[Hospital]:
    """Return a hospital system before a clinic over months of which the next weeks are built."""
    with world(sqlite_url, months=True) as here:
        answer = here.desk.ask("POST", "/v1/weeks", {"weeks": 4})
        assert answer.status_code == 201, answer.text
        yield Hospital(here.desk, here.headers(AccessRole.SYSTEM, {}))


def operate(clinic: Hospital, name: str, **given: Any) -> list[dict[str, Any]]:
    """Return the appointments of an operation's answer."""
    answer = clinic.ask("POST", f"Appointment/${name}", parameters(**given))
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json()["entry"] if entry["search"]["mode"] == "match"]


def list_pairs(shown: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return assessments, each with its trial."""
    return list(zip(shown[::2], shown[1::2], strict=True))


def test_an_assessment_and_its_trial_are_booked_together(clinic: Hospital) -> None:
    pairs = list_pairs(operate(clinic, "find", **TRIAL, _count={"valueInteger": 2}))
    assert pairs
    for assessment, trial in pairs:
        assert [one["serviceType"][0]["coding"][0]["code"] for one in (assessment, trial)] == ["scs-assessment", "scs-trial"]
        days = (datetime.fromisoformat(trial["start"]).date() - datetime.fromisoformat(assessment["start"]).date()).days
        assert 7 <= days <= 60
        assert trial["supportingInformation"] == [{"reference": f"Appointment/{assessment['id']}"}]
    named = refer_to("Appointment", pairs[0][1]["id"])
    held = operate(clinic, "hold", appointment_reference=named)
    assert [one["status"] for one in held] == ["pending", "pending"]
    booked = operate(clinic, "book", appointment_reference=refer_to("Appointment", held[0]["id"]))
    assert [(one["id"], one["status"]) for one in booked] == [(one["id"], "booked") for one in held]
    (episode,) = clinic.find("ServiceRequest?patient=mrn-8")
    assert all(one["basedOn"] == [{"reference": f"ServiceRequest/{episode}"}] for one in booked)
    with clinic.desk.context.database.reading() as session:
        history = episodes.load(session, [episode])[episode].history
    assert [event.kind for event in history] == ["referred", "planned", "planned"]


def test_when_one_place_is_lost_none_is_taken(clinic: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = list_pairs(operate(clinic, "find", **TRIAL, _count={"valueInteger": 1}))[0]
    apply, count = holding._apply, [0]  # noqa: SLF001

    def lose_the_second(session: Any, decision: Any) -> None:
        count[0] += 1
        if count[0] == 2:
            raise DoubleBooked
        apply(session, decision)

    monkeypatch.setattr(holding, "_apply", lose_the_second)
    monkeypatch.setattr(decisions, "TRIES", 1)
    assert operate(clinic, "book", appointment_reference=refer_to("Appointment", first["id"])) == []
    assert count == [2]
    assert clinic.find("Patient?identifier=mrn-8") == [] and clinic.find("ServiceRequest?") == []
