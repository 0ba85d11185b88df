"""Taking in what patients are referred for: one at a time, or a spreadsheet of many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from api.cli.commands.accounts import opened
from api.cli.console import Commands, ExitCode, end_command, print_json, say, show
from api.cli.options import AsJson, expect_writable
from scheduling.errors import Fault, InvalidFile
from scheduling.files import read_bounded

if TYPE_CHECKING:
    from api.context import AppContext
    from api.services.intake.reception import IntakeResult
    from api.services.intake.request_forms import AcceptedRequest, IntakeReview
    from api.services.intake.same_day import SameDayDecision
    from api.spreadsheets.referral_sheets import ReferralSheet

intake_app = typer.Typer(cls=Commands, help="Take in what patients are referred for.", no_args_is_help=True)

Text = Annotated[str | None, typer.Option(show_default=False)]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", show_default=False)]


@intake_app.command("template", epilog="Example: clinicweave intake template -o referrals.xlsx")
def template(
    output: Annotated[Path, typer.Option("--output", "-o", help="A .xlsx file, or .csv.")] = Path("referrals.xlsx"),
    as_json: AsJson = False,
) -> None:
    """Write a spreadsheet with an example for each kind of referral, and what each column holds."""
    from api.spreadsheets.referral_sheets import write_template
    from api.store.columns import utc_now

    expect_writable(output)
    write_template(output, utc_now().date())
    _told(as_json, {"file": str(output)}, f"Wrote {output}. Delete its examples before you take it in.")


@intake_app.command("kinds", epilog="Example: clinicweave intake kinds")
def kinds(as_json: AsJson = False) -> None:
    """List what patients may be referred for."""
    from api.services.intake.kinds import list_kinds

    if as_json:
        print_json(
            [
                {"kind": kind.id, "name": kind.name, "priority": kind.priority, "needs": list(kind.needs)}
                for kind in list_kinds()
            ]
        )
        return
    table = Table("kind", "asks for", "usual priority", "needs also")
    for kind in list_kinds():
        table.add_row(kind.id, kind.name, kind.priority, ", ".join(kind.needs))
    show(table)


@intake_app.command("import", epilog="Example: clinicweave intake import referrals.xlsx --dry-run")
def import_sheet(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .xlsx file.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name what is wrong, and take in nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in a spreadsheet of referrals: with a fault in any row, none of it; each is named by row and column.

    A sheet may be sent in again with rows added: those that are in already, or differ from what is in, are named.
    """
    from api.services.intake.requests import review_requests
    from api.spreadsheets import MAX_FILE_BYTES
    from api.spreadsheets.referral_sheets import in_row_order, read_sheet

    sheet = read_sheet(read_bounded(file, MAX_FILE_BYTES), str(file))
    for note in sheet.notes:
        say(f"{file}: {note}.")
    with opened() as context:
        with context.database.reading() as session:
            review = review_requests(session, sheet.requests, context.clock())
        faults = in_row_order([*(fault for _, fault in review.faults), *sheet.faults])
        if faults:
            raise _refused(faults, as_json)
        if dry_run:
            report = {"requests": len(sheet.requests), "faults": [], **_standing(review)}
            _say_what_stands(review)
            _told(as_json, report, f"{len(review.new):,} requests can be taken in; nothing was.")
            return
        taken, today, review = _take_in(context, sheet, str(file))
    document = [
        {"row": request.place.strip(", "), **_taken(accepted)} for request, accepted in zip(review.new, taken, strict=True)
    ]
    if as_json:
        print_json({"taken": document, "today": [_placed(decision) for decision in today], **_standing(review)})
        return
    _say_what_stands(review)
    typer.echo(f"Took in {len(taken):,} requests.")
    _say_whom_it_resembles(taken)
    for decision in today:
        typer.echo(_today(decision))


@intake_app.command("add", epilog="Example: clinicweave intake add new-patient-acute mrn-4711 --name 'Robin Example'")
def add(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What for: see 'intake kinds'.", show_default=False)],
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.", show_default=False)],
    name: Text = None,
    preferred_site: Text = None,
    prefers: Text = None,
    priority: Text = None,
    referrer: Text = None,
    programme: Text = None,
    department: Text = None,
    referred_on: Day = None,
    low_reservoir: Day = None,
    birth_date: Day = None,
    minutes: Annotated[int | None, typer.Option(help="Length of the first visit.", show_default=False)] = None,
    equipment: Annotated[list[str], typer.Option(help="A pool of which one more is needed.", show_default=False)] = [],  # noqa: B006
    note: Text = None,
    tag: Annotated[list[str], typer.Option(help="By which lists are filtered.", show_default=False)] = [],  # noqa: B006
    another_patient: Annotated[
        bool, typer.Option("--another-patient", help="Really another, though a known id differs by case alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in one referral. Who has to be seen today gets a place at once."""
    from api.services.accounts.accounts import SYSTEM
    from api.services.intake.reception import receive_request

    request = _request(
        kind=kind,
        patient=patient,
        name=name,
        preferred_site=preferred_site,
        prefers=prefers,
        priority=priority,
        referrer=referrer,
        programme=programme,
        department=department,
        referred_on=None if referred_on is None else referred_on.date(),
        low_reservoir=None if low_reservoir is None else low_reservoir.date(),
        birth_date=None if birth_date is None else birth_date.date(),
        another_patient=another_patient,
        minutes=minutes,
        equipment=tuple(equipment),
        note=note,
        tags=tuple(tag),
    )
    with opened() as context:
        received = receive_request(context, SYSTEM, request, context.database.write)
    if as_json:
        print_json({**_taken(received.accepted), "today": None if received.today is None else _placed(received.today)})
        return
    typer.echo(_said(received))
    _say_whom_it_resembles([received.accepted])


@intake_app.command("make-room", epilog="Example: clinicweave intake make-room referral-1f0c2a9b77de")
def make_room(
    visit: Annotated[str, typer.Argument(metavar="VISIT", help="The visit that waits.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Let the fewest others give way to a visit that has to be today and found no place; tells whom to call."""
    from api.runtime.exceptions import NoRoom
    from api.services.accounts.accounts import SYSTEM
    from api.services.intake import reception

    with opened() as context:
        try:
            made = reception.make_room(context, SYSTEM, visit, context.database.write)
        except NoRoom as refusal:
            why = [f"  {detail.rule}: {detail.detail}" for detail in refusal.details]
            raise end_command(ExitCode.NO_PLACE, "\n".join([f"Error: {refusal}:", *why])) from None
    _told(as_json, _placed(made), _today(made))


def _request(**values: Any) -> Any:
    from pydantic import ValidationError

    from api.services.intake.request_forms import Request
    from scheduling.references import make_fault

    try:
        return Request(**values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        faults = [Fault(fault.path.replace("_", "-"), fault.message) for fault in map(make_fault, details)]
        raise InvalidFile("the request", faults) from None


def _take_in(
    context: AppContext, sheet: ReferralSheet, source: str
) -> tuple[list[AcceptedRequest], list[SameDayDecision], IntakeReview]:
    from api.services.accounts.accounts import SYSTEM
    from api.services.intake.reception import place_same_day
    from api.services.intake.requests import accept_requests, review_requests

    with context.database.writing() as session:
        review = review_requests(session, sheet.requests, context.clock())
        if review.faults:
            raise InvalidFile(source, [fault for _, fault in review.faults])
        taken = accept_requests(session, SYSTEM, review.new, context.clock(), source)
    return taken, place_same_day(context, SYSTEM, taken), review


def _standing(review: IntakeReview) -> dict[str, Any]:
    """Return the rows that are in already, and those that differ from what is in."""
    return {
        "in_already": [{"row": known.located.place.strip(", "), "detail": known.fault.message} for known in review.in_already],
        "conflicts": [
            {"place": conflict.path, "fault": conflict.message} for conflict in (known.conflict for known in review.conflicts)
        ],
    }


def _say_what_stands(review: IntakeReview) -> None:
    for known in review.in_already:
        say(f"{known.located.place}is in already: {known.fault.message}.")
    for known in review.conflicts:
        say(f"{known.conflict.path} differs and was left out: {known.conflict.message}.")


def _refused(faults: list[Fault], as_json: bool) -> typer.Exit:
    if as_json:
        print_json({"requests": 0, "faults": [{"place": fault.path, "fault": fault.message} for fault in faults]})
    else:
        table = Table("row", "column", "what is wrong")
        for fault in faults:
            row, _, column = fault.path.partition(", ")
            table.add_row(row.removeprefix("row "), column, fault.message)
        show(table)
    return end_command(ExitCode.BAD_INPUT, f"{len(faults):,} fault(s); nothing was taken in.")


def _taken(request: AcceptedRequest) -> dict[str, Any]:
    return {
        "kind": request.request.kind,
        "patient": request.request.patient,
        "episode": request.episode,
        "visits": list(request.visits),
        "referral_out": request.referral_out,
        "resembles": [asdict(resemblance) for resemblance in request.resembles],
    }


def _say_whom_it_resembles(taken: Iterable[AcceptedRequest]) -> None:
    for request in taken:
        for known in request.resembles:
            what = " and ".join(
                name
                for name, is_equal in (("name", known.is_name_equal), ("birth date", known.is_birth_date_equal))
                if is_equal
            )
            say(f"New patient {request.request.patient} has the {what} of {known.patient}: is it the same person?")


def _placed(decision: SameDayDecision) -> dict[str, Any]:
    booking = None if decision.booking is None else decision.booking.model_dump(mode="json")
    return {
        "visit": decision.visit,
        "booking": booking,
        "reasons": [reason.model_dump() for reason in decision.reasons],
        "call": list(decision.call),
    }


def _said(received: IntakeResult) -> str:
    taken = received.accepted
    if received.today is not None:
        return f"Episode {taken.episode}. {_today(received.today)}"
    if taken.episode is not None:
        asked = f"asked for in a week that is built: {', '.join(taken.visits)}" if taken.visits else "asked for by next-week"
        return f"Episode {taken.episode}; {asked}."
    return "Waits for a seat." if taken.referral_out is None else f"Referral {taken.referral_out} is sent."


def _today(decision: SameDayDecision) -> str:
    if decision.booking is None:
        why = "; ".join(f"{reason.rule}: {reason.detail}" for reason in decision.reasons)
        return f"No place today for {decision.visit}, which waits: {why}"
    call = f" Call {', '.join(decision.call)}." if decision.call else ""
    booking = decision.booking
    return f"{decision.visit}: today at {booking.start:%H:%M}, {booking.location}, with {', '.join(booking.team)}.{call}"


def _told(as_json: bool, answer: Any, text: str) -> None:
    if as_json:
        print_json(answer)
    else:
        typer.echo(text)
