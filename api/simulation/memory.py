"""What is remembered of a simulated clinic: its chronicle, which the judge of care reads, and the counts of its report.

All of it is read from the store, week by week. What the store forgets is read in time: the place of a visit that is given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from api.simulation.desk import SimulatedDesk
from api.simulation.measures import SimulationTally
from api.simulation.world import SimulatedReferral
from api.store.queries.bookings import StandingBooking
from scheduling import catalogue
from scheduling.care.episodes import Episode
from scheduling.care.rolling import NextWeek, make_availability
from scheduling.care.rules import PastSession, PastVisit
from scheduling.clinic import Closure
from scheduling.people import Provider
from scheduling.timegrid import WEEKDAYS


class Memory:
    """What is remembered of one clinic; courses of care are named by their patients, who have one each."""

    def __init__(self, desk: SimulatedDesk, tally: SimulationTally, staff: Iterable[Provider]) -> None:
        self._desk, self._tally = desk, tally
        self._services = {service.id: service for service in catalogue.list_services()}
        self._capacities = {workshop.id: workshop.capacity for workshop in catalogue.list_workshops()}
        self._since: dict[str, date] = {}
        self._trainees = {provider.id for provider in staff if provider.trainee}

    def name_visit(self, booking: StandingBooking) -> str:
        """Return the name of a visit whatever ids there are: its patient, and which visit of theirs it is."""
        (patient,) = booking.placing.ids("patient")
        return f"{patient}{booking.row.subject_id.removeprefix(booking.row.subject_id.split('.')[0])}"

    # ---- As it happens ----

    def remember_waiting(self, next_week: NextWeek) -> None:
        """Remember since when the visits wait that a week is asked for and that have no place yet."""
        for visit in next_week.scenario.visits:
            if visit.current is None:
                self._since[visit.id] = next_week.since[visit.id]

    def remember_same_day(self, visit: str, arrival: SimulatedReferral, impossible: bool) -> None:
        """Remember a referral of the day, and that the day is proven not to take it."""
        self._since[visit] = arrival.known.date()
        if impossible:
            self._tally.chronicle.excused.add(arrival.patient.id)

    @contextmanager
    def remember_given_up(
        self, first: date, days: int, taken: Callable[[StandingBooking], bool] | None = None
    ) -> Iterator[None]:
        """Remember the visits that stand no more at the end of the block: their patients did not want them, or need them.

        Parameters
        ----------
        taken
            Says whose place was taken by illness or a closure: only those are remembered, as such.
        """
        before = {
            booking.row.subject_id: booking
            for booking in self._desk.list_standing(first, days)
            if booking.row.kind == "visit" and (taken is None or taken(booking))
        }
        yield
        gone = before.keys() - {booking.row.subject_id for booking in self._desk.list_standing(first, days)}
        self._remember_visits([before[visit] for visit in sorted(gone)], called_off=True, taken=taken is not None)

    # ---- When a week is over ----

    def close_week(self, monday: date) -> None:
        """Remember what a week has been."""
        been = self._desk.list_standing(monday, len(WEEKDAYS))
        visits = [booking for booking in been if booking.row.kind == "visit"]
        done = [booking for booking in visits if booking.row.state == "done"]
        self._remember_visits([booking for booking in visits if booking.row.state in ("done", "no-show")])
        self._tally.chronicle.sessions += [self._describe_session(booking) for booking in been if booking.row.kind == "group"]
        subjects = self._desk.load_subjects([booking.row.subject_id for booking in done])
        known = self._desk.load_episodes({subject.episode for subject in subjects.values()})
        for booking in done:
            episode = known[subjects[booking.row.subject_id].episode]
            day = self._desk.wall(booking.row.starts_at).date()
            self._tally.visits[monday] += 1
            self._tally.wait(episode.priority, monday, (day - self._since[booking.row.subject_id]).days)
            self._tally.minutes[monday] += self._count_minutes(booking)

    def _remember_visits(self, visits: Iterable[StandingBooking], called_off: bool = False, taken: bool = False) -> None:
        for booking in visits:
            (patient,) = booking.placing.ids("patient")
            self._tally.chronicle.visits.append(
                PastVisit(
                    course=patient,
                    patient=patient,
                    service=booking.row.service,
                    start=self._desk.wall(booking.row.starts_at),
                    end=self._desk.wall(booking.row.ends_at),
                    location=booking.row.location,
                    team=booking.placing.ids("team"),
                    supervisors=booking.placing.ids("supervisor"),
                    attention=self._services[booking.row.service].attention,
                    came=booking.row.state == "done",
                    called_off=called_off,
                    taken=taken,
                )
            )

    def _describe_session(self, booking: StandingBooking) -> PastSession:
        _, subject, month = booking.placing.subject
        group = subject.removesuffix(f"-{month}")
        start, placing = self._desk.wall(booking.row.starts_at), booking.placing
        return PastSession(group, start, placing.room, placing.ids("team"), placing.ids("patient"), self._capacities[group])

    def _count_minutes(self, booking: StandingBooking) -> int:
        """Return the minutes of providers, trainees apart, that a visit took; who supervises has half of them for others."""
        service = self._services[booking.row.service]
        team = sum(who not in self._trainees for who in booking.placing.ids("team"))
        return service.minutes * team + service.minutes * service.attention * len(booking.placing.ids("supervisor")) // 2

    # ---- At the end ----

    def close(self, start: date, until: date, providers: Iterable[Provider], closures: Iterable[Closure]) -> None:
        """Complete the chronicle: what was asked for, what came of it, and who worked when."""
        told, people = self._tally.chronicle, tuple(providers)
        told.until = until
        told.roles = {provider.id: provider.role for provider in people}
        told.works = make_availability(catalogue.build_clinic(closures=tuple(closures)), people, self._desk.load_patients())
        told.months = {
            workshop.id: list(_whole_months(start, until)) for workshop in catalogue.list_workshops() if workshop.required
        }
        for episode in self._desk.iterate_episodes():
            self._keep_course(episode)
        self._tally.waiting = self._desk.count_open_episodes()

    def _keep_course(self, episode: Episode) -> None:
        told, course, pathway = self._tally.chronicle, episode.patient, catalogue.get_pathway(episode.pathway)
        told.referred[course], told.kinds[course] = episode.referred_on, episode.pathway
        for event in episode.history:
            if event.kind == "dated" and event.date is not None:
                told.reservoirs.setdefault(course, []).append((event.known.date(), event.date))
            elif event.kind == "outcome" and event.step is not None:
                step = pathway.step(event.step)
                came = event.outcome or step.outcome_of(event.relief_percent or 0)
                known = told.outcomes.setdefault((course, step.service), [])
                known.append((event.known.date(), came == step.outcomes[0].id))


def _whole_months(start: date, until: date) -> Iterator[str]:
    """Yield the calendar months that lie in ``[start, until)`` whole."""
    month = (start.replace(day=28) + timedelta(days=4)).replace(day=1) if start.day > 1 else start
    while (after := (month.replace(day=28) + timedelta(days=4)).replace(day=1)) <= until:
        yield f"{month:%Y-%m}"
        month = after
