"""A week of the service's store, planned here and now, with progress."""

from __future__ import annotations

from datetime import datetime

from api.cli.commands.accounts import opened
from api.cli.console import ExitCode, end_command, err, print_json, say, show
from api.cli.progress import solve_with_progress
from api.reports.documents import plan_summary
from api.reports.summary import pins_conflict, plan_tables
from scheduling.fields import format_stamp
from scheduling.plan import Plan
from scheduling.scenario import Scenario


def plan_week(
    week: str, seconds: float, workers: int, seed: int, gap: float, now: datetime | None, as_json: bool = False
) -> None:
    """Plan a week as the service's workers do, and keep the plan in the store; it is published by its own command.

    Raises
    ------
    UnknownId
        When there is no such week.
    """
    from api.services.accounts.accounts import SYSTEM
    from api.services.weeks.planning import PlanRequest, prepare_plan, request_plan
    from api.simulation.desk import AtOnce
    from api.store.queries import jobs
    from solver import Limits

    limits = Limits(seconds=seconds, workers=workers, seed=seed, gap=gap)
    wanted = PlanRequest(week, limits, now)
    with opened() as context:
        present = context.clock()
        with context.database.reading() as session:
            made_of = prepare_plan(session, wanted, present)
        with context.database.writing() as session:
            job = request_plan(session, AtOnce(context.clock), SYSTEM, wanted, made_of, context.clock())
            identifier, epoch = job.id, job.epoch
        try:
            made = solve_with_progress(made_of.scenario, limits, made_of.standing, err())
        except BaseException:
            with context.database.writing() as session:
                jobs.cancel_job(session, identifier, context.clock())
            raise
        with context.database.writing() as session:
            kept = jobs.finish_job(session, identifier, epoch, made, context.clock())
    if not kept:
        raise end_command(ExitCode.BAD_INPUT, f"Error: plan {identifier} was called off meanwhile; nothing of it is kept.")
    if as_json:
        print_json({"plan": identifier, **plan_summary(made_of.scenario, made)})
    else:
        show(*plan_tables(made_of.scenario, made))
        _note_past_visits(made_of.scenario, made, present)
        say(f"Kept as {identifier}. Publish it: clinicweave publish {week}")
    if made.status == "unknown":
        raise end_command(ExitCode.PINS_CONFLICT, pins_conflict(made_of.scenario, made))


def _note_past_visits(asked: Scenario, made: Plan, present: datetime) -> None:
    """Say which visits are new to a plan, and would begin before an instant."""
    now = asked.grid.wall(present)
    late = [visit.visit for visit in made.visits if visit.start < now and asked.visits_by_id[visit.visit].current is None]
    if late:
        begun = f"of the new visits {len(late)} would have begun already, like {late[0]}"
        say(f"Note: {begun}; plan from now: --now {format_stamp(now)}")
