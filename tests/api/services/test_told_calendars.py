"""Whatever happens to bookings, mail server and couriers: in the end every patient's calendar shows what stands, and
nothing was sent that changed nothing, but what a courier had in its hands when it died."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select
from support import factories
from support.factories import group, visit
from support.outbox import LEASE, Calendar, give_addresses
from support.stored import NOW

from api.services.messages.notifications import notify_changes
from api.store.database import Database
from api.store.queries import bookings, messages, periods
from api.store.queries.messages import Claimed
from api.store.queries.placings import Placing, Subject, Taking
from api.store.tables import MessageRow
from scheduling.scenario import Scenario

PATIENTS = ("pat", "quin", "rae")
SUBJECTS: tuple[Subject, ...] = (("visit", "v-1", ""), ("visit", "v-2", ""), ("group", "coping", "2026-12"))
ROUNDS = 150

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(0, 2), st.integers(0, 2), st.sets(st.integers(0, 2), min_size=1)),
        st.tuples(st.just("cancel"), st.integers(0, 2)),
        st.tuples(st.just("claim")),
        st.tuples(st.just("taken"), st.booleans()),
        st.tuples(st.just("later")),
        st.tuples(st.just("die"), st.booleans()),
    ),
    max_size=25,
)


class Undone(Exception):
    """Ends a transaction of which nothing is to stay."""


@dataclass
class World:
    """A store, a courier, and the calendars of all patients."""

    rows: Session
    period: str
    now: datetime = NOW
    held: list[Claimed] = field(default_factory=list)
    calendars: dict[str, Calendar] = field(default_factory=lambda: defaultdict(Calendar))
    deaths: int = 0
    idle: int = 0

    def step(self, what: str, *how: object) -> None:
        """Do one thing."""
        self.now += timedelta(seconds=1)
        getattr(self, what)(*how)

    def book(self, which: int, hour: int, who: set[int]) -> None:
        """Book or move something; of a visit the patient is always the same, of the group they come and go."""
        subject = SUBJECTS[which]
        start = NOW + timedelta(days=3 + which, hours=hour)
        end = start + timedelta(minutes=40)
        attending = [PATIENTS[index] for index in sorted(who)] if subject[0] == "group" else [PATIENTS[which]]
        takings = frozenset(Taking("patient", place, name, end) for place, name in enumerate(attending))
        change = bookings.place(self.rows, self.period, Placing(subject, "followup", "wang", start, end, takings), self.now)
        notify_changes(self.rows, [change], self.now)

    def cancel(self, which: int) -> None:
        """Cancel something that stands."""
        row = bookings.find_booking(self.rows, SUBJECTS[which])
        if row is not None and row.state == "booked":
            notify_changes(self.rows, [bookings.cancel(self.rows, row.id, self.now)], self.now)

    def claim(self) -> None:
        """Let the courier take a message."""
        claimed = messages.claim_next(self.rows, "courier", self.now, LEASE)
        if claimed is not None:
            assert all(one.invitation.id != claimed.invitation.id for one in self.held), "two of one event under way"
            self.held.append(claimed)

    def taken(self, answered: bool) -> None:
        """Let the server take a message; its answer comes back or not."""
        if not self.held:
            return
        claimed = self.held.pop(0)
        self._arrive(claimed)
        if answered:
            messages.mark_sent(self.rows, claimed.message.id, self.now)
        else:
            self.deaths += 1
            messages.mark_open(self.rows, claimed.message.id, self.now, "no answer")

    def later(self) -> None:
        """Let the server put a message off."""
        if self.held:
            messages.reschedule(self.rows, self.held.pop(0), self.now, "451", self.now)

    def die(self, handed_over: bool) -> None:
        """Let the courier die with a message in its hands, which the server has or has not."""
        if self.held:
            claimed = self.held.pop(0)
            self.deaths += 1
            if handed_over:
                self._arrive(claimed)
            while self.held:  # all answers come before a lease is over
                self.taken(True)
            self.now += LEASE

    def finish(self) -> None:
        """Let everything be sent that is to be sent."""
        for _ in range(100):
            while self.held:
                self.taken(True)
            self.now += LEASE
            self.claim()
            if not self.held:
                return
        raise AssertionError("the outbox never ends")

    def _arrive(self, claimed: Claimed) -> None:
        self.idle += not self.calendars[claimed.invitation.patient_id].take(claimed)


@pytest.fixture(scope="module")
def week() -> Scenario:
    return factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), group("coping", *PATIENTS))


@pytest.fixture(scope="module")
def database(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory, week: Scenario) -> Iterator[Database]:
    """Return a store with the week, which every example leaves as it was."""
    file = tmp_path_factory.mktemp("told") / "store.db"
    shutil.copyfile(migrated_file, file)
    store = Database(f"sqlite:///{file}")
    with store.writing() as rows:
        periods.keep_scenario(rows, week, NOW)
    give_addresses(store, NOW, *PATIENTS)
    yield store
    store.close()


TAKEN_BUT_UNHEARD_THEN_PUT_OFF: list[tuple[object, ...]] = [
    *(("book", 2, 0, {0}), ("claim",), ("taken", False)),
    *(("cancel", 2), ("claim",), ("later",)),
]
"""The server has the invite though its answer was lost, and puts the next attempt off: the cancellation must still go."""


@given(steps=STEPS)
@example(steps=TAKEN_BUT_UNHEARD_THEN_PUT_OFF)
@example(steps=[*TAKEN_BUT_UNHEARD_THEN_PUT_OFF[:3], ("claim",), ("later",), ("book", 2, 0, {0})])
@example(steps=[("book", 2, 0, {0}), ("claim",), ("die", False), ("claim",), ("later",), ("book", 2, 0, {0})])
@settings(max_examples=ROUNDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_the_end_every_calendar_shows_what_stands(
    database: Database, week: Scenario, steps: list[tuple[object, ...]]
) -> None:
    world = lived(database, week, steps)
    assert world.idle <= world.deaths


def lived(database: Database, week: Scenario, steps: list[tuple[object, ...]]) -> World:
    """Live through some steps and what is left to be sent; hold the calendars against what stands."""
    with pytest.raises(Undone), database.writing() as rows:
        world = World(rows, week.id)
        for what, *how in steps:
            world.step(str(what), *how)
        world.finish()
        standing = bookings.list_standing(rows, week.id).values()
        for patient in PATIENTS:
            stands = sorted(one.row.starts_at for one in standing if patient in one.placing.ids("patient"))
            shown = sorted(one.starts_at for one in world.calendars[patient].shown.values())
            assert shown == stands, patient
        raise Undone
    return world


def test_messages_that_overtake_each_other_would_be_noticed(
    database: Database, week: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[object, ...]] = [("book", 0, 0, {0}), ("claim",), ("book", 0, 1, {0}), ("claim",)]
    lived(database, week, steps)
    everything = select(MessageRow).where(MessageRow.state == "waiting")
    monkeypatch.setattr(messages, "_due", lambda *given: everything)
    with pytest.raises(AssertionError, match="two of one event under way"):
        lived(database, week, steps)
