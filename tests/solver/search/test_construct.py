"""The first plan: what of an earlier plan stands, and what gives way."""

from __future__ import annotations

import pytest
from support.factories import booking, clinic, current, group, pin, plan, provider, scenario, service, shift, visit

from scheduling.check import check
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver.search.construct import construct
from solver.state.domains import Domains
from solver.state.placements import get_placements, make_plan


def constructed(asked: Scenario, start: Plan) -> Plan:
    """Construct a plan from an earlier one, and return it once it has passed the checker."""
    domains = Domains(asked)
    made = make_plan(domains, construct(domains, get_placements(asked, start)))
    assert not check(asked, made).violations
    return made


def test_what_stands_keeps_its_room_and_supervisors() -> None:
    asked = scenario(visit("v1"), visit("v2", "quin"))
    start = plan(
        asked,
        booking("v1", "MO 13:00", "wang-exam-3", "cy", supervisors="dee"),
        booking("v2", "MO 13:00", "wang-exam-2", "eli", supervisors="ana"),
    )
    assert constructed(asked, start).visits == start.visits


@pytest.mark.parametrize(("supervisor", "operator"), [("ana", "dee"), ("dee", "ana")])
def test_pins_keep_their_supervisors_so_that_nobody_is_needed_twice(supervisor: str, operator: str) -> None:
    office, procedure = pin("MO 13:00", "wang-exam-1", "cy"), pin("MO 13:10", "wang-proc-1", operator)
    asked = scenario(visit("v1", pinned=office), visit("v2", "quin", "injection", pinned=procedure))
    start = plan(
        asked,
        booking("v1", "MO 13:00", "wang-exam-1", "cy", supervisors=supervisor),
        booking("v2", "MO 13:10", "wang-proc-1", operator),
    )
    assert constructed(asked, start).visits == start.visits


def test_a_pin_stands_where_an_earlier_plan_has_somebody_else() -> None:
    asked = scenario(visit("v1"), visit("v2", "quin", pinned=pin("MO 09:00")))
    places = constructed(asked, plan(asked, booking("v1", "MO 09:20"))).visits_by_id
    assert places["v2"].start.hour == 9
    assert "v1" in places


def test_a_pin_stands_although_an_earlier_plan_has_it_elsewhere() -> None:
    asked = scenario(visit("v1"), visit("v2", "quin", pinned=pin("MO 09:00")))
    places = constructed(asked, plan(asked, booking("v1", "MO 09:20"), booking("v2", "TU 09:00"))).visits_by_id
    assert (places["v2"].start.day, places["v2"].start.hour) == (30, 9)


def test_what_is_imminent_stands_when_one_of_two_has_to_give_way() -> None:
    shared = {"now": "MO 08:00", "freeze_minutes": 90}
    both = [provider("ana", "pain"), provider("dee", "pain")]
    asked = scenario(
        visit("v1", current=current("MO 10:00")), visit("v2", "quin", current=current("MO 09:20")), providers=both, **shared
    )
    start = plan(asked, booking("v1", "MO 09:40", "wang-exam-2"), booking("v2", "MO 09:20"))
    places = constructed(asked, start).visits_by_id
    assert places["v2"] == start.visits_by_id["v2"]
    assert "v1" in places


def test_who_is_away_gives_way_and_nobody_else() -> None:
    before = scenario(visit("v1"), visit("v2", "quin"), visit("v3", "rae"))
    start = plan(
        before,
        booking("v1", "MO 13:00", "wang-exam-3", "dee"),
        booking("v2", "MO 13:00", "wang-exam-2"),
        booking("v3", "MO 14:00", "wang-exam-2"),
    )
    asked = before.changed(providers=(provider("ana", "pain", busy=[("MO 13:00", "MO 13:30")]), *before.providers[1:]))
    places = constructed(asked, start).visits_by_id
    assert (places["v1"], places["v3"]) == (start.visits_by_id["v1"], start.visits_by_id["v3"])
    assert places["v2"] != start.visits_by_id["v2"]


@pytest.mark.parametrize("candidates", [("quin", "rae"), ("quin", "rae", "sol")], ids=["as many as bays", "more"])
def test_a_session_seats_no_more_than_can_lie_in_the_bays_that_are_free_after_it(candidates: tuple[str, ...]) -> None:
    """There are two bays, and a visit that stands takes one of them."""
    team = {"team": [{"any_of": ["psychology"]}], "room": {"kind": "group", "features": []}}
    asked = scenario(
        visit("v-1", "pat", "lying", current=current("TU 09:30")),
        group("coping", *candidates),
        clinic=clinic(
            service("workshop", minutes=90, attention=2, recovery=60, locations=["wang"], **team),
            service("lying", recovery=60, locations=["wang"]),
        ),
        providers=[
            provider("ana", shifts=[shift("TU 09:30", "10:15", "wang")]),
            provider("ben", "psychology", role="psychologist", shifts=[shift("TU 09:00", "10:30", "wang")]),
        ],
    )
    domains = Domains(asked)
    plan = make_plan(domains, construct(domains))
    assert [violation.rule for violation in check(asked, plan).violations] == []
    assert len(plan.groups_by_id["coping"].attendees) == 1
