"""What each place of the solver that knows rules says of a whole plan: whether it could make it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from support.fixed_model import solve_fixed

from scheduling.check import check
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from scheduling.timegrid import minute_of_day
from solver.bound.master import Master
from solver.coverage import Place
from solver.search.encoding import KernelEncoding
from solver.search.kernel import layout
from solver.search.kernel.insertion import insert
from solver.state.domains import Domains, Option
from solver.state.occupancy import Occupancy
from solver.state.placements import Placement, get_placements
from solver.state.tasks import Key, Task

WORTH = 10**6
"""What leaving out a task costs where it shall come in at any cost."""


class PlannedDomains(Domains):
    """The options of a scenario, of which some tasks have only those that a plan takes."""

    def __init__(self, scenario: Scenario, placements: Mapping[Key, Placement], keys: Collection[Key]) -> None:
        super().__init__(scenario)
        self.placements = placements
        self.keys = keys

    def options_of(self, task: Task) -> tuple[Option, ...]:
        """Return the options that a task's placement takes; none when one of them is not open, or the task has none."""
        options = super().options_of(task)
        if task.key not in self.keys:
            return options
        placement = self.placements.get(task.key)
        return () if placement is None else narrow(options, placement.options(task))


def narrow(options: Collection[Option], wanted: Collection[Option]) -> tuple[Option, ...]:
    """Return options with the starts that are wanted, none unless all that are wanted are among them."""
    narrowed = [
        replace(option, starts=one.starts)
        for one in wanted
        for option in options
        if option.starts & one.starts and replace(option, starts=one.starts) == one
    ]
    return tuple(narrowed) if len(narrowed) == len(wanted) else ()


def is_same(placement: Placement, wanted: Placement, exactly: bool) -> bool:
    """Return whether a placement is at a start and location with a team; ``exactly``: in that room, under those supervisors."""
    is_there = (placement.slot, placement.location, placement.team) == (wanted.slot, wanted.location, wanted.team)
    is_exact = (placement.room, sorted(map(str, placement.supervisors))) == (wanted.room, sorted(map(str, wanted.supervisors)))
    return is_there and (is_exact or not exactly)


def checker_allows(scenario: Scenario, plan: Plan) -> bool:
    """Return whether the checker finds no violation."""
    return not check(scenario, plan).violations


def domain_allows(scenario: Scenario, plan: Plan) -> bool:
    """Return whether every booking takes options that are open, at a start on the grid."""
    placements = get_placements(scenario, plan)
    domains = PlannedDomains(scenario, placements, placements)
    bookings = (*plan.visits, *plan.groups, *plan.holds)
    is_on_grid = all(scenario.grid.on_grid(minute_of_day(booking.start)) for booking in bookings)
    return is_on_grid and all(domains.options_of(domains.by_key[key]) for key in placements)


def constraint_allows(scenario: Scenario, plan: Plan) -> bool:
    """Return whether the exact model, fixed to the plan, has a solution."""
    return solve_fixed(scenario, plan)[0] == "OPTIMAL"


def occupancy_allows(scenario: Scenario, plan: Plan, exactly: bool = False) -> bool:
    """Return whether each task's place is found beside all others."""
    domains, placements = Domains(scenario), get_placements(scenario, plan)
    for key, wanted in placements.items():
        occupancy = Occupancy(domains, {other: placement for other, placement in placements.items() if other != key})
        task = domains.by_key[key]
        places = occupancy.places(task, [wanted.day], 1 << wanted.slot)
        if not any(is_same(place.placement, wanted, exactly) for place in places):
            return False
        if task.group is not None and len(wanted.attendees) > len(occupancy.list_attendees(task, wanted)):
            return False
    return True


def kernel_allows(scenario: Scenario, plan: Plan, exactly: bool = False) -> bool:
    """Return whether the compiled search puts each task that it may move where it is planned, beside all others."""
    placements = get_placements(scenario, plan)
    for key, wanted in placements.items():
        domains = PlannedDomains(scenario, placements, [key])
        if domains.by_key[key].group is not None or not domains.options_of(domains.by_key[key]):
            continue
        others = {other: placement for other, placement in placements.items() if other != key}
        encoding = KernelEncoding(domains, others, 0)
        row, state = encoding.task_rows[key], encoding.state
        encoding.tables.rows[row, layout.WORTH] = WORTH
        if key in encoding.fixed or not insert(encoding.tables, state, row, 0.0, 0.0, -1, -1, 0.0):
            return False
        first = encoding.first_task
        placed = encoding.read(state.now[first : first + len(encoding.task_rows), : layout.SUPERVISOR + 1])
        if not is_same(placed[key], wanted, exactly):
            return False
    return True


def master_allows(scenario: Scenario, plan: Plan) -> bool:
    """Return whether the master's relaxation, with only the plan's options, can leave in all that is planned."""
    placements = get_placements(scenario, plan)
    domains = PlannedDomains(scenario, placements, {task.key for task in Domains(scenario).tasks})
    if not all(domains.options[key] for key in placements):
        return False
    master = Master(domains, pooled=False)
    for key in placements:
        master.program.uppers[master.left_out[key]] = 0
    for group in scenario.groups:
        attendees = plan.groups_by_id[group.id].attendees if group.id in plan.groups_by_id else ()
        if not {candidate.patient for candidate in group.candidates}.issuperset(attendees):
            return False
        for candidate in group.candidates:
            attends = int(candidate.patient in attendees)
            master.program.add_row([master.attends[group.id, candidate.patient]], [1], attends, attends)
    while (relaxation := master.program.solve_relaxation(10)) is not None:
        if not master.program.add_broken_rows(relaxation.values):
            return True
    return False


ALLOWS: Mapping[Place, Callable[[Scenario, Plan], bool]] = {
    "checker": checker_allows,
    "domain": domain_allows,
    "constraint": constraint_allows,
    "occupancy": occupancy_allows,
    "kernel": kernel_allows,
    "master": master_allows,
}
