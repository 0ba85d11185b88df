"""Offers and inserts on a published week: times, how many find a place, and whether an exact search finds more.

Run it in the project's environment, never as a part of the test suite::

    python tests/benchmarks/bench_offers.py [SCENARIO] [--plan PLAN] [--visits 200] [--sample 20] [--seed 0]

A SCENARIO is a scenario file, or ``week`` (the default) or another size of ``clinicweave generate``, with seed 0. Without a
PLAN it is planned first, for 20 s with 2 workers. Then it is published, and random extra visits are asked for, each alone
and each at a random minute of the week: three in four of a random service of those that the week has, with a random
priority and random dates, one in four a same-day cancer consult of that minute's day. Seconds count from the call of the
library, the plan being loaded, to its checked answer.

Of ``sample`` visits, an exact search (:func:`beside`) looks for a place while nothing else changes. The exit code is 1 when an
answer breaks a rule or states a wrong cost, or when the exact search finds a place and the offers none that moves nobody.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from bench_plans import faults_of, machine, scenario_of
from ortools.sat.python import cp_model

from scheduling.additions import Addition
from scheduling.check import check
from scheduling.plan import Plan
from scheduling.publishing import publish, upcoming
from scheduling.requests import Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver import Limits, OfferResult, find_offers, insert_visits, solve
from solver.model.exact import exact_model
from solver.state.domains import Domains
from solver.state.placements import get_placements

T = TypeVar("T")

PLAN_SECONDS = 20.0
OPENS, CLOSES = 7 * 60, 16 * 60
"""Minutes of the day between which referrals come."""


@dataclass(frozen=True)
class Call:
    """A visit that is asked for, and the published week at that minute with its plan."""

    scenario: Scenario
    plan: Plan
    visit: Visit


@dataclass
class Tally:
    """The seconds of the calls of one kind, and what came of them."""

    name: str
    seconds: list[float]
    still: int = 0
    moving: int = 0
    none: int = 0

    def row(self) -> str:
        """Write one line of the table."""
        ordered = sorted(self.seconds)
        times = [ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))] for share in (0.5, 0.95, 1.0)]
        cells = [self.name, str(len(ordered)), *(f"{seconds:.2f} s" for seconds in times)]
        return f"| {' | '.join([*cells, str(self.still), str(self.moving), str(self.none)])} |"


def sum_of(*tallies: Tally) -> Tally:
    """Return the tally of several kinds of calls together."""
    seconds = [second for tally in tallies for second in tally.seconds]
    counts = ([tally.still for tally in tallies], [tally.moving for tally in tallies], [tally.none for tally in tallies])
    return Tally(f"{tallies[0].name.partition(',')[0]}, all", seconds, *map(sum, counts))


def calls(week: Scenario, plan: Plan, number: int, seed: int) -> Iterator[Call]:
    """Yield random calls, every fourth a same-day cancer consult."""
    random = Random(seed)
    dates = [day for day in week.grid.dates() if any(booking.start.date() == day for booking in plan.visits)]
    consults = [visit for visit in week.visits if visit.same_day]
    services = sorted({visit.service: visit for visit in week.visits if not visit.same_day}.items())
    for index in range(number):
        day, minute = random.choice(dates), random.randrange(OPENS, CLOSES)
        now = publish(week, plan, stamp(day, minute))
        like = random.choice(consults) if index % 4 == 3 else random.choice(services)[1]
        fields = {"id": f"extra-{index}", "patient": random.choice(week.patients).id, "pinned": None, "current": None}
        if not like.same_day:
            earliest = min(day + timedelta(days=random.randrange(3)), dates[-1])
            fields |= {"priority": random.choice(("routine", "soon", "urgent")), "target": earliest + timedelta(days=2)}
            fields |= {"preferred_providers": (), "required_provider": None, "deadline": None}
        else:
            earliest = day
            fields |= {"target": day, "deadline": day}
        yield Call(now, upcoming(now, plan), like.changed(earliest=earliest, **fields))


def timed(tally: Tally, function: Callable[[], T]) -> T:
    """Call the library and note the time."""
    begun = time.perf_counter()
    answer = function()
    tally.seconds.append(time.perf_counter() - begun)
    return answer


def beside(call: Call) -> bool:
    """Return whether the exact model has a place for a visit while everything else stays; nothing is cut from its options."""
    grown = Addition(visits=(call.visit,)).add_to(call.scenario)
    domains = Domains(grown)
    key = ("visit", call.visit.id)
    options = {key: domains.options_for(key)}
    days = {option.day for option in options[key]}
    placements = get_placements(grown, call.plan)
    near = {k: p for k, p in placements.items() if p.day in days or domains.by_key[k].patient == call.visit.patient}
    model, x = exact_model(domains, options, near)
    model.add(x.present(key) == 1)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    return bool(options[key]) and solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)


def still(found: OfferResult) -> bool:
    """Return whether there is an offer that moves nobody."""
    return bool(found.offers) and not found.offers[0].harm


def ask(call: Call, tallies: Sequence[Tally]) -> tuple[OfferResult, list[str]]:
    """Ask for offers and for an insert; return the offers, and every fault."""
    addition = Addition(visits=(call.visit,))
    found = timed(tallies[0], lambda: find_offers(call.scenario, call.plan, addition))
    grown, plan = timed(tallies[1], lambda: insert_visits(call.scenario, call.plan, addition))
    faults = [fault for offer in found.offers for fault in faults_of(found.scenario, offer.plan)]
    faults += faults_of(grown, plan)
    before = check(call.scenario, call.plan).cost
    faults += ["states a wrong added cost" for offer in found.offers if offer.cost != offer.plan.cost - before]
    if not found.offers and not found.reasons:
        faults.append("has neither offers nor reasons")
    for tally in tallies:
        tally.still += still(found)
        tally.moving += bool(found.offers) and not still(found)
        tally.none += not found.offers
    return found, [f"{call.visit.id} ({call.visit.service}): {fault}" for fault in faults]


def measured(week: Scenario, plan: Plan, visits: int = 200, sample: int = 20, seed: int = 0) -> list[str]:
    """Ask for visits on a week with its plan, print the table, and return every fault."""
    tallies = {kind: [Tally(f"{name}, {kind}", []) for name in ("offers", "insert")] for kind in ("any service", "same-day")}
    asked = list(calls(week, plan, visits, seed))
    sampled = set(Random(seed).sample(range(len(asked)), min(sample, len(asked))))
    faults, exact, agreed = [], 0, 0
    for index, call in enumerate(asked):
        found, wrong = ask(call, tallies["same-day" if call.visit.same_day else "any service"])
        faults += wrong
        if index in sampled and beside(call):
            exact, agreed = exact + 1, agreed + still(found)
    print(f"{machine()}; a plan of cost {plan.cost:,}, seed {seed}.\n")
    print("| calls | number | p50 | p95 | max | nobody moves | somebody moves | no place |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for first, *rest in zip(*tallies.values(), strict=True):
        for tally in (first, *rest, sum_of(first, *rest)):
            print(tally.row())
    print(f"\nOf {len(sampled)} calls, exact search places {exact} beside what stands; offers place {agreed} of these so.")
    if agreed < exact:
        faults.append("offers miss a place that moves nobody")
    return faults


def main() -> int:
    """Run everything, print the table and name every fault; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure offers and inserts on a published week.")
    parser.add_argument("scenario", nargs="?", default="week", help="a file, or one of tiny, week, month")
    parser.add_argument("--plan", type=Path, help="the plan of the scenario")
    parser.add_argument("--visits", type=int, default=200)
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    week = scenario_of(given.scenario)
    plan = Plan.read(given.plan, week) if given.plan else solve(week, Limits(seconds=PLAN_SECONDS, workers=2))
    faults = measured(week, plan, given.visits, given.sample, given.seed)
    for fault in faults:
        print(f"\n{fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
