"""Who is not asked about is named nowhere: in no appointment, slot, outcome, log line or address."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx2
import pytest
from support.clients import parameters, refer_to
from support.hospital import Hospital
from support.processes import served

NAMES = ("Pat", "Quin", "Rae", "Sol", "Tam")
OTHERS = ("quin", "rae", "sol", "tam")
"""The ids of all patients but the one who is asked about, ``pat``."""

WEEK = {"start": {"valueDateTime": "2026-11-30"}, "end": {"valueDateTime": "2026-12-04"}}
PAT = refer_to("Patient", "pat")


def ask_about_pat(hospital: Hospital) -> list[Any]:
    """Return the answers to whatever may be asked about one patient, served or refused."""
    wanted = parameters(**WEEK, visit_type={"valueString": "consult"}, patient_reference=PAT, maxMoves={"valueInteger": 5})
    night = WEEK | {"end": {"valueDateTime": "2026-11-30T08:00:00-05:00"}}
    never = parameters(**night, visit_type={"valueString": "consult"}, patient_reference=PAT)
    found = hospital.ask("POST", "Appointment/$find", wanted)
    proposal = refer_to("Appointment", found.json()["entry"][0]["resource"]["id"])
    place = parameters(appointment_reference=proposal)
    answers = [found, hospital.ask("POST", "Appointment/$find", never)]
    answers += [hospital.ask("POST", f"Appointment/{name}", place) for name in ("$hold", "$hold", "$book", "$book")]
    standing = hospital.get("Appointment/own")
    taken = {**standing, "start": "2026-12-01T10:00:00-05:00", "end": "2026-12-01T10:45:00-05:00"}
    answers.append(hospital.ask("POST", "Appointment/$book", parameters(appointment_resource={"resource": taken})))
    answers += [
        hospital.ask("GET", path)
        for path in (
            "Appointment?patient=Patient/pat&_include=Appointment:practitioner",
            "Slot?schedule=Schedule/ana,Schedule/dee&start=ge2026-11-30&start=lt2026-12-05",
            "Schedule",
            "Appointment/coping.2026-12",
            "Appointment/nobody",
            "Appointment?patient=Observation/pat",
        )
    ]
    return answers


def test_no_other_patient_is_in_any_answer_log_line_or_address(hospital: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answers = ask_about_pat(hospital)
    assert {answer.status_code for answer in answers} >= {200, 404, 422}
    for answer in answers:
        texts = [answer.text, json.dumps(dict(answer.headers)), str(answer.url)]
        for text in texts:
            assert not [name for name in NAMES if f'"{name}"' in text or f"{name} " in text], text
            assert not [other for other in OTHERS if other in words_of(text)], text
    logged = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert not [name for name in (*NAMES, *OTHERS) if name in words_of(logged)]


def test_who_is_looked_for_by_name_stands_in_that_answer_alone(hospital: Hospital) -> None:
    """The control: what the other test looks for can be seen."""
    answer = hospital.ask("GET", "Patient?name=quin")
    assert '"Quin"' in answer.text and "quin" in words_of(answer.text)


def test_the_log_has_no_query_of_fhir(sqlite_url: str) -> None:
    with served(sqlite_url) as service:
        httpx2.get(f"{service.address}/fhir/r4/Patient?name=Quin&identifier=mrn-7")
        httpx2.get(f"{service.address}/health?shown=yes")
    assert not [line for line in service.log if "Quin" in line or "mrn-7" in line]
    assert [line for line in service.log if "/fhir/r4/Patient" in line]


def words_of(text: str) -> set[str]:
    """Return what stands between quotes, blanks and slashes."""
    for mark in '"/=&?,.:;()[]{}':
        text = text.replace(mark, " ")
    return set(text.split())
