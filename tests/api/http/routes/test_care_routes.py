"""Care over months, over HTTP: referrals come in, weeks are built, episodes go on, and each sees what is theirs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import Workbook
from support.frontdesk import FrontDesk, front_desk
from support.months import FRIDAY_AFTER, last_week, roster

from api.spreadsheets.referral_sheets import examples

WEEK = "week-2026-11-30"
REQUEST = {"kind": "new-patient-acute", "patient": "mrn-1", "name": "Robin"}


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    with front_desk(sqlite_url, last_week(), None, FRIDAY_AFTER) as desk:
        yield desk


@pytest.fixture
def clinic(desk: FrontDesk) -> FrontDesk:
    """Return a desk that knows who works in the weeks to come."""
    assert desk.ask("PUT", "/v1/roster", json.loads(roster(10))).status_code == 200
    return desk


def take(desk: FrontDesk, **fields: Any) -> Any:
    return desk.ask("POST", "/v1/intake", {**REQUEST, **fields})


def sheet(desk: FrontDesk, content: bytes, dry_run: bool, **more: str) -> Any:
    headers = desk.scheduler | {"Content-Type": "application/octet-stream"} | more
    return desk.client.post(f"/v1/intake/spreadsheets?dry_run={str(dry_run).lower()}", content=content, headers=headers)


def unavailable(desk: FrontDesk, week: str) -> list[Any]:
    found: dict[str, list[Any]] = {
        patient["id"]: patient["unavailable"] for patient in desk.ask("GET", f"/v1/scenarios/{week}").json()["patients"]
    }
    return found["mrn-1"]


def csv_of(*rows: dict[str, Any]) -> bytes:
    names = list(dict.fromkeys(["kind", "patient", "name", "priority", *(name for row in rows for name in row)]))
    return "\n".join([",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]).encode()


@pytest.mark.parametrize("start", ["0184-07-24", "8999-12-29", "9999-12-31"])
def test_weeks_at_the_ends_of_the_calendar_are_refused(clinic: FrontDesk, start: str) -> None:
    looked, built = clinic.ask("GET", f"/v1/weeks/next?start={start}"), clinic.ask("POST", "/v1/weeks", {"start": start})
    assert (looked.status_code, built.status_code) == (422, 422)


def test_a_referral_comes_in_once_and_is_asked_for_by_next_week(clinic: FrontDesk) -> None:
    taken = take(clinic, kind="new-patient-chronic")
    assert (taken.status_code, taken.json()["visits"]) == (201, [])
    assert take(clinic, kind="new-patient-chronic").status_code == 422
    looked = clinic.ask("GET", "/v1/weeks/next")
    built = clinic.ask("POST", "/v1/weeks", {"weeks": 1}, **{"Idempotency-Key": "k"})
    assert (built.status_code, built.json()) == (201, looked.json())
    assert built.json() == clinic.ask("POST", "/v1/weeks", {"weeks": 1}, **{"Idempotency-Key": "k"}).json()
    scenario = clinic.ask("GET", built.headers["location"]).json()
    assert [visit["id"] for visit in scenario["visits"]] == [f"{taken.json()['episode']}.evaluation.1", "v-1"]
    assert clinic.ask("GET", f"{built.headers['location']}/alerts").json()["scenario"] == scenario["id"]
    late = take(clinic, kind="new-patient-acute", patient="mrn-2")
    assert late.json()["visits"] == [f"{late.json()['episode']}.evaluation.1"]


def test_the_same_request_again_with_its_key_is_the_same_referral(clinic: FrontDesk) -> None:
    answers = [clinic.ask("POST", "/v1/intake", REQUEST, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201] and answers[0].json() == answers[1].json()
    assert len(clinic.ask("GET", "/v1/episodes?patient=mrn-1").json()["items"]) == 1


def test_a_faulty_request_is_refused_by_its_field(clinic: FrontDesk) -> None:
    answer = take(clinic, preferred_site="mars", kind="pump-refill")
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["body.preferred_site", "body.low_reservoir"]


def test_a_cancer_patient_is_given_a_place_today(clinic: FrontDesk) -> None:
    assert clinic.ask("POST", "/v1/weeks", {"weeks": 1}).status_code == 201
    clinic.clock.now = datetime(2026, 12, 14, 13, tzinfo=UTC)
    taken = take(clinic, kind="cancer-outpatient")
    assert taken.status_code == 201, taken.text
    today = taken.json()["today"]
    assert today["place"]["start"].startswith("2026-12-14"), today
    episode = clinic.ask("GET", f"/v1/episodes/{taken.json()['episode']}").json()
    assert [event["kind"] for event in episode["history"]] == ["referred", "planned"]
    assert episode["open"][0]["planned"] == "2026-12-14"
    assert take(clinic, kind="cancer-outpatient").status_code == 422
    content = csv_of({"kind": "cancer-outpatient", "patient": "mrn-2", "name": "Quin"})
    (visit,) = sheet(clinic, content, False).json()["today"]
    assert clinic.booking(visit) is not None


def test_a_sheet_sent_in_again_brings_its_new_row_and_names_what_is_in_or_differs(clinic: FrontDesk) -> None:
    rows = [{"kind": "follow-up", "patient": f"mrn-{number}", "name": "Robin"} for number in (1, 2, 3)]
    assert sheet(clinic, csv_of(*rows[:2]), False).status_code == 201
    assert take(clinic, kind="group", patient="mrn-2", programme="coping-skills").status_code == 201
    again = csv_of(
        rows[0],
        {**rows[1], "priority": "urgent"},
        rows[2],
        {"kind": "group", "patient": "mrn-2", "programme": "coping-skills"},
    )
    for dry_run in (True, False):
        told = sheet(clinic, again, dry_run).json()
        assert [row["place"] for row in told["in_already"]] == ["row 2, ", "row 5, "], told
        ((conflict),) = told["conflicts"]
        assert conflict["place"] == "row 3, priority" and "in with another priority" in conflict["fault"]
        assert [one["patient"] for one in told["taken"]] == ([] if dry_run else ["mrn-3"])
    third = sheet(clinic, csv_of(*rows), False).json()
    assert (len(third["in_already"]), third["taken"], third["conflicts"]) == (3, [], [])
    assert len(clinic.ask("GET", "/v1/episodes?patient=mrn-2").json()["items"]) == 1


def test_a_row_whose_name_or_birth_date_was_corrected_is_a_conflict_and_the_others_go_on(clinic: FrontDesk) -> None:
    rows = [{"kind": "follow-up", "patient": f"mrn-{number}", "name": "Robni"} for number in (1, 2, 3)]
    assert sheet(clinic, csv_of(*rows[:2]), False).status_code == 201
    told = sheet(clinic, csv_of({**rows[0], "name": "Robin"}, {**rows[1], "birth_date": "1961-04-12"}, rows[2]), False).json()
    assert [one["patient"] for one in told["taken"]] == ["mrn-3"], told
    assert [row["place"] for row in told["conflicts"]] == ["row 2, name", "row 3, birth_date"]
    other = sheet(clinic, csv_of({"kind": "physical-therapy", "patient": "mrn-1", "name": "Robin"}), False)
    assert (other.status_code, other.json()["errors"][0]["path"]) == (422, "row 2, name")


def test_a_spreadsheet_is_tried_then_taken_in_whole(clinic: FrontDesk) -> None:
    good = {"kind": "follow-up", "patient": "mrn-1", "name": "Robin"}
    bad = csv_of(good, {**good, "patient": "mrn-2", "priority": "very"}, {**good, "patient": "mrn-3", "kind": "juggling"})
    tried = sheet(clinic, bad, True)
    assert (tried.status_code, [fault["place"] for fault in tried.json()["faults"]]) == (
        200,
        ["row 3, priority", "row 4, kind"],
    )
    refused = sheet(clinic, bad, False)
    assert (refused.status_code, [error["path"] for error in refused.json()["errors"]]) == (
        422,
        ["row 3, priority", "row 4, kind"],
    )
    assert clinic.ask("GET", "/v1/episodes").json()["items"] == []
    taken = sheet(clinic, csv_of(good), False)
    assert (taken.status_code, taken.json()["requests"], len(taken.json()["taken"])) == (201, 1, 1)


def test_the_template_that_is_fetched_can_be_sent_and_each_of_its_examples_is_named(clinic: FrontDesk) -> None:
    looked = sheet(clinic, clinic.ask("GET", "/v1/intake/template").content, dry_run=True)
    assert (looked.status_code, looked.json()["requests"]) == (200, 0)
    assert {fault["fault"] for fault in looked.json()["faults"]} == {"is an example of the template; delete the row"}


def xlsx_of(rows: list[list[str]]) -> bytes:
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize("form", ["xlsx", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_sheet_is_taken_in_by_http_in_every_format(clinic: FrontDesk, form: str) -> None:
    rows = [["kind", "patient", "name"], ["follow-up", "mrn-8", "Zoë"]]
    content = xlsx_of(rows) if form == "xlsx" else "\r\n".join(map(",".join, rows)).encode(form)
    assert (sheet(clinic, content, dry_run=True).json()["faults"], sheet(clinic, content, dry_run=False).status_code) == (
        [],
        201,
    )
    assert len(clinic.ask("GET", "/v1/episodes?patient=mrn-8").json()["items"]) == 1


def test_a_nul_in_a_sheet_or_in_an_answer_is_kept_nowhere(clinic: FrontDesk) -> None:
    assert sheet(clinic, b"kind,patient,name\nfollow-up,mrn-8,Z\0e\n", dry_run=False).status_code == 422
    answer = clinic.client.post("/v1/answers", content=b"BEGIN\0", headers=clinic.scheduler | {"Content-Type": "text/calendar"})
    assert answer.status_code == 422 and "NUL" in answer.text


def test_the_template_and_the_kinds_are_for_whoever_refers(clinic: FrontDesk) -> None:
    template = clinic.ask("GET", "/v1/intake/template")
    assert template.status_code == 200 and template.content.startswith(b"PK")
    kinds = {item["kind"] for item in clinic.ask("GET", "/v1/intake/kinds", headers=clinic.clinician).json()["items"]}
    assert kinds == {row["kind"] for row in examples(date(2026, 12, 1))}


def test_episodes_and_alerts_say_whom_they_are_about(clinic: FrontDesk) -> None:
    episode = take(clinic, kind="new-patient-acute").json()["episode"]
    listed = clinic.ask("GET", "/v1/episodes?patient=mrn-1").json()["items"]
    assert [one["name"] for one in listed] == ["Robin"]
    assert clinic.ask("GET", f"/v1/episodes/{episode}").json()["name"] == "Robin"
    alerts = clinic.ask("GET", "/v1/weeks/next?weeks=8").json()["alerts"]
    assert {one["name"] for one in alerts if one["episode"] == episode} == {"Robin"}


def test_a_stop_is_told_once_and_what_cannot_follow_is_refused(clinic: FrontDesk) -> None:
    episode = take(clinic, kind="follow-up").json()["episode"]
    path = f"/v1/episodes/{episode}/events"
    assert clinic.ask("POST", path, {"kind": "planned"}).status_code == 409
    stopped = clinic.ask("POST", path, {"kind": "stopped"})
    assert (stopped.status_code, stopped.json()["episode"]["state"], stopped.json()["episode"]["open"]) == (201, "stopped", [])
    again = clinic.ask("POST", path, {"kind": "stopped"})
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "event-refused")
    assert clinic.ask("POST", path, {"kind": "stopped", "team": ["ana"]}).status_code == 422


def test_a_clinician_sees_and_continues_only_what_is_theirs(clinic: FrontDesk) -> None:
    own = take(clinic, kind="follow-up", patient="mrn-1", preferred_providers=["ana"]).json()["episode"]
    other = take(clinic, kind="follow-up", patient="mrn-2").json()["episode"]
    answers = [clinic.ask("GET", f"/v1/episodes/{one}", headers=clinic.clinician).status_code for one in (own, other, "none")]
    assert answers == [200, 403, 403]
    told = [
        clinic.ask("POST", f"/v1/episodes/{one}/events", {"kind": "stopped"}, headers=clinic.clinician).status_code
        for one in (own, other)
    ]
    assert told == [201, 403]
    mine = {"kind": "follow-up", "patient": "pat"}
    assert clinic.ask("POST", "/v1/intake", mine, headers=clinic.clinician).status_code == 201
    assert clinic.ask("POST", "/v1/intake", {**mine, "patient": "mrn-2"}, headers=clinic.clinician).status_code == 403
    for path in ("/v1/episodes", "/v1/weeks/next", "/v1/programmes", "/v1/referrals-out"):
        assert clinic.ask("GET", path, headers=clinic.clinician).status_code == 403
        assert clinic.ask("GET", path, headers=clinic.link("v-1")).status_code == 403


def test_an_appointment_elsewhere_keeps_the_patients_time_free(clinic: FrontDesk) -> None:
    sent = take(clinic, kind="referral-out", department="neurosurgery").json()["referral_out"]
    take(clinic, kind="follow-up")
    path = f"/v1/referrals-out/{sent}"
    week = clinic.ask("POST", "/v1/weeks", {"weeks": 1}).json()["scenario"]
    when = {"start": "2026-12-15T10:00", "end": "2026-12-15T11:00"}
    version = {"If-Match": clinic.ask("GET", path).headers["etag"]}
    assert clinic.ask("PATCH", path, {"state": "scheduled"}, **version).status_code == 409
    dated = clinic.ask("PATCH", path, {"state": "scheduled", "appointment": when}, **version)
    assert (dated.status_code, dated.json()["appointment"]) == (200, when)
    assert clinic.ask("PATCH", path, {"state": "done"}, **version).status_code == 412
    early = clinic.ask("PATCH", path, {"state": "done"}, **{"If-Match": dated.headers["etag"]})
    assert (early.status_code, "not begun" in early.json()["detail"]) == (409, True)
    assert unavailable(clinic, week) == [when]
    assert clinic.ask("GET", "/v1/patients/mrn-1").json()["unavailable"] == []
    over = clinic.ask("PATCH", path, {"state": "declined"}, **{"If-Match": dated.headers["etag"]})
    assert over.json()["state"] == "declined"
    assert unavailable(clinic, week) == []
    assert [item["id"] for item in clinic.ask("GET", "/v1/referrals-out?patient=mrn-1").json()["items"]] == [sent]


def test_who_waits_for_a_group_is_seen_and_may_leave(clinic: FrontDesk) -> None:
    take(clinic, kind="group", programme="coping-skills")
    path = "/v1/programmes/coping-skills"
    shown = clinic.ask("GET", path)
    assert [(one["patient"], one["name"]) for one in shown.json()["waiting"]] == [("mrn-1", "Robin")]
    assert (shown.json()["sessions"], shown.json()["next"]) == ([], None)
    changed = clinic.ask("PATCH", path, {"weekday": "TU", "capacity": 4}, **{"If-Match": shown.headers["etag"]})
    assert (changed.json()["weekday"], changed.json()["capacity"]) == ("TU", 4)
    version = {"If-Match": changed.headers["etag"]}
    for changes in ({"capacity": 2, "min_attendees": 3}, {"min_attendees": 5}):
        refused = clinic.ask("PATCH", path, changes, **version)
        assert refused.status_code == 422 and refused.json()["errors"][0]["path"] == "body.min_attendees"
    assert clinic.ask("PUT", f"{path}/sessions/2026-12", {"came": ["mrn-1"]}).status_code == 409
    assert [clinic.ask("DELETE", f"{path}/people/mrn-1").status_code for _ in range(2)] == [204, 404]
    assert clinic.ask("GET", path).json()["waiting"] == []
    assert {item["id"] for item in clinic.ask("GET", "/v1/programmes").json()["items"]} >= {"coping-skills", "function"}


def test_a_week_without_people_is_refused(desk: FrontDesk) -> None:
    assert desk.ask("POST", "/v1/weeks", {"weeks": 1}).status_code == 409


def test_reading_is_written_down(clinic: FrontDesk) -> None:
    episode = take(clinic, kind="follow-up").json()["episode"]
    clinic.ask("GET", f"/v1/episodes/{episode}")
    assert clinic.actions(episode) == ["episode.read"]
    assert clinic.actions("mrn-1") == ["patient.add", "intake.take"]
