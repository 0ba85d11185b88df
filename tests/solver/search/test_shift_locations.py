"""Where shifts are spent: where whoever has nowhere else to go has to be seen."""

from __future__ import annotations

from support.factories import clinic, patient, provider, scenario, service, shift, visit

from solver.search.construct import construct
from solver.search.shift_locations import choose_shift_locations
from solver.state.domains import Domains, ShiftId
from solver.state.placements import Placement
from solver.state.tasks import Key, visit_key

FAR = [visit(f"far-{number}", f"far-{number}", "far", priority="soon") for number in range(3)]
NEAR = visit("near", "near", priority="cancer", preferred_providers=["ana"])
DOMAINS = Domains(
    scenario(
        NEAR,
        *FAR,
        clinic=clinic(service("far", locations=["west"])),
        patients=[patient("near", allowed_sites=["boston"]), *(patient(asked.patient) for asked in FAR)],
        providers=[
            provider("ana", shifts=[shift("TU 12:30", "17:30", "wang", "west")]),
            provider("dee", shifts=[shift("WE 12:30", "17:30", "wang")]),
        ],
    )
)
CHOICE = ShiftId("ana", 0)


def test_a_shift_is_spent_where_most_depends_on_it() -> None:
    assert choose_shift_locations(DOMAINS, {}) == {CHOICE: "west"}


def test_a_first_plan_loses_nobody_to_a_visit_that_has_another_place() -> None:
    everybody = {visit_key(asked.id) for asked in (NEAR, *FAR)}
    assert construct(DOMAINS, {}, choose_shift_locations(DOMAINS, {})).keys() == everybody
    assert construct(DOMAINS, {}).keys() == {visit_key("near")}, "the dearest visit takes its cheapest place"


def test_a_shift_that_is_used_already_is_left_where_it_is() -> None:
    standing: dict[Key, Placement] = {visit_key("near"): Placement(1, 80, "wang", (CHOICE,), room="wang-exam-1")}
    assert choose_shift_locations(DOMAINS, standing) == {}


def test_a_shift_has_time_for_some_only() -> None:
    short = provider("ana", shifts=[shift("TU 12:30", "13:10", "wang", "west")])
    asked = DOMAINS.scenario.changed(providers=(short, *DOMAINS.scenario.providers[1:]))
    assert choose_shift_locations(Domains(asked), {}) == {CHOICE: "wang"}, (
        "one visit of the three fits, the nearer is worth more"
    )
