"""One session by hand: moved, called off, filled, and a seat that is given back goes to who waits; all are told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from support import factories
from support.factories import at, booking, group, session, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk, rules

from api.store.queries import programmes
from api.store.tables import MemberRow
from scheduling.care.programmes import Programme, list_candidates

SESSION = "/v1/groups/coping/booking"
WANG = {"location": "wang", "room": "wang-group", "team": ["ben"]}


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    """Return a week that came as a scenario: two have a seat among three; pat, busy then, and rae wait for one."""
    asked = factories.scenario(visit("v-1", "pat"), group("coping", "sol", "tam", "pat", "rae", capacity=2))
    made = factories.plan(asked, booking("v-1", "WE 09:00"), session("coping", "WE 09:00", "sol tam"))
    with front_desk(store_url, asked, made) as desk:
        for patient in ("sol", "tam", "rae"):
            path = f"/v1/patients/{patient}/contact"
            version = desk.ask("GET", path).headers["etag"]
            assert desk.ask("PUT", path, {"email": f"{patient}@home.example"}, **{"If-Match": version}).status_code == 200
        yield desk


def change(desk: FrontDesk, method: str, body: Any = None) -> Any:
    return desk.ask(method, SESSION, body, **{"If-Match": desk.ask("GET", SESSION).headers.get("etag", '"1.none"')})


def told(desk: FrontDesk, patient: str) -> list[str]:
    """Return what a patient was written, the newest last: nothing was sent yet, so that a newer one drops the older."""
    items = desk.ask("GET", f"/v1/patients/{patient}/messages").json()["items"]
    return [item["method"] for item in items if item["state"] == "waiting"]


def test_where_a_session_stands_is_shown_with_its_seats(desk: FrontDesk) -> None:
    shown = desk.ask("GET", SESSION).json()
    assert (shown["start"], shown["attendees"]) == (at("WE 09:00"), ["sol", "tam"])
    assert shown["candidates"] == ["sol", "tam", "pat", "rae"]
    assert desk.ask("GET", "/v1/groups/nothing/booking").status_code == 404


def test_a_session_is_moved_with_all_who_have_a_seat(desk: FrontDesk) -> None:
    assert desk.ask("PATCH", SESSION, {"start": at("TH 09:00"), **WANG}).status_code == 428
    moved = change(desk, "PATCH", {"start": at("TH 09:00"), **WANG})
    assert (moved.status_code, moved.json()["start"]) == (200, at("TH 09:00")), moved.text
    assert moved.json()["attendees"] == ["sol", "tam"]
    assert [told(desk, patient) for patient in ("sol", "tam")] == [["REQUEST"], ["REQUEST"]]
    assert rules(change(desk, "PATCH", {"start": at("TH 09:00"), **WANG, "team": ["ana"]})) == {"qualified"}
    assert change(desk, "PATCH", {"start": at("TH 09:00"), **WANG, "room": "nowhere"}).status_code == 422


@pytest.mark.parametrize("stands", [True, False])
def test_a_session_comes_sooner_than_the_least_notice_when_its_people_agree(sqlite_url: str, stands: bool) -> None:
    asked = factories.scenario(group("coping", "sol", "tam"), policy=factories.policy(notice_minutes=1440))
    made = factories.plan(asked, session("coping", "WE 09:00", "sol tam"))
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE) as desk:
        if not stands:
            assert change(desk, "DELETE").status_code == 200
        method, soon = "PATCH" if stands else "POST", {"start": at("TU 14:00"), **WANG}
        assert "notice" in rules(change(desk, method, soon))
        agreed = change(desk, method, {**soon, "patient_agreed": True})
        assert (agreed.status_code, agreed.json()["attendees"]) == (200 if stands else 201, ["sol", "tam"])


def test_a_session_is_called_off_and_can_be_planned_anew(desk: FrontDesk) -> None:
    off = change(desk, "DELETE")
    assert (off.status_code, off.json()["attendees"]) == (200, ["sol", "tam"]), off.text
    assert [told(desk, patient) for patient in ("sol", "tam")] == [[], []], "an invitation that was never sent is dropped"
    assert desk.ask("GET", SESSION).status_code == 404
    assert [one["id"] for one in desk.ask("GET", "/v1/scenarios/test-week").json()["groups"]] == ["coping"]
    assert "group.cancel" in desk.actions("coping")


def hold(desk: FrontDesk, start: str, **more: Any) -> Any:
    return desk.ask("POST", SESSION, {"start": at(start), **WANG, **more})


def test_a_session_that_was_called_off_can_be_put_on_again_with_those_who_can_come(desk: FrontDesk) -> None:
    assert change(desk, "DELETE").status_code == 200
    held = hold(desk, "FR 09:00")
    assert (held.status_code, held.json()["attendees"]) == (201, ["sol", "tam"]), held.text
    assert held.headers["etag"] == desk.ask("GET", SESSION).headers["etag"]
    assert [told(desk, patient) for patient in ("sol", "tam")] == [["REQUEST"], ["REQUEST"]]
    assert "group.hold" in desk.actions("coping")


def test_a_session_that_stands_is_not_put_on_and_none_where_it_breaks_a_rule(desk: FrontDesk) -> None:
    assert hold(desk, "FR 09:00").status_code == 409
    assert change(desk, "DELETE").status_code == 200
    assert "shift" in rules(hold(desk, "FR 10:40"))
    assert hold(desk, "FR 09:00", room="nowhere").status_code == 422
    assert desk.ask("POST", "/v1/groups/nobody/booking", {"start": at("FR 09:00"), **WANG}).status_code == 404
    assert desk.ask("GET", SESSION).status_code == 404


def test_a_seat_that_is_given_back_goes_to_the_first_who_can_come(desk: FrontDesk) -> None:
    assert desk.ask("DELETE", "/v1/groups/coping/attendees/sol").status_code == 204
    shown = desk.ask("GET", SESSION).json()
    assert (shown["attendees"], shown["candidates"]) == (["tam", "rae"], ["tam", "pat", "rae"])
    assert told(desk, "rae") == ["REQUEST"] and told(desk, "sol") == []
    assert desk.ask("DELETE", "/v1/groups/coping/attendees/sol").status_code == 404
    assert desk.ask("DELETE", "/v1/groups/coping/attendees/tam").status_code == 204
    assert desk.ask("GET", SESSION).json()["attendees"] == ["rae"]


def test_the_last_who_leaves_ends_the_session(desk: FrontDesk) -> None:
    for patient in ("rae", "pat", "sol", "tam"):
        assert desk.ask("DELETE", f"/v1/groups/coping/attendees/{patient}").status_code == 204
    assert desk.ask("GET", SESSION).status_code == 404


def test_free_seats_are_filled(desk: FrontDesk) -> None:
    full = desk.ask("POST", "/v1/groups/coping/filling")
    assert (full.status_code, full.json()["attendees"]) == (200, ["sol", "tam"])


def test_a_session_that_has_begun_stays(desk: FrontDesk) -> None:
    desk.clock.pass_by(days=6)
    move = {"start": at("TH 09:00"), **WANG}
    for answer in (change(desk, "PATCH", move), change(desk, "DELETE"), desk.ask("POST", "/v1/groups/coping/filling")):
        assert answer.status_code == 409, answer.text
    assert desk.ask("DELETE", "/v1/groups/coping/attendees/sol").status_code == 409


def test_who_leaves_one_session_keeps_the_seat_of_the_other_months(desk: FrontDesk) -> None:
    workshop = Programme(
        id="coping", name="Coping", service="workshop", required=False, capacity=2, min_attendees=1, min_days=20, max_days=40
    )
    with desk.context.database.writing() as rows:
        programmes.put_programmes(rows, [workshop])
        for patient, since in (("sol", date(2026, 6, 1)), ("tam", date(2026, 6, 1))):
            rows.add(MemberRow(programme_id="coping", patient_id=patient, since=since, priority="routine"))
    assert desk.ask("DELETE", "/v1/groups/coping/attendees/sol").status_code == 204
    with desk.context.database.reading() as rows:
        (known,) = programmes.load(rows)
    seats = [(member.patient, str(member.since), str(member.until)) for member in known.members]
    assert seats == [("sol", "2026-06-01", "2026-12-01"), ("tam", "2026-06-01", "None"), ("sol", "2027-01-01", "None")]
    assert [candidate.patient for candidate in list_candidates(known, date(2026, 12, 3))] == ["tam"]
    assert "sol" in [candidate.patient for candidate in list_candidates(known, date(2027, 1, 5))]
