"""What is kept of bookings as calendars show them changes nothing but the time that a calendar takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import get_args

import pytest
from support import factories
from support.factories import booking, group, session, visit
from support.frontdesk import FrontDesk, front_desk
from support.stored import NOW

from api.access.actor import AccessRole, Actor
from api.access.credentials import hash_secret
from api.services.calendars import contents
from api.services.calendars.contents import render_calendar
from api.services.calendars.feeds import add_feed, add_patient_feed
from api.store.database import Database
from api.store.queries import bookings, feeds, people
from api.store.queries.accounts import find_account_by_name
from api.store.queries.bookings import StandingBooking
from api.store.tables.feeds import FeedKind

SINCE = NOW - timedelta(weeks=4)
SUBJECTS: dict[FeedKind, list[str]] = {
    "provider": ["ana", "ben", "dee"],
    "room": ["wang-exam-1", "wang-exam-2", "wang-group"],
    "group": ["coping"],
    "location": ["wang", "west"],
    "patient": ["pat", "quin", "rae"],
}
CLOCKS = ("09:00", "10:00", "11:00", "13:00", "14:00")


@pytest.fixture
def desk(store_url: str) -> Iterator[FrontDesk]:
    week = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"), group("coping", "quin", "sol"))
    places = [booking("v-1", "TU 09:00"), booking("v-2", "TU 10:00", "wang-exam-2", "dee"), booking("v-3", "TU 11:00")]
    with front_desk(store_url, week, factories.plan(week, *places, session("coping", "TH 09:00", "quin sol"))) as desk:
        yield desk


def documents(database: Database) -> dict[tuple[FeedKind, str], bytes]:
    with database.reading() as rows:
        return {(kind, one): render_calendar(rows, kind, one, SINCE) for kind, ids in SUBJECTS.items() for one in ids}


def as_from_nothing(desk: FrontDesk) -> dict[tuple[FeedKind, str], bytes]:
    """Return the calendars that a process gives that has kept nothing of bookings."""
    other = Database(desk.context.settings.database_url)
    try:
        return documents(other)
    finally:
        other.close()


def sources(desk: FrontDesk, secrets: dict[tuple[FeedKind, str], str]) -> dict[tuple[FeedKind, str], str]:
    """Return by what the polls of feeds know whether there is something new."""
    with desk.context.database.reading() as rows:
        polled = {
            (kind, one): feeds.find_subscription(rows.connection(), kind, hash_secret(secret), SINCE.date())
            for (kind, one), secret in secrets.items()
        }
        told = {key: found[1] for key, found in polled.items() if found is not None}
        assert told == {(kind, one): feeds.get_source(rows, kind, one, SINCE.date()) for kind, one in secrets}
    return told


def subscribed(desk: FrontDesk) -> dict[tuple[FeedKind, str], str]:
    """Subscribe to every calendar, and return the secrets."""
    context = desk.context
    secrets = {}
    with context.database.writing() as rows:
        by = find_account_by_name(rows, AccessRole.SCHEDULER)
        assert by is not None
        dana = Actor(by.id, AccessRole.SCHEDULER)
        for kind, ids in SUBJECTS.items():
            for one in ids:
                if kind == "patient":
                    secrets[kind, one], _ = add_patient_feed(rows, context.settings, context.signer, dana, one, NOW)
                else:
                    secrets[kind, one], _ = add_feed(rows, context.settings, dana, kind, one, NOW)
    return secrets


@pytest.mark.parametrize("seed", range(2))
def test_after_any_change_calendars_are_byte_for_byte_those_of_a_process_that_keeps_nothing(desk: FrontDesk, seed: int) -> None:
    assert set(SUBJECTS) == set(get_args(FeedKind))
    chance, seen, secrets = Random(seed), list[bytes](), subscribed(desk)
    before, told = documents(desk.context.database), sources(desk, secrets)
    for _ in range(12):
        desk.clock.pass_by(minutes=1)
        one = f"v-{chance.randint(1, 3)}"
        start = f"{chance.choice(['TU', 'WE', 'FR'])} {chance.choice(CLOCKS)}"
        if desk.booking(one) is None:
            desk.book(one, start)
        elif chance.random() < 0.4:
            desk.cancel(one)
        else:
            desk.move(one, start, team=chance.choice(["ana", "dee"]))
        kept = documents(desk.context.database)
        assert kept == as_from_nothing(desk)
        telling = sources(desk, secrets)
        assert {key for key in kept if kept[key] != before[key]} <= {key for key in kept if telling[key] != told[key]}
        before, told = kept, telling
        seen.append(kept["location", "wang"])
    assert len(set(seen)) > 5


def test_after_a_change_only_what_has_changed_is_drawn_anew(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, standing_now = list[str](), bookings.list_standing_now

    def noted(rows: object, identifiers: list[str]) -> list[StandingBooking]:
        found = standing_now(rows, identifiers)
        drawn.extend(one.row.subject_id for one in found)
        return found

    monkeypatch.setattr(contents.bookings, "list_standing_now", noted)
    documents(desk.context.database)
    assert sorted(drawn) == ["coping", "v-1", "v-2", "v-3"]
    drawn.clear()
    assert desk.move("v-1", "WE 09:00").status_code == 200
    documents(desk.context.database)
    assert drawn == ["v-1"]
    drawn.clear()
    assert desk.cancel("v-2").status_code == 200
    documents(desk.context.database)
    assert drawn == []


def test_who_is_called_like_a_booking_from_now_on_is_not_named_to_staff(desk: FrontDesk) -> None:
    before = documents(desk.context.database)["provider", "ana"]
    assert b"v-1" in before
    with desk.context.database.writing() as rows:
        people.put_patients(rows, [factories.patient("pat", name="V 1")], NOW)
    after = documents(desk.context.database)["provider", "ana"]
    assert b"v-1" not in after and b"v-3" in after
