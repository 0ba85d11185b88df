"""The unary rules as masks of starts.

A rule that looks at one task, one place and one provider at a time needs no constraint: it removes starts. Each encoder
here answers with the mask of starts that its rule allows (bit ``k``: slot ``k`` of the day, see
:mod:`scheduling.timegrid`). They are grouped by what they look at, so that each is asked as seldom as possible:

- ``PLACE_DOMAINS``: a service on a date at a location;
- ``PROVIDER_DOMAINS``: a service, a provider and a shift;
- ``PRESENCE_DOMAINS``: a service, a provider and a shift at a location;
- ``TASK_DOMAINS``: a task on a date at a location;
- ``TEAM_DOMAINS``: a task, a seat and a provider on a date at a location.

Every name in ``DOMAINS`` is a rule of :data:`scheduling.rules.RULES`; together with
:data:`solver.model.constraints.CONSTRAINTS` they are all of them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from scheduling.clinic import Seat, Service
from scheduling.people import Provider, Shift
from scheduling.requests import Current, CurrentGroup, Pin
from scheduling.rules.stability import get_least_start, is_begun
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day, minutes_on, weekday
from solver.state.tasks import Task

# --- a service on a date at a location -------------------------------------------------------------------------------


def start_grid(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """Every item starts on the clinic's start grid."""
    return scenario.grid.starts(0, MINUTES_PER_DAY, 0)


def horizon(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """Every item lies within one day of the planned dates."""
    inside = 0 <= scenario.grid.day_index(day) < scenario.grid.days
    return scenario.grid.starts(0, MINUTES_PER_DAY, service.minutes) if inside else 0


def service_location(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """A service takes place only where it is offered."""
    return ANY if location in service.locations else 0


def opens(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """No item starts before its location opens."""
    return scenario.grid.starts(minute_of_day(scenario.locations[location].opens), MINUTES_PER_DAY, 0)


def closes(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """Every item ends by the closing time of its location."""
    return scenario.grid.starts(0, minute_of_day(scenario.locations[location].closes), service.minutes)


def recovery_closes(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """Recovery after an item ends by the closing time of its location."""
    ends = minute_of_day(scenario.locations[location].closes)
    return scenario.grid.starts(0, ends, service.minutes + service.recovery)


def closure(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """Nothing takes place at a location while it is closed (a room that is closed alone: :func:`closed_room_starts`)."""
    closed = 0
    for time in scenario.clinic.closures:
        if time.closes_location(location):
            closed |= scenario.grid.meeting(minutes_on(time.start, day), minutes_on(time.end, day), 0, service.minutes)
    return ~closed


def block(scenario: Scenario, service: Service, day: date, location: str) -> int:
    """A service of a special clinic takes place only inside its hours and building."""
    blocks = [block for block in scenario.clinic.blocks if service.id in block.services]
    inside = 0
    for special in blocks:
        if special.location == location and special.weekday == weekday(day):
            inside |= scenario.grid.starts(minute_of_day(special.start), minute_of_day(special.end), service.minutes)
    return inside if blocks else ANY


# --- a service, a provider and a shift -------------------------------------------------------------------------------


def qualified(scenario: Scenario, service: Service, seat: Seat | None, provider: Provider, shift: Shift) -> int:
    """Whoever fills a seat has one of its skills (a supervisor: one of any seat's)."""
    seats = service.team if seat is None else (seat,)
    return ANY if any(provider.can_fill(wanted.any_of) for wanted in seats) else 0


def shift(scenario: Scenario, service: Service, seat: Seat | None, provider: Provider, shift: Shift) -> int:
    """Everybody committed to an item is on one shift that contains it."""
    day = shift.start.date()
    return scenario.grid.starts(minutes_on(shift.start, day), minutes_on(shift.end, day), service.minutes)


def busy(scenario: Scenario, service: Service, seat: Seat | None, provider: Provider, shift: Shift) -> int:
    """Nobody is committed while busy elsewhere."""
    day, met = shift.start.date(), 0
    for time in provider.busy:
        if time.start < shift.end and shift.start < time.end:
            met |= scenario.grid.meeting(minutes_on(time.start, day), minutes_on(time.end, day), 0, service.minutes)
    return ~met


# --- a service, a provider and a shift at a location -----------------------------------------------------------------


def block_reserved(scenario: Scenario, service: Service, provider: Provider, shift: Shift, location: str) -> int:
    """During a special clinic its providers do nothing else but what it welcomes."""
    reserved = 0
    for special in scenario.clinic.blocks:
        if (
            provider.id in special.providers
            and not special.admits(service.id, location)
            and special.weekday == weekday(shift.start.date())
        ):
            begin, end = minute_of_day(special.start), minute_of_day(special.end)
            reserved |= scenario.grid.meeting(begin, end, 0, service.minutes)
    return ~reserved


# --- a task on a date at a location ----------------------------------------------------------------------------------


def patient_available(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """No item, recovery included, meets a time at which its patient is unavailable."""
    if task.patient is None:
        return ANY
    return ~unavailable_starts(scenario, task.patient, task.service, day)


def patient_site(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """A patient is seen only at a site that they can reach."""
    if task.patient is None:
        return ANY
    return ANY if scenario.site(location) in scenario.patients_by_id[task.patient].allowed_sites else 0


def earliest(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """A visit is not before its earliest date."""
    return ANY if task.visit is None or day >= task.visit.earliest else 0


def deadline(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """A visit is not after its deadline."""
    return ANY if task.visit is None or task.visit.deadline is None or day <= task.visit.deadline else 0


def same_day(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """A same-day visit is on the day of its referral."""
    return ANY if task.visit is None or not task.visit.same_day or day == task.visit.earliest else 0


def group_month(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """A group's session is in its month."""
    return ANY if task.group is None or f"{day:%Y-%m}" == task.group.month else 0


def group_cadence(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """A group's session follows its last one at the group's rhythm."""
    return ANY if task.group is None or task.group.is_in_rhythm(day) else 0


def notice(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """Patients hear early enough of a start that is new to them (who attends: :mod:`solver.model.constraints`)."""
    request = task.visit or task.group
    least = None if request is None else get_least_start(scenario, request)
    if least is None:
        return ANY
    current, ahead = get_current(task), scenario.grid.starts(minutes_on(least, day), MINUTES_PER_DAY, 0)
    if current is not None and (current.location, current.start.date()) == (location, day):
        return ahead | start_mask(scenario, current.start)
    return ahead


def reserve_window(scenario: Scenario, task: Task, day: date, location: str) -> int:
    """Held capacity is on its date, within its hours, at its site."""
    if task.reserve is None:
        return ANY
    if day != task.reserve.date or task.reserve.site not in (None, scenario.site(location)):
        return 0
    return scenario.grid.starts(minute_of_day(task.reserve.from_), minute_of_day(task.reserve.to), task.service.minutes)


# --- a task, a seat and a provider on a date at a location -----------------------------------------------------------


def pinned(scenario: Scenario, task: Task, seat: int, provider: str | None, day: date, location: str) -> int:
    """A pinned visit takes place exactly as pinned (which room it is: :mod:`solver.model.variables`)."""
    pin = None if task.visit is None else task.visit.pinned
    if pin is not None and (pin.room is None) != (task.service.room is None):
        return 0
    return ANY if pin is None else only_start_at(scenario, task, pin, seat, provider, day, location)


def not_past(scenario: Scenario, task: Task, seat: int, provider: str | None, day: date, location: str) -> int:
    """Nothing new or moved starts in the past."""
    if scenario.now is None or day > scenario.now.date():
        return ANY
    ahead = scenario.grid.starts(minutes_on(scenario.now, day), MINUTES_PER_DAY, 0)
    current = get_current(task)
    return ahead if current is None else ahead | only_start_at(scenario, task, current, seat, provider, day, location)


def frozen(scenario: Scenario, task: Task, seat: int, provider: str | None, day: date, location: str) -> int:
    """What has started, or is about to, keeps its start, location and team, or is left out."""
    current = get_current(task)
    if not is_frozen(scenario, task) or current is None:
        return ANY
    return only_start_at(scenario, task, current, seat, provider, day, location)


def begun(scenario: Scenario, task: Task, seat: int, provider: str | None, day: date, location: str) -> int:
    """What has begun stays as it is, or is left out (room, supervisors and attendees: :mod:`solver.model.constraints`)."""
    current = get_current(task)
    if current is None or not is_begun(scenario, current):
        return ANY
    if (current.room is None) != (task.service.room is None):
        return 0
    return only_start_at(scenario, task, current, seat, provider, day, location)


ANY = -1
"""The mask of every start."""

PLACE_DOMAINS = (start_grid, horizon, service_location, opens, closes, recovery_closes, closure, block)
PROVIDER_DOMAINS = (qualified, shift, busy)
PRESENCE_DOMAINS = (block_reserved,)
TASK_DOMAINS = (
    patient_available,
    patient_site,
    earliest,
    deadline,
    same_day,
    group_month,
    group_cadence,
    notice,
    reserve_window,
)
TEAM_DOMAINS = (pinned, not_past, frozen, begun)
DOMAINS = (*PLACE_DOMAINS, *PROVIDER_DOMAINS, *PRESENCE_DOMAINS, *TASK_DOMAINS, *TEAM_DOMAINS)


def closed_room_starts(scenario: Scenario, service: Service, room: str, day: date) -> int:
    """Return the starts of a service in a room, cleaning included, that meet a closure of that room alone."""
    closed = 0
    for time in scenario.clinic.closures:
        if time.closes_room(room):
            begin, end = minutes_on(time.start, day), minutes_on(time.end, day)
            closed |= scenario.grid.meeting(begin, end, 0, service.minutes + service.turnover)
    return closed


def unavailable_starts(scenario: Scenario, patient: str, service: Service, day: date) -> int:
    """Return the starts of a service that meet a time at which a patient is unavailable."""
    met = 0
    unavailable = scenario.patients_by_id[patient].unavailable
    tomorrow = day + timedelta(days=1) if unavailable else day
    for time in unavailable:
        if time.start.date() <= tomorrow and time.end.date() >= day:
            begin, end = minutes_on(time.start, day), minutes_on(time.end, day)
            met |= scenario.grid.meeting(begin, end, 0, service.minutes + service.recovery)
    return met


def get_current(task: Task) -> Current | CurrentGroup | None:
    """Return where a visit or group stands in the plan that people live by."""
    if task.visit is not None:
        return task.visit.current
    return None if task.group is None else task.group.current


def is_frozen(scenario: Scenario, task: Task) -> bool:
    """Return whether a task may only stay as it is, or be left out."""
    current = get_current(task)
    if scenario.now is None or current is None:
        return False
    return current.start < scenario.now + timedelta(minutes=scenario.freeze_minutes)


def only_start_at(
    scenario: Scenario,
    task: Task,
    place: Pin | Current | CurrentGroup,
    seat: int,
    provider: str | None,
    day: date,
    location: str,
) -> int:
    """Return the one start of a given placement, if this seat, provider, date and location are its own."""
    if len(place.team) != len(task.service.team) or (place.team and place.team[seat] != provider):
        return 0
    if place.location != location or place.start.date() != day:
        return 0
    return start_mask(scenario, place.start)


def start_mask(scenario: Scenario, start: datetime) -> int:
    """Return the mask of one start, empty when it is off the grid."""
    minute = minute_of_day(start)
    return 1 << (minute // scenario.grid.grid_minutes) if scenario.grid.on_grid(minute) else 0
