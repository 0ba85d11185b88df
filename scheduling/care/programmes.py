"""Group programmes: members for some months, one session each calendar month, and who waits for a seat.

A session takes place once a calendar month, ``min_days`` to ``max_days`` after the last, on the preferred weekday where
somebody can lead it then. Members come first, then those who wait, by priority and by how long they have waited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from scheduling import catalogue
from scheduling.care.agenda import raise_priority
from scheduling.care.windows import IsCareDay
from scheduling.catalogue.entries import Workshop
from scheduling.fields import Count, Date, Horizon, Id, Model, Positive, Priority, Weekday
from scheduling.requests import Candidate, CurrentGroup, Group
from scheduling.timegrid import weekday

IDEAL_DAYS = 28
"""Days after the last session at which the next is best: four weeks, on the same weekday."""

ORDER: tuple[Priority, ...] = ("cancer", "urgent", "soon", "routine")


class ProgrammeMember(Model):
    """A patient with a seat, from a date to before another (null: for as long as they like)."""

    patient: Id
    priority: Priority
    since: Date
    until: Date | None = None

    def on(self, day: date) -> bool:
        """Return whether the patient is a member on a day."""
        return self.since <= day and (self.until is None or day < self.until)


class WaitingPatient(Model):
    """A patient who waits for a seat since a date."""

    patient: Id
    priority: Priority
    since: Date


class ProgrammeSession(Model):
    """A session that has been, or stands in a published plan, and who came or is to come."""

    date: Date
    attended: tuple[Id, ...] = ()


class Programme(Model):
    """A group that meets once a calendar month; ``sessions`` in order."""

    id: Id
    name: str
    service: Id
    required: bool
    capacity: Positive
    min_attendees: Positive
    min_days: Count
    max_days: Count
    weekday: Weekday | None = None
    members: tuple[ProgrammeMember, ...] = ()
    waiting: tuple[WaitingPatient, ...] = ()
    sessions: tuple[ProgrammeSession, ...] = ()

    def last_before(self, month: str) -> date | None:
        """Return the date of the last session before a calendar month."""
        return max((session.date for session in self.sessions if f"{session.date:%Y-%m}" < month), default=None)

    def list_people(self) -> set[str]:
        """Return the patients who have a seat, or wait for one."""
        return {member.patient for member in self.members} | {waiting.patient for waiting in self.waiting}

    def name_group(self, month: str) -> str:
        """Return the id of the group that is a month's session."""
        return f"{self.id}-{month}"

    def next_dates(self) -> tuple[date, date] | None:
        """Return the first and the last date on which the session after the last one may be; None: there was none yet.

        It is in a later month than the last, ``min_days`` to ``max_days`` after it.
        """
        if not self.sessions:
            return None
        last = max(session.date for session in self.sessions)
        later = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
        return max(later, last + timedelta(days=self.min_days)), last + timedelta(days=self.max_days)

    def has_met_in(self, month: str) -> bool:
        """Return whether a session was, or is to be, in a calendar month."""
        return any(f"{session.date:%Y-%m}" == month for session in self.sessions)


def open_programme(workshop: Workshop) -> Programme:
    """Return the programme of a workshop of the catalogue; nobody has a seat yet."""
    limits = catalogue.get_limits()
    return Programme(
        id=workshop.id,
        name=workshop.name,
        service=workshop.service,
        required=workshop.required,
        capacity=workshop.capacity,
        min_attendees=workshop.min_attendees,
        min_days=limits.group_min_days,
        max_days=limits.group_max_days,
    )


def list_candidates(programme: Programme, day: date) -> tuple[Candidate, ...]:
    """Return who may be given a seat around a day: members, then those who wait, the most urgent and the longest first.

    Who has waited for over a month is asked for with the next higher priority.
    """
    members = [member for member in programme.members if member.on(day)]
    known = {member.patient for member in members}
    queue = sorted(programme.waiting, key=lambda waiting: (ORDER.index(waiting.priority), waiting.since, waiting.patient))
    seated = [Candidate(patient=member.patient, priority=member.priority) for member in members]
    waiting = [
        Candidate(patient=entry.patient, priority=raise_priority(entry.priority, entry.since + timedelta(days=IDEAL_DAYS), day))
        for entry in queue
        if entry.patient not in known
    ]
    return (*seated, *waiting)


def list_session_days(programme: Programme, month: str, is_care_day: IsCareDay) -> list[date]:
    """Return the days of care of a month on which the session may be."""
    first = date.fromisoformat(f"{month}-01")
    last = programme.last_before(month)
    days = (first + timedelta(days=n) for n in range(31))
    return [
        day
        for day in days
        if f"{day:%Y-%m}" == month
        and is_care_day(day, programme.service, None, None)
        and (last is None or programme.min_days <= (day - last).days <= programme.max_days)
    ]


def find_best_day(programme: Programme, month: str, is_care_day: IsCareDay) -> date | None:
    """Return the day of a month that a session is best on; None: the month has none for it."""
    days = list_session_days(programme, month, is_care_day)
    last = programme.last_before(month)
    middle = days[len(days) // 2] if days else None

    def worth(day: date) -> tuple[bool, int, date]:
        ideal = middle if last is None else last + timedelta(days=IDEAL_DAYS)
        assert ideal is not None
        return (programme.weekday is not None and weekday(day) != programme.weekday, abs((day - ideal).days), day)

    return min(days, key=worth, default=None)


def list_months(horizon: Horizon) -> tuple[str, ...]:
    """Return the calendar months that a horizon touches, in order."""
    days = (horizon.start + timedelta(days=n) for n in range((horizon.end - horizon.start).days))
    return tuple(dict.fromkeys(f"{day:%Y-%m}" for day in days))


def build_groups(
    programmes: Iterable[Programme],
    horizon: Horizon,
    current: Callable[[str, str], CurrentGroup | None],
    is_care_day: IsCareDay,
) -> tuple[Group, ...]:
    """Return the sessions that a horizon is asked for.

    A month's session is asked for in the horizon that holds its best day, and in every later one until it has been. Of a
    programme, one session is asked for that does not stand yet: the next depends on when it is. One that stands is held
    for those who have a place in it, however few have stayed.

    Parameters
    ----------
    current
        Where a programme's session of a month stands in the plan that people live by.
    is_care_day
        Says whether a service is given on a day.
    """
    groups = []
    for programme in programmes:
        for month in list_months(horizon):
            stands = current(programme.id, month)
            group = _group(programme, month, horizon, stands, is_care_day)
            if group is not None:
                groups.append(group)
                if stands is None:
                    break
    return tuple(groups)


def _group(
    programme: Programme,
    month: str,
    horizon: Horizon,
    stands: CurrentGroup | None,
    is_care_day: IsCareDay,
) -> Group | None:
    within = stands is not None and horizon.start <= stands.start.date() < horizon.end
    if not within and (stands is not None or programme.has_met_in(month)):
        return None
    best = find_best_day(programme, month, is_care_day)
    days = [day for day in list_session_days(programme, month, is_care_day) if horizon.start <= day < horizon.end]
    if not within and (best is None or best >= horizon.end or not days):
        return None
    last = programme.last_before(month)
    least, most = programme.min_days, programme.max_days
    preferred = [day for day in days if weekday(day) == programme.weekday]
    if last is not None and not within and preferred and max(list_session_days(programme, month, is_care_day)) >= horizon.end:
        least = most = (preferred[0] - last).days
    whoever = list_candidates(programme, stands.start.date() if within and stands else days[0])
    attending = stands.attendees if within and stands else ()
    return Group(
        id=programme.name_group(month),
        name=programme.name,
        service=programme.service,
        month=month,
        required=programme.required,
        capacity=programme.capacity,
        min_attendees=min(programme.min_attendees, len(attending)) if attending else programme.min_attendees,
        candidates=(*whoever, *_seated_otherwise(attending, whoever)),
        last_session=last,
        min_days_between=least,
        max_days_between=most,
        current=stands if within else None,
    )


def _seated_otherwise(attending: Iterable[str], known: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return those who have a place in a session that stands although no seat of the programme is theirs by now."""
    others = set(attending) - {seat.patient for seat in known}
    return tuple(Candidate(patient=patient, priority="routine") for patient in sorted(others))


def seat_attendees(programme: Programme, month: str, attendees: Iterable[str], months: int) -> Programme:
    """Return a programme whose session of a month is published: who waited and has a seat is a member for some months."""
    first = date.fromisoformat(f"{month}-01")
    until = first
    for _ in range(months):
        until = (until.replace(day=28) + timedelta(days=4)).replace(day=1)
    came = set(attendees)
    joined = [waiting for waiting in programme.waiting if waiting.patient in came]
    members = (
        *programme.members,
        *(ProgrammeMember(patient=o.patient, priority=o.priority, since=first, until=until) for o in joined),
    )
    return programme.changed(members=members, waiting=tuple(waiting for waiting in programme.waiting if waiting not in joined))
