"""Where a task may go at all: the unary rules as masks of starts.

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

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from scheduling.clinic import Seat, Service
from scheduling.people import Provider, Shift
from scheduling.requests import Current, CurrentGroup, Link, Pin
from scheduling.rules import Rule
from scheduling.rules.providers import FULL_ATTENTION
from scheduling.rules.stability import get_least_start, is_begun
from scheduling.scenario import Scenario
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day, minutes_on, weekday
from solver.state.tasks import Key, Needs, Task, get_needs, list_tasks, visit_key


@dataclass(frozen=True, slots=True)
class ShiftId:
    """A provider's shift, by its number in the file."""

    provider: str
    number: int

    def __str__(self) -> str:
        return f"{self.provider} shift {self.number}"


@dataclass(frozen=True, slots=True)
class Option:
    """One way to fill one seat of a task: in a shift, at a location, at any of the starts of the mask.

    A task whose service has no team has options with ``shift`` None and ``seat`` 0.
    """

    seat: int
    shift: ShiftId | None
    day: int
    location: str
    starts: int

    @property
    def provider(self) -> str | None:
        """Who fills the seat."""
        return None if self.shift is None else self.shift.provider


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
    for time in scenario.patients_by_id[patient].unavailable:
        begin, end = minutes_on(time.start, day), minutes_on(time.end, day)
        if begin < 2 * MINUTES_PER_DAY and end > 0:
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


class Domains:
    """The options of every task of a scenario, made once and asked by every part of the solver.

    Parameters
    ----------
    scenario
        What to plan.
    without
        Tasks that get no option.
    ignoring
        Rules that do not count: what would be possible without them.
    staying
        Tasks that have no option but where they stand.
    """

    def __init__(
        self,
        scenario: Scenario,
        without: Collection[Key] = (),
        ignoring: Collection[Rule] = (),
        staying: Collection[Key] = (),
    ) -> None:
        self.scenario = scenario
        self.without, self.staying = frozenset(without), frozenset(staying)
        self._ignored = ignored = {rule.__name__ for rule in ignoring}
        self._place_domains = [domain for domain in PLACE_DOMAINS if domain.__name__ not in ignored]
        self._provider_domains = [domain for domain in PROVIDER_DOMAINS if domain.__name__ not in ignored]
        self._presence_domains = [domain for domain in PRESENCE_DOMAINS if domain.__name__ not in ignored]
        self._task_domains = [domain for domain in TASK_DOMAINS if domain.__name__ not in ignored]
        self._team_domains = [domain for domain in TEAM_DOMAINS if domain.__name__ not in ignored]
        self.tasks = list_tasks(scenario)
        self._places: dict[tuple[Needs, int, str], int] = {}
        self._suitable: dict[tuple[str, str], tuple[str, ...]] = {}
        self._seats: dict[tuple[Needs, int | None], tuple[Option, ...]] = {}
        self._closed_rooms = {time.room for time in scenario.clinic.closures if "closure" not in ignored} - {None}
        self._by_place: dict[Key, Sequence[tuple[tuple[int, str], Sequence[Sequence[Option]]]]] = {}

    @cached_property
    def options(self) -> Mapping[Key, Sequence[Option]]:
        """The options of each task: one for each seat, shift and location that has a start."""
        return {task.key: self.options_of(task) for task in self.tasks}

    def options_of(self, task: Task) -> tuple[Option, ...]:
        """Return the options of one task; none when some seat has none."""
        options = () if task.key in self.without else tuple(self._options(task))
        seats = max(1, len(task.service.team))
        return options if len({option.seat for option in options}) == seats else ()

    def options_for(self, key: Key) -> Sequence[Option]:
        """Return a task's options, without making those of all others."""
        return self.options[key] if "options" in self.__dict__ else self.options_of(self.by_key[key])

    def places(self, key: Key) -> Sequence[tuple[tuple[int, str], Sequence[Sequence[Option]]]]:
        """Return a task's options by day and location, then by seat; only where every seat can be filled."""
        if key not in self._by_place:
            by_place: dict[tuple[int, str], list[list[Option]]] = {}
            seats = max(1, len(self.by_key[key].service.team))
            for option in self.options_for(key):
                place = by_place.setdefault((option.day, option.location), [[] for _ in range(seats)])
                place[option.seat].append(option)
            self._by_place[key] = [(place, options) for place, options in by_place.items() if all(options)]
        return self._by_place[key]

    @cached_property
    def links(self) -> Mapping[Key, Sequence[Link]]:
        """The links of each visit that has any, in the order of the file."""
        links: dict[Key, list[Link]] = defaultdict(list)
        for link in self.scenario.links:
            links[visit_key(link.before)].append(link)
            links[visit_key(link.after)].append(link)
        return dict(links)

    def get_linked(self, key: Key) -> set[Key]:
        """Return the visits that a visit is linked to, directly or not, itself included."""
        linked, waiting = {key}, [key]
        while waiting:
            for link in self.links.get(waiting.pop(), ()):
                for other in (visit_key(link.before), visit_key(link.after)):
                    if other not in linked:
                        linked.add(other)
                        waiting.append(other)
        return linked

    @cached_property
    def by_key(self) -> Mapping[Key, Task]:
        """Tasks by name."""
        return {task.key: task for task in self.tasks}

    def service(self, key: Key) -> Service:
        """Return a task's service."""
        return self.by_key[key].service

    def shift(self, shift: ShiftId) -> Shift:
        """Return a shift."""
        return self.scenario.providers_by_id[shift.provider].shifts[shift.number]

    def suitable_rooms(self, service: Service, location: str) -> tuple[str, ...]:
        """Return the rooms at a location that suit a service, plain ones before richer ones; none when it needs none."""
        key = (service.id, location)
        if key not in self._suitable:
            need, rooms = service.room, self.scenario.clinic.rooms
            fits = [room for room in rooms if need is not None and room.location == location and need.suits(room)]
            fits.sort(key=lambda room: (len(room.features), room.seats))
            self._suitable[key] = tuple(room.id for room in fits)
        return self._suitable[key]

    def room_starts(self, service: Service, room: str, day: int) -> int:
        """Return the starts of a service on a date at which a room is not closed, whatever else is in it."""
        if room not in self._closed_rooms:
            return ANY
        return ~closed_room_starts(self.scenario, service, room, self.scenario.grid.date(day))

    def get_begun(self, task: Task) -> Current | CurrentGroup | None:
        """Return where a task stands that has begun, known with its supervisors: just so, or not at all; None for others."""
        current = get_current(task)
        return current if current is not None and self._has_begun(current) else None

    def _has_begun(self, current: Current | CurrentGroup) -> bool:
        return is_begun(self.scenario, current) and "begun" not in self._ignored

    def list_members(self, task: Task) -> tuple[str, ...]:
        """Return who may attend a group: its candidates, and those who attend a session that has begun."""
        if task.group is None:
            return ()
        begun = self.get_begun(task)
        attending = begun.attendees if isinstance(begun, CurrentGroup) else ()
        return tuple(dict.fromkeys((*(candidate.patient for candidate in task.group.candidates), *attending)))

    def rooms_of(self, task: Task, location: str) -> tuple[str, ...]:
        """Return the rooms at a location that suit a task: where it has begun or is pinned, at most that one."""
        suitable = self.suitable_rooms(task.service, location)
        place = self.get_begun(task) or (None if task.visit is None else task.visit.pinned)
        return suitable if place is None else tuple(room for room in suitable if room == place.room)

    def binds(self, shift: ShiftId, location: str) -> bool:
        """Return whether an item at a location asks for the shift to be spent there: not where it may be besides."""
        return shift.number < 0 or location not in self.shift(shift).also

    def binding_locations(self, shift: ShiftId) -> tuple[str, ...]:
        """Return the locations of which one is to be chosen for a shift, as far as any item asks for it."""
        times = self.shift(shift)
        return tuple(location for location in times.locations if location not in times.also)

    @cached_property
    def roaming(self) -> frozenset[tuple[str, int]]:
        """The providers and days on which some shift may have items beside its chosen location."""
        return frozenset(
            (provider.id, self.scenario.grid.day_index(shift.start.date()))
            for provider in self.scenario.providers
            for shift in provider.shifts
            if shift.also
        )

    def place(self, service: Service, day: int, location: str) -> int:
        """Return the starts of a service on a date at a location, whoever gives it and receives it."""
        key = (get_needs(service), day, location)
        if key not in self._places:
            mask = ANY
            for domain in self._place_domains:
                mask &= domain(self.scenario, service, self.scenario.grid.date(day), location)
            self._places[key] = mask
        return self._places[key]

    def seat(self, service: Service, seat: int | None) -> tuple[Option, ...]:
        """Return the options of a seat of a service, whoever receives it; ``seat`` None: to supervise it."""
        key = (get_needs(service), seat)
        if key not in self._seats:
            self._seats[key] = tuple(self._seat_options(service, seat))
        return self._seats[key]

    def _seat_options(self, service: Service, seat: int | None) -> Iterator[Option]:
        if not service.team:
            for day in range(self.scenario.grid.days):
                for location in service.locations:
                    if starts := self.place(service, day, location):
                        yield Option(0, None, day, location, starts)
            return
        wanted = None if seat is None else service.team[seat]
        for provider in self.scenario.providers:
            if service.attention > FULL_ATTENTION and not provider.trainee:
                continue
            for number, shift in enumerate(provider.shifts):
                mask, day = ANY, self.scenario.grid.day_index(shift.start.date())
                for domain in self._provider_domains:
                    mask &= domain(self.scenario, service, wanted, provider, shift)
                for location in shift.reachable_locations if mask else ():
                    starts = mask & self.place(service, day, location)
                    for presence in self._presence_domains if starts else ():
                        starts &= presence(self.scenario, service, provider, shift, location)
                    if starts:
                        yield Option(seat or 0, ShiftId(provider.id, number), day, location, starts)

    def _options(self, task: Task) -> Iterator[Option]:
        allowed: dict[tuple[int, str], int] = {}
        pinned = task.visit is not None and task.visit.pinned is not None
        special = self.scenario.now is not None or pinned or task.key in self.staying
        for seat in range(max(1, len(task.service.team))):
            for option in self.seat(task.service, seat):
                place = (option.day, option.location)
                if place not in allowed:
                    allowed[place] = self._task_mask(task, *place)
                if starts := option.starts & allowed[place]:
                    if special:
                        starts = self._team_mask(task, option, starts)
                    if starts:
                        yield option if starts == option.starts else replace(option, starts=starts)

    def _task_mask(self, task: Task, day: int, location: str) -> int:
        mask, on = ANY, self.scenario.grid.date(day)
        for domain in self._task_domains:
            mask &= domain(self.scenario, task, on, location)
            if not mask:
                break
        return mask

    def _team_mask(self, task: Task, option: Option, starts: int) -> int:
        on = self.scenario.grid.date(option.day)
        for domain in self._team_domains:
            starts &= domain(self.scenario, task, option.seat, option.provider, on, option.location)
        if task.key in self.staying and (current := get_current(task)) is not None:
            starts &= only_start_at(self.scenario, task, current, option.seat, option.provider, on, option.location)
        return starts
