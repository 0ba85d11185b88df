"""Patients are found however their names are written, by every door alike, and all that is booked of one is listed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unicodedata import normalize

import pytest
from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk
from support.months import FRIDAY_AFTER, last_week, roster
from support.samples import MONDAY_AT_EIGHT

NAME = "Zoë Nuñez Müller"


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    with front_desk(store_url, last_week(), None, FRIDAY_AFTER) as desk:
        assert desk.ask("PUT", "/v1/roster", json.loads(roster(6))).status_code == 200
        yield desk


def refer(desk: FrontDesk, kind: str, patient: str, **fields: Any) -> Any:
    return desk.ask("POST", "/v1/intake", {"kind": kind, "patient": patient, **fields})


def find(desk: FrontDesk, text: str) -> list[str]:
    answer = desk.client.get("/v1/patients", params={"find": text}, headers=desk.scheduler)
    assert answer.status_code == 200, answer.text
    return [patient["id"] for patient in answer.json()["items"]]


def test_a_name_is_the_same_however_it_is_typed(desk: FrontDesk) -> None:
    assert refer(desk, "follow-up", "mrn-1", name=normalize("NFC", NAME)).status_code == 201
    kinds = ("physical-therapy", "facet-injection", "piriformis-injection", "relaxation-training")
    ways = (normalize("NFD", NAME), NAME.replace(" ", "  "), NAME.replace(" ", "\u202f") + " ", NAME.upper())
    for kind, way in zip(kinds, ways, strict=True):
        assert refer(desk, kind, "mrn-1", name=way).status_code == 201, way
    assert refer(desk, "cognitive-therapy", "mrn-1", name="Zoe Nunez").status_code == 422
    sheet = f"kind,patient,name\ntrigger-point-injection,mrn-1,{normalize('NFD', NAME)}\n".encode()
    headers = desk.scheduler | {"content-type": "application/octet-stream"}
    answer = desk.client.post("/v1/intake/spreadsheets", content=sheet, headers=headers)
    assert answer.status_code == 201, answer.text


def test_ids_are_composed_and_trimmed_and_differ_by_more_than_case(desk: FrontDesk) -> None:
    assert refer(desk, "follow-up", normalize("NFD", " É-1 "), name="Robin").status_code == 201
    assert refer(desk, "physical-therapy", normalize("NFC", "É-1")).status_code == 201
    assert desk.ask("GET", f"/v1/patients/{normalize('NFD', 'É-1')}").json()["id"] == normalize("NFC", "É-1")
    refused = refer(desk, "facet-injection", "é-1", name="Robin")
    assert refused.status_code == 422
    assert '"É-1" by case alone' in refused.json()["errors"][0]["detail"]
    assert refer(desk, "facet-injection", "é-1", name="Robin", another_patient=True).status_code == 201
    assert refer(desk, "piriformis-injection", "é-1").status_code == 201  # known by now


@pytest.mark.parametrize("another", [False, True])
def test_a_case_twin_comes_in_by_no_door_unless_somebody_says_that_it_is_another(desk: FrontDesk, another: bool) -> None:
    said = f"?another_patient={str(another).lower()}"
    added = visit("v-9", "PAT", earliest="2026-11-30").model_dump(mode="json")
    document = {"visits": [added | {"service": "follow-up"}], "patients": [factories.patient("PAT").model_dump(mode="json")]}
    week = desk.ask("GET", "/v1/scenarios").json()["items"][0]["id"]
    asked = json.loads(roster(1)) | {"id": "other", "patients": [factories.patient("Pat").model_dump(mode="json")]}
    answers = [
        desk.ask("POST", f"/v1/scenarios/{week}/visits{said}", document),
        desk.ask("POST", f"/v1/scenarios{said}", asked),
    ]
    assert [answer.status_code for answer in answers] == [201 if another else 422] * 2, [answer.text for answer in answers]
    assert another or all("by case alone" in answer.text for answer in answers)


def test_patients_are_found_by_words_of_their_name_in_any_case_and_order_by_id_or_by_date(desk: FrontDesk) -> None:
    refer(desk, "follow-up", "mrn-1", name=NAME, birth_date="1961-04-12")
    refer(desk, "follow-up", "mrn-2", name="100% Robin_Example")
    for text in ("zoë", "MÜLLER, zo", normalize("NFD", "nuñ"), "MRN-1", "1961-04-12"):
        assert find(desk, text) == ["mrn-1"], text
    assert find(desk, "mrn-") == ["mrn-1", "mrn-2"]
    assert (find(desk, "%"), find(desk, "n_e"), find(desk, "zoë robin"), find(desk, "1961-04-13")) == (
        ["mrn-2"],
        ["mrn-2"],
        [],
        [],
    )


@pytest.mark.parametrize(
    "text",
    ["zoe", "MULLER", "Müller", "Lukasz muller", "Łukasz", "n'golo", "n\u2019golo", "04/12/1961", "12.04.1961", "1961-04-12"],
)
def test_a_name_is_found_without_its_accents_and_a_birth_date_as_people_write_it(desk: FrontDesk, text: str) -> None:
    version = desk.ask("GET", "/v1/patients/pat").headers["etag"]
    changes = {"name": "Zoë N\u2019Golo Müller-Łukasz", "birth_date": "1961-04-12"}
    assert desk.ask("PATCH", "/v1/patients/pat", changes, **{"If-Match": version}).status_code == 200
    found = desk.ask("GET", f"/v1/patients?find={text}").json()["items"]
    assert [(patient["id"], patient["name"]) for patient in found] == [("pat", changes["name"])]
    assert desk.ask("GET", "/v1/patients?find=13/13/1961").json()["items"] == []


def test_intake_says_whom_a_new_patient_resembles_and_nobody_of_a_known_one(desk: FrontDesk) -> None:
    refer(desk, "follow-up", "mrn-1", name="Alex Twice", birth_date="1961-04-12")
    told = refer(desk, "follow-up", "mrn-2", name="alex  TWICE").json()["resembles"]
    assert told == [{"patient": "mrn-1", "is_name_equal": True, "is_birth_date_equal": False}]
    told = refer(desk, "cancer-outpatient", "mrn-3", name="Other", birth_date="1961-04-12").json()["resembles"]
    assert told == [{"patient": "mrn-1", "is_name_equal": False, "is_birth_date_equal": True}]
    assert refer(desk, "physical-therapy", "mrn-2", name="Alex Twice").json()["resembles"] == []
    assert refer(desk, "facet-injection", "mrn-3", birth_date="1961-04-13").status_code == 422


def test_all_that_is_booked_of_a_patient_is_listed_by_start_and_what_waits_comes_last(store_url: str) -> None:
    visits = [visit("late", "pat"), visit("early", "pat"), visit("waiting", "pat"), visit("other", "quin")]
    asked = factories.scenario(*visits)
    plan = factories.plan(asked, booking("late", "WE 10:00"), booking("early", "TU 09:00"))
    with front_desk(store_url, asked, plan, MONDAY_AT_EIGHT) as desk:
        items = desk.ask("GET", "/v1/patients/pat/visits").json()["items"]
        assert [(item["id"], item["state"], item["start"]) for item in items] == [
            ("early", "booked", "2026-12-01T09:00"),
            ("late", "booked", "2026-12-02T10:00"),
            ("waiting", "asked", None),
        ]
        assert find(desk, "2026-12-02") == ["pat"] and find(desk, "2026-12-03") == []
        assert desk.ask("GET", "/v1/patients/nobody/visits").status_code == 404
