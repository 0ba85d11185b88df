"""The rules of care, judged on a whole history: what was done, missed and asked for, over any number of weeks.

A judge of its own: it knows the rules as a clinician would write them down, with their numbers, and nothing of pathways,
episodes and windows, whose work it judges. What a single plan has to keep (rooms, shifts, supervision) is judged by
:mod:`scheduling.rules`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import count, pairwise

Works = Callable[[date, str, str | None, str | None], bool]
"""Says whether a service is given on a day: by one provider, and where one patient may come, if they are named."""


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A visit that took place, or to which nobody came.

    Attributes
    ----------
    course : str
        The episode of care that it belongs to: visits of one course are judged together.
    came : bool
        False: the patient did not come, or called it off.
    called_off : bool
        It was called off beforehand, so that nobody waited for them.
    taken : bool
        Illness or a closure took its place, and there was no other at once: it is made up for as if the patient had called it
        off.
    """

    course: str
    patient: str
    service: str
    start: datetime
    end: datetime
    location: str
    team: tuple[str, ...]
    supervisors: tuple[str, ...] = ()
    attention: int = 1
    came: bool = True
    called_off: bool = False
    taken: bool = False

    @property
    def day(self) -> date:
        """The date."""
        return self.start.date()


@dataclass(frozen=True, slots=True)
class PastSession:
    """A group's session."""

    group: str
    start: datetime
    room: str | None
    team: tuple[str, ...]
    attendees: tuple[str, ...]
    capacity: int


@dataclass(frozen=True, slots=True)
class CareViolation:
    """A rule that was broken: its name, the course or group, the day, and the finding."""

    rule: str
    subject: str
    day: date
    detail: str


@dataclass
class CareHistory:
    """Everything that happened in a clinic.

    Attributes
    ----------
    visits, sessions : list
        In any order.
    referred : dict
        The day of each course's referral.
    kinds : dict
        What each course was begun for: its pathway.
    outcomes : dict
        What came of courses, by course and service: days, and whether it was favourable.
    reservoirs : dict
        Low-reservoir dates, by course: the day on which each became known, and the date.
    stopped : dict
        The day from which a course was stopped.
    until : date
        The day after the last that was lived through.
    excused : set
        Referrals of the day for which a proof says that the day could not take them.
    months : dict
        The calendar months that were lived through whole, by group.
    roles : dict
        What each provider is.
    works : callable
        On which days a service is given.
    """

    until: date
    visits: list[PastVisit] = field(default_factory=list)
    sessions: list[PastSession] = field(default_factory=list)
    referred: dict[str, date] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], list[tuple[date, bool]]] = field(default_factory=dict)
    reservoirs: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    stopped: dict[str, date] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    months: dict[str, list[str]] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    works: Works = lambda day, service, provider, patient: day.weekday() < 5

    @cached_property
    def courses(self) -> Mapping[str, list[PastVisit]]:
        """The visits of each course, in order."""
        visits_by_course: dict[str, list[PastVisit]] = {course: [] for course in self.kinds}
        for visit in sorted(self.visits, key=lambda visit: (visit.start, visit.service)):
            visits_by_course[visit.course].append(visit)
        return visits_by_course

    def of_kind(self, *kinds: str) -> Iterator[tuple[str, list[PastVisit]]]:
        """Yield the courses of some kinds, each with its visits in order."""
        for course, visits in self.courses.items():
            if self.kinds[course] in kinds:
                yield course, visits

    def is_over(self, last: date, course: str) -> bool:
        """Return whether a day is past, and its course was not stopped before."""
        return last < min(self.until, self.stopped.get(course, date.max))

    def reach(self, first: date, last: date, service: str, provider: str | None, patient: str | None, turn: int = 1) -> date:
        """Return the end of a window; of one in which the service is given on no day, the next such day.

        Of a series, ``turn`` days from one session to the next, such a window goes on to the end of the next turn that has one.
        """
        days = (first + timedelta(days=n) for n in range((last - first).days + LONGEST_CLOSURE))
        given = next((day for day in days if self.works(day, service, provider, patient)), last)
        return next(end for n in count() if (end := last + timedelta(days=n * turn)) >= given)


LONGEST_CLOSURE = 60
"""Days after which a service is taken to be given no more."""

AGAIN_DAYS = 7
"""Days after a missed visit within which it has to be made up for."""


def _spaced(
    history: CareHistory, rule: str, course: str, service: str, since: date, days: tuple[int, int | None],
    tries: Sequence[PastVisit], again: int = AGAIN_DAYS, provider: str | None = None, turn: int = 1,
) -> Iterator[CareViolation]:  # fmt: skip
    """Yield what is wrong with the distance of a visit from a day: its first try within the days, each other after a miss."""
    least, most = days
    earliest = since + timedelta(days=least)
    patient = next((visit.patient for visit in history.courses[course]), None)
    limit = None if most is None else history.reach(earliest, since + timedelta(days=most), service, provider, patient, turn)
    for attempt in tries:
        days_after = (attempt.day - since).days
        if attempt.came and attempt.day < earliest:
            yield CareViolation(rule, course, attempt.day, f"{service} {days_after} days after, not {least} at least")
        if limit is not None and attempt.day > limit:
            yield CareViolation(rule, course, attempt.day, f"{service} {days_after} days after, not by {limit}")
        if attempt.came:
            return
        if limit is not None:
            after = attempt.day + timedelta(days=1)
            limit = max(limit, history.reach(after, attempt.day + timedelta(days=again), service, provider, patient, turn))
    if limit is not None and history.is_over(limit, course):
        yield CareViolation(rule, course, limit, f"{service} has not been by then")


def _tries(visits: Iterable[PastVisit], service: str, after: PastVisit | None = None) -> list[PastVisit]:
    return [visit for visit in visits if visit.service == service and (after is None or visit.start > after.start)]


def _tries_between(visits: Iterable[PastVisit], done: Sequence[PastVisit], number: int) -> list[PastVisit]:
    """Return the tries at what follows the ``number``-th of some visits done, up to the one that was done next."""
    tries = _tries(visits, done[number].service, done[number])
    return [attempt for attempt in tries if number + 1 >= len(done) or attempt.start <= done[number + 1].start]


def _done(visits: Iterable[PastVisit], service: str) -> list[PastVisit]:
    return [visit for visit in visits if visit.service == service and visit.came]


def _favourable(history: CareHistory, course: str, service: str, by: date) -> bool | None:
    """Return the last outcome of a service that was known on a day."""
    known = [good for day, good in history.outcomes.get((course, service), ()) if day <= by]
    return known[-1] if known else None


def same_day_consults(history: CareHistory) -> Iterator[CareViolation]:
    """1: a new consult for a patient with cancer takes place on the day of the referral."""
    for course, visits in history.of_kind("cancer-consult", "inpatient-consult", "spinal-drug-delivery"):
        referred = history.referred[course]
        consults = [visit for visit in visits if visit.service in ("cancer-consult", "inpatient-consult")]
        if (
            course not in history.excused
            and history.is_over(referred, course)
            and not (consults and consults[0].day == referred)
        ):
            yield CareViolation("same-day-consult", course, referred, "not seen on the day of the referral")


def cancer_clinic(history: CareHistory) -> Iterator[CareViolation]:
    """2: the Advanced Cancer Pain Clinic is on Wednesday afternoons at Yawkey, by both physicians, who do nothing else then.

    A consult of the day may be seen there between its visits.
    """
    clinic = [visit for visit in history.visits if visit.service == "advanced-cancer-visit"]
    people = {(visit.day, who) for visit in clinic for who in visit.team if not visit.called_off}
    for visit in clinic:
        roles = sorted(history.roles.get(who, who) for who in visit.team)
        hours = (12, 17) if visit.start.hour < 13 or (visit.end.hour, visit.end.minute) > (17, 0) else None
        if visit.day.weekday() != 2 or visit.location != "yawkey" or hours:
            yield CareViolation("cancer-clinic", visit.course, visit.day, f"{visit.start:%a %H:%M} at {visit.location}")
        if roles != ["cancer-pain-physician", "palliative-physician"]:
            yield CareViolation("cancer-clinic", visit.course, visit.day, f"by {', '.join(roles)}")
    for visit in history.visits:
        is_welcome = visit.service == "cancer-consult" and visit.location == "yawkey"
        if (
            visit.service != "advanced-cancer-visit"
            and not is_welcome
            and not visit.called_off
            and visit.end.time() > AFTERNOON
        ):
            for who in (*visit.team, *visit.supervisors):
                if (visit.day, who) in people and visit.start.hour < 17:
                    yield CareViolation("cancer-clinic", visit.course, visit.day, f"{who} does {visit.service} in its hours")


AFTERNOON = time(13)


def monthly_groups(history: CareHistory) -> Iterator[CareViolation]:
    """3: each group meets once a calendar month, 3 to 6 weeks after the last time, with a psychologist, within its capacity."""
    for group, months in history.months.items():
        met = sorted((session for session in history.sessions if session.group == group), key=lambda session: session.start)
        for month in months:
            times = sum(f"{session.start:%Y-%m}" == month for session in met)
            if times != 1:
                yield CareViolation("monthly-group", group, date.fromisoformat(f"{month}-01"), f"met {times} times in {month}")
        for early, late in pairwise(met):
            days = (late.start.date() - early.start.date()).days
            if not 21 <= days <= 42:
                yield CareViolation("monthly-group", group, late.start.date(), f"met {days} days after the last time")
        for session in met:
            if len(session.attendees) > session.capacity or session.room is None:
                seats = f"{len(session.attendees)} seats of {session.capacity}"
                yield CareViolation("monthly-group", group, session.start.date(), seats)
            if "psychologist" not in {history.roles.get(who, who) for who in session.team}:
                yield CareViolation("monthly-group", group, session.start.date(), "no psychologist")


STIMULATION = {
    "spinal-cord-stimulation": ("scs-trial", "scs-lead-removal", "scs-implant"),
    "dorsal-root-ganglion-stimulation": ("drg-trial", "drg-lead-removal", "drg-implant"),
}


def psychologist_first(history: CareHistory) -> Iterator[CareViolation]:
    """4: a stimulator trial is at least 7 days after a psychological assessment that was not negative."""
    for kind, (trial, _, _) in STIMULATION.items():
        for course, visits in history.of_kind(kind):
            for attempt in _tries(visits, trial):
                before = [a for a in _done(visits, "scs-assessment") if (attempt.day - a.day).days >= 7]
                if not before:
                    yield CareViolation("psychologist-first", course, attempt.day, "no assessment 7 days before")
                elif _favourable(history, course, "scs-assessment", attempt.day) is not True:
                    yield CareViolation("psychologist-first", course, attempt.day, "the assessment was not positive")


def stimulation(history: CareHistory) -> Iterator[CareViolation]:
    """6: leads come out after 5 to 7 days, the implant is 14 to 60 days later if it helped, programming 7 to 14 days after."""
    for kind, (trial, removal, implant) in STIMULATION.items():
        for course, visits in history.of_kind(kind):
            for visit in _done(visits, trial):
                out = _tries(visits, removal, visit)
                yield from _spaced(history, "stimulation", course, removal, visit.day, (5, 7), out)
            for visit in _done(visits, removal):
                if _favourable(history, course, removal, history.until) is True:
                    later = _tries(visits, implant, visit)
                    yield from _spaced(history, "stimulation", course, implant, visit.day, (14, 60), later)
                elif _tries(visits, implant, visit):
                    yield CareViolation("stimulation", course, visit.day, "an implant although the trial did not help")
            for visit in _done(visits, implant):
                later = _tries(visits, "stimulator-programming", visit)
                yield from _spaced(history, "stimulation", course, "stimulator-programming", visit.day, (7, 14), later)


def drug_delivery(history: CareHistory) -> Iterator[CareViolation]:
    """5: consult, catheter trial with a check on each of three weekdays, implant 3 to 14 days later, refills in time."""
    for course, visits in history.of_kind("spinal-drug-delivery"):
        consults, trials = _done(visits, "cancer-consult"), _done(visits, "sdd-trial")
        for trial in trials:
            if not consults or consults[0].day >= trial.day:
                yield CareViolation("drug-delivery", course, trial.day, "a trial without a consult before")
            checks = _done(visits, "sdd-trial-check")
            first = [c for c in _tries(visits, "sdd-trial-check", trial) if not checks or c.start <= checks[0].start]
            yield from _spaced(history, "drug-delivery", course, "sdd-trial-check", trial.day, (1, 1), first, again=1)
            for number, check in enumerate(checks[:2]):
                tries = _tries_between(visits, checks, number)
                yield from _spaced(history, "drug-delivery", course, "sdd-trial-check", check.day, (1, 1), tries, again=1)
            if len(checks) >= 3:
                yield from _implant(history, course, checks[2], visits)
    for course, dates in history.reservoirs.items():
        refills = _done(history.courses[course], "pump-refill")
        for known, last in dates:
            if history.is_over(last, course) and not any(known <= refill.day <= last for refill in refills):
                yield CareViolation("drug-delivery", course, last, "the pump was not refilled by its date")


def _implant(history: CareHistory, course: str, check: PastVisit, visits: Sequence[PastVisit]) -> Iterator[CareViolation]:
    implants = _tries(visits, "sdd-implant", check)
    if _favourable(history, course, "sdd-trial-check", history.until) is True:
        yield from _spaced(history, "drug-delivery", course, "sdd-implant", check.day, (3, 14), implants)
    elif implants:
        yield CareViolation("drug-delivery", course, implants[0].day, "an implant although the trial did not help")


def ablation(history: CareHistory) -> Iterator[CareViolation]:
    """7: two diagnostic injections at least 7 days apart, the ablation at least 14 days after the second."""
    for course, visits in history.of_kind("radiofrequency-ablation"):
        injections = _done(visits, "facet-injection")
        for early, late in pairwise(injections):
            if (late.day - early.day).days < 7:
                yield CareViolation("ablation", course, late.day, "injections less than 7 days apart")
        for attempt in _tries(visits, "radiofrequency-ablation"):
            if len(injections) < 2 or (attempt.day - injections[1].day).days < 14:
                yield CareViolation("ablation", course, attempt.day, "not 14 days after a second injection")


def opioid_assessment(history: CareHistory) -> Iterator[CareViolation]:
    """8: an opioid consultation has its risk assessment before it, the same day allowed."""
    for course, visits in history.of_kind("opioid-consultation"):
        for attempt in _tries(visits, "opioid-consultation"):
            if attempt.came and not any(a.end <= attempt.start for a in _done(visits, "opioid-risk-assessment")):
                yield CareViolation("opioid-assessment", course, attempt.day, "no risk assessment before")


PARTS = ("work-injury-medical", "work-injury-psychology", "work-injury-function")


def work_injury(history: CareHistory) -> Iterator[CareViolation]:
    """9: the three parts of a work injury's evaluation are on one day in one building, all or none."""
    for course, visits in history.of_kind("work-injury"):
        for day in sorted({visit.day for visit in visits if visit.came}):
            parts = [visit for visit in visits if visit.came and visit.day == day]
            if sorted(part.service for part in parts) != sorted(PARTS) or len({part.location for part in parts}) != 1:
                yield CareViolation(
                    "work-injury", course, day, f"{len(parts)} parts at {', '.join(sorted({p.location for p in parts}))}"
                )


SERIES = {
    "cognitive-therapy": ("cognitive-therapy", 6, (6, 8), 7),
    "relaxation-training": ("relaxation-training", 4, (6, 8), 7),
    "physical-therapy": ("physical-therapy", 8, (3, 5), 4),
}


def series(history: CareHistory) -> Iterator[CareViolation]:
    """10: cognitive therapy weekly with one psychologist, relaxation training weekly, physical therapy twice a week.

    A turn in which nobody is there to give it falls out, and the next is due.
    """
    for kind, (service, sessions, days, turn) in SERIES.items():
        for course, visits in history.of_kind(kind):
            done = _done(visits, service)
            if len(done) > sessions:
                yield CareViolation("series", course, done[-1].day, f"{len(done)} sessions of {sessions}")
            if kind == "cognitive-therapy" and len({visit.team for visit in done}) > 1:
                yield CareViolation("series", course, done[-1].day, "more than one psychologist")
            for number, visit in enumerate(done[: sessions - 1]):
                tries = _tries_between(visits, done, number)
                who = visit.team[0] if kind == "cognitive-therapy" else None
                yield from _spaced(
                    history, "series", course, service, visit.day, days, tries, again=days[1], provider=who, turn=turn
                )


DUE_DAYS = {"new-patient-acute": 5, "new-patient-chronic": 21}


def acute_first(history: CareHistory) -> Iterator[CareViolation]:
    """11: patients in pain for under 12 weeks are seen within 5 days, others within 21."""
    for kind, days in DUE_DAYS.items():
        for course, visits in history.of_kind(kind):
            yield from _spaced(history, "acute-first", course, "spine-evaluation", history.referred[course], (0, days), visits)


def fellows(history: CareHistory) -> Iterator[CareViolation]:
    """12: a fellow works under supervision, and a supervisor attends one procedure, or two office visits, at a time."""
    loads: dict[tuple[date, str], list[PastVisit]] = defaultdict(list)
    for visit in (visit for visit in history.visits if not visit.called_off):
        if "fellow" in {history.roles.get(who, who) for who in visit.team} and not visit.supervisors:
            yield CareViolation("fellows", visit.course, visit.day, "a fellow without a supervisor")
        for who in (*visit.team, *visit.supervisors):
            if history.roles.get(who, who) != "fellow":
                loads[visit.day, who].append(visit)
    for (day, who), busy in loads.items():
        for visit in busy:
            at_once = sum(other.attention for other in busy if other.start <= visit.start < other.end)
            if at_once > 2:
                yield CareViolation("fellows", visit.course, day, f"{who} attends {at_once} of 2 at once")


CareRule = Callable[[CareHistory], Iterator[CareViolation]]

CARE_RULES: tuple[CareRule, ...] = (
    same_day_consults,
    cancer_clinic,
    monthly_groups,
    psychologist_first,
    drug_delivery,
    stimulation,
    ablation,
    opioid_assessment,
    work_injury,
    series,
    acute_first,
    fellows,
)


def find_care_violations(history: CareHistory, rules: Iterable[CareRule] = CARE_RULES) -> list[CareViolation]:
    """Return every rule of care that was broken, by day."""
    violations = [violation for rule in rules for violation in rule(history)]
    return sorted(violations, key=lambda violation: (violation.day, violation.rule, violation.subject))
