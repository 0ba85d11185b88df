"""Whatever happens in whatever order, histories and bookings agree, and nothing stands or is asked for after an end."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.months import MONDAY, in_memory

from api.store.queries import bookings, episodes, periods
from api.store.queries.bookings import OPEN
from scheduling import catalogue
from scheduling.care.episodes import get_state, make_visit_id, replay_history

KINDS = ("spinal-cord-stimulation", "work-injury", "relaxation-training", "spinal-drug-delivery", "follow-up", "pump-refill")
WEEKS = 6


class Care(RuleBasedStateMachine):
    """A desk at which anything may happen."""

    @initialize()
    def begin(self) -> None:
        self.opened = ExitStack()
        self.desk = self.opened.enter_context(in_memory())
        self.built: list[str] = []

    def teardown(self) -> None:
        self.opened.close()

    def _ids(self) -> list[str]:
        with self.desk.store.reading() as session:
            return [row.id for row in episodes.list_episodes(session, "", 100)]

    @rule(kind=st.sampled_from(KINDS))
    def refer(self, kind: str) -> None:
        needed = {"low_reservoir": self.desk.now.date() + timedelta(weeks=3)} if kind == "pump-refill" else {}
        taken = self.desk.refer(kind, f"pat-{len(self._ids())}", **needed)
        assert taken.episode is not None

    @precondition(lambda self: len(self.built) < WEEKS)
    @rule()
    def build_and_publish_the_next_week(self) -> None:
        self.desk.now = max(self.desk.now, self.desk.now + timedelta(days=7 * len(self.built[:1])))
        found = self.desk.build(start=MONDAY + timedelta(weeks=len(self.built)))
        self.built.append(found.scenario.id)
        self.desk.publish(self.built[-1])

    @precondition(lambda self: self.built)
    @rule()
    def plan_again(self) -> None:
        self.desk.publish(self.built[-1])

    @precondition(lambda self: self.built)
    @rule(number=st.integers(0, 20), came=st.booleans())
    def live(self, number: int, came: bool) -> None:
        with self.desk.store.reading() as session:
            rows = sorted(bookings.list_rows(session, self.built[-1]), key=lambda row: (row.starts_at, row.id))
        booked = [row.subject_id for row in rows if (row.kind, row.state) == ("visit", "booked")]
        if booked:
            self.desk.live(booked[number % len(booked)], came)

    @rule(number=st.integers(0, 20), hoped=st.booleans())
    def hear_what_came_of_it(self, number: int, hoped: bool) -> None:
        for identifier in self._ids()[number:]:
            found = self.desk.episode(identifier)
            pathway = catalogue.get_pathway(found.pathway)
            known = replay_history(found, pathway)
            steps = [step for step in pathway.steps if step.outcomes and any(one.step == step.id for one in known.done)]
            if get_state(found, pathway) == "open" and steps:
                outcome = steps[-1].outcomes[0 if hoped else 1].id
                self.desk.tell(identifier, "outcome", step=steps[-1].id, outcome=outcome)
                return

    @rule(number=st.integers(0, 20))
    def stop_or_begin_again(self, number: int) -> None:
        ids = self._ids()
        if ids:
            found = self.desk.episode(ids[number % len(ids)])
            now = get_state(found, catalogue.get_pathway(found.pathway))
            self.desk.tell(found.id, "stopped" if now == "open" else "restarted")

    @invariant()
    def histories_and_bookings_agree(self) -> None:
        with self.desk.store.reading() as session:
            rows = {row.id: row for row in episodes.list_episodes(session, "", 100)}
            found = episodes.load(session, list(rows))
            today = periods.get_zone(session).wall(self.desk.now).date()
            unplaced = {row.id for row in episodes.list_unplaced(session, list(rows))}
            built = {period.id for period in periods.list_periods_from(session, today)}
            for identifier, episode in found.items():
                pathway = catalogue.get_pathway(episode.pathway)
                goes_on = get_state(episode, pathway) == "open"
                assert rows[identifier].is_open == goes_on
                known = replay_history(episode, pathway)
                planned = (
                    {make_visit_id(identifier, one, known.attempts[one] + 1) for one in known.planned} if goes_on else set()
                )
                stands = set()
                for period in [*built, *self.built]:
                    for booking in bookings.list_rows(session, period):
                        if booking.kind == "visit" and booking.subject_id.startswith(f"{identifier}."):
                            stands |= {booking.subject_id} if booking.state in OPEN else set()
                assert stands == planned, (identifier, episode.history)
                if not goes_on:
                    assert not {one for one in unplaced if one.startswith(f"{identifier}.")}


Care.TestCase.settings = settings(max_examples=8, stateful_step_count=14, deadline=None)
TestCare = Care.TestCase
