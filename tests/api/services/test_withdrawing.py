"""A patient who has died, or may not be called any more: all that is to come is given up at once, and nobody writes to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import factories
from support.factories import booking, group, session, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk
from support.outbox import give_addresses, send_all, waiting


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Yield a week on Tuesday at nine: pat was there on Monday, comes on Wednesday and Thursday, and waits for one more."""
    asked = factories.scenario(
        visit("v-been", "pat"),
        visit("v-ahead", "pat"),
        visit("v-waits", "pat"),
        visit("v-other", "quin"),
        group("coping", "pat", "quin", "sol"),
    )
    made = factories.plan(
        asked,
        booking("v-been", "MO 09:00"),
        booking("v-ahead", "WE 09:00"),
        booking("v-other", "WE 10:00"),
        session("coping", "TH 09:00", "pat quin"),
    )
    with front_desk(sqlite_url, asked, made, TUESDAY_AT_NINE) as desk:
        give_addresses(desk.context.database, desk.clock(), "pat", "quin")
        send_all(desk.context.database, desk.clock())
        yield desk


def withdraw(desk: FrontDesk, patient: str = "pat", reason: str = "died") -> Any:
    return desk.ask("POST", f"/v1/patients/{patient}/withdrawal", {"reason": reason})


def mails_to(desk: FrontDesk, patient: str) -> list[str]:
    return [method for to, method, _ in waiting(desk.context.database) if to == patient]


def test_all_that_is_to_come_is_given_up_and_what_has_been_stays(desk: FrontDesk) -> None:
    answer = withdraw(desk)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "patient": "pat",
        "episodes": [],
        "visits": ["v-ahead", "v-waits"],
        "programmes": [],
        "groups": ["coping"],
    }
    assert set(desk.stands()) == {"v-been", "v-other"}
    assert "pat" not in desk.ask("GET", "/v1/groups/coping/booking").json()["attendees"]
    assert desk.actions("pat")[-1] == "patient.withdraw"


def test_nobody_writes_to_them_not_even_that_it_is_cancelled(desk: FrontDesk) -> None:
    desk.cancel("v-ahead")
    assert mails_to(desk, "pat") == ["CANCEL"], "control: a cancellation by the desk is told"
    withdraw(desk, reason="no-contact")
    assert mails_to(desk, "pat") == []
    assert desk.ask("GET", "/v1/patients/pat/contact").json()["email"] is None
    assert mails_to(desk, "quin") == []


def test_nor_to_the_address_of_a_record_that_was_merged_into_theirs(desk: FrontDesk) -> None:
    desk.cancel("v-other")
    assert desk.ask("POST", "/v1/patients/quin/merge", {"into": "pat"}).status_code == 200
    assert waiting(desk.context.database) != [], "control"
    assert withdraw(desk).json()["visits"] == ["v-ahead", "v-other", "v-waits"]
    assert waiting(desk.context.database) == []


def test_asked_again_there_is_nothing_left_to_give_up(desk: FrontDesk) -> None:
    withdraw(desk)
    again = withdraw(desk).json()
    assert (again["visits"], again["groups"]) == ([], [])


def test_who_is_not_known_and_what_is_no_reason_are_refused(desk: FrontDesk) -> None:
    assert withdraw(desk, "nobody").status_code == 404
    assert withdraw(desk, reason="tired").status_code == 422
    assert "v-ahead" in desk.stands()
