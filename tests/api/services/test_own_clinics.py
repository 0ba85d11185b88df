"""Three clinics made by a workbook alone are planned, changed, exported, and lived through for weeks; no rule is broken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.months import NOTHING, Months
from support.own_clinics import CLINICS, OwnClinic

from api.reports.calendar_files import export_all
from api.services.accounts.accounts import SYSTEM
from api.services.clinic.rosters import import_roster
from api.services.intake.request_forms import LocatedRequest, Request
from api.services.intake.requests import accept_requests
from api.services.weeks.week import load_week
from api.store.database import Database
from api.store.migrations import migrate
from scheduling import catalogue
from scheduling.additions import Addition
from scheduling.disruptions import ProviderAbsence, apply_disruptions
from scheduling.plan import Plan
from scheduling.publishing import publish
from scheduling.requests import Visit
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from scheduling.workbook import read_scenario
from solver import cancel_visit, insert_visits, plan_first_come

WEEKS = 8
FIRST_FRIDAY = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
LAST_DAY = date(2027, 2, 26)


@pytest.fixture(params=CLINICS, ids=lambda clinic: clinic.file.stem)
def clinic(request: pytest.FixtureRequest) -> Iterator[OwnClinic]:
    """Return each clinic, its catalogue in force."""
    chosen: OwnClinic = request.param
    with chosen.in_force():
        yield chosen


def expect_sound(scenario: Scenario, plan: Plan) -> None:
    assert list(find_violations(scenario, plan)) == []


def test_its_first_week_is_planned_changed_and_exported(clinic: OwnClinic, tmp_path: Path) -> None:
    scenario = clinic.scenario()
    plan = plan_first_come(scenario)
    expect_sound(scenario, plan)
    assert len(plan.visits) >= 0.8 * len(scenario.visits)

    now = datetime.combine(scenario.horizon.start, datetime.min.time()).replace(hour=7)
    stands = publish(scenario, plan, now)
    day = scenario.horizon.start + timedelta(days=1)
    absence = ProviderAbsence(
        provider=clinic.ill,
        start=datetime.combine(day, datetime.min.time()),
        end=datetime.combine(day + timedelta(days=1), datetime.min.time()),
    )
    ill = apply_disruptions(stands, [absence])
    again = plan_first_come(ill, None)
    expect_sound(ill, again)
    assert not any(clinic.ill in visit.team for visit in again.visits if visit.start.date() == day)

    walk_in = Visit(id="walk-in", patient=scenario.patients[0].id, service=clinic.walk_in, priority="urgent", earliest=day)
    grown, placed = insert_visits(ill, again, Addition(visits=(walk_in,), links=(), patients=()))
    expect_sound(grown, placed)
    assert "walk-in" in placed.visits_by_id

    left, freed = cancel_visit(grown, placed, clinic.cancelled)
    expect_sound(left, freed)
    assert clinic.cancelled not in freed.visits_by_id
    freed.write(tmp_path / "plan.json")
    calendars = [file.read_bytes() for file in export_all(left, freed, tmp_path / "plan.json", tmp_path / "calendars")]
    assert len(calendars) > len(scenario.providers)


def open_store(clinic: OwnClinic, store: Database) -> Months:
    """Take in the clinic and who works in the months to come."""
    book = clinic.book().until(LAST_DAY)
    scenario, faults = read_scenario(book, "clinic.xlsx")
    assert scenario is not None, faults
    desk = Months(store, FIRST_FRIDAY)
    with store.writing() as session:
        import_roster(session, SYSTEM, scenario.changed(**NOTHING).model_dump_json(), desk.now)
    return desk


@pytest.fixture
def desk(clinic: OwnClinic) -> Iterator[Months]:
    """Return the clinic's desk before its first week."""
    store = Database("sqlite://")
    migrate(store)
    yield open_store(clinic, store)
    store.close()


def refer(desk: Months, kind: str, patient: str, programme: str | None = None) -> None:
    with desk.store.writing() as session:
        request = Request(kind=kind, patient=patient, name=f"Patient {patient}", programme=programme)
        accept_requests(session, SYSTEM, [LocatedRequest("", request)], desk.now)


def live_through(desk: Months, period: str) -> int:
    """Let all visits of a week come, and return how many came; episodes' outcomes are the hoped-for."""
    with desk.store.reading() as session:
        week = load_week(session, period, desk.now)
    expect_sound(week.scenario, week.plan)
    visits = sorted(week.plan.visits, key=lambda booking: booking.start)
    for number, booking in enumerate(visits):
        desk.live(booking.visit, came=number % 9 != 8)
        episode, _, place = booking.visit.partition(".")
        step = place.partition(".")[0]
        known = catalogue.get_pathway(desk.episode(episode).pathway).step(step)
        if known.outcomes and number % 9 != 8:
            desk.tell(episode, "outcome", step=step, outcome=known.outcomes[0].id)
    return len(visits)


def live_weeks(clinic: OwnClinic, desk: Months, weeks: int) -> int:
    came = 0
    for week in range(weeks):
        for number, kind in enumerate(clinic.kinds):
            refer(desk, kind, f"p-{week}-{number}")
        if clinic.programme is not None:
            refer(desk, "group", f"member-{week}", clinic.programme)
        period = desk.build().scenario.id
        desk.publish(period)
        came += live_through(desk, period)
        desk.now = FIRST_FRIDAY + timedelta(weeks=week + 1)
    return came


def test_it_is_referred_to_and_its_next_week_is_built(clinic: OwnClinic, desk: Months) -> None:
    assert live_weeks(clinic, desk, 2) >= 2


@pytest.mark.heavy
def test_it_is_lived_through_for_eight_weeks_without_a_broken_rule(clinic: OwnClinic, desk: Months) -> None:
    assert live_weeks(clinic, desk, WEEKS) >= 2 * WEEKS
    if clinic.programme is not None:
        assert len(desk.programme(clinic.programme).sessions) >= 1
