"""One encoder for each rule that looks at several tasks, people or places at once; ``CONSTRAINTS`` names them.

The rules that look at one at a time are in :mod:`solver.state.unary`. Every encoder asks the variables and adds to the model;
their order never matters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, product

from ortools.sat.python import cp_model

from scheduling.requests import CurrentGroup, Link
from scheduling.rules.providers import FULL_ATTENTION
from scheduling.rules.stability import get_notice_end
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day, minutes_on
from solver.model.variables import Interval, Literal, OptionLiteral, Variables
from solver.state.domains import ShiftId
from solver.state.tasks import Key, Task, visit_key
from solver.state.unary import unavailable_starts

Choices = Mapping[str, cp_model.LinearExpr]


def team(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Each seat of a team has a provider of its own."""
    for task in x.tasks:
        if len(task.service.team) > 1:
            by_provider: dict[str | None, list[Literal]] = defaultdict(list)
            for taken in x.commitments(task.key):
                by_provider[taken.option.provider].append(taken.literal)
            for literals in by_provider.values():
                if len(literals) > 1:
                    model.add_at_most_one(literals)


def shift(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A shift is spent at one location, items beside it apart."""
    used: dict[ShiftId, None] = {}
    for task in x.tasks:
        for taken in x.commitments(task.key):
            shift_id = taken.option.shift
            if shift_id is None or not x.domains.binds(shift_id, taken.option.location):
                continue
            if len(x.domains.binding_locations(shift_id)) > 1:
                model.add_implication(taken.literal, x.shift_at(shift_id, taken.option.location))
                used[shift_id] = None
    for shift_id in used:
        model.add_at_most_one(x.shift_at(shift_id, location) for location in x.domains.binding_locations(shift_id))


def provider_overlap(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nobody is in the team of two items at once."""
    on_shift: dict[ShiftId, list[Interval]] = defaultdict(list)
    for task in x.tasks:
        for taken in x.team(task.key):
            if taken.option.shift is not None:
                on_shift[taken.option.shift].append(x.interval(task.key, taken.literal, 0, task.service.minutes))
    for intervals in on_shift.values():
        if len(intervals) > 1:
            model.add_no_overlap(intervals)


def travel(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Between commitments at different locations on one day there is time to travel.

    A shift has one location, so only pairs of shifts that are nearer than the way between two of their locations matter;
    where items may lie beside that location, every pair of items does.
    """
    _roaming_travel(model, scenario, x)
    on_shift: dict[ShiftId, list[tuple[Task, OptionLiteral]]] = defaultdict(list)
    for task in x.tasks:
        for taken in x.commitments(task.key):
            if taken.option.shift is not None:
                on_shift[taken.option.shift].append((task, taken))
    for shift_id, other_id in combinations(sorted(on_shift, key=lambda s: (s.provider, x.domains.shift(s).start)), 2):
        first, second = x.domains.shift(shift_id), x.domains.shift(other_id)
        if shift_id.provider != other_id.provider or first.start.date() != second.start.date():
            continue
        if (shift_id.provider, x.grid.day_index(first.start.date())) in x.domains.roaming:
            continue
        gap = (second.start - first.end).total_seconds() / 60
        for here, there in product(first.locations, second.locations):
            needed = scenario.travel_minutes(here, there)
            if gap < needed:
                earlier = [(task, taken) for task, taken in on_shift[shift_id] if taken.option.location == here]
                later = [(task, taken) for task, taken in on_shift[other_id] if taken.option.location == there]
                _apart(model, x, earlier, later, needed, f"on the way: {shift_id} at {here} to {other_id} at {there}")


def _roaming_travel(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Keep commitments at different locations apart where a provider's shifts have items beside their location."""
    on_day: dict[tuple[str, int], list[tuple[Task, OptionLiteral]]] = defaultdict(list)
    for task in x.tasks:
        for taken in x.commitments(task.key):
            if (on := (taken.option.provider or "", taken.option.day)) in x.domains.roaming:
                on_day[on].append((task, taken))
    for (provider, day), commitments in on_day.items():
        first: dict[tuple[Key, Key], Literal] = {}
        for (task, taken), (other, other_taken) in combinations(commitments, 2):
            here, there = taken.option.location, other_taken.option.location
            if task.key == other.key or here == there or not (x.is_free(task.key) or x.is_free(other.key)):
                continue
            if (task.key, other.key) not in first:
                name = f"first for {provider} on day {day}: {task.kind} {task.id} before {other.kind} {other.id}"
                first[task.key, other.key] = model.new_bool_var(name)
            leads, when = first[task.key, other.key], [taken.literal, other_taken.literal]
            _ends_before(model, x, task, other, scenario.travel_minutes(here, there), [*when, leads])
            _ends_before(model, x, other, task, scenario.travel_minutes(here, there), [*when, leads.negated()])


def _ends_before(model: cp_model.CpModel, x: Variables, task: Task, other: Task, minutes: int, when: list[Literal]) -> None:
    """Let a task end at least some minutes before another one begins, while all the literals hold."""
    ends = x.start_minute(task.key) + task.service.minutes
    model.add(x.start_minute(other.key) >= ends + minutes).only_enforce_if(when)


def _apart(
    model: cp_model.CpModel,
    x: Variables,
    earlier: list[tuple[Task, OptionLiteral]],
    later: list[tuple[Task, OptionLiteral]],
    minutes: int,
    name: str,
) -> None:
    """Keep every end of some commitments a distance before every start of others, through one moment between them."""
    if not earlier or not later:
        return
    moment = model.new_int_var(0, x.grid.days * x.grid.slots_per_day * x.grid.grid_minutes, name)
    for task, taken in earlier:
        model.add(x.start_minute(task.key) + task.service.minutes <= moment).only_enforce_if(taken.literal)
    for task, taken in later:
        model.add(x.start_minute(task.key) >= moment + minutes).only_enforce_if(taken.literal)


def supervision(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A trainee works only under a supervisor with a skill of the trainee's seat; nobody else is supervised.

    More supervisors than trainees would break no rule, and help no plan: only what is fixed or has begun may have them.
    """
    people = scenario.providers_by_id
    for task in x.tasks:
        supervisors, key = x.supervisors(task.key), task.key
        trainees = [taken for taken in x.team(key) if people[taken.option.provider or ""].trainee]
        for trainee in trainees:
            skills = task.service.team[trainee.option.seat].any_of
            able = [
                s.literal for s in supervisors if _same_place(s, trainee) and people[s.option.provider or ""].can_fill(skills)
            ]
            model.add_bool_or([*able, trainee.literal.negated()])
        for supervisor in supervisors:
            person = people[supervisor.option.provider or ""]
            taught = [
                t.literal
                for t in trainees
                if _same_place(supervisor, t) and person.can_fill(task.service.team[t.option.seat].any_of)
            ]
            model.add_bool_or([*taught, supervisor.literal.negated()])
            own = [t.literal for t in x.team(key) if t.option.provider == supervisor.option.provider]
            for literal in own:
                model.add_bool_or([literal.negated(), supervisor.literal.negated()])
        if supervisors and x.is_free(key) and x.domains.get_begun(task) is None:
            model.add(_sum(s.literal for s in supervisors) <= _sum(t.literal for t in trainees))


def _same_place(taken: OptionLiteral, other_taken: OptionLiteral) -> bool:
    return (taken.option.day, taken.option.location) == (other_taken.option.day, other_taken.option.location)


def _sum(literals: Iterable[Literal]) -> cp_model.LinearExpr:
    return cp_model.LinearExpr.sum(list(literals))


def attention(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nobody attends to more than one procedure or two office visits at a time, own and supervised."""
    on_shift: dict[ShiftId, list[tuple[Interval, int]]] = defaultdict(list)
    supervising: set[ShiftId] = set()
    for task in x.tasks:
        for taken in x.commitments(task.key):
            if taken.option.shift is not None:
                use = x.interval(task.key, taken.literal, 0, task.service.minutes)
                on_shift[taken.option.shift].append((use, task.service.attention))
        supervising |= {s.option.shift for s in x.supervisors(task.key) if s.option.shift is not None}
    for shift_id, uses in on_shift.items():
        over = any(demand > FULL_ATTENTION for _, demand in uses)
        if (shift_id in supervising or over) and not scenario.providers_by_id[shift_id.provider].trainee:
            model.add_cumulative([use for use, _ in uses], [demand for _, demand in uses], FULL_ATTENTION)


def daily_limit(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nobody spends more minutes of a day in teams than their daily limit."""
    minutes: dict[tuple[str, int], list[tuple[Literal, int]]] = defaultdict(list)
    for task in x.tasks:
        for taken in x.team(task.key):
            if taken.option.provider is not None:
                minutes[taken.option.provider, taken.option.day].append((taken.literal, task.service.minutes))
    for (provider, _), uses in minutes.items():
        limit = scenario.providers_by_id[provider].max_minutes_per_day
        model.add(cp_model.LinearExpr.weighted_sum([use for use, _ in uses], [amount for _, amount in uses]) <= limit)


def room(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """An item has a room of the kind and features that its service needs, where it takes place.

    Which kinds suit is decided where the room variables are made; a place without a suitable room is not open.
    """
    for task in x.tasks:
        if task.service.room is not None:
            for location, here in x.locations(task.key).items():
                suited = [literal for kind, literal in x.rooms(task.key).items() if kind.location == location]
                model.add(_sum(suited) == here)


def closure(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nothing, cleaning included, is in a room while that room alone is closed (a location: :mod:`solver.state.unary`)."""
    every = (1 << scenario.grid.slots_per_day) - 1
    for task in x.tasks:
        stays = x.fixed.get(task.key)
        for kind, literal in x.rooms(task.key).items():
            for day in x.days(task.key):
                starts = x.domains.room_starts(task.service, kind.rooms[0], day) & every
                here = x.places(task.key).get((day, kind.location))
                if here is None or starts == every:
                    continue
                if stays is None:
                    x.starts_within(task.key, day, starts, [literal, here])
                elif not starts >> stays.slot & 1:
                    model.add(literal == 0)


def room_overlap(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """No room is used for two items at once, cleaning included: rooms that are alike are one cumulative resource."""
    uses: dict[object, list[Interval]] = defaultdict(list)
    sizes: dict[object, int] = {}
    for task in x.tasks:
        for kind, literal in x.rooms(task.key).items():
            sizes[kind] = len(kind.rooms)
            uses[kind].append(x.interval(task.key, literal, 0, task.service.minutes + task.service.turnover))
    _limit(model, uses, sizes)


def equipment(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Items that run at once at a location use no more devices than its pool has."""
    uses: dict[object, list[Interval]] = defaultdict(list)
    sizes: dict[object, int] = {}
    for task in x.tasks:
        for device, (location, here) in product(task.service.equipment, x.locations(task.key).items()):
            sizes[device, location] = scenario.equipment_units(device, location)
            uses[device, location].append(x.interval(task.key, here, 0, task.service.minutes))
    _limit(model, uses, sizes)


def _limit(model: cp_model.CpModel, uses: dict[object, list[Interval]], sizes: dict[object, int]) -> None:
    for resource, intervals in uses.items():
        if sizes[resource] == 1 and len(intervals) > 1:
            model.add_no_overlap(intervals)
        elif len(intervals) > sizes[resource]:
            model.add_cumulative(intervals, [1] * len(intervals), sizes[resource])


def recovery(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Patients who recover at once at a location are no more than its bays."""
    uses: dict[str, list[tuple[Interval, cp_model.IntVar | int]]] = defaultdict(list)
    for task in x.tasks:
        service = task.service
        if service.recovery:
            patients = 1 if task.group is None else _attendees(model, x, task)
            for location, here in x.locations(task.key).items():
                lying = x.interval(task.key, here, service.minutes, service.minutes + service.recovery)
                uses[location].append((lying, patients))
    for location, taken in uses.items():
        model.add_cumulative([lying for lying, _ in taken], [patients for _, patients in taken], scenario.bays(location))


def _attendees(model: cp_model.CpModel, x: Variables, task: Task) -> cp_model.IntVar:
    """Return a variable for the number of a group's attendees: a cumulative takes no sums."""
    number = model.new_int_var(0, len(x.members(task)), f"attendees: {task.id}")
    model.add(_sum(x.attends(task.id, patient) for patient in x.members(task)) == number)
    return number


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


def link(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A visit that follows another is planned only with it, at the asked distance, place and team."""
    for wanted in scenario.links:
        before, after = visit_key(wanted.before), visit_key(wanted.after)
        if not x.is_free(before) and not x.is_free(after):
            continue
        if not x.has(after):
            if x.has(before) and wanted.together:
                model.add(x.present(before) == 0)
            continue
        if not x.has(before):
            model.add(x.present(after) == 0)
            continue
        model.add_implication(x.present(after), x.present(before))
        if wanted.together:
            model.add_implication(x.present(before), x.present(after))
        if wanted.any_order:
            leads = model.new_bool_var(f"comes first: {wanted.before} of {wanted.before} and {wanted.after}")
            _in_order(model, x, wanted, (before, after), [leads, x.present(after)])
            _in_order(model, x, wanted, (after, before), [leads.negated(), x.present(after)])
        else:
            _in_order(model, x, wanted, (before, after), [x.present(after)])
        if wanted.same_location:
            _alike(model, x, x.present(after), x.locations(before), x.locations(after))
        if wanted.same_provider:
            for seat in range(max(len(x.domains.service(before).team), len(x.domains.service(after).team))):
                _alike(model, x, x.present(after), _by_provider(model, x, before, seat), _by_provider(model, x, after, seat))


def _in_order(model: cp_model.CpModel, x: Variables, wanted: Link, visits: tuple[Key, Key], when: list[Literal]) -> None:
    """Keep the distance in days of a link between the visit that comes first and the other one, and the gap on one day."""
    first, second = visits
    days = x.day(second) - x.day(first)
    model.add(days >= wanted.min_days).only_enforce_if(when)
    if wanted.max_days is not None:
        model.add(days <= wanted.max_days).only_enforce_if(when)
    if wanted.min_days:
        return
    together = model.new_bool_var(f"on one day: {first[1]} and {second[1]}")
    gap = x.start_minute(second) - x.start_minute(first) - x.domains.service(first).minutes
    model.add(gap >= wanted.min_gap_minutes).only_enforce_if(together, *when)
    if wanted.max_gap_minutes is not None:
        model.add(gap <= wanted.max_gap_minutes).only_enforce_if(together, *when)
    model.add(days > 0).only_enforce_if(together.negated(), *when)


def _alike(model: cp_model.CpModel, x: Variables, when: Literal, choices: Choices, other_choices: Choices) -> None:
    """Let two visits make the same choice while a literal holds."""
    for choice in choices.keys() | other_choices.keys():
        model.add(choices.get(choice, 0) == other_choices.get(choice, 0)).only_enforce_if(when)


def _by_provider(model: cp_model.CpModel, x: Variables, key: Key, seat: int) -> Choices:
    """Return, for each provider, the sum of the literals that they fill a seat; nothing where the team has no such seat."""
    fills: dict[str, list[Literal]] = defaultdict(list)
    for taken in x.team(key):
        if taken.option.seat == seat and taken.option.provider is not None:
            fills[taken.option.provider].append(taken.literal)
    return {provider: _sum(literals) for provider, literals in fills.items()}


def group_size(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A group's attendees are candidates, at least its minimum, and no more than its capacity and its room's seats."""
    for task in x.tasks:
        if task.group is not None:
            group, runs = task.group, x.present(task.key)
            attendees = _sum(x.attends(group.id, patient) for patient in x.members(task))
            model.add(attendees >= group.min_attendees * runs)
            model.add(attendees <= group.capacity * runs)
            for kind, literal in x.rooms(task.key).items():
                if kind.seats < group.capacity:
                    model.add(attendees <= kind.seats).only_enforce_if(literal)


def begun(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """What has begun keeps its supervisors and attendees, or is left out (start, place and team: :mod:`solver.state.unary`).

    Its room is decided where the room variables are made.
    """
    for task in x.tasks:
        current = x.domains.get_begun(task)
        if current is None or not x.is_free(task.key):
            continue
        supervising: dict[str, list[Literal]] = {name: [] for name in current.supervisors or ()}
        for taken in x.supervisors(task.key):
            supervising.setdefault(taken.option.provider or "", []).append(taken.literal)
        for name, literals in supervising.items():
            stays = x.present(task.key) if name in (current.supervisors or ()) else 0
            model.add(_sum(literals) == stays)
        for patient in x.members(task):
            attends = isinstance(current, CurrentGroup) and patient in current.attendees
            model.add(x.attends(task.id, patient) == (x.present(task.key) if attends else 0))


def notice(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nobody new attends a session that they hear of too late (when it may be: :mod:`solver.state.unary`)."""
    for task in x.tasks:
        least = None if task.group is None else get_notice_end(scenario)
        if task.group is None or least is None or not x.is_free(task.key):
            continue
        standing = () if task.group.current is None else task.group.current.attendees
        for patient, ((day, _), here) in product(x.members(task), x.places(task.key).items()):
            ahead = scenario.grid.starts(minutes_on(least, scenario.grid.date(day)), MINUTES_PER_DAY, 0)
            if patient not in standing:
                x.starts_within(task.key, day, ahead, [x.attends(task.id, patient), here])


def notification_budget(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """No more notified patients have to be called again than the policy allows."""
    budget = scenario.policy.max_notified_moves
    if budget is None:
        return
    stays: list[Literal] = []
    notified = 0
    for task in x.tasks:
        if task.visit is not None and task.visit.current is not None and task.visit.current.notified:
            notified += 1
            stays.append(x.unchanged(task))
        if task.group is not None and task.group.current is not None and task.group.current.notified:
            notified += len(task.group.current.attendees)
            members = x.members(task)
            stays += [x.attends_as_told(task, p) for p in task.group.current.attendees if p in members]
    model.add(notified - _sum(stays) <= budget - x.notified_elsewhere)


CONSTRAINTS = (
    team,
    shift,
    provider_overlap,
    travel,
    supervision,
    attention,
    daily_limit,
    room,
    closure,
    room_overlap,
    equipment,
    recovery,
    patient_overlap,
    patient_travel,
    patient_available,
    patient_site,
    required_provider,
    link,
    group_size,
    begun,
    notice,
    notification_budget,
)
