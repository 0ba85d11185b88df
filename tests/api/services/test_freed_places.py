"""A freed place is kept for one waiting visit until its patient accepts or declines, or the time to answer is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support import factories
from support.factories import at, booking, reserve, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk, rules


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a week in which v-1 stands, and an urgent and a routine visit of ana's wait for a place with her."""
    ana = {"required_provider": "ana"}
    asked = factories.scenario(
        visit("v-1", "pat", **ana),
        visit("urgent", "quin", priority="urgent", **ana),
        visit("routine", "rae", **ana),
    )
    made = factories.plan(asked, booking("v-1", "TU 09:00"))
    with front_desk(sqlite_url, asked, made) as desk:
        yield desk


def free(desk: FrontDesk) -> dict[str, Any]:
    """Cancel v-1, which waits again then, and return the place that is free."""
    freed: dict[str, Any] = desk.cancel("v-1").json()["freed"]
    return freed


def offer(desk: FrontDesk, place: dict[str, Any], minutes: int = 30) -> Any:
    return desk.ask("POST", "/v1/scenarios/test-week/freed-places", place | {"hold_minutes": minutes})


def test_the_visit_that_saves_most_is_offered_the_place_and_accepts_it(desk: FrontDesk) -> None:
    kept = offer(desk, free(desk))
    assert (kept.status_code, kept.json()["visit"]) == (201, "urgent")
    assert kept.json()["place"]["start"].startswith("2026-12-01T")
    patient = desk.link("urgent")
    assert desk.ask("GET", "/v1/visits/urgent/freed-place", headers=patient).json() == kept.json()
    held = desk.booking("urgent")
    assert held is not None and (held["state"], held["notified"]) == ("offered", False)
    taken = desk.ask("POST", "/v1/visits/urgent/freed-place/acceptance", headers=patient)
    stands = desk.booking("urgent")
    assert (taken.status_code, stands and stands["state"], stands and stands["notified"]) == (200, "booked", True)
    assert {"freed-place.offer", "freed-place.accept"} <= set(desk.actions("urgent"))


def test_one_key_accepts_once_and_answers_alike(desk: FrontDesk) -> None:
    offer(desk, free(desk))
    path = "/v1/visits/urgent/freed-place/acceptance"
    twice = [desk.ask("POST", path, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert twice[0].status_code == 200 and twice[0].content == twice[1].content
    assert desk.ask("POST", path).status_code == 404


def test_a_kept_place_is_taken_by_nobody_else(desk: FrontDesk) -> None:
    place = offer(desk, free(desk)).json()["place"]
    start = place["start"].replace("2026-12-01T", "TU ")
    assert desk.book("routine", start, place["room"]).status_code == 409
    assert desk.ask("DELETE", "/v1/visits/urgent/freed-place").status_code == 204
    assert desk.book("routine", start, place["room"]).status_code == 201


def test_who_declines_is_not_asked_again_and_the_next_is(desk: FrontDesk) -> None:
    freed = free(desk)
    place = offer(desk, freed).json()["place"]
    assert desk.ask("DELETE", "/v1/visits/urgent/freed-place", headers=desk.link("urgent")).status_code == 204
    freed["start"] = place["start"]
    freed["end"] = place["end"]
    assert offer(desk, freed).json()["visit"] == "routine"
    assert desk.ask("DELETE", "/v1/visits/routine/freed-place").status_code == 204
    assert offer(desk, freed).status_code == 409


def test_when_the_time_to_answer_is_over_the_place_is_free(desk: FrontDesk) -> None:
    place = offer(desk, free(desk), 30).json()["place"]
    start = place["start"].replace("2026-12-01T", "TU ")
    desk.clock.pass_by(minutes=29.9)
    assert desk.book("routine", start, place["room"]).status_code == 409
    desk.clock.pass_by(minutes=0.1)
    assert desk.ask("POST", "/v1/visits/urgent/freed-place/acceptance", headers=desk.link("urgent")).status_code == 404
    assert desk.book("routine", start, place["room"]).status_code == 201
    assert desk.booking("urgent") is None


def test_a_place_whose_time_is_over_is_among_those_of_others(desk: FrontDesk) -> None:
    place = offer(desk, free(desk), 30).json()["place"]
    desk.clock.pass_by(minutes=30)
    told = desk.ask("GET", "/v1/visits/routine/places")
    assert told.status_code == 200, told.text
    rooms = {room["room"] for each in told.json()["places"] if place["start"].startswith(each["day"]) for room in each["rooms"]}
    assert place["room"] in rooms


def test_no_place_is_kept_beyond_its_start(desk: FrontDesk) -> None:
    kept = offer(desk, free(desk), 7 * 1440).json()
    begins = datetime.fromisoformat(kept["place"]["start"]).replace(tzinfo=ZoneInfo("America/New_York"))
    assert datetime.fromisoformat(kept["expires_at"]) == begins


def test_a_place_that_starts_now_is_kept_for_nobody(desk: FrontDesk) -> None:
    freed = free(desk)
    desk.clock.now = TUESDAY_AT_NINE
    assert offer(desk, freed).status_code == 409
    desk.clock.pass_by(minutes=-1)
    kept = offer(desk, freed).json()
    assert desk.ask("GET", f"/v1/visits/{kept['visit']}/freed-place").status_code == 200


def test_a_patient_answers_for_one_visit_only(desk: FrontDesk) -> None:
    offer(desk, free(desk))
    other = desk.link("routine")
    assert desk.ask("POST", "/v1/visits/urgent/freed-place/acceptance", headers=other).status_code == 403
    assert desk.ask("DELETE", "/v1/visits/urgent/freed-place", headers=other).status_code == 403
    assert desk.ask("GET", "/v1/visits/routine/freed-place", headers=other).status_code == 404


def test_an_offered_place_is_not_moved_by_hand(desk: FrontDesk) -> None:
    offer(desk, free(desk))
    assert desk.move("urgent", "WE 09:00", override_reason="please").status_code == 409
    assert desk.change("PUT", "pin", "urgent").status_code == 409


def test_nothing_is_kept_when_nobody_waits(desk: FrontDesk) -> None:
    freed = free(desk)
    for name, start in (("urgent", "MO 09:00"), ("routine", "MO 10:00")):
        assert desk.book(name, start).status_code == 201
    assert offer(desk, freed).status_code == 409


def test_a_place_without_length_is_refused(desk: FrontDesk) -> None:
    freed = free(desk)
    assert offer(desk, freed | {"end": freed["start"]}).status_code == 422


@pytest.mark.parametrize("day", ["1900-01-01", "2026-11-29", "2026-12-05", "8999-12-31"])
def test_freed_time_outside_the_week_is_nobodys(desk: FrontDesk, day: str) -> None:
    freed = free(desk) | {"start": f"{day}T09:00", "end": f"{day}T09:40"}
    assert offer(desk, freed).status_code == 409


def test_the_rest_of_a_hold_that_has_begun_is_kept_for_who_waits(sqlite_url: str) -> None:
    asked = factories.scenario(
        visit("urgent", "quin", "consult", priority="urgent", required_provider="ana"),
        reserve("hold-1", "TU", "08:00", service="consult"),
    )
    made = factories.plan(asked, booking("hold-1", "TU 08:40", "wang-consult"))
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE - timedelta(minutes=5)) as desk:
        rest = {"start": at("TU 09:00"), "end": at("TU 09:40"), "location": "wang", "room": "wang-consult", "team": ["ana"]}
        answer = offer(desk, rest, 1)
        assert (answer.status_code, answer.json()["place"]["start"]) == (201, at("TU 09:00")), answer.text


def test_who_could_use_a_place_is_told_before_it_is_kept_for_anybody(desk: FrontDesk) -> None:
    freed, path = free(desk), "/v1/scenarios/test-week/freed-places/candidates"
    desk.clock.pass_by(days=2)
    freed |= {"start": at("TH 09:00"), "end": at("TH 09:40")}
    told = desk.ask("POST", path, freed).json()["items"]
    assert [candidate["visit"] for candidate in told][:2] == ["urgent", "routine"]
    assert told[0]["cost"] < told[1]["cost"] < 0 and told[0]["name"] and told[0]["days_waited"] >= 2
    assert desk.booking("urgent") is None
    assert len(desk.ask("POST", f"{path}?count=1", freed).json()["items"]) == 1


def test_who_gave_a_place_up_is_named_as_such(desk: FrontDesk) -> None:
    freed = free(desk)
    told = desk.ask("POST", "/v1/scenarios/test-week/freed-places/candidates", freed).json()["items"]
    assert {candidate["visit"]: candidate["has_declined"] for candidate in told}["v-1"]


def test_a_place_is_kept_for_whom_the_desk_chooses(desk: FrontDesk) -> None:
    freed = free(desk)
    refused = desk.ask("POST", "/v1/scenarios/test-week/freed-places", freed | {"visit": "nobody"})
    assert refused.status_code == 409 and "nobody" in refused.json()["detail"]
    kept = desk.ask("POST", "/v1/scenarios/test-week/freed-places", freed | {"visit": "routine"})
    assert (kept.status_code, kept.json()["visit"]) == (201, "routine")


def test_a_place_that_has_become_impossible_is_accepted_by_nobody(desk: FrontDesk) -> None:
    offer(desk, free(desk))
    closed = {"room": desk.booking("urgent")["room"], "from": at("TU 00:00"), "to": at("WE 00:00")}  # type: ignore[index]
    assert desk.ask("POST", "/v1/closures", closed).status_code == 201
    path = "/v1/visits/urgent/freed-place/acceptance"
    refused, discreet = desk.ask("POST", path), desk.ask("POST", path, headers=desk.link("urgent"))
    assert (refused.status_code, rules(refused)) == (409, {"closure"}) and "offer another" in refused.json()["detail"]
    assert (discreet.status_code, discreet.json()["errors"]) == (409, []) and "call the clinic" in discreet.json()["detail"]
    assert desk.ask("DELETE", "/v1/visits/urgent/freed-place").status_code == 204
    assert desk.ask("GET", "/v1/tasks").json()["items"] == []


def test_the_task_about_an_impossible_offer_ends_with_it(desk: FrontDesk) -> None:
    offer(desk, free(desk))
    closed = {"room": desk.booking("urgent")["room"], "from": at("TU 00:00"), "to": at("WE 00:00")}  # type: ignore[index]
    assert desk.ask("POST", "/v1/closures", closed).status_code == 201
    assert [task["subject"] for task in desk.ask("GET", "/v1/tasks").json()["items"]] == ["urgent"]
    desk.clock.pass_by(minutes=31)
    assert desk.ask("POST", "/v1/visits/urgent/offers", {"count": 1}).status_code == 200
    assert desk.ask("GET", "/v1/tasks").json()["items"] == []


def test_the_desk_hears_why_a_place_is_not_kept_for_whom_it_chooses(desk: FrontDesk) -> None:
    place = free(desk)
    version = {"If-Match": desk.ask("GET", "/v1/patients/rae").headers["etag"]}
    away = {"unavailable": [{"start": at("TU 00:00"), "end": at("WE 00:00")}]}
    assert desk.ask("PATCH", "/v1/patients/rae", away, **version).status_code == 200
    assert desk.book("urgent", "WE 09:00").status_code == 201

    def keep(visit: str) -> Any:
        return desk.ask("POST", "/v1/scenarios/test-week/freed-places", place | {"visit": visit})

    assert "unknown visit" in keep("nobody").json()["detail"]
    assert "has a place already" in keep("urgent").json()["detail"]
    assert "could not use that place" in keep("routine").json()["detail"]
