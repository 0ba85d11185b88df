"""What is asked for, over HTTP: taken in, added to, changed, withdrawn, and shown to those whom it concerns."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from support import factories
from support.factories import booking, patient, visit
from support.frontdesk import FrontDesk, front_desk

from api.http.routes import examples
from scheduling.comparison import Comparison
from scheduling.people import Patient
from scheduling.plan import Plan
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario

WEEK = "/v1/scenarios/test-week"


@pytest.fixture
def week() -> Scenario:
    """Return a week: v-1 stands with ana, v-2 and v-3 wait."""
    return factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"))


@pytest.fixture
def desk(sqlite_url: str, week: Scenario) -> Iterator[FrontDesk]:
    with front_desk(sqlite_url, week, factories.plan(week, booking("v-1", "TU 09:00"))) as desk:
        yield desk


def document(scenario: Scenario) -> Any:
    return json.loads(scenario.model_dump_json())


def asked(identifier: str, of: str = "pat", **changes: Any) -> Any:
    return json.loads(visit(identifier, of).model_dump_json()) | changes


def version(desk: FrontDesk, path: str) -> dict[str, str]:
    return {"If-Match": desk.ask("GET", path).headers["etag"]}


def faults(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {ground.get("path"): ground["detail"] for ground in answer.json()["errors"]}


def test_a_scenario_that_was_imported_comes_back_as_it_was(desk: FrontDesk) -> None:
    other = factories.scenario(visit("w-1", "pat"), id="other-week")
    made = desk.ask("POST", "/v1/scenarios", document(other))
    assert (made.status_code, made.headers["location"]) == (201, "/v1/scenarios/other-week")
    back = desk.ask("GET", made.headers["location"])
    assert [one["id"] for one in back.json()["visits"]] == ["w-1"] and back.headers["etag"] == made.headers["etag"]
    assert Scenario.parse(back.content).clinic == other.clinic
    first = desk.ask("GET", "/v1/scenarios?limit=1").json()
    second = desk.ask("GET", f"/v1/scenarios?limit=1&cursor={first['next']}").json()
    assert [one["id"] for one in first["items"] + second["items"]] == ["other-week", "test-week"]


def test_an_import_is_refused_with_every_fault_by_its_path_and_leaves_nothing(desk: FrontDesk) -> None:
    wrong = document(factories.scenario(visit("w-1", "pat"), visit("x" * 101, "pat"), id="other-week"))
    assert faults(desk.ask("POST", "/v1/scenarios", wrong)) == {"visits[1].id": "has more than 100 characters"}
    wrong["visits"][0] |= {"service": "juggling", "priority": "low"}
    assert set(faults(desk.ask("POST", "/v1/scenarios", wrong))) == {"visits[0].service", "visits[0].priority"}
    assert desk.ask("GET", "/v1/scenarios/other-week").status_code == 404


def test_a_scenario_is_imported_once(desk: FrontDesk, week: Scenario) -> None:
    assert desk.ask("POST", "/v1/scenarios", document(week)).status_code == 409
    other = document(week.changed(id="other-week", visits=()))
    answers = [desk.ask("POST", "/v1/scenarios", other, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201] and answers[0].json() == answers[1].json()


def test_visits_are_added_with_their_links_and_new_patients(desk: FrontDesk) -> None:
    new = json.loads(patient("uma").model_dump_json())
    follows = {"before": "v-1", "after": "n-1", "min_days": 1, "max_days": None, "together": False}
    addition = {"visits": [asked("n-1"), asked("n-2", "uma")], "links": [follows], "patients": [new]}
    before = version(desk, WEEK)
    added = desk.ask("POST", f"{WEEK}/visits", addition)
    assert (added.status_code, added.json()) == (201, {"visits": ["n-1", "n-2"]})
    now = desk.ask("GET", WEEK).json()
    assert {"n-1", "n-2"} < {one["id"] for one in now["visits"]} and [link["after"] for link in now["links"]] == ["n-1"]
    assert version(desk, WEEK) != before
    assert "visit.add" in desk.actions("n-1") and "patient.add" in desk.actions("uma")


def test_one_visit_alone_may_be_of_a_patient_whom_only_another_week_knows(desk: FrontDesk) -> None:
    other = factories.scenario(visit("w-1", "zoe"), id="other-week", patients=[patient("zoe")])
    assert desk.ask("POST", "/v1/scenarios", document(other)).status_code == 201
    assert desk.ask("POST", f"{WEEK}/visits", asked("n-1", "zoe")).status_code == 201
    assert faults(desk.ask("POST", f"{WEEK}/visits", asked("n-2", "nobody"))) == {"patient": 'unknown patient "nobody"'}


def test_half_a_pair_of_surrogates_is_a_fault_and_not_looked_up(desk: FrontDesk) -> None:
    told = {"content": r'{"patient": "\ud800"}', "headers": desk.scheduler | {"Content-Type": "application/json"}}
    assert desk.client.post(f"{WEEK}/visits", **told).status_code == 422
    cursor = urlsafe_b64encode(rb'["\ud800"]').decode().rstrip("=")
    assert desk.ask("GET", f"/v1/scenarios?cursor={cursor}").status_code == 422


def test_an_id_is_taken_again_once_its_visit_was_withdrawn(desk: FrontDesk) -> None:
    assert faults(desk.ask("POST", f"{WEEK}/visits", asked("v-2", "quin")))
    assert desk.ask("DELETE", "/v1/visits/v-2", **version(desk, "/v1/visits/v-2")).status_code == 204
    assert desk.ask("POST", f"{WEEK}/visits", asked("v-2", "quin")).status_code == 201


def test_a_visit_is_changed_in_the_version_that_was_read(desk: FrontDesk) -> None:
    read = version(desk, "/v1/visits/v-1")
    changes = {"priority": "urgent", "deadline": "2026-12-03"}
    assert desk.ask("PATCH", "/v1/visits/v-1", changes).status_code == 428
    changed = desk.ask("PATCH", "/v1/visits/v-1", changes, **read)
    assert changed.status_code == 200
    assert {key: changed.json()["visit"][key] for key in changes} == changes
    assert changed.json()["booking"]["start"] == "2026-12-01T09:00"
    assert desk.ask("PATCH", "/v1/visits/v-1", {"priority": "soon"}, **read).status_code == 412
    assert desk.ask("GET", "/v1/visits/v-1").json() == changed.json()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"service": "juggling"}, "service"),
        ({"priority": None}, "priority"),
        ({"required_provider": "nobody"}, "required_provider"),
        ({"patient": "quin"}, "body.patient"),
    ],
)
def test_a_change_that_makes_no_visit_is_refused_by_its_path_and_undone(
    desk: FrontDesk, changes: dict[str, Any], path: str
) -> None:
    before = desk.ask("GET", "/v1/visits/v-1").json()
    assert path in faults(desk.ask("PATCH", "/v1/visits/v-1", changes, **version(desk, "/v1/visits/v-1")))
    assert desk.ask("GET", "/v1/visits/v-1").json() == before


def test_a_withdrawn_visit_gives_up_its_place_and_is_asked_for_no_more(desk: FrontDesk) -> None:
    read = version(desk, "/v1/visits/v-1")
    assert desk.ask("DELETE", "/v1/visits/v-1", **read).status_code == 204
    assert desk.stands() == {}
    shown = desk.ask("GET", "/v1/visits/v-1").json()
    assert (shown["state"], shown["booking"]) == ("withdrawn", None)
    assert [one["id"] for one in desk.ask("GET", WEEK).json()["visits"]] == ["v-2", "v-3"]
    listed = desk.ask("GET", f"{WEEK}/visits").json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [("v-1", "withdrawn"), ("v-2", "asked"), ("v-3", "asked")]
    assert desk.ask("DELETE", "/v1/visits/v-1", **version(desk, "/v1/visits/v-1")).status_code == 409


def test_a_visit_that_has_begun_cannot_be_withdrawn(desk: FrontDesk) -> None:
    desk.clock.pass_by(days=4)
    assert desk.change("PUT", "booking/state", "v-1", {"state": "arrived"}).status_code == 200
    assert desk.ask("DELETE", "/v1/visits/v-1", **version(desk, "/v1/visits/v-1")).status_code == 409
    assert desk.ask("GET", "/v1/visits/v-1").json()["booking"]["state"] == "arrived"


def test_links_are_added_once_and_in_no_cycle_and_removed(desk: FrontDesk) -> None:
    link = {"before": "v-1", "after": "v-2", "min_days": 0, "max_days": None, "together": False}
    assert desk.ask("POST", f"{WEEK}/links", link).status_code == 201
    assert desk.ask("POST", f"{WEEK}/links", link).status_code == 409
    assert faults(desk.ask("POST", f"{WEEK}/links", link | {"before": "v-2", "after": "v-1"}))
    assert faults(desk.ask("POST", f"{WEEK}/links", link | {"after": "nobody"})) == {"after": 'unknown visit "nobody"'}
    assert desk.ask("DELETE", f"{WEEK}/links/v-1/v-2").status_code == 204
    assert desk.ask("DELETE", f"{WEEK}/links/v-1/v-2").status_code == 404
    assert desk.ask("GET", WEEK).json()["links"] == []


def test_a_patients_wishes_change_and_the_week_with_them(desk: FrontDesk) -> None:
    before, read = version(desk, WEEK), version(desk, "/v1/patients/pat")
    away = [{"start": "2026-12-02T08:00", "end": "2026-12-02T12:00"}]
    changed = desk.ask("PATCH", "/v1/patients/pat", {"prefers": "afternoon", "unavailable": away}, **read)
    assert (changed.status_code, changed.json()["unavailable"]) == (200, away)
    assert desk.ask("PATCH", "/v1/patients/pat", {"prefers": None}, **read).status_code == 412
    assert version(desk, WEEK) != before
    wrong = desk.ask("PATCH", "/v1/patients/pat", {"preferred_site": "mars"}, **version(desk, "/v1/patients/pat"))
    assert faults(wrong) == {"preferred_site": 'unknown site "mars"'}
    assert desk.ask("GET", "/v1/patients/pat").json() == changed.json()


def test_who_has_no_part_in_it_sees_neither_the_visit_nor_the_patient(desk: FrontDesk) -> None:
    paths = ("/v1/visits/v-1", "/v1/visits/v-2", "/v1/patients/pat", "/v1/patients/quin", WEEK)
    by_clinician = [desk.ask("GET", path, headers=desk.clinician).status_code for path in paths]
    assert by_clinician == [200, 403, 200, 403, 403]
    by_patient = [desk.ask("GET", path, headers=desk.link("v-2")).status_code for path in paths]
    assert by_patient == [403, 200, 403, 403, 403]


def test_every_reading_of_patient_data_is_written_down(desk: FrontDesk) -> None:
    for path in ("/v1/visits/v-2", "/v1/patients/quin", WEEK, f"{WEEK}/visits", f"{WEEK}/plan"):
        assert desk.ask("GET", path).status_code == 200
    assert desk.actions("v-2") == ["visit.read"] and desk.actions("quin") == ["patient.read"]
    assert desk.actions("test-week") == ["scenario.read", "scenario.list-visits", "scenario.read-plan"]


def test_what_stands_and_its_figures_are_those_of_the_published_plan(desk: FrontDesk) -> None:
    standing = desk.ask("GET", f"{WEEK}/plan")
    assert [one["visit"] for one in standing.json()["visits"]] == ["v-1"]
    figures = desk.ask("GET", f"{WEEK}/kpis")
    assert figures.json()["visits"] == {"part": 1, "whole": 3, "ratio": 0.3333}
    assert standing.headers["etag"] == figures.headers["etag"]


def test_the_examples_of_the_description_are_what_the_domain_accepts() -> None:
    assert Scenario.parse(json.dumps(examples.SCENARIO)).id == "week-7"
    for kind, example in ((Visit, examples.VISIT), (Link, examples.LINK), (Patient, examples.PATIENT), (Plan, examples.PLAN)):
        assert kind.model_validate_json(json.dumps(example))
    assert Comparison.model_validate_json(json.dumps(examples.COMPARISON))
