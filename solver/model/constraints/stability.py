"""The rules of what people know of already."""

from __future__ import annotations

from itertools import product

from ortools.sat.python import cp_model

from scheduling.requests import CurrentGroup
from scheduling.rules.stability import get_notice_end
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minutes_on
from solver.model.variables import Literal, Variables, sum_literals


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
            model.add(sum_literals(literals) == stays)
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
    model.add(notified - sum_literals(stays) <= budget - x.notified_elsewhere)
