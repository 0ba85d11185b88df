"""A week that has begun: some visits of its first day stand, one after the other, as people have been told or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import product

from scheduling.clinic import Service
from scheduling.people import Patient, Provider, Shift
from scheduling.requests import Current, Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import weekday

Span = tuple[datetime, datetime]


class StandingDay:
    """Gives visits of a day a place beside each other, first come, first served; what is simple alone is placed."""

    def __init__(self, scenario: Scenario, day: date) -> None:
        self._scenario = scenario
        self._day = day
        self._taken: dict[tuple[str, str], list[Span]] = {}
        self._places: dict[tuple[str, datetime], str] = {}
        self._minutes: Counter[str] = Counter()
        self._linked = {end for link in scenario.links for end in (link.before, link.after)}
        self._step = timedelta(minutes=scenario.clinic.start_grid_minutes)
        for provider in scenario.providers:
            self._taken["provider", provider.id] = [(time.start, time.end) for time in provider.busy]
        for patient in scenario.patients:
            self._taken["patient", patient.id] = [(time.start, time.end) for time in patient.unavailable]
        for closure in scenario.clinic.closures:
            for room in scenario.clinic.rooms:
                if closure.closes_room(room.id) or closure.closes_location(room.location):
                    self._taken.setdefault(("room", room.id), []).append((closure.start, closure.end))

    def place(self, count: int) -> dict[str, Current]:
        """Return the places of some visits; every third has not been told, every third is a trainee's where there is one."""
        standing: dict[str, Current] = {}
        for visit in self._scenario.visits:
            if len(standing) == count:
                break
            if self._is_simple(visit) and (current := self._find(visit, len(standing))) is not None:
                standing[visit.id] = current
        return standing

    def _is_simple(self, visit: Visit) -> bool:
        service = self._scenario.services[visit.service]
        first = not self._taken["patient", visit.patient]
        on_day = first and visit.earliest <= self._day and (visit.deadline is None or self._day <= visit.deadline)
        alone = visit.id not in self._linked and len(service.team) == 1 and not service.recovery and not visit.same_day
        blocked = any(visit.service in block.services for block in self._scenario.clinic.blocks)
        plain = not service.equipment and not visit.equipment and visit.required_provider is None
        return on_day and alone and plain and service.room is not None and not blocked

    def _find(self, visit: Visit, number: int) -> Current | None:
        service, patient = self._scenario.service_of(visit), self._scenario.patients_by_id[visit.patient]
        for provider, shift, location in self._list_shifts(service, patient):
            start = shift.start
            while start + timedelta(minutes=service.minutes) <= shift.end:
                trainee = self._find_trainee(service, location, start) if number % 3 == 1 else None
                room = self._find_room(service, location, start)
                people = [provider.id, *([trainee] if trainee else [])]
                if room is not None and self._is_free(service, patient, people, start):
                    self._take(service, patient, people, room, start)
                    self._places[provider.id, shift.start] = location
                    team, supervisors = ((trainee,), (provider.id,)) if trainee else ((provider.id,), ())
                    return Current(
                        start=start,
                        location=location,
                        room=room,
                        team=team,
                        supervisors=supervisors,
                        notified=number % 3 != 0,
                    )
                start += self._step
        return None

    def _list_shifts(self, service: Service, patient: Patient) -> Iterator[tuple[Provider, Shift, str]]:
        """Yield the shifts of the day on which somebody could have the visit, and where."""
        able = (who for who in self._scenario.providers if not who.trainee and who.can_fill(service.team[0].any_of))
        for provider, location in product(able, service.locations):
            for shift in provider.shifts:
                chosen = self._places.get((provider.id, shift.start), location)
                here = location in shift.locations and chosen == location
                reached = self._scenario.site(location) in patient.allowed_sites
                if shift.start.date() == self._day and here and reached and not self._is_reserved(provider):
                    yield provider, shift, location

    def _is_reserved(self, provider: Provider) -> bool:
        blocks = (block for block in self._scenario.clinic.blocks if block.weekday == weekday(self._day))
        return any(provider.id in block.providers for block in blocks)

    def _find_trainee(self, service: Service, location: str, start: datetime) -> str | None:
        end = start + timedelta(minutes=service.minutes)
        for trainee in self._scenario.providers:
            at_work = any(s.start <= start and end <= s.end and s.locations == (location,) for s in trainee.shifts)
            able = trainee.trainee and trainee.can_fill(service.team[0].any_of)
            if at_work and able and _is_free_of(self._taken["provider", trainee.id], start, end):
                for shift in trainee.shifts:
                    self._places[trainee.id, shift.start] = location
                return trainee.id
        return None

    def _find_room(self, service: Service, location: str, start: datetime) -> str | None:
        end = start + timedelta(minutes=service.minutes + service.turnover)
        suitable = (
            room.id
            for room in self._scenario.clinic.rooms
            if room.location == location and service.room is not None and service.room.suits(room)
        )
        return next((room for room in suitable if _is_free_of(self._taken.get(("room", room), ()), start, end)), None)

    def _is_free(self, service: Service, patient: Patient, people: Sequence[str], start: datetime) -> bool:
        end = start + timedelta(minutes=service.minutes)
        spans = [*(self._taken["provider", who] for who in people), self._taken["patient", patient.id]]
        limits = {who: self._scenario.providers_by_id[who].max_minutes_per_day for who in people}
        rested = all(self._minutes[who] + service.minutes <= limit for who, limit in limits.items())
        return rested and all(_is_free_of(taken, start, end) for taken in spans)

    def _take(self, service: Service, patient: Patient, people: Sequence[str], room: str, start: datetime) -> None:
        end = start + timedelta(minutes=service.minutes)
        self._minutes.update(dict.fromkeys(people, service.minutes))
        for key in (*(("provider", who) for who in people), ("patient", patient.id)):
            self._taken[key].append((start, end))
        self._taken.setdefault(("room", room), []).append((start, end + timedelta(minutes=service.turnover)))


def _is_free_of(taken: Iterable[Span], start: datetime, end: datetime) -> bool:
    return not any(begin < end and start < until for begin, until in taken)
