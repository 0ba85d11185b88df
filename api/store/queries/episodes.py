"""The queries about episodes: their histories, which are only added to, and which visits are theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from api.store.queries.periods import get_zone
from api.store.rows import get_row, insert_all, put
from api.store.tables import BookingRow, EpisodeEventRow, EpisodeRow, EpisodeVisitRow, VisitRow
from scheduling.care.agenda import VisitSubject
from scheduling.care.episodes import Episode, Event
from scheduling.pathways import Occurrence


@dataclass(frozen=True, slots=True)
class Origin:
    """How an episode came in: what was asked for, and who asked from outside the clinic."""

    kind: str
    referrer: str | None = None
    needs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EpisodeNeeds:
    """What the visits of an episode need beside what their services say, as it is kept."""

    episode: str
    pathway: str
    needs: Mapping[str, Any]


def get_episode(session: Session, identifier: str) -> EpisodeRow:
    """Return an episode's row. Raises ``UnknownId``."""
    return get_row(session, EpisodeRow, "episode", identifier)


def add(session: Session, episodes: Iterable[tuple[Episode, Origin]], now: datetime) -> None:
    """Add episodes, each with the history that it has so far."""
    rows: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for episode, origin in episodes:
        rows.append(
            dict(
                id=episode.id,
                patient_id=episode.patient,
                kind=origin.kind,
                pathway=episode.pathway,
                priority=episode.priority,
                preferred_providers=list(episode.preferred_providers),
                referrer=origin.referrer,
                needs=dict(origin.needs),
                referred_at=now,
            )
        )
        events += _event_rows(episode.id, 1, episode.history, now)
    insert_all(session, EpisodeRow, rows)
    insert_all(session, EpisodeEventRow, events)


def load_needs(session: Session, identifiers: Collection[str]) -> dict[str, EpisodeNeeds]:
    """Return what the visits of episodes need, as it is kept, of those that need anything."""
    query: Any = select(EpisodeRow.id, EpisodeRow.pathway, EpisodeRow.needs)
    rows = session.exec(query.where(col(EpisodeRow.id).in_(list(identifiers))))
    return {identifier: EpisodeNeeds(identifier, pathway, needs) for identifier, pathway, needs in rows if needs}


def add_events(session: Session, before: Episode, after: Episode, is_open: bool, now: datetime) -> EpisodeRow:
    """Add to a history what one has and the other has not; ``is_open`` says whether anything is open still."""
    changed = get_episode(session, before.id)
    changed.is_open = is_open
    changed.version += 1
    known = len(before.history)
    insert_all(session, EpisodeEventRow, _event_rows(before.id, known + 1, after.history[known:], now))
    return changed


def load(session: Session, identifiers: Collection[str]) -> dict[str, Episode]:
    """Return episodes by id, with their histories."""
    return _loaded(session, col(EpisodeRow.id).in_(list(identifiers)))


def load_open(session: Session) -> dict[str, Episode]:
    """Return every episode whose history leaves anything open."""
    return _loaded(session, col(EpisodeRow.is_open).is_(True))


def load_of_patients(session: Session, patients: Collection[str]) -> list[EpisodeRow]:
    """Return the open episodes of patients."""
    query = select(EpisodeRow).where(col(EpisodeRow.is_open).is_(True), col(EpisodeRow.patient_id).in_(list(patients)))
    return list(session.exec(query.order_by(col(EpisodeRow.id))))


def list_episodes(
    session: Session, after: str, count: int, patient: str | None = None, is_open: bool | None = None
) -> list[EpisodeRow]:
    """Return episodes by id, those after an id; of one patient, and only the open or closed ones, where asked."""
    query = select(EpisodeRow).where(col(EpisodeRow.id) > after)
    if patient is not None:
        query = query.where(EpisodeRow.patient_id == patient)
    if is_open is not None:
        query = query.where(col(EpisodeRow.is_open).is_(is_open))
    return list(session.exec(query.order_by(col(EpisodeRow.id)).limit(count)))


def put_subjects(session: Session, subjects: Mapping[str, VisitSubject]) -> None:
    """Note of which step of which episode visits are."""
    put(
        session,
        EpisodeVisitRow,
        (
            dict(visit_id=visit, episode_id=of.episode, step=of.occurrence.step, number=of.occurrence.number)
            for visit, of in subjects.items()
        ),
    )


def get_subjects(session: Session, visits: Collection[str]) -> dict[str, VisitSubject]:
    """Return of which step of which episode visits are; those of none are left out."""
    rows = session.exec(select(EpisodeVisitRow).where(col(EpisodeVisitRow.visit_id).in_(list(visits))))
    return {one.visit_id: VisitSubject(one.episode_id, Occurrence(one.step, one.number)) for one in rows}


def list_unplaced(session: Session, episode_ids: Collection[str]) -> list[VisitRow]:
    """Return the visits of episodes that are asked for and stand nowhere."""
    query = (
        select(VisitRow)
        .join(EpisodeVisitRow, col(EpisodeVisitRow.visit_id) == col(VisitRow.id))
        .outerjoin(BookingRow, (col(BookingRow.kind) == "visit") & (col(BookingRow.subject_id) == col(VisitRow.id)))
        .where(col(EpisodeVisitRow.episode_id).in_(list(episode_ids)), VisitRow.state == "asked")
        .where(col(BookingRow.id).is_(None) | (col(BookingRow.state) == "cancelled"))
    )
    return list(session.exec(query.order_by(col(VisitRow.id))))


def get_first_places(session: Session, pathways: Collection[str]) -> list[tuple[str, datetime, str | None]]:
    """Return every episode on some pathways: the pathway, when it was referred, and where its first visit stood first."""
    placed = (
        select(EpisodeEventRow.episode_id, func.min(EpisodeEventRow.number).label("number"))
        .join(EpisodeRow, col(EpisodeRow.id) == col(EpisodeEventRow.episode_id))
        .where(EpisodeEventRow.kind == "planned", col(EpisodeRow.pathway).in_(list(pathways)))
        .group_by(col(EpisodeEventRow.episode_id))
        .subquery()
    )
    event = EpisodeEventRow
    query = (
        select(EpisodeRow.pathway, EpisodeRow.referred_at, event.location)
        .outerjoin(placed, placed.c.episode_id == EpisodeRow.id)
        .outerjoin(event, (col(event.episode_id) == placed.c.episode_id) & (col(event.number) == placed.c.number))
        .where(col(EpisodeRow.pathway).in_(list(pathways)))
    )
    return [(pathway, at, place) for pathway, at, place in session.exec(query)]


def get_first_referral(session: Session) -> datetime | None:
    """Return when the first episode was referred."""
    query = select(EpisodeRow.referred_at).order_by(col(EpisodeRow.referred_at)).limit(1)
    return session.exec(query).first()


def arrivals(session: Session, since: datetime) -> list[tuple[str, int]]:
    """Return how many episodes were referred since an instant, by pathway."""
    query = select(EpisodeRow.pathway, func.count()).where(col(EpisodeRow.referred_at) >= since)
    return [(pathway, count) for pathway, count in session.exec(query.group_by(EpisodeRow.pathway))]


def _loaded(session: Session, which: Any) -> dict[str, Episode]:
    # Columns, not objects: a clinic has thousands of open events, and most of the time would go into making objects of them.
    event = EpisodeEventRow
    columns: Any = (
        event.episode_id,
        event.kind,
        event.known_at,
        event.step,
        event.occurrence,
        event.on_date,
        event.team,
        event.location,
        event.outcome,
        event.relief_percent,
        event.name,
    )
    wall = get_zone(session).wall
    histories: dict[str, list[Event]] = defaultdict(list)
    query = select(*columns).join(EpisodeRow, col(EpisodeRow.id) == col(event.episode_id)).where(which)
    for identifier, *values in session.exec(query.order_by(col(event.episode_id), col(event.number))):
        histories[identifier].append(_event(wall(values[1]), values))
    one = EpisodeRow
    head: Any = (one.id, one.pathway, one.patient_id, one.priority, one.preferred_providers)
    return {
        identifier: Episode.model_construct(
            id=identifier,
            pathway=pathway,
            patient=patient,
            priority=priority,
            preferred_providers=tuple(preferred),
            history=tuple(histories[identifier]),
        )
        for identifier, pathway, patient, priority, preferred in session.exec(select(*head).where(which).order_by(col(one.id)))
    }


def _event(known: datetime, values: Sequence[Any]) -> Event:
    kind, _, step, number, day, team, location, outcome, relief_percent, name = values
    return Event.model_construct(
        kind=kind,
        known=known.replace(second=0, microsecond=0),
        step=step,
        number=number,
        date=day,
        team=tuple(team),
        location=location,
        outcome=outcome,
        relief_percent=relief_percent,
        name=name,
    )


def _event_rows(episode: str, first: int, events: Iterable[Event], now: datetime) -> list[dict[str, Any]]:
    return [
        dict(
            episode_id=episode,
            number=number,
            kind=event.kind,
            known_at=now,
            step=event.step,
            occurrence=event.number,
            on_date=event.date,
            team=list(event.team),
            location=event.location,
            outcome=event.outcome,
            relief_percent=event.relief_percent,
            name=event.name,
        )
        for number, event in enumerate(events, first)
    ]
