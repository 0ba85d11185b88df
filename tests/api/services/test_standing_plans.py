"""What people live by, read as a plan: what has no place has a reason, as far as one is known."""

from __future__ import annotations

from support import factories
from support.factories import booking, visit
from support.frontdesk import FrontDesk, front_desk

FULL = {"rule": "shift", "detail": "nobody is there"}


def left_out(desk: FrontDesk) -> dict[str, list[str]]:
    """Return the rules that the standing plan gives as reasons, by visit."""
    plan = desk.ask("GET", "/v1/scenarios/test-week/plan").json()
    return {left["visit"]: [reason["rule"] for reason in left["reasons"]] for left in plan["unscheduled"]}


def test_what_has_no_place_has_the_reasons_of_the_last_plan_or_is_said_not_to_be_examined(sqlite_url: str) -> None:
    asked = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"))
    made = factories.plan(asked, booking("v-1", "TU 09:00"), unscheduled=[{"visit": "v-2", "reasons": [FULL]}])
    with front_desk(sqlite_url, asked, made) as desk:
        assert left_out(desk) == {"v-2": ["shift"]}
        desk.cancel("v-1")
        assert left_out(desk) == {"v-1": ["not-examined"], "v-2": ["shift"]}
