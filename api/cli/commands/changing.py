"""A week that changes: comparing plans, trying what would happen, inserting visits and using freed time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from api.cli.console import ExitCode, end_command, err, print_json, say, show
from api.cli.files import read_scenario
from api.cli.options import (
    AsJson,
    Now,
    Output,
    PlanFile,
    ScenarioFile,
    Seconds,
    Seed,
    Workers,
    answered_scenario,
    expect_writable,
)
from api.cli.progress import solve_with_progress
from api.reports.calendar_files import take_over_uids
from api.reports.changes import beside, comparison_tables, moves_document, proposal_tables, proposals_document
from api.reports.documents import plan_summary
from api.reports.summary import pins_conflict, reasons_table
from scheduling.additions import Addition
from scheduling.comparison import compare
from scheduling.disruptions import (
    Disruption,
    apply_disruptions,
    parse_absence,
    parse_closure,
    parse_extra_shift,
)
from scheduling.plan import Plan, Unscheduled
from scheduling.publishing import publish, read_before, rebase, upcoming
from scheduling.scenario import Scenario

SecondPlan = Annotated[Path, typer.Argument(metavar="PLAN2", help="The plan to compare with it.", show_default=False)]

VisitFile = Annotated[Path, typer.Argument(metavar="VISIT.json", help="The visit, or visits.", show_default=False)]
Count = Annotated[int, typer.Option("--count", "-n", min=1, max=100, help="How many at most.")]

CLOSE = "ROOM:FROM:TO, or LOCATION:FROM:TO: takes nothing. FROM and TO like 2026-12-01T13:00, or a date: the whole day."
AWAY = "PROVIDER:FROM:TO: is not there. FROM and TO as with --close."
OPEN = "PROVIDER:FROM:TO:LOCATION[,LOCATION...]: an extra shift within a day. FROM and TO like 2026-12-01T13:00."


def diff(
    scenario: ScenarioFile,
    plan: PlanFile,
    plan2: SecondPlan,
    to_scenario: Annotated[
        Path | None,
        typer.Option("--to-scenario", help="The scenario that PLAN2 answers, if another.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two plans: changes, calls and cost.

    Moved means another start, location or team. Whom to call: patients who have been told, as the scenario's current
    bookings say, of something else than PLAN2 has for them; when it has none, all of PLAN have been told. What is alike in
    both plans never appears.
    """
    asked = read_scenario(scenario)
    before = Plan.read(plan, asked)
    other = asked if to_scenario is None else read_scenario(to_scenario)
    comparison = compare(asked, before, Plan.read(plan2, other), other)
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        show(*comparison_tables(comparison))


def what_if(
    scenario: ScenarioFile,
    plan: PlanFile,
    close: Annotated[list[str] | None, typer.Option("--close", help=CLOSE, show_default=False)] = None,
    away: Annotated[list[str] | None, typer.Option("--away", help=AWAY, show_default=False)] = None,
    extra: Annotated[list[str] | None, typer.Option("--open", help=OPEN, show_default=False)] = None,
    now: Now = None,
    output: Output = None,
    seconds: Seconds = 30.0,
    workers: Workers = 2,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Try a closed room, an absence or an extra shift.

    Plans again from PLAN, which everybody in it is taken to have been told of, and shows both plans beside each other, and
    why each move is made. Options may be repeated. From --now on nothing of the past changes, and what is imminent stays
    or is left out. Writes nothing but, with --output, the plan that it came to, and the scenario that this answers
    (NEW.scenario.json beside NEW.json).
    """
    for file in () if output is None else (output, answered_scenario(output)):
        expect_writable(file)
    asked = read_scenario(scenario)
    stands = publish(asked, given := Plan.read(plan, asked), now)
    upset = apply_disruptions(stands, _disturbances(close or (), away or (), extra or ()))
    before = upcoming(stands, rebase(given, stands))
    from solver import Limits, explain_moves

    made = solve_with_progress(upset, Limits(seconds=seconds, workers=workers, seed=seed), rebase(before, upset), err())
    with err().status("trying what would keep each of them in its place ..."):
        why = () if made.status == "unknown" else explain_moves(upset, made)
    comparison = compare(stands, before, made, upset)
    if output is not None and made.status != "unknown":
        upset.write(answered_scenario(output))
        made.write(output)
        take_over_uids(plan, output)
        say(f"Wrote {output} and {answered_scenario(output)}.")
    if as_json:
        plans = {"before": plan_summary(stands, before), "after": plan_summary(upset, made)}
        print_json({**plans, "comparison": comparison.model_dump(mode="json"), "moves": moves_document(why)})
    else:
        show(*comparison_tables(comparison, why), Text(), beside(stands, before, upset, made))
    if made.status == "unknown":
        raise end_command(ExitCode.PINS_CONFLICT, pins_conflict(upset, made))


def _disturbances(close: Iterable[str], away: Iterable[str], extra: Iterable[str]) -> list[Disruption]:
    readers: tuple[tuple[Iterable[str], Callable[[str], Disruption]], ...] = (
        (close, parse_closure),
        (away, parse_absence),
        (extra, parse_extra_shift),
    )
    return [read(text) for texts, read in readers for text in texts]


# --- one more visit --------------------------------------------------------------------------------------------------


def offer(
    scenario: ScenarioFile,
    plan: PlanFile,
    visit: VisitFile,
    count: Count = 5,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Offer places for one more visit, or several together.

    Best first: those for which nobody else moves, then those with the fewest people to call, then by cost. VISIT.json holds
    one visit as scenarios do, or visits, links and patients. With --now everybody in PLAN has been told of it. Exit code 5
    when there is no place; then it says why.
    """
    asked, given, added = _present_with(scenario, plan, visit, now)
    from solver import find_offers

    offers = find_offers(asked, given, added, count)
    if as_json:
        reasons = [left.model_dump(mode="json") for left in offers.reasons]
        print_json({"offers": proposals_document(offers.offers), "reasons": reasons})
    elif offers.offers:
        show(*proposal_tables("Offers", offers.offers))
    if not offers.offers:
        raise _nowhere(added.add_to(asked), offers.reasons, as_json)


def insert(
    scenario: ScenarioFile,
    plan: PlanFile,
    visit: VisitFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The plan to write.", show_default=False)],
    scenario_out: Annotated[
        Path | None,
        typer.Option("--scenario-out", help="The scenario to write that it answers; if not given, named after the plan."),
    ] = None,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Insert one more visit, or several together.

    Takes the best place, and says what changes. Writes the plan, and the scenario with the visit (NEW.scenario.json beside
    NEW.json). With --now everybody in PLAN has been told of it. When there is no place, it says why, writes nothing, and ends
    with exit code 5.
    """
    asked, given, added = _present_with(scenario, plan, visit, now)
    grown_file = answered_scenario(output) if scenario_out is None else scenario_out
    for file in (output, grown_file):
        expect_writable(file)
    from solver import insert_visits

    grown, made = insert_visits(asked, given, added)
    new = {visit.id for visit in added.visits}
    left = [missing for missing in made.unscheduled if missing.visit in new]
    if left:
        print_json({"inserted": False, "reasons": [missing.model_dump(mode="json") for missing in left]}) if as_json else None
        raise _nowhere(grown, left, as_json)
    grown.write(grown_file)
    made.write(output)
    take_over_uids(plan, output)
    comparison = compare(asked, upcoming(asked, given), made, grown)
    if as_json:
        files = {"plan": str(output), "scenario": str(grown_file)}
        print_json({"inserted": True, "files": files, "comparison": comparison.model_dump(mode="json")})
    else:
        say(f"Wrote {output} and {grown_file}.")
        show(*comparison_tables(comparison))


def backfill(
    scenario: ScenarioFile,
    plan: PlanFile,
    visit: Annotated[
        str | None,
        typer.Option("--cancelled", metavar="VISIT", help="A visit that is cancelled: only its time.", show_default=False),
    ] = None,
    count: Count = 5,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Tell which waiting visits would best use free time.

    Waiting are those left out, and those later than their target. Ranked by what is saved, each with a place that is free.
    With --now everybody in PLAN has been told of it.
    """
    asked, given = _present(scenario, plan, now)
    from solver import cancel_visit, find_backfills

    freed = None if visit is None else given.visits_by_id.get(asked.visit(visit).id)
    if visit is not None:
        asked, given = cancel_visit(asked, given, visit)
    backfills = find_backfills(asked, given, count, freed)
    if as_json:
        print_json({"backfills": proposals_document(backfills)})
    else:
        show(*(proposal_tables("Backfill", backfills) if backfills else ["Nobody who waits would fit into the free time."]))


def _present(scenario: Path, plan: Path, now: datetime | None) -> tuple[Scenario, Plan]:
    """Read a scenario and its plan; given the moment, as it is once the plan is published."""
    asked = read_scenario(scenario)
    given = Plan.read(plan, asked)
    return (asked if now is None else publish(asked, given, now)), given


def _present_with(scenario: Path, plan: Path, visit: Path, now: datetime | None) -> tuple[Scenario, Plan, Addition]:
    """Read a scenario, its plan, which may leave out what is to be added, and that; as they are at the moment, if given."""
    asked = read_scenario(scenario)
    added = Addition.read(visit, asked)
    given = read_before(plan, asked, added)
    return (asked if now is None else publish(asked, given, now)), given, added


def _nowhere(scenario: Scenario, left: Iterable[Unscheduled], as_json: bool) -> typer.Exit:
    """Show why there is no place, unless it is written already, and return what ends the command."""
    if not as_json:
        show(*(reasons_table(scenario, visit.visit, visit.reasons) for visit in left))
    return end_command(ExitCode.NO_PLACE)
