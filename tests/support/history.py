"""A clinic's past in a store: weeks of episodes that are over, each visit of them booked and done, and some that go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from api.services.accounts.accounts import SYSTEM
from api.services.clinic.rosters import import_roster
from api.store.database import Database
from api.store.queries import episodes
from api.store.queries.episodes import Origin
from api.store.rows import insert_all
from api.store.tables import BookingRow, EpisodeVisitRow, OccupancyRow, PatientRow, PeriodRow, VisitRow
from scheduling import catalogue
from scheduling.care.episodes import Episode, Event, get_state, make_visit_id, record_events
from scheduling.generate import generate
from scheduling.pathways import Occurrence, Pathway
from scheduling.people import Patient
from scheduling.requests import Visit

MONDAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 26, 16, tzinfo=UTC)

WALKED = (
    "physical-therapy",
    "cancer-consult",
    "cognitive-therapy",
    "new-patient-chronic",
    "relaxation-training",
    "follow-up",
    "work-injury",
    "epidural-steroid-injection",
)
"""Pathways that patients of the past have walked, in turn: 24 visits by eight patients."""

LONGEST = 8
"""Visits of the longest of them."""

STARTS = 14
"""Starts of a provider's day, half an hour apart from eight o'clock on."""


@dataclass
class Past:
    """What is written of the past: visits on consecutive places of consecutive working days."""

    weeks: int
    visits: int
    providers: tuple[str, ...]
    placed: int = 0

    def place(self) -> tuple[date, datetime, str]:
        """Return the next place: the day, the start, and who gives the visit."""
        per_day = -(-self.visits // (self.weeks * 5))
        assert per_day <= STARTS * len(self.providers), "more visits than places"
        day_number, number = divmod(self.placed, per_day)
        self.placed += 1
        day = MONDAY - timedelta(weeks=self.weeks) + timedelta(weeks=day_number // 5, days=day_number % 5)
        start = datetime(day.year, day.month, day.day, 13, tzinfo=UTC) + timedelta(minutes=30 * (number % STARTS))
        return day, start, self.providers[number // STARTS]


def live_through(store: Database, weeks: int, visits: int, going_on: int) -> int:
    """Write a past of so many visits over weeks into an empty store, and let about so many episodes go on; return the visits.

    The clinic and who works next week are taken in as usual.
    """
    week = generate("week", 3, MONDAY)
    nothing: dict[str, Any] = {"visits": (), "links": (), "groups": (), "reserves": (), "patients": ()}
    with store.writing() as session:
        import_roster(session, SYSTEM, week.changed(**nothing).model_dump_json(), NOW)
        periods = [_period(MONDAY - timedelta(weeks=number)) for number in range(weeks, 0, -1)]
        insert_all(session, PeriodRow, periods)
        past = Past(weeks, visits, tuple(provider.id for provider in week.providers))
        number = 0
        while past.placed + LONGEST <= visits:
            _walk(session, past, number, WALKED[number % len(WALKED)], whole=past.placed < visits - 2 * going_on)
            number += 1
    return past.placed


def _period(monday: date) -> dict[str, Any]:
    policy = catalogue.get_policy().model_dump_json()
    return {"id": f"week-{monday}", "starts_on": monday, "ends_on": monday + timedelta(weeks=1), "policy": policy}


def _walk(session: Session, past: Past, number: int, name: str, whole: bool) -> None:
    """Let a patient walk a pathway, whole or only its first visits."""
    pathway = catalogue.get_pathway(name)
    patient = Patient(
        id=f"past-{number}",
        name=f"Past {number}",
        preferred_site=None,
        allowed_sites=("boston", "waltham"),
        unavailable=(),
        prefers=None,
    )
    insert_all(session, PatientRow, [{"id": patient.id, "name": "", "document": patient.model_dump_json(), "created_at": NOW}])
    steps = list(_occurrences(pathway))
    places = [past.place() for _ in steps[: len(steps) if whole else max(1, len(steps) // 2)]]
    known = places[0][1]
    episode = Episode(
        id=f"episode-{number}",
        pathway=name,
        patient=patient.id,
        priority="routine",
        history=(Event(kind="referred", known=_minute(known), date=places[0][0]),),
    )
    for (occurrence, _), (day, start, provider) in zip(steps, places, strict=False):
        told = {"known": _minute(start), "step": occurrence.step, "number": occurrence.number, "date": day}
        of = {"team": (provider,), "location": "wang"}
        episode = record_events(episode, pathway, *(Event(kind=kind, **told, **of) for kind in ("planned", "done")))
    episodes.add(session, [(episode, Origin(name))], known)
    episodes.get_episode(session, episode.id).is_open = get_state(episode, pathway) == "open"
    _book(session, episode, [(one, service, *place) for (one, service), place in zip(steps, places, strict=False)])


def _occurrences(pathway: Pathway) -> Iterator[tuple[Occurrence, str]]:
    for step in pathway.steps:
        yield from ((Occurrence(step.id, number), step.service) for number in range(1, step.times + 1))


def _book(session: Session, episode: Episode, been: list[tuple[Occurrence, str, date, datetime, str]]) -> None:
    visits, subjects, bookings, taken = [], [], [], []
    for occurrence, service, day, start, provider in been:
        visit = make_visit_id(episode.id, occurrence)
        asked = Visit(
            id=visit,
            patient=episode.patient,
            service=service,
            priority="routine",
            earliest=day,
            target=None,
            deadline=None,
            preferred_providers=(),
            required_provider=None,
            same_day=False,
            pinned=None,
            current=None,
        )
        period = f"week-{day - timedelta(days=day.weekday())}"
        ends = start + timedelta(minutes=30)
        row = {"id": visit, "period_id": period, "patient_id": episode.patient, "service": service, "priority": "routine"}
        visits.append({**row, "earliest": day, "document": asked.model_dump_json(), "created_at": start})
        subjects.append({"visit_id": visit, "episode_id": episode.id, "step": occurrence.step, "number": occurrence.number})
        booking = {"id": f"b-{visit}", "period_id": period, "kind": "visit", "subject_id": visit, "service": service}
        when = {"starts_at": start, "ends_at": ends}
        bookings.append({**booking, "location": "wang", **when, "state": "done", "notified": True, "updated_at": start})
        for kind, resource, who in (("team", "provider", provider), ("patient", "patient", episode.patient)):
            one = {"booking_id": f"b-{visit}", "kind": kind, "position": 0, "resource": resource, "resource_id": who}
            taken.append({**one, **when})
    for table, rows in ((VisitRow, visits), (EpisodeVisitRow, subjects), (BookingRow, bookings), (OccupancyRow, taken)):
        insert_all(session, table, rows)


def _minute(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None, second=0, microsecond=0)
