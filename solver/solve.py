"""From a scenario to the best plan that the time allows, with a proven bound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from math import ceil
from threading import Event, Lock

from ortools.sat.python import cp_model

from scheduling.check import check
from scheduling.costs import get_omission_cost
from scheduling.errors import ModelInvalid, RuleBroken
from scheduling.plan import Plan, Reason, Status
from scheduling.scenario import Scenario
from solver.bound.linear import LinearProgram, LinearRelaxation
from solver.bound.master import Master
from solver.change.explain import pin_conflicts, reasons_left_out
from solver.clock import Clock
from solver.limits import Limits, Progress
from solver.model.exact import exact_model
from solver.model.variables import Variables
from solver.search.budget import find_staying, raise_budget, restore_current
from solver.search.construct import construct
from solver.search.improve import Placements, SearchLimits, SubproblemSolver
from solver.search.neighbourhoods import Guide, Neighbourhoods
from solver.search.ruin import STEPS, CoolingSchedule, KernelCompilation, RuinAndRecreate
from solver.state.domains import Domains, ShiftId
from solver.state.occupancy import Occupancy
from solver.state.placements import Placement, count_notified_changes, get_current_placements, get_placements, make_plan
from solver.state.tasks import Key

SMALL_OPTIONS = 2_000
"""Scenarios with no more options than this go to the exact model whole (the tiny example has 566, a week 31,592)."""

EXACT_SHARE = 0.5
"""Share of the time that is left that the exact model has; what it leaves open goes on as a larger scenario does."""

PIN_SECONDS = 3.0
"""Time to find out whether pins can be held together, when the first plan could not."""

STANDING_SECONDS = 3.0
"""Time to find supervisors for all that stands, when a first plan calls more than may be called (0.9 s of a week)."""

NEIGHBOURHOOD_SECONDS = 3.0
GUIDE_WEIGHT = 1000.0
"""Weight of the master's prices beside an option's own cost, in the plan that starts from them."""

ANNEAL_SHARE = 0.92
"""Share of the time that is left that the annealing takes; neighbourhoods have the rest."""

PATIENCE = 2.0
"""Seconds to wait for the master's prices before annealing without them: a week has them in 1.3 s, a month in 35 s."""

MEANWHILE = 0.01
"""Seconds for each task of the annealing without the master's prices."""

EARLY = 0.5
"""Annealing that is no further than this when the master's prices come is forgotten, and starts again from them."""

BOUND_SHARE = 0.5
"""Most of the time left that one worker takes for a better bound."""

TIGHTENINGS = 2
"""How often the relaxation is solved again with rows that it broke: a third time adds 5 points to 19,500 on a week."""

EXPLAIN_SHARE = 0.05
RELAX_SECONDS = 1.0 / 31_592
"""Deterministic seconds that the master's relaxation counts for, for each option (a week has 31,592)."""

NARROW = 0.005
"""A gap as small as this is left to branch and cut at once, and to its end (a week planned again unchanged: 3 s to proof)."""

STEP_SECONDS = 0.0001
"""Deterministic seconds that one ruin and recreation counts for."""

OnProgress = Callable[[Progress], None]


def solve(
    scenario: Scenario,
    limits: Limits,
    start: Plan | None = None,
    on_progress: OnProgress | None = None,
    cancel: Event | None = None,
) -> Plan:
    """Return the best plan found, checked, with a proven lower bound on the cost of every plan.

    Parameters
    ----------
    scenario
        What to plan.
    limits
        Time, workers, seed and gap.
    start
        A plan to start from: whatever of it still stands is kept at first.
    on_progress
        Called with every better cost or bound, from the solving threads.
    cancel
        Set it, from any thread, to get the best plan so far.

    Returns
    -------
    Plan
        ``optimal`` when its cost equals the bound, else ``feasible``; ``unknown`` when the scenario's pins or its
        notification budget cannot be kept: then the visits concerned say so in their reasons.

    Raises
    ------
    RuleBroken
        A rule is broken by what the search made: a defect, never a plan.
    """
    clock = Clock(limits.seconds, limits.deterministic, cancel)
    try:
        return _Solve(scenario, limits, clock, on_progress).run(start)
    finally:
        clock.end()


@dataclass(frozen=True, slots=True)
class Bounding:
    """The master's program and the answer of its relaxation, from which a better bound is sought."""

    program: LinearProgram
    relaxed: LinearRelaxation


Relaxation = tuple[Guide, Mapping[ShiftId, str], Bounding | None]
"""The prices of options, where shifts are best spent, and what a better bound is sought from."""


class _Solve:
    def __init__(self, scenario: Scenario, limits: Limits, clock: Clock, on_progress: OnProgress | None) -> None:
        self.asked = scenario
        self.limits = limits
        self.clock = clock
        self.on_progress = on_progress
        self.conflicts = pin_conflicts(scenario)
        domains = Domains(scenario, without=self.conflicts.keys())
        self.scenario = raise_budget(scenario, domains)
        self._plan_among(find_staying(self.scenario, domains))
        self.lock = Lock()
        self.phase = "first plan"
        self.placements: dict[Key, Placement] = {}
        self.score = (0, 0)
        self.version = 0
        self.start: dict[Key, Placement] = {}
        self.begin: tuple[dict[Key, Placement], tuple[int, int]] | None = None
        self.relaxation: Relaxation | None = None
        self.bound = self._forced()

    def _plan_among(self, stay: Collection[Key]) -> None:
        """Let all but what stays, and what pins forbid, be wherever the rules allow."""
        self.domains = Domains(self.scenario, without=self.conflicts.keys(), staying=stay)
        self.search = SubproblemSolver(self.domains, self.clock)

    def _forced(self) -> int:
        """Return what must be paid for visits that fit nowhere at all."""
        visits = (task.visit for task in self.domains.tasks if not self.domains.options[task.key])
        return sum(get_omission_cost(self.scenario, visit) for visit in visits if visit is not None)

    # --- the state ---------------------------------------------------------------------------------------------------

    @property
    def cost(self) -> int:
        """What the best plan costs."""
        return self.score[1]

    @property
    def keeps_budget(self) -> bool:
        """Whether no more notified patients have to be called again than may be, or must be in any plan."""
        return self.score[0] == 0

    @property
    def options(self) -> int:
        """How many options the tasks have."""
        return sum(map(len, self.domains.options.values()))

    @property
    def is_small(self) -> bool:
        """Whether the exact model may hold everything."""
        return self.options <= SMALL_OPTIONS

    def _over_budget(self, placements: Mapping[Key, Placement]) -> int:
        budget = self.scenario.policy.max_notified_moves
        if budget is None:
            return 0
        changes = (count_notified_changes(self.domains, task, placements.get(task.key)) for task in self.domains.tasks)
        return max(0, sum(changes) - budget)

    def offer(self, placements: Mapping[Key, Placement], base: int | None = None, freed: Sequence[Key] = ()) -> bool:
        """Take placements that are no worse than the best; return whether they were better.

        Placements of ``freed`` that were found beside an older version ``base`` are carried over to the present one.
        """
        with self.lock:
            if base is not None and base != self.version:
                merged = {key: p for key, p in self.placements.items() if key not in freed}
                placements = merged | {key: placements[key] for key in freed if key in placements}
                if check(self.scenario, make_plan(self.domains, placements)).violations:
                    return False
            score = (self._over_budget(placements), make_plan(self.domains, placements).cost)
            if self.version and score > self.score:
                return False
            better = self.version == 0 or score < self.score
            self.placements, self.score = dict(placements), score
            self.version += 1
        if better:
            self.tell()
        return better

    def raise_bound(self, bound: float | None) -> None:
        """Take a better bound."""
        if bound is not None and ceil(bound - 1e-6) > self.bound:
            self.bound = ceil(bound - 1e-6)
            self.tell()

    def tell(self) -> None:
        """Report where the search stands."""
        if self.on_progress is not None:
            self.on_progress(Progress(self.clock.elapsed, self.cost, min(self.bound, self.cost), self.phase))

    @property
    def done(self) -> bool:
        """Whether time is over, or the plan good enough."""
        return self.clock.over or (self.keeps_budget and self.cost - self.bound <= self.limits.gap * self.cost)

    def _exists(self, placement: Placement) -> bool:
        """Return whether everybody of a placement is still on a shift."""
        return all(shift.number >= 0 for shift in (*placement.team, *placement.supervisors))

    # --- the phases --------------------------------------------------------------------------------------------------

    def run(self, start: Plan | None) -> Plan:
        known = get_current_placements(self.scenario) if start is None else get_placements(self.scenario, start)
        self.start = {key: placement for key, placement in known.items() if self._exists(placement)}
        if self.start and not check(self.scenario, make_plan(self.domains, self.start)).violations:
            self.offer(self.start)
            self.begin = (self.placements, self.score)
        self.offer(self._first_plan())
        if not self.keeps_budget:
            told = restore_current(
                self.domains, self.search, SearchLimits(STANDING_SECONDS, self.limits.workers, self.limits.seed)
            )
            self._plan_among(self.domains.staying & told.keys())
            self.offer(construct(self.domains, told))
        if not self.done:
            if self.is_small:
                self.relaxation = self._relax()
                if not self.done:
                    self._exactly()
            if not self.done:
                self._by_master()
        return self._finish()

    def _first_plan(self) -> dict[Key, Placement]:
        """Construct a plan that holds every pin; give up those that no plan can hold beside the others."""
        placements = construct(self.domains, self.start)
        pinned = [t for t in self.domains.tasks if t.visit is not None and t.visit.pinned and t.key not in self.conflicts]
        missing = [task.key for task in pinned if task.key not in placements]
        if not missing:
            return placements
        needed = {step.key for task in pinned for step in Occupancy(self.domains).chain(task)}
        effort = SearchLimits(PIN_SECONDS, self.limits.workers, self.limits.seed)
        held = self.search.solve({}, {key: self.domains.options[key] for key in sorted(needed)}, effort).placements
        if held is not None:
            return construct(self.domains, held)
        reason = Reason(rule="pinned", detail="the pin leaves no plan beside the other pins and what they ask for")
        self.conflicts |= {key: (reason,) for key in missing}
        self._plan_among(self.domains.staying)
        return construct(self.domains, self.start)

    def _exactly(self) -> None:
        """Solve everything in one exact model."""
        self.phase = "exact"
        model, x = exact_model(self.domains)
        x.hint(self.placements)
        solver = SearchLimits(self.clock.left * EXACT_SHARE, self.limits.workers, self.limits.seed).solver(self.clock)
        solver.parameters.subsolvers.clear()
        with self.clock.running(solver):
            status = solver.solve(model, _Incumbents(self, x))
        if self.clock.deterministic:
            self.clock.spend(solver.response_proto.deterministic_time)
        if status == cp_model.MODEL_INVALID:
            raise ModelInvalid(model.validate())
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self.offer(x.extract(solver))
            self.raise_bound(solver.best_objective_bound)

    def _by_master(self) -> None:
        """Bound by the master problem; anneal from a plan at its prices, all workers along one cooling; then neighbourhoods.

        The first helper joins when the bound is as good as it gets. A kernel that is not compiled yet is waited for with
        neighbourhoods, which need none.
        """
        compilation, alone = KernelCompilation(), self.limits.workers == 1 or self.clock.deterministic
        with ThreadPoolExecutor(max(1, self.limits.workers - 1)) as pool:
            relaxing = pool.submit(self._relaxed)
            meanwhile = CoolingSchedule(self.clock, min(MEANWHILE * len(self.domains.tasks), self.clock.left * ANNEAL_SHARE))
            guided: Placements | None = None
            if not alone and not wait([relaxing], PATIENCE).done and compilation.is_done:
                self._anneal(meanwhile, 0, lambda: relaxing.done() and meanwhile.share < EARLY)
            guide, shift_at, bounding = relaxing.result()
            if guide and meanwhile.share < 1 and not self.done:
                self.phase = "prices"
                stay = {key: placement for key, placement in self.placements.items() if key in self.domains.staying}
                guided = construct(self.domains, stay, shift_at, guide, GUIDE_WEIGHT)
                self.offer(guided)
            tightening = pool.submit(self._tighten, bounding) if bounding is not None and self.limits.workers > 1 else None
            if not compilation.is_done and not self.clock.deterministic:
                self._neighbourhoods(guide, 0, lambda: compilation.is_done)
            annealing = CoolingSchedule(self.clock, self.clock.left * ANNEAL_SHARE)
            helpers = [pool.submit(self._work, annealing, guide, n) for n in range(1, self.limits.workers)]
            self._work(annealing, guide, 0, guided)
            for future in [*helpers, *([tightening] if tightening else [])]:
                future.result()

    def _work(self, annealing: CoolingSchedule, guide: Guide, index: int, begin: Placements | None = None) -> None:
        self._anneal(annealing, index, begin=begin)
        self.phase = "neighbourhoods"
        self._neighbourhoods(guide, index)

    def _relaxed(self) -> Relaxation:
        """Return the answer of the master's relaxation, solved once."""
        return self._relax() if self.relaxation is None else self.relaxation

    def _relax(self) -> Relaxation:
        """Solve the master's relaxation."""
        master = Master(self.domains)
        relaxed = master.program.solve_relaxation(1e6 if self.clock.deterministic else self.clock.left)
        if self.clock.deterministic:
            self.clock.spend(RELAX_SECONDS * self.options)
        if relaxed is None:
            return {}, {}, None
        self.raise_bound(relaxed.bound)
        best: dict[ShiftId, tuple[float, str]] = {}
        for (shift, location), column in master.shift_at.items():
            value = float(relaxed.values[column])
            if value > best.get(shift, (-1.0, ""))[0]:
                best[shift] = (value, location)
        guide = master.guide(relaxed.reduced_costs)
        return guide, {shift: at for shift, (_, at) in best.items()}, Bounding(master.program, relaxed)

    def _tighten(self, bounding: Bounding) -> None:
        """Raise the bound: by rows that the relaxation broke, then by cuts."""
        ends = self.clock.left * (1 - BOUND_SHARE)
        program, relaxed = bounding.program, bounding.relaxed
        narrow = self.is_small or self.cost - self.bound <= NARROW * self.cost
        for _ in range(0 if narrow else TIGHTENINGS):
            if self.done or self.clock.deterministic or not program.add_broken_rows(relaxed.values):
                break
            again = program.solve_relaxation(self.clock.left - ends)
            if again is None:
                return
            relaxed = again
            self.raise_bound(relaxed.bound)
        seconds = self.clock.left - ends
        if not self.done and not self.clock.deterministic and seconds > 1:
            self.raise_bound(program.branch_and_cut(seconds, nodes=None if narrow else 1))

    def _anneal(
        self,
        annealing: CoolingSchedule,
        index: int,
        enough: Callable[[], bool] = lambda: False,
        begin: Placements | None = None,
    ) -> None:
        """Ruin and recreate, as warm as the annealing is now, from a plan or else from the best.

        A plan at the master's prices that calls too many patients may still lead to a better one than the best does.
        """
        if self.done:
            return
        self.phase = "ruin and recreate"
        with self.lock:
            placements = self.placements if begin is None else begin
        ruin = RuinAndRecreate(self.domains, placements, self.limits.seed * 64 + index)

        def temperature() -> float:
            if self.clock.deterministic:
                self.clock.spend(STEP_SECONDS * STEPS)
            return 0.0 if self.done or annealing.share >= 1 or enough() else annealing.temperature

        ruin.run(temperature, self.offer)

    def _neighbourhoods(self, guide: Guide, index: int, enough: Callable[[], bool] = lambda: False) -> None:
        choose = Neighbourhoods(self.domains, guide, self.limits.seed * 64 + index)
        turn = 0
        while not self.done and not enough():
            turn += 1
            with self.lock:
                base, placements = self.version, self.placements
            freed = choose.next(placements)
            effort = SearchLimits(max(0.1, min(NEIGHBOURHOOD_SECONDS, self.clock.left)), 1, self.limits.seed + turn)
            answer = self.search.solve(placements, freed, effort)
            choose.learn(answer.optimal, answer.seconds)
            if answer.placements is not None:
                self.offer(answer.placements, base, list(freed))

    # --- the end -----------------------------------------------------------------------------------------------------

    def _finish(self) -> Plan:
        self.phase = "reasons"
        if self.begin is not None and self.begin[1] == self.score:
            self.placements = self.begin[0]
        impossible = bool(self.conflicts) or not self.keeps_budget or self.scenario is not self.asked
        bound = None if impossible else min(self.bound, self.cost)
        status: Status = "unknown" if impossible else "optimal" if bound == self.cost else "feasible"
        seconds = min(10.0, max(1.0, self.limits.seconds * EXPLAIN_SHARE))
        reasons: dict[str, Sequence[Reason]] = {key[1]: list(found) for key, found in self.conflicts.items()}
        reasons |= reasons_left_out(self.domains, self.placements, self.clock.deterministic, seconds, skip=reasons)
        plan = make_plan(self.domains, self.placements, status, bound, reasons)
        excused = {("pinned", key[1]) for key in self.conflicts}
        for violation in check(self.asked, plan).violations:
            known = (violation.rule, violation.ids[0]) in excused
            if not known and not (impossible and violation.rule == "notification-budget"):
                raise RuleBroken(violation.rule, violation.ids, violation.detail)
        return plan


class _Incumbents(cp_model.CpSolverSolutionCallback):
    """Take over the solutions of the exact model as they are found."""

    def __init__(self, solving: _Solve, x: Variables) -> None:
        super().__init__()
        self.solving = solving
        self.x = x

    def on_solution_callback(self) -> None:
        self.solving.offer(self.x.extract(self))
        self.solving.raise_bound(self.best_objective_bound)
        if self.solving.done:
            self.stop_search()
