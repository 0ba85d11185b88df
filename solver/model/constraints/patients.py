"""The rules of patients between items, and of whoever attends a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, product

from ortools.sat.python import cp_model

from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day
from solver.model.variables import Literal, Variables
from solver.state.tasks import Key, Task
from solver.state.unary import unavailable_starts


def patient_overlap(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A patient is in one place at a time, recovery included."""
    for attended in _attended(x).values():
        if len(attended) > 1:
            model.add_no_overlap(
                x.interval(task.key, literal, 0, task.service.minutes + task.service.recovery) for task, literal in attended
            )


def patient_travel(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Between a patient's items at different locations there is time to travel."""
    for attended in _attended(x).values():
        for (task, attends_task), (other_task, attends_other) in combinations(attended, 2):
            days = set(x.days(task.key)) & set(x.days(other_task.key))
            first: Literal | None = None
            for here, there in product(x.locations(task.key), x.locations(other_task.key)) if days else ():
                needed = scenario.travel_minutes(here, there)
                for at_task, at_other in _both(scenario, x, (task.key, here), (other_task.key, there), days) if needed else ():
                    first = model.new_bool_var(f"first: {task.id} before {other_task.id}") if first is None else first
                    when = [attends_task, attends_other, at_task, at_other]
                    _follows(model, x, task, other_task, needed, [*when, first])
                    _follows(model, x, other_task, task, needed, [*when, first.negated()])


def _both(
    scenario: Scenario, x: Variables, place: tuple[Key, str], other_place: tuple[Key, str], days: set[int]
) -> Iterator[tuple[Literal, Literal]]:
    """Yield the literals that two tasks are at two locations; day by day where the way is longer than a night."""
    (first, here), (second, there) = place, other_place
    night = MINUTES_PER_DAY - max(minute_of_day(scenario.locations[place].closes) for place in (here, there))
    if scenario.travel_minutes(here, there) <= night:
        yield x.locations(first)[here], x.locations(second)[there]
        return
    for day in sorted(days):
        if (day, here) in x.places(first) and (day, there) in x.places(second):
            yield x.places(first)[day, here], x.places(second)[day, there]


def _attended(x: Variables) -> dict[str, list[tuple[Task, Literal]]]:
    """Return each patient's tasks, each with the literal that the patient takes part."""
    attended: dict[str, list[tuple[Task, Literal]]] = defaultdict(list)
    for task in x.tasks:
        for patient in x.domains.list_patients(task):
            attended[patient].append((task, x.takes_part(task, patient)))
    return attended


def _follows(model: cp_model.CpModel, x: Variables, first: Task, second: Task, minutes: int, when: list[Literal]) -> None:
    leaves = x.start_minute(first.key) + first.service.minutes + first.service.recovery
    model.add(x.start_minute(second.key) >= leaves + minutes).only_enforce_if(when)


def patient_available(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nobody attends a group while unavailable (a visit's patient: :mod:`solver.state.unary`)."""
    for task in x.tasks:
        for patient in x.members(task):
            attends = x.attends(task.id, patient)
            for (day, _), here in x.places(task.key).items():
                if away := unavailable_starts(scenario, patient, task.service, scenario.grid.date(day)):
                    starts = ~away & ((1 << scenario.grid.slots_per_day) - 1)
                    x.starts_within(task.key, day, starts, [attends, here])


def patient_site(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nobody attends a group at a site that they cannot reach (a visit's patient: :mod:`solver.state.unary`)."""
    for task in x.tasks:
        for patient in x.members(task):
            sites = scenario.patients_by_id[patient].allowed_sites
            for location, here in x.locations(task.key).items():
                if scenario.site(location) not in sites:
                    model.add_bool_or([x.attends(task.id, patient).negated(), here.negated()])


def required_provider(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A visit that asks for one provider has that provider in its team."""
    for task in x.tasks:
        if task.visit is not None and task.visit.required_provider is not None:
            wanted = [t.literal for t in x.team(task.key) if t.option.provider == task.visit.required_provider]
            model.add_bool_or([*wanted, x.present(task.key).negated()])
