"""The simulated clinic at work: referrals come in, weeks are planned and published, visits take place or do not.

A day has a morning, on which illness and closures are known and what they upset is planned anew; its hours, in which patients
are referred who have to be seen that day, and others call off; and an evening, when what has been is noted, the other
referrals are taken in, and the days to come are planned on. On the fourth evening of a week, the week after is planned for the
first time. All of it is done by the use cases of the service (:mod:`.desk`); what became of care is read from its store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from api.runtime.exceptions import NoRoom
from api.services.care.episodes import ReportedEvent
from api.services.intake.kinds import GROUP, list_kinds
from api.services.intake.request_forms import Request
from api.simulation.desk import SimulatedDesk
from api.simulation.measures import SameDayRefusal, SimulationTally
from api.simulation.memory import Memory
from api.simulation.policies import PlanningPolicy
from api.simulation.world import Absence, SimulatedReferral, World
from api.store.queries.bookings import BookingChange, StandingBooking
from scheduling import catalogue
from scheduling.care.rules import CARE_RULES, CareViolation
from scheduling.clinic import Closure, Service
from scheduling.fields import ONE_DAY, Horizon, Weekday
from scheduling.pathways import Occurrence, Pathway
from scheduling.people import Patient, Provider
from scheduling.rules import find_violations
from scheduling.timegrid import minute_of_day
from scheduling.working_time import count_working_minutes

MORNING, CALLS, EVENING = 7 * 60, 16 * 60, 18 * 60
"""Minutes of the day: before the clinic opens; by when patients have called off; when the day is over."""

PLANNING_DAY = 3
"""The weekday, from Monday 0, on whose evening the next week is planned for the first time."""

ONE_WEEK = timedelta(weeks=1)

DAYS_AHEAD = 63
"""Days ahead on which something may stand: the two weeks that are planned, and what a pathway has beyond them."""

MEETING_DAYS: tuple[Weekday, ...] = ("MO", "TU", "WE", "TH", "FR")
"""The weekdays that groups prefer, in turn."""


class Practice:
    """A clinic in one world, under one policy."""

    def __init__(self, world: World, policy: PlanningPolicy) -> None:
        self.world = world
        self.providers = {provider.id: provider for provider in world.providers}
        self.closures: list[Closure] = list(world.dates.closures)
        self.called_off: Counter[str] = Counter()
        self.put_off, self.called, self.lost = set[str](), set[str](), set[str]()
        self.before = world.start - ONE_WEEK
        self.desk = SimulatedDesk(policy, catalogue.build_clinic().timezone, self.before)
        self.tally = SimulationTally(policy.name, world.seed, () if world.setting.catalogue else CARE_RULES)
        self.memory = Memory(self.desk, self.tally, world.providers)

    # ---- The weeks ----

    def run(self) -> Iterator[date]:
        """Live through the weeks; yield the Monday of each one that is over."""
        self._open()
        for day in (self.before + timedelta(days=n) for n in self.world.setting.open_days):
            self._live_evening(day, [arrival for arrival in self.world.arrivals(day) if self._can_wait(arrival)])
        for monday in (self.world.start + timedelta(weeks=week) for week in range(self.world.weeks)):
            self._begin_week(monday)
            for day in (monday + timedelta(days=n) for n in self.world.setting.open_days):
                self._live_morning(day)
                self._live_evening(day, self._live_hours(day))
            self.memory.close_week(monday)
            yield monday
        self._close()

    def _open(self) -> None:
        """Take in who works in the months to come, the groups with their first members, and the pumps that there are."""
        self.desk.import_roster(self.providers.values(), self.closures, Horizon(start=self.before, end=self.world.dates.end))
        since = self.before - timedelta(weeks=8)
        for number, group in enumerate(catalogue.list_workshops()):
            self.desk.prefer_weekday(group.id, MEETING_DAYS[number % len(MEETING_DAYS)])
            self.desk.accept_requests([_request_seat(patient, group.id, since) for patient in self.world.members(group.id)])
        self.desk.accept_requests(
            [_request_pathway(arrival, low_reservoir=low) for arrival, low in self.world.pumps(self.before)]
        )

    def _can_wait(self, arrival: SimulatedReferral) -> bool:
        """Return whether a patient who is referred in the week before the first can be seen in time."""
        pathway, late = catalogue.get_pathway(arrival.pathway), arrival.known.weekday() > PLANNING_DAY
        return not pathway.steps[0].same_day and (late or pathway.onset != "new-onset")

    def _begin_week(self, monday: date) -> None:
        self._absences = list(self.world.absences(monday))
        self._closure = self.world.closure(monday)
        until = monday + ONE_WEEK
        for provider in self.providers.values():
            shifts = tuple(shift for shift in provider.shifts if monday <= shift.start.date() < until)
            if not provider.trainee:
                self.tally.supply[monday] += count_working_minutes(provider.changed(shifts=shifts), self.closures)
        self.desk.set_clock(monday, MORNING)
        self.desk.accept_requests([_request_seat(patient, group) for group, patient in self.world.group_requests(monday)])

    def _live_morning(self, day: date) -> None:
        """Plan anew what illness and closures upset that became known this morning."""
        self.desk.set_clock(day, MORNING)
        ill = [absence for absence in self._absences if absence.first == day]
        for absence in ill:
            provider = self.providers[absence.provider]
            self.providers[absence.provider] = provider.changed(busy=(*provider.busy, absence.interval))
        closed = self._closure if self._closure is not None and self._closure.start.date() == day else None
        if closed is not None:
            self.closures.append(closed)
        if ill or closed is not None:
            monday = _get_monday(day)
            known = Horizon(start=monday, end=min(monday + 2 * ONE_WEEK, self.world.dates.end))
            self.desk.import_roster(self.providers.values(), self.closures, known)
            taken = self.memory.remember_given_up(day, DAYS_AHEAD, lambda booking: self._is_taken(booking, ill, closed))
            with self._count_calls():
                with taken:
                    self._plan(monday, whole=False)
                self._place_anew(monday, monday + ONE_WEEK)

    def _is_taken(self, booking: StandingBooking, ill: Iterable[Absence], closed: Closure | None) -> bool:
        """Return whether somebody's illness, or a closure, takes the place of a visit."""
        begin, end = self.desk.wall(booking.row.starts_at), self.desk.wall(booking.row.ends_at)
        people = {*booking.placing.ids("team"), *booking.placing.ids("supervisor")}
        shut = closed is not None and closed.location == booking.row.location and closed.start < end and begin < closed.end
        return shut or any(away.provider in people and away.interval.start <= begin < away.interval.end for away in ill)

    def _live_hours(self, day: date) -> list[SimulatedReferral]:
        """Take in who has to be seen today, and who calls off; return the other referrals of the day."""
        if day in self.world.dates.holidays:
            return []
        waiting = []
        for arrival in self.world.arrivals(day):
            if catalogue.get_pathway(arrival.pathway).steps[0].same_day:
                self._see_today(arrival)
            else:
                waiting.append(arrival)
        self.desk.set_clock(day, CALLS)
        ahead = self.desk.list_standing(day + ONE_DAY, self.world.days_of_notice)
        with self.memory.remember_given_up(day, DAYS_AHEAD):
            for booking in ahead:
                if (
                    booking.row.kind == "visit"
                    and self._find_cancellation_date(booking) == day
                    and self.desk.cancel_visit(booking.row.subject_id)
                ):
                    self.called_off[self.memory.name_visit(booking)] += 1
        return waiting

    def _live_evening(self, day: date, referred: Iterable[SimulatedReferral]) -> None:
        """Note what has been, and plan on; on one evening of the week, the next week for the first time."""
        self.desk.set_clock(day, EVENING)
        self._record_day(day)
        self.desk.accept_requests([_request_pathway(arrival) for arrival in referred])
        monday = _get_monday(day)
        with self._count_calls():
            if day.weekday() < len(MEETING_DAYS) - 1 and monday >= self.world.start:
                self._plan(monday, whole=False)
            if day.weekday() >= PLANNING_DAY:
                self._plan(monday + ONE_WEEK, whole=day.weekday() == PLANNING_DAY)
            else:
                self._place_anew(monday + ONE_WEEK)

    # ---- Planning ----

    def _plan(self, monday: date, whole: bool, only: Collection[str] | None = None) -> None:
        planned = self.desk.plan_week(monday, whole, only)
        self.memory.remember_waiting(planned.next_week)
        self.tally.broken += [
            CareViolation(violation.rule, ", ".join(violation.ids), monday, violation.detail)
            for violation in find_violations(planned.scenario, planned.plan)
        ]
        if whole:
            self.tally.asked[monday] = len(planned.next_week.scenario.visits)
            self.tally.left_out[monday] = len(planned.plan.unscheduled)
            self.tally.alerts.update(alert.kind for alert in planned.next_week.alerts)
        for change in planned.published.changes:
            self._track_change(change)

    def _place_anew(self, *mondays: date) -> None:
        """Find those who have just lost their place another in some weeks, so that they are called once."""
        for monday in mondays:
            if self.lost:
                self._plan(monday, whole=False, only=frozenset(self.lost))

    # ---- Who is called again ----

    @contextmanager
    def _count_calls(self) -> Iterator[None]:
        """Count the patients who are called for what is decided in the block: each once, when all of it is known."""
        self.called, self.lost = set[str](), set[str]()
        yield
        self.put_off |= self.lost
        self.tally.recontacted[_get_monday(self.desk.today)] += len(self.called)

    def _track_change(self, change: BookingChange) -> None:
        """Keep what a change means for its patients: they have lost their place, or got one, and may have to be called."""
        visit, before, after = change.row.subject_id, change.before, change.after
        self.called |= self._find_told_anew(change)
        if change.row.kind == "visit" and after is not None:
            self.lost.discard(visit)
            self.put_off.discard(visit)
        elif change.row.kind == "visit" and before is not None and before.notified:
            self.lost.add(visit)

    def _find_told_anew(self, change: BookingChange) -> set[str]:
        """Return who had been told of a place and is told of another, of none, or of one after none."""
        before, after = change.before, change.after
        if after is not None and change.row.subject_id in self.put_off:
            return set(after.ids("patient"))
        if change.row.kind == "hold" or before is None or not before.notified:
            return set()
        if after is None or (before.starts_at, before.location) != (after.starts_at, after.location):
            return set(before.ids("patient"))
        if change.row.kind == "group":
            return set(before.ids("patient")) - set(after.ids("patient"))
        return set() if before.ids("team") == after.ids("team") else set(before.ids("patient"))

    def _see_today(self, arrival: SimulatedReferral) -> None:
        """Find a place today for a patient who has just been referred, or prove that there is none."""
        self.desk.set_clock(arrival.known.date(), minute_of_day(arrival.known))
        received = self.desk.receive_request(_request_pathway(arrival))
        today, proven = received.today, False
        assert today is not None
        if today.booking is None:
            try:
                today = self.desk.make_room(today.visit)
            except NoRoom as refusal:
                proven = refusal.proven
                self.tally.refusals.append(self._describe_refusal(arrival, refusal))
        self.memory.remember_same_day(today.visit, arrival, proven)
        with self._count_calls():
            self.called |= set(today.call)
            self.lost |= {change.id for change in today.changes if change.kind == "visit" and change.after is None}
            monday = _get_monday(self.desk.today)
            self._place_anew(monday, monday + ONE_WEEK)
        if today.booking is not None:
            self.tally.same_day["placed"] += 1
        else:
            self.tally.same_day["proven impossible" if proven else "no place found"] += 1

    def _describe_refusal(self, arrival: SimulatedReferral, refusal: NoRoom) -> SameDayRefusal:
        """Return why a patient of the day had no place."""
        wanted = catalogue.get_pathway(arrival.pathway).steps[0].service
        service = next(service for service in catalogue.list_services() if service.id == wanted)
        return SameDayRefusal(
            moment=arrival.known.isoformat(timespec="minutes"),
            patient=arrival.patient.id,
            service=service.id,
            proven=refusal.proven,
            staffed=is_staffed(self.providers.values(), service, arrival.known, arrival.patient.allowed_sites),
            reasons=tuple(f"{detail.rule}: {detail.detail}" for detail in refusal.details),
        )

    # ---- What patients do ----

    def _find_cancellation_date(self, booking: StandingBooking) -> date | None:
        """Return when the patient of a visit calls it off, if they do."""
        name = self.memory.name_visit(booking)
        return self.world.cancels(f"{name}:{self.called_off[name]}", self.desk.wall(booking.row.starts_at).date())

    def _record_day(self, day: date) -> None:
        """Note who came on a day, and what came of it."""
        came: dict[str, bool] = {}
        for booking in self.desk.list_standing(day, 1):
            patients = booking.placing.ids("patient")
            if booking.row.kind == "group":
                _, subject, month = booking.placing.subject
                seen = [who for who in patients if self.world.comes(who, day)]
                self.desk.record_attendance(subject.removesuffix(f"-{month}"), month, seen)
            elif booking.row.kind == "visit":
                came[booking.row.subject_id] = self.world.comes(patients[0], day)
        with self.memory.remember_given_up(day, DAYS_AHEAD):
            self.desk.record_visits(came, self._list_known_events)

    def _list_known_events(self, patient: str, pathway: Pathway, occurrence: Occurrence) -> Iterator[ReportedEvent]:
        """Yield what becomes known by a visit."""
        outcome = self.world.outcome(patient, occurrence, pathway.step(occurrence.step))
        low = self.world.low_reservoir(patient, pathway, occurrence, self.desk.today)
        return (told for told in (outcome, low) if told is not None)

    def _close(self) -> None:
        """Complete what the judge of care has to know."""
        until = self.world.start + timedelta(weeks=self.world.weeks)
        self.memory.close(self.world.start, until, self.providers.values(), self.closures)
        self.desk.close()


def is_staffed(staff: Iterable[Provider], service: Service, known: datetime, sites: Collection[str]) -> bool:
    """Return whether somebody for the first seat of a service is on duty for as long as it takes on the rest of a day.

    Parameters
    ----------
    sites
        Where the patient can come.
    """
    reachable = {place.id for place in catalogue.build_clinic().locations if place.site in sites} & set(service.locations)
    able = (provider for provider in staff if not provider.trainee and provider.can_fill(service.team[0].any_of))
    return any(
        shift.start.date() == known.date()
        and reachable & set(shift.reachable_locations)
        and _has_time(provider, max(shift.start, known), shift.end, timedelta(minutes=service.minutes))
        for provider in able
        for shift in provider.shifts
    )


def _has_time(provider: Provider, begin: datetime, end: datetime, needed: timedelta) -> bool:
    """Return whether a provider is not busy for some time between two moments."""
    for away in sorted(provider.busy, key=lambda away: away.start):
        if away.end > begin and away.start < end:
            if away.start - begin >= needed:
                return True
            begin = max(begin, away.end)
    return end - begin >= needed


def _get_monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _request_pathway(arrival: SimulatedReferral, low_reservoir: date | None = None) -> Request:
    """Return a referral as it comes in."""
    kind = next(kind for kind in list_kinds() if kind.pathway == arrival.pathway)
    referrer = "a primary care physician" if "referrer" in kind.needs else None
    return _create_request(arrival.patient, kind.id, priority=arrival.priority, referrer=referrer, low_reservoir=low_reservoir)


def _request_seat(patient: Patient, group: str, since: date | None = None) -> Request:
    """Return a request for a seat in a group."""
    return _create_request(patient, GROUP, programme=group, referred_on=since)


def _create_request(patient: Patient, kind: str, **said: Any) -> Request:
    """Return a request of a kind, with what a patient brings and what is said beside."""
    return Request(
        kind=kind,
        patient=patient.id,
        name=patient.name,
        preferred_site=patient.preferred_site,
        allowed_sites=patient.allowed_sites,
        prefers=patient.prefers,
        **said,
    )
