"""Episodes as they go on: what becomes known of them, and what that asks for, gives up, or asks for no more.

Whoever changes where visits stand calls :func:`record_booking_changes` in the same transaction: a history is never behind the
bookings. Whatever else becomes known comes by :func:`record_event`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field
from sqlmodel import Session

from api.access.actor import Actor
from api.services.care.rolling import load_book_of
from api.services.messages.notifications import notify_changes
from api.services.patients import needs
from api.services.records import write_audit
from api.store.queries import bookings, offers, periods, requests
from api.store.queries import episodes as store
from api.store.queries.bookings import BookingChange
from api.store.queries.placings import Placing
from api.store.rows import expect_version
from api.store.tables import EpisodeRow, PeriodRow
from api.store.tables.plans import BookingState
from scheduling import catalogue
from scheduling.care.agenda import VisitSubject
from scheduling.care.episodes import (
    Episode,
    EpisodeProgress,
    Event,
    EventKind,
    VisitDate,
    get_state,
    is_missed,
    make_visit_id,
    record_events,
    replay_history,
)
from scheduling.care.rolling import build_scenario
from scheduling.care.windows import OpenStep, list_open_steps, list_void_visits
from scheduling.errors import EventRefused
from scheduling.fields import Date, Horizon, Id, Model, Positive
from scheduling.pathways import Pathway
from scheduling.requests import Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import TimeGrid

OF_BOOKINGS: Mapping[BookingState, EventKind] = {"done": "done", "no-show": "no-show"}
"""What a booking that becomes something tells of its episode."""

OF_BOOKINGS_ALONE: tuple[EventKind, ...] = ("referred", "planned", "no-show", "cancelled", "withdrawn", "retracted")
"""Events that nobody tells: they come with the referral, and with what becomes of bookings."""

EXPECTED: tuple[EventKind, ...] = ("planned", "done")
"""Events after which the windows of what follows are as they were expected to be."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What came of an event.

    Attributes
    ----------
    episode : Episode
        With the event.
    asked : tuple of str
        Visits that are asked for at once, in a period that is built already.
    given_up : tuple of str
        Visits that stood somewhere and are no more: their patients have to be told.
    """

    episode: Episode
    asked: tuple[str, ...]
    given_up: tuple[str, ...]


class ReportedEvent(Model):
    """What somebody tells of an episode; the fields are those of :class:`scheduling.care.episodes.Event`."""

    kind: EventKind
    step: Annotated[Id, Field(max_length=100)] | None = None
    number: Positive | None = None
    date: Date | None = None
    outcome: Annotated[Id, Field(max_length=100)] | None = None
    relief_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    name: Annotated[Id, Field(max_length=100)] | None = None


def record_event(
    session: Session, by: Actor, identifier: str, version: int | None, told: ReportedEvent, now: datetime
) -> Consequences:
    """Record what became known of an episode, and do what follows from it.

    Parameters
    ----------
    version
        The episode's that the teller knows; None: whatever it is.

    Raises
    ------
    UnknownId, StaleVersion
        When there is no such episode, or somebody else has changed it.
    EventRefused
        When it cannot follow what has been.
    """
    expect_version(store.get_episode(session, identifier), "episode", identifier, version)
    event = Event(known=_wall(periods.get_zone(session), now), **told.model_dump())
    before = store.load(session, [identifier])[identifier]
    pathway = catalogue.get_pathway(before.pathway)
    if told.kind in OF_BOOKINGS_ALONE or (told.kind == "done" and event.occurrence in replay_history(before, pathway).planned):
        raise EventRefused(identifier, told.kind, "it is taken down with the visit's booking")
    if told.kind == "done" and told.date is not None and told.date > event.known.date():
        raise EventRefused(identifier, told.kind, "its day is still to come")
    (consequences,) = _keep_events(session, by, [(before, record_events(before, pathway, event))], now)
    write_audit(session, by, f"episode.{told.kind}", "episode", identifier, now, step=told.step, asked=list(consequences.asked))
    return consequences


def list_episodes(session: Session, after: str, count: int, patient: str | None, is_open: bool | None) -> list[EpisodeRow]:
    """Return episodes by id, those after an id; of one patient, and only the open or closed ones, where asked."""
    return store.list_episodes(session, after, count, patient, is_open)


def describe_episode(session: Session, identifier: str, now: datetime) -> dict[str, Any]:
    """Return what has been of an episode, and what it leaves open today. Raises ``UnknownId``."""
    row = store.get_episode(session, identifier)
    episode = store.load(session, [identifier])[identifier]
    pathway = catalogue.get_pathway(episode.pathway)
    steps = list_open_steps(episode, pathway, periods.get_zone(session).wall(now).date())
    return {
        "id": identifier,
        "patient": episode.patient,
        "kind": row.kind,
        "pathway": episode.pathway,
        "priority": episode.priority,
        "referrer": row.referrer,
        "state": get_state(episode, pathway),
        "version": row.version,
        "history": episode.history,
        "open": [_describe_step(step) for step in steps],
    }


def _describe_step(step: OpenStep) -> dict[str, Any]:
    dates = {
        "earliest": step.earliest,
        "target": step.target,
        "latest": step.latest,
        "planned": step.planned and step.planned.date,
    }
    return {
        "visit": step.visit,
        "step": step.occurrence.step,
        "number": step.occurrence.number,
        "service": step.service,
        **{name: None if day is None else day.isoformat() for name, day in dates.items()},
        "certain": step.certain,
    }


def record_booking_changes(
    session: Session, by: Actor, changes: Iterable[BookingChange], now: datetime, withdrawn: Container[str] = ()
) -> None:
    """Record what changed bookings mean to the episodes of their visits: planned there, cancelled, or withdrawn.

    Parameters
    ----------
    withdrawn
        Visits of which the clinic gave the place to others, if they have lost it.

    Raises
    ------
    EventRefused
        When a visit would be planned that its pathway does not allow, as a trial without its assessment.
    """
    of_visits = [change for change in changes if change.row.kind == "visit"]
    subjects = store.get_subjects(session, [change.row.subject_id for change in of_visits])
    zone, events = periods.get_zone(session), defaultdict[str, list[Event]](list)
    for change in of_visits:
        of = subjects.get(change.row.subject_id)
        if of is not None and change.row.state != "offered":
            placing = change.after or change.before
            assert placing is not None
            gone: EventKind = "withdrawn" if change.row.subject_id in withdrawn else "cancelled"
            kind: EventKind = gone if change.after is None else "planned"
            events[of.episode].append(_create_event(kind, of, placing, zone, now))
    _record(session, by, events, now)


def record_booking_state(
    session: Session, by: Actor, visit: str, placing: Placing, became: BookingState, now: datetime
) -> None:
    """Record what came of a visit: it has been, or nobody came."""
    of = store.get_subjects(session, [visit]).get(visit)
    if of is not None:
        event = _create_event(OF_BOOKINGS[became], of, placing, periods.get_zone(session), now)
        _record(session, by, {of.episode: [event]}, now)


def retract_booking_state(session: Session, by: Actor, visit: str, placing: Placing, now: datetime) -> None:
    """Take back that a visit has been, or that nobody came, as far as its episode knows of it.

    Raises
    ------
    EventRefused
        When more is known of the visit by now, as what came of it.
    """
    of = store.get_subjects(session, [visit]).get(visit)
    if of is not None:
        before = store.load(session, [of.episode])[of.episode]
        event = _create_event("retracted", of, placing, periods.get_zone(session), now)
        _keep_events(session, by, [(before, record_events(before, catalogue.get_pathway(before.pathway), event))], now)


def is_visit_missed(session: Session, visit: str) -> bool:
    """Say whether the last that its episode knows of a visit is that nobody came."""
    of = store.get_subjects(session, [visit]).get(visit)
    return of is not None and is_missed(store.load(session, [of.episode])[of.episode], of.occurrence)


def request_open_visits(session: Session, episodes: Collection[Episode], now: datetime) -> dict[str, list[str]]:
    """Ask for what episodes leave open in the periods that are built already, and for nothing else of theirs there.

    A visit is asked for at once when it is due before such a period ends; what is due later is asked for when its week is
    built.

    Returns
    -------
    dict
        The visits that are asked for, by episode.
    """
    if not episodes:
        return {}
    today = periods.get_zone(session).wall(now).date()
    waiting = {row.id: row.period_id for row in store.list_unplaced(session, [episode.id for episode in episodes])}
    asked: dict[str, list[str]] = defaultdict(list)
    wanted: set[str] = set()
    for period in periods.list_periods_from(session, today):
        subjects = _request_in(session, period, episodes, waiting, wanted, now)
        wanted |= subjects.keys()
        for visit, of in subjects.items():
            asked[of.episode].append(visit)
    for visit in sorted(waiting.keys() - wanted):
        requests.withdraw_visit(session, visit)
        periods.touch(session, waiting[visit])
    return dict(asked)


def _request_in(
    session: Session,
    period: PeriodRow,
    episodes: Collection[Episode],
    waiting: Mapping[str, str],
    elsewhere: AbstractSet[str],
    now: datetime,
) -> Mapping[str, VisitSubject]:
    """Ask a period for what is due in it, or waits in it; return what that is."""
    horizon = Horizon(start=period.starts_on, end=period.ends_on)
    zone = periods.get_zone(session)
    week = build_scenario(load_book_of(session, periods.get_grid(session, period.id), episodes), horizon, _wall(zone, now))
    stands = bookings.list_standing_ids(session, period.id)
    due = _list_due(
        week.scenario, period, {visit for visit, where in waiting.items() if where == period.id}, stands | elsewhere
    )
    if not due:
        return {}
    ids = {visit.id for visit in due}
    episode_of = {visit: of.episode for visit, of in week.subjects.items() if visit in ids}
    known = requests.load_needs(session, ids)
    requests.put_visits(session, period.id, needs.with_needs(session, week.scenario, due, episode_of), now)
    needs.put_desk_fields(session, ids - known.keys(), episode_of)
    requests.put_links(session, period.id, ids, (link for link in week.scenario.links if link.after in ids))
    subjects = {visit: of for visit, of in week.subjects.items() if visit in ids}
    store.put_subjects(session, subjects)
    periods.touch(session, period.id)
    return subjects


def _list_due(scenario: Scenario, period: PeriodRow, waiting: AbstractSet[str], placed: AbstractSet[str]) -> list[Visit]:
    """Return the visits that a period has to ask for: what waits in it, what is due in it, and what follows these there.

    What follows a visit that is not asked for there waits with it for another period.
    """
    before: dict[str, list[str]] = defaultdict(list)
    for link in scenario.links:
        before[link.after].append(link.before)
    asked: set[str] = set()
    for visit in scenario.visits:
        follows = before[visit.id]
        due = visit.id in waiting or _due_date(visit) < period.ends_on
        if visit.id not in placed and (all(earlier in asked or earlier in placed for earlier in follows) if follows else due):
            asked.add(visit.id)
    return [visit for visit in scenario.visits if visit.id in asked]


def _due_date(visit: Visit) -> date:
    return visit.target or visit.deadline or visit.earliest


def _record(session: Session, by: Actor, events: Mapping[str, Sequence[Event]], now: datetime) -> None:
    """Record what bookings tell of episodes, but for what their histories have already, or have no use for."""
    grown = []
    for identifier, before in store.load(session, [episode for episode, told in events.items() if told]).items():
        pathway, after = catalogue.get_pathway(before.pathway), before
        for event in _sort_events(events[identifier], pathway):
            if event.kind == "planned" and _is_known(event, replay_history(after, pathway)):
                continue
            try:
                after = record_events(after, pathway, event)
            except EventRefused:
                if event.kind == "planned":
                    raise
        if after is not before:
            grown.append((before, after))
    _keep_events(session, by, grown, now)


def _is_known(event: Event, progress: EpisodeProgress) -> bool:
    occurrence = event.occurrence
    assert occurrence is not None and event.date is not None
    return progress.planned.get(occurrence) == VisitDate(event.date, event.team)


def _keep_events(session: Session, by: Actor, grown: Sequence[tuple[Episode, Episode]], now: datetime) -> list[Consequences]:
    """Keep what histories, as they were and are, have gained, and do what follows from it."""
    whole: list[tuple[Episode, Episode]] = []
    gone: dict[str, tuple[str, ...]] = {}
    for before, told in grown:
        after, gone[told.id] = _without_void(session, by, told, now)
        pathway = catalogue.get_pathway(after.pathway)
        store.add_events(session, before, after, get_state(after, pathway) == "open", now)
        whole.append((before, after))
    session.flush()
    asked = request_open_visits(session, [after for before, after in whole if _has_moved(before, after)], now)
    return [Consequences(after, tuple(asked.get(after.id, ())), gone[after.id]) for _, after in whole]


def _without_void(session: Session, by: Actor, episode: Episode, now: datetime) -> tuple[Episode, tuple[str, ...]]:
    """Give up what stands although nothing asks for it there any more, and let the history of what goes on know of it."""
    zone, pathway = periods.get_zone(session), catalogue.get_pathway(episode.pathway)
    gone: tuple[str, ...] = ()
    while more := _give_up(session, by, episode.id, list_void_visits(episode, pathway, zone.wall(now).date()), now):
        gone += more
        if get_state(episode, pathway) != "open":
            break
        known = replay_history(episode, pathway)
        cancelled = (
            Event(kind="cancelled", known=_wall(zone, now), step=occurrence.step, number=occurrence.number, date=stood.date)
            for occurrence, stood in known.planned.items()
            if make_visit_id(episode.id, occurrence, known.attempts[occurrence] + 1) in more
        )
        episode = record_events(episode, pathway, *cancelled)
    return episode, gone


def _has_moved(before: Episode, after: Episode) -> bool:
    """Return whether what is open moves by new events; those that were expected move nothing but what was missed before."""
    missed = replay_history(before, catalogue.get_pathway(before.pathway)).missed
    new = after.history[len(before.history) :]
    return any(event.kind not in EXPECTED or event.occurrence in missed for event in new)


def _give_up(session: Session, by: Actor, episode: str, visits: Sequence[str], now: datetime) -> tuple[str, ...]:
    """Give up visits that nothing asks for any more where they stand; return those that stood."""
    gone = []
    for visit in visits:
        booking = bookings.find_booking(session, ("visit", visit, ""))
        if booking is not None and booking.state in bookings.OPEN:
            offer = offers.find_open_offer(session, visit)
            if offer is not None:
                offers.end_offer(session, offer, "declined")
            notify_changes(session, [bookings.cancel(session, booking.id, now)], now)
            requests.withdraw_visit(session, visit)
            periods.touch(session, booking.period_id)
            write_audit(session, by, "booking.cancel", "visit", visit, now, because_of=episode)
            gone.append(visit)
    return tuple(gone)


def _sort_events(told: Iterable[Event], pathway: Pathway) -> list[Event]:
    """Return events so that what is given up comes first, and then each visit after those that it follows."""

    def order(event: Event) -> tuple[bool, tuple[int, int]]:
        assert event.occurrence is not None
        return event.kind == "planned", pathway.position(event.occurrence)

    return sorted(told, key=order)


def _create_event(kind: EventKind, of: VisitSubject, placing: Placing, zone: TimeGrid, now: datetime) -> Event:
    return Event(
        kind=kind,
        known=_wall(zone, now),
        step=of.occurrence.step,
        number=of.occurrence.number,
        date=zone.wall(placing.starts_at).date(),
        team=placing.ids("team"),
        location=placing.location,
    )


def _wall(zone: TimeGrid, now: datetime) -> datetime:
    return zone.wall(now).replace(second=0, microsecond=0)
