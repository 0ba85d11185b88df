"""The rules of providers between items: teams, shifts, time, travel, supervision and daily limits."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, product

from ortools.sat.python import cp_model

from scheduling.rules.providers import FULL_ATTENTION
from scheduling.scenario import Scenario
from solver.model.variables import Interval, Literal, OptionLiteral, Variables, sum_literals
from solver.state.domains import ShiftId
from solver.state.tasks import Key, Task


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
            model.add(sum_literals(s.literal for s in supervisors) <= sum_literals(t.literal for t in trainees))


def _same_place(taken: OptionLiteral, other_taken: OptionLiteral) -> bool:
    return (taken.option.day, taken.option.location) == (other_taken.option.day, other_taken.option.location)


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
