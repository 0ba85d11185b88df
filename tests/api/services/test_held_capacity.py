"""What is held for patients of the day is free once nobody is expected for it, at the desk as in a week built again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from support import factories
from support.factories import at, booking, reserve, visit
from support.frontdesk import TUESDAY_AT_NINE, FrontDesk, front_desk, wanted

from api.store.queries import carry_over, periods

WEEK = "/v1/scenarios/test-week"
HELD = "TU 13:00"
HALF_PAST_TEN = datetime.fromisoformat(at("TU 10:30"))
"""The clinic's time as the desk opens."""


BUSY = [("TU 00:00", "TU 13:00"), ("TU 13:40", "WE 00:00")]
KINDS = ("offers", "places", "judgements", "referral")


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FrontDesk]:
    """Return a Tuesday on which ana's one hour that two patients could have is held for a patient of the day."""
    asked = factories.scenario(
        visit("v-1", "pat", required_provider="ana", deadline=factories.on("TU"), earliest=factories.on("TU")),
        visit("v-2", "quin", earliest=factories.on("FR")),
        reserve("hold-1", "TU"),
        patients=[factories.patient("pat", BUSY), factories.patient("quin", BUSY)],
    )
    with front_desk(
        sqlite_url, asked, factories.plan(asked, booking("hold-1", HELD)), TUESDAY_AT_NINE + timedelta(minutes=90)
    ) as desk:
        yield desk


def expect_nobody_after(desk: FrontDesk, until: datetime | None) -> None:
    """Build the week again, with no referral expected after a wall-clock time; None: nothing tells."""
    with desk.context.database.writing() as session:
        asked = periods.load_scenario(session, "test-week", desk.clock.now)
        carry_over.keep(session, asked, desk.clock.now, {} if until is None else {"hold-1": until})


def list_who_see_it_free(desk: FrontDesk) -> list[str]:
    """Return what sees the held time as free, a referral of the day last, which uses no hold then."""
    change = {"changes": [{"kind": "place", "visit": "v-1", **wanted(HELD, patient_agreed=True)}]}
    referral = {"patient": "quin", "service": "consult", "required_provider": "ana"}
    free = {
        "offers": desk.ask("POST", "/v1/visits/v-1/offers", {"count": 1}).json()["offers"] != [],
        "places": desk.ask("GET", "/v1/visits/v-1/places").json()["places"] != [],
        "judgements": desk.ask("POST", f"{WEEK}/judgements", change).json()["broken"] == [],
        "referral": desk.ask("POST", "/v1/referrals", referral).json()["changes"] == [],
    }
    return [kind for kind in KINDS if free[kind]]


@pytest.mark.parametrize(
    ("until", "minutes", "free"),
    [
        (HALF_PAST_TEN, 0, []),
        (HALF_PAST_TEN, 1, [*KINDS]),
        (HALF_PAST_TEN + timedelta(hours=1), 1, []),
        (None, 1, []),
    ],
)
def test_what_is_held_is_free_when_its_hour_is_over(
    desk: FrontDesk, until: datetime | None, minutes: int, free: list[str]
) -> None:
    expect_nobody_after(desk, until)
    desk.clock.pass_by(minutes=minutes)
    assert list_who_see_it_free(desk) == free


def test_what_is_released_is_held_by_no_plan_that_is_made_later(desk: FrontDesk) -> None:
    expect_nobody_after(desk, HALF_PAST_TEN)
    desk.clock.pass_by(minutes=1)
    assert desk.book("v-1", HELD, patient_agreed=True).status_code == 201
    board = desk.ask("GET", f"{WEEK}/board").json()
    assert desk.ask("GET", WEEK).json()["reserves"] == [] and "hold-1" not in str(board)
