"""Nobody is told by hand to come sooner than the least notice, unless they have agreed to."""

from __future__ import annotations

from support import factories
from support.factories import at, booking, visit
from support.frontdesk import TUESDAY_AT_NINE, front_desk, rules


def test_a_place_within_the_notice_is_booked_or_moved_to_when_the_patient_has_agreed(store_url: str) -> None:
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), policy=factories.policy(notice_minutes=1440))
    made = factories.plan(asked, booking("v-1", "TH 09:00"))
    with front_desk(store_url, asked, made, TUESDAY_AT_NINE) as desk:
        assert rules(desk.book("v-2", "TU 14:00")) == rules(desk.move("v-1", "TU 13:00")) == {"notice"}
        agreed = desk.book("v-2", "TU 14:00", patient_agreed=True)
        assert (agreed.status_code, agreed.json()["override_reason"]) == (201, None), agreed.text
        assert desk.move("v-1", "TU 13:00", patient_agreed=True).status_code == 200
        assert rules(desk.move("v-1", "TU 13:05", patient_agreed=True)) == {"start-grid"}
        with_reason = desk.move("v-1", "TU 15:00", override_reason="the ward has sent them")
        assert with_reason.json()["override_reason"] == "the ward has sent them"


def test_places_of_short_notice_are_offered_last_and_say_so(sqlite_url: str) -> None:
    asked = factories.scenario(
        visit("v-1", "pat"),
        policy=factories.policy(notice_minutes=1440),
        patients=[factories.patient("pat", [("WE 10:00", "SA 00:00")])],
    )
    with front_desk(sqlite_url, asked, None, TUESDAY_AT_NINE) as desk:
        offers = desk.ask("POST", "/v1/visits/v-1/offers", {"count": 20}).json()["offers"]
        marked = [(offer["short_notice"], offer["place"]["start"] < at("WE 09:00")) for offer in offers]
        assert marked == sorted(marked) and {(False, False), (True, True)} == set(marked)
        (first, *_) = desk.ask("POST", "/v1/visits/v-1/offers", {"count": 1}).json()["offers"]
        assert not first["short_notice"]


def test_a_freed_place_of_short_notice_is_accepted_when_the_patient_agrees(sqlite_url: str) -> None:
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), policy=factories.policy(notice_minutes=1440))
    made = factories.plan(asked, booking("v-1", "TU 14:00"))
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE) as desk:
        freed = desk.cancel("v-1").json()["freed"]
        kept = desk.ask("POST", "/v1/scenarios/test-week/freed-places", freed).json()
        assert kept["short_notice"]
        accept = f"/v1/visits/{kept['visit']}/freed-place/acceptance"
        assert rules(desk.ask("POST", accept)) == {"notice"}
        taken = desk.ask("POST", accept, {"patient_agreed": True})
        assert (taken.status_code, taken.json()["visit"]) == (200, kept["visit"])


def test_a_patient_who_accepts_a_place_themselves_agrees_to_it(sqlite_url: str) -> None:
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), policy=factories.policy(notice_minutes=1440))
    made = factories.plan(asked, booking("v-1", "TU 14:00"))
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE) as desk:
        freed = desk.cancel("v-1").json()["freed"]
        waiting = desk.ask("POST", "/v1/scenarios/test-week/freed-places", freed).json()["visit"]
        path = f"/v1/visits/{waiting}/freed-place/acceptance"
        assert desk.ask("POST", path, headers=desk.link(waiting)).status_code == 200
