"""The command ``clinicweave``: all its commands, and what every one of them shares."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from api.cli.commands.accounts import account_app
from api.cli.commands.cataloguing import show_catalogue
from api.cli.commands.changing import backfill, diff, insert, offer, what_if
from api.cli.commands.clients import client_app
from api.cli.commands.desk import arrive, book, cancel, list_appointments, move, publish, scenario_app
from api.cli.commands.disrupting import away, close, open_shift
from api.cli.commands.episodes import episode_app
from api.cli.commands.intake import intake_app
from api.cli.commands.keeping import audit_app, backup, restore
from api.cli.commands.mailing import mail_app
from api.cli.commands.outside import outside_app
from api.cli.commands.own_clinic import convert, init
from api.cli.commands.partners import hl7_app, partner_app
from api.cli.commands.patients import patient_app
from api.cli.commands.planning import check, demo, generate, plan, why
from api.cli.commands.serving import caldav, serve
from api.cli.commands.showing import export, schema, show_plan
from api.cli.commands.simulating import simulate
from api.cli.commands.weeks import next_week, outlook, roster
from api.cli.commands.working import worker
from api.cli.console import Commands
from api.runtime.settings import expect_known_variables

EXIT_CODES = """[bold]Exit codes[/bold]

0  fine

1  a rule is broken, or a plan states a wrong cost

2  a bad file or argument

3  the pins cannot be kept together with the rules

4  a defect of Clinicweave

5  no place was found for a visit to offer or insert

130  interrupted before any plan"""

app = typer.Typer(
    cls=Commands,
    name="clinicweave",
    help="Plan a clinic's appointments and group workshops: no rule broken, and a proof of how good the plan is.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


COMMANDS = (
    (demo, "demo --size tiny --seconds 5"),
    (init, "init my-clinic --name 'Two Rooms' --sites Main"),
    (generate, "generate week --seed 7 -o week.json"),
    (plan, "plan week.json -o week.plan.json --seconds 30 --gap 0.01"),
    (check, "check week.json week.plan.json"),
    (convert, "convert my-clinic/clinic.xlsx clinic.json"),
    (why, "why week.json week.plan.json visit-0042 --seconds 20"),
    (show_plan, "show week.json week.plan.json --day wed --by room"),
    (export, "export week.json week.plan.json --all -o calendars"),
    (offer, "offer week.json week.plan.json visit.json --now 2026-12-01T10:40"),
    (insert, "insert week.json week.plan.json visit.json -o new.plan.json"),
    (backfill, "backfill week.json week.plan.json --count 10"),
    (diff, "diff week.json week.plan.json new.plan.json"),
    (what_if, "what-if week.json week.plan.json --away physician-1:2026-12-01:2026-12-02"),
    (show_catalogue, "catalogue --json"),
    (simulate, "simulate --weeks 26 --seed 1 -o months"),
    (schema, "schema plan > plan.schema.json"),
    (publish, "publish week-2026-11-30"),
    (book, "book visit-0181 2026-12-01T09:00 --with physician-1"),
    (move, "move visit-0181 2026-12-02T10:30"),
    (cancel, "cancel visit-0181"),
    (arrive, "arrive visit-0181"),
    (list_appointments, "list week-2026-11-30 --day tue --provider physician-1"),
    (roster, "roster next-month.json"),
    (away, "away physician-1:2026-12-02:2026-12-03 --reason ill"),
    (close, "close wang-exam-1:2026-12-02T08:00:2026-12-02T12:00"),
    (open_shift, "open physician-1:2026-12-02T13:00:2026-12-02T17:00:wang"),
    (next_week, "next-week --dry-run"),
    (outlook, "outlook --weeks 12"),
    (serve, "serve --port 8000"),
    (worker, "worker --at-once 2"),
    (caldav, "caldav --port 5232"),
    (backup, "backup clinic.backup"),
    (restore, "restore clinic.backup"),
)
"""Every command, in the order of the help, with an example that begins with its name."""

for command, example in COMMANDS:
    app.command(example.split()[0], epilog=f"Example: clinicweave {example}")(command)
app.add_typer(scenario_app, name="scenario")
app.add_typer(intake_app, name="intake")
app.add_typer(episode_app, name="episode")
app.add_typer(patient_app, name="patient")
app.add_typer(account_app, name="account")
app.add_typer(client_app, name="client")
app.add_typer(audit_app, name="audit")
app.add_typer(mail_app, name="mail")
app.add_typer(outside_app, name="outside")
app.add_typer(hl7_app, name="hl7")
app.add_typer(partner_app, name="partner")


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"clinicweave {version('clinicweave')}")
        except PackageNotFoundError:
            typer.echo("clinicweave (not installed)")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Take the options that stand before a command."""
    expect_known_variables()
