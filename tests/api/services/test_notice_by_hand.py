"""Nobody is told by hand to come sooner than the least notice, unless they have agreed to."""

from __future__ import annotations

from support import factories
from support.factories import booking, visit
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
