"""Whoever missed a visit can be given another time, be offered one, or be let go, in weeks of any kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import factories
from support.factories import booking, link, visit
from support.frontdesk import FrontDesk, front_desk
from support.months import in_memory

from api.services.accounts.accounts import SYSTEM
from api.services.bookings.by_hand import RequestedPlace, apply_placement, decide_booking
from api.services.weeks.offering import find_place_options
from api.services.weeks.week import load_week


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    """Return a week on Tuesday noon: pat missed Tuesday morning's visit, which v-2 follows."""
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "pat"), link("v-1", "v-2", 1))
    made = factories.plan(asked, booking("v-1", "TU 09:00"), booking("v-2", "TH 09:00"))
    with front_desk(store_url, asked, made) as desk:
        desk.clock.pass_by(days=4)
        assert desk.change("PUT", "booking/state", "v-1", {"state": "no-show"}).status_code == 200
        yield desk


def state(desk: FrontDesk) -> str | None:
    standing = desk.booking("v-1")
    return None if standing is None else str(standing["state"])


def test_it_can_be_booked_anew(desk: FrontDesk) -> None:
    assert desk.book("v-1", "WE 10:00").status_code == 201
    assert (state(desk), desk.stands()["v-1"]) == ("booked", "Wed 15:00")
    assert {"booking.no-show", "booking.add"} <= set(desk.actions("v-1"))


def test_it_can_be_moved(desk: FrontDesk) -> None:
    moved = desk.move("v-1", "WE 10:00")
    assert (moved.status_code, moved.json()["state"]) == (200, "booked"), moved.text


def test_it_is_offered_places_and_freed_time(desk: FrontDesk) -> None:
    offers = desk.ask("POST", "/v1/visits/v-1/offers", {"count": 3})
    assert offers.status_code == 200 and offers.json()["offers"], offers.text
    place = offers.json()["offers"][0]["place"]
    kept = desk.ask("POST", "/v1/scenarios/test-week/freed-places", place)
    assert (kept.status_code, kept.json()["visit"]) == (201, "v-1"), kept.text
    assert desk.ask("POST", "/v1/visits/v-1/freed-place/acceptance").status_code == 200
    assert state(desk) == "booked"


def test_it_can_be_withdrawn_and_what_was_noted_taken_back(desk: FrontDesk) -> None:
    assert desk.change("DELETE", "booking/state", "v-1").status_code == 200
    assert state(desk) == "booked"
    assert desk.change("PUT", "booking/state", "v-1", {"state": "no-show"}).status_code == 200
    version = desk.ask("GET", "/v1/visits/v-1").headers["etag"]
    assert desk.ask("DELETE", "/v1/visits/v-1", **{"If-Match": version}).status_code == 204


def test_what_it_was_missed_for_is_not_in_the_way_of_cancelling_another(desk: FrontDesk) -> None:
    assert desk.cancel("v-2").status_code == 200


def test_one_of_an_episode_is_given_another_time_in_its_week() -> None:
    with in_memory() as clinic:
        episode = clinic.refer("follow-up").episode
        visit_id = f"{episode}.visit.1"
        period = clinic.build().scenario.id
        clinic.publish(period)
        clinic.live(visit_id, came=False)
        with clinic.store.writing() as session:
            week = load_week(session, period, clinic.now)
            place = find_place_options(week, visit_id, 1).options[0].booking
            wanted = RequestedPlace(place.start, place.location, place.room, place.team, place.supervisors)
            decision = decide_booking(week, SYSTEM, visit_id, wanted, None, clinic.now)
            assert apply_placement(session, decision).row.state == "booked"
        assert clinic.history(episode or "")[-2:] == ["no-show", "planned"]
