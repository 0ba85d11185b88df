"""The desk books, moves, cancels, pins and marks a visit: by the rules, or with a reason, and never against the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support import factories
from support.factories import at, booking, link, reserve, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk, rules, wanted
from support.service import OWN

from api.store.audit import list_entries
from api.store.queries import bookings, periods, plans
from scheduling.check import check

NINE = "TU 09:00"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a week: v-1 stands and v-2 follows it, v-3 stands alone, v-4 and one of ana's wait."""
    asked = factories.scenario(
        visit("v-1", "pat"),
        visit("v-2", "pat", "injection"),
        visit("v-3", "quin"),
        visit("v-4", "rae"),
        visit(OWN, "sol", preferred_providers=["ana"]),
        link("v-1", "v-2", min_days=1),
    )
    made = factories.plan(
        asked,
        booking("v-1", NINE),
        booking("v-2", "TH 09:00", "wang-proc-1"),
        booking("v-3", "TU 10:00", "wang-exam-2", "dee"),
    )
    with front_desk(sqlite_url, asked, made) as desk:
        yield desk


def test_a_waiting_visit_is_booked_and_then_moved(desk: FrontDesk) -> None:
    made = desk.book("v-4", "WE 09:00")
    assert (made.status_code, made.json()["end"], made.json()["version"]) == (201, "2026-12-02T09:40", 1)
    moved = desk.move("v-4", "WE 13:00", "wang-exam-3", "dee")
    assert (moved.status_code, moved.json()["version"]) == (200, 2)
    assert moved.headers["etag"] == made.headers["etag"].replace("1.", "2.", 1)
    assert desk.booking("v-4") == moved.json()
    assert moved.json()["team"] == ["dee"] and moved.json()["override_reason"] is None
    assert [action for action in desk.actions("v-4") if action != "booking.read"] == ["booking.add", "booking.move"]


def test_nothing_but_the_moved_visit_is_touched(desk: FrontDesk) -> None:
    others = {name: desk.booking(name) for name in ("v-2", "v-3")}
    assert desk.move("v-1", "TU 13:00").status_code == 200
    assert {name: desk.booking(name) for name in others} == others


def test_who_has_not_read_the_latest_version_moves_nothing(desk: FrontDesk) -> None:
    path, body = "/v1/visits/v-1/booking", wanted("TU 13:00")
    assert desk.ask("PATCH", path, body).status_code == 428
    other = desk.version("v-1").replace("1.", "9.", 1)
    assert desk.ask("PATCH", path, body, **{"If-Match": other}).status_code == 412
    assert desk.ask("DELETE", path, **{"If-Match": other}).status_code == 412
    assert desk.stands()["v-1"] == "Tue 14:00"


def test_a_place_that_breaks_rules_is_refused_with_each_of_them(desk: FrontDesk) -> None:
    before = desk.stands()
    refused = desk.move("v-1", "TH 17:00", "wang-proc-1", "ben")
    assert refused.json()["type"].endswith("rules-broken")
    assert {"closes", "qualified", "room", "shift", "link"} <= rules(refused)
    assert desk.stands() == before


def test_only_what_the_change_itself_breaks_is_held_against_it(desk: FrontDesk) -> None:
    assert desk.move("v-3", "TU 09:35", "wang-exam-2", "dee", override_reason="asked so").status_code == 200
    assert desk.move("v-1", "TU 13:00").status_code == 200


@pytest.mark.parametrize(
    ("place", "path"),
    [({"room": "nowhere"}, "body.room"), ({"location": "x"}, "body.location"), ({"team": ["x"]}, "body.team[0]")],
)
def test_what_there_is_not_is_named_by_its_path(desk: FrontDesk, place: dict[str, object], path: str) -> None:
    answer = desk.ask("POST", "/v1/visits/v-4/booking", wanted("WE 09:00") | place)
    assert (answer.status_code, [error["path"] for error in answer.json()["errors"]]) == (422, [path])


def test_an_override_needs_a_reason_which_is_kept(desk: FrontDesk) -> None:
    assert rules(desk.book("v-4", "WE 09:05")) == {"start-grid"}
    made = desk.book("v-4", "WE 09:05", override_reason="the bus comes at nine")
    assert (made.status_code, made.json()["override_reason"]) == (201, "the bus comes at nine")
    with desk.context.database.reading() as session:
        written = list_entries(session, object_id="v-4")[-1]
    assert written.detail["overridden"] == ["start-grid"]


def test_a_reason_that_was_not_needed_is_not_kept(desk: FrontDesk) -> None:
    assert desk.book("v-4", "WE 09:00", override_reason="to be safe").json()["override_reason"] is None


def test_no_reason_books_anybody_twice(desk: FrontDesk) -> None:
    again = desk.book("v-4", NINE, "wang-exam-2", override_reason="please")
    assert "provider-overlap" in rules(again)
    assert "room-overlap" in rules(desk.book("v-4", NINE, "wang-exam-1", "dee", override_reason="please"))
    assert desk.booking("v-4") is None


def test_what_follows_a_visit_that_was_overridden_is_offered_days_that_the_link_leaves_it(desk: FrontDesk) -> None:
    assert desk.cancel("v-1").status_code == 200
    assert desk.book("v-1", "WE 09:05", override_reason="the bus comes at nine").status_code == 201
    offers = desk.ask("POST", "/v1/visits/v-2/offers", {"count": 20}).json()["offers"]
    assert offers and all(offer["place"]["start"] > at("TH 00:00") for offer in offers)
    place = {key: offers[0]["place"][key] for key in ("start", "location", "room", "team", "supervisors")}
    assert desk.ask("POST", "/v1/visits/v-2/booking", place).status_code == 201


def test_after_an_override_offers_are_made_still_and_keep_clear_of_it(desk: FrontDesk) -> None:
    assert desk.book("v-4", "MO 08:05", "wang-exam-1", override_reason="asked so").status_code == 201
    answer = desk.ask("POST", f"/v1/visits/{OWN}/offers", {"count": 20})
    places = [offer["place"] for offer in answer.json()["offers"]]
    early = [place for place in places if place["start"] < "2026-11-30T08:45" and "ana" in place["team"]]
    assert (answer.status_code, bool(places), early) == (200, True, [])


def test_cancelling_takes_along_what_cannot_be_without_it(desk: FrontDesk) -> None:
    answer = desk.cancel("v-1")
    assert (answer.status_code, answer.json()["waiting"]) == (200, ["v-1", "v-2"])
    assert answer.json()["freed"]["start"] == "2026-12-01T09:00"
    assert desk.stands() == {"v-3": "Tue 15:00"}
    assert desk.book("v-4", NINE).status_code == 201


def test_what_only_follows_is_cancelled_alone(desk: FrontDesk) -> None:
    assert desk.cancel("v-2").json()["waiting"] == ["v-2"]


def test_a_patient_cancels_by_the_link_but_not_what_others_depend_on(desk: FrontDesk) -> None:
    assert desk.cancel("v-1", desk.link("v-1")).status_code == 409
    assert desk.cancel("v-3", desk.link("v-1")).status_code == 403
    assert desk.cancel("v-3", desk.link("v-3")).status_code == 200
    assert set(desk.stands()) == {"v-1", "v-2"}


def test_a_pinned_visit_is_moved_only_when_it_is_let_go(desk: FrontDesk) -> None:
    assert desk.change("PUT", "pin", "v-3").json()["start"] == "2026-12-01T10:00"
    assert rules(desk.move("v-3", "TU 13:00", "wang-exam-2", "dee")) == {"pinned"}
    assert desk.ask("DELETE", "/v1/visits/v-3/pin").status_code == 204
    assert desk.move("v-3", "TU 13:00", "wang-exam-2", "dee").status_code == 200
    assert {"visit.pin", "visit.unpin"} <= set(desk.actions("v-3"))


def test_a_cancelled_visit_is_not_pinned_any_more(desk: FrontDesk) -> None:
    desk.change("PUT", "pin", "v-3")
    desk.cancel("v-3")
    assert desk.book("v-3", "WE 09:00").status_code == 201


def test_a_visit_without_place_is_neither_pinned_nor_moved_nor_cancelled(desk: FrontDesk) -> None:
    assert desk.change("PUT", "pin", "v-4").status_code == 404
    assert desk.cancel("v-4").status_code == 404
    assert desk.move("v-4", "WE 09:00").status_code == 404
    assert desk.book("no-visit", "WE 09:00").status_code == 404


def test_a_booked_visit_is_not_booked_again(desk: FrontDesk) -> None:
    assert desk.book("v-1", "WE 09:00").status_code == 409


def test_one_key_books_once_and_answers_alike(desk: FrontDesk) -> None:
    twice = [desk.ask("POST", "/v1/visits/v-4/booking", wanted("WE 09:00"), **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [one.status_code for one in twice] == [201, 201]
    assert twice[0].content == twice[1].content
    assert desk.book("v-4", "WE 09:00").status_code == 409


def mark(desk: FrontDesk, state: str) -> int:
    return int(desk.change("PUT", "booking/state", "v-1", {"state": state}).status_code)


def its_day(desk: FrontDesk, **after: float) -> None:
    """Let the visit begin, on Tuesday at 9:00 in Boston, or be a time before or after that."""
    desk.clock.now = datetime(2026, 12, 1, 14, tzinfo=UTC) + timedelta(**after)


def test_what_became_of_a_visit_is_noted_in_its_order(desk: FrontDesk) -> None:
    its_day(desk)
    assert [mark(desk, state) for state in ("done", "arrived", "arrived", "no-show", "done", "done")] == [
        409,
        200,
        409,
        409,
        200,
        409,
    ]
    assert {"booking.arrived", "booking.done"} <= set(desk.actions("v-1"))


def test_nobody_is_missing_before_the_visit_begins(desk: FrontDesk) -> None:
    its_day(desk, minutes=-1)
    assert mark(desk, "no-show") == 409
    its_day(desk)
    assert (mark(desk, "no-show"), mark(desk, "arrived")) == (200, 200)


def test_nobody_arrives_before_the_day_nor_is_done_before_the_start(desk: FrontDesk) -> None:
    its_day(desk, hours=-9, minutes=-1)
    assert mark(desk, "arrived") == 409
    its_day(desk, hours=-9)
    assert mark(desk, "arrived") == 200
    its_day(desk, minutes=-1)
    assert mark(desk, "done") == 409
    its_day(desk)
    assert mark(desk, "done") == 200


def unmark(desk: FrontDesk) -> tuple[int, str]:
    """Take back the last that was noted; return the answer, and how the booking stands now."""
    answer = desk.change("DELETE", "booking/state", "v-1")
    return answer.status_code, str((desk.booking("v-1") or {})["state"])


def test_who_marks_in_the_wrong_order_hears_what_comes_first(desk: FrontDesk) -> None:
    desk.clock.now = TUESDAY_AT_NINE
    refused = desk.change("PUT", "booking/state", "v-1", {"state": "done"})
    assert refused.status_code == 409 and "note first that the patient has arrived" in refused.json()["detail"]
    assert desk.change("PUT", "booking/state", "v-1", {"state": "arrived"}).status_code == 200
    refused = desk.change("PUT", "booking/state", "v-1", {"state": "no-show"})
    assert refused.status_code == 409 and "take back first what was noted" in refused.json()["detail"]


@pytest.mark.parametrize(
    "changes", [{"minutes": 90}, {"service": "injection"}, {"deadline": "2026-12-03"}, {"equipment": ["generator"]}]
)
def test_of_what_has_begun_only_note_and_tags_change(desk: FrontDesk, changes: dict[str, object]) -> None:
    desk.clock.now = TUESDAY_AT_NINE
    version = {"If-Match": desk.ask("GET", "/v1/visits/v-1").headers["etag"]}
    refused = desk.ask("PATCH", "/v1/visits/v-1", changes, **version)
    assert refused.status_code == 409 and "has begun" in refused.json()["detail"]
    told = desk.ask("PATCH", "/v1/visits/v-1", {"note": "came by taxi", "tags": ["study"]}, **version)
    assert (told.status_code, told.json()["note"]) == (200, "came by taxi")


def test_who_has_not_come_may_ask_for_something_else(desk: FrontDesk) -> None:
    desk.clock.now = TUESDAY_AT_NINE + timedelta(hours=1)
    assert desk.change("PUT", "booking/state", "v-1", {"state": "no-show"}).status_code == 200
    version = {"If-Match": desk.ask("GET", "/v1/visits/v-1").headers["etag"]}
    assert desk.ask("PATCH", "/v1/visits/v-1", {"minutes": 90}, **version).status_code == 200


def test_an_offer_for_what_follows_a_waiting_visit_says_which_comes_first(desk: FrontDesk) -> None:
    assert desk.cancel("v-1").json()["waiting"] == ["v-1", "v-2"]
    told = desk.ask("POST", "/v1/visits/v-2/offers", {"count": 1}).json()
    assert (told["offers"], [reason["rule"] for reason in told["reasons"]]) == ([], ["link"])
    assert '"v-1" waits too' in told["reasons"][0]["detail"]


@pytest.mark.parametrize(
    ("changes", "day", "rule", "told"),
    [
        ({"same_day": True}, 1, "same-day", "its day, 2026-11-30, is over: book it for a reason, or ask for another day"),
        ({"deadline": "2026-12-01"}, 2, "deadline", "its last day, 2026-12-01, is over: book it for a reason"),
        ({}, 5, "horizon", "ask for the visit in the week of 2026-12-07"),
    ],
)
def test_when_its_days_are_over_a_visit_is_offered_the_way_out(
    desk: FrontDesk, changes: dict[str, object], day: int, rule: str, told: str
) -> None:
    version = {"If-Match": desk.ask("GET", "/v1/visits/v-4").headers["etag"]}
    assert desk.ask("PATCH", "/v1/visits/v-4", changes, **version).status_code == 200
    desk.clock.now = datetime(2026, 12, day, 15, tzinfo=UTC)
    answer = desk.ask("POST", "/v1/visits/v-4/offers", {"count": 1}).json()
    assert (answer["offers"], [reason["rule"] for reason in answer["reasons"]]) == ([], [rule])
    assert told in answer["reasons"][0]["detail"]


def test_what_was_noted_by_mistake_is_taken_back_a_step_at_a_time(desk: FrontDesk) -> None:
    its_day(desk)
    assert unmark(desk) == (409, "booked")
    assert (mark(desk, "arrived"), mark(desk, "done")) == (200, 200)
    assert [unmark(desk) for _ in range(3)] == [(200, "arrived"), (200, "booked"), (409, "booked")]
    assert (mark(desk, "no-show"), unmark(desk)) == (200, (200, "booked"))
    assert desk.cancel("v-1").status_code == 200
    assert [action for action in desk.actions("v-1") if ".not-" in action] == [
        "booking.not-done",
        "booking.not-arrived",
        "booking.not-no-show",
    ]


def test_who_has_not_read_the_latest_version_takes_nothing_back(desk: FrontDesk) -> None:
    its_day(desk)
    before = desk.version("v-1")
    assert mark(desk, "arrived") == 200
    path = "/v1/visits/v-1/booking/state"
    assert desk.ask("DELETE", path).status_code == 428
    assert desk.ask("DELETE", path, **{"If-Match": before}).status_code == 412
    assert (desk.booking("v-1") or {})["state"] == "arrived"


def test_what_has_begun_is_neither_moved_nor_cancelled(desk: FrontDesk) -> None:
    its_day(desk)
    assert mark(desk, "arrived") == 200
    assert desk.cancel("v-1").status_code == 409
    assert desk.move("v-1", "TU 13:00", override_reason="please").status_code == 409
    assert desk.stands()["v-1"] == "Tue 14:00"


def test_a_clinician_sees_and_marks_own_visits_only(desk: FrontDesk) -> None:
    who = desk.clinician
    its_day(desk)
    assert desk.ask("GET", "/v1/visits/v-1/booking", headers=who).status_code == 200
    assert desk.ask("GET", "/v1/visits/v-3/booking", headers=who).status_code == 403
    assert desk.change("PUT", "booking/state", "v-1", {"state": "arrived"}, who).status_code == 200
    assert desk.change("PUT", "booking/state", "v-3", {"state": "arrived"}, who).status_code == 403


def test_each_offer_can_be_booked_as_it_is(desk: FrontDesk) -> None:
    answer = desk.ask("POST", "/v1/visits/v-4/offers", {"count": 3})
    offers = answer.json()["offers"]
    assert (answer.status_code, 0 < len(offers) <= 3) == (200, True)
    assert [offer["cost"] for offer in offers] == sorted(offer["cost"] for offer in offers)
    place = {key: value for key, value in offers[0]["place"].items() if key != "end"}
    assert desk.ask("POST", "/v1/visits/v-4/booking", place).status_code == 201
    assert desk.ask("POST", "/v1/visits/v-4/offers", {}).status_code == 409
    assert "visit.offers" in desk.actions("v-4")


def test_in_a_small_clinic_whatever_can_be_booked_is_offered_beside_a_hold(sqlite_url: str) -> None:
    room = factories.room("wang-exam-1", "wang", "exam")
    ana = factories.provider("ana", shifts=[factories.shift("MO 13:00", "15:00")])
    asked = factories.scenario(visit("v-1"), reserve("r-1", "MO"), clinic=factories.clinic(rooms=[room]), providers=[ana])
    with front_desk(sqlite_url, asked, factories.plan(asked, booking("r-1", "MO 13:00"))) as desk:
        answer = desk.ask("POST", "/v1/visits/v-1/offers", {"count": 100}).json()
        booked = []
        for minutes in range(12 * 60, 16 * 60, 10):
            start = f"MO {minutes // 60:02}:{minutes % 60:02}"
            if desk.book("v-1", start).status_code == 201:
                booked.append(at(start))
                assert desk.cancel("v-1").status_code == 200
    assert booked == [at(f"MO {clock}") for clock in ("13:40", "13:50", "14:00", "14:10", "14:20")]
    assert sorted(offer["place"]["start"] for offer in answer["offers"]) == booked


def test_where_nothing_is_offered_the_reasons_are(sqlite_url: str) -> None:
    closed = factories.clinic(closures=[factories.closure("MO 00:00", "SA 00:00")])
    asked = factories.scenario(visit("v-1"), clinic=closed)
    with front_desk(sqlite_url, asked, None) as desk:
        answer = desk.ask("POST", "/v1/visits/v-1/offers", {}).json()
    assert answer["offers"] == [] and {"closure"} <= {reason["rule"] for reason in answer["reasons"]}


def test_what_is_left_stands_as_a_plan_that_keeps_every_rule(desk: FrontDesk) -> None:
    desk.move("v-1", "TU 13:00", "west-exam", "dee", location="west")
    desk.cancel("v-3")
    desk.book("v-4", "WE 09:00")
    with desk.context.database.reading() as session:
        scenario = periods.load_scenario(session, "test-week", desk.clock())
        plan = plans.load_standing_plan(session, scenario)
    assert plan.visits_by_id["v-1"].location == "west"
    assert check(scenario, plan).violations == ()


@pytest.mark.parametrize("start", ["1900-01-01T09:00", "8999-12-31T23:50", "2026-11-28T09:00", "2026-12-05T09:00"])
def test_no_reason_books_a_place_outside_the_week(desk: FrontDesk, start: str) -> None:
    body = wanted("MO 09:00") | {"start": start, "override_reason": "please"}
    assert "horizon" in rules(desk.ask("POST", "/v1/visits/v-4/booking", body))


def test_who_asks_for_a_place_in_another_week_hears_in_which_week_to_ask_for_the_visit(desk: FrontDesk) -> None:
    refused = desk.ask("POST", "/v1/visits/v-4/booking", wanted("MO 09:00") | {"start": "2026-12-09T09:00"})
    (ground,) = [error for error in refused.json()["errors"] if error["rule"] == "horizon"]
    assert ground["detail"].endswith("ask for the visit in the week of 2026-12-07 to place it there")


@pytest.mark.parametrize(
    "odd",
    [
        {"team": []},
        {"team": ["ana", "ana"]},
        {"team": ["ana", "dee", "ben"]},
        {"room": None},
        {"supervisors": ["ben", "ben"]},
        {"location": "west", "room": "wang-exam-1"},
        {"start": "2026-12-04T23:50"},
        {"start": "2026-11-30T03:07"},
    ],
)
def test_whatever_is_booked_against_rules_nothing_breaks_by_it(desk: FrontDesk, odd: dict[str, object]) -> None:
    made = desk.ask("POST", "/v1/visits/v-4/booking", wanted("WE 09:00") | odd | {"override_reason": "please"})
    assert made.status_code in (201, 409)
    answers = [desk.ask("POST", f"/v1/visits/{OWN}/offers", {}), desk.cancel("v-1"), desk.book("v-1", "FR 09:00")]
    assert answers[0].status_code == 200, answers[0].text
    assert [answer.status_code for answer in answers] == [200, 200, 201]


@pytest.mark.parametrize(("hold", "status"), [("TU 08:40", 201), ("TU 09:00", 409)])
def test_a_hold_gives_way_once_it_has_begun(sqlite_url: str, hold: str, status: int) -> None:
    asked = factories.scenario(visit("v-1", "pat", "consult"), reserve("hold-1", "TU", "08:00", service="consult"))
    made = factories.plan(asked, booking("hold-1", hold, "wang-consult"))
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE - timedelta(minutes=5)) as desk:
        answer = desk.book("v-1", "TU 09:10", "wang-consult")
        assert answer.status_code == status, answer.text
        with desk.context.database.reading() as session:
            assert set(bookings.list_standing(session, "test-week")) == {
                ("visit", "v-1", "") if status == 201 else ("hold", "hold-1", "")
            }
