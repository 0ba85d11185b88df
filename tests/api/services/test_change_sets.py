"""Several changes at a desk: judged together, applied in one transaction with one mail each, and taken back without any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select
from support import factories
from support.factories import booking, link, visit
from support.frontdesk import FrontDesk, front_desk, rules

from api.services.accounts.accounts import SYSTEM
from api.services.bookings.by_hand import get_booking_row
from api.services.weeks.week import get_current_week
from api.store.queries import messages, offers
from api.store.tables import MessageRow

WEEK = "/v1/scenarios/test-week"
LEASE = timedelta(minutes=5)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.heavy)])
def desk(request: pytest.FixtureRequest) -> Iterator[FrontDesk]:
    """Return a week: v-1 and v-2 stand in two rooms at one time, with two people; v-3 follows v-1, v-4 waits."""
    asked = factories.scenario(
        visit("v-1", "pat"),
        visit("v-2", "quin"),
        visit("v-3", "pat", "injection"),
        visit("v-4", "rae"),
        link("v-1", "v-3", min_days=1),
        policy=factories.policy(max_notified_moves=5),
    )
    stands = (
        booking("v-1", "TU 09:00"),
        booking("v-2", "TU 10:00", "wang-exam-2", "dee"),
        booking("v-3", "TH 09:00", "wang-proc-1"),
    )
    url = request.getfixturevalue(f"{request.param}_url")
    with front_desk(url, asked, factories.plan(asked, *stands)) as desk:
        for patient in ("pat", "quin"):
            path = f"/v1/patients/{patient}/contact"
            tag = desk.ask("GET", path).headers["etag"]
            answer = desk.ask("PUT", path, {"email": f"{patient}@home.example"}, **{"If-Match": tag})
            assert answer.status_code == 200, answer.text
        send_all(desk)
        yield desk


def send_all(desk: FrontDesk, hold: timedelta = timedelta(0)) -> list[str]:
    """Send what is due, and return the addresses that got something."""
    sent = []
    with desk.context.database.writing() as session:
        while (claimed := messages.claim_next(session, "sender", desk.clock(), LEASE, hold)) is not None:
            messages.mark_sent(session, claimed.message.id, desk.clock())
            sent.append(claimed.tells.address)
    return sorted(sent)


def place(visit: str, start: str, room: str = "wang-exam-1", team: str = "ana", **more: Any) -> dict[str, Any]:
    where = {"start": factories.at(start), "location": "wang", "room": room, "team": team.split()}
    return {"kind": "place", "visit": visit, **where, **more}


SWAP = [place("v-1", "TU 10:00", "wang-exam-2", "dee"), place("v-2", "TU 09:00")]


def judge(desk: FrontDesk, *changes: dict[str, Any]) -> Any:
    answer = desk.ask("POST", f"{WEEK}/judgements", {"changes": list(changes)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def apply(desk: FrontDesk, *changes: dict[str, Any], tag: str | None = None) -> Any:
    tag = tag or desk.ask("GET", f"{WEEK}/board").headers["etag"]
    return desk.ask("POST", f"{WEEK}/changes", {"changes": list(changes)}, **{"If-Match": tag})


def stored(desk: FrontDesk) -> dict[str, Any]:
    """Return where everything stands, what is asked for, and what waits to be sent."""
    with desk.context.database.reading() as session:
        waiting = [row.id for row in session.exec(select(MessageRow)) if row.state == "waiting"]
    return {
        "stands": {name: {**(desk.booking(name) or {}), "version": 0} for name in ("v-1", "v-2", "v-3", "v-4")},
        "asked": desk.ask("GET", WEEK).json(),
        "waiting": waiting,
    }


def test_a_swap_is_one_change_although_its_first_step_alone_breaks_rules(desk: FrontDesk) -> None:
    alone = judge(desk, SWAP[0])
    assert {"room-overlap", "provider-overlap"} <= {one["rule"] for one in alone["broken"]}
    assert not alone["applicable"] and all(one["final"] for one in alone["broken"])
    together = judge(desk, *SWAP)
    assert (together["broken"], together["applicable"]) == ([], True)
    assert {one["patient"]: one["by"] for one in together["call"]} == {"pat": "mail", "quin": "mail"}
    assert together["budget"] == {"limit": 5, "used": 2, "left": 3}
    answer = apply(desk, *SWAP)
    assert answer.status_code == 201, answer.text
    assert answer.json()["judgement"]["cost"] == together["cost"]
    assert desk.stands() == {"v-1": "Tue 15:00", "v-2": "Tue 14:00", "v-3": "Thu 14:00"}
    assert send_all(desk) == ["pat@home.example", "quin@home.example"]


def test_a_judgement_stores_nothing_and_costs_what_it_says(desk: FrontDesk) -> None:
    before = stored(desk)
    said = judge(desk, place("v-4", "WE 09:00"), {"kind": "cancel", "visit": "v-1"})
    assert stored(desk) == before
    assert said["cost"]["after"] - said["cost"]["before"] == said["cost"]["difference"]
    assert {difference["id"] for difference in said["differences"]} == {"v-1", "v-3", "v-4"}
    applied = apply(desk, place("v-4", "WE 09:00"), {"kind": "cancel", "visit": "v-1"}).json()
    assert applied["judgement"]["cost"] == said["cost"]
    figures = desk.ask("GET", f"{WEEK}/board").json()["figures"]
    assert figures["cost"] - said["cost"]["before"] <= said["cost"]["difference"]


def test_what_is_undone_while_mail_is_held_tells_nobody_and_leaves_all_as_it_was(desk: FrontDesk) -> None:
    hold = timedelta(seconds=60)
    before = stored(desk)
    done = apply(desk, *SWAP, {"kind": "pin", "visit": "v-2"}, place("v-4", "WE 09:00")).json()
    assert send_all(desk, hold) == []
    desk.clock.pass_by(seconds=50)
    undone = desk.ask("POST", f"/v1/changes/{done['id']}/reversal")
    assert (undone.status_code, undone.json()["reverses"]) == (201, done["id"]), undone.text
    assert stored(desk) == before
    desk.clock.pass_by(seconds=3600)
    assert send_all(desk, hold) == []
    assert desk.ask("POST", f"/v1/changes/{done['id']}/reversal").status_code == 409


def test_mail_that_is_held_goes_when_the_hold_is_over(desk: FrontDesk) -> None:
    apply(desk, *SWAP)
    assert send_all(desk, timedelta(seconds=60)) == []
    desk.clock.pass_by(seconds=60)
    assert send_all(desk, timedelta(seconds=60)) == ["pat@home.example", "quin@home.example"]


def test_undoing_after_the_mail_has_left_tells_again(desk: FrontDesk) -> None:
    done = apply(desk, *SWAP).json()
    send_all(desk)
    assert desk.ask("POST", f"/v1/changes/{done['id']}/reversal").status_code == 201
    assert send_all(desk) == ["pat@home.example", "quin@home.example"]


def test_a_cancellation_is_undone_with_those_that_depended_on_it(desk: FrontDesk) -> None:
    before = desk.stands()
    done = apply(desk, {"kind": "cancel", "visit": "v-1"}).json()
    assert set(desk.stands()) == {"v-2"}
    assert desk.ask("POST", f"/v1/changes/{done['id']}/reversal").status_code == 201
    assert desk.stands() == before


@pytest.mark.parametrize("asks", [True, False], ids=["who asked for the visit", "for a visit that was asked for before"])
def test_a_place_that_is_only_held_is_given_up_and_with_it_what_nobody_else_asks_for(desk: FrontDesk, asks: bool) -> None:
    now = desk.clock()
    with desk.context.database.writing() as session:
        get_booking_row(session, "v-2").state = "offered"
        offers.add_offer(session, "v-2", now + LEASE, SYSTEM.id, now, asks=asks)
    changed = apply(desk, {"kind": "cancel", "visit": "v-2"})
    assert changed.status_code == 201, changed.text
    asked = get_current_week(desk.context, "test-week", now).scenario.visits_by_id
    assert ("v-2" in asked) is not asks
    assert desk.ask("POST", f"/v1/changes/{changed.json()['id']}/reversal").status_code == 409
    assert "v-2" not in desk.stands()


def test_what_was_changed_again_is_not_undone(desk: FrontDesk) -> None:
    done = apply(desk, *SWAP).json()
    assert desk.move("v-1", "WE 09:00").status_code == 200
    assert desk.ask("POST", f"/v1/changes/{done['id']}/reversal").status_code == 409
    assert desk.stands()["v-1"] == "Wed 14:00"


def test_a_stale_board_changes_nothing(desk: FrontDesk) -> None:
    tag = desk.ask("GET", f"{WEEK}/board").headers["etag"]
    assert desk.book("v-4", "WE 09:00").status_code == 201
    assert apply(desk, *SWAP, tag=tag).status_code == 412
    assert desk.ask("POST", f"{WEEK}/changes", {"changes": SWAP}).status_code == 428
    assert desk.stands()["v-1"] == "Tue 14:00"


def test_broken_rules_are_refused_but_for_a_reason_and_some_for_none(desk: FrontDesk) -> None:
    odd = place("v-4", "TU 11:05", "wang-exam-2", "dee")
    assert rules(apply(desk, odd)) == {"start-grid"}
    assert rules(apply(desk, *SWAP[:1])) >= {"room-overlap"}
    assert rules(apply(desk, {**SWAP[0], "override_reason": "please"})) >= {"room-overlap"}
    reasoned = {**odd, "override_reason": "the bus"}
    assert judge(desk, reasoned)["applicable"]
    assert apply(desk, reasoned).status_code == 201
    assert (desk.booking("v-4") or {})["override_reason"] == "the bus"


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [{"kind": "cancel", "visit": "v-1"}, {"kind": "cancel", "visit": "v-1"}],
        [{"kind": "pin", "visit": "v-1"}, {"kind": "unpin", "visit": "v-1"}],
        [{"kind": "pin", "visit": "v-4"}],
        [place("v-1", "TU 09:00", team="nobody")],
    ],
)
def test_changes_that_make_no_sense_are_refused(desk: FrontDesk, changes: list[dict[str, Any]]) -> None:
    assert desk.ask("POST", f"{WEEK}/judgements", {"changes": changes}).status_code == 422


def test_who_did_what_is_told_in_words(desk: FrontDesk) -> None:
    apply(desk, *SWAP)
    items = desk.ask("GET", "/v1/visits/v-1/history").json()["items"]
    assert (items[0]["action"], items[0]["name"]) == ("booking.move", "scheduler")
    assert items[0]["words"].startswith("scheduler moved it to Tue 1 Dec 10:00")
    assert "visit.places" not in {item["action"] for item in items}


def test_places_of_a_visit_can_be_booked_as_they_are_told(desk: FrontDesk) -> None:
    answer = desk.ask("GET", "/v1/visits/v-2/places")
    told = answer.json()
    assert told["current"]["start"] == factories.at("TU 10:00")
    assert {one["day"] for one in told["places"]} >= {"2026-12-02"}
    best = told["best"][0]
    said = judge(desk, {"kind": "place", "visit": "v-2", **{k: v for k, v in best["place"].items() if k != "end"}})
    assert (said["applicable"], said["cost"]["difference"]) == (True, best["cost"])
    known = desk.ask("GET", "/v1/visits/v-2/places", **{"If-None-Match": answer.headers["etag"]})
    assert known.status_code == 304


def test_a_refusal_says_in_words_what_would_be_broken_and_names_no_patient(desk: FrontDesk) -> None:
    answer = apply(desk, SWAP[0])
    assert answer.status_code == 409
    broken = {error["rule"]: error for error in answer.json()["errors"]}
    assert broken["room-overlap"]["words"] == (
        "wang-exam-2 is taken: followup (v-1) and followup (v-2) would be there at once (Tue 1 Dec 10:00)."
    )
    assert broken["room-overlap"]["path"] == "v-1, v-2"


def test_what_is_asked_while_something_is_dragged_is_audited_once_a_minute(desk: FrontDesk) -> None:
    def ask_often() -> tuple[int, int]:
        for _ in range(3):
            judge(desk, *SWAP)
            assert desk.ask("GET", "/v1/visits/v-1/places").status_code == 200
        return desk.actions("test-week").count("scenario.judge"), desk.actions("v-1").count("visit.places")

    assert ask_often() == (1, 1)
    assert desk.ask("GET", "/v1/visits/v-2/places").status_code == 200
    assert desk.actions("v-2").count("visit.places") == 1, "what else is read is written down at once"
    desk.clock.pass_by(seconds=61)
    assert ask_often() == (2, 2)
    desk.clock.pass_by(days=-1)
    assert ask_often() == (3, 3), "what was written down before the clock was set back hides nothing"
