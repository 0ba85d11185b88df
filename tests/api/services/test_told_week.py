"""A week of full size: a change of three of its visits, published, is told to three patients and to nobody else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from sqlmodel import Session
from support.outbox import address_of, give_addresses, send_all
from support.service import CHEAP, PASSWORD, SECRET, Clock
from support.stored import NOW, StoredWeek

from api.access.actor import AccessRole, Actor
from api.background.mail.writing import write_mail
from api.context import AppContext, create_context
from api.runtime.settings import Settings
from api.services.accounts.accounts import SYSTEM, NewAccount, add_account
from api.services.calendars.feeds import add_feed, add_patient_feed, poll_feed
from api.services.messages.notifications import notify_changes
from api.store.queries import accounts, periods
from api.store.queries.messages import Claimed
from api.store.tables.feeds import FeedKind
from scheduling.generate import generate
from scheduling.plan import Plan, Reason, Unscheduled
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from solver.search.construct import construct
from solver.state.domains import Domains
from solver.state.placements import make_plan

ADDRESS = re.compile(r"[\w.-]+@patients\.example")

CANARY = "Zebulon Quixworth"
"""In every patient's name, with a number."""


@pytest.fixture(scope="module")
def week() -> Scenario:
    """Return a week of 680 visits in which every field of a patient that can hold words holds the canary."""
    scenario = generate("week", 7)
    patients = tuple(one.changed(name=f"{CANARY} {number}") for number, one in enumerate(scenario.patients))
    return scenario.changed(patients=patients)


@pytest.fixture(scope="module")
def made(week: Scenario) -> Plan:
    domains = Domains(week)
    return make_plan(domains, construct(domains))


@pytest.fixture
def context(sqlite_url: str, week: Scenario) -> Iterator[AppContext]:
    clock = Clock(NOW)
    settings = Settings(
        database_url=sqlite_url, secret=SECRET, smtp_host="mail.example", mail_from="appointments@clinic.example"
    )
    context = create_context(settings, clock=clock)
    with context.database.writing() as rows:
        periods.keep_scenario(rows, week, NOW)
    give_addresses(context.database, NOW, *week.patients_by_id)
    yield context
    context.close()


def moved(week: Scenario, plan: Plan) -> tuple[Plan, str]:
    """Return the plan with one visit at another time of its day, and the visit."""
    for one in plan.visits:
        for hours in (1, -1, 2, -2, 3):
            later = timedelta(hours=hours)
            visits = tuple(
                each.changed(start=each.start + later, end=each.end + later) if each is one else each for each in plan.visits
            )
            tried = plan.changed(visits=visits)
            if not any(find_violations(week, tried)):
                return tried, one.visit
    raise AssertionError("no visit can be moved")


def without(plan: Plan, visit: str) -> Plan:
    """Return the plan without a visit."""
    reason = Reason(rule="none", detail="left out by a test")
    left = (*plan.unscheduled, Unscheduled(visit=visit, reasons=(reason,)))
    return plan.changed(visits=tuple(one for one in plan.visits if one.visit != visit), unscheduled=left)


def publish(context: AppContext, week: Scenario, plan: Plan) -> list[Claimed]:
    """Publish a plan, and return all that is sent then."""
    with context.database.writing() as rows:
        published = StoredWeek(context.database, week).published_in(rows, plan, context.clock())
        notify_changes(rows, published.changes, context.clock())
    context.clock.pass_by(minutes=1)
    return send_all(context.database, context.clock())


def test_three_changes_of_a_week_are_told_to_three_patients_once(context: AppContext, week: Scenario, made: Plan) -> None:
    second, changed = moved(week, made)
    taken = {week.visits_by_id[changed].patient}
    alone: list[str] = []
    linked = {end for link in week.links for end in (link.before, link.after)}
    for one in made.visits:
        patient = week.visits_by_id[one.visit].patient
        if one.visit not in linked and patient not in taken:
            alone.append(one.visit)
            taken.add(patient)
    new, gone = alone[:2]
    first, second = without(made, new), without(second, gone)
    sent = publish(context, week, first)
    items = [(item.id, patient) for item in first.items(week) for patient in item.patients]
    assert len(first.visits) > 600
    assert Counter((one.booking.subject_id, one.invitation.patient_id) for one in sent) == Counter(items)
    assert publish(context, week, first) == []
    again = publish(context, week, second)
    told = {(one.booking.subject_id, one.invitation.patient_id, one.message.method, one.message.sequence) for one in again}
    whose = {visit: week.visits_by_id[visit].patient for visit in (changed, new, gone)}
    assert len(again) == 3
    assert told == {
        (changed, whose[changed], "REQUEST", 1),
        (new, whose[new], "REQUEST", 0),
        (gone, whose[gone], "CANCEL", 1),
    }
    assert publish(context, week, second) == []


def test_no_patients_name_or_address_goes_where_it_does_not_belong(
    context: AppContext, week: Scenario, made: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for claimed in publish(context, week, made):
        mail = message_from_bytes(write_mail(context.settings, claimed), policy=default)
        text = whole(mail)
        assert "Quixworth" not in text and "Appointment" in mail["Subject"]
        assert set(ADDRESS.findall(text)) == {address_of(claimed.invitation.patient_id)}
    for kind, subject in subjects(week):
        feed = read(context, kind, subject)
        assert "BEGIN:VCALENDAR" in feed and "Quixworth" not in feed and not ADDRESS.findall(feed)
        assert not {"ATTENDEE", "ORGANIZER"} & set(re.split(r"[\r\n;]+", feed))
        assert kind == "patient" or "BEGIN:VALARM" not in feed
    assert "Quixworth" not in caplog.text and not ADDRESS.findall(caplog.text)


def test_the_canary_would_be_seen(context: AppContext, week: Scenario, made: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a name that is put into the mail is found."""
    (first, *_) = publish(context, week, made)
    appointment = replace(first.tells.appointment, address=f"home of {CANARY} 1")
    told = replace(first, tells=replace(first.tells, appointment=appointment))
    assert "Quixworth" in whole(message_from_bytes(write_mail(context.settings, told), policy=default))


def whole(mail: Any) -> str:
    """Return all that a mail says, decoded and unfolded."""
    parts = [f"{name}: {value}" for name, value in mail.items()]
    parts += [said(part) for part in mail.walk() if not part.is_multipart()]
    return "\n".join(parts).replace("\r\n ", "").replace("\n ", "")


def said(part: Any) -> str:
    """Return what a part says, as text."""
    content = part.get_content()
    return content if isinstance(content, str) else str(content, "utf-8")


def subjects(week: Scenario) -> Iterator[tuple[FeedKind, str]]:
    for kind, ids in (
        ("provider", week.providers_by_id),
        ("room", week.rooms),
        ("group", week.groups_by_id),
        ("location", week.locations),
        ("patient", list(week.patients_by_id)[:20]),
    ):
        yield from ((kind, one) for one in ids)


def desk_of(rows: Session, now: datetime) -> Actor:
    """Return who subscribes."""
    row = accounts.find_account_by_name(rows, "desk") or add_account(
        rows, SYSTEM, NewAccount("desk", AccessRole.SCHEDULER), CHEAP.hash(PASSWORD), None, now
    )
    return Actor(row.id, AccessRole.SCHEDULER)


def read(context: AppContext, kind: FeedKind, subject: str) -> str:
    """Subscribe to a feed, and poll it; return it unfolded."""
    now, settings = context.clock(), context.settings
    with context.database.writing() as rows:
        if kind == "patient":
            secret, _ = add_patient_feed(rows, settings, context.signer, SYSTEM, subject, now)
        else:
            secret, _ = add_feed(rows, settings, desk_of(rows, now), kind, subject, now)
    copy = poll_feed(context, kind, secret).copy
    assert copy is not None
    return copy.content.decode().replace("\r\n ", "")
