"""The simulated clinic at work: referrals come in, weeks are planned and published, visits take place or do not.

A day has a morning, on which illness and closures are known and what they upset is planned anew; its hours, in which patients
are referred and call off; and an evening, when what has been is noted and the days to come are planned on. On the fourth
evening of a week, the week after is planned for the first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from api.services.week import shift_places
from api.simulation.measures import Tally
from api.simulation.policies import Policy
from api.simulation.world import Arrival, World
from scheduling import catalogue
from scheduling.additions import Addition
from scheduling.care.episodes import Episode, Event, recorded, state
from scheduling.care.pathways import Occurrence
from scheduling.care.programmes import Member, Programme, Session, Waiting, seated
from scheduling.care.reserves import PressingReferral
from scheduling.care.rolling import Book, NextWeek, care_days, scenario_of
from scheduling.care.rules import Attended, Chronicle, Met
from scheduling.care.windows import Cares, void_visits
from scheduling.catalogue import Workshop
from scheduling.clinic import Closure
from scheduling.fields import ONE_DAY, Horizon, Weekday
from scheduling.generate.working import working_minutes
from scheduling.people import Patient
from scheduling.plan import Costs, GroupBooking, HoldBooking, Plan, VisitBooking
from scheduling.publishing import carried
from scheduling.requests import Current, CurrentGroup, Visit
from scheduling.rules.stability import unchanged
from scheduling.scenario import Scenario
from scheduling.timegrid import WEEKDAYS, stamp
from solver.displacing import displace, settle

MORNING, CALLS, EVENING = 7 * 60, 16 * 60, 18 * 60
"""Minutes of the day: before the clinic opens; by when patients have called off; when the day is over."""

PLANNING_DAY = 3
"""The weekday, from Monday 0, on whose evening the next week is planned for the first time."""


SETTLE_SECONDS = 5.0
"""Longest time for the proof that a day cannot take a patient."""

MEETING_DAYS: tuple[Weekday, ...] = ("MO", "TU", "WE", "TH", "FR")
"""The weekdays that groups prefer, in turn."""


class Practice:
    """A clinic in one world, under one policy."""

    def __init__(self, world: World, policy: Policy) -> None:
        self.world, self.policy = world, policy
        self.pathways = {one.id: one for one in catalogue.pathways()}
        self.services = {one.id: one for one in catalogue.services()}
        self.providers = {one.id: one for one in world.providers}
        self.patients: dict[str, Patient] = {}
        self.closures: list[Closure] = list(world.dates.closures)
        self.episodes: dict[str, Episode] = {}
        self.asked: dict[str, Visit] = {}
        self.since: dict[str, date] = {}
        self.occurrences: dict[str, tuple[str, Occurrence]] = {}
        self.bookings: dict[str, VisitBooking] = {}
        self.sessions: dict[tuple[str, str], GroupBooking] = {}
        self.holds: dict[str, HoldBooking] = {}
        self.referrals: list[PressingReferral] = []
        self.called_off: Counter[str] = Counter()
        self.calls: dict[date, list[tuple[str, datetime]]] = {}
        self.programmes = {one.id: self._programme(one, number) for number, one in enumerate(catalogue.workshops())}
        self.end = world.start
        self.tally = Tally(policy.name, world.seed, Chronicle(until=world.start))
        for arrival in world.pumps():
            self._refer(arrival)

    # ---- The weeks ----

    def run(self) -> Iterator[date]:
        """Live through the weeks; yield the Monday of each one that is over."""
        before = self.world.start - timedelta(weeks=1)
        for day in (before + timedelta(days=n) for n in range(5)):
            for arrival in self.world.arrivals(day):
                if self._can_wait(arrival):
                    self._refer(arrival)
            if day.weekday() >= PLANNING_DAY:
                self._evening(day)
        for week in range(self.world.weeks):
            monday = self.world.start + timedelta(weeks=week)
            self._begin_week(monday)
            for day in (monday + timedelta(days=n) for n in range(5)):
                self._morning(day)
                self._hours(day)
                self._evening(day)
            yield monday
        self._close()

    def _can_wait(self, arrival: Arrival) -> bool:
        """Say whether a patient who is referred in the week before the first can be seen in time."""
        pathway, late = self.pathways[arrival.pathway], arrival.known.weekday() > PLANNING_DAY
        return not pathway.steps[0].same_day and (late or pathway.onset != "new-onset")

    def _begin_week(self, monday: date) -> None:
        self._absences = list(self.world.absences(monday))
        self._closure = self.world.closure(monday)
        until = monday + timedelta(weeks=1)
        for provider in self.providers.values():
            shifts = tuple(one for one in provider.shifts if monday <= one.start.date() < until)
            if not provider.trainee:
                self.tally.supply[monday] += working_minutes(provider.changed(shifts=shifts), self.closures)
        for name, patient in self.world.group_requests(monday):
            self.patients[patient.id] = patient
            programme = self.programmes[name]
            waiting = (*programme.waiting, Waiting(patient=patient.id, priority="routine", since=monday))
            self.programmes[name] = programme.changed(waiting=waiting)

    def _morning(self, day: date) -> None:
        """Plan anew what illness and closures upset that became known this morning."""
        ill = [one for one in self._absences if one.first == day]
        for one in ill:
            provider = self.providers[one.provider]
            self.providers[one.provider] = provider.changed(busy=(*provider.busy, one.interval))
        closed = self._closure if self._closure is not None and self._closure.start.date() == day else None
        if closed is not None:
            self.closures.append(closed)
        if ill or closed is not None:
            self._plan(stamp(day, MORNING), Horizon(start=day, end=self.end), whole=False)

    def _hours(self, day: date) -> None:
        """Take in the day's referrals and cancellations, in order."""
        if day in self.world.dates.holidays:
            return
        for arrival in self.world.arrivals(day):
            self._refer(arrival)
            if self.pathways[arrival.pathway].steps[0].same_day:
                self._fit_in(arrival)
        for visit, start in self.calls.pop(day, []):
            booking = self.bookings.get(visit)
            if booking is not None and booking.start == start:
                self._call_off(visit, stamp(day, CALLS))

    def _evening(self, day: date) -> None:
        """Note what has been, and plan on; on one evening of the week, the next week for the first time."""
        now = stamp(day, EVENING)
        self._note(day, now)
        whole = day.weekday() == PLANNING_DAY
        if whole:
            self.end = day + timedelta(days=len(WEEKDAYS) - day.weekday() + len(WEEKDAYS))
        if day + ONE_DAY < self.end:
            self._plan(now, Horizon(start=day + ONE_DAY, end=self.end), whole)

    # ---- Referrals ----

    def _refer(self, arrival: Arrival) -> None:
        referred = Event(kind="referred", known=arrival.known, date=arrival.known.date())
        self.patients[arrival.patient.id] = arrival.patient
        episode = Episode(
            id=arrival.id,
            pathway=arrival.pathway,
            patient=arrival.patient.id,
            priority=arrival.priority,
            history=(referred,),
        )
        self.episodes[arrival.id] = episode
        first = self.pathways[arrival.pathway].steps[0]
        if first.same_day or self.pathways[arrival.pathway].onset == "new-onset":
            site = "boston" if first.same_day else None
            self.referrals.append(PressingReferral(known=arrival.known, service=first.service, site=site))
        self.tally.chronicle.referred[arrival.id] = arrival.known.date()
        self.tally.chronicle.kinds[arrival.id] = arrival.pathway
        date_of_pump = self.world.reservoir(arrival.id, self.pathways[arrival.pathway], None, arrival.known)
        if date_of_pump is not None and self.pathways[arrival.pathway].steps[0].deadline is not None:
            self._record(arrival.id, date_of_pump)

    def _record(self, episode: str, *events: Event) -> None:
        """Let an episode's history grow; one that is over is put away."""
        found = self.episodes[episode]
        grown = recorded(found, self.pathways[found.pathway], *events)
        self.episodes[episode] = grown
        for event in events:
            if event.kind == "dated" and event.date is not None:
                dates = self.tally.chronicle.reservoirs.setdefault(episode, [])
                dates.append((event.known.date(), event.date))

    def _fit_in(self, arrival: Arrival) -> None:
        """Find a place today for a patient who has just been referred, or prove that there is none."""
        now, day = arrival.known, arrival.known.date()
        episode = self.episodes.pop(arrival.id)
        today = _as_it_stands(self._scenario(now, Horizon(start=day, end=self.end)).scenario)
        self.episodes[arrival.id] = episode
        alone = scenario_of(self._book([episode]), today.horizon, now)
        strangers = tuple(one for one in alone.scenario.patients if one.id not in today.patients_by_id)
        if not any(one.same_day for one in alone.scenario.visits):
            self._not_today(arrival, proven=True)
            return
        addition = Addition(visits=alone.scenario.visits, patients=strangers)
        scenario, plan = self.policy.fit_in(today, self._standing(today), addition)
        visit = addition.visits[0].id
        if visit not in plan.visits_by_id:
            found, proven = displace(scenario, plan, visit), False
            if found is None:
                found, proven = settle(scenario, plan, visit, SETTLE_SECONDS)
            if found is None:
                self._not_today(arrival, proven)
                return
            plan = found
        self.tally.same_day["placed"] += 1
        self._know(alone)
        self._publish(scenario, plan, now)

    def _not_today(self, arrival: Arrival, proven: bool) -> None:
        self.tally.same_day["proven impossible" if proven else "no place found"] += 1
        if proven:
            self.tally.chronicle.excused.add(arrival.id)

    # ---- Planning ----

    def _book(self, episodes: Iterable[Episode]) -> Book:
        current = {
            visit: Current(start=one.start, location=one.location, room=one.room, team=one.team, notified=True)
            for visit, one in self.bookings.items()
        }
        groups = {
            slot: CurrentGroup(
                start=one.start,
                location=one.location,
                room=one.room,
                team=one.team,
                attendees=one.attendees,
                notified=True,
            )
            for slot, one in self.sessions.items()
        }
        return Book(
            clinic=catalogue.clinic(self.providers.values(), closures=self.closures),
            providers=tuple(self.providers.values()),
            patients=tuple(self.patients.values()),
            episodes=tuple(episodes),
            programmes=tuple(self.programmes.values()),
            current=current,
            current_groups=groups,
            referrals=tuple(self.referrals),
            held=self.world.held,
            policy=self.world.policy,
        )

    def _scenario(self, now: datetime, horizon: Horizon) -> NextWeek:
        return scenario_of(self._book(self.episodes.values()), horizon, now)

    def _know(self, found: NextWeek) -> None:
        """Remember what visits are asked for, and since when they wait."""
        for visit in found.scenario.visits:
            subject = found.subjects[visit.id]
            self.asked[visit.id] = visit
            self.occurrences[visit.id] = (subject.episode, subject.occurrence)
            self.since.setdefault(visit.id, found.since[visit.id])

    def _standing(self, scenario: Scenario) -> Plan:
        """Return what stands, as an answer to a scenario."""
        visits = tuple(self.bookings[one.id] for one in scenario.visits if one.current is not None)
        sessions = {one.group: one for one in self.sessions.values()}
        groups = tuple(sessions[one.id] for one in scenario.groups if one.current is not None)
        holds = tuple(self.holds[one.id] for one in scenario.reserves if one.id in self.holds)
        plan = Plan(
            format="clinicweave-plan/1",
            scenario=scenario.id,
            status="feasible",
            cost=0,
            bound=None,
            costs=Costs.of({}),
            visits=visits,
            groups=groups,
            holds=holds,
            shifts=shift_places(scenario, (*visits, *groups, *holds)),
            unscheduled=(),
        )
        return carried(plan, scenario)

    def _plan(self, now: datetime, horizon: Horizon, whole: bool) -> None:
        found = self._scenario(now, horizon)
        self._know(found)
        plan = self.policy.plan(found.scenario, self._standing(found.scenario), whole)
        if whole:
            monday = horizon.end - timedelta(weeks=1)
            self.tally.asked[monday] += len(found.scenario.visits)
            self.tally.left_out[monday] += len(plan.unscheduled)
            for alert in found.alerts:
                self.tally.alerts[alert.kind] += 1
        self._publish(found.scenario, plan, now)

    def _publish(self, scenario: Scenario, plan: Plan, now: datetime) -> None:
        """Make a plan what people live by; count whom it calls again."""
        monday = now.date() - timedelta(days=now.weekday())
        again: set[str] = set()
        for visit in scenario.visits:
            new, old = plan.visits_by_id.get(visit.id), self.bookings.get(visit.id)
            episode, one = self.occurrences[visit.id]
            if old is not None and (new is None or not unchanged(self._place(old), new)):
                again.add(visit.patient)
            if old is not None and new is None:
                self._cancel(visit.id, now)
            elif new is not None:
                self.bookings[visit.id] = new
                if old is None or not unchanged(self._place(old), new):
                    self._record(episode, self._event("planned", one, new, now))
                    self._expect_call(visit.id, new)
        for group in scenario.groups:
            again |= self._publish_session(group.id, plan.groups_by_id.get(group.id), now)
        kept = {
            name: one
            for name, one in self.holds.items()
            if not scenario.horizon.start <= one.start.date() < scenario.horizon.end
        }
        self.holds = kept | {one.reserve: one for one in plan.holds}
        self.tally.recontacted[monday] += len(again)

    def _publish_session(self, group: str, new: GroupBooking | None, now: datetime) -> set[str]:
        """Make a session stand; return who has been told of another."""
        name, month = group[: -len("-2026-12")], group[-len("2026-12") :]
        old, programme = self.sessions.pop((name, month), None), self.programmes[name]
        sessions = tuple(one for one in programme.sessions if f"{one.date:%Y-%m}" != month)
        if new is not None:
            self.sessions[name, month] = new
            sessions = (*sessions, Session(date=new.start.date(), attended=new.attendees))
            months = catalogue.limits().membership_months
            programme = seated(programme, month, new.attendees, months)
        self.programmes[name] = programme.changed(sessions=sessions)
        if old is None:
            return set()
        stays = new is not None and (old.start, old.location) == (new.start, new.location)
        return set(old.attendees) - (set(new.attendees) if new is not None and stays else set())

    def _place(self, booking: VisitBooking) -> Current:
        return Current(start=booking.start, location=booking.location, room=booking.room, team=booking.team, notified=True)

    def _event(self, kind: str, one: Occurrence, booking: VisitBooking, known: datetime) -> Event:
        return Event.model_validate(
            {
                "kind": kind,
                "known": known,
                "step": one.step,
                "number": one.number,
                "date": booking.start.date(),
                "team": booking.team,
                "location": booking.location,
            }
        )

    def _cancel(self, visit: str, now: datetime) -> VisitBooking:
        """Take a visit out of the plan, whoever wants it."""
        booking = self.bookings.pop(visit)
        episode, one = self.occurrences[visit]
        if state(self.episodes[episode], self.pathways[self.episodes[episode].pathway]) == "open":
            self._record(episode, self._event("cancelled", one, booking, now))
        return booking

    def _void(self, episode: str, now: datetime) -> None:
        """Take out of the plan what nothing asks for there any more."""
        found = self.episodes[episode]
        for visit in void_visits(found, self.pathways[found.pathway], now.date()):
            if visit in self.bookings:
                booking = self._cancel(visit, now)
                self._tell(visit, booking, came=False, called_off=True)

    # ---- What patients do ----

    def _expect_call(self, visit: str, booking: VisitBooking) -> None:
        """Find out when the patient of a visit will call it off, if they will."""
        day = booking.start.date()
        known = self.world.cancels(f"{visit}:{self.called_off[visit]}", day)
        if known is not None:
            self.calls.setdefault(known, []).append((visit, booking.start))

    def _call_off(self, visit: str, now: datetime) -> None:
        """Take a visit out of the plan because its patient asks for it, and with it what follows it or is part of its day."""
        self.called_off[visit] += 1
        episode, _ = self.occurrences[visit]
        booking = self._cancel(visit, now)
        self._tell(visit, booking, came=False, called_off=True)
        self._void(episode, now)

    def _note(self, day: date, now: datetime) -> None:
        """Note what has been on a day: who came, and what came of it."""
        today = sorted((one for one in self.bookings.values() if one.start.date() == day), key=lambda one: one.start)
        for booking in today:
            if booking.visit not in self.bookings:
                continue
            episode, one = self.occurrences[booking.visit]
            patient = self.asked[booking.visit].patient
            came = self.world.comes(patient, day)
            del self.bookings[booking.visit]
            self._tell(booking.visit, booking, came)
            self._record(episode, self._event("done" if came else "no-show", one, booking, now))
            if came:
                self._note_outcome(episode, one, now)
            self._void(episode, now)
            found = self.episodes[episode]
            if state(found, self.pathways[found.pathway]) != "open":
                del self.episodes[episode]
        for slot, session in list(self.sessions.items()):
            if session.start.date() == day:
                self._meet(slot, session)

    def _note_outcome(self, episode: str, one: Occurrence, now: datetime) -> None:
        found = self.episodes[episode]
        pathway = self.pathways[found.pathway]
        step = pathway.step(one.step)
        came = self.world.outcome(episode, one, step, now)
        if came is not None:
            self._record(episode, came)
            favourable = (came.outcome or step.outcome_of(came.relief_percent or 0)) == step.outcomes[0].id
            key = (episode, step.service)
            self.tally.chronicle.outcomes.setdefault(key, []).append((now.date(), favourable))
        dated = self.world.reservoir(episode, pathway, one, now)
        if dated is not None:
            self._record(episode, dated)

    def _tell(self, visit: str, booking: VisitBooking, came: bool, called_off: bool = False) -> None:
        """Tell the chronicle of a visit that was, or that its patient did not come to."""
        episode, _ = self.occurrences[visit]
        asked = self.asked[visit]
        service = self.services[asked.service]
        day = booking.start.date()
        monday = day - timedelta(days=day.weekday())
        self.tally.chronicle.visits.append(
            Attended(
                course=episode,
                patient=asked.patient,
                service=asked.service,
                start=booking.start,
                end=booking.end,
                location=booking.location,
                team=booking.team,
                supervisors=booking.supervisors,
                attention=service.attention,
                came=came,
                called_off=called_off,
            )
        )
        if came:
            self.tally.visits[monday] += 1
            self.tally.minutes[monday] += service.minutes * len(booking.team)
            self.tally.wait(self.episodes[episode].priority, monday, (day - self.since[visit]).days)

    def _meet(self, slot: tuple[str, str], session: GroupBooking) -> None:
        name, _ = slot
        del self.sessions[slot]
        programme = self.programmes[name]
        came = tuple(one for one in session.attendees if self.world.comes(one, session.start.date()))
        kept = tuple(one for one in programme.sessions if one.date != session.start.date())
        self.programmes[name] = programme.changed(sessions=(*kept, Session(date=session.start.date(), attended=came)))
        met = Met(name, session.start, session.room, session.team, session.attendees, programme.capacity)
        self.tally.chronicle.sessions.append(met)

    # ---- Beginning and end ----

    def _programme(self, workshop: Workshop, number: int) -> Programme:
        members = self.world.members(workshop.id)
        self.patients |= {one.id: one for one in members}
        limits = catalogue.limits()
        since = self.world.start - timedelta(weeks=8)
        last = self.world.start - timedelta(days=28 - number)
        return Programme(
            id=workshop.id,
            name=workshop.name,
            service=workshop.service,
            required=workshop.required,
            capacity=workshop.capacity,
            min_attendees=workshop.min_attendees,
            min_days=limits.group_min_days,
            max_days=limits.group_max_days,
            weekday=MEETING_DAYS[number % len(MEETING_DAYS)],
            members=tuple(Member(patient=one.id, priority="routine", since=since) for one in members),
            sessions=(Session(date=last),),
        )

    def _close(self) -> None:
        """Complete the chronicle with what its judge has to know."""
        told = self.tally.chronicle
        until = self.world.start + timedelta(weeks=self.world.weeks)
        told.until = until
        told.roles = {one.id: one.role for one in self.providers.values()}
        told.works = self._cares()
        told.months = {
            one.id: [month for month in _whole_months(self.world.start, until)]
            for one in self.programmes.values()
            if one.required
        }
        self.tally.waiting = len(self.episodes)

    def _cares(self) -> Cares:
        return care_days(catalogue.clinic(closures=self.closures), self.providers.values(), self.patients.values())


def _as_it_stands(scenario: Scenario) -> Scenario:
    """Return a scenario without what is not planned yet."""
    visits = tuple(one for one in scenario.visits if one.current is not None)
    known = {one.id for one in visits}
    links = tuple(one for one in scenario.links if one.before in known and one.after in known)
    groups = tuple(one for one in scenario.groups if one.current is not None)
    return scenario.changed(visits=visits, links=links, groups=groups)


def _whole_months(start: date, until: date) -> Iterator[str]:
    """Yield the calendar months that lie in ``[start, until)`` whole."""
    month = (start.replace(day=28) + timedelta(days=4)).replace(day=1) if start.day > 1 else start
    while (after := (month.replace(day=28) + timedelta(days=4)).replace(day=1)) <= until:
        yield f"{month:%Y-%m}"
        month = after
