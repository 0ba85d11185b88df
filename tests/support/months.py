"""A small clinic over months in a store: referrals come, weeks are built, planned, published, and lived through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from support import factories

from api.services.accounts.accounts import SYSTEM
from api.services.bookings import groups, marks, publishing
from api.services.care import episodes, rolling
from api.services.care.episodes import Consequences, ReportedEvent
from api.services.clinic.rosters import import_roster
from api.services.intake.kinds import find_kind
from api.services.intake.request_forms import AcceptedRequest, LocatedRequest, Request
from api.services.intake.requests import accept_requests
from api.services.weeks.week import load_week
from api.store.database import Database
from api.store.migrations import migrate
from api.store.queries import episodes as records
from api.store.queries import periods, plans, programmes
from api.store.queries.bookings import find_booking
from api.store.tables import PlanJobRow
from scheduling import catalogue
from scheduling.care.episodes import Episode
from scheduling.care.programmes import Programme
from scheduling.care.rolling import NextWeek
from scheduling.care.windows import OpenStep, list_open_steps
from scheduling.fields import Horizon, Interval
from scheduling.generate import generate
from scheduling.requests import Group
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver import plan_first_come

MONDAY = date(2026, 11, 30)
FRIDAY_BEFORE = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
FRIDAY_AFTER = datetime(2026, 12, 11, 16, 30, tzinfo=UTC)

FIELDS: dict[str, Any] = {
    "low_reservoir": date(2026, 12, 21),
    "programme": "coping-skills",
    "department": "neurology",
    "referrer": "a primary care physician",
}
"""What a kind of request that needs a field may be given."""


NOTHING: dict[str, Any] = {"visits": (), "links": (), "groups": (), "reserves": (), "patients": ()}
"""What a scenario holds that asks for nothing."""


@cache
def roster(weeks: int) -> str:
    """Return the clinic with who works in some weeks, as a scenario that asks for nothing."""
    made = [generate("tiny", 3, MONDAY + timedelta(weeks=week)) for week in range(weeks)]
    people = [
        provider.changed(
            shifts=tuple(shift for week in made for shift in week.providers_by_id[provider.id].shifts),
            busy=tuple(meeting for week in made for meeting in week.providers_by_id[provider.id].busy),
        )
        for provider in made[0].providers
    ]
    horizon = Horizon(start=MONDAY, end=MONDAY + timedelta(weeks=weeks))
    return made[0].changed(horizon=horizon, providers=tuple(people), **NOTHING).model_dump_json()


def last_week() -> Scenario:
    """Return a week with a visit that ana was to give; its people work in that week alone, as far as is known."""
    document = json.loads(roster(1))
    document["providers"].append(json.loads(factories.provider("ana", "evaluation").model_dump_json()) | {"shifts": []})
    document["patients"] = [json.loads(factories.patient("pat").model_dump_json())]
    visit = factories.visit("v-1", "pat", "follow-up", preferred_providers=["ana"], earliest=str(MONDAY))
    document["visits"] = [json.loads(visit.model_dump_json())]
    return Scenario.parse(json.dumps(document))


@dataclass
class Months:
    """The clinic's desk; time stands still until a test moves it."""

    store: Database
    now: datetime = field(default=FRIDAY_BEFORE)

    def open(self, weeks: int = 10) -> Months:
        """Take in the clinic and who works in the weeks to come."""
        with self.store.writing() as session:
            import_roster(session, SYSTEM, roster(weeks), self.now)
        return self

    def take(self, *requests: Request) -> list[AcceptedRequest]:
        """Take in what patients are referred for."""
        with self.store.writing() as session:
            placed = [LocatedRequest(f"row {number}, ", one) for number, one in enumerate(requests, 2)]
            return accept_requests(session, SYSTEM, placed, self.now)

    def refer(self, kind: str, patient: str = "pat", **fields: Any) -> AcceptedRequest:
        """Take in one patient, new or known."""
        (taken,) = self.take(asked(kind, patient, **fields))
        return taken

    def build(self, weeks: int = 1, start: date | None = None) -> NextWeek:
        """Build the next week and keep it."""
        with self.store.writing() as session:
            horizon = rolling.get_next_horizon(session, self.now, weeks, start)
            return rolling.build_week(session, SYSTEM, horizon, self.now).next_week

    def preview(self, weeks: int = 1) -> NextWeek:
        """Return what the next week is asked for."""
        with self.store.reading() as session:
            return rolling.draft_week(session, rolling.get_next_horizon(session, self.now, weeks, None), self.now)

    def publish(self, period: str, *without: str) -> None:
        """Plan a period, first come, first served, and publish that; some visits are left out."""
        self.publish_made(self.plan(period, *without))

    def publish_made(self, plan: str) -> None:
        """Publish a plan that was made."""
        with self.store.writing() as session:
            publishing.publish(session, SYSTEM, plan, self.now)

    def plan(self, period: str, *without: str) -> str:
        """Plan a period, first come, first served, without some visits; return the plan's id."""
        with self.store.writing() as session:
            scenario, standing = load_week(session, period, self.now).to_plan()
            made = plan_first_come(scenario, standing)
            kept = made.changed(visits=tuple(visit for visit in made.visits if visit.visit not in without))
            assert not list(find_violations(scenario, made))
            snapshot = periods.keep_snapshot(session, scenario, periods.get_period(session, period), self.now)
            start = plans.add_plan(session, standing, snapshot.id, period, "desk", self.now)
            row = plans.add_plan(session, kept, snapshot.id, period, "desk", self.now)
            job = PlanJobRow(
                id=f"job-{row.id}",
                scenario_id=snapshot.id,
                start_plan_id=start.id,
                plan_id=row.id,
                state="done",
                seconds=1,
                workers=1,
                seed=0,
                gap=0,
                created_by="desk",
                created_at=self.now,
            )
            session.add(job)
            session.flush()
            return job.id

    def away(self, period: str) -> None:
        """Let everybody be away in a period."""
        with self.store.writing() as session:
            scenario = periods.load_scenario(session, period)
            gone = Interval(start=stamp(scenario.horizon.start, 0), end=stamp(scenario.horizon.end, 0))
            people = tuple(provider.changed(busy=(gone,)) for provider in scenario.providers)
            import_roster(session, SYSTEM, scenario.changed(providers=people, **NOTHING).model_dump_json(), self.now)

    def live(self, visit: str, came: bool = True) -> None:
        """Let the moment of a visit come, and note whether its patient did."""
        with self.store.writing() as session:
            row = find_booking(session, ("visit", visit, ""))
            assert row is not None and row.state == "booked", (visit, row)
            self.now = max(self.now, row.starts_at + timedelta(minutes=1))
            for state in ("arrived", "done") if came else ("no-show",):
                marks.mark(session, SYSTEM, visit, state, None, self.now)

    def take_back(self, visit: str) -> None:
        """Take back the last that was noted of a visit."""
        with self.store.writing() as session:
            marks.unmark(session, SYSTEM, visit, None, self.now)

    def tell(self, episode: str, kind: str, **told: Any) -> Consequences:
        """Tell what became known of an episode."""
        with self.store.writing() as session:
            version = records.get_episode(session, episode).version
            event = ReportedEvent.model_validate({"kind": kind, **told})
            return episodes.record_event(session, SYSTEM, episode, version, event, self.now)

    def episode(self, identifier: str) -> Episode:
        """Return an episode as it is kept."""
        with self.store.reading() as session:
            return records.load(session, [identifier])[identifier]

    def history(self, identifier: str) -> list[str]:
        """Return the kinds of events of an episode."""
        return [event.kind for event in self.episode(identifier).history]

    def open_steps(self, identifier: str) -> dict[str, OpenStep]:
        """Return what an episode leaves open today, by visit."""
        found = self.episode(identifier)
        with self.store.reading() as session:
            today = periods.get_zone(session).wall(self.now).date()
        return {step.visit: step for step in list_open_steps(found, catalogue.get_pathway(found.pathway), today)}

    def programme(self, identifier: str) -> Programme:
        """Return a programme with its people and sessions."""
        with self.store.reading() as session:
            return next(one for one in programmes.load(session) if one.id == identifier)

    def groups(self, period: str) -> tuple[Group, ...]:
        """Return the sessions that a period asks for, as they stand."""
        with self.store.reading() as session:
            return periods.load_scenario(session, period).groups

    def starts_on(self, period: str) -> date:
        """Return a period's first date."""
        with self.store.reading() as session:
            return periods.get_period(session, period).starts_on

    def leave(self, programme: str, patient: str) -> None:
        """Give back a patient's seat."""
        with self.store.writing() as session:
            groups.leave_programme(session, SYSTEM, programme, patient, self.now)

    def asked(self, period: str) -> dict[str, Any]:
        """Return the visits that a period asks for, by id."""
        with self.store.reading() as session:
            return dict(periods.load_scenario(session, period).visits_by_id)

    def stands(self, visit: str) -> str | None:
        """Return what a visit's booking is, None when it never had one."""
        with self.store.reading() as session:
            row = find_booking(session, ("visit", visit, ""))
            return None if row is None else row.state


def asked(kind: str, patient: str = "pat", **fields: Any) -> Request:
    """Return a request of a kind, with what it needs."""
    known = find_kind(kind)
    needed = {name: FIELDS[name] for name in known.needs} if known is not None else {}
    return Request(**{"kind": kind, "patient": patient, "name": f"Patient {patient}", **needed, **fields})


@contextmanager
def in_memory(weeks: int = 10) -> Iterator[Months]:
    """Open the clinic over a store in memory."""
    store = Database("sqlite://")
    migrate(store)
    yield Months(store).open(weeks)
    store.close()
