"""One encoder for each cost component; ``OBJECTIVES`` names them all. Their order never matters.

Literals that only lower the cost when they hold (a visit that stays, a preferred provider) are bound one way: the search has
no reason to leave them false.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from ortools.sat.python import cp_model

from scheduling.costs import QUARTER_MINUTES, get_half, get_omission_cost
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day
from solver.model.variables import Literal, Variables
from solver.state.domains import ShiftId
from solver.state.tasks import Key, Task

Expression = cp_model.LinearExpr


def _total(terms: Iterable[tuple[int, Expression]]) -> Expression:
    pairs = [(weight, term) for weight, term in terms if weight]
    return cp_model.LinearExpr.weighted_sum([term for _, term in pairs], [weight for weight, _ in pairs])


def unscheduled(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Visits left out, dearer when their deadline lies within the horizon."""
    worth = x.worth
    return _total(
        (worth.get(t.key, get_omission_cost(scenario, t.visit)), 1 - x.present(t.key)) for t in x.tasks if t.visit is not None
    )


def late(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Days after the target date."""
    return _total(
        (scenario.policy.late_per_day.of(t.visit.priority) * max(0, (scenario.grid.date(day) - t.visit.target).days), here)
        for t in x.tasks
        if t.visit is not None and t.visit.target is not None
        for (day, _), here in x.places(t.key).items()
    )


def delay(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Days of waiting since the visit could first take place."""
    terms: list[tuple[int, Expression]] = []
    for task in x.tasks:
        if task.visit is not None:
            since = max(task.visit.earliest, scenario.horizon.start)
            weight = scenario.policy.delay_per_day.of(task.visit.priority)
            for (day, _), here in x.places(task.key).items():
                terms.append((weight * max(0, (scenario.grid.date(day) - since).days), here))
    return _total(terms)


def continuity(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Visits without any of the providers that their patient prefers."""
    terms: list[tuple[int, Expression]] = []
    for task in x.tasks:
        if task.visit is not None and task.visit.preferred_providers:
            wanted = task.visit.preferred_providers
            meets: Expression = cp_model.LinearExpr.sum([t.literal for t in x.team(task.key) if t.option.provider in wanted])
            if len(task.service.team) > 1:
                met = model.new_bool_var(f"meets a preferred provider: {task.id}")
                model.add(met <= meets)
                meets = met
            terms.append((scenario.policy.not_preferred_provider, x.present(task.key) - meets))
    return _total(terms)


def site(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Visits at a site other than the one that their patient prefers."""
    return _total(
        (scenario.policy.not_preferred_site, here)
        for task in x.tasks
        if task.patient is not None
        for location, here in x.locations(task.key).items()
        if scenario.patients_by_id[task.patient].preferred_site not in (None, scenario.site(location))
    )


def half(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Visits in the half of the day that their patient does not prefer."""
    terms: list[tuple[int, Expression]] = []
    morning = (1 << scenario.grid.noon_slot) - 1
    for task in x.tasks:
        prefers = None if task.patient is None else scenario.patients_by_id[task.patient].prefers
        if prefers is None:
            continue
        wrong: Literal | None = None
        for taken in x.seat(task.key, 0):
            good = taken.option.starts & (morning if prefers == get_half(0) else ~morning)
            if not good:
                terms.append((scenario.policy.not_preferred_half, taken.literal))
            elif good != taken.option.starts:
                wrong = model.new_bool_var(f"in the other half: {task.id}") if wrong is None else wrong
                x.starts_within(task.key, taken.option.day, good, [taken.literal, wrong.negated()])
        if wrong is not None:
            terms.append((scenario.policy.not_preferred_half, wrong))
    return _total(terms)


def trips(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Dates beyond a patient's first on which they have to come."""
    reasons: dict[str, list[tuple[Key, Literal]]] = defaultdict(list)
    for task in x.tasks:
        for patient in x.domains.list_patients(task):
            reasons[patient].append((task.key, x.takes_part(task, patient)))
    terms: list[tuple[int, Expression]] = []
    for patient, tasks in reasons.items():
        if len(tasks) > 1:
            comes = _comes(model, x, patient, tasks)
            once = model.new_bool_var(f"comes at all: {patient}")
            model.add_bool_or([*comes, once.negated()])
            terms += [(scenario.policy.extra_trip, cp_model.LinearExpr.sum(comes) - once)]
    return _total(terms)


def _comes(model: cp_model.CpModel, x: Variables, patient: str, tasks: Sequence[tuple[Key, Literal]]) -> list[Literal]:
    """Return a literal for each day that any of a patient's tasks may be on, true when one is."""
    comes: list[Literal] = []
    for day in sorted({day for key, _ in tasks for day in x.days(key)}):
        comes.append(model.new_bool_var(f"comes: {patient} on day {day}"))
        for key, takes_part in tasks:
            for here in x.on_day(key, day):
                model.add_bool_or([comes[-1], here.negated(), takes_part.negated()])
    return comes


def moved(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Patients whose visit or group session is not where they have it in their calendar."""
    terms: list[tuple[int, Expression]] = []
    policy = scenario.policy
    for task in x.tasks:
        if task.visit is not None and task.visit.current is not None:
            told = task.visit.current.notified
            terms.append((policy.moved_notified if told else policy.moved, 1 - x.unchanged(task)))
            from_day = scenario.grid.day_index(task.visit.current.start.date())
            for (day, _), here in x.places(task.key).items() if told else ():
                terms.append((policy.moved_notified_per_day * abs(day - from_day), here))
            if told and policy.moved_notified_per_hour:
                terms.append((policy.moved_notified_per_hour, _hours_moved(model, x, task, from_day)))
        if task.group is not None and task.group.current is not None:
            terms += _moved_attendees(model, scenario, x, task)
    return _total(terms)


def _hours_moved(model: cp_model.CpModel, x: Variables, task: Task, day: int) -> Expression:
    """Return the full hours between a visit's start and where it stands, if it is on that date."""
    assert task.visit is not None and task.visit.current is not None
    hours = model.new_int_var(0, 24, f"hours moved: {task.id}")
    stood = day * x.grid.slots_per_day * x.grid.grid_minutes + minute_of_day(task.visit.current.start)
    for (on, _), here in x.places(task.key).items():
        if on == day:
            apart = x.start_minute(task.key) - stood
            model.add(60 * hours >= apart - 59).only_enforce_if(here)
            model.add(60 * hours >= -apart - 59).only_enforce_if(here)
    return hours


def _moved_attendees(model: cp_model.CpModel, scenario: Scenario, x: Variables, task: Task) -> list[tuple[int, Expression]]:
    group = task.group
    assert group is not None and group.current is not None
    policy, told = scenario.policy, group.current.notified
    from_day = scenario.grid.day_index(group.current.start.date())
    terms: list[tuple[int, Expression]] = []
    members = x.members(task)
    for patient in group.current.attendees:
        stays = x.attends_as_told(task, patient) if patient in members else x.true.negated()
        terms.append((policy.moved_notified if told else policy.moved, 1 - stays))
        for (day, _), here in x.places(task.key).items() if told and patient in members else ():
            if day != from_day:
                comes = model.new_bool_var(f"called to another day: {patient} of {group.id} on day {day}")
                model.add_bool_or([comes, here.negated(), x.attends(group.id, patient).negated()])
                terms.append((policy.moved_notified_per_day * abs(day - from_day), comes))
    return terms


def group(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Candidates without a seat, and required groups that do not meet."""
    terms: list[tuple[int, Expression]] = []
    for task in x.tasks:
        if task.group is not None:
            for candidate in task.group.candidates:
                weight = scenario.policy.group_seat.of(candidate.priority)
                terms.append((weight, 1 - x.attends(task.id, candidate.patient)))
            if task.group.required:
                terms.append((scenario.policy.group_not_run, 1 - x.present(task.key)))
    return _total(terms)


def reserve(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Reserves for which no capacity is held."""
    return _total((scenario.policy.reserve_missing, 1 - x.present(task.key)) for task in x.tasks if task.reserve is not None)


@dataclass(frozen=True, slots=True)
class Stop:
    """An item of somebody's day at a site, if a literal holds; ``minutes`` that it takes them."""

    task: Task
    site: str
    literal: Literal
    minutes: int


def _list_stops(scenario: Scenario, x: Variables) -> dict[tuple[str, int], list[Stop]]:
    """Return what a patient may have on a day, where it may be more than one item; recovery counts."""
    stops: dict[tuple[str, int], list[Stop]] = defaultdict(list)
    for task in x.tasks:
        minutes = task.service.minutes + task.service.recovery
        for patient in x.domains.list_patients(task):
            for day, location, literal in x.stays(task, patient):
                stops[patient, day].append(Stop(task, scenario.site(location), literal, minutes))
    return {name: some for name, some in stops.items() if len({stop.task.key for stop in some}) > 1}


def waiting(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Full quarters of an hour that patients wait between items of a day.

    Items of a patient never overlap, so the gaps of a day are what lies between its first minute and its last, less the items.
    """
    weight, quarters = scenario.policy.waiting, list[Expression]()
    for (patient, day), stops in _list_stops(scenario, x).items() if weight else ():
        first = day * x.grid.slots_per_day * x.grid.grid_minutes
        begin = model.new_int_var(first, first + 2 * MINUTES_PER_DAY, f"first minute: {patient} on day {day}")
        end = model.new_int_var(first, first + 2 * MINUTES_PER_DAY, f"last minute: {patient} on day {day}")
        waits = model.new_int_var(0, MINUTES_PER_DAY // QUARTER_MINUTES, f"quarters waited: {patient} on day {day}")
        for stop in stops:
            start = x.start_minute(stop.task.key)
            model.add(begin <= start).only_enforce_if(stop.literal)
            model.add(end >= start + stop.minutes).only_enforce_if(stop.literal)
        busy = cp_model.LinearExpr.weighted_sum([stop.literal for stop in stops], [stop.minutes for stop in stops])
        model.add(QUARTER_MINUTES * waits >= end - begin - busy - (QUARTER_MINUTES - 1))
        quarters.append(waits)
    return _total((weight, number) for number in quarters)


def journeys(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Times that a patient's consecutive items of one day lie at different sites."""
    weight = scenario.policy.patient_site_change
    changes = [
        literal
        for (patient, day), stops in (_list_stops(scenario, x).items() if weight else ())
        for literal in _changes_in_order(model, x, stops, f"patient {patient} on day {day}")
    ]
    return _total((weight, literal) for literal in changes)


def _changes_in_order(model: cp_model.CpModel, x: Variables, stops: Sequence[Stop], whose: str) -> list[Literal]:
    """Return the literals that a stop directly follows one at another site: the arcs of a path through all stops by start."""
    if len({stop.site for stop in stops}) < 2:
        return []
    changes: list[Literal] = []
    arcs: list[tuple[int, int, Literal]] = [(0, 0, model.new_bool_var(f"no stop: {whose}"))]
    for here, stop in enumerate(stops, 1):
        arcs.append((here, here, stop.literal.negated()))
        arcs.append((0, here, model.new_bool_var(f"first stop: {whose}, {here}")))
        arcs.append((here, 0, model.new_bool_var(f"last stop: {whose}, {here}")))
        for there, other in enumerate(stops, 1):
            if stop.task.key != other.task.key:
                follows = model.new_bool_var(f"next stop: {whose}, {there} after {here}")
                arcs.append((here, there, follows))
                model.add(x.start_minute(other.task.key) >= x.start_minute(stop.task.key)).only_enforce_if(follows)
                if stop.site != other.site:
                    changes.append(follows)
    model.add_circuit(arcs)
    return changes


def site_change(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> Expression:
    """Times that a provider's consecutive commitments of one day lie at different sites.

    A shift is spent at one location, so only consecutive used shifts can differ; where items may lie beside that location,
    every one counts.
    """
    roaming: dict[tuple[str, int], list[Stop]] = defaultdict(list)
    used: dict[tuple[str, int], dict[ShiftId, dict[str, list[Literal]]]] = defaultdict(lambda: defaultdict(dict))
    for task in x.tasks:
        for taken in x.commitments(task.key):
            option = taken.option
            if (option.provider or "", option.day) in x.domains.roaming:
                stop = Stop(task, scenario.site(option.location), taken.literal, task.service.minutes)
                roaming[option.provider or "", option.day].append(stop)
            elif option.shift is not None:
                at_site = used[option.shift.provider, option.day][option.shift]
                at_site.setdefault(scenario.site(option.location), []).append(taken.literal)
    terms: list[tuple[int, Expression]] = []
    for (provider, day), stops in roaming.items() if scenario.policy.site_change else ():
        changes = _changes_in_order(model, x, stops, f"provider {provider} on day {day}")
        terms += [(scenario.policy.site_change, literal) for literal in changes]
    for shifts in used.values():
        if len(shifts) > 1 and len({name for at_site in shifts.values() for name in at_site}) > 1:
            ordered = sorted(shifts, key=lambda shift: x.domains.shift(shift).start)
            terms += _changes(model, scenario, {shift: shifts[shift] for shift in ordered})
    return _total(terms)


def _changes(
    model: cp_model.CpModel, scenario: Scenario, shifts: Mapping[ShiftId, dict[str, list[Literal]]]
) -> list[tuple[int, Expression]]:
    at: list[dict[str, Literal]] = []
    for shift, sites in shifts.items():
        at.append({name: model.new_bool_var(f"shift at site: {shift} at {name}") for name in sites})
        for name, literals in sites.items():
            for literal in literals:
                model.add_implication(literal, at[-1][name])
            model.add_bool_or([*literals, at[-1][name].negated()])
    terms: list[tuple[int, Expression]] = []
    names = list(shifts)
    for first, second in combinations(range(len(at)), 2):
        between = [literal for sites in at[first + 1 : second] for literal in sites.values()]
        for (site, here), (other_site, there) in product(at[first].items(), at[second].items()):
            if site != other_site:
                changes = model.new_bool_var(f"changes site: {names[first]} at {site}, {names[second]} at {other_site}")
                model.add_bool_or([changes, here.negated(), there.negated(), *between])
                terms.append((scenario.policy.site_change, changes))
    return terms


OBJECTIVES = (
    unscheduled,
    late,
    delay,
    continuity,
    site,
    half,
    trips,
    moved,
    group,
    reserve,
    waiting,
    journeys,
    site_change,
)
