"""What files refuse is refused of scenarios and plans made in Python too, and copies know nothing of what they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError
from support.factories import booking, group, link, patient, plan, reserve, scenario, visit

from scheduling.check import check
from scheduling.costs import calculate_costs
from scheduling.errors import InvalidFile
from scheduling.plan import Unscheduled
from scheduling.requests import Visit
from scheduling.scenario import Scenario

ASKED = scenario(visit("v1"), visit("v2", "quin"), link("v1", "v2"), group("g1", "pat"), reserve("r1", "TU", "08:00", "11:00"))


def fields_of(asked: Scenario, **updates: Any) -> dict[str, Any]:
    """Return a scenario's fields as they stand, some replaced."""
    return {name: getattr(asked, name) for name in Scenario.model_fields} | updates


def stranger(asked: Scenario) -> tuple[Visit, ...]:
    """Return a scenario's visits, the first of a patient whom nobody knows."""
    first, *others = asked.visits
    return (first.changed(patient="nobody"), *others)


@pytest.mark.parametrize(
    ("section", "values", "fault"),
    [
        ("visits", stranger(ASKED), 'visits[0].patient: unknown patient "nobody"'),
        ("visits", (ASKED.visits[0], *ASKED.visits), "visits[1].id: v1 is repeated"),
        ("links", (*ASKED.links, ASKED.links[0].changed(before="v2", after="v1")), "closes a cycle"),
        ("patients", ASKED.patients[1:], 'unknown patient "pat"'),
    ],
)
def test_a_scenario_made_in_python_with_a_fault_of_reference_is_refused_by_name(section: str, values: Any, fault: str) -> None:
    with pytest.raises(InvalidFile) as made:
        Scenario(**fields_of(ASKED, **{section: values}))
    with pytest.raises(InvalidFile) as copied:
        ASKED.model_copy(update={section: values})
    with pytest.raises(InvalidFile) as read:
        Scenario.parse(ASKED.changed(**{section: values}).model_dump_json())
    assert fault in str(made.value)
    assert made.value.faults == copied.value.faults == read.value.faults


def test_lists_are_taken_where_tuples_are_meant_at_any_depth() -> None:
    made = Scenario(**fields_of(ASKED, visits=list(ASKED.visits), patients=list(ASKED.patients)))
    assert made == ASKED and isinstance(made.visits, tuple)
    assert Scenario.model_validate(json.loads(ASKED.model_dump_json())) == ASKED
    wanted = Visit(**{**dict(ASKED.visits[0]), "preferred_providers": ["ana", "ben"]})
    assert wanted.preferred_providers == ("ana", "ben")


@pytest.mark.parametrize("value", ["ana", {"ana"}, None, 3])
def test_nothing_but_a_list_stands_for_a_tuple(value: Any) -> None:
    with pytest.raises(ValidationError):
        Visit(**{**dict(ASKED.visits[0]), "preferred_providers": value})


def test_a_copy_of_a_scenario_does_not_know_the_visits_that_it_has_no_more() -> None:
    assert set(ASKED.visits_by_id) == {"v1", "v2"}  # derived once, and kept
    fewer = ASKED.model_copy(update={"visits": ASKED.visits[1:], "links": ()})
    assert set(fewer.visits_by_id) == {"v2"}
    assert set(ASKED.visits_by_id) == {"v1", "v2"}
    further = ASKED.model_copy(update={"patients": (*ASKED.patients, patient("una"))}, deep=True)
    assert "una" in further.patients_by_id and "una" not in ASKED.patients_by_id


def test_a_copy_of_a_plan_has_its_own_items_and_bookings() -> None:
    asked = scenario(visit("v1"), visit("v2", "quin"))
    whole = plan(asked, booking("v1", "MO 09:00"), booking("v2", "MO 11:00"))
    assert len(whole.items(asked)) == 2 and set(whole.visits_by_id) == {"v1", "v2"}
    left_out = Unscheduled(visit="v2", reasons=())
    part = whole.model_copy(update={"visits": whole.visits[:1], "unscheduled": (left_out,)})
    assert [item.id for item in part.items(asked)] == ["v1"] and set(part.visits_by_id) == {"v1"}
    assert calculate_costs(asked, part).unscheduled > 0


def test_a_copy_with_an_alias_keeps_the_field_that_has_it() -> None:
    held = ASKED.reserves[0]
    assert held.model_copy(update={"id": "r2"}).from_ == held.from_
    assert held.model_copy() == held == held.model_copy(deep=True)


def test_a_copy_is_validated() -> None:
    with pytest.raises(ValidationError):
        ASKED.visits[0].model_copy(update={"priority": "at once"})
    with pytest.raises(ValidationError):
        ASKED.visits[0].model_copy(update={"colour": "red"})


def test_the_check_refuses_what_is_no_plan_of_the_scenario() -> None:
    whole = plan(ASKED)
    check(ASKED, whole)
    (known,) = plan(ASKED, booking("v1", "MO 09:00")).visits
    foreign = known.changed(visit="v9")
    with pytest.raises(InvalidFile, match="v9"):
        check(ASKED, whole.changed(visits=(*whole.visits, foreign)))
    with pytest.raises(InvalidFile, match="v1"):
        check(ASKED, whole.changed(unscheduled=()))
