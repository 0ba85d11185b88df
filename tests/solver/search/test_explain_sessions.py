"""Sessions and holds have reasons as visits have, and what can never be is said first."""

from __future__ import annotations

from typing import Any

import pytest
from support.factories import group, plan, provider, reserve, scenario, session, shift, visit

from scheduling.errors import UnknownId
from solver import explain, explain_session


def rules(reasons: Any) -> list[str]:
    return [reason.rule for reason in reasons]


@pytest.mark.parametrize(
    ("shifts", "skills", "rule", "says"),
    [
        ([shift("MO 08:00", "12:00", "wang")], "nursing", "qualified", "nobody has the skill"),
        ([], "pain", "shift", "no shift at all: ana"),
        ([shift("SA 08:00", "12:00", "wang")], "pain", "shift", "outside of the horizon alone: ana"),
    ],
)
def test_what_can_never_be_is_said_first_and_alone(shifts: list[Any], skills: str, rule: str, says: str) -> None:
    asked = scenario(visit("v-1"), providers=[provider("ana", skills, shifts=shifts)])
    (reason,) = explain(asked, plan(asked), "v-1")
    assert reason.rule == rule
    assert says in reason.detail


def test_a_group_that_nobody_can_lead_or_that_has_no_room_says_so() -> None:
    asked = scenario(group("coping", "pat", "quin"), providers=[provider("ana", "pain")])
    (reason,) = explain_session(asked, plan(asked), "coping")
    assert (reason.rule, reason.detail.startswith("nobody has the skill")) == ("qualified", True)


def test_a_hold_out_of_its_hours_says_which_rule_is_in_the_way() -> None:
    asked = scenario(reserve("hold-1", "TU"))
    gone = asked.changed(
        providers=tuple(
            person.changed(shifts=tuple(s for s in person.shifts if s.start.weekday() != 1)) for person in asked.providers
        )
    )
    assert "reserve-window" in rules(explain_session(gone, plan(gone), "hold-1"))


def test_what_is_planned_has_no_reason_and_what_is_unknown_is_named() -> None:
    asked = scenario(group("coping", "quin", "tam"))
    assert explain_session(asked, plan(asked, session("coping", "TH 09:00", "quin tam")), "coping") == ()
    with pytest.raises(UnknownId):
        explain_session(asked, plan(asked), "nothing")
