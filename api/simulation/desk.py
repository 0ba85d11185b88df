"""The desk of a simulated clinic: the service's use cases over a store in memory, at the moments that the simulation sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.context import create_context
from api.runtime.settings import Settings
from api.services.accounts.accounts import SYSTEM
from api.services.bookings import by_hand, marks, publishing
from api.services.bookings.decisions import with_retries
from api.services.care import episodes, rolling
from api.services.care.episodes import ReportedEvent
from api.services.clinic import programmes
from api.services.clinic.rosters import import_roster
from api.services.intake.reception import IntakeResult, make_room, receive_request
from api.services.intake.request_forms import AcceptedRequest, LocatedRequest, Request
from api.services.intake.requests import accept_requests
from api.services.intake.same_day import SameDayDecision
from api.services.weeks import planning
from api.simulation.policies import PlanningPolicy, restrict_to_standing
from api.store.database import Database
from api.store.migrations import migrate
from api.store.queries import bookings, jobs, people
from api.store.queries import episodes as histories
from api.store.queries import programmes as groups
from api.store.queries.bookings import StandingBooking
from api.store.queries.plans import Published
from api.store.tables import PlanJobRow
from api.store.tables.jobs import JobQueueName
from api.store.tables.plans import BookingState
from scheduling import catalogue
from scheduling.care.agenda import VisitSubject
from scheduling.care.episodes import Episode
from scheduling.care.rolling import NextWeek, restrict_provider
from scheduling.clinic import Closure
from scheduling.fields import Horizon, Weekday
from scheduling.pathways import Occurrence, Pathway
from scheduling.people import Patient, Provider
from scheduling.plan import Plan
from scheduling.publishing import rebase
from scheduling.scenario import Scenario
from scheduling.timegrid import TimeGrid, stamp
from solver import Limits

ARRIVED: tuple[BookingState, ...] = ("arrived", "done")
MISSED: tuple[BookingState, ...] = ("no-show",)
"""What the booking of a patient becomes who came, and of one who did not."""

AT_ONCE = 500
"""Episodes that are read at once."""


class AtOnce:
    """A queue whose owner makes each plan before anybody asks for another."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def ask(
        self,
        session: Session,
        scenario_id: str,
        limits: Limits,
        asked_by: str,
        start_plan_id: str | None = None,
        *,
        queue: JobQueueName = "plans",
    ) -> PlanJobRow:
        """Write down that a plan is being made."""
        row = jobs.make_job(scenario_id, limits, asked_by, self._clock(), start_plan_id, queue=queue)
        row.state = "running"
        jobs.add_job(session, row)
        return row


@dataclass(frozen=True)
class PlannedWeek:
    """A week that was built, planned and published: what it was asked for, as what, the plan, and what is different by it."""

    next_week: NextWeek
    scenario: Scenario
    plan: Plan
    published: Published


class SimulatedDesk:
    """A clinic's desk, by a policy of planning. Moments are wall-clock dates and minutes of the day."""

    def __init__(self, policy: PlanningPolicy, timezone: str, day: date) -> None:
        self._policy = policy
        self._zone = TimeGrid(timezone, 1, date.min, date.max)
        self._store = Database("sqlite://")
        migrate(self._store)
        self._context = create_context(Settings(database_url="sqlite://"), self._store, lambda: self.now)
        self.set_clock(day, 0)

    def close(self) -> None:
        """Close the store; nothing of it is left."""
        self._context.close()

    def set_clock(self, day: date, minute: int) -> None:
        """Set the clock."""
        self.now = self._zone.utc(stamp(day, minute))

    @property
    def today(self) -> date:
        """The present date."""
        return self.wall(self.now).date()

    def wall(self, moment: datetime) -> datetime:
        """Return the clinic's time of an instant."""
        return self._zone.wall(moment)

    # ---- Who works, and who comes ----

    def import_roster(self, providers: Iterable[Provider], closures: Iterable[Closure], dates: Horizon) -> None:
        """Take in who works on some dates, and what closes the clinic."""
        known = tuple(restrict_provider(provider, dates) for provider in providers)
        roster = Scenario(
            format="clinicweave-scenario/1",
            id=f"roster-{dates.start}",
            now=None,
            freeze_minutes=0,
            horizon=dates,
            clinic=catalogue.build_clinic(known, closures=closures),
            providers=known,
            patients=(),
            visits=(),
            links=(),
            groups=(),
            reserves=(),
            policy=catalogue.get_policy(),
        )
        with self._store.writing() as session:
            import_roster(session, SYSTEM, roster.model_dump_json(), self.now)

    def accept_requests(self, requests: Sequence[Request]) -> list[AcceptedRequest]:
        """Take in requests that can wait."""
        with self._store.writing() as session:
            placed = [LocatedRequest(f"row {number}, ", request) for number, request in enumerate(requests, 2)]
            return accept_requests(session, SYSTEM, placed, self.now)

    def receive_request(self, request: Request) -> IntakeResult:
        """Take in a patient who has to be seen today."""
        return receive_request(self._context, SYSTEM, request, self._store.write, self._policy.deterministic)

    def make_room(self, visit: str) -> SameDayDecision:
        """Make others give way to who has to be seen today. Raises ``NoRoom``."""
        return make_room(self._context, SYSTEM, visit, self._store.write, self._policy.deterministic)

    # ---- Weeks ----

    def plan_week(self, monday: date, whole: bool, only: Collection[str] | None = None) -> PlannedWeek:
        """Build a week, or bring it to what is known now; plan it beside what stands, and publish that.

        Parameters
        ----------
        only
            The visits that get a place now, with those that have to come with them; None: all.
        """
        with self._store.writing() as session:
            week = rolling.build_week(session, SYSTEM, rolling.get_next_horizon(session, self.now, 1, monday), self.now)
        wanted = planning.PlanRequest(week.next_week.scenario.id, self._policy.limits(whole))
        with self._store.reading() as session:
            of = planning.prepare_plan(session, wanted, self.now)
        if only is None:
            plan = self._policy.plan(of.scenario, of.standing, whole)
        else:
            plan = rebase(self._policy.plan(restrict_to_standing(of.scenario, only), of.standing, whole), of.scenario)
        with self._store.writing() as session:
            row = planning.request_plan(session, AtOnce(self._context.clock), SYSTEM, wanted, of, self.now)
            jobs.finish_job(session, row.id, row.epoch, plan, self.now)
            return PlannedWeek(week.next_week, of.scenario, plan, publishing.publish(session, SYSTEM, row.id, self.now))

    # ---- What becomes of bookings ----

    def cancel_visit(self, visit: str) -> bool:
        """Cancel a visit, as its patient asks for; say whether it stood still: it may be gone with another."""
        with self._store.reading() as session:
            row = bookings.find_booking(session, ("visit", visit, ""))
        if row is None or row.state != "booked":
            return False
        with_retries(
            self._context,
            row.period_id,
            lambda week: by_hand.decide_cancellation(week, SYSTEM, visit, None, self.now),
            by_hand.apply_cancellation,
            self._store.write,
        )
        return True

    def record_visits(
        self, came: Mapping[str, bool], list_known_events: Callable[[str, Pathway, Occurrence], Iterable[ReportedEvent]]
    ) -> None:
        """Note who came to visits, in order, and what became known by it; a visit that another has ended is left out.

        Parameters
        ----------
        list_known_events
            What a patient's visit, of a pathway, lets become known.
        """
        with self._store.writing() as session:
            subjects = histories.get_subjects(session, came)
            for visit, did in came.items():
                of = subjects[visit]
                row = bookings.find_booking(session, ("visit", visit, ""))
                if row is None or row.state != "booked":
                    continue
                for state in ARRIVED if did else MISSED:
                    marks.mark(session, SYSTEM, visit, state, None, self.now)
                if did:
                    episode = histories.get_episode(session, of.episode)
                    pathway = catalogue.get_pathway(episode.pathway)
                    for told in list_known_events(episode.patient_id, pathway, of.occurrence):
                        episodes.record_event(session, SYSTEM, of.episode, None, told, self.now)

    def record_attendance(self, programme: str, month: str, came: Collection[str]) -> None:
        """Note who came to a group's session."""
        with self._store.writing() as session:
            programmes.record_attendance(session, SYSTEM, programme, month, came, self.now)

    def prefer_weekday(self, programme: str, day: Weekday) -> None:
        """Set the weekday on which a group meets where it can."""
        with self._store.writing() as session:
            version = groups.get_programme(session, programme).version
            programmes.change_programme(session, SYSTEM, programme, version, {"weekday": day}, self.now)

    # ---- What the store holds ----

    def list_standing(self, first: date, days: int) -> list[StandingBooking]:
        """Return what stands, or was, on some days, by start."""
        begin, end = stamp(first, 0), stamp(first + timedelta(days=days), 0)
        with self._store.reading() as session:
            return bookings.list_between(session, self._zone.utc(begin), self._zone.utc(end))

    def load_subjects(self, visits: Collection[str]) -> dict[str, VisitSubject]:
        """Return what visits are of."""
        with self._store.reading() as session:
            return histories.get_subjects(session, visits)

    def load_episodes(self, identifiers: Collection[str]) -> dict[str, Episode]:
        """Return episodes as they are kept."""
        with self._store.reading() as session:
            return histories.load(session, identifiers)

    def iterate_episodes(self) -> Iterator[Episode]:
        """Yield every episode as it is kept, many at a time, and none while the store is read."""
        last = ""
        while True:
            with self._store.reading() as session:
                rows = histories.list_episodes(session, last, AT_ONCE)
                episodes = histories.load(session, [row.id for row in rows])
            if not rows:
                return
            yield from episodes.values()
            last = rows[-1].id

    def load_patients(self) -> tuple[Patient, ...]:
        """Return every patient who has an episode."""
        patients = {episode.patient for episode in self.iterate_episodes()}
        with self._store.reading() as session:
            return people.load_patients(session, patients)

    def count_open_episodes(self) -> int:
        """Return how many episodes leave anything open."""
        with self._store.reading() as session:
            return len(histories.load_open(session))
