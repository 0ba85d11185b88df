"""Rolling weeks: the next horizon's scenario, from everything that is known today.

What is asked for is what episodes leave open and programmes are due; what stands in the published plan keeps its place as
``current``; capacity is held for referrals to come as their history says. Nothing of a former scenario is carried over:
what was left out is open still, and has waited longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from scheduling import catalogue
from scheduling.care.agenda import Alert, Preview, VisitSubject, build_agenda
from scheduling.care.episodes import Episode
from scheduling.care.programmes import Programme, build_groups
from scheduling.care.reserves import PressingReferral, build_reserves
from scheduling.care.windows import IsCareDay, is_weekday
from scheduling.catalogue.entries import ReserveRule
from scheduling.clinic import Clinic, Closure
from scheduling.fields import ONE_DAY, Horizon, Interval
from scheduling.pathways import Pathway
from scheduling.people import Patient, Provider, Shift
from scheduling.requests import Current, CurrentGroup, Visit
from scheduling.scenario import Policy, Scenario
from scheduling.special_clinics import staff_blocks
from scheduling.timegrid import WEEKDAYS, minute_of_day, minutes_on


@dataclass(frozen=True)
class ClinicRecords:
    """Everything that is known of a clinic on a day.

    Attributes
    ----------
    clinic : Clinic
        With its closures.
    providers : tuple of Provider
        With their shifts, as far as they are known.
    episodes, programmes : tuple
        Those that are open; others do no harm.
    current : mapping
        Where visits stand in the published plan, by visit.
    current_groups : mapping
        Where sessions stand in it, by programme and month.
    referrals : tuple of PressingReferral
        Referrals so far that a week's plan holds capacity for.
    held : tuple of Held
        How capacity is held for referrals to come.
    others : tuple of Visit
        Visits that stand in the published plan and belong to no episode.
    """

    clinic: Clinic
    providers: tuple[Provider, ...]
    patients: tuple[Patient, ...]
    episodes: tuple[Episode, ...]
    programmes: tuple[Programme, ...] = ()
    current: Mapping[str, Current] = field(default_factory=dict)
    current_groups: Mapping[tuple[str, str], CurrentGroup] = field(default_factory=dict)
    referrals: tuple[PressingReferral, ...] = ()
    others: tuple[Visit, ...] = ()
    held: tuple[ReserveRule, ...] = field(default_factory=catalogue.list_reserve_rules)
    policy: Policy = field(default_factory=catalogue.get_policy)
    freeze_minutes: int = field(default_factory=lambda: catalogue.get_limits().freeze_minutes)
    pathways: Mapping[str, Pathway] = field(
        default_factory=lambda: {pathway.id: pathway for pathway in catalogue.list_pathways()}
    )


@dataclass(frozen=True)
class NextWeek:
    """A horizon's scenario, what lies beyond it, what will be too late; by visit, what it is of, and since when it waits.

    ``expected_until`` has, by reserve, the moment after which nobody is expected for it, where anything tells.
    """

    scenario: Scenario
    previews: tuple[Preview, ...]
    alerts: tuple[Alert, ...]
    subjects: Mapping[str, VisitSubject]
    since: Mapping[str, date]
    expected_until: Mapping[str, datetime]


def find_next_monday(day: date) -> date:
    """Return the first Monday after a day."""
    return day + timedelta(days=len(WEEKDAYS) - day.weekday())


def build_next_scenario(records: ClinicRecords, weeks: int, now: datetime) -> NextWeek:
    """Return the scenario of the weeks to come, from the Monday after ``now`` on.

    Parameters
    ----------
    weeks : int
        Length of the horizon, at least 1.
    now : datetime
        Wall-clock time in the clinic's zone.
    """
    first = find_next_monday(now.date())
    return build_scenario(records, Horizon(start=first, end=first + timedelta(weeks=weeks)), now)


def build_scenario(records: ClinicRecords, horizon: Horizon, now: datetime) -> NextWeek:
    """Return the scenario of some days, which may have begun: what has been of them is left alone."""
    is_care_day = make_availability(records.clinic, records.providers, records.patients)
    left = _cut_off_past(horizon, now)
    asked = build_agenda(records.episodes, records.pathways, left, now.date(), records.current, is_care_day)
    sessions = build_groups(records.programmes, left, lambda *key: records.current_groups.get(key), is_care_day)
    visits = (*asked.visits, *records.others)
    wanted = {visit.patient for visit in visits} | {candidate.patient for group in sessions for candidate in group.candidates}
    held = build_reserves(records.referrals, left, now.date(), is_care_day, records.held, minute_of_day(now))
    # Not judged as a whole here: what stands may name somebody who has left. Whoever keeps the week judges it.
    scenario = Scenario.model_construct(
        format="clinicweave-scenario/1",
        id=f"week-{horizon.start}"
        if (horizon.end - horizon.start).days == len(WEEKDAYS)
        else f"days-{horizon.start}-{horizon.end}",
        now=now,
        freeze_minutes=records.freeze_minutes,
        horizon=horizon,
        clinic=staff_blocks(records.clinic, records.providers, _list_dates(horizon)),
        providers=tuple(restrict_provider(provider, horizon) for provider in records.providers),
        patients=tuple(patient for patient in records.patients if patient.id in wanted),
        visits=visits,
        links=tuple(asked.links),
        groups=sessions,
        reserves=tuple(held),
        policy=records.policy,
    )
    until = {reserve.id: moment for reserve, moment in held.items() if moment is not None}
    return NextWeek(scenario, tuple(asked.previews), tuple(asked.alerts), asked.subjects, asked.since, until)


def _list_dates(horizon: Horizon) -> list[date]:
    return [horizon.start + timedelta(days=n) for n in range((horizon.end - horizon.start).days)]


def _cut_off_past(horizon: Horizon, now: datetime) -> Horizon:
    """Return the days of a horizon that are not over: in the evening, today is; of one that is over itself, the last."""
    over = minutes_on(now, now.date()) >= EVENING_MINUTE
    first = now.date() + over * ONE_DAY
    return Horizon(start=min(max(horizon.start, first), horizon.end - ONE_DAY), end=horizon.end)


def restrict_provider(provider: Provider, horizon: Horizon) -> Provider:
    """Return a provider with the shifts and meetings of a horizon."""
    shifts = tuple(shift for shift in provider.shifts if horizon.start <= shift.start.date() < horizon.end)
    busy = tuple(away for away in provider.busy if away.end.date() >= horizon.start and away.start.date() < horizon.end)
    return provider.changed(shifts=shifts, busy=busy)


def make_availability(clinic: Clinic, providers: Iterable[Provider], patients: Iterable[Patient] = ()) -> IsCareDay:
    """Return what says on which days a service is given (:class:`_Care`)."""
    return _Care(clinic, providers, patients).on


class _Care:
    """On which days a service is given: somebody for every seat is at work at one of its locations.

    Beyond the days for which shifts are known, it is given from Monday to Friday; never on a day on which the clinic is closed.
    """

    def __init__(self, clinic: Clinic, providers: Iterable[Provider], patients: Iterable[Patient]) -> None:
        self._services = {service.id: service for service in clinic.services}
        self._sites = {location.id: location.site for location in clinic.locations}
        self._allowed = {patient.id: patient.allowed_sites for patient in patients}
        self._closed = {day for closure in clinic.closures if closure.closes_clinic for day in _whole_days(closure)}
        self._at_work: dict[date, list[tuple[Provider, tuple[str, ...]]]] = {}
        for provider in providers:
            for shift in provider.shifts:
                if not provider.trainee and not any(_covers(away, shift) for away in provider.busy):
                    self._at_work.setdefault(shift.start.date(), []).append((provider, shift.reachable_locations))
        self._until = max(self._at_work, default=date.min)
        self._known: dict[tuple[date, str, str | None, tuple[str, ...] | None], bool] = {}

    def on(self, day: date, service: str, provider: str | None, patient: str | None) -> bool:
        """Return whether a service is given on a day: by one provider, and where one patient may come, if they are named."""
        key = (day, service, provider, self._allowed.get(patient or ""))
        if key not in self._known:
            self._known[key] = is_weekday(day) and day not in self._closed and (day > self._until or self._staffed(*key))
        return self._known[key]

    def _staffed(self, day: date, service: str, provider: str | None, sites: tuple[str, ...] | None) -> bool:
        offered, here = self._services[service], self._at_work.get(day, [])
        leads, *others = offered.team
        return any(
            any(where in at and who.can_fill(leads.any_of) and provider in (None, who.id) for who, at in here)
            and all(any(where in at and who.can_fill(seat.any_of) for who, at in here) for seat in others)
            for where in offered.locations
            if sites is None or self._sites[where] in sites
        )


def _covers(away: Interval, shift: Shift) -> bool:
    return away.start <= shift.start and shift.end <= away.end


def _whole_days(closure: Closure) -> Iterator[date]:
    """Yield the days that a closure takes from midnight to the evening."""
    first = closure.start.date()
    for day in (first + timedelta(days=n) for n in range((closure.end.date() - first).days + 1)):
        if minutes_on(closure.start, day) <= 0 and minutes_on(closure.end, day) >= EVENING_MINUTE:
            yield day


EVENING_MINUTE = 18 * 60
"""By then every location has closed."""
