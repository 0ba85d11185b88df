"""The world changes after people were booked: whom it concerns is told, each is one task, and all of it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support import factories
from support.factories import at, booking, group, reserve, session, shift, visit, week
from support.frontdesk import FrontDesk, front_desk

WEDNESDAY = {"from": at("WE 00:00"), "to": at("TH 00:00")}

MORNING = week(shift("FR 08:00", "12:00", "wang"))
PEOPLE = factories.people(
    factories.ANA.model_copy(update={"shifts": MORNING}), factories.DEE.model_copy(update={"shifts": MORNING})
)
"""Ana and dee have Friday's afternoon off."""

ASKED = factories.scenario(
    visit("v-1", "pat"),
    visit("v-2", "quin"),
    visit("v-3", "rae", preferred_providers=["dee"]),
    group("coping", "sol", "tam"),
    providers=PEOPLE,
)
MADE = factories.plan(
    ASKED,
    booking("v-1", "WE 10:00"),
    booking("v-2", "WE 14:00", "west-exam", "ana", "west"),
    booking("v-3", "TH 10:00", "wang-exam-2", "dee"),
    session("coping", "WE 09:00", "sol tam"),
)


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    """Return a published week, on each database, in which ana and ben have work on Wednesday."""
    with front_desk(store_url, ASKED, MADE) as desk:
        yield desk


def tasks(desk: FrontDesk) -> dict[str, list[str]]:
    """Return the rules that the open tasks name, by visit or group."""
    items = desk.ask("GET", "/v1/tasks").json()["items"]
    assert len({item["subject"] for item in items}) == len(items), "each is one task"
    return {item["subject"]: item["detail"]["rules"] for item in items if item["kind"] == "booking-impossible"}


def roster(desk: FrontDesk, **changes: Any) -> Any:
    """Take in the week's roster once more, with changes of it."""
    document = json.loads(ASKED.model_dump_json())
    for section in ("visits", "groups", "links", "patients", "reserves"):
        document[section] = []
    document["clinic"]["closures"] += changes.pop("closures", [])
    document |= changes
    return desk.ask("PUT", "/v1/roster", document)


def alerts(desk: FrontDesk) -> list[str]:
    items = desk.ask("GET", "/v1/scenarios/test-week/alerts").json()["alerts"]
    return [item["visit"] for item in items if item["kind"] == "impossible"]


PIPE = {"start": at("WE 00:00"), "end": at("TH 00:00"), "location": "wang", "reason": "burst pipe"}
ALL = ("coping", "v-1", "v-2", "v-3")
EXTRA = {"provider": "ana", "locations": ["wang"], "from": at("FR 13:00"), "to": at("FR 17:00")}

ROUTES = {
    "absences": {"provider": "ana", **WEDNESDAY, "reason": "ill"},
    "closures": {"location": "wang", **WEDNESDAY, "reason": "burst pipe"},
}


@pytest.mark.parametrize(
    ("noun", "body", "concerned", "rule"),
    [
        ("absences", {"provider": "ana"}, ["v-1", "v-2"], "busy"),
        ("absences", {"provider": "ben"}, ["coping"], "busy"),
        ("closures", {"location": "wang"}, ["coping", "v-1"], "closure"),
        ("closures", {"room": "wang-exam-1"}, ["v-1"], "closure"),
    ],
)
def test_an_absence_or_closure_names_whom_it_concerns_and_can_be_taken_back(
    desk: FrontDesk, noun: str, body: dict[str, str], concerned: list[str], rule: str
) -> None:
    made = desk.ask("POST", f"/v1/{noun}", {**body, **WEDNESDAY, "reason": "burst pipe"})
    assert made.status_code == 201, made.text
    shown = made.json()
    assert sorted(concern["id"] for concern in shown["concerns"]) == concerned
    assert all(concern["notified"] and concern["task"] for concern in shown["concerns"])
    assert (shown["from"], shown["to"], shown["reason"]) == (WEDNESDAY["from"], WEDNESDAY["to"], "burst pipe")
    assert tasks(desk) == {name: [rule] for name in concerned}
    assert sorted(alerts(desk)) == concerned
    assert desk.booking("v-1") is not None, "what stands stays, until somebody decides"
    path = f"/v1/{noun}/{shown['id']}"
    assert desk.ask("GET", path).json() == shown
    assert [item["id"] for item in desk.ask("GET", f"/v1/{noun}").json()["items"]] == [shown["id"]]
    assert desk.ask("DELETE", path).status_code == 200
    assert (tasks(desk), alerts(desk), desk.ask("GET", path).status_code) == ({}, [], 404)


def test_a_date_stands_for_the_whole_day(desk: FrontDesk) -> None:
    made = desk.ask("POST", "/v1/absences", {"provider": "ana", "from": "2026-12-02", "to": "2026-12-02"}).json()
    assert (made["from"], made["to"]) == (WEDNESDAY["from"], WEDNESDAY["to"])


def test_an_absence_that_changes_concerns_others(desk: FrontDesk) -> None:
    made = desk.ask("POST", "/v1/absences", ROUTES["absences"])
    path, later = f"/v1/absences/{made.json()['id']}", {"provider": "dee", "from": at("TH 00:00"), "to": at("FR 00:00")}
    assert desk.ask("PATCH", path, later).status_code == 428
    changed = desk.ask("PATCH", path, later, **{"If-Match": made.headers["etag"]})
    assert [concern["id"] for concern in changed.json()["concerns"]] == ["v-3"]
    assert tasks(desk) == {"v-3": ["busy"]}
    assert desk.ask("PATCH", path, later, **{"If-Match": made.headers["etag"]}).status_code == 412


@pytest.mark.parametrize(
    ("noun", "body", "change", "field", "stays"),
    [
        ("absences", ROUTES["absences"], {"from": at("WE 09:00")}, "from", {"provider": "ana", "to": ROUTES["absences"]["to"]}),
        ("absences", ROUTES["absences"], {"provider": "dee"}, "provider", {"from": ROUTES["absences"]["from"]}),
        ("closures", ROUTES["closures"], {"reason": "water"}, "reason", {"to": ROUTES["closures"]["to"]}),
        ("closures", ROUTES["closures"], {"room": "wang-exam-2"}, "room", {"location": None}),
        ("extra-shifts", EXTRA, {"to": at("FR 14:30")}, "to", {"locations": EXTRA["locations"], "from": EXTRA["from"]}),
    ],
)
def test_what_a_change_does_not_name_stays(
    desk: FrontDesk, noun: str, body: dict[str, Any], change: dict[str, Any], field: str, stays: dict[str, Any]
) -> None:
    made = desk.ask("POST", f"/v1/{noun}", body)
    path = f"/v1/{noun}/{made.json()['id']}"
    changed = desk.ask("PATCH", path, change, **{"If-Match": made.headers["etag"]})
    assert changed.status_code == 200, changed.text
    told = changed.json()
    assert told[field] == change[field] and {name: told[name] for name in stays} == stays


def test_a_change_must_leave_an_end_after_the_start(desk: FrontDesk) -> None:
    made = desk.ask("POST", "/v1/absences", WEDNESDAY | {"provider": "ana"})
    path = f"/v1/absences/{made.json()['id']}"
    refused = desk.ask("PATCH", path, {"to": at("TU 09:00")}, **{"If-Match": made.headers["etag"]})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "body.to")
    assert desk.ask("GET", path).json() == made.json()


def test_a_second_cause_makes_no_second_task_and_a_done_one_stays_done(desk: FrontDesk) -> None:
    desk.ask("POST", "/v1/absences", ROUTES["absences"])
    desk.ask("POST", "/v1/closures", ROUTES["closures"])
    assert tasks(desk) == {"coping": ["closure"], "v-1": ["busy", "closure"], "v-2": ["busy"]}
    for task in desk.ask("GET", "/v1/tasks").json()["items"]:
        desk.ask(
            "PUT", f"/v1/tasks/{task['id']}/done", **{"If-Match": desk.ask("GET", f"/v1/tasks/{task['id']}").headers["etag"]}
        )
    assert roster(desk).status_code == 200
    assert tasks(desk) == {}


def test_when_one_of_two_closures_is_lifted_the_task_names_the_other_alone(desk: FrontDesk) -> None:
    def findings() -> list[str]:
        items = desk.ask("GET", "/v1/tasks").json()["items"]
        return next((item["detail"]["findings"] for item in items if item["subject"] == "v-1"), [])

    water = desk.ask("POST", "/v1/closures", {**WEDNESDAY, "location": "wang", "reason": "water"}).json()["id"]
    paint = desk.ask("POST", "/v1/closures", {**WEDNESDAY, "room": "wang-exam-1", "reason": "paint"}).json()["id"]
    assert len(findings()) == 2
    assert desk.ask("DELETE", f"/v1/closures/{water}").status_code == 200
    assert [finding.rpartition(": ")[2] for finding in findings()] == ["paint"]
    assert desk.ask("DELETE", f"/v1/closures/{paint}").status_code == 200
    assert findings() == []


def test_an_absence_of_days_says_on_which_it_ends(desk: FrontDesk) -> None:
    away = {"provider": "ana", "from": at("MO 00:00"), "to": at("FR 00:00")}
    assert desk.ask("POST", "/v1/absences", away).status_code == 201
    (task,) = (item for item in desk.ask("GET", "/v1/tasks").json()["items"] if item["subject"] == "v-1")
    assert task["detail"]["findings"] == ["is busy from Mon 00:00 to Fri 04 Dec 00:00"]


def test_a_visit_that_is_moved_or_cancelled_is_a_task_no_more(desk: FrontDesk) -> None:
    desk.ask("POST", "/v1/absences", ROUTES["absences"])
    assert desk.move("v-1", "TH 11:00").status_code == 200
    assert desk.cancel("v-2").status_code == 200
    assert tasks(desk) == {}


def test_a_visit_that_gets_its_new_length_where_it_stands_is_a_task_no_more(desk: FrontDesk) -> None:
    stood = desk.booking("v-1")
    assert stood is not None
    version = desk.ask("GET", "/v1/visits/v-1").headers["etag"]
    assert desk.ask("PATCH", "/v1/visits/v-1", {"minutes": 60}, **{"If-Match": version}).status_code == 200
    assert tasks(desk) == {"v-1": ["length"]}
    assert desk.move("v-1", stood["start"], stood["room"]).status_code == 200
    assert desk.booking("v-1") == stood | {"end": at("WE 11:00"), "version": stood["version"] + 1}
    assert tasks(desk) == {}


@pytest.mark.parametrize(
    ("changes", "concerned"),
    [
        ({"closures": [PIPE]}, ["coping", "v-1"]),
        ({"providers": [{**json.loads(one.model_dump_json()), "shifts": []} for one in PEOPLE]}, list(ALL)),
        ({"providers": [json.loads(one.model_dump_json()) for one in PEOPLE if one.id != "ana"]}, ["v-1", "v-2"]),
    ],
)  # fmt: skip
def test_a_roster_that_makes_bookings_impossible_names_them(
    desk: FrontDesk, changes: dict[str, Any], concerned: list[str]
) -> None:
    answer = roster(desk, **changes)
    assert answer.status_code == 200, answer.text
    assert sorted(concern["id"] for concern in answer.json()["concerns"]) == concerned == sorted(tasks(desk))
    assert roster(desk, **changes).json()["concerns"] == [], "once"
    assert roster(desk).status_code == 200
    assert (tasks(desk), alerts(desk)) == ({}, [])


def test_a_patients_own_time_is_a_task(desk: FrontDesk) -> None:
    for patient, concerned in (("pat", "v-1"), ("sol", "coping")):
        version = desk.ask("GET", f"/v1/patients/{patient}").headers["etag"]
        away = {"unavailable": [{"start": at("WE 00:00"), "end": at("TH 00:00")}]}
        assert desk.ask("PATCH", f"/v1/patients/{patient}", away, **{"If-Match": version}).status_code == 200
        assert tasks(desk)[concerned] == ["patient-available"]


def test_an_appointment_elsewhere_is_a_task_until_it_is_called_off(desk: FrontDesk) -> None:
    sent = desk.ask("POST", "/v1/intake", {"kind": "referral-out", "patient": "pat", "department": "neurology"})
    path = f"/v1/referrals-out/{sent.json()['referral_out']}"
    when = {"start": at("WE 10:00"), "end": at("WE 11:00")}
    for state, expected in (
        ({"state": "scheduled", "appointment": when}, {"v-1": ["patient-available"]}),
        ({"state": "accepted"}, {}),
    ):
        answer = desk.ask("PATCH", path, state, **{"If-Match": desk.ask("GET", path).headers["etag"]})
        assert answer.status_code == 200, answer.text
        assert tasks(desk) == expected


def test_an_extra_shift_can_be_booked_and_what_stands_in_it_is_a_task_when_it_goes(desk: FrontDesk) -> None:
    refused = desk.move("v-1", "FR 14:00")
    assert refused.status_code == 409
    made = desk.ask("POST", "/v1/extra-shifts", EXTRA)
    assert (made.status_code, made.json()["concerns"]) == (201, [])
    assert desk.move("v-1", "FR 14:00").status_code == 200
    path = f"/v1/extra-shifts/{made.json()['id']}"
    assert [concern["id"] for concern in desk.ask("GET", path).json()["concerns"]] == ["v-1"]
    assert [concern["id"] for concern in desk.ask("DELETE", path).json()["concerns"]] == ["v-1"]
    assert tasks(desk) == {"v-1": ["shift"]}


def test_a_roster_taken_in_later_leaves_an_absence_and_an_extra_shift(desk: FrontDesk) -> None:
    desk.ask("POST", "/v1/absences", ROUTES["absences"])
    desk.ask("POST", "/v1/extra-shifts", {**EXTRA, "provider": "dee"})
    with_more = [json.loads(one.model_dump_json()) for one in PEOPLE]
    dee = next(one for one in with_more if one["id"] == "dee")
    dee["shifts"].append({"start": at("FR 14:00"), "end": at("FR 15:00"), "locations": ["west"]})
    assert roster(desk, providers=with_more).status_code == 200
    people = {provider["id"]: provider for provider in desk.ask("GET", "/v1/scenarios/test-week").json()["providers"]}
    assert {"start": at("WE 00:00"), "end": at("TH 00:00")} in people["ana"]["busy"]
    friday = [(one["start"][11:], one["locations"]) for one in people["dee"]["shifts"] if one["start"] >= at("FR 13:00")]
    assert friday == [("13:00", ["wang"]), ("14:00", ["west"]), ("15:00", ["wang"])]


@pytest.mark.parametrize(
    ("noun", "body", "place"),
    [
        ("absences", {"provider": "nobody", **WEDNESDAY}, "provider"),
        ("absences", {"provider": "ana", "from": at("WE 10:00"), "to": at("WE 10:00")}, ""),
        ("absences", {"provider": "ana", "from": "soon", "to": at("WE 10:00")}, "from"),
        ("closures", {"location": "nowhere", **WEDNESDAY}, "location"),
        ("closures", WEDNESDAY, ""),
        ("extra-shifts", {**EXTRA, "locations": ["nowhere"]}, "locations[0]"),
        ("extra-shifts", {**EXTRA, "to": at("SA 10:00")}, "to"),
        ("extra-shifts", {**EXTRA, "from": at("FR 11:00")}, "from"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_place(desk: FrontDesk, noun: str, body: dict[str, Any], place: str) -> None:
    answer = desk.ask("POST", f"/v1/{noun}", body)
    assert answer.status_code == 422, answer.text
    assert place in answer.text and desk.ask("GET", f"/v1/{noun}").json()["items"] == []


def test_places_are_offered_beside_what_stands_against_a_rule_which_is_named(store_url: str) -> None:
    waits = visit("waits", "quin", priority="urgent", required_provider="dee")
    asked = factories.scenario(visit("v-1", "pat"), waits, group("coping", "sol", "tam"), reserve("held", "WE"))
    made = factories.plan(
        asked, booking("v-1", "WE 10:00"), session("coping", "WE 09:00", "sol tam"), booking("held", "WE 13:00", "wang-exam-2")
    )
    with front_desk(store_url, asked, made) as desk:
        for provider in ("ana", "ben"):
            assert desk.ask("POST", "/v1/absences", {"provider": provider, **WEDNESDAY}).status_code == 201
        offers = desk.ask("POST", "/v1/visits/waits/offers", {"count": 20})
        assert offers.status_code == 200, offers.text
        named = {name for one in offers.json()["set_aside"] for name in one["ids"]}
        assert offers.json()["offers"] and {"v-1", "coping", "held"} <= named
        taken = {"start": at("WE 10:00"), "end": at("WE 10:20"), "room": "wang-exam-1"}
        assert not any(taken.items() <= offer["place"].items() for offer in offers.json()["offers"])
        free = {"start": at("TH 09:00"), "end": at("TH 10:00"), "location": "wang", "room": "wang-exam-1", "team": ["dee"]}
        kept = desk.ask("POST", "/v1/scenarios/test-week/freed-places", free)
        assert (kept.status_code, kept.json()["visit"]) == (201, "waits"), kept.text
        assert "coping" in {name for one in kept.json()["set_aside"] for name in one["ids"]}
        assert sorted(desk.stands()) == ["v-1", "waits"], "what stands stays"


def test_a_clinician_hears_of_others_bookings_no_more_than_the_rule(store_url: str) -> None:
    waits = visit("waits", "quin", required_provider="ana")
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "sol", required_provider="dee"), waits)
    made = factories.plan(asked, booking("v-1", "WE 10:00"), booking("v-2", "WE 09:00", "wang-exam-2", "dee"))
    with front_desk(store_url, asked, made) as desk:
        for provider in ("ana", "dee"):
            assert desk.ask("POST", "/v1/absences", {"provider": provider, **WEDNESDAY}).status_code == 201
        known = [
            desk.ask("POST", "/v1/visits/waits/offers", {}, who).json()["set_aside"] for who in (desk.scheduler, desk.clinician)
        ]
        visits = [
            {name for violation in set_aside for name in violation["ids"] if name.startswith("v-")} for set_aside in known
        ]
        assert visits == [{"v-1", "v-2"}, {"v-1"}]
        assert "v-2" not in str(known[1]) and len(known[1]) == 2, "that there is something is told"


def test_an_absence_of_each_week_is_one_of_each_and_names_all_that_it_meets(desk: FrontDesk) -> None:
    hours = {"provider": "ana", "from": at("WE 13:00"), "to": at("WE 18:00"), "reason": "teaches"}
    answer = desk.ask("POST", "/v1/absences/weekly", {**hours, "until": "2026-12-16"})
    assert answer.status_code == 201, answer.text
    made = answer.json()["items"]
    assert [away["from"] for away in made] == ["2026-12-02T13:00", "2026-12-09T13:00", "2026-12-16T13:00"]
    assert [[concern["id"] for concern in away["concerns"]] for away in made] == [["v-2"], [], []]
    assert set(tasks(desk)) == {"v-2"}
    listed = desk.ask("GET", "/v1/absences").json()["items"]
    assert {away["id"] for away in listed} == {away["id"] for away in made}


@pytest.mark.parametrize(("until", "field"), [("2026-12-01", "until"), ("2027-12-15", "until"), ("soon", "until")])
def test_an_absence_of_each_week_ends_within_a_year_after_it_begins(sqlite_url: str, until: str, field: str) -> None:
    with front_desk(sqlite_url, ASKED, MADE) as desk:
        hours = {"provider": "ana", "from": at("WE 13:00"), "to": at("WE 18:00")}
        refused = desk.ask("POST", "/v1/absences/weekly", {**hours, "until": until})
        assert refused.status_code == 422
        assert field in refused.text
        assert desk.ask("GET", "/v1/absences").json()["items"] == []


@pytest.mark.parametrize(
    ("path", "whom"),
    [
        ("absences", {"provider": "ana"}),
        ("closures", {"room": "wang-exam-1"}),
        ("extra-shifts", {"provider": "ana", "locations": ["wang"]}),
        ("absences/weekly", {"provider": "ana", "until": "2027-03-14"}),
    ],
)
def test_an_hour_that_the_clocks_skip_is_refused_by_name(sqlite_url: str, path: str, whom: dict[str, Any]) -> None:
    with front_desk(sqlite_url, ASKED, MADE) as desk:
        refused = desk.ask("POST", f"/v1/{path}", {**whom, "from": "2027-03-14T02:00", "to": "2027-03-14T03:00"})
        assert refused.status_code == 422
        assert [(error["path"], "clocks" in error["detail"]) for error in refused.json()["errors"]] == [("body.to", True)]
        kept = desk.ask("POST", f"/v1/{path}", {**whom, "from": "2027-03-14T01:00", "to": "2027-03-14T03:00"})
        assert kept.status_code == 201, "control: an hour of it is left"
